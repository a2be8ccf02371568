"""The texts of one photo: what its carriers hold, are to hold, and what is then agreed.

`single_value` decides about one text; this brings it together with snapshot, base and block, and
says what every packet gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from urbexmp.model.change import MergeBase, Receipt
from urbexmp.model.photo import ABSENT, Carrier, CarrierState, Snapshot
from urbexmp.model.text import TextBase, TextChange, TextEdit, TextField, TextState, text_digest
from urbexmp.rules.merge import Merged
from urbexmp.rules.single_value import Place, decide, listed_after

CALLED = {TextField.DESCRIPTION: "description", TextField.ALT_TEXT: "alt text"}
"""The texts as people are told of them."""

_NONE = TextBase()

Listed = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A text that a stage wants."""

    text: str
    stage: str = ""


@dataclass(frozen=True, slots=True)
class PhotoTexts:
    """What becomes of the texts of a photo."""

    base: Mapping[str, TextBase]
    edits: tuple[tuple[TextEdit, ...], ...]
    """By carrier, in the snapshot's order."""
    listed: tuple[Listed, ...]
    """What the block of each carrier lists of texts, should it be written."""
    changes: tuple[TextChange, ...] = ()
    notes: tuple[str, ...] = ()


def plan_texts(
    snapshot: Snapshot, merged: Merged, wanted: Mapping[TextField, Said], *, missing: str
) -> PhotoTexts:
    """What sets the texts that are `wanted`, as far as no person says otherwise.

    `missing` is the profile's: whether what an older packet took away is put back.
    """
    known = merged.base.texts
    fields = [
        field
        for field in TextField
        if field in wanted or field.value in known or _in_blocks(snapshot, field)
    ]
    bases: dict[str, TextBase] = {}
    edits: list[list[TextEdit]] = [[] for _ in snapshot.carriers]
    listed: list[list[tuple[str, str]]] = [[] for _ in snapshot.carriers]
    changes: list[TextChange] = []
    notes: list[str] = []
    for field in fields:
        places = places_of(snapshot, merged, field, restore=missing == "restore-once")
        said = wanted.get(field)
        text = said.text if said is not None else None
        decision = decide(places, known.get(field.value, _NONE), text)
        if decision.base != _NONE:
            bases[field.value] = decision.base
        notes += [f"the {CALLED[field]} {note}" for note in decision.notes]
        for number, _ in enumerate(snapshot.carriers):
            place, value = places[number], places[number].value
            if number in decision.targets:
                edits[number].append(TextEdit(field, value, text))
                value = text
            digest = listed_after(place, decision.base, value)
            if digest:
                listed[number].append((field.value, digest))
        if said is not None and (decision.targets or decision.hold):
            hold = decision.hold or None
            after = None if decision.base.vetoed else said.text
            told = said.text if after is None else ""
            changes.append(TextChange(field, decision.shown, after, said.stage, hold, told))
    return PhotoTexts(
        MappingProxyType(bases),
        tuple(map(tuple, edits)),
        tuple(map(tuple, listed)),
        tuple(changes),
        tuple(notes),
    )


def take_back_texts(snapshot: Snapshot, merged: Merged, receipt: Receipt) -> PhotoTexts:
    """What takes a receipt's texts back where they stand as it left them."""
    texts = plan_texts(snapshot, merged, {}, missing="never")
    bases = dict(texts.base)
    edits, listed = [list(each) for each in texts.edits], [dict(each) for each in texts.listed]
    changes = []
    for made in receipt.change.texts:
        if made.hold is not None or made.after is None:
            continue
        places = places_of(snapshot, merged, made.field, restore=False)
        here = [
            number
            for number, _ in enumerate(snapshot.carriers)
            if places[number].value == made.after
            and not places[number].fixed
            and _wrote(receipt, snapshot.carriers[number].carrier, made)
        ]
        if not here:
            continue
        former = receipt.change.base.texts.get(made.field.value, _NONE)
        for number in here:
            before = _stood(receipt, snapshot.carriers[number].carrier, made)
            edits[number].append(TextEdit(made.field, made.after, before))
            listed[number].pop(made.field.value, None)
            digest = text_digest(before) if before is not None else ""
            if made.taken:
                # What a person took may have stood over a text of their own: that is not ours.
                place = replace(places[number], value=before, listed="")
                digest = listed_after(place, former, before)
            if digest:
                listed[number][made.field.value] = digest
        now = bases.get(made.field.value, _NONE)
        bases[made.field.value] = _since(former, now)
        changes.append(TextChange(made.field, made.after, made.before))
    return replace(
        texts,
        base=_worth(bases),
        edits=tuple(map(tuple, edits)),
        listed=tuple(tuple(each.items()) for each in listed),
        changes=tuple(changes),
    )


