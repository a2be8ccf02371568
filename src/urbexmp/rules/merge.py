"""The three-way merge: what a person did since our last write, and what follows from it.

A textbook merge has two stable sides and knows their ancestor. Ours has a model that changes its
mind, several profiles, and Lightroom, which may save an older packet over ours. A keyword of ours
that is gone may mean "a person took it away" or "they never saw it". The block in the packet tells
them apart: its mark names the write that the packet's last author had before them.

Three rules go beyond the plain formula, each found by a case that broke a promise:

- A keyword of the *vocabulary* that a person took away is vetoed even when it was theirs and not
  ours: else the stages, which found it there before, would add it the next time.
- A block whose mark the ledger does not know was written from another state directory (a second
  machine, a lost ledger). What it lists as written and vetoed joins the base.
- A profile that suggests a keyword which another profile wrote owns it too: else the two would
  take turns at adding and retracting it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from urbexmp.model.change import NOTHING, MergeBase
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, CarrierState, Snapshot
from urbexmp.rules.fields import found_keywords

Told = Callable[[str], frozenset[Keyword] | None]
"""All keywords agreed at the write of that mark; None when the ledger does not know it."""

EMPTIED_LEAST = 2
"""A carrier that lost all of at least so many keywords at once is held for a person."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What the carriers and the base say together, before anything is proposed."""

    assumed: MergeBase
    """The base as the ledger has it; an empty one where it has none."""
    base: MergeBase
    """The same, with what blocks of unknown marks add to it."""
    found: tuple[frozenset[Keyword], ...]
    """By carrier, in the snapshot's order."""
    current: frozenset[Keyword]
    vetoed: frozenset[Keyword]
    missing: frozenset[Keyword]
    restorable: frozenset[Keyword]
    """Missing keywords of ours that went away together with our block, for the first time."""
    written: Mapping[str, frozenset[Keyword]]
    """Ours by profile, as far as they still stand."""
    emptied: tuple[CarrierState, ...]
    """Carriers that lost everything at once; while there is one, nothing is learned."""


def merge(
    snapshot: Snapshot,
    base: MergeBase | None,
    told: Told,
    vocabulary: frozenset[Keyword],
    *,
    accept_emptied: bool = False,
) -> Merged:
    """Merge what the carriers hold with what was last agreed.

    `vocabulary` holds the terms that a stage could suggest. `accept_emptied` says that a person
    emptied the carriers on purpose.
    """
    assumed = base if base is not None else MergeBase()
    base = with_blocks(base, snapshot, told)
    expected = base.agreed | base.ours
    found = tuple(found_keywords(state.fields, expected) for state in snapshot.carriers)
    everything = _union(*found)
    lost = [
        (state, told_to(state.block, told) - held)
        for state, held in zip(snapshot.carriers, found, strict=True)
    ]
    emptied = tuple(
        state
        for (state, gone), held in zip(lost, found, strict=True)
        if not held and len(gone) >= EMPTIED_LEAST and not accept_emptied
    )
    if emptied:
        return Merged(
            assumed,
            base,
            found,
            everything,
            base.vetoed - everything,
            (base.missing | base.agreed) - base.vetoed - everything,
            NOTHING,
            _still_ours(base, everything),
            emptied,
        )
    removed = _union(*(gone for _, gone in lost))
    if accept_emptied and not everything:
        removed |= base.agreed
    current = everything - removed
    vetoed = (base.vetoed | (removed & (base.ours | vocabulary))) - current
    gone_unseen = base.agreed - current - removed
    missing = (base.missing | gone_unseen) - vetoed - current
    return Merged(
        assumed,
        base,
        found,
        current,
        vetoed,
        missing,
        _restorable(snapshot, base, told, missing, everything),
        _still_ours(base, current),
        (),
    )


def with_blocks(base: MergeBase | None, snapshot: Snapshot, told: Told) -> MergeBase:
    """The base, with what blocks of unknown marks say; from the blocks alone when it is None."""
    known = base if base is not None else MergeBase()
    written = {profile: set(mine) for profile, mine in known.written.items()}
    vetoed, agreed, flats, mark = known.vetoed, known.agreed, known.flats, known.mark
    for state in snapshot.carriers:
        block = state.block
        if block is None or (base is not None and told(block.mark) is not None):
            continue
        for entry in block.written:
            written.setdefault(entry.profile, set()).add(entry.keyword)
        listed = frozenset(entry.keyword for entry in block.written)
        vetoed |= frozenset(block.vetoed)
        flats |= frozenset(block.flats)
        if base is None:
            agreed |= told(block.mark) or listed
            mark = mark or block.mark
    frozen = {profile: frozenset(mine) for profile, mine in written.items() if mine}
    return replace(
        known,
        agreed=agreed,
        written=MappingProxyType(frozen),
        vetoed=vetoed,
        flats=flats,
        mark=mark,
    )


def told_to(block: Block | None, told: Told) -> frozenset[Keyword]:
    """What the last author of a packet with this block had been told was in it."""
    if block is None:
        return NOTHING
    known = told(block.mark)
    return known if known is not None else frozenset(entry.keyword for entry in block.written)


def _restorable(
    snapshot: Snapshot,
    base: MergeBase,
    told: Told,
    missing: frozenset[Keyword],
    everything: frozenset[Keyword],
) -> frozenset[Keyword]:
    """Ours that went away as they do when an older packet is saved over ours.

    Such a save takes our last block along, and with it everything that only that block's author
    knew of. When some of those are still there, somebody chose, and is asked.
    """
    if any(
        state.block is not None and state.block.mark == base.mark for state in snapshot.carriers
    ):
        return NOTHING
    known = _union(*(told_to(state.block, told) for state in snapshot.carriers))
    unseen = base.ours - known
    if unseen & everything:
        return NOTHING
    return (missing & base.ours) - base.restored


def _still_ours(base: MergeBase, current: frozenset[Keyword]) -> Mapping[str, frozenset[Keyword]]:
    """Ours that still stand. One that a person has respelled since is theirs from then on."""
    spelled = {keyword: keyword for keyword in current}
    kept = {
        profile: frozenset(
            keyword
            for keyword in mine
            if keyword in spelled and _same_spelling(keyword, spelled[keyword])
        )
        for profile, mine in base.written.items()
    }
    return MappingProxyType({profile: mine for profile, mine in kept.items() if mine})


def _same_spelling(one: Keyword, other: Keyword) -> bool:
    return all(
        unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b)
        for a, b in zip(one.path, other.path, strict=True)
    )


def _union(*sets: frozenset[Keyword]) -> frozenset[Keyword]:
    return NOTHING.union(*sets)
