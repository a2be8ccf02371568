"""`urbexmp library`: listing what is known, and giving a library up without touching a photo."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.adapters.lock import FileLock
from urbexmp.app import library_root, state_paths
from urbexmp.cli.main import run

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("clean_home")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("URBEXMP_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def library(tmp_path: Path, state: Path, capsys: Capture) -> Path:
    folder = tmp_path / "photos" / "Old Hospital"
    folder.mkdir(parents=True)
    for number in range(2):
        picture = Image.radial_gradient("L").resize((320 + number, 240))
        picture.convert("RGB").save(folder / f"IMG_{number}.JPG")
    assert run(["sync", str(tmp_path / "photos")]) == 0
    capsys.readouterr()
    return tmp_path / "photos"


def said(capsys: Capture, *args: object, code: int = 0) -> tuple[str, str]:
    assert run([str(arg) for arg in args]) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return out, err


def told(capsys: Capture, *args: object, code: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said(capsys, *args, "--json", code=code)[0].splitlines()]


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))  # of a reader, too
    }


def one_keyword(capsys: Capture, library: Path) -> tuple[str, Path]:
    first = told(capsys, "keyword", "list", library)[0]
    return first["keyword"], library / first["path"]


def test_nothing_is_known_at_first(state: Path, capsys: Capture) -> None:
    assert "No library is known yet" in said(capsys, "library", "list")[0]
    assert told(capsys, "library", "list") == []
    assert not state.exists()


def test_libraries_are_listed_with_photos_and_last_run(library: Path, capsys: Capture) -> None:
    (found,) = told(capsys, "library", "list")
    assert (found["root"], found["there"], found["photos"]) == (library.as_posix(), True, 2)
    assert found["last_run"]
    assert found["trouble"] == ""
    line = said(capsys, "library", "list")[0].splitlines()[1]
    assert line.startswith(str(library))
    assert " 2 " in line


def test_a_library_is_found_without_its_mirror_and_when_its_photos_are_gone(
    library: Path, state: Path, capsys: Capture
) -> None:
    state_paths(library, state).mirror.unlink()
    shutil.rmtree(library)
    (found,) = told(capsys, "library", "list")
    assert (found["root"], found["there"]) == (library.as_posix(), False)
    assert "not there" in said(capsys, "library", "list")[0]


def test_a_damaged_ledger_is_listed_and_can_be_given_up(
    library: Path, state: Path, capsys: Capture
) -> None:
    paths = state_paths(library, state)
    paths.ledger.write_bytes(b"no database at all" * 500)
    (found,) = told(capsys, "library", "list")
    assert (found["root"], bool(found["trouble"])) == (library.as_posix(), True)
    assert "cannot be read" in said(capsys, "library", "list")[0]
    assert "cannot be told" in said(capsys, "library", "forget", library, "--yes")[0]
    assert not paths.folder.exists()


def test_forgetting_moves_the_state_aside_and_no_photo_changes(
    library: Path, state: Path, capsys: Capture
) -> None:
    before, kept = content(library), content(state_paths(library, state).folder)
    (done,) = told(capsys, "library", "forget", library, "--yes")
    assert (done["done"], done["deleted"], done["runs"]) == (True, False, 1)
    assert content(library) == before
    aside = content(Path(done["moved_to"]))
    assert {name: aside[name] for name in kept if name.startswith("backups/")} == {
        name: digest for name, digest in kept.items() if name.startswith("backups/")
    }
    assert told(capsys, "library", "list") == []
    assert library_root(library / "Old Hospital", state) == library / "Old Hospital"
    # Moved back, everything is as it was.
    Path(done["moved_to"]).rename(state_paths(library, state).folder)
    assert told(capsys, "library", "list")[0]["photos"] == 2
    said(capsys, "undo", "--in", library, "--yes")
    assert content(library) != before


def test_a_folder_below_becomes_a_library_of_its_own_then_and_nothing_is_written(
    library: Path, state: Path, capsys: Capture
) -> None:
    said(capsys, "library", "forget", library, "--yes")
    before = content(library)
    said(capsys, "sync", library / "Old Hospital")
    assert content(library) == before
    assert told(capsys, "library", "list")[0]["root"] == (library / "Old Hospital").as_posix()


def test_deleting_leaves_nothing_of_the_state_and_every_photo(
    library: Path, state: Path, capsys: Capture
) -> None:
    before = content(library)
    out, _ = said(capsys, "library", "forget", library, "--yes", "--delete")
    assert "1 run could no longer be taken back" in out
    assert content(library) == before
    assert content(state) == {}


def test_a_dry_run_and_nobody_to_ask_leave_everything(
    library: Path, state: Path, capsys: Capture
) -> None:
    before = content(state)
    (shown,) = told(capsys, "library", "forget", library, "--dry-run")
    assert (shown["done"], shown["runs"]) == (False, 1)
    assert content(state) == before
    _, err = said(capsys, "library", "forget", library, code=2)
    assert "nobody to ask" in err
    assert state_paths(library, state).ledger.exists()


def test_a_library_that_is_being_written_is_not_forgotten(
    library: Path, state: Path, capsys: Capture
) -> None:
    paths = state_paths(library, state)
    with FileLock(paths.lock):
        code = run(["library", "forget", str(library), "--yes"])
    assert code not in (0, 2, 3)
    assert paths.ledger.exists()


def test_only_vetoes_that_no_packet_holds_are_lost(
    library: Path, state: Path, capsys: Capture
) -> None:
    keyword, photo = one_keyword(capsys, library)
    said(capsys, "keyword", "remove", keyword, photo)
    assert told(capsys, "library", "forget", library, "-n")[0]["vetoes"] == 0
    # As if the packet had lost our block since.
    with sqlite3.connect(state_paths(library, state).mirror) as mirror:
        mirror.execute("DELETE FROM veto")
    mirror.close()
    assert told(capsys, "library", "forget", library, "-n")[0]["vetoes"] == 1


def test_what_was_taken_away_stays_away_after_forgetting(
    library: Path, state: Path, capsys: Capture
) -> None:
    keyword, photo = one_keyword(capsys, library)
    said(capsys, "keyword", "remove", keyword, photo)
    said(capsys, "library", "forget", library, "--yes", "--delete")
    said(capsys, "sync", library)
    standing = {
        (one["keyword"], one["source"])
        for one in told(capsys, "keyword", "list", library)
        if library / one["path"] == photo
    }
    assert (keyword, "vetoed") in standing
    assert (keyword, "ai") not in standing


@pytest.mark.parametrize("named", ["Old Hospital", "elsewhere"])
def test_only_a_library_can_be_forgotten(library: Path, named: str, capsys: Capture) -> None:
    _, err = said(capsys, "library", "forget", library / named, "--yes", code=2)
    assert (f"lies in {library}" if named == "Old Hospital" else "lies in") in err
    assert len(told(capsys, "library", "list")) == 1
