"""What a library holds, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from urbexmp.model.keyword import Keyword

Named = tuple[tuple[str | None, int], ...]
"""Names and how often, in the order they are shown; the name None is `not known`."""

PHOTO_FIELDS = ("view", "condition", "quality", "camera", "month", "kind", "status")
"""What photos are counted by."""

LINK_FIELDS = ("stage", "source")
"""What keywords on photos are counted by."""

QUALITY_BANDS = (*(f"{n * 10}-{n * 10 + 9}" for n in range(9)), "90-100")
CONDITION_BANDS = ("0-19 ruined", "20-39", "40-59", "60-79", "80-100 sound")


@dataclass(frozen=True, slots=True)
class LibraryCounts:
    """Counts of photos and keywords, of a library or a part of it."""

    photos: int
    untagged: int
    """Photos without any keyword."""
    links: int
    """Keywords on photos: a photo with three counts three."""
    different: int
    """How many different keywords these are."""
    vetoes: int
    vetoed_photos: int
    """Photos with at least one veto."""
    keyword: Named
    """The most frequent keywords, by photos that hold them themselves."""
    branch: Named
    """By the first two names of their path: photos with any keyword there."""
    veto: Named
    """The keywords that were vetoed most often."""
    by: Mapping[str, Named]
    """By each of `PHOTO_FIELDS` (photos) and `LINK_FIELDS` (keywords on photos)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Keywords of ours that stand in photos as we wrote them."""

    stage: str
    """Id of the stage."""
    keyword: Keyword | None
    """None: all of the stage's together."""
    photos: int
