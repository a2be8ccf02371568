"""One writer per library: a lock of the operating system, which dies with its holder."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from urbexmp.model.errors import LibraryLocked, StateUnwritable


class FileLock:
    """Implements `ports.LibraryLock` by a lock on a file that holds the owner's process id.

    The system drops the lock when its holder ends in whatever way, so a file left behind means
    nothing and is never removed (removing it would let two processes lock two files of one
    name). Two locks on one path exclude each other within one process too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def __enter__(self) -> FileLock:
        """Raises `LibraryLocked` with the holder's process id, `StateUnwritable`."""
        if self._handle is not None:
            raise LibraryLocked(self._path, pid=os.getpid())
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as failure:
            raise StateUnwritable(self._path, detail=failure.strerror or str(failure)) from failure
        try:
            self._claim(handle)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        return self

    def _claim(self, handle: int) -> None:
        try:
            if _try_lock(handle):
                os.ftruncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
                return
        except OSError as failure:
            raise StateUnwritable(self._path, detail=failure.strerror or str(failure)) from failure
        raise LibraryLocked(self._path, pid=_read_pid(handle))

    def __exit__(self, *exc: object) -> None:
        """Let the library go."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
        # Closing lets the lock go, on every system.
        os.close(handle)


def _read_pid(handle: int) -> str:
    with contextlib.suppress(OSError):
        os.lseek(handle, 0, os.SEEK_SET)
        text = os.read(handle, 32).decode("ascii", "replace").strip()
        if text.isdigit():
            return text
    return "unknown"


if sys.platform == "win32":
    import msvcrt

    _FAR = 2**30
    """A locked range cannot be read by others on Windows, so it lies beyond the process id."""

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        # flock, not lockf: a lockf lock belongs to the process, so it does not exclude a second
        # one there, and closing any handle of the file drops it.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
