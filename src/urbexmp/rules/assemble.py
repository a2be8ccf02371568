"""Put a change together: what each carrier gets written, and the merge base that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from urbexmp.model.change import (
    NOTHING,
    Author,
    CarrierWrite,
    Change,
    Edit,
    EditKind,
    MergeBase,
    PacketEdit,
)
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import ABSENT, Block, BlockEntry, CarrierState, FileKind, Snapshot
from urbexmp.rules.fields import after_edit, edit_fields, found_keywords
from urbexmp.rules.merge import Merged

if TYPE_CHECKING:
    from urbexmp.rules.plan import Policy


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was decided about one photo's keywords."""

    edits: tuple[Edit, ...] = ()
    held: tuple[Edit, ...] = ()
    vetoed: frozenset[Keyword] = NOTHING
    owned: frozenset[Keyword] = NOTHING
    """Suggested by this profile, there already, and ours: it owns them too."""
    taken_over: frozenset[Keyword] = NOTHING
    """A person's from now on."""
    by_person: frozenset[Keyword] = NOTHING
    """Removals that a person asked for: their words may go whoever added them."""
    settled: frozenset[Keyword] = NOTHING
    """Decided by a person: no longer missing, and may be restored anew."""
    facts: tuple[tuple[str, str], ...] = ()
    write_block: bool = False
    """Write our block even if no keyword changes, where a packet of ours exists."""
    notes: tuple[str, ...] = ()


def assemble(snapshot: Snapshot, merged: Merged, wanted: Wanted, policy: Policy) -> Change:
    """The change that carries `wanted` out on every carrier of the photo.

    When one carrier is written, all get our block with the new mark: a carrier that kept an older
    one would say of a later removal that its author had not been told.
    """
    add = frozenset(edit.keyword for edit in wanted.edits if edit.kind is EditKind.ADD)
    remove = frozenset(edit.keyword for edit in wanted.edits if edit.kind is EditKind.REMOVE)
    # A respelled removal must name what stands in the file.
    target = (merged.current | add) - remove
    written = _written(merged, wanted, add, remove, policy.profile.name)
    edits = [
        PacketEdit() if merged.emptied else _edit(state, found, target, merged, wanted, policy)
        for state, found in zip(snapshot.carriers, merged.found, strict=True)
    ]
    changing = any(not edit.empty for edit in edits)
    if wanted.write_block and not changing:
        changing = _block_differs(snapshot, merged, wanted, written)
    flats = _flats(snapshot, merged, edits)
    if not changing:
        after = _after(merged, wanted, target, written, merged.base.mark, flats)
        return _change(snapshot, merged, wanted, policy, after, ())
    block = Block(
        mark=policy.mark,
        written=_entries(snapshot, wanted, written, policy),
        vetoed=tuple(sorted(wanted.vetoed)),
        flats=tuple(sorted(flats)),
        facts=wanted.facts or _former_facts(snapshot),
    )
    date = policy.at if policy.profile.metadata_date else None
    writes = tuple(
        CarrierWrite(
            state.carrier,
            state.fingerprint,
            replace(
                edit,
                block=block,
                metadata_date=date,
                sidecar_for=_sidecar_for(snapshot, state),
            ),
        )
        for state, edit in zip(snapshot.carriers, edits, strict=True)
        if state.fingerprint != ABSENT or not edit.empty
    )
    expected = target | merged.base.agreed
    agreed = NOTHING.union(
        *(
            found_keywords(after_edit(state.fields, edit), expected)
            for state, edit in zip(snapshot.carriers, edits, strict=True)
        )
    )
    after = _after(merged, wanted, agreed, written, policy.mark, flats)
    return _change(snapshot, merged, wanted, policy, after, writes)


def _edit(
    state: CarrierState,
    found: frozenset[Keyword],
    target: frozenset[Keyword],
    merged: Merged,
    wanted: Wanted,
    policy: Policy,
) -> PacketEdit:
    remove = found - target
    by_person = remove & wanted.by_person
    block_flats = state.block.flats if state.block is not None else ()
    ours = None if by_person else merged.base.flats | frozenset(block_flats)
    return edit_fields(
        state.fields,
        found,
        target - found,
        remove,
        flat=policy.profile.flat,
        unlisted=policy.unlisted,
        ours=ours,
        protected=state.protected,
    )


