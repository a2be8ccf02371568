"""The three-way merge: what a person did since our last write, and what follows from it.

A textbook merge has two stable sides and knows their ancestor. Ours has a model that changes its
mind, several profiles, and Lightroom, which may save an older packet over ours. A keyword of ours
that is gone may mean "a person took it away" or "they never saw it". The block in the packet tells
them apart: its mark names the write that the packet's last author had before them.

These rules go beyond the plain formula, each found by a case that broke a promise:

- Whatever a person took away is vetoed, their own keywords too: the vocabulary of another profile
  may hold them, and its stages would add them the next time.
- A block whose mark the ledger does not know was written from another state directory (a second
  machine, a lost ledger). What it lists as written and vetoed joins the base.
- A profile that suggests a keyword which another profile wrote owns it too: else the two would
  take turns at adding and retracting it.
- A field that is absent says nothing of the keywords that stood in it alone (R23).
- Ours is only what the block beside it lists as ours: a person may have typed into an older packet
  a keyword that we had written elsewhere, or taken one over from another state directory.
- Where the carriers contradict each other about a person's decision, nothing is written or
  learned until they have been asked: see `doubts`.
- A place that is only read (an image file that is spared, another program's sidecar) has nobody's
  block to go by, or an old one. What stood in it is kept in the base (`MergeBase.beside`) instead:
  nobody but people writes there, so what is gone was taken away, and what is new was typed. What
  was vetoed elsewhere and still stands there cannot be taken out, and does not come back by that.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from urbexmp.model.change import NOTHING, MergeBase
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import ABSENT, Block, CarrierKind, CarrierState, Snapshot
from urbexmp.rules.fields import found_keywords, hinted, respell_path, unsaid

Told = Callable[[str], frozenset[Keyword] | None]
"""All keywords agreed at the write of that mark; None when the ledger does not know it."""

EMPTIED_LEAST = 2
"""A carrier that lost all of at least so many keywords at once is held for a person."""

EMPTIED = "all keywords of {carrier} went away at once"
RETURNED = "{keywords} was taken out before, and stands in {carrier} again"
CONTESTED = "{keywords} was taken out of one file, and added to {carrier}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One carrier against what its last author had been told."""

    state: CarrierState
    found: frozenset[Keyword]
    told: frozenset[Keyword]
    gone: frozenset[Keyword]
    """Seen there by its last author, and taken away."""
    typed: frozenset[Keyword]
    """Put there by somebody to whom nobody had told of it: a person's own doing, for sure.

    Without a block that the ledger knows nothing is sure: the packet may be one from before our
    first write, or hold a person's keywords that another state directory knows of.
    """


@dataclass(frozen=True, slots=True)
class Doubt:
    """A carrier that leaves open what a person wants, and the keywords concerned."""

    state: CarrierState
    keywords: frozenset[Keyword]
    why: str
    emptied: bool = False


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
    """What the carriers hold or, from an image file that is only read, are to hold."""
    beside: Mapping[str, frozenset[Keyword]]
    """What stands in each place that is only read, by file name."""
    removed: frozenset[Keyword]
    """Seen, and taken away by a person, in any carrier."""
    vetoed: frozenset[Keyword]
    missing: frozenset[Keyword]
    restorable: frozenset[Keyword]
    """Missing keywords of ours that went away together with our block, for the first time."""
    written: Mapping[str, frozenset[Keyword]]
    """Ours by profile, as far as they still stand."""
    answered: frozenset[Keyword]
    """Keywords that would be in doubt, had the person's command not named them."""
    doubts: tuple[Doubt, ...]
    """While there is one, nothing is written and nothing is learned."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person says about doubts."""

    named: frozenset[Keyword] = NOTHING
    """Keywords that their command names, whatever it says of them."""
    wanted: frozenset[Keyword] = NOTHING
    """Keywords that they want there: a carrier that lost these was not emptied on purpose."""
    emptied: bool | None = None
    """Whether emptied carriers were emptied on purpose; None: they do not say."""


