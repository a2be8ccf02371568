"""Time and fresh names from the system."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime


class SystemClock:
    """Implements `ports.Clock`. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._second = ""
        self._suffix = ""
        self._given = 0

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    def fresh(self, prefix: str) -> str:
        """A name that was never given before, sortable by time: `r20261120-093015-4f2a`.

        Within one second further names count on: `r20261120-093015-4f2a-0001`. A clock that is
        set back does not repeat a name: the last second goes on until it is passed.
        """
        second = self.now().strftime("%Y%m%d-%H%M%S")
        with self._lock:
            if second > self._second:
                self._second, self._suffix, self._given = second, os.urandom(2).hex(), 0
            else:
                self._given += 1
            count = f"-{self._given:04x}" if self._given else ""
            return f"{prefix}{self._second}-{self._suffix}{count}"
