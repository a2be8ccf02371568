"""Where the kernel's own copy of a stretch of a file is taken at its word.

`copy_file_range` within one volume of ext2/3/4, XFS, btrfs or tmpfs moves pages of the page cache,
or makes both files point to the same blocks. To read both files again right afterwards compares
the page cache with itself: nothing of it has reached the disk yet, and what the disk then does no
comparison can see. So there the ends of every stretch and a sample of its blocks are compared,
which shows that the right bytes came to the right place. Anywhere else (network shares, FUSE, ZFS,
stacked and unknown file systems), where other software does the copying, and wherever bytes passed
through our own memory, all are compared.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_TRUSTED = frozenset({0xEF53, 0x58465342, 0x9123683E, 0x01021994})
"""`f_type` of ext2/3/4, XFS, btrfs and tmpfs (linux/magic.h)."""

_ROOM = 512
"""More bytes than `struct statfs` has on any machine; `f_type` is its first word."""


def copies_truly(handle: int) -> bool:
    """Whether the volume that `handle` is open on copies within itself by the kernel's own code.

    False where that cannot be told.
    """
    if sys.platform != "linux":
        return False
    library = _library()
    if library is None:
        return False
    found = ctypes.create_string_buffer(_ROOM)
    if library.fstatfs(handle, found) != 0:
        return False
    return ctypes.c_long.from_buffer(found).value & 0xFFFFFFFF in _TRUSTED


@cache
def _library() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None, use_errno=True)
    return library if hasattr(library, "fstatfs") else None
