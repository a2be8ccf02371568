"""The profile commands: values, origins, and files of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run
from urbexmp.cli.options import Choices, load

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("clean_home")


# --- Profiles -------------------------------------------------------------------------------


def test_profile_set_copies_the_shipped_one_and_keeps_its_comments(
    capsys: Capture, tmp_path: Path
) -> None:
    assert run(["profile", "set", "threshold", "0.6"]) == 0
    own = tmp_path / "config" / "profiles" / "offline.toml"
    assert "threshold = 0.6" in own.read_text(encoding="utf-8")
    assert "# Most keywords suggested for one photo." in own.read_text(encoding="utf-8")
    assert run(["profile", "path"]) == 0
    assert run(["profile", "set", "workers", "many"]) == 2
    capsys.readouterr()
    assert run(["profile", "show", "--json", "--max-keywords", "7"]) == 0
    told = {d["key"]: d for d in map(json.loads, capsys.readouterr().out.splitlines())}
    assert told["threshold"]["value"] == "0.6"
    assert told["threshold"]["origin"].startswith("profile offline.toml:")
    assert told["max_keywords"] == {
        "event": "setting",
        "key": "max_keywords",
        "value": "7",
        "origin": "flag --max-keywords",
    }


def test_profile_set_into_a_file_of_ones_own_changes_that_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("# mine\nthreshold = 0.7 # high\n", encoding="utf-8")
    assert run(["profile", "set", "-p", str(mine), "stage.pixels.size", "256"]) == 0
    assert mine.read_text(encoding="utf-8").startswith("# mine\nthreshold = 0.7 # high\n")
    settings = load(Choices(profile=str(mine)))
    assert settings.profile.name == "mine"
    assert settings.profile.stage_settings["pixels"]["size"] == 256


def test_a_value_that_would_spoil_the_profile_is_not_written(
    tmp_path: Path, capsys: Capture
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("threshold = 0.5\n", encoding="utf-8")
    assert run(["profile", "set", "-p", str(mine), "ask_from", "0.9"]) == 2
    assert "must be at most the threshold" in capsys.readouterr().err
    assert mine.read_text(encoding="utf-8") == "threshold = 0.5\n"


def test_an_unknown_profile_is_told_with_a_guess(capsys: Capture) -> None:
    assert run(["profile", "show", "oflin"]) == 2
    assert "did you mean offline?" in capsys.readouterr().err


def test_paths_in_a_profile_are_meant_from_its_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('taxonomy = "my/words.toml"\n', encoding="utf-8")
    assert load(Choices(profile=str(mine))).profile.taxonomy == str(tmp_path / "my/words.toml")


def test_profiles_are_listed(capsys: Capture) -> None:
    assert run(["profile", "list"]) == 0
    assert "*  offline   shipped" in capsys.readouterr().out
