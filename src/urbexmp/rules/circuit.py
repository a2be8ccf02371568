"""When to ask a server again: pauses between tries, and a circuit that spares one that is away.

Time is an argument everywhere: seconds of any clock that only goes forward.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TRIES = 3
"""A question is asked again so many times at most."""

FIRST_PAUSE = 0.5
"""Seconds; each further pause is twice as long."""

LONGEST_ASKED = 10.0
"""Seconds that a server may ask for in `Retry-After`; a longer wait is no wait for a photo."""

FAILURES = 3
"""So many failures in a row open the circuit."""

FIRST_REST = 5.0
"""Seconds until the first probe; after each probe that fails twice as many."""

LONGEST_REST = 120.0

PROBE_LAPSES = 60.0
"""A probe that is not heard of for so many seconds is forgotten, and another may go."""


def pause_before(again: int, retry_after: float | None = None) -> float | None:
    """Seconds to wait before asking for the `again`-th time more, counted from 1.

    None: it was asked often enough. `retry_after` is what the server asked for.
    """
    if again > TRIES:
        return None
    pause = FIRST_PAUSE * 2.0 ** (again - 1)
    return max(pause, min(retry_after or 0.0, LONGEST_ASKED))


@dataclass(frozen=True, slots=True)
class Circuit:
    """Closed: everybody may ask. Open: nobody, until its rest is over; then a single probe."""

    failures: int = 0
    """In a row, while it is closed."""
    opened: float | None = None
    """When it opened, or when the last probe failed; None: it is closed."""
    rest: float = FIRST_REST
    """Seconds from `opened` to the next probe."""
    probing: float | None = None
    """When the probe that is under way began."""

    @property
    def is_open(self) -> bool:
        """Whether the server is taken to be away."""
        return self.opened is not None

    def may_ask(self, now: float) -> bool:
        """Whether a question may go to the server now."""
        return self.wait(now) <= 0

    def wait(self, now: float) -> float:
        """Seconds until a question may go; 0 for now."""
        if self.opened is None:
            return 0.0
        until = self.opened + self.rest
        if self.probing is not None:
            until = self.probing + PROBE_LAPSES
        return max(0.0, until - now)

    def asked(self, now: float) -> Circuit:
        """A question goes out; while the circuit is open it is the probe."""
        return replace(self, probing=now) if self.is_open else self

    def answered(self) -> Circuit:
        """The server gave an answer: everybody may ask."""
        return Circuit()

    def failed(self, now: float) -> Circuit:
        """A question failed. One that was under way when the circuit opened changes nothing."""
        if self.opened is None:
            count = self.failures + 1
            return Circuit(count, now) if count >= FAILURES else Circuit(count)
        if self.probing is None:
            return self
        return Circuit(self.failures, now, min(self.rest * 2, LONGEST_REST))
