"""Hints about changes in folders, by watchfiles. Nothing here is relied on: see `drivers.watch`.

watchfiles loses events without a sign (a stopped process, files in folders made a moment ago) and
cannot tell when a file is complete. So what comes from here only says where to look first, and a
mount that delivers nothing at all is found out at the start with a file of our own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.watching import Hint, Lost, Sign

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

STEP_MS = 500
"""Between two looks of the library at what the system told it: each costs processor time for weeks.
A file settles for longer, and its age is counted from its change and not from the hint."""

SOON_SECONDS = 1.0
SOON_STEP_MS = 25
"""The same where something is due within so many seconds: a wait ends only between two looks, and
whatever it takes beyond the time asked for, a photo waits longer than it has to settle."""

DEBOUNCE_MS = 200
"""Most milliseconds that a stream of events is gathered."""

MANY = 4000
"""Events at once after which some may have been dropped: the system's own queue holds 16,384."""

CANARY = ".urbexmp-canary-"
CANARY_SECONDS = 2.0

NO_WATCHES = (
    "{root}: the system's limit of watched folders is reached, so new photos are found by sweeps"
    " only. Raise it with `sudo sysctl fs.inotify.max_user_watches=1048576`."
)
SILENT = (
    "{root}: this volume does not tell of changes (a network share?), so new photos are found by"
    " sweeps only."
)
UNWRITABLE = (
    "{root}: cannot be written, so nobody knows whether this volume tells of changes; new photos"
    " are found by sweeps too."
)
FAILED = "{root}: changes cannot be listened to ({detail}), so new photos are found by sweeps only."


class _Asked:
    """What watchfiles asks between two looks: whether to come back early."""

    def __init__(self, asked: Callable[[], bool]) -> None:
        self._asked = asked

    def is_set(self) -> bool:
        return self._asked()


class FolderEvents:
    """Implements `model.watching.Events`. `interrupted` ends a wait early."""

    def __init__(self, interrupted: Callable[[], bool], *, poll: bool = False) -> None:
        """`poll`: do not listen at all, every root is left to sweeps."""
        self._stop = _Asked(interrupted)
        self._poll = poll
        self._ears: list[tuple[Path, RustNotify]] = []
        self._deaf: set[Path] = set()
        self._early: list[Sign] = []

    def watch(self, roots: Sequence[Path]) -> tuple[str, ...]:
        """Begin to listen; returns what a person should know, a sentence each."""
        self.close()
        if self._poll:
            self._deaf = set(roots)
            return ()
        said = [sentence for root in roots if (sentence := self._listen(root)) is not None]
        return tuple(said)

    def deaf(self, root: Path) -> bool:
        """Whether only sweeps find what is new there."""
        return root in self._deaf

    def wait(self, seconds: float) -> Sequence[Sign]:
        """Signs since the last call; waits for the first one for `seconds` at most."""
        signs, self._early = self._early, []
        if not self._ears:
            if not signs:
                self._sleep(seconds)
            return signs
        left = 0.0 if signs else seconds / len(self._ears)
        for root, ear in self._ears:
            signs += self._heard(root, ear, 0.0 if signs else left)
        return signs

    def close(self) -> None:
        """Stop listening."""
        for _, ear in self._ears:
            ear.close()
        self._ears, self._early, self._deaf = [], [], set()

    def _listen(self, root: Path) -> str | None:
        try:
            from watchfiles._rust_notify import RustNotify

            ear = RustNotify([str(root)], False, False, 300, True, True)
        except ImportError as failure:  # no wheel for this machine: sweeps find everything too
            self._deaf.add(root)
            return FAILED.format(root=root, detail=str(failure))
        except OSError as failure:
            self._deaf.add(root)
            if failure.errno == errno.ENOSPC or "watch limit" in str(failure).lower():
                return NO_WATCHES.format(root=root)
            return FAILED.format(root=root, detail=failure.strerror or str(failure))
        except Exception as failure:  # the library raises an error of its own for some
            self._deaf.add(root)
            if "max_user_watches" in str(failure) or "limit" in str(failure).lower():
                return NO_WATCHES.format(root=root)
            return FAILED.format(root=root, detail=str(failure))
        self._ears.append((root, ear))
        return self._sing(root, ear)

    def _sing(self, root: Path, ear: RustNotify) -> str | None:
        """Make a hidden file, take it away, and hear whether somebody tells of it."""
        for left in root.glob(f"{CANARY}*"):
            with contextlib.suppress(OSError):
                left.unlink()
        canary = root / f"{CANARY}{os.getpid()}"
        try:
            canary.touch()
        except OSError:
            self._deaf.add(root)
            return UNWRITABLE.format(root=root)
        try:
            until = time.monotonic() + CANARY_SECONDS
            while time.monotonic() < until and not self._stop.is_set():
                for path in self._changes(ear, 0.2):
                    if os.path.basename(path) == canary.name:  # noqa: PTH119
                        return None
                    self._early.append(Hint(Path(path)))
        finally:
            with contextlib.suppress(OSError):
                canary.unlink()
        self._deaf.add(root)
        return SILENT.format(root=root)

    def _heard(self, root: Path, ear: RustNotify, seconds: float) -> list[Sign]:
        try:
            paths = self._changes(ear, seconds)
        except Exception as failure:  # a thread of the library that died tells nothing any more
            self._ears = [each for each in self._ears if each[0] != root]
            self._deaf.add(root)
            return [Lost(root, f"listening failed ({failure})")]
        signs: list[Sign] = [Hint(Path(path)) for path in paths if CANARY not in path]
        if len(paths) >= MANY:
            signs.append(Lost(root, f"{len(paths):,} changes came at once"))
        return signs

    def _changes(self, ear: RustNotify, seconds: float) -> set[str]:
        step = SOON_STEP_MS if seconds < SOON_SECONDS else STEP_MS
        step = max(1, min(step, int(seconds * 1000)))
        heard = ear.watch(DEBOUNCE_MS, step, max(1, int(seconds * 1000)), self._stop)
        if isinstance(heard, str):  # "timeout", "stop", "signal"
            if heard == "signal":
                raise KeyboardInterrupt
            return set()
        return {path for _, path in heard}

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, STEP_MS / 1000))
