"""`sync` itself, killed with SIGKILL in the middle again and again, ends where it would have."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from urbexmp.adapters.xmp.codec import XmpCodec

TOP = Path(__file__).parents[2]
KILLS = 4


def sync(folder: Path, state: Path) -> subprocess.Popen[bytes]:
    """A running `sync` that writes one line a photo without delay."""
    paths = os.pathsep.join((str(TOP / "src"), *sys.path))
    return subprocess.Popen(
        [sys.executable, "-m", "urbexmp", "sync", "--json", "--state", str(state), str(folder)],
        env={**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def said(folder: Path) -> dict[str, object]:
    """What each sidecar says: keywords, and those of our block; every one must be readable."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*.[xX][mM][pP]")):
        reading = XmpCodec().read(path.read_bytes(), path)
        ours = reading.block.written if reading.block is not None else ()
        found[str(path.relative_to(folder))] = (
            reading.fields,
            sorted((str(entry.keyword), entry.score, entry.stage) for entry in ours),
        )
    return found


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    shutil.copytree(TOP / "samples" / "photos", tmp_path / "photos")
    return tmp_path / "photos"


def test_killed_in_the_middle_and_run_again(photos: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(photos, whole)
    process = sync(whole, tmp_path / "other state")
    process.communicate()
    assert process.returncode == 0
    before, after = said(photos), said(whole)
    assert before != after
    chance = random.Random("sync")
    killed = 0
    for _ in range(KILLS):
        process = sync(photos, tmp_path / "state")
        assert process.stdout is not None
        for _line in range(chance.randrange(1, 4)):
            process.stdout.readline()
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        for name, now in said(photos).items():
            assert now in (before.get(name), after[name])
    assert killed >= 2
    process = sync(photos, tmp_path / "state")
    process.communicate()
    assert process.returncode == 0
    assert said(photos) == after
    assert not list(photos.rglob("*.tmp"))
    packets = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    process = sync(photos, tmp_path / "state")
    process.communicate()
    assert process.returncode == 0
    assert {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()} == packets
