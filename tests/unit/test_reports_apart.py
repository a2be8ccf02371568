"""Reports with replies and pictures, and two of them side by side."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from serve_process import SAMPLES
from urbexmp.cli.main import run
from urbexmp.model.keyword import Keyword
from urbexmp.rules.reports_apart import Side, Standing, Told, add_report, compare, quantile
from vlm_server import VlmDouble

NAMES = ("IMG_1022.JPG", "IMG_1027.JPG")

pytestmark = pytest.mark.usefixtures("no_choice_of_stages")


@pytest.fixture
def no_choice_of_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("URBEXMP_STAGES", raising=False)


def urbexmp(*args: object) -> tuple[int, str]:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = run([str(arg) for arg in args])
    assert "Traceback" not in told.getvalue()
    return code, told.getvalue()


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in file.read_text().splitlines()]


@pytest.fixture
def reported(tmp_path: Path) -> Path:
    """Two runs over the same two photos, by two models on one server."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in NAMES:
        shutil.copy(next(SAMPLES.rglob(name)), photos)
    with VlmDouble() as double:
        for model in ("eyes", "glasses"):
            profile = tmp_path / f"{model}.toml"
            profile.write_text(
                'stages = ["camera", "place", "vlm"]\n[stage.vlm]\n'
                f'model = "{model}"\nurl = "{double.url}"\n'
            )
            code, said = urbexmp(
                *("sync", photos, "-p", profile, "--state", tmp_path / "st"),
                *("--report", tmp_path / "reports"),
            )
            assert code == 0, said
    return tmp_path


def reports(home: Path) -> list[Path]:
    folders = (each for each in (home / "reports").iterdir() if each.is_dir())
    # Runs of one second are told apart by chance, so their names are in no order.
    return sorted(folders, key=lambda each: (each / "run.json").stat().st_mtime_ns)


def test_a_report_has_each_reply_with_who_gave_it_and_what_it_cost(reported: Path) -> None:
    first, _ = reports(reported)
    replies = lines(first / "replies.jsonl")
    assert sorted(each["photo"] for each in replies) == sorted(NAMES)
    for each in replies:
        assert (each["event"], each["model"], each["outcome"]) == ("reply", "eyes", "heard")
        assert each["prompt"].startswith("urbex@")
        assert each["seconds"] >= 0
        assert "description" in each
    (told, _) = lines(reported / "reports" / "history.jsonl")
    (sums,) = told["replies"]
    assert (sums["model"], sums["outcomes"], sums["count"]) == ("eyes", {"heard": 2}, 2)
    assert json.loads((first / "run.json").read_text()) == told
    code, said = urbexmp("stats", "--history", reported / "reports")
    assert code == 0
    assert "By model and prompt" in said
    assert "glasses" in said


def test_the_page_shows_pictures_without_what_their_files_say(reported: Path) -> None:
    from PIL import Image

    first, _ = reports(reported)
    page = (first / "summary.md").read_text()
    assert "![](pictures/0001.jpg)" in page
    assert "![](pictures/0002.jpg)" in page
    assert f"### `{NAMES[0]}`" in page
    assert "- vlm: " in page
    assert "Wheelchair" in page.partition("## Pictures")[2]
    assert sorted(each.name for each in (first / "pictures").iterdir()) == ["0001.jpg", "0002.jpg"]
    for picture in (first / "pictures").iterdir():
        raw = picture.read_bytes()
        assert len(raw) < 60_000
        with Image.open(picture) as opened:
            assert max(opened.size) <= 320
            assert not opened.getexif()
            assert {"exif", "xmp", "icc_profile", "photoshop", "comment"}.isdisjoint(opened.info)
        assert b"Exif" not in raw
        assert b"xap" not in raw


def test_no_pictures_where_none_are_wanted(reported: Path) -> None:
    code, _ = urbexmp(
        *("sync", reported / "photos", "-p", reported / "eyes.toml"),
        *("--state", reported / "st", "--again", "--report", reported / "few", "--pictures", "0"),
    )
    assert code == 0
    (report,) = (each for each in (reported / "few").iterdir() if each.is_dir())
    assert not (report / "pictures").exists()
    assert "## Pictures" not in (report / "summary.md").read_text()


def test_two_runs_are_compared_over_the_photos_of_both(reported: Path) -> None:
    first, second = reports(reported)
    code, said = urbexmp("report", "compare", first, second, "--state", reported / "st")
    assert code == 0, said
    assert "tokens out, a reply" in said
    assert "p99" in said
    code, said = urbexmp("report", "compare", first, second, "--json", "--state", reported / "st")
    (data,) = map(json.loads, said.splitlines())
    assert (data["both"], data["other_pictures"], data["judged"]) == (2, 0, 0)
    assert data["together"] == data["sides"][0]["suggested"] == data["sides"][1]["suggested"] > 0
    assert [side["reply_outcomes"] for side in data["sides"]] == [{"heard": 2}, {"heard": 2}]
    assert all(side["seconds"]["p50"] is not None for side in data["sides"])