def texts_before(receipt: Receipt, base: MergeBase) -> Mapping[str, TextBase]:
    """What is agreed about texts once a receipt's bytes are put back: as before it, with the
    refusals since."""
    bases = dict(receipt.change.base.texts)
    for name, now in base.texts.items():
        if now.vetoed or now.kept:
            bases[name] = _since(bases.get(name, _NONE), now)
    return _worth(bases)


def reversed_texts(receipt: Receipt) -> tuple[TextChange, ...]:
    """A receipt's texts the other way round."""
    return tuple(
        TextChange(made.field, made.after, made.before)
        for made in receipt.change.texts
        if made.hold is None
    )


def _since(former: TextBase, now: TextBase) -> TextBase:
    """What was agreed before, with the refusals since."""
    return replace(former, vetoed=former.vetoed or now.vetoed, kept=former.kept or now.kept)


def _wrote(receipt: Receipt, carrier: Carrier, made: TextChange) -> bool:
    """Whether a text came to a carrier by a receipt, and did not stand there before.

    Of a carrier that had another name then it cannot be told, and counts as so.
    """
    edits = [w.edit for w in receipt.change.writes if w.carrier == carrier and w.edit is not None]
    return not edits or any(text.field is made.field for edit in edits for text in edit.texts)


def _stood(receipt: Receipt, carrier: Carrier, made: TextChange) -> str | None:
    """What a carrier said before a text was written there; not all said the same."""
    for write in receipt.change.writes:
        for edit in write.edit.texts if write.edit is not None else ():
            if write.carrier == carrier and edit.field is made.field:
                return edit.before
    return made.before


def _worth(bases: Mapping[str, TextBase]) -> Mapping[str, TextBase]:
    return MappingProxyType({name: base for name, base in bases.items() if base != _NONE})


def _in_blocks(snapshot: Snapshot, field: TextField) -> bool:
    states = (*snapshot.carriers, *snapshot.elsewhere)
    return any(_listed(state, field) for state in states)


def _listed(state: CarrierState, field: TextField) -> str:
    texts = state.block.texts if state.block is not None else ()
    return dict(texts).get(field.value, "")


def places_of(
    snapshot: Snapshot, merged: Merged, field: TextField, *, restore: bool
) -> list[Place]:
    """The carriers, in the snapshot's order, and then what is only read."""
    ours = merged.base.ours
    places = []
    for state, found in zip(snapshot.carriers, merged.found, strict=True):
        older = restore and bool(ours) and state.block is None and not ours & found
        places.append(_place(state, field, older=older, readonly=False))
    places += [_place(state, field, older=False, readonly=True) for state in snapshot.elsewhere]
    if snapshot.own_texts:
        places.append(Place(snapshot.photo.path.name, None, readonly=True, unknown=True))
    if field is TextField.DESCRIPTION and snapshot.caption is not None:
        # Lightroom shows it as the Caption of a photo whose packet has none.
        name = f"the EXIF of {snapshot.photo.path.name}"
        places.append(Place(name, snapshot.caption, readonly=True))
    return places


def _place(state: CarrierState, field: TextField, *, older: bool, readonly: bool) -> Place:
    said = next((each for each in state.texts if each.field is field), TextState(field, None))
    return Place(
        name=state.carrier.path.name,
        value=said.value,
        listed=_listed(state, field),
        block=state.block is not None,
        absent=state.fingerprint == ABSENT,
        older=older,
        fixed=said.fixed,
        readonly=readonly,
        unknown=said.unknown,
    )
