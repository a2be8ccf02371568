"""A file's bytes written to the disk past the page cache (`O_DIRECT`), and read back from there.

To copy an 8 MB photo through the page cache (`copy_file_range`), to sync it and to let go of its
pages costs 5 ms of a processor, and to compare the copy with the original 2.5 more: and what is
compared is the page cache with itself, before anything has reached the disk. Through an aligned
buffer straight to the disk it is 2 ms, and 1 more to read all of it back from the disk and to
compare it with what was sent (ext4, one machine; the ratios travel). A piece is read back right
after it was written, while the drive still has it at hand.

Only whole blocks can go this way, to where they stand at the same place within a block, and only
on volumes that are known to do it well.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

from urbexmp.adapters.files.disk import NOT_OFFERED

BLOCK = 4096
"""Bytes in which offsets, lengths and memory must be aligned; enough for every usual disk."""

WORTH_IT = 2 * 2**20
"""Bytes. Of less, many wait for one sync together."""

_AT_ONCE = 2 * 2**20
"""Bytes that are read or written at a time: one huge page. In 4 KB pages the same takes three times
as long, because the disk is told of each."""

_GOOD = frozenset({0xEF53, 0x58465342})
"""`f_type` of ext2/3/4 and XFS (linux/magic.h). btrfs shares blocks; what others make of
`O_DIRECT` differs from one version to the next."""

_DIRECT = getattr(os, "O_DIRECT", 0)

_ROOM = 512
"""More bytes than `struct statfs` has on any machine; `f_type` is its first word."""


def offered(handle: int) -> bool:
    """Whether the volume of an open file writes and reads directly; False if unknown."""
    library = _library()
    if library is None:
        return False
    found = ctypes.create_string_buffer(_ROOM)
    if library.fstatfs(handle, found) != 0:
        return False
    return ctypes.c_long.from_buffer(found).value & 0xFFFFFFFF in _GOOD


def _memcmp(one: int, two: int, length: int) -> int:
    library = _library()
    assert library is not None  # who offers direct writing has it
    compare = library.memcmp
    compare.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    found: int = compare(one, two, length)
    return found


@cache
def _library() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    return library if hasattr(library, "fstatfs") else None


def copy(old: int, temp: Path, offset: int, there: int, length: int) -> int:
    """Write `length` bytes of the file `old` from `offset` to `there` in `temp`, which exists, and
    compare what the disk then has, all of it, with what was read.

    `there` and `length` are whole blocks. Returns how many bytes were written: fewer where the
    volume turns out not to do that, or where the old file is shorter by now. Raises `OSError`,
    `DiffersError`.
    """
    given, returned = _memory()
    done = 0
    try:
        new = os.open(temp, os.O_RDWR | _DIRECT)
    except OSError:
        return 0
    try:
        while done < length:
            piece = given[: min(_AT_ONCE, length - done)]
            read = os.preadv(old, [piece], offset + done)
            wrote = os.pwrite(new, piece[: read - read % BLOCK], there + done)
            back = os.preadv(new, [returned[:wrote]], there + done)
            if back != wrote or not _equal(given, returned, wrote):
                raise DiffersError
            done += wrote
            if wrote != len(piece):
                break
    except OSError as failure:
        if failure.errno not in NOT_OFFERED:
            raise
    finally:
        os.close(new)
    return done - done % BLOCK


class DiffersError(Exception):
    """The disk gave back other bytes than it was given."""


def read(path: Path, offset: int, length: int) -> bytes:
    """Whole blocks of a file, from the disk, whatever the page cache has of it; fewer at its end.

    Raises `OSError`.
    """
    handle = os.open(path, os.O_RDONLY | _DIRECT)
    try:
        memory = _memory()[1][:length]
        return bytes(memory[: os.preadv(handle, [memory], offset)])
    finally:
        os.close(handle)


def _equal(one: memoryview, two: memoryview, length: int) -> bool:
    """Compare in machine words of both: a memoryview compares bytes one by one in Python's way."""
    return _memcmp(_address(one), _address(two), length) == 0


def _address(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


_mine = threading.local()


def _memory() -> tuple[memoryview, memoryview]:
    """Two pieces of aligned memory of this thread, a huge page each where there are such. Kept,
    because to get and to clear them would cost as much as to read into them."""
    if not hasattr(_mine, "views"):
        room = mmap.mmap(-1, 3 * _AT_ONCE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with suppress(AttributeError, OSError):
            room.madvise(mmap.MADV_HUGEPAGE)
        whole = memoryview(room)
        skip = -_address(whole) % _AT_ONCE
        first, second = skip + _AT_ONCE, skip + 2 * _AT_ONCE
        _mine.views = whole[skip:first], whole[first:second]
    views: tuple[memoryview, memoryview] = _mine.views
    return views
