"""Small photo files made for tests: JPEGs with EXIF and XMP, raw files of several forms."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

EXIF_IFD, GPS_IFD = 0x8769, 0x8825


def quadrants(width: int, height: int) -> Image.Image:
    """Red, green / blue, white: what is up and what is left can be seen in it."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for n, colour in enumerate(("red", "lime", "blue", "white")):
        left, top = n % 2 * width // 2, n // 2 * height // 2
        draw.rectangle((left, top, left + width // 2, top + height // 2), fill=colour)
    return image


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    """A picture that no other seed gives."""
    raw = bytearray()
    state = seed * 2654435761 % 2**32 or 1
    for _ in range(width * height * 3):
        state = (state * 1103515245 + 12345) % 2**31
        raw.append(state >> 16 & 0xFF)
    return Image.frombytes("RGB", (width, height), bytes(raw))


def jpeg_bytes(
    image: Image.Image | None = None,
    *,
    ifd0: Mapping[int, Any] | None = None,
    exif: Mapping[int, Any] | None = None,
    gps: Mapping[int, Any] | None = None,
    xmp: str | None = None,
    **save: Any,
) -> bytes:
    """A JPEG with the given EXIF entries and XMP packet."""
    header = Image.Exif()
    header.update(ifd0 or {})
    header.get_ifd(EXIF_IFD).update(exif or {})
    header.get_ifd(GPS_IFD).update(gps or {})
    out = io.BytesIO()
    (image or quadrants(64, 48)).save(out, "JPEG", quality=90, exif=header.tobytes(), **save)
    data = out.getvalue()
    if xmp is not None:
        packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()
        data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet + data[2:]
    return data


def xmp(attributes: str, inner: str = "") -> str:
    """An XMP packet with one description."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {attributes}>{inner}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    )


DJI = 'xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"'


def tiff_raw(
    previews: Sequence[bytes] = (),
    *,
    orientation: int = 1,
    sensor: bytes = b"\x55" * 4096,
    dng: bool = False,
    order: str = "<",
    magic: bytes | None = None,
    make: str = "Testcam",
    size: tuple[int, int] = (64, 48),
) -> bytes:
    """A raw file built like TIFF: camera and orientation in IFD0, a sub-directory each preview,
    and one for the sensor's data."""
    mark = magic or (b"II*\0" if order == "<" else b"MM\0*")
    body = bytearray(mark + b"\0\0\0\0")

    def put(data: bytes) -> int:
        while len(body) % 2:
            body.append(0)
        at = len(body)
        body.extend(data)
        return at

    def directory(entries: list[tuple[int, int, int, bytes]]) -> int:
        table = bytearray(struct.pack(order + "H", len(entries)))
        for tag, kind, count, value in sorted(entries):
            held = value if len(value) <= 4 else struct.pack(order + "I", put(value))
            table += struct.pack(order + "HHI", tag, kind, count) + held.ljust(4, b"\0")
        return put(bytes(table) + b"\0\0\0\0")

    def long(*values: int) -> bytes:
        return struct.pack(f"{order}{len(values)}I", *values)

    def short(value: int) -> bytes:
        return struct.pack(order + "H", value)

    subs = []
    for data in previews:
        at = put(data)
        subs.append(directory([(513, 4, 1, long(at)), (514, 4, 1, long(len(data)))]))
    at = put(sensor)
    subs.append(
        directory(
            [
                (256, 4, 1, long(size[0])),
                (257, 4, 1, long(size[1])),
                (259, 3, 1, short(1)),
                (262, 3, 1, short(32803)),
                (273, 4, 1, long(at)),
                (279, 4, 1, long(len(sensor))),
            ]
        )
    )
    name = make.encode() + b"\0"
    entries = [
        (271, 2, len(name), name),
        (274, 3, 1, short(orientation)),
        (330, 4, len(subs), long(*subs)),
    ]
    if dng:
        entries.append((50706, 1, 4, b"\1\4\0\0"))
    first = directory(entries)
    body[4:8] = struct.pack(order + "I", first)
    return bytes(body)


def box(kind: bytes, content: bytes) -> bytes:
    """One ISO box."""
    return struct.pack(">I", len(content) + 8) + kind + content


def cr3(preview: bytes, *, orientation: int = 1, sensor: bytes = b"\xaa" * 5000) -> bytes:
    """A CR3: orientation in CMT1, the preview in PRVW, the sensor's data in mdat."""
    exif = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 274, 3, 1, orientation, 0) + b"\0" * 4
    canon = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + box(b"CMT1", exif)
    shown = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16") + b"\0" * 8
    shown += box(b"PRVW", b"\0" * 16 + preview)
    return (
        box(b"ftyp", b"crx \0\0\0\1crx isom")
        + box(b"moov", box(b"uuid", canon))
        + box(b"uuid", shown)
        + box(b"mdat", sensor)
    )


def crw(preview: bytes, *, degrees: int = 0, sensor: bytes = b"\x77" * 3000) -> bytes:
    """A CRW: sensor's data, JPEG, and the image record in a heap inside the heap."""
    image = struct.pack("<IIfi", 64, 48, 1.0, degrees) + b"\0" * 12
    inner = _heap([(0x1810, image)])
    heap = _heap([(0x2005, sensor), (0x2007, preview), (0x300A, inner)])
    return b"II" + struct.pack("<I", 26) + b"HEAPCCDR" + b"\0" * 12 + heap


def _heap(records: list[tuple[int, bytes]]) -> bytes:
    heap, table = bytearray(), struct.pack("<H", len(records))
    for tag, data in records:
        table += struct.pack("<HII", tag, len(data), len(heap))
        heap += data
    return bytes(heap) + table + struct.pack("<I", len(heap))


def raf(preview: bytes, sensor: bytes = b"\x33" * 2000) -> bytes:
    """A Fujifilm RAF: the header says where the JPEG and the sensor's data lie."""
    head = b"FUJIFILMCCD-RAW 0201".ljust(84, b"\0")
    start = 120
    places = struct.pack(">IIIIII", start, len(preview), 0, 0, start + len(preview), len(sensor))
    return head + places + b"\0" * (start - 84 - len(places)) + preview + sensor


def written(path: Path, data: bytes) -> Path:
    """Write a file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
