"""The outer form of a TIFF and of the many raw formats built like one (TIFF 6.0, BigTIFF, TIFF/EP).

Only the directories are read, and of them only the numbers that say what picture lies where.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from urbexmp.adapters.inspect.reader import Reader

SUBFILE, WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, ORIENTATION = 254, 256, 257, 259, 262, 274
STRIPS, STRIP_SIZES, TILES, TILE_SIZES, SUB_IFDS = 273, 279, 324, 325, 330
JPEG_AT, JPEG_SIZE, XMP, MAKER_NOTE, EXIF_IFD, DNG_VERSION = 513, 514, 700, 37500, 34665, 50706
RW2_JPEG, RW2_RAW_AT = 0x2E, 0x118

MAGICS = frozenset({42, 43, 0x55, 0x4F52, 0x5352})
"""TIFF, BigTIFF, Panasonic (IIU), Olympus (IIRO, IIRS)."""

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MOST_IFDS, _MOST_ENTRIES, _MOST_VALUES = 64, 4096, 1 << 20


@dataclass(slots=True)
class Entry:
    """One entry of a directory; `at` is where its values lie in the file."""

    kind: int
    count: int
    at: int

    @property
    def size(self) -> int:
        """Bytes that its values take."""
        return _SIZES.get(self.kind, 0) * self.count


@dataclass(frozen=True, slots=True)
class Ifd:
    """One image directory."""

    tiff: Tiff
    entries: dict[int, Entry]

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Whole numbers of an entry; empty where it is absent or of another type."""
        entry = self.entries.get(tag)
        if entry is None or entry.count > _MOST_VALUES:
            return ()
        code = _CODES.get(entry.kind)
        data = self.tiff.reader.at(entry.at, entry.size)
        if code is None or len(data) < entry.size:
            return ()
        return struct.unpack(f"{self.tiff.order}{entry.count}{code}", data)

    def number(self, tag: int) -> int | None:
        """The first number of an entry."""
        values = self.numbers(tag)
        return values[0] if values else None

    def extents(self) -> list[tuple[int, int]]:
        """Offset and length of its picture's strips or tiles, in order."""
        for offsets_tag, sizes_tag in ((STRIPS, STRIP_SIZES), (TILES, TILE_SIZES)):
            offsets, sizes = self.numbers(offsets_tag), self.numbers(sizes_tag)
            if offsets and len(offsets) == len(sizes):
                return [(o, s) for o, s in zip(offsets, sizes, strict=True) if s > 0]
        at = self.number(RW2_RAW_AT)
        if at is not None and 0 < at < self.tiff.reader.size and self.tiff.magic == 0x55:
            return [(at, self.tiff.reader.size - at)]
        return []

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height as the directory says."""
        width, height = self.number(WIDTH), self.number(HEIGHT)
        return (width, height) if width and height else None


@dataclass(slots=True)
class Tiff:
    """A TIFF: the first directory, the chain behind it, and their sub-directories."""

    reader: Reader
    order: str
    magic: int
    ifds: list[Ifd] = field(default_factory=list)

    @property
    def is_dng(self) -> bool:
        """Whether the first directory has DNGVersion."""
        return bool(self.ifds) and DNG_VERSION in self.ifds[0].entries

    @property
    def orientation(self) -> int:
        """EXIF orientation 1..8 of the main picture; 1 where it does not say."""
        value = self.ifds[0].number(ORIENTATION) if self.ifds else None
        return value if value is not None and 1 <= value <= 8 else 1

    def main(self) -> tuple[Ifd, list[tuple[int, int]]] | None:
        """The directory with the most picture data, and where that lies."""
        held = [(ifd, ifd.extents()) for ifd in self.ifds]
        held = [(ifd, extents) for ifd, extents in held if extents]
        return max(held, key=lambda pair: sum(size for _, size in pair[1]), default=None)


def read_tiff(reader: Reader) -> Tiff | None:
    """Read the directories, once. None: it is no TIFF. Damaged ones are left out; loops end."""
    if "tiff" not in reader.known:
        reader.known["tiff"] = _read(reader)
    known: Tiff | None = reader.known["tiff"]
    return known


def _read(reader: Reader) -> Tiff | None:
    head = reader.at(0, 16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return None
    (magic,) = struct.unpack(order + "H", head[2:4])
    if magic not in MAGICS:
        return None
    tiff = Tiff(reader, order, magic)
    big = magic == 43
    if big and len(head) < 16:
        return None
    (first,) = struct.unpack(order + ("Q" if big else "I"), head[8:16] if big else head[4:8])
    waiting, seen = [first], set[int]()
    while waiting and len(tiff.ifds) < _MOST_IFDS:
        at = waiting.pop(0)
        if at == 0 or at in seen:
            continue
        seen.add(at)
        entries, following = directory(tiff, at, big)
        if not entries:
            continue
        ifd = Ifd(tiff, entries)
        tiff.ifds.append(ifd)
        waiting = [*ifd.numbers(SUB_IFDS), following, *waiting]
    return tiff


def directory(tiff: Tiff, at: int, big: bool) -> tuple[dict[int, Entry], int]:
    """Entries of the directory at `at`, and where the next one lies (0: nowhere)."""
    reader, order = tiff.reader, tiff.order
    head = reader.at(at, 8 if big else 2)
    width = 20 if big else 12
    if len(head) < (8 if big else 2):
        return {}, 0
    (count,) = struct.unpack(order + ("Q" if big else "H"), head)
    if not 0 < count <= _MOST_ENTRIES:
        return {}, 0
    at += len(head)
    table = reader.at(at, count * width + (8 if big else 4))
    entries: dict[int, Entry] = {}
    room = 8 if big else 4
    place = at + width - room
    whole = min(count, len(table) // width) * width
    for tag, kind, values, where in struct.iter_unpack(
        order + ("HHQQ" if big else "HHII"), table[:whole]
    ):
        if tag not in entries:
            inside = _SIZES.get(kind, 0) * values <= room
            entries[tag] = Entry(kind, values, place if inside else where)
        place += width
    tail = table[count * width :]
    if len(tail) < (8 if big else 4):
        return entries, 0
    (following,) = struct.unpack(order + ("Q" if big else "I"), tail)
    return entries, following
