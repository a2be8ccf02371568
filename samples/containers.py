"""Photo files of the samples: JPEG with EXIF and XMP, TIFF, and raw files in a TIFF container.

The raw files are real containers with invented insides: maker, model and exposure in the first
directory, a JPEG preview where cameras of that maker put theirs, and a few rows of Bayer data.
Layouts follow TIFF 6.0, TIFF/EP and the Exif standard; no maker's notes are written.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from PIL import Image
from scenes import Pixels

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7

SUB_IFDS, EXIF_IFD, GPS_IFD = 0x014A, 0x8769, 0x8825
MAKE, MODEL, DESCRIPTION, ORIENTATION, SOFTWARE, DATE = 0x10F, 0x110, 0x10E, 0x112, 0x131, 0x132

Value = tuple[int, bytes | list[int] | list[Fraction]]
"""A TIFF type and the values."""


def text(value: str) -> Value:
    return ASCII, value.encode("ascii") + b"\0"


def short(*values: int) -> Value:
    return SHORT, list(values)


def long(*values: int) -> Value:
    return LONG, list(values)


def rational(*values: Fraction | float) -> Value:
    return RATIONAL, [Fraction(value).limit_denominator(10_000_000) for value in values]


def undefined(value: bytes) -> Value:
    return UNDEFINED, value


@dataclass
class Directory:
    """One image file directory: tags, directories below it, and the data it points at."""

    tags: dict[int, Value] = field(default_factory=dict)
    below: dict[int, list[Directory]] = field(default_factory=dict)
    """Tag of the pointer to the directories behind it."""
    data: bytes | None = None
    data_tags: tuple[int, int] = (0x111, 0x117)
    """Offset and length of `data`: strips, or 0x201 and 0x202 for a JPEG."""


class TiffWriter:
    """Writes directories little-endian, one after another, each followed by what it points at."""

    def __init__(self, header: bytes = b"II*\0") -> None:
        self.out = bytearray(header + b"\0\0\0\0")

    def write(self, directories: list[Directory]) -> bytes:
        """Return the file with these directories chained behind the header."""
        link = 4
        for directory in directories:
            at, next_link = self._directory(directory)
            self.out[link : link + 4] = struct.pack("<I", at)
            link = next_link
        return bytes(self.out)

    def _directory(self, directory: Directory) -> tuple[int, int]:
        tags = dict(directory.tags)
        offset_tag, length_tag = directory.data_tags
        if directory.data is not None:
            tags[offset_tag], tags[length_tag] = long(0), long(len(directory.data))
        for pointer, children in directory.below.items():
            tags[pointer] = long(*[0] * len(children))
        at = self._align()
        self.out += struct.pack("<H", len(tags)) + bytes(12 * len(tags) + 4)
        places = {
            tag: self._entry(at + 2 + 12 * n, tag, *tags[tag]) for n, tag in enumerate(sorted(tags))
        }
        if directory.data is not None:
            self._point(places[offset_tag], self._append(directory.data))
        for pointer, children in directory.below.items():
            for n, child in enumerate(children):
                child_at, _ = self._directory(child)
                self._point(places[pointer] + 4 * n, child_at)
        return at, at + 2 + 12 * len(tags)

    def _entry(
        self, at: int, tag: int, kind: int, values: bytes | list[int] | list[Fraction]
    ) -> int:
        """Write one entry and return where its value stands."""
        if isinstance(values, bytes):
            packed, count = values, len(values)
        elif kind == RATIONAL:
            pairs = [(value.numerator, value.denominator) for value in map(Fraction, values)]
            packed, count = b"".join(struct.pack("<II", *pair) for pair in pairs), len(values)
        else:
            packed = struct.pack(f"<{len(values)}{'H' if kind == SHORT else 'I'}", *values)
            count = len(values)
        self.out[at : at + 8] = struct.pack("<HHI", tag, kind, count)
        if len(packed) <= 4:
            self.out[at + 8 : at + 8 + len(packed)] = packed
            return at + 8
        place = self._append(packed)
        self._point(at + 8, place)
        return place

    def _append(self, data: bytes) -> int:
        place = self._align()
        self.out += data
        return place

    def _align(self) -> int:
        self.out += bytes(len(self.out) % 2)
        return len(self.out)

    def _point(self, at: int, target: int) -> None:
        self.out[at : at + 4] = struct.pack("<I", target)


@dataclass(frozen=True)
class Shot:
    """What the camera records about one photo."""

    make: str
    model: str
    taken: str
    """`2024:05-11 10:20:30` in EXIF's own form."""
    exposure: Fraction | None = None
    f_number: float | None = None
    iso: int | None = None
    program: int = 2
    flash: int | None = 16
    """16: did not fire, switched off; 9: fired."""
    focal: float | None = None
    focal_35: int | None = None
    distance: float | None = None
    gps: tuple[float, float, float] | None = None
    """Latitude, longitude, altitude."""
    description: str | None = None
    lens: str | None = None


