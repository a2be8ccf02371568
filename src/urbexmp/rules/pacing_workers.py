"""How many processes a stage that loads a model looks in. Pure; time is an argument.

One more is worth its memory only where photos come out faster. So there is one at first; another
is added while photos queue up and there is room for it; and it is given up again where a photo
costs as much as with one fewer: cores, caches and memory are shared, and one model may keep all
of them busy. What was given up is tried again later, and each time later still, because what
else the machine does may change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

WINDOW = 6
"""Photos a process, at the number at hand, before anything is said about that number."""

WORTH = 0.95
"""A photo may cost so much of what it cost with one process fewer; else that one is no gain."""

REST_SECONDS = 600.0
"""Until a number that was given up is tried again, doubled with every time it is given up."""

LONGEST = 64
"""The rest is doubled up to so many times `REST_SECONDS`."""

HEADROOM = 1.5
"""Free memory that another process needs, in what the first one holds: what a look needs for a
moment, and what other programs take meanwhile, is not in that."""


def has_room(available: int | None, resident: int) -> bool:
    """Whether one more process of `resident` bytes fits; not where either is not known."""
    return available is not None and resident > 0 and available >= HEADROOM * resident


@dataclass(frozen=True, slots=True)
class Given:
    """A number of processes that was no gain."""

    until: float
    """When it may be tried again."""
    times: int
    """How often it was given up, as a factor of the rest."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many processes there may be, and what is known of that."""

    most: int
    """Never more than this."""
    number: int = 1
    seconds: float = 0.0
    """Of the looks of this window, added up over all processes."""
    photos: int = 0
    """Looked at in this window."""
    costs: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """Seconds between two photos by the number of processes, where it was measured."""
    given: Mapping[int, Given] = field(default_factory=lambda: MappingProxyType({}))

    def limited(self, most: int) -> Crowd:
        """With another limit, at least one."""
        most = max(1, most)
        if most == self.most:
            return self
        return replace(self, most=most, number=min(self.number, most), seconds=0.0, photos=0)

    def looked(
        self, now: float, seconds: float, photos: int, *, busy: int, waiting: bool, room: bool
    ) -> Crowd:
        """After a look at `photos` that took `seconds` in one process, its first one not counted.

        `busy` counts the processes that were at work, this one included: fewer than there may be
        tell nothing about that number. `waiting`: more photos queue up. `room`: there is memory
        for one more process.
        """
        if busy != self.number:
            return self
        crowd = replace(self, seconds=self.seconds + max(0.0, seconds), photos=self.photos + photos)
        if crowd.photos < WINDOW * self.number:
            return crowd
        return crowd._judged(now, waiting=waiting, room=room)

    def _judged(self, now: float, *, waiting: bool, room: bool) -> Crowd:
        number = self.number
        cost = self.seconds / self.photos / number
        costs = {**self.costs, number: cost}
        before = costs.get(number - 1)
        crowd = replace(self, seconds=0.0, photos=0, costs=MappingProxyType(costs))
        if before is not None and cost > WORTH * before:
            known = self.given.get(number)
            times = min(LONGEST, known.times * 2) if known is not None else 1
            given = {**self.given, number: Given(now + times * REST_SECONDS, times)}
            # Photos may have become larger meanwhile: then the older costs say nothing, and
            # would have one process after the other given up.
            return replace(
                crowd,
                number=number - 1,
                costs=MappingProxyType({number - 1: before}),
                given=MappingProxyType(given),
            )
        rest = self.given.get(number + 1)
        if waiting and room and number < self.most and (rest is None or now >= rest.until):
            return replace(crowd, number=number + 1)
        return crowd
