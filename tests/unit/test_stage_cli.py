"""Stages by the commands that a person uses: alone, in a run, one failing, one missing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from PIL import Image

from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp import wiring_stages
from urbexmp.adapters.stages import registry
from urbexmp.adapters.stages.workers import WorkerStage
from urbexmp.cli.main import run
from urbexmp.model.ports import Stage
from urbexmp.rules import profile_keys

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("clean_home")

FAKES = {"florence": "Florence", "ram": "Ram", "siglip": "Unready"}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for place in ("Mill", "Broken"):
        folder = tmp_path / "library" / place
        folder.mkdir(parents=True)
        for number in range(2):
            colour = (90 + 40 * number, 120, 60 if place == "Mill" else 160)
            Image.new("RGB", (64, 48), colour).save(folder / f"IMG_{number}.jpg")
    return tmp_path / "library"


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models in the place of the real ones, in real processes."""
    places = {**registry.STAGES, **{n: f"worker_stages:{kind}" for n, kind in FAKES.items()}}
    monkeypatch.setattr(registry, "STAGES", MappingProxyType(places))

    def apart(
        profile: object, state: object, stage: Stage, settings: Mapping[str, Any]
    ) -> WorkerStage:
        own = {key: value for key, value in settings.items() if key not in registry.RUNNING}
        return WorkerStage(stage, {"class": places[stage.name], "settings": own})

    monkeypatch.setattr(wiring_stages, "_apart", apart)


