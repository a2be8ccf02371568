"""How bringing weights is shown: one line that counts, or lines of JSON."""

from __future__ import annotations

import threading
import time

from urbexmp.cli.choices import Choices
from urbexmp.cli.console import Console
from urbexmp.rules.render import printable
from urbexmp.rules.render_backup import size_text
from urbexmp.rules.render_json import line
from urbexmp.rules.render_summary import duration

LEAST = 2**18
"""Bytes from which a rate means something."""

EVERY_TERMINAL, EVERY_LOG, EVERY_JSON = 0.2, 15.0, 1.0
"""Seconds between two lines."""


def transfer_text(model: str, done: int, size: int, arrived: int, seconds: float) -> str:
    """`siglip: 120.0 MB of 412.4 MB, 5.2 MB/s, about 56 s left`; `size` 0 is not known.

    `arrived` of the `done` bytes came in the last `seconds`; the rest was there before.
    """
    told = f"{model}: {size_text(done)}" + (f" of {size_text(size)}" if size else "")
    rate = arrived / seconds if seconds > 0 else 0.0
    if arrived < LEAST or rate <= 0:
        return told
    told += f", {size_text(int(rate))}/s"
    left = max(size - done, 0)
    return f"{told}, about {duration(left / rate)} left" if left else told


class TransferShow:
    """Counts bytes, from any thread. Implements the port `Transfer`."""

    def __init__(self, choices: Choices, console: Console) -> None:
        self.json = choices.json
        self.console = console
        self.silent = choices.quiet and not choices.json
        self.terminal = console.err.isatty() and not choices.json
        self.every = EVERY_TERMINAL if self.terminal else EVERY_JSON if self.json else EVERY_LOG
        self._lock = threading.Lock()
        self._model = ""
        self._size = self._done = self._arrived = self._width = 0
        self._began = self._told = time.monotonic()

    def begin(self, model: str, size: int, here: int) -> None:
        """Start the clock."""
        with self._lock:
            self._model, self._size, self._done, self._arrived = model, size, here, 0
            self._began = self._told = time.monotonic()

    def moved(self, size: int) -> None:
        """Count, and tell now and then."""
        with self._lock:
            self._done += size
            self._arrived += size
            now = time.monotonic()
            if now - self._told >= self.every:
                self._told = now
                self._tell(now)

    def checking(self, file: str) -> None:
        """Say nothing: it takes seconds."""

    def end(self, model: str) -> None:
        """Take the line away."""
        self.close()

    def close(self) -> None:
        """Take the line away, whatever happened."""
        with self._lock:
            if self._width:
                print("\r" + " " * self._width + "\r", end="", file=self.console.err, flush=True)
                self._width = 0

    def _tell(self, now: float) -> None:
        if self.json:
            data = {"event": "transfer", "model": self._model, "done": self._done}
            print(line({**data, "size": self._size}), file=self.console.out, flush=True)
            return
        if self.silent:
            return
        text = transfer_text(
            printable(self._model), self._done, self._size, self._arrived, now - self._began
        )
        if not self.terminal:
            print(text, file=self.console.err, flush=True)
            return
        space = " " * max(self._width - len(text), 0)
        self._width = len(text)
        print(f"\r{text}{space}", end="", file=self.console.err, flush=True)
