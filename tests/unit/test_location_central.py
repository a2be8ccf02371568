"""`locations.toml`: the places of a library in one file, beside a `location.toml` in a folder."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import NamedTuple

import pytest

from unit.test_vlm_sync import NAMES, Library
from unit.words_examples import urbex
from urbexmp.adapters.places import FolderPlaces
from urbexmp.cli.main import run
from urbexmp.model.observation import CaptureFacts
from urbexmp.model.photo import FileKind, FileStat, Photo
from vlm_server import VlmDouble, words_of

CENTRAL = """# my places
["."]
country = "USA"      # all of it

# the mill
["Mills/Riverside"]
name = "Riverside Paper Mill"
type = "paper mill"
era = "1890s"
keywords = ["Trips|2024"]
"""


class Done(NamedTuple):
    exit_code: int
    output: str


@pytest.fixture(autouse=True)
def no_choice_of_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("URBEXMP_STAGES", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A library with a mill, that was synced once."""
    root = tmp_path / "photos"
    (root / "Mills" / "Riverside" / "hall").mkdir(parents=True)
    (root / "Mills" / "Upstream").mkdir()
    (root / "locations.toml").write_text(CENTRAL)
    assert command(tmp_path, "sync", str(root)).exit_code == 0
    return root


def command(home: Path, *given: str) -> Done:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = run([*given, "--state", str(home / "st"), "--no-color"])
    return Done(code, told.getvalue())


def context(root: Path, folder: str, places: FolderPlaces | None = None):  # type: ignore[no-untyped-def]
    photo = Photo(root / folder / "a.JPG", FileKind.JPEG, FileStat(1, 1, 1), (), ())
    return (places or FolderPlaces(urbex())).context(photo, root, CaptureFacts())


def test_a_section_holds_for_its_folder_and_all_below(root: Path) -> None:
    for folder in ("Mills/Riverside", "Mills/Riverside/hall"):
        found = context(root, folder)
        assert (found.name, found.place_type, found.country) == (
            *("Riverside Paper Mill", "paper mill", "USA"),
        )
        assert found.keywords == ("Trips|2024",)
    other = context(root, "Mills/Upstream")
    assert (other.name, other.country) == (None, "USA")


def test_the_nearest_folder_goes_first_and_its_own_file_before_its_section(root: Path) -> None:
    (root / "Mills" / "location.toml").write_text('era = "1700s"\ncity = "Lowell"\n')
    (root / "Mills" / "Riverside" / "location.toml").write_text('name = "The Mill"\n')
    found = context(root, "Mills/Riverside/hall")
    assert found.name == "The Mill"  # its own file, before the section
    assert found.era == "1890s"  # the section is nearer than the folder above
    assert found.city == "Lowell"


def test_a_change_is_seen_and_plans_those_photos_again(root: Path) -> None:
    places = FolderPlaces(urbex())
    mill, other = root / "Mills" / "Riverside", root / "Mills" / "Upstream"
    before = places.version(mill, root), places.version(other, root)
    (root / "locations.toml").write_text(CENTRAL.replace("1890s", "1880s and later"))
    after = places.version(mill, root), places.version(other, root)
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert context(root, "Mills/Riverside", places).era == "1880s and later"
    (root / "locations.toml").unlink()
    assert places.version(mill, root) == ""


def test_a_section_with_a_mistake_is_left_out_and_the_others_stay(root: Path) -> None:
    wrong = CENTRAL + '["Mills/Upstream"]\nnmae = "x"\n'
    (root / "locations.toml").write_text('stray = "x"\n' + wrong)
    places = FolderPlaces(urbex())
    assert context(root, "Mills/Riverside", places).name == "Riverside Paper Mill"
    assert context(root, "Mills/Upstream", places).country == "USA"
    (problem,) = places.take_problems()
    assert "line 13: unknown key `nmae` (did you mean `name`?)" in str(problem)
    assert "line 1: `stray` stands in no section" in str(problem)
    assert "Its sections without a mistake are used" in str(problem)
    assert places.take_problems() == ()
    (root / "locations.toml").write_text("[")
    assert context(root, "Mills/Riverside", places).country is None
    assert len(places.take_problems()) == 1


@pytest.mark.parametrize("name", ["Mills/Riverside/", "./Mills/Riverside", r"Mills\\Riverside"])
def test_a_folder_may_be_spelled_in_other_ways(root: Path, name: str) -> None:
    (root / "locations.toml").write_text(CENTRAL.replace("Mills/Riverside", name))
    assert context(root, "Mills/Riverside").name == "Riverside Paper Mill"


def test_show_says_where_each_word_stands(root: Path) -> None:
    done = command(root.parent, "location", "show", str(root / "Mills" / "Riverside"))
    assert "locations.toml [Mills/Riverside]" in done.output
    assert "locations.toml [.]" in done.output


def test_set_changes_the_section_where_there_is_one_and_keeps_comments(root: Path) -> None:
    folder = root / "Mills" / "Riverside"
    done = command(root.parent, "location", "set", str(folder), "era=1900s", "keywords=")
    assert done.exit_code == 0, done.output
    text = (root / "locations.toml").read_text()
    assert text == CENTRAL.replace("1890s", "1900s").replace('keywords = ["Trips|2024"]\n', "")
    assert not (folder / "location.toml").exists()
    assert "Of the stages only place look again" in done.output


def test_set_writes_a_folders_own_file_unless_the_central_one_is_meant(root: Path) -> None:
    folder = root / "Mills" / "Upstream"
    assert command(root.parent, "location", "set", str(folder), "type=mill").exit_code == 0
    assert (folder / "location.toml").read_text() == 'type = "mill"\n'
    done = command(root.parent, "location", "set", "--central", str(folder), "type=brewery")
    assert "says otherwise of type, and goes before it" in done.output
    assert (root / "locations.toml").read_text().startswith(CENTRAL)
    assert '["Mills/Upstream"]\ntype = "brewery"' in (root / "locations.toml").read_text()
    own = command(root.parent, "location", "set", "--own", str(root / "Mills"), "city=Lowell")
    assert own.exit_code == 0
    assert context(root, "Mills/Upstream").city == "Lowell"


def test_set_leaves_a_file_with_a_mistake_alone(root: Path) -> None:
    wrong = CENTRAL + '["Mills/Upstream"]\nnmae = "x"\n'
    (root / "locations.toml").write_text(wrong)
    done = command(root.parent, "location", "set", "--central", str(root / "Mills"), "era=1800s")
    assert done.exit_code == 2
    assert (root / "locations.toml").read_text() == wrong


def test_set_with_retag_asks_only_those_who_are_told_of_places(tmp_path: Path) -> None:
    with VlmDouble() as double:
        library = Library(tmp_path, double)
        library.add(*NAMES[:2])
        assert library.run().exit_code == 0
        assert len(double.requests) == 2
        given = ["location", "set", str(library.photos), "name=St Agnes", "type=hospital"]
        profile = ["-p", str(library.profile)]
        done = command(tmp_path, *given, *profile)
        assert "Of the stages only place and vlm look again" in done.output
        assert len(double.requests) == 2
        done = command(tmp_path, *given[:3], "era=1920s", "--retag", *profile)
        assert done.exit_code == 0, done.output
        assert len(double.requests) == 4
        assert "St Agnes" in words_of(double.requests[-1])
        assert "1920s" in words_of(double.requests[-1])
        assert command(tmp_path, *given, "--retag", *profile).exit_code == 0
        command(tmp_path, *given[:3], "when=manual", "--retag", *profile)
        assert len(double.requests) == 4  # when it is asked is no other question
