"""Small TIFFs and DNGs made for tests, of every lawful shape and of many unlawful ones.

A file is described as directories (`Ifd`) that refer to each other and to data (`Data`), and then
laid out: `layout` says in which order the parts lie, so that one description gives many files.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, IFD, LONG8, IFD8 = 1, 2, 3, 4, 5, 7, 13, 16, 18
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 13: 4, 16: 8, 18: 8}
CODES = {3: "H", 4: "I", 5: "I", 13: "I", 16: "Q", 18: "Q"}
XMP, IPTC, PHOTOSHOP, EXIF, GPS, SUB_IFDS = 700, 33723, 34377, 34665, 34853, 330


@dataclass(eq=False)
class Data:
    """Bytes somewhere in the file; as a value, its offset."""

    content: bytes
    align: int = 2

    def length(self, _big: bool) -> int:
        return len(self.content)


@dataclass(eq=False)
class Ifd:
    """A directory; as a value, its offset. Values: bytes, whole numbers, or parts of the file."""

    entries: list[tuple[int, int, bytes | Sequence[Any]]] = field(default_factory=list)
    following: Ifd | None = None
    align: int = 2
    keep_order: bool = False

    def length(self, big: bool) -> int:
        return len(self.entries) * (20 if big else 12) + (16 if big else 6)

    def add(self, tag: int, kind: int, values: bytes | Sequence[Any]) -> None:
        self.entries.append((tag, kind, values))


@dataclass(eq=False)
class _Value:
    """Values of an entry that do not fit into it."""

    owner: Ifd
    index: int
    size: int
    align: int = 2

    def length(self, _big: bool) -> int:
        return self.size


Part = Data | Ifd | _Value


@dataclass
class Built:
    """A file, and where its parts lie."""

    content: bytes
    at: dict[int, int]
    """Offset by `id` of a part."""

    def where(self, part: Part) -> int:
        return self.at[id(part)]


def as_listed(parts: list[Part]) -> list[Part]:
    return parts


def build(
    first: Ifd,
    *,
    order: str = "<",
    big: bool = False,
    layout: Callable[[list[Part]], list[Part]] = as_listed,
    gap: Callable[[], int] = lambda: 0,
    tail: bytes = b"",
) -> Built:
    """Lay a file out. `gap`: bytes of nothing before the next part."""
    room = 8 if big else 4
    parts: list[Part] = []
    values: dict[tuple[int, int], _Value] = {}

    def collect(part: Part) -> None:
        if any(part is one for one in parts):
            return
        parts.append(part)
        if isinstance(part, Ifd):
            if not part.keep_order:
                part.entries.sort(key=lambda entry: entry[0])
            for index, (_, kind, content) in enumerate(part.entries):
                for one in content:
                    if isinstance(one, Data | Ifd):
                        collect(one)
                size = len(content) * SIZES[kind] // (2 if kind == RATIONAL else 1)
                if isinstance(content, bytes):
                    size = len(content)
                if size > room:
                    values[id(part), index] = value = _Value(part, index, size)
                    parts.append(value)
            if part.following is not None:
                collect(part.following)

    collect(first)
    at: dict[int, int] = {}
    end = 16 if big else 8
    placed = layout(list(parts))
    for part in placed:
        end += gap()
        end += -end % part.align
        at[id(part)] = end
        end += part.length(big)

    def packed(kind: int, content: bytes | Sequence[Any]) -> bytes:
        if isinstance(content, bytes):
            return content
        numbers = [at[id(one)] if isinstance(one, Data | Ifd) else one for one in content]
        return struct.pack(f"{order}{len(numbers)}{CODES[kind]}", *numbers)

    def spelled(part: Part) -> bytes:
        if isinstance(part, Data):
            return part.content
        if isinstance(part, _Value):
            _, kind, content = part.owner.entries[part.index]
            return packed(kind, content)
        said = struct.pack(order + ("Q" if big else "H"), len(part.entries))
        for index, (tag, kind, content) in enumerate(part.entries):
            count = len(content) // (2 if kind == RATIONAL else 1)
            if not isinstance(content, bytes) or kind in (BYTE, ASCII, UNDEFINED):
                pass
            else:
                count = len(content) // SIZES[kind]
            said += struct.pack(order + "HH" + ("Q" if big else "I"), tag, kind, count)
            value = values.get((id(part), index))
            if value is None:
                said += packed(kind, content).ljust(room, b"\0")
            else:
                said += struct.pack(order + ("Q" if big else "I"), at[id(value)])
        following = at[id(part.following)] if part.following else 0
        return said + struct.pack(order + ("Q" if big else "I"), following)

    content = bytearray(end)
    mark = {"<": b"II", ">": b"MM"}[order]
    if big:
        content[:16] = mark + struct.pack(order + "HHHQ", 43, 8, 0, at[id(first)])
    else:
        content[:8] = mark + struct.pack(order + "HI", 42, at[id(first)])
    for part in placed:
        start = at[id(part)]
        content[start : start + part.length(big)] = spelled(part)
    return Built(bytes(content) + tail, at)


def picture(
    seed: int = 1, *, width: int = 24, height: int = 18, tiles: bool = False, rows: int = 5
) -> Ifd:
    """A directory with an RGB picture that Pillow decodes, in strips or tiles."""
    pixels = bytes((n * 7 + seed * 31 + n // 50) % 256 for n in range(width * height * 3))
    made = Ifd()
    made.add(256, SHORT, [width])
    made.add(257, SHORT, [height])
    made.add(258, SHORT, [8, 8, 8])
    made.add(259, SHORT, [1])
    made.add(262, SHORT, [2])
    made.add(277, SHORT, [3])
    if tiles:
        side = 16
        parts = []
        for top in range(0, height, side):
            for left in range(0, width, side):
                tile = bytearray()
                for y in range(top, top + side):
                    start = (min(y, height - 1) * width + left) * 3
                    line = pixels[start : start + min(side, width - left) * 3]
                    tile += line.ljust(side * 3, b"\0")
                parts.append(Data(bytes(tile)))
        made.add(322, SHORT, [side])
        made.add(323, SHORT, [side])
        made.add(324, LONG, parts)
        made.add(325, LONG, [len(part.content) for part in parts])
    else:
        step = width * 3 * rows
        parts = [Data(pixels[n : n + step]) for n in range(0, len(pixels), step)]
        made.add(273, LONG, parts)
        made.add(278, SHORT, [rows])
        made.add(279, LONG, [len(part.content) for part in parts])
    return made


def with_camera(ifd: Ifd, *, maker_note: bytes = b"") -> Ifd:
    """Add camera, EXIF, GPS and a maker note, whose inside no program of ours understands."""
    ifd.add(271, ASCII, b"Testcam\0")
    ifd.add(272, ASCII, b"Model with a long name\0")
    ifd.add(274, SHORT, [1])
    ifd.add(282, RATIONAL, [300, 1])
    ifd.add(306, ASCII, b"2024:05:11 09:30:00\0")
    exif = Ifd()
    exif.add(33434, RATIONAL, [1, 60])
    exif.add(34855, SHORT, [200])
    exif.add(36867, ASCII, b"2024:05:11 09:30:00\0")
    exif.add(37500, UNDEFINED, maker_note or b"Testcam\0" + bytes(range(200)))
    gps = Ifd()
    gps.add(1, ASCII, b"N\0")
    gps.add(2, RATIONAL, [52, 1, 30, 1, 0, 1])
    ifd.add(EXIF, LONG, [exif])
    ifd.add(GPS, LONG, [gps])
    return ifd


def plain(order: str, big: bool, stands: bytes | None = None, **how: Any) -> Built:
    """A TIFF with one picture, camera facts and, if given, a packet."""
    first = with_camera(picture())
    if stands is not None:
        first.add(XMP, BYTE, stands)
    return build(first, order=order, big=big, **how)


def dng(*, order: str = "<", packet: bytes | None = None, **how: Any) -> Built:
    """A DNG in form: a small picture first, the sensor's data in a sub-directory, opaque data."""
    first = with_camera(picture(3))
    first.add(254, LONG, [1])
    raw = picture(4, width=32, height=32, tiles=True)
    raw.add(254, LONG, [0])
    preview = picture(5, width=16, height=8)
    preview.add(254, LONG, [1])
    first.add(SUB_IFDS, LONG, [raw, preview])
    first.add(50706, BYTE, b"\1\4\0\0")
    first.add(50707, BYTE, b"\1\1\0\0")
    first.add(50708, ASCII, b"Testcam model\0")
    first.add(50740, BYTE, b"Adobe\0MakN" + bytes(range(100)))
    if packet is not None:
        first.add(XMP, BYTE, packet)
    return build(first, order=order, **how)


