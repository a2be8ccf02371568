"""How much is done at a time, as it was changed while a run went, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

PROCESSES, REQUESTS = "processes", "requests"

BEGUN = "that is how it begins"
SET = "so the profile says"
QUEUE = "photos queued up, and there was memory for one more"
NO_GAIN = "a photo took as long with one fewer"
MEMORY = "memory was short"
GRAPHICS = "a graphics card is one for all"
TRIED = "to see whether more answers come"
FEWER = "to see whether as many answers come with fewer at a time"
NOT_WORTH = "not worth it: hardly more answers came"
NOT_AS_MANY = "fewer answers came with fewer at a time"
REFUSED = "the server was too busy"


@dataclass(frozen=True, slots=True)
class Paced:
    """One change of a number."""

    who: str
    """The stage, or the server that several stages share."""
    what: str
    """`PROCESSES` that look, or `REQUESTS` that are with a server at a time."""
    before: int
    """0: there was none."""
    number: int
    why: str
    """One of the words above."""


HeardPace = Callable[[Paced], None]
"""Is told of a change, from any thread."""


def nobody(paced: Paced) -> None:
    """Nobody is told."""


@dataclass(slots=True)
class PaceFigures:
    """The changes of one number in a run. Flat memory."""

    first: int = 0
    least: int = 0
    most: int = 0
    last: int = 0
    raised: Counter[str] = field(default_factory=Counter)
    """How often, by reason."""
    lowered: Counter[str] = field(default_factory=Counter)

    def add(self, paced: Paced) -> None:
        """Count one change."""
        if not self.most:
            self.first = self.least = paced.before or paced.number
        self.least = min(self.least, paced.number)
        self.most = max(self.most, paced.before, paced.number)
        self.last = paced.number
        if paced.before and paced.number != paced.before:
            (self.raised if paced.number > paced.before else self.lowered)[paced.why] += 1
