"""The logs: what is needed to find a mistake, and never shown to a person unasked.

One for tracebacks, in the folder that holds the state of all libraries; one in a library's own
folder for what its watch did. Both rotate: `log.txt`, `log.txt.1`, ... up to `KEPT`.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from urbexmp import __version__

LARGEST = 1_000_000
"""Bytes; then the log begins anew and the old one is kept beside it."""
KEPT = 4
"""Old logs beside the one in use."""

_APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
"""Windows would else write more bytes than it is given, and say so."""


def log_path() -> Path:
    """Where the log of tracebacks is."""
    from urbexmp.app import state_base

    return state_base(None) / "urbexmp.log"


def keep_traceback(failure: BaseException) -> Path:
    """Append a traceback to the log and return the log's path.

    Where the state folder cannot be written it goes to the folder for temporary files, because
    a log that is lost helps nobody.
    """
    entry = "".join(
        (
            f"\n--- {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} urbexmp {__version__},",
            f" Python {platform.python_version()}, {platform.platform()}\n",
            f"command: {sys.argv[1:]!r}\n",
            *traceback.format_exception(failure),
        )
    )
    try:
        return append(log_path(), entry)
    except OSError:
        return append(Path(tempfile.gettempdir()) / "urbexmp.log", entry)


class Log:
    """A library's own log: one line an event, with the time and the process.

    Several processes may write to one log, and no trouble with it ever reaches the work: where
    the disk is full, lines are lost, and the first that fits again says how many.
    """

    def __init__(
        self,
        path: Path,
        *,
        largest: int = LARGEST,
        kept: int = KEPT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path = path
        self._largest, self._kept, self._now = largest, kept, now
        self._lost = 0

    def __call__(self, text: str) -> None:
        """Append a line. Never raises `OSError`."""
        line = self._line(text)
        if self._lost:
            line = self._line(f"{self._lost:,} lines before this were lost: no room") + line
        try:
            append(self.path, line, self._largest, self._kept)
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    def failure(self, text: str, failure: BaseException) -> None:
        """Append a line and the traceback below it."""
        self(text + "\n" + "".join(traceback.format_exception(failure)).rstrip())

    def _line(self, text: str) -> str:
        first, *more = text.split("\n")
        stamp = f"{self._now():%Y-%m-%dT%H:%M:%SZ} {os.getpid()}"
        return "\n    ".join((f"{stamp} {first}", *more)) + "\n"


def append(path: Path, entry: str, largest: int = LARGEST, kept: int = KEPT) -> Path:
    """Append text to a log in one piece, and rotate it first when it is full. Returns `path`.

    `logging.handlers.RotatingFileHandler` keeps its file open, so a second process goes on
    writing into the one that the first has renamed, and both rotate at once. Here the file is
    opened for each entry and locked meanwhile; who waited for the lock looks whether it still is
    the file of that name. Windows has no lock here; there a log that another process has open
    cannot be renamed and just grows a little further. Raises `OSError`.
    """
    data = entry.encode("utf-8", "backslashreplace")
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(path, _APPENDING, 0o644)
        try:
            _lock(handle)
            found = os.fstat(handle)
            if not _is_at(found, path):
                continue  # somebody rotated it while we waited
            if not found.st_size or found.st_size + len(data) <= largest:
                _write(handle, data, found.st_size)
                return path
            if not _rotated(path, kept):
                _write(handle, data, found.st_size)
                return path
        finally:
            os.close(handle)  # lets the lock go


def _write(handle: int, data: bytes, before: int) -> None:
    """All of it or, where the disk is full, nothing of it."""
    try:
        written = os.write(handle, data)
    except OSError:
        written = -1
    if written != len(data):
        with suppress(OSError):
            os.ftruncate(handle, before)
        raise OSError("the log has no room")


def _is_at(found: os.stat_result, path: Path) -> bool:
    try:
        there = path.stat()
    except OSError:
        return False
    return os.path.samestat(found, there)


def _rotated(path: Path, kept: int) -> bool:
    """Move every log one place on; the oldest is overwritten. Whether it was moved away."""
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, kept + 1))]
    for older, newer in reversed(list(zip(names[1:], names, strict=False))):
        if newer != path:
            with suppress(OSError):
                os.replace(newer, older)  # noqa: PTH105
    try:
        os.replace(path, names[1])  # noqa: PTH105
    except OSError:
        return False
    return True


if sys.platform == "win32":

    def _lock(handle: int) -> None:
        """Nothing: see `append`."""

else:
    import fcntl

    def _lock(handle: int) -> None:
        # A filesystem without locks still gets its lines.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
