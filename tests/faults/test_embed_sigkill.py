"""Photos with two carriers, a sidecar and the JPEG itself, killed anywhere and put right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from contract.making import RUN, photo_id_of
from embed_cases import cases
from faults.embedding import CODEC, carriers_of, change_of, stores
from faults.world import FusedBackups, FusedLedger
from urbexmp.adapters.backups import FolderBackups
from urbexmp.adapters.clock import SystemClock
from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.adapters.memory import Fuse, Killed
from urbexmp.model.change import CarrierWrite, Receipt
from urbexmp.pipeline.applier import Applier
from urbexmp.pipeline.recover import recover

NAMES = (
    "plain", "padded", "no-padding", "mpf-before", "iptc-matches", "iptc-only", "motion-photo",
    "utf16-le", "progressive-restarts", "mpf-no-xmp",
)  # fmt: skip
FILES = {each.name: each.data for each in cases() if each.name in NAMES}
MOST_KILLS = 14


def library(folder: Path) -> dict[Path, bytes]:
    folder.mkdir()
    found = {}
    for number, (name, data) in enumerate(sorted(FILES.items()) * 2):
        path = folder / f"{number:02}-{name}.jpg"
        path.write_bytes(data)
        found[path] = data
    return found


def both(photo: Path) -> tuple[bool, bool]:
    """Whether the keyword is in the sidecar, and in the file."""
    store = stores()
    held = [store.read(carrier) for carrier in carriers_of(photo)]
    fields = [CODEC.read(packet, photo).fields if packet else None for packet in held]
    done = [bool(each and "Urbex|Hospital" in (each.hierarchical or ())) for each in fields]
    return done[0], done[1]


class Killable:
    """One photo of a library of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True)
        self.state = folder / "state"
        self.photo = folder / "a.jpg"
        self.photo.write_bytes(FILES[name])
        self.data = FILES[name]

    def open(self, fuse: Fuse) -> Applier:
        self.store = stores(fuse)
        self.ledger = FusedLedger(self.state / "ledger.sqlite3", fuse)
        self.backups = FusedBackups(self.state / "backups", fuse)
        return Applier(self.store, CODEC, self.ledger, self.backups, SystemClock())

    def add(self, fuse: Fuse) -> Receipt:
        applier = self.open(fuse)
        base = self.ledger.base(photo_id_of(self.photo), self.photo)
        change = change_of(self.store, self.photo, "w1", base)
        assert change is not None
        receipt = applier.apply(change, RUN)
        assert receipt is not None
        return receipt

    def undo(self, receipt: Receipt, fuse: Fuse) -> None:
        applier = self.open(fuse)
        writes = tuple(
            CarrierWrite(done.carrier, done.after, restore=done.before) for done in receipt.carriers
        )
        made = receipt.change
        change = replace(made, base=made.after, after=made.base, writes=writes, mark="w2")
        assert applier.apply(change, RUN + "-undo") is not None

    def recovered(self) -> None:
        self.ledger.close()
        self.open(Fuse())
        recover(self.store, self.ledger, self.backups, SystemClock())
        assert self.ledger.intents() == ()
        assert not list(self.photo.parent.glob(".*"))


@pytest.mark.parametrize("name", ["no-padding", "iptc-only"])
def test_killed_at_every_effect_both_carriers_are_done_or_neither(
    tmp_path: Path, name: str
) -> None:
    counted = Fuse()
    Killable(tmp_path / "whole", name).add(counted)
    assert counted.points >= 16
    for number in range(counted.points):
        one = Killable(tmp_path / str(number), name)
        with pytest.raises(Killed):
            one.add(Fuse(number))
        one.recovered()
        done = both(one.photo)
        assert done in {(True, True), (False, False)}, counted.names[number]
        receipts = one.ledger.receipts(RUN)
        assert bool(receipts) is done[1]
        if not done[1]:
            assert one.photo.read_bytes() == one.data
            receipts = (one.add(Fuse()),)
        one.undo(receipts[0], Fuse())
        assert one.photo.read_bytes() == one.data
        assert [path.name for path in one.photo.parent.iterdir() if path.is_file()] == ["a.jpg"]
        one.ledger.close()


def test_an_undo_killed_at_every_effect_gives_every_byte_back(tmp_path: Path) -> None:
    counted = Fuse()
    whole = Killable(tmp_path / "whole", "mpf-before")
    whole.undo(whole.add(Fuse()), counted)
    for number in range(counted.points):
        one = Killable(tmp_path / str(number), "mpf-before")
        receipt = one.add(Fuse())
        one.ledger.close()
        with pytest.raises(Killed):
            one.undo(receipt, Fuse(number))
        one.recovered()
        if both(one.photo) == (True, True):
            one.undo(receipt, Fuse())
        assert one.photo.read_bytes() == one.data, counted.names[number]
        assert both(one.photo) == (False, False)
        one.ledger.close()


def start(folder: Path, state: Path, *rest: str) -> subprocess.Popen[bytes]:
    here = Path(__file__).parents[1]
    paths = os.pathsep.join((str(here), str(here.parent / "src"), *sys.path))
    return subprocess.Popen(
        [sys.executable, "-m", "faults.embedding", str(folder), str(state), *rest],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
    )


@pytest.mark.parametrize("way", ["single", "batch"])
def test_a_process_killed_again_and_again_damages_nothing(tmp_path: Path, way: str) -> None:
    folder, state = tmp_path / "photos", tmp_path / "state"
    photos = library(folder)
    chance = random.Random(f"embedded {way}")
    kills = 0
    for turn in range(MOST_KILLS):
        if turn % 2:
            process = start(folder, state, way, str(chance.randrange(120)))
            process.communicate()
        else:
            process = start(folder, state, way)
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 3)):
                process.stdout.readline()
            process.kill()
            process.communicate()
        kills += process.returncode == -signal.SIGKILL
        for photo, data in photos.items():
            assert photo.read_bytes() == data or both(photo)[1]
        if process.returncode == 0:
            break
    assert kills >= 3
    process = start(folder, state, way)
    process.communicate()
    assert process.returncode == 0
    assert {both(photo) for photo in photos} == {(True, True)}
    assert not list(folder.glob(".*"))
    # Whatever was killed in between: undo gives every file back.
    with SqliteLedger(state / "ledger.sqlite3") as ledger:
        backups, store = FolderBackups(state / "backups"), stores()
        receipts = ledger.receipts(RUN)
        assert sorted(receipt.change.photo.path for receipt in receipts) == sorted(photos)
        for receipt in receipts:
            for done in receipt.carriers:
                if done.carrier.path in photos:
                    store.replace(done.carrier, backups.fetch(done.before), done.after)
    assert {photo: photo.read_bytes() for photo in photos} == photos
