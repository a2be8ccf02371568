"""Learn what people think of our keywords from what they do with them.

A keyword that is still there says nothing by itself: perhaps nobody looked. So it counts as kept
only where a person did something else to the keywords of the same photo after we wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from urbexmp.model.change import NOTHING, Change, Edit
from urbexmp.model.feedback import Judged, Judgement
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, BlockEntry, Snapshot


@dataclass(frozen=True, slots=True)
class Asking:
    """What a judgement depends on beside the change itself."""

    vocabulary: Collection[Keyword]
    """The terms that a stage could suggest; only asked what is in it, so a mapping will do."""
    stages: tuple[str, ...]
    """Ids of the profile's stages."""
    held: Callable[[], tuple[Edit, ...]]
    """What waited for a person in this photo; asked only where it matters."""
    proposed: frozenset[Keyword] = NOTHING
    """What the stages suggest now."""
    known: bool = True
    """Whether the photo was dealt with before: else its keywords are nobody's answer to us."""
    command: bool = False
    """A command of ours says it, of one keyword and many photos: nobody looked at the others."""
    undoing: bool = False
    """A run is taken back, which says nothing of single keywords."""


def judge(snapshot: Snapshot, change: Change, asking: Asking) -> tuple[Judgement, ...]:
    """What the person who worked on this photo since our last write did with our keywords.

    `snapshot` is the photo as it was found, `change` what was decided about it.
    """
    base, after = change.base, change.after
    blocks = [state.block for state in snapshot.carriers if state.block is not None]
    entries = {entry.keyword: entry for block in blocks for entry in block.written}
    if asking.undoing:
        again = (base.vetoed - after.vetoed) | (after.ours - base.ours)
        return tuple(Judgement(Judged.WITHDRAWN, keyword) for keyword in sorted(again))
    ours = base.ours | frozenset(entries)
    vetoed = after.vetoed - base.vetoed
    lifted = base.vetoed - after.vetoed
    taken = (ours - after.ours - after.vetoed) & after.agreed
    known = asking.known or bool(base.mark or base.agreed)
    added = _added(change, ours, asking.vocabulary) if known or asking.command else NOTHING
    if not (vetoed or lifted or taken or added):
        return ()
    held = {edit.keyword: edit for edit in asking.held()}
    found = [Judgement(Judged.WITHDRAWN, keyword) for keyword in lifted - taken]
    found += _vetoes(vetoed, ours, held, entries, blocks, change.profile)
    found += [_of_ours(Judged.CONFIRMED, keyword, entries) for keyword in taken]
    for keyword in added:
        if keyword in held:
            found.append(_of_held(Judged.ACCEPTED, held[keyword], change.profile))
        elif known and keyword not in asking.proposed:
            found.append(
                Judgement(Judged.ADDED, keyword, "", change.profile, missed_by=asking.stages)
            )
    if not found:
        return ()
    if not asking.command:
        found += [_of_ours(Judged.KEPT, keyword, entries) for keyword in ours & after.ours]
    # In the vocabulary's spelling, so that a keyword spelled in two ways has one judgement.
    spelling = {keyword: keyword for keyword in asking.vocabulary}
    spelled = (replace(each, keyword=spelling.get(each.keyword, each.keyword)) for each in found)
    return tuple(sorted(spelled, key=lambda each: each.keyword))


def _added(
    change: Change, ours: frozenset[Keyword], vocabulary: Collection[Keyword]
) -> frozenset[Keyword]:
    """Keywords of the vocabulary that a person added since we were here last."""
    base, after = change.base, change.after
    new = after.agreed - base.agreed - after.ours - ours - base.missing - base.vetoed
    new = frozenset(keyword for keyword in new if keyword in vocabulary)
    # A packet may list the ancestors of a keyword beside it; they were not chosen by themselves.
    # Nor was a word of ours in `dc:subject` that somebody left there when its path went.
    above = frozenset(node for keyword in new for node in keyword.ancestors())
    left = frozenset(Keyword((word,)) for word in base.flats)
    return new - above - left


def _vetoes(
    vetoed: frozenset[Keyword],
    ours: frozenset[Keyword],
    held: dict[Keyword, Edit],
    entries: dict[Keyword, BlockEntry],
    blocks: Iterable[Block],
    profile: str,
) -> list[Judgement]:
    told = frozenset(keyword for block in blocks for keyword in block.vetoed)
    found = []
    for keyword in vetoed:
        if keyword in ours:
            found.append(_of_ours(Judged.REMOVED, keyword, entries))
        elif keyword in held:
            found.append(_of_held(Judged.DECLINED, held[keyword], profile))
        elif keyword not in told:
            found.append(Judgement(Judged.OTHER, keyword))
        # Else only the packet remembers it (the ledger is new): whose it was, nobody knows.
    return found


def _of_ours(kind: Judged, keyword: Keyword, entries: dict[Keyword, BlockEntry]) -> Judgement:
    entry = entries.get(keyword)
    if entry is None:
        return Judgement(kind, keyword)
    return Judgement(kind, keyword, entry.stage, entry.profile)


def _of_held(kind: Judged, edit: Edit, profile: str) -> Judgement:
    stage = edit.reasons[0].stage if edit.reasons else ""
    return Judgement(kind, edit.keyword, stage, profile)
