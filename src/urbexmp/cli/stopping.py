"""Ctrl-C: the first asks to stop after the photo at hand, the second stops at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ASKED = "Stopping after the photo at hand. Press Ctrl-C again to stop at once."


class Stopping:
    """Whether a person, or the system, asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        """Whether to stop after the photo at hand."""
        return self.signal is not None

    def exit_code(self, code: int) -> int:
        """The exit code of a run that was stopped: 128 and the signal's number."""
        return 128 + self.signal if self.signal is not None and code == 130 else code

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number
        print(f"\n{ASKED}", file=sys.stderr)


@contextmanager
def stoppable() -> Iterator[Stopping]:
    """Listen for Ctrl-C and for the system's wish to end, and put everything back afterwards."""
    stopping = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return
    before = {
        number: signal.signal(number, stopping._asked)
        for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None))
        if number is not None
    }
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
