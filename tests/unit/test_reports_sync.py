"""`sync --report`: what it writes about a run, and that nothing it meets can harm the run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from faults.full_disk import small_disk
from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("clean_home")

CODE = 61
"""Exit code of a report that cannot be written, were nothing else to tell."""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Two photos in a folder named after what it shows, and one file that is none."""
    from PIL import Image

    folder = tmp_path / "library" / "Old Hospital"
    folder.mkdir(parents=True)
    for number, grey in enumerate((60, 200)):
        picture = (
            Image.radial_gradient("L").resize((320, 240)).point(lambda v, g=grey: (v + g) // 2)
        )
        picture.convert("RGB").save(folder / f"IMG_{number}.JPG")
    (folder / "ju`n|k.jpg").write_bytes(b"no picture at all")
    return tmp_path / "library"


def said(capsys: Capture, *args: object) -> tuple[int, str, str]:
    code = run([str(arg) for arg in args])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def reports(folder: Path) -> list[Path]:
    """Folders of runs, oldest first."""
    return sorted((each for each in folder.iterdir() if each.is_dir()), key=_made)


def _made(folder: Path) -> int:
    return (folder / "changes.jsonl").stat().st_mtime_ns


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in file.read_text().splitlines()]


def test_a_report_tells_every_photo_once_with_its_reasons(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    reported = tmp_path / "reports"
    code, out, _ = said(capsys, "sync", library, "--report", reported)
    assert code == 3
    (report,) = reports(reported)
    assert f"Report: {report / 'summary.md'}" in out
    photos = {data["path"]: data for data in lines(report / "changes.jsonl")}
    assert sorted(photos) == [
        "Old Hospital/IMG_0.JPG",
        "Old Hospital/IMG_1.JPG",
        "Old Hospital/ju`n|k.jpg",
    ]
    assert len({tuple(sorted(data)) for data in photos.values()}) == 1, "stable fields"
    written = photos["Old Hospital/IMG_0.JPG"]
    assert (written["outcome"], written["problem"]) == ("written", None)
    hospital = next(edit for edit in written["edits"] if edit["keyword"].endswith("|Hospital"))
    assert hospital["confidence"] > 0.5
    assert hospital["reasons"][0]["stage"].startswith("place@")
    assert {look["stage"].split("@")[0] for look in written["looks"]} == {
        "camera",
        "pixels",
        "place",
    }
    assert all(look["seconds"] >= 0 and not look["cached"] for look in written["looks"])
    failed = photos["Old Hospital/ju`n|k.jpg"]
    assert (failed["outcome"], failed["problem"]["slug"]) == ("failed", "not-a-photo")


def test_the_page_tells_what_a_person_wants_to_know(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    reported = tmp_path / "reports"
    said(capsys, "sync", library, "--set", "embed=never", "--report", reported)
    (report,) = reports(reported)
    page = (report / "summary.md").read_text()
    flat = " ".join(page.split())
    assert "| found | 3 |" in flat
    assert "| - written | 2 |" in flat
    assert "| - with a problem | 1 |" in flat
    assert "- 2 x `Urbex|Building|Healthcare|Hospital`" in page
    assert "### not-a-photo: 1" in page
    assert "- ``Old Hospital/ju`n|k.jpg``: is named .jpg" in page
    assert "| `place@" in page
    assert "`offline`, digest `" in page
    assert "Lightroom reads no sidecar for such files" in page


def test_the_history_grows_by_a_line_a_run_and_stats_compares_them(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    reported = tmp_path / "reports"
    said(capsys, "sync", library, "--report", reported)
    said(capsys, "sync", library, "--report", reported, "--again", "--threshold", "0.9")
    said(capsys, "sync", library, "--report", reported, "--retag", "--dry-run")
    first, second, third = lines(reported / "history.jsonl")
    assert [report.name for report in reports(reported)] == [
        first["run"],
        second["run"],
        third["run"],
    ]
    assert (first["looked_at"], second["looked_at"], third["looked_at"]) == (2, 0, 2)
    assert second["photos_a_minute"] is None
    assert (third["dry_run"], third["unchanged"]) == (True, 2)
    assert first["profile_digest"] == third["profile_digest"] != second["profile_digest"]
    (pixels,) = (stage for stage in first["stages"] if stage.startswith("pixels@"))
    assert (first["stages"][pixels]["count"], first["stages"][pixels]["cached"]) == (2, 0)
    assert (second["stages"][pixels]["count"], second["stages"][pixels]["cached"]) == (0, 2)
    assert 0 < first["stages"][pixels]["p50"] <= first["stages"][pixels]["p99"] * 1.01

    code, out, _ = said(capsys, "stats", "--history", reported)
    assert code == 0
    assert "dry run" in out
    assert out.index(third["run"]) < out.index(first["run"])
    by_profile = out.partition("By profile")[2].partition("By stage")[0]
    assert len(by_profile.strip().splitlines()) == 3, "a head and two profiles"

    code, out, _ = said(capsys, "stats", "--history", reported, "--json")
    data = [json.loads(text) for text in out.splitlines()]
    same = next(
        each
        for each in data
        if each["event"] == "profile" and each["profile_digest"] == first["profile_digest"]
    )
    assert (same["runs"], same["looked_at"]) == (2, 4)
    assert same["stages"][pixels]["count"] == 4


def test_a_torn_line_of_the_history_costs_only_itself(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    reported = tmp_path / "reports"
    said(capsys, "sync", library, "--report", reported)
    history = reported / "history.jsonl"
    history.write_text(history.read_text()[:-40])
    said(capsys, "sync", library, "--report", reported)
    torn, whole = history.read_text().splitlines()
    assert json.loads(whole)["unchanged"] == 0
    code, out, _ = said(capsys, "stats", "--history", reported)
    assert code == 0
    assert "1 line of" in out
    assert json.loads(whole)["run"] in out
    assert torn[:-1] not in out


def test_no_history_is_a_problem_and_no_traceback(tmp_path: Path, capsys: Capture) -> None:
    code, _, err = said(capsys, "stats", "--history", tmp_path / "nowhere")
    assert code == 20
    assert "history.jsonl: cannot be read" in err


def sidecars(library: Path) -> list[str]:
    return sorted(path.name for path in library.rglob("*.xmp"))


def test_a_folder_that_cannot_be_made_does_not_stop_the_run(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    (library / "Old Hospital" / "ju`n|k.jpg").unlink()
    occupied = tmp_path / "occupied"
    occupied.write_text("a file")
    code, out, err = said(capsys, "sync", library, "--report", occupied / "reports")
    assert code == 3
    assert err.count("the report cannot be written") == 1
    assert "The run went on without it" in err
    assert sidecars(library) == ["IMG_0.JPG.xmp", "IMG_1.JPG.xmp"]
    assert "2 written" in out
    assert occupied.read_text() == "a file"

    code, out, err = said(capsys, "sync", library)
    assert (code, "2 unchanged" in out) == (0, True), "the run before was whole"


def test_a_report_on_an_empty_folder_that_fails_says_so_by_its_own_code(
    tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "occupied").write_text("")
    code, _, err = said(capsys, "sync", tmp_path / "empty", "--report", tmp_path / "occupied" / "x")
    assert (code, err.count("the report cannot be written")) == (CODE, 1)


@pytest.mark.parametrize("room", [0, 4096, 12288])
def test_a_disk_that_fills_up_leaves_no_half_report(
    library: Path, tmp_path: Path, capsys: Capture, room: int
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        if not disk.mounted:
            pytest.skip("needs a disk of its own: the limit would hit the state, too")
        reported = disk.folder / "reports"
        said(capsys, "sync", library, "--report", reported, "--dry-run")
        history = (reported / "history.jsonl").read_bytes()
        before = [report.name for report in reports(reported)]
        with disk.full(room):
            code, out, err = said(capsys, "sync", library, "--report", reported)
        assert code == 3
        assert "2 written" in out
        assert sidecars(library) == ["IMG_0.JPG.xmp", "IMG_1.JPG.xmp"]
        if "Report: " not in out:
            assert err.count("the report cannot be written (No space left on device)") == 1
            assert [report.name for report in reports(reported)] == before
            assert (reported / "history.jsonl").read_bytes() == history
        assert not list(reported.glob("*.partial"))


def test_an_interrupted_run_says_so_in_its_report(
    library: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urbexmp.cli.stopping import Stopping

    asked = iter([False, False, True])
    monkeypatch.setattr(Stopping, "__call__", lambda self: next(asked, True))
    code, _, _ = said(capsys, "sync", library, "--report", tmp_path / "reports")
    assert code == 130
    (report,) = reports(tmp_path / "reports")
    assert "stopped before the end" in (report / "summary.md").read_text()
    assert lines(tmp_path / "reports" / "history.jsonl")[0]["interrupted"] is True


def test_names_cannot_break_the_page(tmp_path: Path, capsys: Capture, library: Path) -> None:
    nasty = library / "Old Hospital" / "a\x1b[31m\n# Head <b> ``x`` .jpg"
    nasty.write_bytes(b"junk")
    said(capsys, "sync", library, "--report", tmp_path / "reports")
    (report,) = reports(tmp_path / "reports")
    page = (report / "summary.md").read_text()
    assert "\x1b" not in page
    assert "\n# Head" not in page
    assert "```Old Hospital/a\\x1b[31m\\x0a# Head <b> ``x`` .jpg```" in page


def test_a_report_is_readable_by_those_who_may_read_files_of_ours(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    mask = os.umask(0o022)
    try:
        said(capsys, "sync", library, "--report", tmp_path / "reports")
    finally:
        os.umask(mask)
    (report,) = reports(tmp_path / "reports")
    assert (report / "summary.md").stat().st_mode & 0o777 == 0o644
