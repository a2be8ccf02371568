"""TIFFs that must not be written into: each refused by its reason, and untouched."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from embed_tiff_files import (
    ASCII,
    BYTE,
    EXIF,
    LONG,
    SHORT,
    SUB_IFDS,
    XMP,
    Built,
    Data,
    Ifd,
    build,
    packet,
    picture,
    plain,
    with_camera,
)
from embed_tiff_sources import Seen, put
from urbexmp.adapters.embedded.tiff import TiffContainer
from urbexmp.model.errors import NotAPhoto, PacketRefused, Problem

TIFF = TiffContainer()
PHOTO = Path("photo.tif")
SMALL, LARGE = packet("Owl"), packet("Owl", "Snow", "A longer keyword " * 20)


def refused(content: bytes) -> str:
    layout = TIFF.layout(Seen(content), PHOTO)
    assert layout.refusal is not None
    with pytest.raises(PacketRefused) as caught:
        TIFF.splices(layout, SMALL, None, PHOTO)
    assert caught.value.reason == layout.refusal.reason
    assert caught.value.sentences[2]
    return layout.refusal.reason


def test_two_packets() -> None:
    first = picture()
    first.add(XMP, BYTE, SMALL)
    first.add(XMP, BYTE, LARGE)
    assert refused(build(first).content) == "two-packets"


@pytest.mark.parametrize("kind", [SHORT, LONG])
def test_a_packet_of_another_type(kind: int) -> None:
    first = picture()
    first.add(XMP, kind, SMALL[: len(SMALL) // 4 * 4])
    assert refused(build(first).content) == "packet-type"


def test_a_loop_of_pages() -> None:
    first = picture(1)
    first.following = picture(2)
    first.following.following = first
    assert refused(build(first).content) == "loop"


def test_a_directory_that_is_its_own_sub_picture() -> None:
    first = picture(1)
    first.add(SUB_IFDS, LONG, [first])
    assert refused(build(first).content) == "loop"


def test_a_picture_that_is_cut_short() -> None:
    def last(parts: list[Any]) -> list[Any]:
        return [p for p in parts if p is not data] + [data]

    first = picture(rows=100)
    (data,) = next(values for tag, _, values in first.entries if tag == 273)
    built = build(first, layout=last)
    assert TIFF.layout(Seen(built.content), PHOTO).refusal is None
    assert refused(built.content[:-1]) == "truncated"


@pytest.mark.parametrize("tag", [EXIF, SUB_IFDS, 271, 273])
def test_an_offset_past_the_end(tag: int) -> None:
    first = with_camera(picture(rows=100))
    first.entries = [entry for entry in first.entries if entry[0] != tag]
    if tag == 271:
        built = build(first)
        content = bytearray(built.content)
        at = content.find(struct.pack("<HH", 272, ASCII)) + 8
        content[at : at + 4] = struct.pack("<I", 10**8)
        assert refused(bytes(content)) == "truncated"
        return
    first.add(tag, LONG, [10**8])
    assert refused(build(first).content) == "truncated"


def test_a_packet_that_is_picture_data_too() -> None:
    shared = Data(SMALL)
    first = picture(rows=100)
    first.entries = [entry for entry in first.entries if entry[0] not in (273, 279)]
    first.add(273, LONG, [shared])
    first.add(279, LONG, [len(SMALL)])
    built = build(first)
    at = built.where(shared)
    content = with_entry(built, first, at, len(SMALL))
    assert refused(content) == "overlap"


def with_entry(built: Built, first: Ifd, at: int, length: int) -> bytes:
    """Turn the entry of tag 258 into one of a packet at `at`."""
    content = bytearray(built.content)
    entry = content.find(struct.pack("<HH", 258, SHORT), built.where(first))
    content[entry : entry + 12] = struct.pack("<HHII", XMP, BYTE, length, at)
    return bytes(content)


@pytest.mark.parametrize("at", [0, 4, 7])
def test_a_packet_in_the_header(at: int) -> None:
    first = picture()
    assert refused(with_entry(build(first), first, at, 100)) == "overlap"


def test_a_packet_in_a_directory() -> None:
    first = picture()
    built = build(first)
    assert refused(with_entry(built, first, built.where(first) + 10, 100)) == "overlap"


def test_a_packet_shared_with_another_page() -> None:
    first = picture(1)
    first.following = second = picture(2)
    first.add(XMP, BYTE, SMALL)
    second.add(XMP, BYTE, LARGE)
    built = build(first)
    content = bytearray(built.content)
    here = content.find(struct.pack("<HH", XMP, BYTE), built.where(first))
    there = content.find(struct.pack("<HH", XMP, BYTE), built.where(second))
    content[there : there + 12] = content[here : here + 12]
    assert refused(bytes(content)) == "overlap"


def test_a_trailer_that_is_found_from_the_end() -> None:
    before = build(with_camera(picture()), tail=b"AXS!" + b"12345678").content
    layout = TIFF.layout(Seen(before), PHOTO)
    with pytest.raises(PacketRefused, match="AFCP"):
        TIFF.splices(layout, SMALL, None, PHOTO)
    roomy = plain("<", False, packet(padding=500), tail=b"\0\0SEFT").content
    assert len(put(roomy, SMALL)) == len(roomy)


def test_four_gigabytes() -> None:
    before = build(picture()).content
    seen = Seen(before, size=2**32 - 1000)
    layout = TIFF.layout(seen, PHOTO)
    with pytest.raises(PacketRefused, match="4 GB") as caught:
        TIFF.splices(layout, TIFF.pad(layout, SMALL, None), None, PHOTO)
    assert caught.value.reason == "file-too-large"
    roomy = plain("<", False, packet("Snow", padding=500)).content
    layout = TIFF.layout(Seen(roomy, size=2**32 + 1000), PHOTO)
    assert TIFF.splices(layout, TIFF.pad(layout, SMALL, None), None, PHOTO)
    big = TIFF.layout(Seen(build(picture(), big=True).content, size=2**32 - 1000), PHOTO)
    assert TIFF.splices(big, TIFF.pad(big, SMALL, None), None, PHOTO)


@pytest.mark.parametrize(
    "content", [b"", b"II", b"II*\0", b"\xff\xd8\xff\xe0" + bytes(20), b"II\x55\0" + bytes(20)]
)
def test_no_tiff_at_all(content: bytes) -> None:
    with pytest.raises(Problem):
        TIFF.layout(Seen(content), PHOTO)


def test_a_jpeg_named_tif_is_said_to_be_no_tiff() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    with pytest.raises(NotAPhoto):
        TIFF.layout(Seen(out.getvalue()), PHOTO)


def test_a_packet_that_cannot_be_read_whole_is_not_taken_for_absent() -> None:
    first = picture()
    first.add(XMP, BYTE, SMALL)
    content = bytearray(build(first).content)
    at = content.find(struct.pack("<HH", XMP, BYTE)) + 4
    content[at : at + 4] = struct.pack("<I", 10**6)
    with pytest.raises(PacketRefused):
        TIFF.layout(Seen(bytes(content)), PHOTO)
