"""One writer per library: a lock of the operating system, which dies with its holder.

A watch runs for weeks and must not keep people out: it holds the lock only while it works, and a
command that finds it working leaves a request, at which the watch finishes the photo at hand and
lets go.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from urbexmp.model.errors import LibraryLocked, LibraryWatched, StateUnwritable

GIVEN_SECONDS = 30.0
"""How long a command waits for a watch to let the library go."""

LOOK_SECONDS = 0.02
PROBED_SECONDS = 0.2

REQUEST_SECONDS = 5.0
"""A request that nobody renewed for so long was left by a command that was killed."""

WAITING = "Waiting for the watch (process {pid}) to finish the photo at hand."


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


class WatchLock(FileLock):
    """Held by a watch as long as it runs, so that there is one for a library."""

    def __init__(self, path: Path, root: Path) -> None:
        """`root`: the library's, to name it by."""
        super().__init__(path)
        self._root = root

    def __enter__(self) -> WatchLock:
        """Raises `LibraryWatched` with the other watch's process id, `StateUnwritable`."""
        until = time.monotonic() + PROBED_SECONDS
        while True:
            try:
                super().__enter__()
            except LibraryLocked as locked:
                # `held_by` of another command holds it for a moment.
                if time.monotonic() > until:
                    raise LibraryWatched(self._root, pid=locked.fields["pid"]) from None
                time.sleep(LOOK_SECONDS)
            else:
                return self


def held_by(path: Path) -> str | None:
    """The process id of who holds a lock; None: nobody does."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        # An empty file is nobody's; else its holder may have been killed.
        pid = _read_pid(handle)
        return None if pid == "unknown" or _try_lock(handle) else pid
    except OSError:
        return None
    finally:
        os.close(handle)


class Request:
    """The wish of a command to have the library that a watch is working on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self) -> None:
        """Ask, or ask on."""
        with contextlib.suppress(OSError):
            self._path.touch()

    def drop(self) -> None:
        """The wish was granted, or given up."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def stands(self) -> bool:
        """Whether somebody asks. What was not renewed lately does not count."""
        try:
            age = time.time() - self._path.stat().st_mtime
        except OSError:
            return False
        return abs(age) < REQUEST_SECONDS


class AskingLock(FileLock):
    """The library's lock for a person's command: a watch that holds it is asked to let go."""

    def __init__(
        self, path: Path, watch: Path, request: Request, say: Callable[[str], None]
    ) -> None:
        super().__init__(path)
        self._watch = watch
        self._request = request
        self._say = say

    def __enter__(self) -> AskingLock:
        """Raises `LibraryLocked` where no watch holds it, or it does not let go in time."""
        locked = self._tried()
        if locked is None:
            return self
        pid = str(locked.fields["pid"])
        if held_by(self._watch) != pid:
            raise locked
        until, asked = time.monotonic() + GIVEN_SECONDS, -REQUEST_SECONDS
        self._say(WAITING.format(pid=pid))
        try:
            while (locked := self._tried()) is not None:
                now = time.monotonic()
                if now > until:
                    raise locked
                if now - asked > REQUEST_SECONDS / 5:
                    self._request.put()
                    asked = now
                time.sleep(LOOK_SECONDS)
        finally:
            self._request.drop()
        return self

    def _tried(self) -> LibraryLocked | None:
        try:
            super().__enter__()
        except LibraryLocked as locked:
            return locked
        return None


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