def _written(
    merged: Merged,
    wanted: Wanted,
    add: frozenset[Keyword],
    remove: frozenset[Keyword],
    profile: str,
) -> Mapping[str, frozenset[Keyword]]:
    """Ours by profile after the change. What a person adds is theirs, not ours."""
    by_model = frozenset(
        edit.keyword
        for edit in wanted.edits
        if edit.kind is EditKind.ADD and edit.author is not Author.PERSON
    )
    after = {name: mine - remove - wanted.taken_over for name, mine in merged.written.items()}
    mine = after.get(profile, NOTHING) | by_model | (wanted.owned & merged.current - remove)
    after[profile] = mine - wanted.taken_over
    return MappingProxyType({name: kept for name, kept in sorted(after.items()) if kept})


def _flats(snapshot: Snapshot, merged: Merged, edits: list[PacketEdit]) -> frozenset[str]:
    """Words of `dc:subject` that we added and that still stand in some carrier."""
    added = merged.base.flats.union(*(edit.flat_add for edit in edits))
    standing = frozenset[str]().union(
        *(
            after_edit(state.fields, edit).flat or ()
            for state, edit in zip(snapshot.carriers, edits, strict=True)
        )
    )
    return added & standing


def _after(
    merged: Merged,
    wanted: Wanted,
    agreed: frozenset[Keyword],
    written: Mapping[str, frozenset[Keyword]],
    mark: str,
    flats: frozenset[str],
) -> MergeBase:
    if merged.emptied:
        # Held for a person: nothing is agreed on until they have said what it was.
        return merged.assumed
    restored = frozenset(edit.keyword for edit in wanted.edits if edit.author is Author.RESTORE)
    return MergeBase(
        agreed=agreed,
        written=written,
        vetoed=wanted.vetoed - agreed,
        missing=merged.missing - agreed - wanted.vetoed - wanted.settled,
        restored=(merged.base.restored | restored) - wanted.settled,
        flats=flats,
        mark=mark,
    )


def _entries(
    snapshot: Snapshot,
    wanted: Wanted,
    written: Mapping[str, frozenset[Keyword]],
    policy: Policy,
) -> tuple[BlockEntry, ...]:
    """What the new block lists: former entries as they were, and one for each keyword added."""
    former = {
        (entry.profile, entry.keyword): entry
        for state in snapshot.carriers
        if state.block is not None
        for entry in state.block.written
    }
    adds = {edit.keyword: edit for edit in wanted.edits if edit.kind is EditKind.ADD}
    entries = []
    for profile, mine in written.items():
        for keyword in sorted(mine):
            edit, old = adds.get(keyword), former.get((profile, keyword))
            if edit is not None and profile == policy.profile.name:
                stage = edit.reasons[0].stage if edit.reasons else ""
                old = BlockEntry(keyword, edit.confidence, stage, profile, policy.at)
            entries.append(old or BlockEntry(keyword, None, "", profile, policy.at))
    return tuple(entries)


def _block_differs(
    snapshot: Snapshot,
    merged: Merged,
    wanted: Wanted,
    written: Mapping[str, frozenset[Keyword]],
) -> bool:
    """Whether a person's decision has to go into a block that is there."""
    ours = NOTHING.union(*written.values())
    for state in snapshot.carriers:
        if state.block is not None:
            listed = frozenset(entry.keyword for entry in state.block.written)
            if frozenset(state.block.vetoed) != wanted.vetoed or listed != ours:
                return True
    return False


def _former_facts(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    for state in snapshot.carriers:
        if state.block is not None:
            return state.block.facts
    return ()


def _sidecar_for(snapshot: Snapshot, state: CarrierState) -> str | None:
    """The owner that a new sidecar of a raw file names, as Lightroom does: `CR3` (R28)."""
    if state.fingerprint != ABSENT or snapshot.photo.kind is not FileKind.RAW:
        return None
    return snapshot.photo.path.suffix.lstrip(".").upper() or None


def _change(
    snapshot: Snapshot,
    merged: Merged,
    wanted: Wanted,
    policy: Policy,
    after: MergeBase,
    writes: tuple[CarrierWrite, ...],
) -> Change:
    removed = frozenset(edit.keyword for edit in wanted.edits if edit.kind is EditKind.REMOVE)
    notes = [note for state in snapshot.carriers for note in state.notes]
    return Change(
        photo=snapshot.photo,
        photo_id=snapshot.photo_id,
        profile=policy.profile.name,
        base=merged.assumed,
        after=after,
        edits=wanted.edits,
        held=wanted.held,
        keeps=tuple(sorted(merged.current - removed)),
        writes=writes,
        mark=policy.mark if writes else "",
        learned=tuple(sorted(after.vetoed - merged.assumed.vetoed)),
        notes=(*notes, *wanted.notes),
    )
