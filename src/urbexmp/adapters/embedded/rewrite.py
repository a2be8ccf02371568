"""A file written anew beside itself with splices done to it, streamed.

The bytes that stay are never in memory together: they are shared with the old file where the
volume can (XFS, btrfs and their like by `FICLONE` and `FICLONERANGE`, the latter for whole blocks
that begin at the same place within a block on both sides), else written straight to the disk
(`direct`, for such blocks as well), else copied by the kernel where it can, and else passed through
a buffer. `compare.prove_rewrite` looks at what came of it.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from urbexmp.adapters.embedded import direct
from urbexmp.adapters.embedded.layout import Splice
from urbexmp.adapters.files.disk import NOT_OFFERED, create_like, finish_like
from urbexmp.model.errors import CarrierMoved, WriteFailed

BLOCK = 4096
"""Volumes share extents in whole blocks; of the usual ones this is the size."""

PIECE = 128 * 2**10
"""Bytes passed through memory at a time."""

WORTH_SHARING = 16 * BLOCK
"""Fewer bytes are copied as fast as they are shared."""

_FICLONE = 0x40049409
"""`_IOW(0x94, 9, int)` of linux/fs.h: the source."""

_FICLONERANGE = 0x4020940D
"""`_IOW(0x94, 13, struct file_clone_range)` of linux/fs.h: source, its offset, length, where to."""

_NO_KERNEL_COPY = NOT_OFFERED | {errno.EXDEV, errno.EPERM, errno.ETXTBSY}

Stretches = list[tuple[int, int]]
"""Offset in the new file and length."""


@dataclass(slots=True)
class Trace:
    """How whole blocks that stay came into the new file. All else was copied."""

    shared: Stretches = field(default_factory=list)
    """They are the old file's own blocks."""
    direct: Stretches = field(default_factory=list)
    """They were written to the disk, and what it gave back was compared with what it was given."""


def rewrite(source: Path, splices: Sequence[Splice], temp: Path, trace: Trace | None = None) -> int:
    """Write `temp` as `source` with `splices` done to it; return its open handle, not yet synced.

    It gets the mode, owner and attributes of the source, and a later mtime (R37). `trace` is told
    how bytes came there; without one nothing is shared. Raises `OSError`, and `CarrierMoved` when
    the source is shorter than the splices say, or was changed meanwhile. The handle is the
    caller's to sync and close.
    """
    old = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        like = os.fstat(old)
        new = create_like(temp, like)
        try:
            stretches = tuple(_stretches(like.st_size, splices, source))
            if trace is None or not _cloned(old, new, like.st_size, splices, trace):
                copying = _Copying(old, new, temp, like.st_size, source, trace)
                for offset, length, insert in stretches:
                    if insert:
                        _write(new, insert)
                    if length:
                        copying.append(offset, length)
            finish_like(new, temp, like, source)
            _still(old, like, source)
        except BaseException:
            os.close(new)
            raise
        return new
    finally:
        os.close(old)


def _still(old: int, like: os.stat_result, subject: Path) -> None:
    """Raise `CarrierMoved` when the file was written to while it was copied."""
    now = os.fstat(old)
    if (now.st_size, now.st_mtime_ns) != (like.st_size, like.st_mtime_ns):
        raise CarrierMoved(subject)


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


def _cloned(old: int, new: int, size: int, splices: Sequence[Splice], trace: Trace) -> bool:
    """Where nothing moves: share the whole file and write over what differs; False: not here."""
    if size < WORTH_SHARING or any(splice.growth for splice in splices) or not _share(old, new):
        return False
    at = 0
    for splice in splices:
        data, there = memoryview(splice.insert), splice.offset
        while data:
            done = os.pwrite(new, data, there)
            data, there = data[done:], there + done
        first = splice.offset - splice.offset % BLOCK
        if first > at:
            trace.shared.append((at, first - at))
        at = max(at, min(size, splice.end + -splice.end % BLOCK))
    if at < size:
        trace.shared.append((at, size - at))
    return True


@dataclass(slots=True)
class _Copying:
    """Stretches of the old file, appended to the new one in the cheapest way there is."""

    old: int
    new: int
    temp: Path
    size: int
    subject: Path
    trace: Trace | None
    shares: bool = True
    """Whether the volume has not refused yet to share blocks."""

    def append(self, offset: int, length: int) -> None:
        """Append `length` bytes from `offset`. Raises `OSError`, `CarrierMoved`."""
        there = os.lseek(self.new, 0, os.SEEK_CUR)
        lead = -offset % BLOCK
        whole = 0
        if self.trace is not None and offset % BLOCK == there % BLOCK:
            whole = self._blocks(self.trace, offset + lead, there + lead, length - lead)
        if whole:
            self.copy(offset, lead)
            os.lseek(self.new, there + lead + whole, os.SEEK_SET)
            offset, length = offset + lead + whole, length - lead - whole
        self.copy(offset, length)

    def _blocks(self, trace: Trace, offset: int, there: int, length: int) -> int:
        """Share blocks, or write them straight to the disk; return how many bytes."""
        if self.shares and length >= WORTH_SHARING:
            # Only at the old file's end may a block be broken.
            most = length if offset + length == self.size else length - length % BLOCK
            if _share(self.old, self.new, offset, there, most):
                trace.shared.append((there, most))
                return most
            self.shares = False
        if length >= direct.WORTH_IT and direct.offered(self.new):
            try:
                done = direct.copy(self.old, self.temp, offset, there, length - length % BLOCK)
            except direct.DiffersError:
                raise WriteFailed(
                    self.subject,
                    "its disk gave back other bytes than it was given",
                    "Check the disk",
                ) from None
            if done:
                trace.direct.append((there, done))
            return done
        return 0

    def copy(self, offset: int, length: int) -> None:
        """The same without sharing."""
        offset, length = self._by_kernel(offset, length)
        while length:
            os.lseek(self.old, offset, os.SEEK_SET)
            piece = os.read(self.old, min(PIECE, length))
            if not piece:
                raise CarrierMoved(self.subject)  # it was cut short while we read it
            _write(self.new, piece)
            offset += len(piece)
            length -= len(piece)

    def _by_kernel(self, offset: int, length: int) -> tuple[int, int]:
        """Let the kernel copy bytes; return what is left to be copied otherwise."""
        if not hasattr(os, "copy_file_range"):
            return offset, length
        while length:
            try:
                done = os.copy_file_range(self.old, self.new, length, offset)
            except OSError as failure:
                if failure.errno in _NO_KERNEL_COPY:
                    break
                raise
            if not done:
                break
            offset, length = offset + done, length - done
        return offset, length


def _share(old: int, new: int, offset: int = 0, there: int = 0, length: int | None = None) -> bool:
    """Let `new` have blocks of `old` from `there` on, without `length` all of them.

    False: the volume does not do that.
    """
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        if length is None:
            fcntl.ioctl(new, _FICLONE, old)
        else:
            fcntl.ioctl(new, _FICLONERANGE, struct.pack("qQQQ", old, offset, length, there))
    except OSError:
        return False
    return True
