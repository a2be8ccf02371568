"""JPEG files made for the tests: every case that a packet inside one can be met in.

Run `python tests/embed_files.py FOLDER` to get them as files.
"""

from __future__ import annotations

import hashlib
import io
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

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


@dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    data: bytes
    found: tuple[str, ...] = ("Owl",)
    """`dc:subject` as it should be read, IPTC included."""
    refused: str | None = None
    """Reason why it must not be written into."""
    in_place: bool = False
    """Whether a small edit must leave the file's size as it is."""
    adopt: bool = False
    """Whether it is written only with `adopt_iptc`."""
    signed: bool = False


@cache
def cases() -> tuple[Case, ...]:
    """All files, each named for what is special about it."""
    ours = xmp(packet())
    tight = xmp(packet(padding=0))
    named = xmp(packet(more=_note(guid_of(EXTENDED))))
    end = b"\xff\xff\xff"
    comment = segment(0xFE, b"a comment, " + bytes(range(256)))
    fill = end + exif()[1:] + end + xmp(packet())[1:] + end + comment[1:]
    words = (b"Owl", "Bäume".encode())
    xmp_words = xmp(packet(("Owl", "Bäume")))
    cut = b"x" * 63
    long_word = "x" * 63 + "é tail"
    return (
        Case("plain", jpeg(), ()),
        Case("no-exif-no-xmp", jpeg(JFIF), ()),
        Case("exif-no-xmp", jpeg(exif()), ()),
        Case("jfif-and-exif", jpeg(JFIF, exif(">")), ()),
        Case("padded", jpeg(exif(), ours), in_place=True),
        Case("no-padding", jpeg(exif(), tight)),
        Case("no-wrapper", jpeg(exif(), xmp(packet(wrapper=False)))),
        Case("no-keywords", jpeg(exif(), xmp(packet(None, None))), (), in_place=True),
        Case("read-only-packet", jpeg(exif(), xmp(packet(end="r"))), in_place=True),
        Case("fill-bytes", jpeg(fill), in_place=True),
        Case("fill-bytes-growing", jpeg(end + exif()[1:], end + tight[1:], end + comment[1:])),
        Case("utf16-le", jpeg(xmp(packet(encoding="utf-16-le", padding=900))), in_place=True),
        Case("utf16-be", jpeg(xmp(packet(encoding="utf-16-be", padding=900))), in_place=True),
        Case("utf16-tight", jpeg(xmp(packet(encoding="utf-16-le", padding=0)))),
        Case("progressive", jpeg(exif(), ours, body=picture(progressive=True)), in_place=True),
        Case(
            "progressive-restarts",
            jpeg(exif(), tight, body=picture(progressive=True, restarts=2)),
        ),
        Case("restarts", jpeg(exif(), body=picture(restarts=1)), ()),
        Case("motion-photo", jpeg(exif(), tight, trailer=MOTION)),
        Case("samsung-trailer", jpeg(exif(), tight, trailer=SAMSUNG)),
        Case("zeros-behind", jpeg(exif(), ours, trailer=bytes(5000)), in_place=True),
        Case("mpf-before", jpeg(exif(), mpf(), tight)),
        Case("mpf-before-padded", jpeg(exif(), mpf(), ours), in_place=True),
        Case("mpf-after", jpeg(exif(), tight, mpf(3))),
        Case("mpf-big-endian", jpeg(exif(">"), mpf(3, ">"), tight, trailer=MOTION)),
        Case("mpf-no-xmp", jpeg(exif(), mpf()), ()),
        Case("mpf-first", jpeg(mpf(), exif()), ()),
        Case(
            "mpf-between",
            jpeg(tight, mpf(), photoshop(iim(words))),
            found=("Owl",),
        ),
        Case(
            "segments-of-others",
            jpeg(segment(0xE5, b"unknown"), exif(), comment, tight, segment(0xEF, bytes(3000))),
        ),
        Case("icc", jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(500)), tight)),
        Case("jumbf", jpeg(exif(), segment(0xEB, JUMBF), tight)),
        Case("near-limit", jpeg(xmp(packet(more=_long(62_000), padding=2000))), in_place=True),
        Case(
            "little-room",
            jpeg(xmp(_sized(packet(more=_long(60_000), padding=0), 62_000))),
        ),
        Case(
            "too-large",
            jpeg(xmp(_sized(packet(more=_long(60_000), padding=0), 65_502))),
            refused="packet-too-large",
        ),
        Case("extended", jpeg(exif(), named, *extension(EXTENDED)), in_place=True),
        Case(
            "extended-out-of-order",
            jpeg(exif(), *reversed(extension(EXTENDED)), named),
            in_place=True,
        ),
        Case("extended-nobodys", jpeg(exif(), ours, *extension(EXTENDED)), in_place=True),
        Case(
            "extended-keywords",
            jpeg(
                xmp(packet(None, None, more=_note(guid_of(EXTENDED_KEYWORDS)))),
                *extension(EXTENDED_KEYWORDS, 340),
            ),
            (),
            refused="extended-keywords",
        ),
        Case(
            "extended-incomplete",
            jpeg(named, *extension(EXTENDED)[:-1]),
            refused="extended-broken",
        ),
        Case("extended-missing", jpeg(named), refused="extended-broken"),
        Case(
            "extended-damaged",
            jpeg(named, *extension(EXTENDED.replace(b"xxx", b"yyy"), guid=_guid(EXTENDED))),
            refused="extended-broken",
        ),
        Case("two-packets", jpeg(ours, exif(), tight), refused="two-packets"),
        Case("xmp-after-frame", _behind_frame(ours), refused="xmp-after-frame"),
        Case("length-too-long", jpeg(exif(), ours)[:900], (), refused="broken-segments"),
        Case(
            "length-too-short",
            jpeg(exif(), ours, b"\xff\xe5\0\1"),
            refused="broken-segments",
        ),
        Case("junk-between", jpeg(exif(), ours, b"junk"), refused="broken-segments"),
        Case("no-picture", b"\xff\xd8" + exif() + ours + b"\xff\xd9", refused="broken-segments"),
        Case("signed", jpeg(exif(), segment(0xEB, C2PA), tight), refused="signed", signed=True),
        Case(
            "iptc-matches", jpeg(exif(), photoshop(iim(words)), xmp_words), ("Owl", "Bäume"),
            in_place=True,
        ),
        Case("iptc-matches-tight", jpeg(exif(), xmp(packet(("Owl", "Bäume"), padding=0)),
            photoshop(iim(words))), ("Owl", "Bäume")),
        Case("iptc-odd-length", jpeg(photoshop(iim((b"Owls",), more=b"\0")), ours), in_place=True),
        Case(
            "iptc-other-words", jpeg(photoshop(iim((b"Lake", b"Owl"))), ours), in_place=True,
        ),
        Case("iptc-no-words", jpeg(photoshop(iim(())), ours), in_place=True),
        Case("iptc-missing-digest", jpeg(photoshop(iim(words), None), ours), in_place=True),
        Case(
            "iptc-missing-digest-no-subject",
            jpeg(photoshop(iim(words), None), xmp(packet(None, None))),
            ("Owl", "Bäume"),
            in_place=True,
        ),
        Case(
            "iptc-newer", jpeg(photoshop(iim((b"Lake", b"Owl")), bytes(16)), ours),
            ("Owl", "Lake"), refused="iptc-newer", adopt=True, in_place=True,
        ),
        Case(
            "iptc-newer-latin1",
            jpeg(photoshop(iim(("Brücke".encode("latin-1"),), None), bytes(16)), ours),
            ("Owl", "Brücke"), refused="iptc-newer", adopt=True, in_place=True,
        ),
        Case(
            "iptc-latin1", jpeg(photoshop(iim(("Brücke".encode("latin-1"),), b"\x1b.A")), ours),
            in_place=True,
        ),
        Case("iptc-only", jpeg(exif(), photoshop(iim(words))), ("Owl", "Bäume")),
        Case("iptc-only-no-digest", jpeg(photoshop(iim(words), None)), ("Owl", "Bäume")),
        Case(
            "iptc-only-latin1", jpeg(photoshop(iim(("Brücke".encode("latin-1"),), None))),
            ("Brücke",),
        ),
        Case(
            "iptc-long-word",
            jpeg(photoshop(iim((cut, b"Owl"))), xmp(packet(("Owl", long_word)))),
            ("Owl", long_word), in_place=True,
        ),
        Case("iptc-extended-dataset", jpeg(photoshop(iim(words, more=_extended_dataset())), ours),
            in_place=True),
        Case(
            "iptc-two-segments",
            jpeg(photoshop(iim(words)), segment(0xED, PHOTOSHOP + resource(0x040B, b"url")), ours),
            in_place=True,
        ),
    )  # fmt: skip


def _note(guid: str) -> str:
    return f' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid}"'


def _guid(content: bytes) -> bytes:
    return guid_of(content).encode()


def _long(size: int) -> str:
    return f' crs:Long="{"y" * size}"'


def _sized(content: bytes, size: int) -> bytes:
    """A packet with its value of `y` made longer or shorter, so that it has that size."""
    more = size - len(content)
    return content.replace(b"yyy", b"yyy" + b"y" * more, 1) if more >= 0 else content[:more]


def _extended_dataset() -> bytes:
    return bytes((0x1C, 8, 10)) + struct.pack(">HI", 0x8004, 40_000) + b"z" * 40_000


def _behind_frame(ours: bytes) -> bytes:
    """A JPEG whose packet stands between the frame header and the scan."""
    data = jpeg(exif())
    at = 2
    while data[at + 1] != 0xDA:
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return data[:at] + ours + data[at:]


def case(name: str) -> Case:
    """One by its name."""
    return next(each for each in cases() if each.name == name)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for each in cases():
        (folder / f"{each.name}.jpg").write_bytes(each.data)
