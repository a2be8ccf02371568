"""What people did with the keywords that we wrote or asked about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from urbexmp.model.keyword import Keyword


class Judged(Enum):
    """What a person did with one keyword of one photo. The last thing they did counts."""

    REMOVED = "removed"
    """Ours; taken away or refused."""
    CONFIRMED = "confirmed"
    """Ours; taken over: confirmed in so many words, or respelled."""
    KEPT = "kept"
    """Ours; still there after they worked on other keywords of the same photo."""
    ADDED = "added"
    """Theirs, of the vocabulary, and we had not suggested it: we missed it."""
    ACCEPTED = "accepted"
    """It waited for them, and they said yes."""
    DECLINED = "declined"
    """It waited for them, and they said no."""
    OTHER = "other"
    """Vetoed, though we had neither written it nor asked: it says nothing of a stage."""
    WITHDRAWN = "withdrawn"
    """They took back what they had done; it is as if they had not been there."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person did with one keyword of one photo, and who had suggested it."""

    kind: Judged
    keyword: Keyword
    stage: str = ""
    """Id of the stage that suggested it; "" where that is not known, or nobody did."""
    profile: str = ""
    missed_by: tuple[str, ...] = ()
    """For `ADDED`: ids of the stages that look at photos now and did not suggest it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many photos share one judgement."""

    judgement: Judgement
    photos: int
