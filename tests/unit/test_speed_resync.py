"""A run over an archive where nothing changed: what it skips, and that it never skips too much."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import urbexmp
from urbexmp.adapters.walk import FolderWalker
from urbexmp.app import open_house
from urbexmp.drivers.house import House
from urbexmp.drivers.scan import Found, tasks
from urbexmp.model.errors import Problem
from urbexmp.model.ledger import KnownFile
from urbexmp.model.photo import PhotoId
from urbexmp.model.profile import Profile, Settings

LONG_AGO = 1_600_000_000


@contextmanager
def opened(root: Path, state: Path, profile: Profile | None = None) -> Iterator[House]:
    chosen = profile or Profile(stages=())
    with open_house(root, Settings(chosen, {}), state=state, writing=True) as house:
        yield house


def put(path: Path, content: str, at: float = LONG_AGO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (at, at))
    return path


def settle_all(house: House) -> int:
    """Deal with everything as `sync` does where nothing has to be written."""
    done = 0
    for task in list(tasks(house, (house.root,), Found(), lambda _: None)):
        photo = task.photo
        known = KnownFile(photo.path, photo.stat, PhotoId("0" * 64), task.around, task.policy)
        house.ledger.settle((known,))
        done += 1
    return done


class Forgetful:
    """A ledger that remembers no folder as a whole."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def settled_folder(self, folder: Path) -> None:
        return None

    def settle_folder(self, settled: object) -> None:
        return None


def seen(house: House) -> tuple[object, ...]:
    """All that a pass finds out."""
    found, troubles = Found(), list[Problem]()
    work = list(tasks(house, (house.root,), found, troubles.append))
    return (
        found.photos,
        found.unchanged,
        dict(found.skipped),
        work,
        [str(problem) for problem in troubles],
    )


