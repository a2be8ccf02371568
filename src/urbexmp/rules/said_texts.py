"""The texts that stages say of a photo: description, alt text, and what can be read in it."""

from __future__ import annotations

from collections.abc import Sequence

from urbexmp.model.observation import ObservationKind, StageLook
from urbexmp.model.text import TextField
from urbexmp.rules.single_value import clean

LONGEST_READ = 300
"""Characters of what was read that go into a packet: the block must stay small (XMP.md R25)."""
LEAST_SCORE = 0.5
"""Of a text that is kept; a reader's guesses below are mostly bricks and branches."""
BETWEEN = " / "

_FIELDS = {"description": TextField.DESCRIPTION, "alt text": TextField.ALT_TEXT}
"""By the label of a caption. A caption at large (`caption`) only serves the keywords."""


def texts_said(looks: Sequence[StageLook]) -> tuple[tuple[TextField, str, str], ...]:
    """Field, text and stage id; of several stages the last one's: it knew what the others saw."""
    found: dict[TextField, tuple[str, str]] = {}
    for look in looks:
        for said in look.observations:
            if said.kind is not ObservationKind.CAPTION or said.label not in _FIELDS:
                continue
            if isinstance(said.value, str) and clean(said.value):
                found[_FIELDS[said.label]] = (clean(said.value), look.stage)
    return tuple((field, *found[field]) for field in TextField if field in found)


def text_read(looks: Sequence[StageLook]) -> str | None:
    """What the stages read in the picture, each text once, none that another one holds."""
    read: dict[str, str] = {}
    for look in looks:
        for said in look.observations:
            sure = said.score is None or said.score >= LEAST_SCORE
            if said.kind is ObservationKind.TEXT and isinstance(said.value, str) and sure:
                text = clean(said.value)
                read.setdefault(text.casefold(), text)
    kept: list[str] = []
    room = LONGEST_READ
    for key, text in read.items():
        held = any(key != other and f" {key} " in f" {other} " for other in read)
        if not key or held or len(text) > room:
            continue
        kept.append(text)
        room -= len(text) + len(BETWEEN)
    return BETWEEN.join(kept) or None
