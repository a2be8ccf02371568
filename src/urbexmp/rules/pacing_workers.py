"""How many processes a stage that loads a model looks in. Pure; time is an argument.

One more is worth its memory only where photos come out faster. So there is one at first; another
is added while photos queue up and there is room for it; and it is given up again where a photo
costs as much as with one fewer: cores, caches and memory are shared, and one model may keep all
of them busy. What was given up is tried again later, and each time later still, because what
else the machine does may change; where photos cost much less than when it was given up, it has
changed, and no more time is waited for. Where memory runs short, one is given up at once: a
machine that swaps is slower than one process fewer, and the next photo may be refused memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from urbexmp.model.pacing import BEGUN, GRAPHICS, MEMORY, NO_GAIN, QUEUE

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

TIGHT = 0.25
"""Free memory, in what the first process holds, below which one is too many. What ending one
gives back is less than another one needs, so memory alone never has one come and go."""

EASED = 0.6
"""A photo costs so much of what it cost when a process was given up: then that is tried again."""

SURE = 2
"""In so many windows one after the other; and the first one after the giving up does not count,
for a process that ends takes time of its own."""


def has_room(available: int | None, resident: int) -> bool:
    """Whether one more process of `resident` bytes fits; not where either is not known."""
    return available is not None and resident > 0 and available >= HEADROOM * resident


def is_tight(available: int | None, resident: int) -> bool:
    """Whether processes of `resident` bytes are one too many; not where either is not known."""
    return available is not None and resident > 0 and available < TIGHT * resident


@dataclass(frozen=True, slots=True)
class Given:
    """A number of processes that was no gain."""

    until: float
    """When it may be tried again."""
    times: int
    """How often it was given up, as a factor of the rest."""
    windows: int = 0
    """Since then, with one fewer."""
    cost: float = 0.0
    """What a photo cost in the second of them."""
    eased: int = 0
    """Windows in a row in which it cost much less."""

    def seen(self, cost: float) -> Given:
        """After a window with one fewer."""
        first = cost if self.windows == 1 else self.cost
        eased = self.eased + 1 if self.windows > 1 and cost < EASED * first else 0
        return replace(self, windows=self.windows + 1, cost=first, eased=eased)


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
    why: str = BEGUN
    """Of the last change of the number."""

    def limited(self, most: int) -> Crowd:
        """With another limit, at least one."""
        most = max(1, most)
        if most == self.most:
            return self
        fresh = replace(self, most=most, seconds=0.0, photos=0)
        return fresh if self.number <= most else replace(fresh, number=most, why=GRAPHICS)

    def looked(
        self,
        now: float,
        seconds: float,
        photos: int,
        *,
        busy: int,
        waiting: bool,
        room: bool,
        tight: bool = False,
    ) -> Crowd:
        """After a look at `photos` that took `seconds` in one process, its first one not counted.

        `busy` counts the processes that were at work, this one included: fewer than there may be
        tell nothing about that number. `waiting`: more photos queue up. `room`: there is memory
        for one more process; `tight`: one is to go, for want of memory.
        """
        if tight and self.number > 1:
            # What it cost is still right: memory says nothing about whether it was a gain.
            return replace(self, number=self.number - 1, seconds=0.0, photos=0, why=MEMORY)
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
                why=NO_GAIN,
            )
        rest = self.given.get(number + 1)
        if rest is not None:
            rest = rest.seen(cost)
            crowd = replace(crowd, given=MappingProxyType({**self.given, number + 1: rest}))
        may = rest is None or rest.eased >= SURE or now >= rest.until
        if waiting and room and may and number < self.most:
            return replace(crowd, number=number + 1, why=QUEUE)
        return crowd
