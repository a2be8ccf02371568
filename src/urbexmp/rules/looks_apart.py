"""How two looks at one photo differ. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from urbexmp.model.observation import ObservationKind, StageLook

NEAR = 0.1
"""Scores that differ by less say the same."""

_SAID = {
    ObservationKind.LABEL: "",
    ObservationKind.VIEW: "view: ",
    ObservationKind.FACT: "fact: ",
    ObservationKind.TEXT: "text: ",
    ObservationKind.CAPTION: "caption: ",
}


@dataclass(frozen=True, slots=True)
class Apart:
    """What the second look says that the first does not, and so on; each sorted by label."""

    gained: tuple[tuple[str, float | None], ...] = ()
    lost: tuple[tuple[str, float | None], ...] = ()
    moved: tuple[tuple[str, float, float], ...] = ()
    """Said by both, with scores that are not near each other."""

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.moved)


def apart(before: StageLook, after: StageLook) -> Apart:
    """Compare two looks by what they say; of a label said twice the surest counts."""
    old, new = _said(before), _said(after)
    moved = []
    for label in sorted(old.keys() & new.keys()):
        first, second = old[label], new[label]
        if first is not None and second is not None and abs(first - second) >= NEAR:
            moved.append((label, first, second))
    return Apart(
        tuple((label, new[label]) for label in sorted(new.keys() - old.keys())),
        tuple((label, old[label]) for label in sorted(old.keys() - new.keys())),
        tuple(moved),
    )


def _said(look: StageLook) -> dict[str, float | None]:
    said: dict[str, float | None] = {}
    for one in look.observations:
        if one.kind not in _SAID:
            continue
        worded = one.kind in (ObservationKind.TEXT, ObservationKind.CAPTION)
        label = _SAID[one.kind] + str(one.value if worded else one.label)
        known = said.get(label)
        said[label] = one.score if known is None else max(known, one.score or 0.0)
    return said