def merge(
    snapshot: Snapshot,
    base: MergeBase | None,
    told: Told,
    *,
    flat: str,
    unlisted: frozenset[Keyword],
    answers: Answers | None = None,
) -> Merged:
    """Merge what the carriers hold with what was last agreed.

    `flat` and `unlisted` say which words of a path stand in `dc:subject` (`fields.flat_words`).
    """
    answers = answers or Answers()
    assumed = base if base is not None else MergeBase()
    base = with_blocks(base, snapshot, told)
    readings = [_read(state, base, told, flat, unlisted) for state in snapshot.carriers]
    everything = _union(*(reading.found for reading in readings))
    places = [_read_beside(state, base, told, everything) for state in snapshot.elsewhere]
    carriers = len(readings)
    readings += places
    doubts: list[Doubt] = []
    for number, reading in enumerate(readings):
        if reading.found or len(reading.gone) < EMPTIED_LEAST or answers.emptied:
            continue
        if answers.emptied is False or answers.wanted & reading.gone:
            readings[number] = replace(reading, gone=NOTHING)
        elif not reading.gone <= answers.named:
            why = EMPTIED.format(carrier=reading.state.carrier.path.name)
            doubts.append(Doubt(reading.state, reading.gone, why, emptied=True))
    removed = _union(*(reading.gone for reading in readings))
    if answers.emptied and not everything:
        removed |= base.agreed
    readings, places = readings[:carriers], readings[carriers:]
    typed = _union(*(reading.typed for reading in (*readings, *places)))
    returned, contested = _in_question(readings, base, removed, typed)
    doubts += _doubts([*readings, *places], returned, contested, answers.named)
    everything |= _copied(places, base.vetoed - typed)
    current = everything - removed
    vetoed = (base.vetoed | removed) - current
    missing = (base.missing | (base.agreed - current - removed)) - vetoed - current
    if doubts:
        current, removed, vetoed = everything, NOTHING, base.vetoed
        missing = (base.missing | base.agreed) - vetoed - everything
    restorable = _restorable(readings, base, missing, everything) | base.unseen & missing
    return Merged(
        assumed=assumed,
        base=base,
        found=tuple(reading.found for reading in readings),
        current=current,
        beside=MappingProxyType({_place(each.state): each.found for each in places}),
        removed=removed,
        vetoed=vetoed,
        missing=missing,
        restorable=NOTHING if doubts else restorable - base.restored,
        written=_still_ours(readings, places, base, current),
        answered=(returned | contested) & answers.named,
        doubts=tuple(doubts),
    )


def with_blocks(base: MergeBase | None, snapshot: Snapshot, told: Told) -> MergeBase:
    """The base, with what blocks of unknown marks say; from the blocks alone when it is None."""
    known = base if base is not None else MergeBase()
    written = {profile: set(mine) for profile, mine in known.written.items()}
    vetoed, agreed, flats, mark = known.vetoed, known.agreed, known.flats, known.mark
    # The block of a place that is only read grows old: it counts only where nothing else does.
    for state in (*snapshot.carriers, *(snapshot.elsewhere if base is None else ())):
        block = state.block
        if block is None or (base is not None and told(block.mark) is not None):
            continue
        for entry in block.written:
            written.setdefault(entry.profile, set()).add(entry.keyword)
        listed = listed_in(block)
        vetoed |= frozenset(block.vetoed)
        flats |= frozenset(block.flats)
        agreed |= told(block.mark) or listed
        if base is None:
            mark = mark or block.mark
    frozen = {profile: frozenset(mine) for profile, mine in written.items()}
    known = replace(known, agreed=agreed, written=MappingProxyType(frozen), flats=flats, mark=mark)
    # A veto outlives what another directory wrote in ignorance of it.
    return with_vetoes(replace(known, missing=known.missing - agreed), vetoed)


def with_vetoes(base: MergeBase, vetoed: frozenset[Keyword]) -> MergeBase:
    """The base with these vetoes: what is vetoed is neither ours nor missed."""
    written = {profile: mine - vetoed for profile, mine in base.written.items()}
    missing = base.missing - vetoed
    return replace(
        base,
        written=MappingProxyType({profile: mine for profile, mine in written.items() if mine}),
        vetoed=vetoed,
        missing=missing,
        unseen=base.unseen & missing,
    )


def listed_in(block: Block) -> frozenset[Keyword]:
    """The keywords that a block lists as written by us."""
    return frozenset(entry.keyword for entry in block.written)


def told_to(block: Block | None, told: Told) -> frozenset[Keyword]:
    """What the last author of a packet with this block had been told was in it."""
    if block is None:
        return NOTHING
    known = told(block.mark)
    return known if known is not None else listed_in(block)


def _read(
    state: CarrierState,
    base: MergeBase,
    told: Told,
    flat: str,
    unlisted: frozenset[Keyword],
) -> Reading:
    known = told_to(state.block, told)
    expected = base.agreed | base.ours | known
    if state.fields.hierarchical is None:
        # A flat keyword that was taken out may have left its word to a path.
        expected -= frozenset(keyword for keyword in base.vetoed if len(keyword.path) == 1)
        # Lightroom puts all words there. One word is a hint only where our block says that we
        # were here: a person may have typed it.
        full = hinted(state.fields, expected, "leaf+ancestors", unlisted, least=2)
        own = hinted(state.fields, expected, flat, unlisted)
        expected = full | own if state.block is not None else full
    found = found_keywords(state.fields, expected)
    put_there = state.block.flats if state.block is not None else ()
    gone = known - found - unsaid(state.fields, known, put_there)
    sure = state.block is not None and told(state.block.mark) is not None
    return Reading(state, found, known, gone, found - known if sure else NOTHING)