FOLDERS = st.sampled_from(("", "a", "a/b", "c"))
NAMES = st.sampled_from(
    (
        "1.cr3",
        "1.xmp",
        "1.jpg",
        "1.jpg.xmp",
        "2.cr3",
        "2.xmp",
        "2.CR3.xmp",
        "3.dng",
        "note.txt",
        ".h",
    )
)
CONTENTS = st.sampled_from(("", "x", "y", "longer"))
TIMES = st.sampled_from((LONG_AGO, LONG_AGO + 1, -5.0))
STEPS = st.one_of(
    st.tuples(st.just("write"), FOLDERS, NAMES, CONTENTS, TIMES),
    st.tuples(st.just("write now"), FOLDERS, NAMES, CONTENTS, TIMES),
    st.tuples(st.just("replace"), FOLDERS, NAMES, CONTENTS, TIMES),
    st.tuples(st.just("remove"), FOLDERS, NAMES, CONTENTS, TIMES),
    st.tuples(st.just("rename"), FOLDERS, NAMES, NAMES, TIMES),
    st.tuples(st.just("place"), FOLDERS, NAMES, CONTENTS, TIMES),
    st.tuples(st.just("settle"), FOLDERS, NAMES, CONTENTS, TIMES),
    st.tuples(st.just("forget"), FOLDERS, NAMES, CONTENTS, TIMES),
    st.tuples(st.just("policy"), FOLDERS, NAMES, CONTENTS, TIMES),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_with_and_without_the_shortcut_the_same_is_found(
    steps: list[tuple[str, str, str, str, float]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "library"
        put(root / "a" / "b" / "1.cr3", "x")
        put(root / "c" / "2.cr3", "x")
        put(root / "c" / "2.xmp", "x")
        policy = ""
        with opened(root, Path(name) / "state") as house:
            settle_all(house)
            for what, folder, file, other, at in steps:
                path = root / folder / file
                if what == "write":
                    put(path, other, at)
                elif what == "write now":
                    put(path, other, time.time())
                elif what == "replace":
                    put(root / folder / f"new-{file}.tmp", other, at).rename(path)
                elif what == "remove":
                    path.unlink(missing_ok=True)
                elif what == "rename" and path.exists():
                    path.rename(path.with_name(other))
                elif what == "place":
                    put(root / folder / "location.toml", f'name = "{other}"\n', at)
                elif what == "forget":
                    house.ledger.unsettle((path,))
                elif what == "policy":
                    policy = file
                now = replace(house, policy=policy)
                if what == "settle":
                    settle_all(now)
                slow = seen(replace(now, ledger=Forgetful(house.ledger)))
                assert seen(now) == slow
                assert seen(now) == slow


def test_a_folder_is_settled_once_every_photo_in_it_is(tmp_path: Path) -> None:
    root = tmp_path / "library"
    for name in ("1.cr3", "1.xmp", "2.cr3"):
        put(root / name, "x")
    with opened(root, tmp_path / "state") as house:
        assert settle_all(house) == 2
        assert house.ledger.settled_folder(root) is None
        seen(house)
        settled = house.ledger.settled_folder(root)
        assert settled is not None
        assert settled.photos == 2
        put(root / "2.xmp", "x")
        assert [task.photo.path.name for task in seen(house)[3]] == ["2.cr3"]  # type: ignore[attr-defined]
        settle_all(house)
        assert house.ledger.settled_folder(root) is None


def test_what_was_written_a_moment_ago_keeps_its_folder_from_being_settled(tmp_path: Path) -> None:
    """It could be written again within the same step of the clock, with the same size."""
    root = tmp_path / "library"
    put(root / "1.cr3", "x", time.time())
    with opened(root, tmp_path / "state") as house:
        settle_all(house)
        seen(house)
        assert house.ledger.settled_folder(root) is None
        put(root / "1.cr3", "x", time.time() + 3600)
        settle_all(house)
        seen(house)
        assert house.ledger.settled_folder(root) is None
        put(root / "1.cr3", "x", LONG_AGO)
        settle_all(house)
        seen(house)
        assert house.ledger.settled_folder(root) is not None


def test_a_folder_with_trouble_is_never_settled(tmp_path: Path) -> None:
    root = tmp_path / "library"
    put(root / "1.cr3", "x")
    put(root / "2.cr3", "x")
    put(root / "2.nef", "x")  # two raws, no sidecar: neither may have it
    with opened(root, tmp_path / "state") as house:
        settle_all(house)
        for _ in range(2):
            assert seen(house)[4]
            assert house.ledger.settled_folder(root) is None


@pytest.mark.parametrize(
    "changed",
    [
        lambda root: put(root / "1.cr3", "y", LONG_AGO + 1),
        lambda root: put(root / "1.cr3", "longer"),
        lambda root: put(root / "1.xmp", "x"),
        lambda root: (root / "1.cr3").rename(root / "2.cr3"),
        lambda root: put(root / "new", "x").rename(root / "1.cr3"),
        lambda root: put(root / "1.jpg", "x"),
    ],
    ids=["time", "size", "sidecar", "name", "inode", "companion"],
)
def test_every_change_of_a_file_changes_the_digest(tmp_path: Path, changed: Any) -> None:
    put(tmp_path / "1.cr3", "x")
    put(tmp_path / "notes.txt", "x")
    walker = FolderWalker()

    def digest() -> bytes:
        (listing,) = walker.folders((tmp_path,), lambda _: None)
        return listing.digest

    before = digest()
    put(tmp_path / "notes.txt", "something else")
    assert digest() == before != b""
    changed(tmp_path)
    assert digest() != before


def test_the_digest_is_the_same_however_the_folder_is_listed(tmp_path: Path) -> None:
    """Patterns to leave out make the walk look at single names; that says the same of the rest."""
    for name in ("1.cr3", "1.xmp", "é.jpg", "2.tiff"):
        put(tmp_path / name, "x")
    (at_once,) = FolderWalker().folders((tmp_path,), lambda _: None)
    (singly,) = FolderWalker(ignore=("never*",)).folders((tmp_path,), lambda _: None)
    assert at_once == singly
    assert at_once.digest


WATCHED = """
import json, os, sys
opened = []
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and not os.path.isdir(arguments[0]):
        opened.append(os.path.abspath(arguments[0]))
from urbexmp.cli.main import run
sys.addaudithook(note)
code = run(sys.argv[1:])
print(json.dumps([code, opened, sorted(name.partition(".")[0] for name in sys.modules)]))
"""


def test_a_run_that_has_nothing_to_do_opens_no_file_of_the_library(tmp_path: Path) -> None:
    root, state = tmp_path / "library", tmp_path / "state"
    for n in range(3):
        put(root / f"{n}" / "1.cr3", f"{n}")
        put(root / f"{n}" / "1.xmp", "x")
    given = {**os.environ, "PYTHONPATH": str(Path(urbexmp.__file__).parent.parent)}
    command = [sys.executable, "-c", WATCHED, "sync", str(root), "--state", str(state), "-q"]

    def ran() -> tuple[int, list[str], set[str]]:
        said = subprocess.run(command, capture_output=True, check=True, env=given).stdout
        code, files, modules = json.loads(said.splitlines()[-1])
        return code, [file for file in files if Path(file).is_relative_to(root)], set(modules)

    from urbexmp.cli.options import Choices, load

    with opened(root, state, load(Choices()).profile) as house:
        assert settle_all(house) == 3
    ran()  # builds the mirror of what was settled without it
    for _ in range(2):  # the first compares every photo, the second not even that
        code, files, modules = ran()
        assert (code, files) == (0, [])
        assert not modules & {"numpy", "PIL", "lxml", "exifread", "pyexiv2", "rawpy", "rich"}
    put(root / "1" / "1.xmp", "y", LONG_AGO + 1)
    code, files, _ = ran()
    assert code != 0  # that photo is no photo
    assert {Path(file).parent.name for file in files} == {"1"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs itself is asked")
@pytest.mark.parametrize("given", [None, "", "/somewhere/else", "  "])
def test_the_settings_folder_is_the_one_that_platformdirs_finds(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import platformdirs

    from urbexmp.adapters.dirs import config_folder

    monkeypatch.delenv("URBEXMP_CONFIG", raising=False)
    if given is None:
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CONFIG_HOME", given)
    expected = platformdirs.user_config_path("urbexmp", appauthor=False)
    assert config_folder(os.environ) == expected
