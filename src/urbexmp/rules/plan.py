"""From what is wanted, found and last agreed to a change: the decision, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from urbexmp.model.change import NOTHING, Author, Change, Edit, EditKind, MergeBase
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Snapshot
from urbexmp.model.profile import EMPTY_OR_OURS, Profile
from urbexmp.model.proposal import Proposal, Reason, Suggestion
from urbexmp.model.text import TextField
from urbexmp.rules.assemble import Wanted, assemble
from urbexmp.rules.fields import lists_ancestors, respell_path
from urbexmp.rules.merge import Answers, Merged, Told, merge, with_vetoes
from urbexmp.rules.photo_texts import Said, plan_texts
from urbexmp.rules.single_value import clean

HELD_UNSURE = "below the threshold"
HELD_AGAIN = "it went away since it was written, and nobody was seen taking it out"


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
    merged = merged_for(
        snapshot, base, told, policy, Answers(emptied=True if policy.accept_emptied else None)
    )
    without = merged.vetoed | merged.missing
    ancestors = any(lists_ancestors(state.fields, without) for state in snapshot.carriers)
    there = merged.current.union(*merged.beside.values())
    spelled_as = (there, policy.spellings)
    suggestions = _suggested(proposal.suggestions, spelled_as, ancestors=ancestors)
    unsure = _suggested(proposal.unsure, spelled_as, ancestors=ancestors)
    proposed = frozenset(suggestions)
    settled = merged.current.union(merged.vetoed, *merged.beside.values())
    if policy.profile.missing == "never":
        settled |= merged.missing
    wanted = [
        _add(merged, keyword, suggestion, policy)
        for keyword, suggestion in suggestions.items()
        if keyword not in settled
    ]
    wanted += [
        replace(_add(merged, keyword, suggestion, policy), author=Author.MODEL, hold=HELD_UNSURE)
        for keyword, suggestion in unsure.items()
        if keyword not in settled | proposed
    ]
    mine = merged.written.get(policy.profile.name, NOTHING)
    unwanted = mine - proposed if policy.profile.retract and not merged.doubts else NOTHING
    others = NOTHING.union(
        *(theirs for name, theirs in merged.written.items() if name != policy.profile.name)
    )
    wanted += [Edit(EditKind.REMOVE, keyword) for keyword in sorted(unwanted - others)]
    texts = None
    if not merged.doubts:
        said = said_texts(proposal, policy.profile)
        texts = plan_texts(snapshot, merged, said, missing=policy.profile.missing)
    return assemble(
        snapshot,
        merged,
        Wanted(
            edits=tuple(edit for edit in wanted if not edit.hold),
            held=tuple(edit for edit in wanted if edit.hold),
            vetoed=merged.vetoed,
            owned=proposed & NOTHING.union(*merged.written.values()),
            released=unwanted & others,
            facts=proposal.facts(),
            notes=tuple(doubt.why for doubt in merged.doubts),
            texts=texts,
        ),
        policy,
    )


def said_texts(proposal: Proposal, profile: Profile) -> dict[TextField, Said]:
    """What the stages say, as far as the profile wants it written."""
    policies = {
        TextField.DESCRIPTION: profile.write_description,
        TextField.ALT_TEXT: profile.write_alt_text,
    }
    return {
        field: Said(cleaned, stage)
        for field, text, stage in proposal.texts
        if policies[field] == EMPTY_OR_OURS and (cleaned := clean(text))
    }


def merged_for(
    snapshot: Snapshot,
    base: MergeBase | None,
    told: Told,
    policy: Policy,
    answers: Answers | None = None,
) -> Merged:
    """The merge under a policy."""
    return merge(
        snapshot,
        base,
        told,
        flat=policy.profile.flat,
        unlisted=policy.unlisted,
        answers=answers,
    )


def _suggested(
    suggestions: Iterable[Suggestion],
    spelled_as: tuple[frozenset[Keyword], ...],
    *,
    ancestors: bool,
) -> dict[Keyword, Suggestion]:
    """Suggestions by keyword, spelled as the file, the library, the taxonomy spell them.

    With `ancestors` the packet lists those too.
    """
    spelled: dict[Keyword, Suggestion] = {}
    for suggestion in suggestions:
        keyword = respell_path(suggestion.keyword, *spelled_as)
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


def _add(merged: Merged, keyword: Keyword, suggestion: Suggestion, policy: Policy) -> Edit:
    hold, author = None, Author.MODEL
    again = keyword in merged.missing
    if merged.doubts:
        hold = merged.doubts[0].why
    elif again and keyword in merged.restorable and policy.profile.missing == "restore-once":
        author = Author.RESTORE
    elif again:
        hold = HELD_AGAIN
    return Edit(
        EditKind.ADD, keyword, author, suggestion.confidence, suggestion.reasons, again, hold
    )


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

    `confirm` takes over a keyword of ours, or one that waits for a person (`held`, missing, or in
    doubt); photos that have neither stay as they are. `refuse` vetoes, and takes out the keyword
    where it is ours; one that is the person's own is left to `remove`. `unveto` lifts a veto: the
    stages may suggest the keyword again.

    While the carriers contradict each other about what a person wants, only a command that names
    the keywords in doubt is carried out; all else it would write is held. A photo that lost all
    keywords in all carriers is written nevertheless: what went away stays missing.
    """
    answers = Answers(
        named=frozenset((*add, *remove, *confirm, *refuse, *unveto)),
        wanted=frozenset((*add, *confirm)),
    )
    merged = merged_for(snapshot, base, told, policy, answers)
    if merged.doubts and not merged.current:
        merged = merged_for(snapshot, base, told, policy, replace(answers, emptied=False))
    ours = NOTHING.union(*merged.written.values())
    # A veto that stands somewhere is what a doubt was about, and this command settles it.
    returned = merged.current & merged.base.vetoed
    waiting = held | merged.missing | returned | merged.answered
    confirmed = frozenset(confirm) & (ours | waiting)
    taken = (frozenset(add) | confirmed) - frozenset(unveto)
    going = (frozenset(remove) | frozenset(refuse) & (ours | returned)) & merged.current
    # To take out what waits to come back is to refuse it.
    standing = NOTHING.union(*merged.beside.values())
    vetoed = merged.vetoed | going | frozenset(remove) & (held | merged.missing | standing)
    vetoed |= frozenset(refuse) - merged.current
    vetoed = vetoed - taken - frozenset(unveto)
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
        for keyword in sorted(frozenset(refuse) & merged.current - ours - returned)
    )
    notes += tuple(
        f"{keyword} still stands in {place}, which is only read"
        for place, found in merged.beside.items()
        for keyword in sorted(found & frozenset((*remove, *going)))
    )
    wanted = Wanted(
        edits=tuple(edits),
        vetoed=vetoed,
        taken_over=taken,
        by_person=frozenset(remove) | going,
        settled=taken | going | frozenset((*remove, *refuse, *unveto)),
        write_block=True,
        notes=notes,
    )
    if not merged.doubts:
        return assemble(snapshot, merged, wanted, policy)
    refused = frozenset(refuse) - merged.current
    return _in_doubt(
        snapshot,
        merged,
        replace(wanted, vetoed=(merged.base.vetoed | refused) - frozenset(unveto)),
        policy,
    )


def _in_doubt(snapshot: Snapshot, merged: Merged, wanted: Wanted, policy: Policy) -> Change:
    """Hold the edits; keep the vetoes, which need no write."""
    why = merged.doubts[0].why
    held = tuple(replace(edit, hold=why) for edit in wanted.edits)
    change = assemble(
        snapshot,
        merged,
        replace(
            wanted,
            edits=(),
            held=held,
            notes=(*wanted.notes, f"{why}; say first whether that was meant"),
        ),
        policy,
    )
    return replace(change, after=with_vetoes(change.after, wanted.vetoed))
