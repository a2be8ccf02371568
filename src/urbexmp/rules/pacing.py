"""How many questions a server gets at a time, and how fast one after the other. Pure.

A server that works on several requests at once answers more of them with one more under way; one
that puts them in a queue answers as many, only later. So more are tried, and kept where the yield
grows. By Little's law the yield is the number under way divided by the mean seconds of a reply.
Judging single replies instead, as congestion control does with round trips, failed: replies of
different length look like a queue. A refusal halves the number. Between two tries it rests; where
replies come to take twice as long, or half, the server is not what it was, and it tries at once:
fewer, or more. Time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from urbexmp.model.pacing import BEGUN, FEWER, NOT_AS_MANY, NOT_WORTH, REFUSED, TRIED

WINDOW = 6
"""Replies that are averaged at least; twice the number under way where that is more."""

STEP = 1.5
"""Growth of the number with a try: less would drown in the scatter of replies."""

WORTH = 0.35
"""Share of a try's growth that the yield must grow by, or the try is taken back."""

RESTS = 12
"""Windows until the next try after one that was taken back, or after a refusal."""

CHANGED = 1.8
"""Replies that take so many times as long, or as short, as in the first window of a rest."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests may be under way."""

    most: int
    """Never more than this."""
    number: int = 2
    before: int = 0
    """The number to go back to when a try is not worth it; 0: nothing is being tried."""
    yielded: float = 0.0
    """Answers a second of `before`."""
    seen: int = 0
    """Replies in this window."""
    total: float = 0.0
    """Their seconds."""
    rests: int = 0
    """Windows until the next try."""
    up: bool = True
    """Whether the next try is of more; else of fewer, or chance would drive the number up."""
    usual: float = 0.0
    """Mean seconds of a reply in the first window of the rest; 0: it has not begun."""
    why: str = BEGUN
    """Of the last change of the number."""

    @property
    def allowed(self) -> int:
        """Requests at a time, at least one."""
        return max(1, min(self.most, self.number))

    def answered(self, seconds: float, under_way: int) -> Pace:
        """After a reply; `under_way` counts the requests that were with the server, this one
        included. Fewer than allowed tell nothing about more."""
        if under_way < self.allowed:
            return self
        more = replace(self, seen=self.seen + 1, total=self.total + max(seconds, 1e-6))
        return more if more.seen < max(WINDOW, 2 * self.allowed) else more._judged()

    def _judged(self) -> Pace:
        now = self.allowed
        yields = now * self.seen / self.total
        mean = self.total / self.seen
        fresh = replace(self, number=now, before=0, seen=0, total=0.0, usual=0.0)
        up = self.up
        if self.before:
            wanted = self.yielded * (1 + WORTH * (now / self.before - 1))
            if yields < wanted:
                why = NOT_WORTH if up else NOT_AS_MANY
                return replace(fresh, number=self.before, rests=RESTS, up=not up, why=why)
            if not up:  # fewer do as well
                return replace(fresh, rests=RESTS, up=True)
        elif self.rests:
            usual = self.usual or mean
            if usual / CHANGED < mean < usual * CHANGED:
                return replace(fresh, rests=self.rests - 1, usual=usual)
            up = mean < usual
        more = min(self.most, max(now + 1, int(now * STEP)))
        tried = more if up else max(1, min(now - 1, int(now / STEP)))
        if tried == now:
            return replace(fresh, rests=RESTS, up=not up)
        why = TRIED if up else FEWER
        return replace(fresh, number=tried, before=now, yielded=yields, rests=0, up=up, why=why)

    def refused(self) -> Pace:
        """After it was too busy, or gave no answer in time."""
        return Pace(self.most, max(1, self.allowed // 2), rests=RESTS, why=REFUSED)


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
