"""One process in which a stage looks, and the thread that ends it when a look takes too long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from urbexmp.adapters.stages.exchange import send

STOP_SECONDS = 3.0
"""A look may go on for so long after a person asked to stop."""

POLL_SECONDS = 0.1


class Child:
    """One process and its pipes."""

    def __init__(self, command: Sequence[str], recipe: Mapping[str, Any]) -> None:
        self.greeted = False
        """Whether it has said which stage it built."""
        self.looks = 0
        self.rescores = 0
        """Vectors that it told of."""
        self.resident = 0
        """Bytes after the first look."""
        self.ended_for = ""
        # A group of its own, so that Ctrl-C in the terminal does not reach it.
        apart: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
            if sys.platform == "win32"
            else {"process_group": 0}
        )
        self._process = subprocess.Popen(
            (sys.executable, *command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            **apart,
        )
        self.frames = cast("BinaryIO", self._process.stdin)
        self.answers = cast("BinaryIO", self._process.stdout)
        self._lines: deque[str] = deque(maxlen=20)
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()
        # A process that ends at once is found out by who waits for its answer.
        with suppress(OSError):
            send(self.frames, recipe)

    def kill(self, ended_for: str) -> None:
        """End it now, in the middle of a look."""
        self.ended_for = self.ended_for or ended_for
        with suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> str:
        """End it, and say how it ended: `SIGSEGV`, an exit code, its last words."""
        with suppress(OSError):
            self.frames.close()
        try:
            code = self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.kill("slowness")
            code = self._process.wait()
        self._reader.join(2.0)
        self.answers.close()
        last = next((line for line in reversed(self._lines) if line.strip()), "").strip()
        return _how(code) + (f" ({last})" if last else "")

    def _read_errors(self) -> None:
        errors = self._process.stderr
        assert errors is not None
        with errors, suppress(ValueError):
            while line := errors.readline(4096):
                self._lines.append(line.decode(errors="replace"))


def _how(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    memory = ", most likely for want of memory" if name == "SIGKILL" else ""
    return f"its process crashed with {name}{memory}"


@dataclass(slots=True, eq=False)
class _Guarded:
    child: Child
    until: float


@dataclass(slots=True)
class Watcher:
    """Ends processes whose look takes too long, from a thread of its own.

    Who waits for an answer is in the middle of a read, or of a write to a process that does not
    read; both end when the process does. The thread polls only while a look is under way.
    """

    stopping: Callable[[], bool]
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _guarded: list[_Guarded] = field(default_factory=list)
    _thread: threading.Thread | None = None

    @contextmanager
    def guarding(self, child: Child, seconds: float) -> Iterator[None]:
        """End the child if the block takes longer, or soon after a person asked to stop."""
        one = _Guarded(child, time.monotonic() + seconds)
        with self._changed:
            self._guarded.append(one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True, name="limits")
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._guarded.remove(one)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        me = threading.current_thread()
        asked: float | None = None
        with self._changed:
            while self._thread is me:
                if not self._guarded:
                    asked = None
                    self._changed.wait()
                    continue
                now = time.monotonic()
                if asked is None and self.stopping():
                    asked = now
                for one in self._guarded:
                    if asked is not None and now >= asked + STOP_SECONDS:
                        one.child.kill("stop")
                    elif now >= one.until:
                        one.child.kill("time")
                self._changed.wait(POLL_SECONDS)