def told(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_stage_alone_tells_what_it_sees(library: Path, capsys: Capture) -> None:
    photo = library / "Mill" / "IMG_0.jpg"
    assert run(["stage", "run", "pixels", str(photo)]) == 0
    first, *said = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{photo}  pixels@")
    assert first.endswith(" s to decode")
    assert any(line.split()[:2] == ["measure", "quality"] for line in said)
    assert run(["stage", "run", "pixels", str(photo), "--json"]) == 0
    (look,) = told(capsys)
    assert (look["event"], look["path"]) == ("look", photo.as_posix())
    kinds = {one["kind"] for one in look["observations"]}
    assert "measure" in kinds
    assert not list((library.parent / "state").rglob("*.sqlite3"))


def test_one_stage_alone_goes_on_after_a_file_that_fails(
    library: Path, capsys: Capture, models: None
) -> None:
    files = [str(library / place / "IMG_0.jpg") for place in ("Broken", "Mill")]
    assert run(["stage", "run", "florence", *files, "--json"]) == 3
    problem, look = told(capsys)
    assert (problem["slug"], look["observations"][0]["label"]) == ("stage-failed", "rust")
    assert "SIGSEGV" in problem["what"]


def test_what_is_no_photo_or_no_stage_is_refused(library: Path, capsys: Capture) -> None:
    (library / "notes.txt").write_text("x")
    assert run(["stage", "run", "pixels", str(library / "notes.txt")]) == 2
    assert run(["stage", "run", "pixels", str(library / "gone.jpg")]) == 2
    assert run(["stage", "run", "pixel", str(library / "Mill" / "IMG_0.jpg")]) == 2
    said = capsys.readouterr().err
    assert "is no photo" in said
    assert "is not there" in said
    assert "did you mean pixels?" in said


def test_the_list_says_which_are_in_the_profile_and_what_is_lacking(
    capsys: Capture, models: None
) -> None:
    assert run(["stage", "list", "--json", "--stages", "camera,siglip"]) == 0
    listed = {each["name"]: each for each in told(capsys)}
    assert [name for name, each in listed.items() if each["listed"]] == ["camera", "siglip"]
    assert listed["camera"]["ready"]
    assert not listed["siglip"]["ready"]
    assert "pip install 'urbexmp[onnx]'" in listed["siglip"]["lacks"]


FALLBACK = ("--stages", "place,florence,ram", "--set", "stage.ram.instead_of=florence")


def test_where_florence_crashes_ram_looks_and_the_run_says_so(
    library: Path, capsys: Capture, models: None
) -> None:
    assert run(["sync", str(library), *FALLBACK]) == 0
    said = capsys.readouterr()
    reason = "florence failed (its process crashed with SIGSEGV (allocator: no room))"
    assert f"{reason}; ram looked instead: 2 photos" in " ".join(said.out.split())
    for place, keyword in (("Mill", "Rust"), ("Broken", "Peeling")):
        assert run(["keyword", "list", str(library / place / "IMG_0.jpg")]) == 0
        assert keyword.lower() in capsys.readouterr().out.lower()
    assert run(["sync", str(library), *FALLBACK, "--json"]) == 0
    end = told(capsys)[-1]
    assert (end["changed"], end["stage_looks"], end["fallen"]) == (0, {}, {})


def test_without_ram_the_photo_fails_and_waits_or_is_done_without(
    library: Path, capsys: Capture, models: None
) -> None:
    alone = ("--stages", "place,florence", "--json")
    assert run(["sync", str(library), *alone]) == 3
    end = told(capsys)[-1]
    assert (end["failed"], end["changed"]) == (2, 2)
    assert run(["status", str(library)]) == 0
    assert "stage florence failed" in capsys.readouterr().out
    assert run(["sync", str(library), *alone, "--set", "without=skip", "--again"]) == 0
    (sentence,) = told(capsys)[-1]["fallen"]
    assert sentence.endswith("went on without it")


def test_a_photo_done_without_a_stage_is_taken_up_again_three_times(
    library: Path, capsys: Capture, models: None
) -> None:
    skips = ("--stages", "place,florence", "--json", "--set", "without=skip")
    told_of = []
    for _ in range(6):
        assert run(["sync", str(library), *skips]) == 0
        end = told(capsys)[-1]
        told_of.append(sum(end["fallen"].values()))
        if len(told_of) > 1:
            assert (end["changed"], end["stage_looks"]) == (0, {})
    assert told_of == [2, 2, 2, 2, 0, 0]
    assert run(["status", str(library)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "florence failed (its process crashed with SIGSEGV" in said
    assert "4 tries, next when it changes, or `urbexmp sync --again` asks" in said
    assert run(["sync", str(library), *skips, "--again"]) == 0
    assert sum(told(capsys)[-1]["fallen"].values()) == 2


def test_a_stage_that_can_look_again_does_so_in_the_next_plain_run(
    library: Path, capsys: Capture, models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    skips = ("--stages", "place,florence", "--json", "--set", "without=skip")
    assert run(["sync", str(library), *skips]) == 0
    places = {**registry.STAGES, "florence": "worker_stages:Ram"}
    monkeypatch.setattr(registry, "STAGES", MappingProxyType(places))
    monkeypatch.setattr("worker_stages.Ram.name", "florence")
    monkeypatch.setattr(wiring_stages, "_apart", lambda profile, state, stage, settings: stage)
    capsys.readouterr()
    assert run(["sync", str(library), *skips]) == 0
    end = told(capsys)[-1]
    assert (end["changed"], end["stage_looks"], end["fallen"]) == (2, {"florence": 2}, {})
    assert run(["status", str(library)]) == 0
    assert "Nothing waits." in capsys.readouterr().out
    assert run(["sync", str(library), *skips]) == 0
    assert told(capsys)[-1]["unchanged"] == 4


def test_a_missing_package_stops_the_run_or_is_skipped_aloud(
    library: Path, capsys: Capture, models: None
) -> None:
    stages = ("--stages", "camera,siglip")
    assert run(["sync", str(library), *stages]) == 52
    said = capsys.readouterr().err
    assert "stage siglip needs the package onnxruntime" in said
    assert "pip install 'urbexmp[onnx]'" in said
    assert not list(library.rglob("*.xmp"))
    assert run(["sync", str(library), *stages, "--set", "without=skip"]) == 0
    assert "siglip did not look: stage siglip needs" in " ".join(capsys.readouterr().out.split())
    assert run(["sync", str(library), *stages, "--set", "optional=siglip", "--again"]) == 0
    assert "siglip" not in capsys.readouterr().out
    assert run(["doctor", str(library), *stages]) == 1
    assert "BAD   stage" in capsys.readouterr().out


def test_a_page_a_report_and_the_state_of_a_library_say_which_stages_do_not_look(
    library: Path,
    capsys: Capture,
    models: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stages = ("--stages", "place,siglip,florence", "--set", "without=skip")
    lacks = "siglip did not look: stage siglip needs the package onnxruntime"
    fell = "florence failed (its process crashed with SIGSEGV"
    page = tmp_path / "page.html"
    assert run(["diff", str(library), *stages, "-f", "html", "-o", str(page)]) == 0
    assert lacks in page.read_text()
    assert fell in page.read_text()
    assert run(["sync", str(library), *stages, "--report", str(tmp_path / "reports")]) == 0
    (summary,) = (tmp_path / "reports").glob("*/summary.md")
    assert lacks in summary.read_text()
    assert fell in summary.read_text()
    capsys.readouterr()
    (tmp_path / "mine.toml").write_text('stages = ["place", "siglip"]\nwithout = "skip"\n')
    monkeypatch.delenv("URBEXMP_STAGES", raising=False)
    monkeypatch.setenv("URBEXMP_PROFILE", str(tmp_path / "mine.toml"))
    for command in ("status", "stats"):
        assert run([command, str(library)]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "siglip does not look: stage siglip needs the package onnxruntime" in said
        assert "pip install 'urbexmp[onnx]'" in said
        assert ("florence failed" in said) == (command == "status")


def test_several_missing_things_are_named_together(
    library: Path, capsys: Capture, models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {**registry.STAGES, "ram": "worker_stages:UnreadyToo"}
    monkeypatch.setattr(registry, "STAGES", MappingProxyType(places))
    assert run(["sync", str(library), "--stages", "siglip,ram"]) == 64
    said = capsys.readouterr().err
    assert said.count("pip install 'urbexmp[onnx]'") == 2
    assert "--set without=skip" in said


def test_retag_has_one_stage_look_again(library: Path, capsys: Capture) -> None:
    assert run(["sync", str(library), "-q"]) == 0
    for words, looked in (
        (("--retag", "pixels", str(library)), {"pixels": 4}),
        (("--retag", str(library)), {"camera": 4, "pixels": 4, "place": 4}),
        ((str(library), "--retag"), {"camera": 4, "pixels": 4, "place": 4}),
        (("--retag", "camera,place", str(library)), {"camera": 4, "place": 4}),
    ):
        capsys.readouterr()
        assert run(["sync", "--json", *words]) == 0
        assert told(capsys)[-1]["stage_looks"] == looked
    assert run(["sync", "--retag", "ram", str(library)]) == 2
    assert "ram is no stage of the profile" in capsys.readouterr().err


def test_the_looks_of_a_replaced_stage_are_compared(
    library: Path, capsys: Capture, models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(library / "Broken")
    one = ("--stages", "florence", "--set", "stage.florence.version=one", "-q")
    assert run(["sync", str(library), *one]) == 0
    places = {**registry.STAGES, "florence": "worker_stages:Ram"}
    monkeypatch.setattr(registry, "STAGES", MappingProxyType(places))
    monkeypatch.setattr("worker_stages.Ram.name", "florence")
    monkeypatch.setattr(wiring_stages, "_apart", lambda profile, state, stage, settings: stage)
    assert run(["sync", str(library), "--stages", "florence", "-q"]) == 0
    capsys.readouterr()
    assert run(["diff", str(library), "--between", "florence@one", "florence@1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Mill/IMG_0.jpg",
        "  + peeling paint  0.90",
        "  - rust  0.90",
        "Mill/IMG_1.jpg",
        "  + peeling paint  0.90",
        "  - rust  0.90",
        "2 photos seen by both, 2 differently.",
        "  + peeling paint (2)",
        "  - rust (2)",
    ]
    between = ["diff", str(library), "--between", "florence@one", "florence@one", "-f", "json"]
    assert run(between) == 0
    assert told(capsys)[-1]["differing"] == 0
    assert run(["diff", str(library), "--between", "florence@", "florence@1"]) == 2
    assert "Kept are florence@one (2 photos), florence@1 (2 photos)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("stage.ram.mode=sometimes", "must be one of fallback, beside, alone"),
        ("stage.ram.mode=fallback", "needs instead_of"),
        ("stage.ram.instead_of=ram", "must be the name of another stage"),
        ("stage.florence.instead_of=ram", "must come after it"),
        ("stage.camera.timeout=3", "unknown setting"),
        ("stage.ram.timeout=0", "must lie between"),
        ("stage.ram.colour=red", "unknown setting"),
    ],
)
def test_what_makes_no_sense_about_a_stage_is_a_mistake(
    library: Path, capsys: Capture, models: None, setting: str, said: str
) -> None:
    stages = ("--stages", "camera,florence,ram")
    assert run(["sync", "-n", str(library), *stages, "--set", setting]) == 2
    assert said in capsys.readouterr().err


def test_alone_and_beside(library: Path, capsys: Capture, models: None) -> None:
    shutil.rmtree(library / "Broken")
    for mode, looked in (("beside", {"florence", "ram"}), ("alone", {"ram"})):
        words = ("-n", "--json", *FALLBACK, "--set", f"stage.ram.mode={mode}", "--retag")
        assert run(["sync", str(library), *words]) == 0
        end = told(capsys)[-1]
        assert set(end["stage_looks"]) == {"place", *looked}


def test_every_stage_that_a_profile_may_name_is_known_to_the_registry() -> None:
    assert set(registry.STAGES) <= set(profile_keys.STAGES)


def test_scores_of_single_words_of_a_caption_are_not_for_people() -> None:
    from urbexmp.model.observation import Observation, ObservationKind, StageLook
    from urbexmp.rules.florence_says import WORD_SCORES
    from urbexmp.rules.render import plain
    from urbexmp.rules.render_stage import look_data, look_lines

    caption = Observation(ObservationKind.CAPTION, "caption", 0.8, "a rusty bed", "caption")
    scores = Observation(ObservationKind.PRIOR, WORD_SCORES, None, "90 80 70", "caption")
    look = StageLook("florence@12", (caption, scores), 1.0)
    shown = "\n".join(plain(line) for line in look_lines(Path("a.jpg"), look, 0.1))
    assert "a rusty bed" in shown
    assert WORD_SCORES not in shown
    assert len(look_data(Path("a.jpg"), look, 0.1)["observations"]) == 2, "a program gets all"
