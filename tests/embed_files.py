"""The parts that JPEG files of the tests are made of: packets, segments, pictures, trailers."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageCms

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
PHOTOSHOP = b"Photoshop 3.0\0"
UTF8 = b"\x1b%G"


# --- packets ------------------------------------------------------------------------------------


def packet(
    flat: Sequence[str] | None = ("Owl",),
    paths: Sequence[str] | None = ("Animals|Owl",),
    *,
    padding: int = 2000,
    end: str = "w",
    encoding: str = "utf-8",
    more: str = "",
    wrapper: bool = True,
) -> bytes:
    """A packet as Lightroom lays it out."""

    def bag(name: str, items: Sequence[str] | None) -> str:
        if items is None:
            return ""
        lines = "".join(f"\n     <rdf:li>{item}</rdf:li>" for item in items)
        return f"\n   <{name}>\n    <rdf:Bag>{lines}\n    </rdf:Bag>\n   </{name}>"

    text = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about=""\n'
        '    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
        '    xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        '    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"\n'
        '    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"\n'
        f'   xmp:Rating="3"\n   xmp:MetadataDate="2024-05-01T10:00:00+02:00"{more}\n'
        '   crs:Version="15.5">'
        f"{bag('dc:subject', flat)}{bag('lr:hierarchicalSubject', paths)}\n"
        "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>"
    )
    if wrapper:
        blanks = "\n" + "".join((" " * 99 + "\n") for _ in range(padding // 100))
        text = (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
            f'{text}{blanks}<?xpacket end="{end}"?>'
        )
    return text.encode(encoding)


# --- segments -------------------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    """Marker, length, payload."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def xmp(content: bytes) -> bytes:
    """APP1 with a packet."""
    return segment(0xE1, XMP + content)


def exif(order: str = "<") -> bytes:
    """APP1 with a small Exif block: maker, model, orientation."""
    texts = {0x010F: b"Acme Cameras\0", 0x0110: b"Model One\0"}
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    count, at = 3, 8 + 2 + 3 * 12 + 4
    entries, data = b"", b""
    for tag, text in texts.items():
        entries += struct.pack(order + "HHII", tag, 2, len(text), at + len(data))
        data += text
    entries += struct.pack(order + "HHIHH", 0x0112, 3, 1, 1, 0)
    ifd = struct.pack(order + "H", count) + entries + struct.pack(order + "I", 0)
    return segment(0xE1, b"Exif\0\0" + head + ifd + data)


def extension(content: bytes, size: int = 400, guid: bytes | None = None) -> list[bytes]:
    """APP1 segments of an ExtendedXMP."""
    guid = guid or hashlib.md5(content, usedforsecurity=False).hexdigest().upper().encode()
    return [
        segment(
            0xE1, EXTENSION + guid + struct.pack(">II", len(content), at) + content[at : at + size]
        )
        for at in range(0, len(content), size)
    ]


def guid_of(content: bytes) -> str:
    """What the packet names its extension by."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest().upper()


EXTENDED = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"><crs:RawFileName>'
    f"{'x' * 1500}.CR3</crs:RawFileName></rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()
EXTENDED_KEYWORDS = EXTENDED.replace(
    b"<crs:RawFileName>",
    b'<dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Bag><rdf:li>Owl</rdf:li>'
    b"</rdf:Bag></dc:subject><crs:RawFileName>",
)


def dataset(record: int, number: int, value: bytes) -> bytes:
    """One IIM dataset."""
    return bytes((0x1C, record, number)) + struct.pack(">H", len(value)) + value


def iim(words: Sequence[bytes], charset: bytes | None = UTF8, *, more: bytes = b"") -> bytes:
    """An IIM block: charset, version, keywords, byline, time."""
    block = dataset(1, 90, charset) if charset else b""
    block += dataset(2, 0, b"\0\4") + dataset(2, 5, b"Title")
    block += b"".join(dataset(2, 25, word) for word in words)
    return block + dataset(2, 60, b"17:00:00") + dataset(2, 80, b"A. Person") + more


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    """One Photoshop image resource."""
    head = bytes((len(name),)) + name
    head += b"\0" * (len(head) % 2)
    body = struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"8BIM" + struct.pack(">H", number) + head + body


def photoshop(block: bytes, digest: bytes | str | None = "fits") -> bytes:
    """APP13 with an IIM block, its digest and others around them."""
    if isinstance(digest, str):
        digest = hashlib.md5(block, usedforsecurity=False).digest()
    resources = resource(0x03ED, bytes(range(16))) + resource(0x0404, block)
    if digest is not None:
        resources += resource(0x0425, digest)
    return segment(0xED, PHOTOSHOP + resources + resource(0x0BB7, b"odd", b"named"))


def mpf(count: int = 2, order: str = "<") -> bytes:
    """APP2 with a Multi-Picture index whose sizes and offsets `jpeg` fills in."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    entries = [
        struct.pack(order + "HHI4s", 0xB000, 7, 4, b"0100"),
        struct.pack(order + "HHII", 0xB001, 4, 1, count),
        struct.pack(order + "HHII", 0xB002, 7, 16 * count, 8 + 2 + 36 + 4),
    ]
    ifd = struct.pack(order + "H", 3) + b"".join(entries) + struct.pack(order + "I", 0)
    return segment(0xE2, b"MPF\0" + head + ifd + bytes(16 * count))


