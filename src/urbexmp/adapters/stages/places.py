"""Places for photos that are with a server: as many as help, fewer when it says so. Thread-safe.

What is decided is pure (`rules.pacing`); here are the lock, the clock and the waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from urbexmp.model.pacing import REQUESTS, HeardPace, Paced, nobody
from urbexmp.rules.pacing import Pace


class Place:
    """One photo's place, from when it is taken until it is given back."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        """How often the number had been lowered when the last request went."""


class Places:
    """At most `most` at a time. `who` is the server, as a person is told of it."""

    def __init__(self, who: str, most: int) -> None:
        self.heard: HeardPace = nobody
        self._who = who
        self._free = threading.Condition()
        self._pace = Pace(most)
        self._taken = 0
        self._refusals = 0
        self._told = 0

    def told_by(self, heard: HeardPace) -> None:
        """Have it told of the number at the next place that is taken, and of changes."""
        with self._free:
            self.heard, self._told = heard, 0

    @contextmanager
    def one(self) -> Iterator[Place]:
        """Wait for a place, and hold it."""
        with self._free:
            while self._taken >= self._pace.allowed:
                self._free.wait()
            self._taken += 1
            self._tell()
            place = Place(self._refusals)
        try:
            yield place
        finally:
            with self._free:
                self._taken -= 1
                self._free.notify_all()

    @contextmanager
    def asking(self, place: Place) -> Iterator[None]:
        """Around a request that is answered, unless it raises."""
        place.refusals = self._refusals
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        with self._free:
            self._paced(self._pace.answered(seconds, self._taken))

    def refused(self, place: Place) -> None:
        """The server was too busy for a request. Those that were under way with it count once:
        they say the same, and would bring the number down to one together."""
        with self._free:
            if place.refusals == self._refusals:
                self._refusals += 1
                self._paced(self._pace.refused())

    def _paced(self, pace: Pace) -> None:
        self._pace = pace
        self._tell()
        self._free.notify_all()

    def _tell(self) -> None:
        before, self._told = self._told, self._pace.allowed
        if self._told != before:
            self.heard(Paced(self._who, REQUESTS, before, self._told, self._pace.why))
