"""A file written anew beside itself with splices done to it, streamed, and the proof of that.

The bytes that stay are never in memory together: they are shared with the old file where the
volume can (XFS, btrfs and their like by `FICLONERANGE`, for whole blocks that begin at the
same place within a block on both sides), copied by the kernel where it can, and else passed
through a buffer.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from urbexmp.adapters.embedded.layout import Splice
from urbexmp.adapters.files.disk import NOT_OFFERED, create_like, finish_like
from urbexmp.model.errors import CarrierMoved, ProofFailed

BLOCK = 4096
"""Volumes share extents in whole blocks; of the usual ones this is the size."""

PIECE = 128 * 2**10
"""Bytes passed through memory at a time: two of these stay in the processor's cache."""

WORTH_SHARING = 16 * BLOCK
"""Fewer bytes are copied as fast as they are shared."""

_FICLONERANGE = 0x4020940D
"""`_IOW(0x94, 13, struct file_clone_range)` of linux/fs.h: source, its offset, length, where to."""


Shared = list[tuple[int, int]]
"""Offset in the new file and length of stretches that are the old file's own blocks."""


def rewrite(
    source: Path, splices: Sequence[Splice], temp: Path, shared: Shared | None = None
) -> int:
    """Write `temp` as `source` with `splices` done to it; return its open handle, not yet synced.

    To `shared` are added the stretches that were not copied but shared; None: nothing is shared.

    It gets the mode, owner and attributes of the source, and a later mtime (R37). Raises
    `OSError`, and `CarrierMoved` when the source is shorter than the splices say. The handle is
    the caller's to sync and close.
    """
    old = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        like = os.fstat(old)
        new = create_like(temp, like)
        try:
            for offset, length, insert in _stretches(like.st_size, splices, source):
                if insert:
                    _write(new, insert)
                if length:
                    _copy(old, new, offset, length, source, shared)
            finish_like(new, temp, like, source)
        except BaseException:
            os.close(new)
            raise
        return new
    finally:
        os.close(old)


def prove_rewrite(
    source: Path, temp: Path, splices: Sequence[Splice], shared: Sequence[tuple[int, int]] = ()
) -> None:
    """Raise `ProofFailed` unless `temp` is `source` with exactly `splices` done to it.

    Both are read again and compared, all bytes, a piece at a time. Shares nothing with `rewrite`.
    Stretches that are `shared` are the same blocks of the same disk: of those only the first and
    the last bytes are compared, which shows that they are in the right place.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    old = os.open(source, flags)
    try:
        new = os.open(temp, flags)
        try:
            _compare(old, new, splices, sorted(shared), source)
        finally:
            os.close(new)
    finally:
        os.close(old)


def _stretches(
    size: int, splices: Sequence[Splice], subject: Path
) -> Iterator[tuple[int, int, bytes]]:
    """What the new file is made of: bytes to insert, then a stretch of the old to copy."""
    at, insert = 0, b""
    for splice in splices:
        if splice.offset < at or splice.end > size:
            raise CarrierMoved(subject)
        yield at, splice.offset - at, insert
        at, insert = splice.end, splice.insert
    yield at, size - at, insert


def _write(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _copy(
    old: int, new: int, offset: int, length: int, subject: Path, shared: Shared | None
) -> None:
    """Append `length` bytes of `old` from `offset` to `new`, in the cheapest way there is."""
    there = os.lseek(new, 0, os.SEEK_CUR)
    lead = -offset % BLOCK
    if shared is not None and offset % BLOCK == there % BLOCK and length - lead >= WORTH_SHARING:
        _copy(old, new, offset, lead, subject, None)
        size = os.fstat(old).st_size
        most = length - lead
        if offset + length < size:
            most -= most % BLOCK  # only at the old file's end may a block be broken
        if _share(old, new, offset + lead, there + lead, most):
            shared.append((there + lead, most))
            os.lseek(new, there + lead + most, os.SEEK_SET)
            offset, length = offset + lead + most, length - lead - most
        else:
            offset, length = offset + lead, length - lead
    if hasattr(os, "copy_file_range"):
        offset, length = _copied(old, new, offset, length)
    while length:
        os.lseek(old, offset, os.SEEK_SET)
        piece = os.read(old, min(PIECE, length))
        if not piece:
            raise CarrierMoved(subject)  # it was cut short while we read it
        _write(new, piece)
        offset += len(piece)
        length -= len(piece)


def _share(old: int, new: int, offset: int, there: int, length: int) -> bool:
    """Let `new` have blocks of `old` from `there` on; False: the volume does not do that."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(new, _FICLONERANGE, struct.pack("qQQQ", old, offset, length, there))
    except OSError:
        return False
    return True


def _copied(old: int, new: int, offset: int, length: int) -> tuple[int, int]:
    """Let the kernel copy bytes; return what is left to be copied otherwise."""
    while length:
        try:
            done = os.copy_file_range(old, new, length, offset)
        except OSError as failure:
            if failure.errno in NOT_OFFERED | {errno.EXDEV, errno.EPERM, errno.ETXTBSY}:
                break
            raise
        if not done:
            break
        offset, length = offset + done, length - done
    return offset, length


def _compare(
    old: int,
    new: int,
    splices: Sequence[Splice],
    shared: Sequence[tuple[int, int]],
    subject: Path,
) -> None:
    moved = 0
    at = 0
    size = os.fstat(old).st_size
    for splice in (*splices, Splice(size, 0, b"")):
        for start, end in _unshared(at + moved, splice.offset + moved, shared):
            _same(old, new, start - moved, start, end - start, subject)
        _holds(new, splice.offset + moved, splice.insert, subject)
        at = splice.end
        moved += splice.growth
    if os.fstat(new).st_size != size + moved:
        raise ProofFailed(subject, detail="the new file has another length than it should")


def _unshared(start: int, end: int, shared: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Stretches of the new file to compare, from `start` to `end`."""
    for first, length in shared:
        last = first + length
        if start <= first and last <= end:
            yield start, min(first + BLOCK, last)
            start = max(last - BLOCK, start)
    yield start, end


def _same(old: int, new: int, here: int, there: int, length: int, subject: Path) -> None:
    """Compare a stretch of both. Buffers that are filled again, because fresh ones cost more than
    the comparison."""
    one, two = bytearray(PIECE), bytearray(PIECE)
    while length > 0:
        if length < PIECE:
            one, two = bytearray(length), bytearray(length)
        _fill(old, here, one)
        _fill(new, there, two)
        if one != two:
            raise ProofFailed(subject, detail="bytes that are none of the packet's would differ")
        here, there, length = here + len(one), there + len(two), length - len(one)


def _holds(new: int, offset: int, wanted: bytes, subject: Path) -> None:
    found = bytearray(len(wanted))
    _fill(new, offset, found)
    if found != wanted:
        raise ProofFailed(subject, detail="what was to be written is not there")


def _fill(handle: int, offset: int, buffer: bytearray) -> None:
    """Read into the whole buffer; the rest is zeros where the file is too short."""
    os.lseek(handle, offset, os.SEEK_SET)
    rest = memoryview(buffer)
    while rest:
        piece = _read_into(handle, rest)
        if not piece:
            rest[:] = bytes(len(rest))
            return
        rest = rest[piece:]


def _read_into(handle: int, buffer: memoryview) -> int:
    if hasattr(os, "readv"):
        return os.readv(handle, [buffer])
    piece = os.read(handle, len(buffer))
    buffer[: len(piece)] = piece
    return len(piece)
