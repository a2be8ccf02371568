"""A disk that is full between the two carriers of a photo, by the command that a person runs.

The sidecar is small and comes first, the image file is large and comes second: a disk with room for
one and not for the other must be left with neither.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from embed_files import exif, jpeg, packet, xmp
from faults.full_disk import small_disk
from urbexmp.adapters.embedded import store as storing
from urbexmp.cli.main import run

Full = Callable[[], AbstractContextManager[None]]
Capture = pytest.CaptureFixture[str]
DATA = jpeg(exif(), xmp(packet(padding=0)), trailer=b"picture " * 25_000)
ROOM = 64 * 1024
"""Bytes: more than a sidecar takes, less than the image file."""


def photo_in(folder: Path) -> Path:
    path = folder / "library" / "Old Hospital" / "IMG_1.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    return path


@pytest.fixture(params=["mounted", "played"])
def scene(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, Full]]:
    """A photo, and what makes its disk full; the state lies elsewhere and has room."""
    monkeypatch.setenv("URBEXMP_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    if request.param == "mounted":
        with small_disk(tmp_path / "small") as disk:
            if not disk.mounted:
                pytest.skip("mounting a small disk is not allowed here")
            yield photo_in(disk.folder), lambda: disk.full(ROOM)
        return

    @contextmanager
    def full() -> Iterator[None]:
        def no_room(_source: Path, _splices: object, temp: Path, *_: object) -> int:
            temp.write_bytes(DATA[:ROOM])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patched:
            patched.setattr(storing, "rewrite", no_room)
            yield

    yield photo_in(tmp_path), full


def end(capsys: Capture, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    code = run([*words, "--json"])
    last: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["exit_code"] == code
    return last


def test_both_carriers_or_neither(scene: tuple[Path, Full], capsys: Capture) -> None:
    path, full = scene
    library, folder = str(path.parent.parent), path.parent
    before = path.stat().st_mtime_ns
    with full():
        told = end(capsys, "sync", library)
        assert (told["changed"], told["failed"]) == (0, 1)
        assert told["exit_code"] != 0
        assert path.read_bytes() == DATA
        assert path.stat().st_mtime_ns == before
        assert [each.name for each in folder.iterdir()] == ["IMG_1.jpg"]
        run(["sync", library])
        said = capsys.readouterr()
        assert "Free space on its volume" in said.out + said.err
    told = end(capsys, "sync", library)
    assert (told["changed"], told["failed"]) == (1, 0)
    assert b"Hospital" in path.read_bytes()
    assert b"Hospital" in (folder / "IMG_1.jpg.xmp").read_bytes()
    assert path.read_bytes().endswith(b"picture " * 100)
    assert end(capsys, "undo", "--in", library, "--yes")["failed"] == 0
    assert path.read_bytes() == DATA
    assert [each.name for each in folder.iterdir()] == ["IMG_1.jpg"]
