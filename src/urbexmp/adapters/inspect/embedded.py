"""Previews inside raw files and DNGs: where they lie, how large they are, which way up.

A walk over the directories takes 0.1 ms, against 5-9 ms for a running exiftool, and finds the
smallest preview that is large enough; LibRaw offers only the largest.
"""

from __future__ import annotations

from dataclasses import dataclass

from urbexmp.adapters.inspect import boxes, ciff, jpeg, tiff
from urbexmp.adapters.inspect.reader import Part, Reader

_SEARCHED = 8 << 20
"""Bytes searched for a JPEG in raw files whose form says nothing of one."""
_STEP = 1 << 20
_FEWEST_PIXELS = 160


@dataclass(frozen=True, slots=True)
class EmbeddedJpeg:
    """A JPEG inside a file, decodable, with its size in pixels as stored."""

    offset: int
    length: int
    width: int
    height: int

    @property
    def long_side(self) -> int:
        """The larger of width and height."""
        return max(self.width, self.height)


@dataclass(frozen=True, slots=True)
class Previews:
    """All previews of a file."""

    jpegs: tuple[EmbeddedJpeg, ...]
    orientation: int | None
    """EXIF orientation that the file gives; None: the preview's own EXIF says."""
    upright_stored: bool | None = None
    """Whether the full picture is stored higher than wide; None where not known."""

    def best(self, long_side: int) -> EmbeddedJpeg | None:
        """The smallest with at least `long_side` pixels, else the largest there is."""
        enough = [found for found in self.jpegs if found.long_side >= long_side]
        if enough:
            return min(enough, key=lambda found: (found.long_side, found.length))
        return max(self.jpegs, key=lambda found: found.long_side, default=None)


def find_previews(reader: Reader, found: str, long_side: int) -> Previews:
    """Previews of a raw file or DNG whose content is `found` (`magic.sniff`).

    The maker's note is looked into only where nothing else reaches `long_side`, and the file
    searched only where nothing at all was found, because both mean reading more.
    """
    orientation: int | None = None
    upright: bool | None = None
    directory: tiff.Tiff | None = None
    places: list[tuple[int, int]] = []
    if found == "a Canon CR3":
        places = boxes.cr3_jpegs(reader)
        exif = boxes.cr3_exif(reader)
        canon = tiff.read_tiff(Part(reader, *exif)) if exif else None
        orientation = canon.orientation if canon else None
    elif found == "a Canon CRW":
        records = ciff.read_ciff(reader)
        if records is not None:
            tags = (ciff.FULL_JPEG, ciff.THUMBNAIL)
            places = [records.records[tag] for tag in tags if tag in records.records]
            orientation = records.orientation(reader)
    elif found == "a Fujifilm RAF":
        header = reader.at(84, 8)
        places = [(int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big"))]
    else:
        directory = tiff.read_tiff(reader)
        if directory is not None:
            places = _in_directories(directory)
            orientation = directory.orientation
            main = directory.main()
            size = main[0].size if main else None
            upright = size[1] > size[0] if size else None
    jpegs = _decodable(reader, places)
    if directory is not None and all(found.long_side < long_side for found in jpegs):
        jpegs = _decodable(reader, [*places, *_in_maker_notes(directory)])
    if not jpegs:
        jpegs = _decodable(reader, _searched(reader))
    return Previews(tuple(jpegs), orientation, upright)


def _in_directories(directory: tiff.Tiff) -> list[tuple[int, int]]:
    """Everything in the directories that could be a JPEG."""
    places: list[tuple[int, int]] = []
    for ifd in directory.ifds:
        at, size = ifd.number(tiff.JPEG_AT), ifd.number(tiff.JPEG_SIZE)
        if at and size:
            places.append((at, size))
        extents = ifd.extents()
        if len(extents) == 1 and ifd.number(tiff.COMPRESSION) in (6, 7):
            places.append(extents[0])
        panasonic = ifd.entries.get(tiff.RW2_JPEG)
        if panasonic is not None and directory.magic == 0x55:
            places.append((panasonic.at, panasonic.size))
    return places


def _in_maker_notes(directory: tiff.Tiff) -> list[tuple[int, int]]:
    """JPEGs in the maker's note: Olympus and Nikon keep larger previews there."""
    places: list[tuple[int, int]] = []
    for ifd in directory.ifds:
        notes = [ifd.entries.get(tiff.MAKER_NOTE)]
        for exif in ifd.numbers(tiff.EXIF_IFD)[:1]:
            entries, _ = tiff.directory(directory, exif, directory.magic == 43)
            notes.append(entries.get(tiff.MAKER_NOTE))
        for note in notes:
            if note is not None:
                places += _jpegs_between(directory.reader, note.at, note.at + note.size)
    return places


def _decodable(reader: Reader, places: list[tuple[int, int]]) -> list[EmbeddedJpeg]:
    found: list[EmbeddedJpeg] = []
    for offset, length in places:
        size = jpeg.frame_size(reader, offset) if offset else None
        if size is None or max(size) < _FEWEST_PIXELS or offset + length > reader.size:
            continue
        if not any(other.offset == offset for other in found):
            found.append(EmbeddedJpeg(offset, length, *size))
    return found


def _searched(reader: Reader) -> list[tuple[int, int]]:
    """JPEGs by their start marker, for formats whose directories we do not know."""
    return _jpegs_between(reader, 1, min(reader.size, _SEARCHED))


def _jpegs_between(reader: Reader, start: int, end: int) -> list[tuple[int, int]]:
    """Starts of JPEGs between two offsets, each with the length up to its EOI."""
    found: list[tuple[int, int]] = []
    at = start
    while at < end and len(found) < 8:
        chunk = reader.at(at, min(_STEP, end - at) + 2)
        hit = chunk.find(b"\xff\xd8\xff")
        if hit < 0:
            at += _STEP
            continue
        at += hit
        size = jpeg.frame_size(reader, at)
        stop = jpeg.picture(reader, _nothing, at) if size is not None else None
        if stop is None:
            at += 3
        else:
            found.append((at, stop - at))
            at = stop
    return found


def _nothing(_: bytes) -> None:
    """Where only the end of a picture is wanted."""
