"""The three-way merge of a single value: one text of a photo, a person's or ours.

For keywords everybody's are kept side by side. Of a text there is only one, so what is not surely
ours, unchanged, is a person's, and what is a person's stays. In order:

1. Where any place holds a text that is not ours, nothing is written. Had we written one there
   before, and the stage says something else since, that is held: a person's and ours changed both.
2. Where a place lists our text in its block and holds none, its last author had seen it and took
   it out. It is never written again, anywhere.
3. Where it went away without our block, nobody knows who did that. With all our keywords gone
   too, an older packet was saved by a program that had not read ours: it is put back, once. Else
   it is held.
4. What is empty, or ours as we wrote it, is set to what is wanted; in all places or in none that
   already holds ours, so that no two places say different things of ours.

A person's answer to what is held: `take` writes over whatever stands there, and lifts a veto; what
is `kept` is neither written nor asked again.

The digest in the block serves the same ends as the base, so all but 3 holds with the ledger lost;
what was kept is then held again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from urbexmp.model.text import TextBase, text_digest

EDITED = "you changed what was written there, and the stage says something else now"
GONE = "it went away since it was written, and nobody was seen taking it out"
STUCK = "it {why} in {place}, where it would then say something else"
TAKEN_OUT = "it was taken out of {place}, which cannot be set"
LEFT = "it was taken out of {gone}, and still stands in {left}: take it out there, too"


class Standing(Enum):
    """What a place says of a text."""

    EMPTY = "empty"
    """There is none, and nobody there knew of ours."""
    EMPTIED = "emptied"
    """Taken out by somebody who had seen ours."""
    LOST = "lost"
    """Ours is gone, and our block with it."""
    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a text can stand."""

    name: str
    """Of the file."""
    value: str | None
    listed: str = ""
    """Digest of our text in the block of this very packet."""
    block: bool = False
    """Whether there is a block of ours."""
    absent: bool = False
    """There is no packet at all."""
    older: bool = False
    """The packet is one from before ours, by what it has of our keywords."""
    fixed: str = ""
    """Why it cannot be set, as `TextState.fixed`."""
    readonly: bool = False
    """It is only read."""
    unknown: bool = False
    """As `TextState.unknown`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one text."""

    base: TextBase
    """What is agreed once that is done."""
    targets: tuple[int, ...] = ()
    """Places to set, by number; none: nothing is written."""
    hold: str = ""
    """Why a person is asked instead."""
    shown: str | None = None
    """What stands there, for a person to see: theirs before ours."""
    notes: tuple[str, ...] = ()
    """What a person should know, to stand after the field's name."""


def clean(text: str) -> str:
    """A model's text as it can be written: one line, without characters that XML or people lack."""
    kept = (" " if char.isspace() else char for char in text if _speakable(char))
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def _speakable(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) not in ("Cc", "Cs", "Cn", "Co")


def standings(places: Sequence[Place], base: TextBase) -> tuple[Standing, ...]:
    """What each place says."""
    names = {place.name for place in places}
    known = {place.listed for place in places if place.listed}
    if base.written:
        known.add(text_digest(base.written))

    def of(place: Place) -> Standing:
        if place.unknown:
            return Standing.THEIRS
        if place.value is not None:
            return Standing.OURS if text_digest(place.value) in known else Standing.THEIRS
        if place.listed:
            return Standing.EMPTIED
        if place.readonly or place.block or not known:
            return Standing.EMPTY
        # By name where we know names; a photo that was renamed since brings no known one.
        was_there = place.name in base.places or not (base.places & names or place.absent)
        if not was_there or (place.older and not base.restored):
            return Standing.EMPTY
        return Standing.LOST

    return tuple(of(place) for place in places)