def sexagesimal(degrees: float) -> Value:
    """Degrees, minutes, seconds."""
    seconds = round(abs(degrees) * 360_000)
    return rational(
        Fraction(seconds // 360_000), Fraction(seconds // 6000 % 60), Fraction(seconds % 6000, 100)
    )


def describe(shot: Shot) -> Directory:
    """Return the first directory with its EXIF and GPS directories."""
    first = Directory(
        {
            MAKE: text(shot.make),
            MODEL: text(shot.model),
            ORIENTATION: short(1),
            0x11A: rational(300),
            0x11B: rational(300),
            0x128: short(2),
            DATE: text(shot.taken),
        }
    )
    if shot.description:
        first.tags[DESCRIPTION] = text(shot.description)
    exif: dict[int, Value] = {
        0x9000: undefined(b"0232"),
        0x9003: text(shot.taken),
        0x9004: text(shot.taken),
        0xA000: undefined(b"0100"),
        0xA001: short(1),
    }
    if shot.exposure is not None:
        exif[0x829A] = rational(shot.exposure)
        exif[0x8822] = short(shot.program)
        exif[0xA402] = short(1 if shot.program == 1 else 0)
    if shot.f_number is not None:
        exif[0x829D] = rational(shot.f_number)
    if shot.iso is not None:
        exif[0x8827], exif[0x8830] = short(shot.iso), short(2)
    if shot.flash is not None:
        exif[0x9209] = short(shot.flash)
    if shot.distance is not None:
        exif[0x9206] = rational(shot.distance)
    if shot.focal is not None:
        exif[0x920A] = rational(shot.focal)
    if shot.focal_35 is not None:
        exif[0xA405] = short(shot.focal_35)
    if shot.lens:
        exif[0xA434] = text(shot.lens)
    first.below[EXIF_IFD] = [Directory(exif)]
    if shot.gps is not None:
        latitude, longitude, altitude = shot.gps
        first.below[GPS_IFD] = [
            Directory(
                {
                    0: (BYTE, b"\x02\x03\x00\x00"),
                    1: text("N" if latitude >= 0 else "S"),
                    2: sexagesimal(latitude),
                    3: text("E" if longitude >= 0 else "W"),
                    4: sexagesimal(longitude),
                    5: (BYTE, b"\x00"),
                    6: rational(altitude),
                }
            )
        ]
    return first


def jpeg_of(pixels: Pixels, quality: int = 80) -> bytes:
    """Encode, baseline, without any metadata."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=2, optimize=False)
    return stream.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(pixels: Pixels, shot: Shot | None, xmp: bytes | None = None) -> bytes:
    """Return a JPEG file with EXIF and, where given, an XMP packet, both before the tables."""
    plain = jpeg_of(pixels)
    height, width = pixels.shape[:2]
    added = b""
    if shot is not None:
        first = describe(shot)
        first.tags[0x213] = short(1)
        first.below[EXIF_IFD][0].tags |= {
            0x9101: undefined(b"\1\2\3\0"),
            0xA002: long(width),
            0xA003: long(height),
        }
        exif = TiffWriter().write([first])
        added += segment(0xE1, b"Exif\0\0" + exif)
    if xmp is not None:
        added += segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    return plain[:2] + added + plain[2:]


def tiff(pixels: Pixels, shot: Shot) -> bytes:
    """Return a baseline TIFF: one uncompressed grey strip of a quarter of the size."""
    grey = np.ascontiguousarray(shrink(pixels, 2)[:, :, 1])
    height, width = grey.shape
    first = describe(shot)
    first.tags |= strip_tags(width, height, bits=(8,), photometric=1, compression=1)
    first.data = grey.tobytes()
    return TiffWriter().write([first])


def shrink(pixels: Pixels, by: int) -> Pixels:
    """Average blocks of `by` x `by` pixels."""
    height, width = (side // by * by for side in pixels.shape[:2])
    blocks = pixels[:height, :width].reshape(height // by, by, width // by, by, 3)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def strip_tags(
    width: int, height: int, *, bits: tuple[int, ...], photometric: int, compression: int
) -> dict[int, Value]:
    """Return what every image in one strip needs, but for its offset and length."""
    return {
        0x100: long(width),
        0x101: long(height),
        0x102: short(*bits),
        0x103: short(compression),
        0x106: short(photometric),
        0x115: short(len(bits)),
        0x116: long(height),
        0x11C: short(1),
    }


def bayer(pixels: Pixels) -> Directory:
    """Return a directory with the picture as 16-bit Bayer data (RGGB), an eighth of the size."""
    small = shrink(pixels, 8)
    height, width = (side // 2 * 2 for side in small.shape[:2])
    linear = (small[:height, :width].astype(np.float64) / 255) ** 2.2 * 15_000 + 512
    mosaic = linear[:, :, 1].copy()
    mosaic[0::2, 0::2] = linear[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = linear[1::2, 1::2, 2]
    tags = {0xFE: long(0)} | strip_tags(width, height, bits=(16,), photometric=32803, compression=1)
    tags |= {0x828D: short(2, 2), 0x828E: (BYTE, b"\x00\x01\x01\x02")}
    return Directory(tags, data=np.rint(mosaic).astype("<u2").tobytes())


def nef(pixels: Pixels, shot: Shot) -> bytes:
    """Nikon: a small RGB picture first, preview and sensor data in two directories below it."""
    small = shrink(pixels, 7)
    height, width = small.shape[:2]
    first = describe(shot)
    first.tags |= {0xFE: long(1), SOFTWARE: text("Ver.01.00")}
    first.tags |= strip_tags(width, height, bits=(8, 8, 8), photometric=2, compression=1)
    first.data = small.tobytes()
    preview = Directory(
        {0xFE: long(1), 0x103: short(6), 0x11A: rational(300), 0x11B: rational(300)}
        | {0x128: short(2), 0x213: short(2)},
        data=jpeg_of(pixels),
        data_tags=(0x201, 0x202),
    )
    first.below[SUB_IFDS] = [preview, bayer(pixels)]
    return TiffWriter().write([first])


def cr2(pixels: Pixels, shot: Shot) -> bytes:
    """Canon: the preview is the first directory's strip, a thumbnail and the sensor data follow."""
    height, width = pixels.shape[:2]
    writer = TiffWriter()
    writer.out += b"CR\x02\x00\0\0\0\0"
    first = describe(shot)
    first.tags |= strip_tags(width, height, bits=(8, 8, 8), photometric=6, compression=6)
    first.data = jpeg_of(pixels)
    thumbnail = Directory({0x103: short(6)}, data=jpeg_of(shrink(pixels, 5)))
    thumbnail.data_tags = (0x201, 0x202)
    small = Directory({0x103: short(6)}, data=jpeg_of(shrink(pixels, 10)))
    out = bytearray(writer.write([first, thumbnail, small, bayer(pixels)]))
    out[12:16] = struct.pack("<I", _fourth(out))
    return bytes(out)


def _fourth(file: bytes | bytearray) -> int:
    """Return the offset of the fourth directory; Canon's header points at it."""
    at = struct.unpack_from("<I", file, 4)[0]
    for _ in range(3):
        (count,) = struct.unpack_from("<H", file, at)
        at = struct.unpack_from("<I", file, at + 2 + 12 * count)[0]
    return int(at)


def arw(pixels: Pixels, shot: Shot) -> bytes:
    """Sony's container with the preview as a strip of compression 7 in the first SubIFD."""
    height, width = pixels.shape[:2]
    small = shrink(pixels, 7)
    first = describe(shot)
    first.tags |= {0xFE: long(1), 0x103: short(6), SOFTWARE: text("ILCE-7M3 v4.01")}
    first.data, first.data_tags = jpeg_of(small), (0x201, 0x202)
    preview = Directory(
        {0xFE: long(1)} | strip_tags(width, height, bits=(8, 8, 8), photometric=6, compression=7),
        data=jpeg_of(pixels),
    )
    first.below[SUB_IFDS] = [preview, bayer(pixels)]
    return TiffWriter().write([first])


RAW_WRITERS: Mapping[str, Callable[[Pixels, Shot], bytes]] = {".NEF": nef, ".CR2": cr2, ".ARW": arw}
