"""What the stores do to the disk: temp files, syncs, and what its refusals mean."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from urbexmp.model.errors import FileUnreadable, FileVanished, Problem, WriteFailed

WINDOWS = os.name == "nt"

TICK_NS = 2_000_000_000
"""FAT and some shares keep times in steps of two seconds (XMP.md R37)."""

LARGEST = 256 * 2**20
"""Bytes; no packet is near this, so a larger file is something else under a sidecar's name."""

_TEMP = re.compile(r"\.(?s:.*)\.urbexmp-(\d+)-[0-9a-f]{8}\.tmp")
"""Names of our temp files. The dot and the extension hide them from photo programs."""


_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Without O_NONBLOCK, a pipe that is named like a sidecar would hold us for ever."""

_LINKED = (".xmp", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".dng")
"""Ends of the names of files that are written through a symbolic link."""


def _numbers(*names: str) -> frozenset[int]:
    # Not every system has every one of them.
    return frozenset(getattr(errno, name) for name in names if hasattr(errno, name))


_FULL = _numbers("ENOSPC", "EDQUOT", "EFBIG")
_FORBIDDEN = _numbers("EACCES", "EPERM")
_GONE = _numbers(
    "ENOENT", "ENOTDIR", "ESTALE", "EIO", "ENOTCONN", "ENODEV", "ENXIO", "EHOSTDOWN",
    "EHOSTUNREACH", "ETIMEDOUT", "ECONNABORTED", "ECONNRESET", "EREMOTEIO",
)  # fmt: skip
NOT_OFFERED = _numbers("EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EBADF", "ENOTTY")
"""Answers of file systems that do not know the call at all."""


def said(failure: OSError) -> str:
    """What the system said, in its own words."""
    return failure.strerror or str(failure)


def write_problem(path: Path, failure: OSError) -> Problem:
    """What a refused write means to the person."""
    number = failure.errno
    if number in _FULL:
        return WriteFailed(path, said(failure), "Free space on its volume and run again")
    if number == errno.EROFS:
        return WriteFailed(path, said(failure), "Mount its volume for writing and run again")
    if number in _FORBIDDEN:
        advice = "Give yourself the right to write to it and to its folder"
        if WINDOWS:
            advice += ", and close the programs that hold it open"
        return WriteFailed(path, said(failure), advice)
    if number in _GONE:
        return WriteFailed(
            path, f"its folder or volume went away: {said(failure)}", "Mount it and run again"
        )
    return WriteFailed(path, said(failure))


def read_problem(path: Path, failure: OSError) -> Problem:
    """What a refused read means to the person."""
    if failure.errno in _GONE:
        return FileUnreadable(path, detail=f"its folder or volume went away: {said(failure)}")
    return FileUnreadable(path, detail=said(failure))


def read_packet(path: Path) -> bytes | None:
    """All bytes of a sidecar; None when there is none.

    Raises `FileVanished` when its folder is gone too: that says nothing about the sidecar.
    Raises `FileUnreadable` for anything but a regular file.
    """
    try:
        handle = os.open(path, _READING)
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise FileUnreadable(path, detail="it is no regular file")
            if found.st_size > LARGEST:
                raise FileUnreadable(path, detail="it is far too large for a sidecar")
            return _read_all(handle, found.st_size)
        finally:
            os.close(handle)
    except (FileNotFoundError, NotADirectoryError) as failure:
        if path.is_symlink():
            raise FileUnreadable(path, detail="it is a symbolic link to nothing") from failure
        if not path.parent.is_dir():
            raise FileVanished(path) from failure
        return None
    except OSError as failure:
        raise read_problem(path, failure) from failure


def _read_all(handle: int, size: int) -> bytes:
    parts = [os.read(handle, size + 1)]
    if len(parts[0]) == size:
        return parts[0]  # as long as it said: its end was reached
    while part := os.read(handle, 2**16):
        parts.append(part)
    return b"".join(parts)


def advanced(after: int, before: int | None) -> int | None:
    """The mtime (ns) to set so that it is later than `before` on every volume; None: fine as is."""
    if before is None or after // TICK_NS > before // TICK_NS:
        return None
    return before + TICK_NS


def temp_beside(target: Path) -> Path:
    """A fresh name of a temp file in the folder of `target`."""
    import secrets  # not for reading

    # Cut, because a name may hold 255 bytes and ours is longer than the target's.
    stem = target.name
    if len(stem) > 45 or not stem.isascii():
        stem = os.fsdecode(os.fsencode(stem)[:180]).encode("utf-8", "ignore").decode()
    return target.with_name(f".{stem}.urbexmp-{os.getpid()}-{secrets.token_hex(4)}.tmp")


def write_temp(temp: Path, packet: bytes, like: os.stat_result | None, source: Path) -> int:
    """Write a new file with the mode, owner and attributes of `source`; return its open handle.

    `like` None: a new file with the mode that the user's umask gives. The handle is the caller's
    to sync and close.
    """
    handle = create_like(temp, like)
    try:
        rest = memoryview(packet)
        while rest:
            rest = rest[os.write(handle, rest) :]
        finish_like(handle, temp, like, source)
    except BaseException:
        os.close(handle)
        raise
    return handle


def create_like(temp: Path, like: os.stat_result | None) -> int:
    """Make an empty temp file and return its open handle, the caller's to close.

    `like` None: it gets the mode that the user's umask gives; else nobody else may read it until
    `finish_like`.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.open(temp, flags, 0o666 if like is None else 0o600)


