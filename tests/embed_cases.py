"""Every case that a packet inside a JPEG can be met in, as a file.

Run `python tests/embed_cases.py FOLDER` to get them all.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from embed_files import (
    C2PA,
    EXTENDED,
    EXTENDED_KEYWORDS,
    JFIF,
    JUMBF,
    MOTION,
    PHOTOSHOP,
    SAMSUNG,
    colours,
    exif,
    extension,
    guid_of,
    iim,
    jpeg,
    mpf,
    packet,
    photoshop,
    picture,
    resource,
    segment,
    xmp,
)


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
        Case("icc", jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1" + colours()), tight)),
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
            "iptc-newer-split",
            jpeg(
                photoshop(iim(words), bytes(16)),
                segment(0xED, PHOTOSHOP + resource(0x040B, b"url")),
                ours,
            ),
            ("Owl", "Bäume"),
            refused="iptc-split",
        ),
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
