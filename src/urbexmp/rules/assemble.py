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
from urbexmp.model.keyword import Keyword, fold
from urbexmp.model.photo import ABSENT, Block, BlockEntry, CarrierState, FileKind, Snapshot
from urbexmp.rules.fields import after_edit, edit_fields, found_keywords, respell_path
from urbexmp.rules.merge import Merged, listed_in
from urbexmp.rules.photo_texts import PhotoTexts, plan_texts

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
    released: frozenset[Keyword] = NOTHING
    """No longer suggested by this profile, and kept for another one's sake."""
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
    texts: PhotoTexts | None = None
    """What becomes of the texts; None: they stay as they are."""


def assemble(snapshot: Snapshot, merged: Merged, wanted: Wanted, policy: Policy) -> Change:
    """The change that carries `wanted` out on every carrier of the photo.

    When one carrier is written, all get our block with the new mark: a carrier that kept an older
    one would say of a later removal that its author had not been told.
    """
    if merged.doubts:
        # Held for a person: nothing is agreed on until they have said what it was. But what the
        # blocks tell is kept, because the next packet may be without them.
        return _change(snapshot, merged, wanted, policy, merged.base, ())
    add = frozenset(edit.keyword for edit in wanted.edits if edit.kind is EditKind.ADD)
    remove = frozenset(edit.keyword for edit in wanted.edits if edit.kind is EditKind.REMOVE)
    target, edits = _edits(snapshot, merged, wanted, policy, (merged.current | add) - remove)
    texts = wanted.texts or plan_texts(snapshot, merged, {}, missing=policy.profile.missing)
    edits = [replace(edit, texts=its) for edit, its in zip(edits, texts.edits, strict=True)]
    fresh = add or any(texts.edits)
    if not fresh and all(state.block is None for state in snapshot.carriers):
        # A copy of what stands in the image file already is no reason to make a sidecar.
        edits = [
            edit if state.fingerprint != ABSENT else PacketEdit()
            for state, edit in zip(snapshot.carriers, edits, strict=True)
        ]
    written = _written(merged, wanted, add, remove, policy.profile.name)
    flats = _flats(snapshot, merged, edits, target)
    vetoed = _worth_telling(snapshot, merged, wanted.vetoed, policy)
    changing = any(not edit.empty for edit in edits) or _block_differs(
        snapshot, merged, wanted, written, vetoed, target
    )
    # A protected word keeps its keyword alive: it stands there, and its author knows.
    standing = [
        found_keywords(after_edit(state.fields, edit), target)
        for state, edit in zip(snapshot.carriers, edits, strict=True)
    ]
    agreed = target.union(*standing)
    wanted = _as_far_as_it_went(
        wanted, agreed - target, target | standing[0].intersection(*standing)
    )
    if not changing:
        after = _after(merged, wanted, agreed, written, merged.base.mark, flats)
        after = replace(after, texts=texts.base)
        return _change(snapshot, merged, wanted, policy, after, ())
    block = Block(
        mark=policy.mark,
        written=_entries(snapshot, wanted, written, policy),
        vetoed=tuple(sorted(vetoed)),
        facts=wanted.facts or _former_facts(snapshot),
    )
    date = policy.at if policy.profile.metadata_date else None
    writes = tuple(
        CarrierWrite(
            state.carrier,
            state.fingerprint,
            replace(
                edit,
                block=replace(block, flats=_standing_in(state, edit, flats), texts=listed),
                metadata_date=date,
                sidecar_for=_sidecar_for(snapshot, state),
            ),
        )
        for state, edit, listed in zip(snapshot.carriers, edits, texts.listed, strict=True)
        if state.fingerprint != ABSENT or not edit.empty
    )
    after = _after(merged, wanted, agreed, written, policy.mark, flats)
    after = replace(after, texts=texts.base)
    return _change(snapshot, merged, wanted, policy, after, writes)


def _as_far_as_it_went(
    wanted: Wanted, left: frozenset[Keyword], kept: frozenset[Keyword]
) -> Wanted:
    """What was decided, less the vetoes of `kept`, and with a word on what was `left` standing."""
    notes = tuple(
        f"{keyword} stays where its word names a person or a face, or is not ours to take"
        for keyword in sorted(left)
    )
    return replace(wanted, vetoed=wanted.vetoed - kept, notes=wanted.notes + notes)


def _edits(
    snapshot: Snapshot,
    merged: Merged,
    wanted: Wanted,
    policy: Policy,
    target: frozenset[Keyword],
) -> tuple[frozenset[Keyword], list[PacketEdit]]:
    """The edit of each carrier, and the keywords that all of them will hold.

    A flat word that is not ours to take becomes a keyword of its own when the path that contained
    it goes. All carriers must agree on that one too, else the next run would spread it.
    """
    leaving = NOTHING.union(*merged.found) - target
    while True:
        edits = [
            _edit(state, found, target, merged, wanted, policy)
            for state, found in zip(snapshot.carriers, merged.found, strict=True)
        ]
        bared = NOTHING.union(
            *(
                found_keywords(after_edit(state.fields, edit), target)
                for state, edit in zip(snapshot.carriers, edits, strict=True)
            )
        )
        bared -= target | leaving | wanted.vetoed
        if not bared:
            return target, edits
        target |= bared


