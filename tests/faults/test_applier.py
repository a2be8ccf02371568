"""What the applier refuses, and that a refusal leaves everything as it was."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from contract.making import RUN, LineCodec, base_of, change_to, photo_id_of, restoring, sidecar
from faults.world import PERSON, MemoryWorld
from urbexmp.adapters.memory import Fuse, Killed
from urbexmp.adapters.memory_ledger import MemoryLedger
from urbexmp.model.change import CarrierWrite, Change, MergeBase, PacketEdit, Receipt
from urbexmp.model.errors import (
    BackupMissing,
    CarrierMoved,
    PacketRefused,
    PlanStale,
    Problem,
    ProofFailed,
    StateUnwritable,
    Unrecorded,
    WriteFailed,
)
from urbexmp.model.photo import Fingerprint, fingerprint_of
from urbexmp.pipeline.applier import Applier

P = Path("/p")
PHOTO, CARRIER, SECOND = P / "a.jpg", P / "a.jpg.xmp", P / "b" / "a.xmp"


class Quiet(MemoryWorld):
    """One photo; counts every effect."""

    def __init__(self, *carriers: Path) -> None:
        super().__init__(P, {PHOTO: dict.fromkeys(carriers or (CARRIER,), PERSON)})
        self.fuse = Fuse()
        self.applier: Applier = self.open(self.fuse)

    def refuses(self, change: Change, kind: type[Problem]) -> Problem:
        """The change is refused, before any effect at all."""
        points, packets = self.fuse.points, self.packets()
        with pytest.raises(kind) as caught:
            self.applier.apply(change, RUN)
        assert self.fuse.points == points
        assert self.packets() == packets
        return caught.value


def test_a_carrier_that_moved_on_is_refused() -> None:
    world = Quiet()
    (change,) = world.changes()
    world.memory.packets[CARRIER] = PERSON + b"rating 5\n"
    problem = world.refuses(change, CarrierMoved)
    assert str(problem) == (
        f"{CARRIER}: changed on disk after the plan was made (Lightroom?). Left as it is."
        " Run `urbexmp sync` again."
    )


def test_a_plan_older_than_a_persons_decision_is_refused() -> None:
    world = Quiet()
    (change,) = world.changes()
    world.ledger.put_base(change.photo_id, PHOTO, base_of(vetoed=("Urbex|Hospital",)))
    points = world.fuse.points
    problem = world.refuses(change, PlanStale)
    assert "decided about by a person" in str(problem)
    assert world.fuse.points == points


def test_a_base_that_the_ledger_lost_is_no_reason_to_refuse() -> None:
    world = Quiet()
    change = change_to(PHOTO, {CARRIER: PERSON}, base=base_of("Urbex|School"))
    assert world.applier.apply(change, RUN) is not None
    assert world.ledger.base(change.photo_id, PHOTO) == change.after


def test_a_packet_that_fails_its_proof_is_not_written() -> None:
    world = Quiet()
    assert isinstance(world.codec, LineCodec)
    world.codec.lies = True
    problem = world.refuses(world.changes()[0], ProofFailed)
    assert "INTERNAL ERROR" in str(problem)


def test_a_packet_that_cannot_be_edited_is_not_written() -> None:
    world = Quiet()
    world.memory.packets[CARRIER] = b""
    world.refuses(world.changes()[0], PacketRefused)


def test_one_bad_carrier_of_two_refuses_both() -> None:
    world = Quiet(CARRIER, SECOND)
    (change,) = world.changes()
    world.memory.packets[SECOND] = PERSON + b"moved on\n"
    world.refuses(change, CarrierMoved)


@pytest.mark.parametrize("failing", [CARRIER, SECOND])
@pytest.mark.parametrize("batch", [False, True])
def test_when_one_write_fails_the_other_is_taken_back(failing: Path, batch: bool) -> None:
    world = Quiet(CARRIER, SECOND)
    (change,) = world.changes()
    world.memory.refusals[failing] = WriteFailed(failing, "No space left on device")
    if batch:
        (outcome,) = world.applier.apply_batch([change], RUN)
        assert isinstance(outcome, WriteFailed)
    else:
        with pytest.raises(WriteFailed):
            world.applier.apply(change, RUN)
    assert set(world.packets().values()) == {PERSON}
    assert world.ledger.intents() == ()
    assert world.ledger.receipts(RUN) == ()
    assert world.ledger.base(change.photo_id, PHOTO) is None
    world.memory.refusals.clear()
    assert world.applier.apply(change, RUN) is not None


def test_an_edit_that_changes_nothing_writes_nothing() -> None:
    world = Quiet()
    again = PacketEdit(flat_add=("Mine",))
    change = change_to(PHOTO, {CARRIER: PERSON}, edit=again)
    assert world.applier.apply(change, RUN) is None
    assert world.memory.writes == 0
    assert world.ledger.receipts(RUN) == ()
    date_alone = PacketEdit(metadata_date="2026-11-20T09:00:00Z")
    change = change_to(PHOTO, {CARRIER: PERSON}, edit=date_alone, base=change.after)
    assert world.applier.apply(change, RUN) is None
    assert world.memory.writes == 0


def test_a_change_of_the_base_alone_is_kept_without_a_receipt() -> None:
    world = Quiet()
    learned = replace(change_to(PHOTO, {}), after=base_of(vetoed=("Urbex|Hospital",)), edits=())
    assert world.applier.apply(learned, RUN) is None
    assert world.ledger.base(photo_id_of(PHOTO), PHOTO) == learned.after
    assert world.ledger.receipts(RUN) == ()
    points = world.fuse.points
    again = replace(learned, base=learned.after)
    assert again.is_noop
    assert world.applier.apply(again, RUN) is None
    assert world.fuse.points == points


def test_a_photo_that_nothing_is_known_of_leaves_no_trace() -> None:
    world = Quiet()
    nothing = replace(change_to(PHOTO, {}), after=MergeBase(), edits=())
    assert world.applier.apply(nothing, RUN) is None
    assert world.fuse.points == 0


def test_the_second_time_nothing_is_left_to_do() -> None:
    world = Quiet(CARRIER, SECOND)
    world.sync(world.applier)
    points, packets = world.fuse.points, world.packets()
    world.sync(world.applier)
    assert (world.fuse.points, world.packets()) == (points, packets)


def test_the_receipt_says_what_was_done() -> None:
    world = Quiet(CARRIER, SECOND)
    (change,) = world.changes()
    receipt = world.applier.apply(change, RUN)
    assert receipt is not None
    assert world.ledger.receipts(RUN) == (receipt,)
    assert receipt.change == change
    for each in receipt.carriers:
        assert each.before == fingerprint_of(PERSON)
        assert each.after == fingerprint_of(world.memory.packets[each.carrier.path])
        assert world.backups.fetch(each.before) == PERSON


def test_undo_needs_the_very_bytes() -> None:
    world = Quiet()
    (change,) = world.changes()
    world.sync(world.applier)
    now = {CARRIER: world.memory.packets[CARRIER]}
    lost = restoring(change, {CARRIER: Fingerprint("0" * 64)}, now)
    problem = world.refuses(lost, BackupMissing)
    assert str(problem).startswith(str(CARRIER))
    assert world.applier.apply(restoring(change, {CARRIER: fingerprint_of(PERSON)}, now), "u")
    assert world.memory.packets[CARRIER] == PERSON


def test_undo_of_a_new_sidecar_removes_it() -> None:
    world = MemoryWorld(P, {PHOTO: {CARRIER: None}})
    applier = world.open()
    (change,) = world.changes()
    world.sync(applier)
    now = {CARRIER: world.memory.packets[CARRIER]}
    assert applier.apply(restoring(change, {}, now), "u") is not None
    assert world.packets() == {CARRIER: None}


class Full(MemoryLedger):
    """A ledger that takes intents and nothing more."""

    full = False

    def record(self, receipt: Receipt) -> None:
        if self.full:
            raise StateUnwritable("ledger", detail="the disk is full")
        super().record(receipt)


@pytest.mark.parametrize("batch", [False, True])
def test_a_receipt_that_cannot_be_kept_is_said_and_added_later(batch: bool) -> None:
    world = Quiet()
    world.ledger = ledger = Full()
    world.applier = Applier(world.store, world.codec, ledger, world.backups, world.clock)
    (change,) = world.changes()
    ledger.full = True
    if batch:
        (outcome,) = world.applier.apply_batch([change], RUN)
    else:
        with pytest.raises(Unrecorded) as caught:
            world.applier.apply(change, RUN)
        outcome = caught.value
    assert isinstance(outcome, Unrecorded)
    assert "was written" in str(outcome)
    assert "The next run adds it" in str(outcome)
    assert b"path Urbex|Hospital\n" in world.memory.packets[CARRIER]
    ledger.full = False
    assert world.recover()[0].endswith("Its receipt was added.")
    assert len(ledger.receipts(RUN)) == 1


def test_the_open_intent_of_a_photo_is_settled_before_its_next_write() -> None:
    world = Quiet()
    world.ledger = ledger = Full()
    world.applier = Applier(world.store, world.codec, ledger, world.backups, world.clock)
    ledger.full = True
    with pytest.raises(Unrecorded):
        world.applier.apply(world.changes()[0], RUN)
    ledger.full = False
    held = world.memory.packets[CARRIER]
    after = change_to(PHOTO, {CARRIER: held}).after
    later = change_to(PHOTO, {CARRIER: held}, "Urbex|School", mark="w2", base=after)
    assert world.applier.apply(later, RUN) is not None
    assert [receipt.change.mark for receipt in ledger.receipts(RUN)] == ["w0", "w2"]
    assert ledger.intents() == ()


def test_a_batch_does_what_one_by_one_does() -> None:
    carriers: dict[Path, dict[Path, bytes | None]] = {
        P / f"{number}.cr3": {P / f"{number}.xmp": PERSON if number % 3 else None}
        for number in range(20)
    }
    one, many = MemoryWorld(P, carriers), MemoryWorld(P, carriers)
    one.sync(one.open())
    many.sync(many.open(), batch=True)
    assert many.end() == one.end()


def test_a_problem_of_one_in_a_batch_stops_no_other() -> None:
    names = ("stale", "moved", "refused", "fine", "nothing", "base", "gone")
    world = MemoryWorld(P, {P / f"{name}.cr3": {P / f"{name}.xmp": PERSON} for name in names})
    applier = world.open()
    changes = dict(zip(names, world.changes(), strict=True))
    world.ledger.put_base(changes["stale"].photo_id, P / "stale.cr3", base_of("Other"))
    world.memory.packets[P / "moved.xmp"] = b"moved\n"
    world.memory.refusals[P / "refused.xmp"] = WriteFailed(P / "refused.xmp", "is read-only")
    changes["nothing"] = replace(changes["nothing"], writes=(), after=MergeBase())
    changes["base"] = replace(changes["base"], writes=())
    del world.memory.packets[P / "gone.xmp"]
    outcomes = applier.apply_batch(list(changes.values()), RUN)
    kinds = dict(zip(names, map(type, outcomes), strict=True))
    assert kinds == {
        "stale": PlanStale,
        "moved": CarrierMoved,
        "refused": WriteFailed,
        "fine": Receipt,
        "nothing": type(None),
        "base": type(None),
        "gone": CarrierMoved,
    }
    assert world.ledger.intents() == ()
    assert world.ledger.base(photo_id_of(P / "base.cr3"), P / "base.cr3") == changes["base"].after
    assert [receipt.change.photo.path.stem for receipt in world.ledger.receipts(RUN)] == ["fine"]
    assert world.memory.packets[P / "refused.xmp"] == PERSON


def test_a_batch_that_cannot_be_announced_changes_nothing() -> None:
    class Shut(MemoryLedger):
        def intend(self, intent: object) -> None:
            raise StateUnwritable("ledger", detail="the disk is full")

    world = MemoryWorld(P, {P / f"{n}.cr3": {P / f"{n}.xmp": PERSON} for n in range(3)})
    world.open()
    applier = Applier(world.store, world.codec, Shut(), world.backups, world.clock)
    outcomes = applier.apply_batch(world.changes(), RUN)
    assert [type(outcome) for outcome in outcomes] == [StateUnwritable] * 3
    assert world.memory.writes == 0


def test_one_carrier_twice_in_a_batch_is_done_in_turn() -> None:
    world = Quiet()
    first = change_to(PHOTO, {CARRIER: PERSON}, mark="w1")
    edit = first.writes[0].edit
    assert edit is not None
    between = world.codec.edit(PERSON, edit, CARRIER)
    second = replace(
        change_to(PHOTO, {}, "Urbex|School", mark="w2", base=first.after),
        photo=first.photo,
        writes=(
            CarrierWrite(
                sidecar(CARRIER), fingerprint_of(between), PacketEdit(flat_add=("School",))
            ),
        ),
    )
    outcomes = world.applier.apply_batch([first, second], RUN)
    assert [type(outcome) for outcome in outcomes] == [Receipt, Receipt]
    assert b"flat School\n" in world.memory.packets[CARRIER]


def test_after_an_interruption_the_same_process_settles_the_photo_first() -> None:
    for point in range(10):
        world = MemoryWorld(P, {PHOTO: {CARRIER: PERSON}})
        applier = world.open(Fuse())
        (change,) = world.changes()
        fuse = Fuse(point)
        world.open(fuse)
        # Stands for Ctrl-C here: the process goes on.
        with suppress(Killed):
            applier.apply(change, RUN)
        world.open(Fuse())
        for again in world.changes():
            applier.apply(again, RUN)
        world.recover()
        assert len(world.ledger.receipts(RUN)) == 1
        assert world.changes() == []
        assert world.ledger.intents() == ()