def _read_beside(
    state: CarrierState, base: MergeBase, told: Told, everything: frozenset[Keyword]
) -> Reading:
    """A place that is only read, against what stood there before."""
    before = base.beside.get(_place(state))
    known = told_to(state.block, told) if before is None else before
    found = found_keywords(state.fields, known | base.agreed | base.ours)
    sure = before is not None or (state.block is not None and told(state.block.mark) is not None)
    gone = known - found - unsaid(state.fields, known, ())
    if state.carrier.kind is CarrierKind.SIDECAR:
        # Another program's own list: what is taken off it is not suggested any more, and may
        # stand in ours all the same. One that is empty all of a sudden says nothing.
        gone = gone - everything if found else NOTHING
    return Reading(state, found, known, gone, found - known if sure else NOTHING)


def _place(state: CarrierState) -> str:
    return state.carrier.path.name


def _copied(places: Iterable[Reading], vetoed: frozenset[Keyword]) -> frozenset[Keyword]:
    """What image files hold that are only read: programs that prefer the sidecar must find it
    there."""
    inside = (each for each in places if each.state.carrier.kind is CarrierKind.EMBEDDED)
    return _union(*(each.found for each in inside)) - vetoed


def _in_question(
    readings: list[Reading],
    base: MergeBase,
    removed: frozenset[Keyword],
    typed: frozenset[Keyword],
) -> tuple[frozenset[Keyword], frozenset[Keyword]]:
    """Keywords of which the carriers do not say what a person wants: returned, and contested.

    Returned: vetoed, and back in one carrier but not in all, by a person's hand or with an older
    packet. Contested: taken out of one carrier, and typed into another by somebody who had not
    been told of it. To spread these would bring back what a person removed; to take them out
    could remove what they added.
    """
    everywhere = readings[0].found.intersection(*(reading.found for reading in readings))
    somewhere = _union(*(reading.found for reading in readings))
    return (base.vetoed & somewhere) - removed - typed - everywhere, removed & typed


def _doubts(
    readings: list[Reading],
    returned: frozenset[Keyword],
    contested: frozenset[Keyword],
    answered: frozenset[Keyword],
) -> list[Doubt]:
    doubts = []
    for reading in readings:
        for keywords, why in (
            (contested & reading.typed, CONTESTED),
            (returned & reading.found, RETURNED),
        ):
            if not keywords <= answered:
                named = ", ".join(str(keyword) for keyword in sorted(keywords))
                carrier = reading.state.carrier.path.name
                doubts.append(
                    Doubt(reading.state, keywords, why.format(keywords=named, carrier=carrier))
                )
    return doubts


def _restorable(
    readings: list[Reading],
    base: MergeBase,
    missing: frozenset[Keyword],
    everything: frozenset[Keyword],
) -> frozenset[Keyword]:
    """Ours that went away as they do when an older packet is saved over ours.

    Such a save takes our last block along, and with it everything that only that block's author
    knew of. When some of those are still there, somebody chose, and is asked.
    """
    blocks = [reading.state.block for reading in readings]
    if any(block is not None and block.mark == base.mark for block in blocks):
        return NOTHING
    unseen = base.ours - _union(*(reading.told for reading in readings))
    if unseen & everything:
        return NOTHING
    return missing & unseen


def _still_ours(
    readings: list[Reading],
    places: list[Reading],
    base: MergeBase,
    current: frozenset[Keyword],
) -> Mapping[str, frozenset[Keyword]]:
    """Ours that still stand. One that a person has respelled since is theirs from then on.

    So is one in a packet whose block does not list it. A packet without a block lost that on the
    way, or is one from before it: where some of ours are not in it, which of the two cannot be
    told, and the rest may be a person's.
    """
    theirs = set[Keyword]()
    for place in places:
        theirs |= place.found - (listed_in(place.state.block) if place.state.block else NOTHING)
    spelled = {keyword: keyword for keyword in base.ours}
    for reading in readings:
        block = reading.state.block
        if block is not None:
            theirs |= reading.found - listed_in(block)
        elif reading.state.fingerprint != ABSENT and base.ours - reading.found:
            theirs |= reading.found
        theirs |= {
            keyword
            for keyword in reading.found
            if keyword in spelled and _respelled(keyword, spelled[keyword], reading.found)
        }
    kept = {profile: mine & current - theirs for profile, mine in base.written.items()}
    return MappingProxyType({profile: mine for profile, mine in kept.items() if mine})


def _respelled(there: Keyword, ours: Keyword, found: frozenset[Keyword]) -> bool:
    """Whether `there` is spelled neither as we did nor as its packet would have had us do it."""
    if _same_spelling(there, ours):
        return False
    return not _same_spelling(there, respell_path(ours, found - {there}))


def _same_spelling(one: Keyword, other: Keyword) -> bool:
    return one.path == other.path or all(
        unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b)
        for a, b in zip(one.path, other.path, strict=True)
    )


def _union(*sets: frozenset[Keyword]) -> frozenset[Keyword]:
    return NOTHING.union(*sets)
