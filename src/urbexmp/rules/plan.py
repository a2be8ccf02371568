"""From what is wanted, found and last agreed to a change: the decision, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from urbexmp.model.change import NOTHING, Author, Change, Edit, EditKind, MergeBase
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Snapshot
from urbexmp.model.profile import Profile
from urbexmp.model.proposal import Proposal, Reason, Suggestion
from urbexmp.rules.assemble import Wanted, assemble
from urbexmp.rules.fields import lists_ancestors, respell_path
from urbexmp.rules.merge import Merged, Told, merge

HELD_UNSURE = "below the threshold"
HELD_AGAIN = "it went away since it was written, and nobody was seen taking it out"
HELD_EMPTIED = "all keywords of {carrier} went away at once"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a decision depends on beside the photo."""

    profile: Profile
    mark: str
    """Name of the write, should there be one."""
    at: str
    """Time of the write, ISO 8601, UTC."""
    unlisted: frozenset[Keyword] = NOTHING
    """Nodes of the taxonomy that only group others: kept out of `dc:subject`."""
    spellings: frozenset[Keyword] = NOTHING
    """How the library, then the taxonomy, spells its keywords."""
    vocabulary: frozenset[Keyword] = NOTHING
    """The terms that a stage could suggest."""
    accept_emptied: bool = False
    """A person says that carriers which lost all their keywords were emptied on purpose."""


def plan(
    snapshot: Snapshot,
    base: MergeBase | None,
    told: Told,
    proposal: Proposal,
    policy: Policy,
) -> Change:
    """The change that brings the photo to what is proposed, as far as no person says otherwise."""
    merged = merge(snapshot, base, told, policy.vocabulary, accept_emptied=policy.accept_emptied)
    suggestions = _suggested(snapshot, merged, proposal.suggestions, policy)
    proposed = frozenset(suggestions)
    vetoed = merged.vetoed
    edits: list[Edit] = []
    held: list[Edit] = []
    for keyword, suggestion in suggestions.items():
        if keyword in merged.current or keyword in vetoed:
            continue
        edit = _add(merged, keyword, suggestion)
        (held if edit.hold else edits).append(edit)
    for keyword, suggestion in _suggested(snapshot, merged, proposal.unsure, policy).items():
        if keyword in merged.current or keyword in vetoed or keyword in proposed:
            continue
        edit = Edit(
            EditKind.ADD,
            keyword,
            confidence=suggestion.confidence,
            reasons=suggestion.reasons,
            again=keyword in merged.missing,
            hold=HELD_UNSURE,
        )
        (held if edit.hold else edits).append(edit)
    if policy.profile.retract and not merged.emptied:
        for keyword in sorted(_unwanted(merged, proposed, policy.profile.name)):
            edit = Edit(EditKind.REMOVE, keyword)
            (held if edit.hold else edits).append(edit)
    return assemble(
        snapshot,
        merged,
        Wanted(
            edits=tuple(edits),
            held=tuple(held),
            vetoed=vetoed,
            owned=proposed & frozenset().union(*merged.written.values()),
            facts=proposal.facts(),
            notes=tuple(
                HELD_EMPTIED.format(carrier=state.carrier.path.name) for state in merged.emptied
            ),
        ),
        policy,
    )


def _suggested(
    snapshot: Snapshot, merged: Merged, suggestions: Iterable[Suggestion], policy: Policy
) -> dict[Keyword, Suggestion]:
    """Suggestions by keyword, spelled as the file, the library, the taxonomy spell them."""
    spelled: dict[Keyword, Suggestion] = {}
    ancestors = any(lists_ancestors(state.fields) for state in snapshot.carriers)
    for suggestion in suggestions:
        keyword = respell_path(suggestion.keyword, merged.current, policy.spellings)
        nodes = (*keyword.ancestors(), keyword) if ancestors else (keyword,)
        for node in nodes:
            spelled.setdefault(node, _for_node(suggestion, node, keyword))
    return spelled


def _for_node(suggestion: Suggestion, node: Keyword, keyword: Keyword) -> Suggestion:
    if node == keyword:
        return suggestion
    note = f"the packet lists the ancestors of its keywords, and this is one of {keyword}"
    reasons = tuple(
        Reason(reason.stage, reason.label, reason.score, note) for reason in suggestion.reasons[:1]
    )
    return Suggestion(node, suggestion.confidence, reasons)


def _add(merged: Merged, keyword: Keyword, suggestion: Suggestion) -> Edit:
    hold, author = None, Author.MODEL
    again = keyword in merged.missing
    if merged.emptied:
        hold = HELD_EMPTIED.format(carrier=merged.emptied[0].carrier.path.name)
    elif again and keyword in merged.restorable:
        author = Author.RESTORE
    elif again:
        hold = HELD_AGAIN
    return Edit(
        EditKind.ADD, keyword, author, suggestion.confidence, suggestion.reasons, again, hold
    )


def _unwanted(merged: Merged, proposed: frozenset[Keyword], profile: str) -> frozenset[Keyword]:
    """Ours that this profile no longer suggests, and that no other profile wrote."""
    mine = merged.written.get(profile, NOTHING)
    others = NOTHING.union(*(theirs for name, theirs in merged.written.items() if name != profile))
    return mine - proposed - others


def person_edit(
    snapshot: Snapshot,
    base: MergeBase | None,
    told: Told,
    policy: Policy,
    *,
    add: tuple[Keyword, ...] = (),
    remove: tuple[Keyword, ...] = (),
    confirm: tuple[Keyword, ...] = (),
    refuse: tuple[Keyword, ...] = (),
    unveto: tuple[Keyword, ...] = (),
    held: frozenset[Keyword] = NOTHING,
) -> Change:
    """The change that a person asks for. What they add is theirs; what they take away is vetoed.

    `confirm` takes over a keyword of ours, or one of `held`, the edits that wait for a person;
    photos that have neither stay as they are. `refuse` vetoes, and takes out the keyword where it
    is ours; one that is the person's own is left to `remove`. `unveto` lifts a veto: the stages
    may suggest the keyword again.
    """
    # What a person says goes, even where everything else went away at once: that stays missing.
    merged = replace(merge(snapshot, base, told, policy.vocabulary), emptied=())
    ours = NOTHING.union(*merged.written.values())
    confirmed = frozenset(confirm) & (ours | held)
    taken = (frozenset(add) | confirmed) - frozenset(unveto)
    going = (frozenset(remove) | (frozenset(refuse) & ours)) & merged.current
    vetoed = merged.vetoed | frozenset(remove) & merged.current | frozenset(refuse) - merged.current
    vetoed = (vetoed | going) - taken - frozenset(unveto)
    edits = [
        Edit(
            EditKind.ADD,
            respell_path(keyword, merged.current, policy.spellings),
            Author.PERSON,
            reasons=(Reason("person", str(keyword), None),),
        )
        for keyword in sorted(taken - merged.current)
    ]
    edits += [Edit(EditKind.REMOVE, keyword, Author.PERSON) for keyword in sorted(going)]
    notes = tuple(
        f"{keyword} is not ours but a person's own; `urbexmp keyword remove` takes it out"
        for keyword in sorted(frozenset(refuse) & merged.current - ours)
    )
    return assemble(
        snapshot,
        merged,
        Wanted(
            edits=tuple(edits),
            vetoed=vetoed,
            taken_over=taken,
            by_person=frozenset(remove),
            settled=taken | going | frozenset(refuse) | frozenset(unveto),
            write_block=True,
            notes=notes,
        ),
        policy,
    )
