"""Every row of the crash table: killed right before and right after every effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from contract.making import RUN, LineCodec, change_to, restoring, sidecar
from faults.world import PERSON, DiskWorld, MemoryWorld, World
from urbexmp.adapters.memory import Fuse, Killed
from urbexmp.model.photo import fingerprint_of

SHAPES: dict[str, Callable[[Path], dict[Path, dict[Path, bytes | None]]]] = {
    "one carrier": lambda p: {p / "a.cr3": {p / "a.xmp": PERSON}},
    "a new sidecar": lambda p: {p / "a.cr3": {p / "a.xmp": None}},
    "two carriers": lambda p: {
        p / "a.jpg": {p / "a.jpg.xmp": PERSON, p / "b" / "a.xmp": PERSON + b"more\n"}
    },
    "an old and a new one": lambda p: {
        p / "a.jpg": {p / "a.jpg.xmp": PERSON, p / "b" / "a.xmp": None}
    },
    "three photos": lambda p: {
        p / "a.cr3": {p / "a.xmp": PERSON},
        p / "b.jpg": {p / "b.jpg.xmp": None, p / "b.xmp": PERSON},
        p / "c.cr3": {p / "c.xmp": PERSON + b"c\n"},
    },
}


@pytest.fixture(params=[MemoryWorld, DiskWorld], ids=["memory", "disk"])
def build(request: pytest.FixtureRequest) -> type[World]:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("batch", [False, True], ids=["single", "batch"])
@pytest.mark.parametrize("shape", SHAPES)
def test_killed_anywhere_recovered_and_run_again_ends_the_same(
    build: type[World], shape: str, batch: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    whole = build(folder, SHAPES[shape](folder))
    counted = Fuse()
    whole.sync(whole.open(counted), batch=batch)
    wanted = whole.end()
    whole.close()
    assert counted.points >= 8
    for number in range(counted.points):
        for path in (p for p in folder.rglob("*") if p.is_file()):
            path.unlink()
        world = build(folder, SHAPES[shape](folder))
        with pytest.raises(Killed):
            world.sync(world.open(Fuse(number)), batch=batch)
        applier = world.open()
        world.recover()
        assert world.ledger.intents() == ()
        assert world.temps() == 0
        half_done(world)
        world.sync(applier, batch=batch)
        assert world.end() == wanted, counted.names[number]
        world.close()


def half_done(world: World) -> None:
    """After recovery each photo is wholly done, with a receipt, or not touched at all."""
    receipts = {receipt.change.photo.path for receipt in world.ledger.receipts(RUN)}
    for photo, carriers in world.carriers.items():
        for path, packet in carriers.items():
            now = world.store.read(sidecar(path))
            if photo in receipts:
                assert b"path Urbex|Hospital\n" in (now or b"")
            else:
                assert now == packet


@pytest.mark.parametrize("shape", ["one carrier", "a new sidecar", "an old and a new one"])
def test_an_undo_killed_anywhere_gives_every_byte_back(
    build: type[World], shape: str, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"

    def undone(fuse: Fuse) -> tuple[World, bool]:
        for path in (p for p in folder.rglob("*") if p.is_file()):
            path.unlink()
        world = build(folder, SHAPES[shape](folder))
        (change,) = changes_of(world)
        receipt = world.open().apply(change, RUN)
        assert receipt is not None
        was = {each.carrier.path: each.before for each in receipt.carriers}
        now = {path: packet for path, packet in world.packets().items() if packet is not None}
        applier = world.open(fuse)
        try:
            applier.apply(restoring(change, was, now), RUN + "-undo")
        except Killed:
            applier = world.open()
            world.recover()
            if world.packets() == now:
                applier.apply(restoring(change, was, now), RUN + "-undo")
        finally:
            done = world.packets() == next(iter(world.carriers.values()))
        return world, done

    counted = Fuse()
    world, done = undone(counted)
    world.close()
    assert done
    for number in range(counted.points):
        world, done = undone(Fuse(number))
        assert done, counted.names[number]
        assert world.temps() == 0
        assert len(world.ledger.receipts(RUN + "-undo")) == 1
        world.close()


def changes_of(world: World) -> list:  # type: ignore[type-arg]
    world.open()
    return world.changes()


# Row by row, in the words that a person reads.


def killed(build: type[World], tmp_path: Path, name: str, shape: str = "one carrier") -> World:
    """A world whose process was killed at the first point of that name."""
    folder = tmp_path / "photos"
    counted = Fuse()
    whole = MemoryWorld(folder, SHAPES[shape](folder))
    whole.sync(whole.open(counted))
    world = MemoryWorld(folder, SHAPES[shape](folder))
    with pytest.raises(Killed):
        world.sync(world.open(Fuse(counted.names.index(name))))
    world.open()
    return world


def test_row_0_before_the_intent_nothing_happened(tmp_path: Path) -> None:
    world = killed(MemoryWorld, tmp_path, "before ledger transaction")
    assert world.recover() == ()
    assert set(world.packets().values()) == {PERSON}


@pytest.mark.parametrize(
    "name", ["after ledger transaction", "after backup", "after temp of a.xmp"]
)
def test_rows_1_and_2_an_intent_or_a_backup_is_forgotten(tmp_path: Path, name: str) -> None:
    world = killed(MemoryWorld, tmp_path, name)
    assert world.recover() == (
        f"{tmp_path}/photos/a.cr3: an interrupted write had not happened. Nothing was changed.",
    )
    assert set(world.packets().values()) == {PERSON}
    assert world.ledger.receipts(RUN) == ()
    assert world.temps() == 0


def test_row_3_a_replaced_carrier_gets_its_receipt(tmp_path: Path) -> None:
    world = killed(MemoryWorld, tmp_path, "after replace a.xmp")
    (sentence,) = world.recover()
    assert sentence.endswith("an interrupted write had happened. Its receipt was added.")
    (receipt,) = world.ledger.receipts(RUN)
    assert receipt.carriers[0].before == fingerprint_of(PERSON)
    assert world.ledger.told("w0") == receipt.change.after.agreed
    assert world.changes() == []


def test_row_3_one_of_two_carriers_is_taken_back(tmp_path: Path) -> None:
    world = killed(MemoryWorld, tmp_path, "after replace a.jpg.xmp", "two carriers")
    (sentence,) = world.recover()
    assert sentence.endswith("a write was interrupted half-way. It was taken back.")
    assert set(world.packets().values()) == {PERSON, PERSON + b"more\n"}
    assert world.ledger.receipts(RUN) == ()


def test_row_3_someone_wrote_since_is_recorded_and_said(tmp_path: Path) -> None:
    world = killed(MemoryWorld, tmp_path, "after replace a.xmp")
    assert isinstance(world, MemoryWorld)
    theirs = world.packets()[tmp_path / "photos" / "a.xmp"] or b""
    world.memory.packets[tmp_path / "photos" / "a.xmp"] = theirs + b"develop settings\n"
    (sentence,) = world.recover()
    assert "another program has written since" in sentence
    assert world.memory.packets[tmp_path / "photos" / "a.xmp"].endswith(b"develop settings\n")
    # What a person takes away from now on is known as refused, since we know what we told them.
    (receipt,) = world.ledger.receipts(RUN)
    assert world.ledger.told("w0") == receipt.change.after.agreed
    assert world.ledger.base(receipt.change.photo_id, receipt.change.photo.path) is not None


def test_a_half_done_write_whose_backup_is_lost_is_recorded(tmp_path: Path) -> None:
    world = killed(MemoryWorld, tmp_path, "after replace a.jpg.xmp", "two carriers")
    world.backups.kept.clear()  # type: ignore[attr-defined]
    before = world.packets()
    (sentence,) = world.recover()
    assert "the backup is missing" in sentence
    assert world.packets() == before
    assert [len(receipt.carriers) for receipt in world.ledger.receipts(RUN)] == [1]


def test_an_unreadable_carrier_keeps_its_intent_until_it_can_be_read(tmp_path: Path) -> None:
    from urbexmp.model.errors import FileUnreadable

    world = killed(MemoryWorld, tmp_path, "after replace a.xmp")
    assert isinstance(world, MemoryWorld)
    path = tmp_path / "photos" / "a.xmp"
    world.memory.broken[path] = FileUnreadable(path, detail="Input/output error")
    (sentence,) = world.recover()
    assert "cannot be settled yet" in sentence
    assert "Input/output error" in sentence
    assert len(world.ledger.intents()) == 1
    # A new write of that photo must not bury the old intent.
    change = replace(change_to(tmp_path / "photos" / "a.cr3", {path: PERSON}), mark="w9")
    with pytest.raises(FileUnreadable):
        world.open().apply(change, RUN)
    assert len(world.ledger.intents()) == 1
    world.memory.broken.clear()
    assert world.recover()[0].endswith("Its receipt was added.")


def test_recovery_killed_at_every_effect_is_taken_up_again(tmp_path: Path) -> None:
    for number in range(6):
        world = killed(MemoryWorld, tmp_path, "after replace a.jpg.xmp", "two carriers")
        world.open(Fuse(number))
        with pytest.raises(Killed):
            world.recover()
        world.open()
        world.recover()
        assert world.ledger.intents() == ()
        assert set(world.packets().values()) == {PERSON, PERSON + b"more\n"}
        assert world.temps() == 0


def test_the_codec_of_these_tests_is_stable() -> None:
    codec = LineCodec()
    change = change_to(Path("a.cr3"), {Path("a.xmp"): PERSON})
    edit = change.writes[0].edit
    assert edit is not None
    once = codec.edit(PERSON, edit, Path("a.xmp"))
    assert once != PERSON
    assert codec.edit(once, edit, Path("a.xmp")) == once
