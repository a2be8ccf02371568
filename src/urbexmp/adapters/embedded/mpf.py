"""The Multi-Picture index of a JPEG (APP2 `MPF`): where the other pictures in the file begin.

Layout (CIPA DC-007, 5.2): a TIFF header whose first byte is what all offsets count from, and a
directory with tag 0xB002, one entry of 16 bytes a picture: attributes, size, offset, dependents,
four, four, four and four bytes. The first picture's offset is zero: it is the file itself.

Bytes put in behind that header and before a picture move it away from its offset, which exiftool
and exiv2 leave wrong (XMP.md 6.2).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from urbexmp.adapters.embedded.layout import Splice

IDENT = b"MPF\0"
_ENTRIES = 0xB002
_LARGEST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture, and where in the file its size and its offset stand."""

    at: int
    """Offset of the entry in the file."""
    size: int
    offset: int
    """From the header; zero for the first picture."""


@dataclass(frozen=True, slots=True)
class Index:
    """A Multi-Picture index."""

    base: int
    """Offset in the file of the header, which all offsets count from."""
    order: str
    """`<` or `>`, as `struct` wants it."""
    entries: tuple[Entry, ...]

    def targets(self) -> tuple[int, ...]:
        """Where the pictures but the first begin in the file."""
        return tuple(self.base + each.offset for each in self.entries if each.offset)


def parse(payload: bytes, at: int) -> Index | None:
    """Read the segment's payload, which stands at `at` in the file; None: it makes no sense."""
    data = payload[len(IDENT) :]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return None
    try:
        (directory,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, directory)
        for number in range(count):
            tag, kind, length, where = struct.unpack_from(
                order + "HHII", data, directory + 2 + 12 * number
            )
            if tag == _ENTRIES:
                if kind != 7 or length % 16:
                    return None
                base = at + len(IDENT)
                entries = []
                for start in range(where, where + length, 16):
                    _, size, offset, _ = struct.unpack_from(order + "IIII", data, start)
                    entries.append(Entry(base + start, size, offset))
                return Index(base, order, tuple(entries))
    except struct.error:
        return None
    return Index(at + len(IDENT), order, ())


def mended(index: Index, splices: Sequence[Splice]) -> tuple[Splice, ...] | None:
    """What has to be changed in the index so that it fits the file after `splices`.

    Offsets of pictures that move against the header, and the size of a picture (the first, as a
    rule) that has one of the splices within. None: a number would become too large.
    """
    patches = []
    for each in index.entries:
        begin = index.base + each.offset if each.offset else 0
        size = each.size and each.size + sum(
            splice.growth for splice in splices if begin <= splice.offset < begin + each.size
        )
        offset = each.offset
        if offset:
            offset += moved(begin, splices) - moved(index.base, splices)
        if not (0 <= size <= _LARGEST and 0 <= offset <= _LARGEST):
            return None
        if (size, offset) != (each.size, each.offset):
            new = struct.pack(index.order + "II", size, offset)
            patches.append(Splice(each.at + 4, 8, new))
    return tuple(patches)


def moved(offset: int, splices: Sequence[Splice]) -> int:
    """By how much a byte moves that no splice takes away."""
    return sum(splice.growth for splice in splices if splice.end <= offset)
