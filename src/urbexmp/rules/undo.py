"""Take back what one receipt did, and nothing that came after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from urbexmp.model.change import (
    NOTHING,
    Author,
    CarrierWrite,
    Change,
    Edit,
    EditKind,
    MergeBase,
    Receipt,
)
from urbexmp.model.errors import CarrierMoved
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Carrier, Fingerprint, Snapshot
from urbexmp.rules.assemble import Wanted, assemble
from urbexmp.rules.merge import Answers, Told, with_vetoes
from urbexmp.rules.photo_texts import reversed_texts, take_back_texts, texts_before
from urbexmp.rules.plan import Policy, merged_for

BYTES_GONE = (
    "the backup of what it replaced was given up, so only our keywords of that run are taken out"
)


def undo(
    receipt: Receipt,
    snapshot: Snapshot,
    base: MergeBase | None,
    told: Told,
    policy: Policy,
    *,
    bytes_kept: bool = True,
) -> Change:
    """The change that takes `receipt` back.

    Where every carrier still has the packet that the receipt left, each gets its former bytes.
    Where one has moved on, or the backup of one is gone (`bytes_kept` False), only our keywords of
    that receipt go (not those that a person has taken over), and what we had taken away returns.
    Vetoes stay, whichever way: to undo is not to refuse, and a refusal is not undone by accident.
    """
    here = _versions(snapshot)
    kept = base or receipt.change.after
    if all(here.get(done.carrier) == done.after for done in receipt.carriers) and not (
        _taken_over(receipt, kept)
    ):
        if bytes_kept:
            return _restore(receipt, snapshot, kept)
        return _take_back(receipt, snapshot, base, told, policy, (BYTES_GONE,))
    return _take_back(receipt, snapshot, base, told, policy)


def put_back(receipt: Receipt, snapshot: Snapshot, base: MergeBase | None) -> Change:
    """The change that gives each carrier the bytes it had before `receipt`, whatever it holds now.

    What was done since is lost, a person's work too; they asked for it by name. Refusals stay.
    Raises `CarrierMoved` when a carrier of the receipt is no longer the photo's.
    """
    here = _versions(snapshot)
    for done in receipt.carriers:
        if done.carrier not in here:
            raise CarrierMoved(done.carrier.path)
    change = _restore(receipt, snapshot, base or receipt.change.after)
    writes = tuple(
        replace(write, assumes=here[write.carrier])
        for write in change.writes
        if here[write.carrier] != write.restore
    )
    return replace(change, writes=writes)


def _versions(snapshot: Snapshot) -> dict[Carrier, Fingerprint]:
    return {state.carrier: state.fingerprint for state in snapshot.carriers}


def _taken_over(receipt: Receipt, base: MergeBase) -> frozenset[Keyword]:
    """Keywords that this receipt added as ours and that are a person's since."""
    added = _keywords(receipt.change.edits, EditKind.ADD)
    return added & receipt.change.after.ours & base.agreed - base.ours


def _restore(receipt: Receipt, snapshot: Snapshot, base: MergeBase) -> Change:
    """Give every carrier its former bytes, and the base what was decided since.

    The base may have moved on although the packets are as the receipt left them: an exact copy of
    them was put back over later work.
    """
    made = receipt.change
    before = made.base
    stood = frozenset(made.keeps) | _keywords(made.edits, EditKind.REMOVE)
    put_back = frozenset(e.keyword for e in made.edits if e.author is Author.RESTORE)
    lifted_by_it = before.vetoed - made.after.vetoed
    vetoed = (base.vetoed | lifted_by_it) - stood
    later = base.agreed - made.after.agreed
    written = {name: mine & stood for name, mine in before.written.items()}
    after = replace(
        before,
        agreed=stood,
        written=MappingProxyType({name: mine for name, mine in written.items() if mine}),
        missing=(before.missing | base.missing | later | put_back) - stood,
        restored=before.restored | base.restored | put_back,
        beside=base.beside,
        texts=texts_before(receipt, base),
    )
    writes = tuple(
        CarrierWrite(done.carrier, assumes=done.after, restore=done.before)
        for done in receipt.carriers
    )
    return Change(
        photo=snapshot.photo,
        photo_id=snapshot.photo_id,
        profile=made.profile,
        base=base,
        after=with_vetoes(after, vetoed),
        edits=tuple(_reverse(made.edits)),
        keeps=tuple(sorted(made.keeps)),
        writes=writes,
        texts=reversed_texts(receipt),
    )


def _take_back(
    receipt: Receipt,
    snapshot: Snapshot,
    base: MergeBase | None,
    told: Told,
    policy: Policy,
    notes: tuple[str, ...] = (),
) -> Change:
    merged = merged_for(snapshot, base, told, policy)
    if merged.doubts and not merged.current:
        merged = merged_for(snapshot, base, told, policy, Answers(emptied=False))
    ours = NOTHING.union(*merged.written.values())
    made = receipt.change
    # What a person did by a command of ours is theirs to take back; all else of theirs is spared.
    by_person = frozenset(edit.keyword for edit in made.edits if edit.author is Author.PERSON)
    vetoed = merged.vetoed - (by_person & _keywords(made.edits, EditKind.REMOVE))
    edits = tuple(
        replace(edit, author=Author.PERSON)
        if edit.keyword in by_person and edit.keyword not in made.base.ours
        else edit
        for edit in _reverse(made.edits)
        if (edit.kind is EditKind.REMOVE and edit.keyword in (ours | by_person) & merged.current)
        or (edit.kind is EditKind.ADD and edit.keyword not in merged.current | vetoed)
    )
    gone = _keywords(edits, EditKind.REMOVE)
    vetoed |= gone & (made.base.vetoed - made.after.vetoed)
    texts = take_back_texts(snapshot, merged, receipt)
    wanted = Wanted(edits=edits, vetoed=vetoed, settled=gone, notes=notes, texts=texts)
    if merged.doubts:
        why = merged.doubts[0].why
        held = tuple(replace(edit, hold=why) for edit in edits)
        wanted = Wanted(held=held, vetoed=merged.vetoed, notes=(why,))
    return assemble(snapshot, merged, wanted, policy)


def _reverse(edits: Iterable[Edit]) -> list[Edit]:
    opposite = {EditKind.ADD: EditKind.REMOVE, EditKind.REMOVE: EditKind.ADD}
    return [
        Edit(opposite[edit.kind], edit.keyword, Author.UNDO, edit.confidence, edit.reasons)
        for edit in reversed(tuple(edits))
    ]


def _keywords(edits: Iterable[Edit], kind: EditKind) -> frozenset[Keyword]:
    return frozenset(edit.keyword for edit in edits if edit.kind is kind)