def decide(places: Sequence[Place], base: TextBase, wanted: str | None) -> Decision:
    """What to write of a text where; `wanted` is clean, None where no stage says anything."""
    stand = standings(places, base)
    ours = [place for place, how in zip(places, stand, strict=True) if how is Standing.OURS]
    theirs = [place for place, how in zip(places, stand, strict=True) if how is Standing.THEIRS]
    whole = bool(ours) and all(
        how is Standing.OURS or (place.readonly and how is not Standing.EMPTIED)
        for place, how in zip(places, stand, strict=True)
    )
    vetoed = base.vetoed or (Standing.EMPTIED in stand and not base.gone)
    after = replace(
        base,
        written=base.written or next((place.value for place in ours if place.value), ""),
        vetoed=vetoed,
        gone=(base.gone or Standing.LOST in stand) and not (vetoed or whole),
        places=base.places | {place.name for place in ours if not place.readonly},
    )
    if vetoed:
        gone = [p.name for p, how in zip(places, stand, strict=True) if how is Standing.EMPTIED]
        if not (wanted and ours and gone) or base.kept:
            return Decision(after)
        left = ", ".join(place.name for place in ours)
        hold = LEFT.format(gone=", ".join(gone), left=left)
        return Decision(after, hold=hold, shown=ours[0].value)
    if wanted is None or base.kept:
        return Decision(after)
    digest = text_digest(wanted)
    if theirs:
        was_ours = any(place.listed or place.name in base.places for place in theirs)
        said = {text_digest(after.written), *(place.listed for place in theirs)}
        held = EDITED if was_ours and digest not in said else ""
        return Decision(after, hold=held, shown=theirs[0].value)
    if after.gone:
        return Decision(after, hold=GONE)
    for place in ours:
        if (place.fixed or place.readonly) and place.value != wanted:
            why = place.fixed or "is only read"
            return Decision(after, hold=STUCK.format(why=why, place=place.name), shown=place.value)
    targets = [
        number
        for number, (place, how) in enumerate(zip(places, stand, strict=True))
        if not (place.fixed or place.readonly) and (how is Standing.EMPTY or place.value != wanted)
    ]
    notes = tuple(
        f"{place.fixed} in {place.name}, and is left as it is"
        for place, how in zip(places, stand, strict=True)
        if how is Standing.EMPTY and place.fixed and not place.readonly
    )
    if not targets:
        return Decision(after, notes=notes)
    names = {places[number].name for number in targets}
    again = any(places[number].older for number in targets) and bool(names & base.places)
    return Decision(
        replace(
            after,
            written=wanted,
            restored=base.restored or again,
            places=after.places | names,
        ),
        tuple(targets),
        notes=notes,
        shown=next((v for number in targets if (v := places[number].value) is not None), None),
    )


def take(places: Sequence[Place], base: TextBase, wanted: str) -> Decision:
    """What writes a text everywhere, because a person said so, whatever stands there.

    It is held where the text would then stand beside another one that cannot be set, or beside a
    block that goes on saying that it was taken out: neither would last.
    """
    shown = _shown(places, base)
    settable = [
        number for number, place in enumerate(places) if not (place.fixed or place.readonly)
    ]
    for place, how in zip(places, standings(places, base), strict=True):
        why = "is only read" if place.readonly else place.fixed
        if why and how is Standing.EMPTIED:
            return Decision(base, hold=TAKEN_OUT.format(place=place.name), shown=shown)
        # What a person wrote where nobody else writes stands for itself beside what they take.
        theirs = place.readonly and how is Standing.THEIRS
        other = place.value not in (None, wanted) and not theirs
        if why and (other or not settable):
            return Decision(base, hold=STUCK.format(why=why, place=place.name), shown=shown)
    notes = [
        f"{place.fixed} in {place.name}, and is left as it is"
        for place in places
        if place.fixed and not place.readonly and place.value is None
    ]
    notes += [
        f"may say something else in {place.name}, which is only read"
        for place in places
        if place.readonly and (place.unknown or place.value not in (None, wanted))
    ]
    here = frozenset(places[number].name for number in settable)
    return Decision(
        TextBase(written=wanted, places=here),
        tuple(number for number in settable if places[number].value != wanted),
        shown=shown,
        notes=tuple(notes),
    )


def _shown(places: Sequence[Place], base: TextBase) -> str | None:
    """What stands there, for a person to see: theirs before ours."""
    by_author = zip(places, standings(places, base), strict=True)
    first = sorted(by_author, key=lambda each: each[1] is not Standing.THEIRS)
    return next((place.value for place, _ in first if place.value is not None), None)


def listed_after(place: Place, base: TextBase, value: str | None) -> str:
    """What the block of a place lists once it holds `value`, under the base that is then agreed.

    A text that a person took out or changed stays listed: that is how it is known that they did.
    """
    if value is not None and base.written and text_digest(value) == text_digest(base.written):
        return text_digest(value)
    if place.listed or not base.written:
        return place.listed
    told = base.vetoed or base.gone or (value is not None and place.name in base.places)
    return text_digest(base.written) if told else ""
