"""A person's answer about the texts of a photo: the stage's is taken, or what stands there stays.

Only what waits is answered, unless the photo itself was named: an answer for a folder must not run
over every caption that its owner ever typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from urbexmp.model.change import Change, Edit, MergeBase
from urbexmp.model.photo import Snapshot
from urbexmp.model.text import TextAnswer, TextBase, TextChange, TextEdit, TextField, text_digest
from urbexmp.rules.assemble import Wanted, assemble
from urbexmp.rules.merge import Merged, Told
from urbexmp.rules.photo_texts import CALLED, PhotoTexts, Said, places_of, plan_texts
from urbexmp.rules.plan import Policy, merged_for
from urbexmp.rules.single_value import take

STAYS = "the {called} stays as it is, and is not asked again"
NOT_SAID = "the stages say nothing for the {called}"
NOT_WAITING = "nothing waits for the {called}"
THERE = "the {called} is what the stage says already"


def answer_texts(
    snapshot: Snapshot,
    base: MergeBase | None,
    told: Told,
    wanted: Mapping[TextField, Said],
    answer: TextAnswer,
    policy: Policy,
    *,
    held: tuple[Edit, ...] = (),
) -> Change:
    """The change that an answer makes; `held` are the photo's keywords that go on waiting.

    What is taken is written over whatever stands there, into all carriers, and lifts a veto. What
    is kept changes the merge base alone. While the carriers contradict each other about keywords
    nothing is answered.
    """
    merged = merged_for(snapshot, base, told, policy)
    if merged.doubts:
        why = f"{merged.doubts[0].why}; say first whether that was meant"
        return assemble(snapshot, merged, Wanted(held=held, notes=(why,)), policy)
    made = _taken if answer.take else _kept
    texts = made(snapshot, merged, wanted, answer, policy.profile.missing)
    if answer.take:
        wish = Wanted(held=held, vetoed=merged.vetoed, texts=texts)
        return assemble(snapshot, merged, wish, policy)
    return Change(
        photo=snapshot.photo,
        photo_id=snapshot.photo_id,
        profile=policy.profile.name,
        base=merged.assumed,
        after=replace(merged.base, texts=texts.base),
        held=held,
        keeps=tuple(sorted(merged.current)),
        notes=texts.notes,
        texts=texts.changes,
    )


def _kept(
    snapshot: Snapshot,
    merged: Merged,
    wanted: Mapping[TextField, Said],
    answer: TextAnswer,
    missing: str,
) -> PhotoTexts:
    quiet = plan_texts(snapshot, merged, {}, missing=missing)
    waiting = _waiting(snapshot, merged, wanted, missing)
    bases = dict(quiet.base)
    notes, idle = [], []
    for field in answer.fields:
        if waiting.pop(field, None) is not None:
            bases[field.value] = replace(bases.get(field.value, TextBase()), kept=True)
            notes.append(STAYS.format(called=CALLED[field]))
        elif answer.named:
            idle.append(NOT_WAITING.format(called=CALLED[field]))
    return replace(
        quiet,
        base=MappingProxyType(bases),
        changes=tuple(waiting.values()),
        notes=(*quiet.notes, *(notes or idle)),
    )


def _taken(
    snapshot: Snapshot,
    merged: Merged,
    wanted: Mapping[TextField, Said],
    answer: TextAnswer,
    missing: str,
) -> PhotoTexts:
    quiet = plan_texts(snapshot, merged, {}, missing=missing)
    waiting = _waiting(snapshot, merged, wanted, missing)
    bases = dict(quiet.base)
    edits, listed = [list(each) for each in quiet.edits], [dict(each) for each in quiet.listed]
    changes: list[TextChange] = []
    notes: list[str] = []
    idle: list[str] = []
    for field in answer.fields:
        if field not in waiting and not answer.named:
            continue
        said, called = wanted.get(field), CALLED[field]
        if said is None:
            idle.append(NOT_SAID.format(called=called))
            continue
        places = places_of(snapshot, merged, field, restore=False)
        decision = take(places, bases.get(field.value, TextBase()), said.text)
        change = TextChange(
            field, decision.shown, said.text, said.stage, decision.hold or None, taken=True
        )
        if decision.hold:
            waiting[field] = change
            continue
        waiting.pop(field, None)
        bases[field.value] = decision.base
        notes += [f"the {called} {note}" for note in decision.notes]
        if decision.targets:
            changes.append(change)
        else:
            idle.append(THERE.format(called=called))
        for number, _ in enumerate(snapshot.carriers):
            value = places[number].value
            listed[number].pop(field.value, None)
            if number in decision.targets:
                edits[number].append(TextEdit(field, value, said.text))
            if number in decision.targets or value == said.text:
                listed[number][field.value] = text_digest(said.text)
    return PhotoTexts(
        MappingProxyType(bases),
        tuple(map(tuple, edits)),
        tuple(tuple(each.items()) for each in listed),
        (*changes, *waiting.values()),
        # Of a photo that was named something is said in any case.
        (*quiet.notes, *notes, *(() if changes else idle)),
    )


def _waiting(
    snapshot: Snapshot, merged: Merged, wanted: Mapping[TextField, Said], missing: str
) -> dict[TextField, TextChange]:
    changes = plan_texts(snapshot, merged, wanted, missing=missing).changes
    return {change.field: change for change in changes if change.hold is not None}