def test_models_are_compared_by_name_and_judged_by_what_a_person_did(reported: Path) -> None:
    photo = reported / "photos" / NAMES[0]
    _, listed = urbexmp("keyword", "list", photo, "--state", reported / "st", "--json")
    keyword = next(
        each["keyword"]
        for each in map(json.loads, listed.splitlines())
        if "Wheelchair" in each.get("keyword", "")
    )
    code, said = urbexmp("keyword", "refuse", keyword, photo, "--state", reported / "st")
    assert code == 0, said
    code, said = urbexmp(
        *("report", "compare", "eyes", "glasses", "--in", reported / "reports"),
        *("--state", reported / "st", "--json"),
    )
    assert code == 0, said
    (data,) = map(json.loads, said.splitlines())
    assert (data["both"], data["judged"]) == (2, 1)
    one, other = (side["kept"] for side in data["sides"])
    assert one["refused"] == other["refused"] == 1
    assert 0 < one["agreement"] < 1
    stages = [list(side["stages"]) for side in data["sides"]]
    assert all(name.startswith("vlm@") for names in stages for name in names)


def test_a_name_that_nothing_has_is_told_what_there_is(reported: Path) -> None:
    code, said = urbexmp("report", "compare", "eyes", "nose", "--in", reported / "reports")
    assert code == 2
    assert "models: eyes, glasses" in said
    code, said = urbexmp("report", "compare", "eyes", reported / "photos")
    assert code == 2
    assert "no report" in said


# --- The rules ---------------------------------------------------------------------------------


def told(*keywords: str, photo_id: str = "p1", **seconds: float) -> Told:
    suggested = {Keyword.parse(each): ("vlm@1",) for each in keywords}
    return Told(photo_id, "written", suggested, seconds, tuple(seconds))


def test_keywords_are_counted_once_a_photo_and_only_where_both_looked() -> None:
    one = Side("A", {"a": told("X", "Y"), "b": told("X", photo_id="p2"), "c": told("X")})
    other = Side("B", {"a": told("x", "Z"), "b": told("Y", photo_id="other"), "d": told("X")})
    found = compare(one, other, None)
    assert (found.both, found.other_pictures, found.together) == (1, 1, 1), "x and X are one"
    assert found.only == (Counter({Keyword.parse("Y"): 1}), Counter({Keyword.parse("Z"): 1}))
    assert found.judged is None


def test_only_photos_that_a_person_worked_on_say_what_was_kept() -> None:
    one = Side("A", {"a": told("X", "Y", "Z"), "b": told("X", photo_id="p2")})
    x, y, z = (Keyword.parse(each) for each in "XYZ")
    now = {
        "a": Standing(frozenset({x, z}), frozenset({z}), frozenset({y})),
        "b": Standing(frozenset({x}), frozenset(), frozenset()),
    }
    found = compare(one, one, now)
    its = found.figures[0]
    assert (found.judged, its.stand, its.taken_over, its.refused, its.own) == (1, 2, 1, 1, 1)
    assert its.agreement == pytest.approx(2 / 3)


def test_lines_that_cannot_be_read_cost_only_themselves() -> None:
    good = {
        "event": "photo",
        "path": "a.jpg",
        "photo_id": "p",
        "outcome": "written",
        "edits": [{"kind": "add", "keyword": "A|B", "reasons": [{"stage": "vlm@1"}]}],
        "looks": [],
    }
    side = Side("A")
    add_report(side, [json.dumps(good), "{torn", "[]", '{"event": "photo"}'], ['{"event":"reply"}'])
    assert list(side.photos) == ["a.jpg"]
    assert list(side.photos["a.jpg"].suggested) == [Keyword.parse("A|B")]
    assert side.replies == {}


def test_quantiles_are_by_nearest_rank() -> None:
    assert quantile((), 0.5) is None
    assert quantile((1.0, 2.0, 3.0, 4.0), 0.5) == 2.0
    assert quantile((1.0, 2.0, 3.0, 4.0), 0.99) == 4.0


def test_what_a_model_says_cannot_become_a_part_of_the_page() -> None:
    from urbexmp.model.observation import Observation, ObservationKind, StageLook
    from urbexmp.rules.render_gallery import captions

    said = "<img src=x onerror=y> ![a](b) `code`\n# head & | *bold*" + "x" * 900
    one = Observation(ObservationKind.CAPTION, "caption", None, said)
    ((stage, shown),) = captions([StageLook("vlm@12", (one,))])
    assert stage == "vlm"
    assert "\n" not in shown
    assert r"\<img src=x onerror=y\> !\[a\](b) \`code\` \# head" in shown
    assert len(shown) < 640
