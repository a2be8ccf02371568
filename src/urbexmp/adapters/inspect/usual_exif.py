"""Reads EXIF where it stands as usual: a tenth of what exifread takes, and the same answer.

exifread reads every entry of a file, one number at a time, and forms a text of each. Here only
what `tags` asks for is read, from directories that hold nothing odd. Whatever is odd in the least
(a directory that runs out of the file, an entry twice, a type that EXIF does not know, a second
place for GPS data) is left to exifread, so that it has one meaning and not two.
"""

from __future__ import annotations

import struct
from math import gcd

from urbexmp.adapters.inspect import jpeg
from urbexmp.adapters.inspect.reader import Part, Reader
from urbexmp.adapters.inspect.tags import Tags, Value, needs_maker_note

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_NAMES = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0112: "Orientation",
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8822: "ExposureProgram",
    0x8827: "ISOSpeedRatings",
    0x8832: "RecommendedExposureIndex",
    0x8833: "ISOSpeed",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9206: "SubjectDistance",
    0x9209: "Flash",
    0xA002: "ExifImageWidth",
    0xA003: "ExifImageLength",
    0xA405: "FocalLengthIn35mmFilm",
    0xA40C: "SubjectDistanceRange",
    0xA434: "LensModel",
}
_GPS_NAMES = {1: "GPSLatitudeRef", 2: "GPSLatitude", 3: "GPSLongitudeRef", 4: "GPSLongitude"}
_ASCII, _RATIO, _SIGNED_RATIO = 2, 5, 10
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i"}
_RATIOS = {_RATIO: "I", _SIGNED_RATIO: "i"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8}
_MOST_ENTRIES, _MOST_VALUES, _MOST_IFDS = 1024, 999, 8
_APP0, _EXIF = 0xE0, b"Exif\0\0"

_Entry = tuple[int, int, bytes]
"""Type, count, and the four bytes that are the value or say where it is."""


class _Odd(Exception):  # noqa: N818  (not an error: exifread takes over)
    """Something is not as usual."""


def read_usual(reader: Reader, found: str) -> Tags | None:
    """Tags of a file whose content is `found` (`magic.sniff`); None: exifread has to say.

    Raises `FileUnreadable`.
    """
    try:
        inside = _tiff_in(reader, found)
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(inside.at(0, 4))
        if order is None:
            return None
        tags = _tags(inside, order)
    except (_Odd, struct.error):  # cut short
        return None
    return None if needs_maker_note(tags) else tags


def _tiff_in(reader: Reader, found: str) -> Reader:
    if found in ("a TIFF", "a DNG"):
        return reader
    if found == "a JPEG":
        for segment in jpeg.segments(reader):
            if segment.marker == jpeg.APP1 and reader.at(segment.offset, 6) == _EXIF:
                return Part(reader, segment.offset + 6, segment.size - 6)
            if segment.marker != _APP0:
                break
    raise _Odd


def _tags(reader: Reader, order: str) -> Tags:
    image, at = _directory(reader, order, *struct.unpack(order + "I", reader.at(4, 4)))
    seen = {0}
    while at:
        if at in seen or len(seen) > _MOST_IFDS:
            raise _Odd
        seen.add(at)
        entries, at = _directory(reader, order, at)
        if _GPS_IFD in entries:
            raise _Odd
    exif: dict[int, _Entry] = {}
    gps: dict[int, _Entry] = {}
    if _EXIF_IFD in image:
        exif, _ = _directory(reader, order, _pointer(order, image[_EXIF_IFD]))
        if _GPS_IFD in exif:
            raise _Odd
    if _GPS_IFD in image:
        gps, _ = _directory(reader, order, _pointer(order, image[_GPS_IFD]))
    tags: dict[str, Value] = {}
    for entries, names in ((exif, _NAMES), (image, _NAMES), (gps, _GPS_NAMES)):
        for tag in entries.keys() & names.keys():
            if names[tag] not in tags:
                tags[names[tag]] = _value(reader, order, *entries[tag])
    return tags


def _directory(reader: Reader, order: str, at: int) -> tuple[dict[int, _Entry], int]:
    """Entries by tag, and where the next directory is."""
    head = reader.at(at, 2)
    if at == 0 or len(head) < 2:
        raise _Odd
    (count,) = struct.unpack(order + "H", head)
    table = reader.at(at + 2, count * 12 + 4)
    if count > _MOST_ENTRIES or len(table) != count * 12 + 4:
        raise _Odd
    entries = {
        tag: (kind, values, raw)
        for tag, kind, values, raw in struct.iter_unpack(order + "HHI4s", table[:-4])
    }
    if len(entries) != count or not _SIZES.keys() >= {kind for kind, _, _ in entries.values()}:
        raise _Odd
    return entries, struct.unpack(order + "I", table[-4:])[0]


def _pointer(order: str, entry: _Entry) -> int:
    kind, count, raw = entry
    if kind != 4 or count != 1:
        raise _Odd
    found: int = struct.unpack(order + "I", raw)[0]
    return found


def _value(reader: Reader, order: str, kind: int, count: int, raw: bytes) -> Value:
    size = _SIZES[kind] * count
    if count > _MOST_VALUES:
        raise _Odd
    if size > 4:
        raw = reader.at(struct.unpack(order + "I", raw)[0], size)
        if len(raw) != size:
            raise _Odd
    if kind == _ASCII:
        try:
            return raw[:size].split(b"\0", 1)[0].decode("utf-8")
        except UnicodeDecodeError:
            return ()
    if kind in _RATIOS:
        parts = struct.unpack(f"{order}{2 * count}{_RATIOS[kind]}", raw[:size])
        return tuple(map(_lowest, parts[::2], parts[1::2]))
    return tuple((n, 1) for n in struct.unpack(f"{order}{count}{_NUMBERS[kind]}", raw[:size]))


def _lowest(numerator: int, denominator: int) -> tuple[int, int]:
    """In lowest terms, as exifread gives it; what is divided by zero stays."""
    if denominator == 0:
        return numerator, 0
    by = gcd(numerator, denominator) * (1 if denominator > 0 else -1)
    return numerator // by, denominator // by
