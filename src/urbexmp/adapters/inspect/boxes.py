"""The outer form of HEIC, AVIF and CR3: boxes in boxes (ISO 14496-12, ISO 23008-12).

CR3's boxes as described in github.com/lclevy/canon_cr3: `CMT1` is a TIFF, `THMB` and `PRVW` hold
JPEGs, the first track's only sample is a JPEG of full size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from urbexmp.adapters.inspect.reader import Reader

_MOST_BOXES = 4096


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its type, and where its content begins and ends. `end` may lie past a cut file."""

    kind: bytes
    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.end - self.start


def boxes(reader: Reader, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Boxes side by side between two offsets. Ends where they are damaged."""
    stop = reader.size if end is None else min(end, reader.size)
    for _ in range(_MOST_BOXES):
        head = reader.at(start, 16)
        if start >= stop or len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head[:8])
        content = start + 8
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack(">Q", head[8:16])
            content = start + 16
        elif size == 0:
            size = stop - start
        if size < content - start:
            return
        yield Box(kind, content, start + size)
        start += size


def find(reader: Reader, path: tuple[bytes, ...], inside: Box | None = None) -> Box | None:
    """The first box at a path of types, `(b"moov", b"trak")`."""
    at = inside
    for kind in path:
        found = (b for b in boxes(reader, *((at.start, at.end) if at else ())) if b.kind == kind)
        at = next(found, None)
        if at is None:
            return None
    return at


def uuid_box(reader: Reader, uuid: bytes, inside: Box | None = None) -> Box | None:
    """A `uuid` box by its identifier; its content begins behind that."""
    for box in boxes(reader, *((inside.start, inside.end) if inside else ())):
        if box.kind == b"uuid" and reader.at(box.start, 16) == uuid:
            return Box(box.kind, box.start + 16, box.end)
    return None


# --- Canon CR3 ----------------------------------------------------------------------------------

_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")


def cr3_jpegs(reader: Reader) -> list[tuple[int, int]]:
    """Offset and length of the JPEGs in a CR3: thumbnail, preview, full size."""
    found: list[tuple[int, int]] = []
    moov = find(reader, (b"moov",))
    canon = uuid_box(reader, _CANON, moov) if moov else None
    outer = uuid_box(reader, _PREVIEW)
    places = [find(reader, (b"THMB",), canon) if canon else None]
    if outer is not None:
        places.append(find(reader, (b"PRVW",), Box(b"uuid", outer.start + 8, outer.end)))
    for box in places:
        if box is None:
            continue
        # A few numbers come first; how many has changed, so the JPEG's own start is looked for.
        skip = reader.at(box.start, 64).find(b"\xff\xd8\xff")
        if skip >= 0:
            found.append((box.start + skip, box.size - skip))
    table = find(reader, (b"trak", b"mdia", b"minf", b"stbl"), moov) if moov else None
    if table is not None:
        sizes, offsets = find(reader, (b"stsz",), table), find(reader, (b"co64",), table)
        if sizes is not None and offsets is not None:
            size_data, offset_data = reader.at(sizes.start, 16), reader.at(offsets.start, 16)
            if len(size_data) == 16 and len(offset_data) == 16:
                same, _, first = struct.unpack(">III", size_data[4:16])
                (at,) = struct.unpack(">Q", offset_data[8:16])
                found.append((at, same or first))
    return found


def cr3_exif(reader: Reader) -> tuple[int, int] | None:
    """Offset and length of the `CMT1` box, a TIFF with make, model and orientation."""
    moov = find(reader, (b"moov",))
    canon = uuid_box(reader, _CANON, moov) if moov else None
    box = find(reader, (b"CMT1",), canon) if canon else None
    return (box.start, box.size) if box else None


# --- HEIC and AVIF ------------------------------------------------------------------------------

_METADATA_ITEMS = frozenset({b"Exif", b"mime", b"uri "})


def picture_items(reader: Reader) -> list[tuple[int, int]]:
    """Offset and length of everything in a HEIF file's items that is picture, not metadata.

    Exif and XMP are items too and often lie in the same `mdat`, so the box as a whole changes
    when they do. Empty where the tables say nothing we understand.
    """
    meta = find(reader, (b"meta",))
    if meta is None:
        return []
    inner = Box(b"meta", meta.start + 4, meta.end)
    kinds = _item_kinds(reader, inner)
    located = find(reader, (b"iloc",), inner)
    if located is None or not kinds:
        return []
    try:
        return _located(reader.at(located.start, located.size), kinds)
    except (struct.error, IndexError):
        return []


def _item_kinds(reader: Reader, meta: Box) -> dict[int, bytes]:
    table = find(reader, (b"iinf",), meta)
    if table is None:
        return {}
    version = reader.at(table.start, 1)
    first = table.start + (6 if version == b"\0" else 8)
    kinds: dict[int, bytes] = {}
    for box in boxes(reader, first, table.end):
        data = reader.at(box.start, 14)
        if box.kind != b"infe" or len(data) < 12 or data[0] not in (2, 3):
            continue
        if data[0] == 2:
            kinds[int.from_bytes(data[4:6], "big")] = data[8:12]
        elif len(data) == 14:
            kinds[int.from_bytes(data[4:8], "big")] = data[10:14]
    return kinds


def _located(data: bytes, kinds: dict[int, bytes]) -> list[tuple[int, int]]:
    """The extents of the `iloc` table that hold picture data in the file itself."""
    at = 0

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(data):
            raise IndexError
        value = int.from_bytes(data[at : at + size], "big")
        at += size
        return value

    version = number(4) >> 24
    packed = number(2)
    offset_size, length_size = packed >> 12, packed >> 8 & 15
    base_size, index_size = packed >> 4 & 15, packed & 15
    found: list[tuple[int, int]] = []
    for _ in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)
        base = number(base_size)
        for _ in range(number(2)):
            if version in (1, 2):
                number(index_size)
            extent = (base + number(offset_size), number(length_size))
            if method == 0 and extent[1] and kinds.get(item, b"mime") not in _METADATA_ITEMS:
                found.append(extent)
    return found
