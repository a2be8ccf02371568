"""A real process killed with SIGKILL, again and again, until the work is done all the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contract.making import LineCodec, change_to
from faults.killing import carriers_of
from urbexmp.adapters.backups import FolderBackups
from urbexmp.adapters.clock import SystemClock
from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.adapters.lock import FileLock
from urbexmp.adapters.xmp.sidecar import SidecarStore
from urbexmp.model.errors import LibraryLocked
from urbexmp.pipeline.recover import recover

PHOTOS = 60
MOST_KILLS = 22


def start(folder: Path, state: Path, *rest: str) -> subprocess.Popen[bytes]:
    here = Path(__file__).parents[1]
    paths = os.pathsep.join((str(here), str(here.parent / "src"), *sys.path))
    return subprocess.Popen(
        [sys.executable, "-m", "faults.killing", str(folder), str(state), *rest],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
    )


def packet_of(number: int) -> bytes:
    return b"".join(b"line %d of %d\n" % (line, number) for line in range(200))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "second").mkdir(parents=True)
    for number in range(PHOTOS):
        (folder / f"{number:03}.cr3").write_bytes(b"")
        if number % 5:
            (folder / f"{number:03}.xmp").write_bytes(packet_of(number))
    return folder


def held(folder: Path) -> dict[Path, bytes | None]:
    return {
        path: path.read_bytes() if path.exists() else None
        for carriers in carriers_of(folder).values()
        for path in carriers
    }


def allowed(folder: Path) -> dict[Path, tuple[bytes | None, int]]:
    """The packet each sidecar began with, and how long it is once the keyword is added."""
    edit = change_to(Path("a.cr3"), {Path("a.xmp"): b"x"}).writes[0].edit
    assert edit is not None
    lines = {}
    for path, packet in held(folder).items():
        done = LineCodec().edit(packet or b"new\n", edit, path)
        lines[path] = (packet, done.count(b"\n"))
    return lines


def intact(folder: Path, first: dict[Path, tuple[bytes | None, int]]) -> int:
    """No sidecar is damaged; return how many are done."""
    done = 0
    for path, packet in held(folder).items():
        was, lines = first[path]
        if packet == was:
            continue
        assert packet is not None
        assert packet.startswith(was or b"new\n")
        assert packet.count(b"\n") == lines
        assert b"path Urbex|Hospital\n" in packet
        done += 1
    return done


@pytest.mark.parametrize("way", ["single", "batch"])
def test_killed_at_random_effects_nothing_is_damaged_and_all_gets_done(
    folder: Path, tmp_path: Path, way: str
) -> None:
    state = tmp_path / "state"
    first = allowed(folder)
    chance = random.Random(f"sigkill {way}")
    kills = 0
    for turn in range(MOST_KILLS):
        if turn % 2:
            # Killed by itself, exactly before or after some effect.
            process = start(folder, state, way, str(chance.randrange(90)))
            process.communicate()
        else:
            # Killed from outside, wherever it happens to be.
            process = start(folder, state, way)
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 3)):
                process.stdout.readline()
            process.kill()
            process.communicate()
        kills += process.returncode == -signal.SIGKILL
        intact(folder, first)
        if process.returncode == 0:
            break
    assert kills >= 3
    with SqliteLedger(state / "ledger.sqlite3") as ledger, FileLock(state / "lock"):
        recover(SidecarStore(), ledger, FolderBackups(state / "backups"), SystemClock())
        assert ledger.intents() == ()
        assert ledger.faults() == ()
    intact(folder, first)
    assert not list(folder.rglob("*.tmp"))
    process = start(folder, state, way)
    process.communicate()
    assert process.returncode == 0
    assert intact(folder, first) == len(first)
    assert not list(folder.rglob("*.tmp"))
    with SqliteLedger(state / "ledger.sqlite3", readonly=True) as ledger:
        (run,) = {receipt.run for receipt in ledger.receipts("r20261120-090000-4f2a")}
        receipts = [receipt.change.photo.path for receipt in ledger.receipts(run)]
        backups = FolderBackups(state / "backups")
        for receipt in ledger.receipts(run):
            for each in receipt.carriers:
                was = first[each.carrier.path][0]
                assert was is None or backups.fetch(each.before) == was
    assert sorted(receipts) == sorted(carriers_of(folder))


def test_a_lock_dies_with_its_holder(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = start(folder, state, "single")
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(LibraryLocked) as caught, FileLock(state / "lock"):
            pytest.fail("two writers")
        assert f"process {process.pid}" in str(caught.value)
    finally:
        process.kill()
        process.communicate()
    with FileLock(state / "lock") as lock:
        assert (state / "lock").read_text() == str(os.getpid())
    assert lock is not None
    assert (state / "lock").read_text() == ""
