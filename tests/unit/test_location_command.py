"""`urbexmp location`: what is known of a place, what may be added, and writing it down."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from unit.words_examples import CHECKOUT, urbex
from urbexmp.cli.main import run
from urbexmp.model.observation import CaptureFacts
from urbexmp.rules.location import Known, suggested

MILL = "2024-05-11 Riverside Paper Mill"


@pytest.fixture
def mill(tmp_path: Path) -> Path:
    shutil.copytree(CHECKOUT / "samples" / "photos" / MILL, tmp_path / MILL)
    return tmp_path / MILL


def call(*args: object) -> int:
    return run([str(arg) for arg in args])


def test_a_place_is_suggested_written_and_shown(
    mill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = mill.parent / "state"
    assert call("location", "suggest", mill, "--write", "--state", state) == 0
    said = (mill / "location.toml").read_text()
    assert 'name = "Riverside Paper Mill"' in said
    assert 'type = "paper mill"' in said
    capsys.readouterr()
    assert call("location", "suggest", mill, "--state", state) == 0
    assert "Neither the name" in capsys.readouterr().out
    assert call("location", "show", mill, "--json", "--state", state) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = {row["key"]: row["value"] for row in rows if row["origin"].endswith(".toml")}
    assert told == {"name": "Riverside Paper Mill", "type": "paper mill"}


def test_comments_and_order_stay_when_a_value_is_set(mill: Path) -> None:
    file = mill / "location.toml"
    file.write_text(
        "# The mill by the river.\r\nname = 'Mill'  # as on maps\r\ncity = \"Leeds\"\r\n"
    )
    assert call("location", "set", mill, "era=1890s", "name=Old Mill", "city=") == 0
    text = file.read_bytes().decode()
    assert text.startswith("# The mill by the river.\r\n")
    assert '"Old Mill"  # as on maps' in text
    assert "Leeds" not in text
    assert 'era = "1890s"' in text


def test_keywords_of_a_place_reach_its_photos(
    mill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = mill.parent / "state"
    assert call("location", "set", mill, "keywords=Trips|Mill, Favourite") == 0
    assert call("sync", "--dry-run", "--state", state, mill) == 0
    assert "Trips|Mill" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("foo=1", "no such key"),
        ("name", "write KEY=VALUE"),
        ("keywords=a||b", "Lightroom would not take it"),
    ],
)
def test_mistakes_are_said_and_nothing_is_written(
    mill: Path, capsys: pytest.CaptureFixture[str], given: str, said: str
) -> None:
    assert call("location", "set", mill, given) == 2
    assert said in capsys.readouterr().err
    assert not (mill / "location.toml").exists()


def test_a_damaged_file_is_not_replaced(mill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = mill / "location.toml"
    file.write_text("name = \n")
    assert call("location", "set", mill, "era=1890s") == 2
    assert file.read_text() == "name = \n"
    assert "location.toml" in capsys.readouterr().err


def test_an_unknown_sort_of_place_is_told(mill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("location", "set", mill, "type=asilum") == 0
    assert "did you mean" in capsys.readouterr().out


def facts(*cities: str | None) -> list[CaptureFacts]:
    return [CaptureFacts(city=city) for city in cities]


def test_only_what_most_photos_agree_on_is_suggested() -> None:
    def cities(*said: str | None) -> list[str]:
        found = suggested("x", facts(*said), (), urbex())
        return [each.value for each in found if each.key == "city"]

    assert cities("Leeds", "Leeds", None, "York") == ["Leeds"]
    assert cities("Leeds", "York") == []
    assert cities(None, None) == []


def test_what_a_file_says_is_not_suggested_again() -> None:
    known = (Known("city", "Bradford", "location.toml"),)
    assert suggested("x", facts("Leeds"), known, urbex()) == ()


def test_a_date_is_no_part_of_a_name() -> None:
    for folder in ("2024-05-11 Paper Mill", "20240511_Paper Mill", "2024 Paper Mill", "Paper Mill"):
        names = [each.value for each in suggested(folder, (), (), urbex()) if each.key == "name"]
        assert names == ["Paper Mill"]