def resource(number: int, content: bytes, name: bytes = b"") -> bytes:
    """One Photoshop image resource."""
    named = bytes([len(name)]) + name
    named += b"\0" * (len(named) % 2)
    return (
        b"8BIM" + struct.pack(">H", number) + named + struct.pack(">I", len(content)) + content
    ) + b"\0" * (len(content) % 2)


def iim(*words: str, utf8: bool = True) -> bytes:
    """An IPTC block with keywords."""

    def data_set(record: int, number: int, content: bytes) -> bytes:
        return bytes([0x1C, record, number]) + struct.pack(">H", len(content)) + content

    said = data_set(1, 90, b"\x1b%G") if utf8 else b""
    said += data_set(2, 0, b"\0\4")
    for word in words:
        said += data_set(2, 25, word.encode("utf-8" if utf8 else "cp1252"))
    return said + b"\0" * (-len(said) % 4)


def packet(*words: str, padding: int = 0, wrapped: bool = True, extra: str = "") -> bytes:
    """An XMP packet with keywords."""
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    subject = f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>" if words else ""
    inner = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f"{extra}>{subject}</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>"
    )
    if not wrapped:
        return inner.encode() + b" " * padding
    blanks = (" " * 99 + "\n") * (padding // 100 + 1)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        + inner
        + "\n"
        + blanks[len(blanks) - padding :]
        + '<?xpacket end="w"?>'
    ).encode()