def _edit(
    state: CarrierState,
    found: frozenset[Keyword],
    target: frozenset[Keyword],
    merged: Merged,
    wanted: Wanted,
    policy: Policy,
) -> PacketEdit:
    # Spelled as this packet spells them: two spellings of one node are two nodes (R17).
    add = frozenset(respell_path(keyword, found) for keyword in target - found)
    return edit_fields(
        state.fields,
        found,
        add,
        found - target,
        flat=policy.profile.flat,
        unlisted=policy.unlisted,
        ours=merged.base.flats,
        # A flat keyword that a person took out while a path of ours still needed its word.
        freely=merged.removed
        | wanted.by_person
        | frozenset(keyword for keyword in wanted.vetoed if len(keyword.path) == 1),
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
    after[profile] = mine - wanted.taken_over - wanted.released
    return MappingProxyType({name: kept for name, kept in sorted(after.items()) if kept})


def _flats(
    snapshot: Snapshot, merged: Merged, edits: list[PacketEdit], target: frozenset[Keyword]
) -> frozenset[str]:
    """Words of `dc:subject` that we added and that still stand in some carrier.

    One that stood in another carrier before us, or is a keyword of its own, is not ours.
    """
    ours = {fold(word) for word in merged.base.flats}
    theirs = {keyword.key[0] for keyword in target if len(keyword.path) == 1} | {
        fold(word)
        for state in snapshot.carriers
        for word in state.fields.flat or ()
        if fold(word) not in ours
    }
    added = merged.base.flats.union(*(edit.flat_add for edit in edits))
    standing = frozenset[str]().union(
        *(
            after_edit(state.fields, edit).flat or ()
            for state, edit in zip(snapshot.carriers, edits, strict=True)
        )
    )
    return frozenset(word for word in added & standing if fold(word) not in theirs)


def _standing_in(state: CarrierState, edit: PacketEdit, words: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(words.intersection(after_edit(state.fields, edit).flat or ())))


def _after(
    merged: Merged,
    wanted: Wanted,
    agreed: frozenset[Keyword],
    written: Mapping[str, frozenset[Keyword]],
    mark: str,
    flats: frozenset[str],
) -> MergeBase:
    restored = frozenset(edit.keyword for edit in wanted.edits if edit.author is Author.RESTORE)
    missing = merged.missing - agreed - wanted.vetoed - wanted.settled
    return MergeBase(
        agreed=agreed,
        written=written,
        vetoed=wanted.vetoed,
        missing=missing,
        restored=(merged.base.restored | restored) - wanted.settled,
        unseen=merged.restorable & missing,
        flats=flats,
        mark=mark,
        beside=merged.beside,
    )


def _worth_telling(
    snapshot: Snapshot, merged: Merged, vetoed: frozenset[Keyword], policy: Policy
) -> frozenset[Keyword]:
    """The vetoes that our block lists: of keywords that we wrote or could suggest.

    Others that a person took out are nobody's business who gets the file.
    """
    ours = merged.base.ours.union(policy.vocabulary)
    for state in snapshot.carriers:
        if state.block is not None:
            ours |= listed_in(state.block) | frozenset(state.block.vetoed)
    return vetoed & ours


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
    vetoed: frozenset[Keyword],
    target: frozenset[Keyword],
) -> bool:
    """Whether a person's decision has to go into a block that is there.

    What they decide through us always does. What they did elsewhere mostly shows by itself: a
    keyword that the block lists and the packet lacks was taken out. It has to be written where
    the packets alone, should the ledger be lost, would say something else: that a keyword of
    theirs is ours, or nothing of a veto.
    """
    ours = NOTHING.union(*written.values())
    known = NOTHING
    blocks = False
    for state, found in zip(snapshot.carriers, merged.found, strict=True):
        if state.block is None:
            continue
        blocks = True
        listed = listed_in(state.block)
        if wanted.write_block and (frozenset(state.block.vetoed) != vetoed or listed != ours):
            return True
        if (listed & target) - ours:
            return True
        known |= frozenset(state.block.vetoed) | (listed - found)
    return blocks and bool(
        vetoed - known or (wanted.write_block and wanted.settled & merged.removed)
    )


def _former_facts(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    for state in snapshot.carriers:
        if state.block is not None:
            return state.block.facts
    return ()


def _sidecar_for(snapshot: Snapshot, state: CarrierState) -> str | None:
    """The owner that a new sidecar of a raw file names, as Lightroom does: `CR3` (R28)."""
    photo = snapshot.photo
    own = photo.kind is FileKind.RAW and state.carrier == photo.carriers[0]
    if state.fingerprint != ABSENT or not own:
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
    notes += [
        f"{spared.path.name} is not written into: {spared.detail}"
        for spared in snapshot.photo.spared
        if spared.detail
    ]
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
        learned=tuple(
            sorted(_worth_telling(snapshot, merged, after.vetoed - merged.assumed.vetoed, policy))
        ),
        notes=(*notes, *wanted.notes, *(wanted.texts.notes if wanted.texts else ())),
        texts=wanted.texts.changes if wanted.texts else (),
    )
