"""The id of a photo: a digest of picture data that no metadata writer touches.

| format | digest of |
|---|---|
| JPEG | everything from the first SOS marker to EOI |
| TIFF, DNG, raw built like TIFF | strips or tiles of the directory that has most of them |
| CRW | the raw record |
| CR3 | the largest `mdat`; where the file was pruned of it, the preview |
| HEIC, AVIF | the items that are neither Exif nor XMP |
| RAF | what the header calls the sensor's data |
| PNG | its `IDAT` chunks |
| WebP | its `VP8 `, `VP8L`, `ALPH` and `ANMF` chunks |
| anything else | the file; its id changes when anything in it does |

A JPEG is read whole (it must be searched for its end anyway). Of the others at most a megabyte:
up to that, all of it; above, eight evenly spaced windows of 128 KB, the first at the start and
the last at the end, besides the length. Sensor noise differs everywhere between two exposures,
so windows tell pictures apart as well as the whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from urbexmp.adapters.inspect import boxes, ciff, jpeg
from urbexmp.adapters.inspect.reader import Reader
from urbexmp.adapters.inspect.tiff import read_tiff
from urbexmp.model.errors import Undecodable
from urbexmp.model.photo import PhotoId

WINDOW, WINDOWS = 128 * 1024, 8

Extents = list[tuple[int, int]]
"""Offset and length of stretches of a file."""


def photo_id(reader: Reader, found: str) -> PhotoId:
    """Id of the file, whose content is `found` (`magic.sniff`), as 32 hex digits.

    Raises `Undecodable` where the picture data is missing or cut off.
    """
    digest = hashlib.sha256()
    if found == "a JPEG":
        digest.update(b"jpeg\0")
        if jpeg.picture(reader, digest.update) is None:
            raise Undecodable(reader.path, detail="the JPEG ends before its picture does")
    else:
        extents = _FINDERS.get(found, _tiff_data)(reader)
        if not extents and found in _FINDERS:
            raise Undecodable(reader.path, detail="its tables lead to no picture data")
        name = found if extents else "whole"
        digest.update(f"{name}\0".encode())
        _sample(reader, extents or [(0, reader.size)], digest.update)
    return PhotoId(digest.hexdigest()[:32])


def _sample(reader: Reader, extents: Extents, feed: Callable[[bytes], object]) -> None:
    """Feed the length and the windows of all extents laid end to end."""
    if any(start + size > reader.size for start, size in extents):
        raise Undecodable(reader.path, detail="the file ends before its picture data does")
    total = sum(size for _, size in extents)
    feed(total.to_bytes(8, "big"))
    if total <= WINDOW * WINDOWS:
        for start, size in extents:
            feed(reader.at(start, size))
        return
    places = [n * (total - WINDOW) // (WINDOWS - 1) for n in range(WINDOWS)]
    before = 0
    for start, size in extents:
        for place in places:
            first, last = max(place, before), min(place + WINDOW, before + size)
            if first < last:
                feed(reader.at(start + first - before, last - first))
        before += size


def _tiff_data(reader: Reader) -> Extents:
    tiff = read_tiff(reader)
    if tiff is None:
        return []
    if not tiff.ifds:
        raise Undecodable(reader.path, detail="the file ends before its directories")
    main = tiff.main()
    return main[1] if main is not None else []


def _crw_data(reader: Reader) -> Extents:
    records = ciff.read_ciff(reader)
    raw = records.records.get(ciff.RAW_DATA) if records is not None else None
    return [raw] if raw is not None else []


def _cr3_data(reader: Reader) -> Extents:
    data = [box for box in boxes.boxes(reader) if box.kind == b"mdat"]
    if data:
        largest = max(data, key=lambda box: box.size)
        return [(largest.start, largest.size)]
    return boxes.cr3_jpegs(reader)[1:2]


def _heif_data(reader: Reader) -> Extents:
    return boxes.picture_items(reader)


def _raf_data(reader: Reader) -> Extents:
    header = reader.at(100, 8)
    start, size = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")
    return [(start, size)] if start and size else []


def _png_data(reader: Reader) -> Extents:
    found, at = Extents(), 8
    while len(head := reader.at(at, 8)) == 8:
        size = int.from_bytes(head[:4], "big")
        if head[4:] == b"IDAT":
            found.append((at + 8, size))
        at += 12 + size
    return found


def _webp_data(reader: Reader) -> Extents:
    found, at = Extents(), 12
    while len(head := reader.at(at, 8)) == 8:
        size = int.from_bytes(head[4:], "little")
        if head[:4] in (b"VP8 ", b"VP8L", b"ALPH", b"ANMF"):
            found.append((at + 8, size))
        at += 8 + size + (size & 1)
    return found


_FINDERS: dict[str, Callable[[Reader], Extents]] = {
    "a Canon CRW": _crw_data,
    "a Canon CR3": _cr3_data,
    "a HEIC": _heif_data,
    "an AVIF": _heif_data,
    "a Fujifilm RAF": _raf_data,
    "a PNG": _png_data,
    "a WebP": _webp_data,
}
