"""How many questions a server gets at a time, and how fast one after the other. Pure.

A server that works on several requests at once answers nearly as fast with one more; one that
puts them in a queue takes as much longer as the queue is long. So the number goes up by one a
round while replies do not slow down (additive increase), steps back where they do, and is halved
where the server refuses or runs out of time (multiplicative decrease). The estimate of the queue,
`n * (1 - base / now)`, is that of TCP Vegas (Brakmo and Peterson, 1995). Time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FEW, MANY = 0.8, 1.6
"""Requests in the server's queue: below, one more is tried; above, one less."""

LATEST = 0.3
"""Weight of the latest reply in the running mean of seconds."""

FORGETS = 0.1
"""Weight of a reply to a single request in the least that was needed. Only such a one tells of a
server that became slower; of several it may be the queue, and a least that followed it would find
no queue at all. Where answers become longer the number falls to one, and this finds it out."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests may be under way."""

    most: int
    """Never more than this."""
    number: float = 1.0
    base: float | None = None
    """Seconds of a reply when nothing is in the way."""
    mean: float | None = None
    """Seconds of late."""

    @property
    def allowed(self) -> int:
        """Requests at a time, at least one."""
        return max(1, min(self.most, int(self.number)))

    def answered(self, seconds: float, under_way: int) -> Pace:
        """After a reply; `under_way` counts the requests that were with the server, this one
        included. Fewer than allowed tell nothing about more."""
        seconds = max(seconds, 1e-6)
        mean = seconds if self.mean is None else self.mean + LATEST * (seconds - self.mean)
        base = seconds if self.base is None else self.base
        if seconds < base:
            base = seconds
        elif under_way <= 1:
            base += FORGETS * (seconds - base)
        number = self.number
        queued = under_way * (1 - min(1.0, base / mean))
        if queued > MANY:
            number = max(1.0, number - 1 / number)
        elif queued < FEW and under_way >= self.allowed:
            number = min(float(self.most), number + 1 / number)
        return replace(self, number=number, base=base, mean=mean)

    def refused(self) -> Pace:
        """After it was too busy, or gave no answer in time."""
        return replace(self, number=max(1.0, self.number / 2))


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many requests a minute, evenly."""

    per_minute: float
    """0 is no limit."""
    free_at: float = 0.0
    """When the next may go."""

    def taken(self, now: float) -> tuple[float, Rate]:
        """Seconds to wait before a request goes, and the rate after it."""
        if self.per_minute <= 0:
            return 0.0, self
        at = max(now, self.free_at)
        return at - now, replace(self, free_at=at + 60.0 / self.per_minute)