C2PA = (
    b"JP\0\1\0\0\0\1"
    + struct.pack(">I4sI4s", 96, b"jumb", 38, b"jumd")
    + bytes.fromhex("63327061 0011 0010 8000 00aa00389b71")
    + b"\x03c2pa\0"
    + bytes(50)
)
JUMBF = C2PA.replace(bytes.fromhex("63327061"), b"abcd").replace(b"c2pa", b"test")


# --- taking apart ---------------------------------------------------------------------------------


def segments(data: bytes) -> tuple[list[tuple[int, bytes, bytes]], bytes]:
    """Fill bytes and marker, payload of each segment; then everything from the first scan on."""
    found = []
    at = 2
    while True:
        start = at
        while data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if marker == 0xDA:
            return found, data[start:]
        (size,) = struct.unpack(">H", data[at + 2 : at + 4])
        found.append((marker, data[start:at], data[at + 4 : at + 2 + size]))
        at += 2 + size


def others(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """The segments that no write of ours may change."""
    return [
        each
        for each in segments(data)[0]
        if not each[2].startswith((XMP, PHOTOSHOP, b"MPF\0")) or each[0] == 0xE5
    ]


# --- files ----------------------------------------------------------------------------------------


@cache
def picture(*, progressive: bool = False, restarts: int = 0, seed: int = 0) -> bytes:
    """A small JPEG with nothing in it but its picture: no APP segments."""
    image = Image.new("RGB", (48, 32))
    image.putdata(
        [
            ((x * 5 + seed * 40) % 256, y * 7 % 256, x * y % 256)
            for y in range(32)
            for x in range(48)
        ]
    )
    out = io.BytesIO()
    image.save(out, "JPEG", progressive=progressive, restart_marker_blocks=restarts, quality=90)
    data = out.getvalue()
    size = struct.unpack(">H", data[4:6])[0]
    assert data[2:4] == b"\xff\xe0"
    return data[:2] + data[4 + size :]


@cache
def colours() -> bytes:
    """An ICC profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")


def jpeg(*segments: bytes, body: bytes | None = None, trailer: bytes = b"") -> bytes:
    """A JPEG with these segments in front; pictures that an MPF index lists go behind it."""
    body = picture() if body is None else body
    data = bytearray(b"\xff\xd8" + b"".join(segments) + body[2:])
    at = data.find(b"MPF\0")
    if at >= 0:
        base = at + 4
        order = "<" if data[base : base + 2] == b"II" else ">"
        (length,) = struct.unpack_from(order + "I", data, base + 8 + 2 + 24 + 4)
        first = len(data)
        for number in range(length // 16):
            size, offset = first, 0
            if number:
                other = picture(seed=number)
                size, offset = len(other), len(data) - base
                data += other
            entry = base + 8 + 2 + 36 + 4 + 16 * number
            attributes = 0x030000 if number == 0 else 0
            struct.pack_into(order + "IIIHH", data, entry, attributes, size, offset, 0, 0)
    return bytes(data) + trailer


MOTION = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(range(256)) * 40
SAMSUNG = (
    bytes(100) + b"Image_UTC_Data1700000000000" + b"SEFH" + struct.pack("<II", 106, 1)
    + struct.pack("<HHII", 0, 0x0A01, 40, 40) + struct.pack("<I", 24) + b"SEFT"
)  # fmt: skip