def finish_like(handle: int, temp: Path, like: os.stat_result | None, source: Path) -> None:
    """Give a written temp file the mode, owner and attributes of `source`, and a later mtime."""
    now = os.fstat(handle)
    if like is not None:
        _dress(handle, now, like, source)
    mtime = advanced(now.st_mtime_ns, like.st_mtime_ns if like is not None else None)
    if mtime is not None:
        times = (now.st_atime_ns, mtime)
        os.utime(handle if os.utime in os.supports_fd else temp, ns=times)


def _dress(handle: int, made: os.stat_result, like: os.stat_result, source: Path) -> None:
    """Give the new file the owner, mode and attributes of the old one, as far as permitted."""
    if WINDOWS:
        return
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(handle, like.st_uid, like.st_gid)
        except OSError:
            # A file of another person in a shared folder: the group alone can mostly be kept.
            with contextlib.suppress(OSError):
                os.fchown(handle, -1, like.st_gid)
    with contextlib.suppress(OSError):  # a volume without modes
        os.fchmod(handle, stat.S_IMODE(like.st_mode))
    if sys.platform == "linux":
        # Access control lists are attributes too; they come after the mode, which they refine.
        with contextlib.suppress(OSError):
            for name in os.listxattr(source):
                with contextlib.suppress(OSError):
                    os.setxattr(handle, name, os.getxattr(source, name))


def sync_file(handle: int) -> None:
    """Make a file's bytes durable. A volume that offers no sync is left to itself."""
    try:
        os.fsync(handle)
        if sys.platform == "darwin":
            # There fsync stops at the drive's own cache.
            import fcntl

            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
    except OSError as failure:
        if failure.errno not in NOT_OFFERED:
            raise


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable. Windows has no such call, and some shares refuse it."""
    if WINDOWS:
        return
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as failure:
        if failure.errno not in NOT_OFFERED | _FORBIDDEN:
            raise


def remove_quietly(path: Path) -> None:
    """Remove a temp file of ours, if it is still there and may be removed."""
    with contextlib.suppress(OSError):
        path.unlink()


def leftovers(folder: Path, live: frozenset[Path]) -> Iterable[Path]:
    """Temp files that killed runs left in `folder`, or in the folders its links point to."""
    folders = [folder]
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink() and entry.name.lower().endswith(_LINKED):
                folders.append(Path(os.path.realpath(entry.path)).parent)
    for place in dict.fromkeys(folders):
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                ours = _TEMP.fullmatch(entry.name)
                path = place / entry.name
                if ours and path not in live and not _still_written(int(ours[1]), entry):
                    yield path


def _still_written(pid: int, entry: os.DirEntry[str]) -> bool:
    """Whether another urbexmp, of another library that holds the same folder, may be at it.

    A process id alone says little: in a container every run has the same one. So a temp file
    of our own id that we do not know of is a leftover, and one of another living process is
    spared for ten minutes, longer than any write takes.
    """
    if pid == os.getpid() or WINDOWS:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    import time

    with contextlib.suppress(OSError):
        return time.time() - entry.stat(follow_symlinks=False).st_mtime < 600
    return False
