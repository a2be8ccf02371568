"""What we would like to see in a photo's keywords, and why."""

from __future__ import annotations

from dataclasses import dataclass

from urbexmp.model.keyword import Keyword
from urbexmp.model.text import TextField


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a keyword is suggested: who said what."""

    stage: str
    """Stage id, or `person`."""
    label: str
    """The stage's own word, before the taxonomy."""
    score: float | None
    """Confidence 0..1 as the stage gave it."""
    note: str = ""
    """What it rests on: `EXIF exposure`, `folder name`, `implied by Urbex|...`."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A keyword with a confidence (0..1) and the reasons for it, strongest first."""

    keyword: Keyword
    confidence: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """All suggestions for one photo, and what else the look at it yields."""

    suggestions: tuple[Suggestion, ...] = ()
    unsure: tuple[Suggestion, ...] = ()
    """Below the threshold to write, above the one to ask a person."""
    view: str | None = None
    view_score: float | None = None
    quality: float | None = None
    """0..100."""
    condition: float | None = None
    """0 ruined .. 100 sound; None when nothing was seen that says."""
    era: str | None = None
    unmapped: tuple[tuple[str, str], ...] = ()
    """(stage id, label) that no term of the taxonomy knows; counted, never written."""
    text: str | None = None
    """What was read in the picture."""
    texts: tuple[tuple[TextField, str, str], ...] = ()
    """Field, text and stage id of the texts that the stages say, each field once."""

    def facts(self) -> tuple[tuple[str, str], ...]:
        """What our block keeps beside the keywords: name and value, in a fixed order."""
        named: list[tuple[str, str]] = []
        if self.view is not None:
            named.append(("view", self.view))
        if self.view_score is not None:
            named.append(("viewScore", f"{self.view_score:.2f}"))
        if self.quality is not None:
            named.append(("quality", f"{self.quality:.0f}"))
        if self.condition is not None:
            named.append(("condition", f"{self.condition:.0f}"))
        if self.era is not None:
            named.append(("era", self.era))
        if self.text is not None:
            named.append(("text", self.text))
        return tuple(named)
