"""Labels that no term knows, counted over many looks: the list to grow a vocabulary from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from urbexmp.model.observation import ObservationKind, StageLook
from urbexmp.rules.normalise import stage_name
from urbexmp.rules.stage_ids import PLACE_KEYWORD
from urbexmp.rules.terms import Taxonomy


@dataclass(frozen=True, slots=True)
class Unmapped:
    """One label that means nothing to the taxonomy."""

    label: str
    photos: int
    """In how many looks it was said."""
    stages: tuple[str, ...]
    """Names of the stages that said it."""
    ambiguous: bool
    """It is known, but needs company to mean anything."""
    near: tuple[str, ...]
    """Words of the taxonomy that look like it."""


def count_unmapped(
    looks: Iterable[StageLook], taxonomy: Taxonomy, least: float = 0.0
) -> tuple[Unmapped, ...]:
    """Count labels without a term, the most frequent first.

    Labels scored below `least` are left out as noise. `looks` is read once, as it comes.
    """
    counts: Counter[str] = Counter()
    stages: dict[str, set[str]] = {}
    for look in looks:
        labels = {
            said.label
            for said in look.observations
            if said.kind is ObservationKind.LABEL
            and said.source != PLACE_KEYWORD
            and (said.score is None or said.score >= least)
        }
        for label in labels:
            counts[label] += 1
            stages.setdefault(label, set()).add(stage_name(look.stage))
    found = []
    for label, photos in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        ambiguous = bool(taxonomy.lookup_senses(label))
        known = taxonomy.lookup(label) or taxonomy.place(label) or taxonomy.guard(label)
        if known and not ambiguous:
            continue
        near = () if ambiguous else taxonomy.near(label)
        found.append(Unmapped(label, photos, tuple(sorted(stages[label])), ambiguous, near))
    return tuple(found)
