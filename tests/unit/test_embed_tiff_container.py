"""Packets in TIFF and DNG: where they are written, what stays, and what is refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from embed_tiff_files import (
    ASCII,
    BYTE,
    EXIF,
    IFD,
    LONG,
    SHORT,
    SUB_IFDS,
    UNDEFINED,
    XMP,
    Built,
    Data,
    Ifd,
    build,
    dng,
    packet,
    picture,
    with_camera,
)
from embed_tiff_sources import Kept, Seen, done, pixels, put, undone
from urbexmp.adapters.embedded.padding import FRESH
from urbexmp.adapters.embedded.tiff import TiffContainer
from urbexmp.model.errors import NotAPhoto, PacketRefused, Problem

TIFF = TiffContainer()
PHOTO = Path("photo.tif")
SMALL, LARGE = packet("Owl"), packet("Owl", "Snow", "A longer keyword " * 20)

KINDS = [("<", False), (">", False), ("<", True), (">", True)]


def plain(order: str, big: bool, stands: bytes | None = None, **how: Any) -> Built:
    first = with_camera(picture())
    if stands is not None:
        first.add(XMP, BYTE, stands)
    return build(first, order=order, big=big, **how)


# --- where it is written -----------------------------------------------------------------------


@pytest.mark.parametrize(("order", "big"), KINDS)
def test_a_packet_that_fits_is_written_in_its_place(order: str, big: bool) -> None:
    before = plain(order, big, packet("Owl", padding=2000)).content
    after = put(before, SMALL)
    assert len(after) == len(before)
    held = TIFF.layout(Seen(after), PHOTO).packet
    assert held is not None
    assert len(held) == len(packet("Owl", padding=2000))
    assert held.replace(b" ", b"").replace(b"\n", b"") == SMALL.replace(b" ", b"").replace(
        b"\n", b""
    )
    start = before.find(b"<?xpacket begin")
    assert before[:start] == after[:start]
    assert before[start + len(held) :] == after[start + len(held) :]
    assert undone(before, after) == before


@pytest.mark.parametrize(("order", "big"), KINDS)
def test_a_longer_packet_goes_to_the_end(order: str, big: bool) -> None:
    before = plain(order, big, SMALL, tail=b"x").content
    after = put(before, LARGE)
    entry = struct.pack(order + "HH", XMP, BYTE)
    at = before.find(entry) + 4
    room = 16 if big else 8
    assert after[:at] == before[:at]
    assert after[at + room : len(before)] == before[at + room :]
    held = TIFF.layout(Seen(after), PHOTO).packet
    assert held is not None
    assert held == after[-len(held) :]
    assert after.find(held) % (8 if big else 2) == 0
    assert len(held) == len(LARGE) + FRESH
    assert pixels(before) == pixels(after)
    assert undone(before, after) == before


@pytest.mark.parametrize(("order", "big"), KINDS)
def test_a_file_without_a_packet_gets_one(order: str, big: bool) -> None:
    before = plain(order, big).content
    after = put(before, SMALL)
    changed = [n for n, byte in enumerate(before) if after[n] != byte]
    assert set(changed) <= (set(range(8, 16)) if big else set(range(4, 8)))
    layout = TIFF.layout(Seen(after), PHOTO)
    assert layout.refusal is None
    assert layout.packet is not None
    assert layout.packet.startswith(b"<?xpacket")
    tags = [entry.tag for entry in layout.private.first.entries]  # type: ignore[attr-defined]
    assert tags == sorted(tags)
    assert pixels(before) == pixels(after)
    assert undone(before, after) == before


def test_writing_again_grows_in_place_at_the_end_of_the_file() -> None:
    before = plain("<", False).content
    first = put(before, SMALL)
    longer = packet(*(f"A keyword with the number {n}" for n in range(100)))
    second = put(first, longer)
    assert len(second) == len(first) + len(longer) - len(SMALL)
    assert undone(first, second) == first
    assert undone(before, second) == before


def test_the_same_packet_changes_nothing() -> None:
    before = plain("<", False, SMALL).content
    layout = TIFF.layout(Seen(before), PHOTO)
    assert TIFF.splices(layout, TIFF.pad(layout, SMALL, None), None, PHOTO) == ()


def test_the_file_never_shrinks() -> None:
    before = plain("<", False, LARGE).content
    after = put(before, SMALL)
    assert len(after) == len(before)
    assert TIFF.layout(Seen(put(after, LARGE)), PHOTO).packet == LARGE
    assert len(put(after, LARGE)) == len(before)


def test_a_packet_without_a_wrapper_grows_into_the_blanks_behind_it() -> None:
    before = plain("<", False, packet("Owl", wrapped=False, padding=500)).content
    longer = packet("Owl", "Snow", wrapped=False, padding=500)
    after = put(before, longer)
    assert len(after) == len(before)
    held = TIFF.layout(Seen(after), PHOTO).packet
    assert held is not None
    assert held.rstrip() == longer.rstrip()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_padding_is_in_the_encoding_of_the_packet(encoding: str) -> None:
    wide = packet("Owl").decode().encode(encoding)
    before = plain("<", False, wide + b"\0" * 1001).content
    after = put(before, wide)
    held = TIFF.layout(Seen(after), PHOTO).packet
    assert held is not None
    unit = int(encoding[4:6]) // 8
    whole = held[: len(held) // unit * unit]
    text = whole.decode(encoding).rstrip("\0")
    assert "".join(text.split()) == "".join(packet("Owl").decode().split())


def test_an_empty_entry_is_no_packet_and_is_used() -> None:
    before = plain("<", False, b"").content
    assert TIFF.layout(Seen(before), PHOTO).packet is None
    after = put(before, SMALL)
    assert TIFF.layout(Seen(after), PHOTO).packet is not None
    assert undone(before, after) == before


@pytest.mark.parametrize("kind", [BYTE, ASCII, UNDEFINED])
def test_the_type_of_the_entry_stays(kind: int) -> None:
    first = picture()
    first.add(XMP, kind, SMALL)
    after = put(build(first).content, LARGE)
    assert struct.pack("<HH", XMP, kind) in after


# --- what stays --------------------------------------------------------------------------------


def pages() -> Ifd:
    first = with_camera(picture(1))
    first.following = picture(2, tiles=True)
    first.following.following = picture(3, rows=1)
    first.following.following.add(XMP, BYTE, packet("Of the third page"))
    return first


SHAPES: dict[str, Callable[[], bytes]] = {
    "strips": lambda: build(picture()).content,
    "tiles": lambda: build(picture(tiles=True)).content,
    "many strips": lambda: build(picture(height=90, rows=1)).content,
    "pages": lambda: build(pages()).content,
    "pages, last first": lambda: build(pages(), layout=lambda parts: parts[::-1]).content,
    "big, pages": lambda: build(pages(), order=">", big=True).content,
    "dng": lambda: dng().content,
    "dng, other order": lambda: dng(order=">").content,
    "dng with packet": lambda: dng(packet=SMALL).content,
    "odd offsets": lambda: odd().content,
    "odd length": lambda: build(picture(), tail=b"\1\2\3").content,
    "unsorted": lambda: unsorted().content,
    "sub-pictures by IFD type": lambda: by_ifd_type().content,
    "no lengths of strips": lambda: without_lengths().content,
}


def odd() -> Built:
    turn = iter(range(10_000))
    first = with_camera(picture())
    first.add(XMP, BYTE, SMALL)

    def unaligned(parts: list[Any]) -> list[Any]:
        for part in parts:
            part.align = 1
        return parts

    return build(first, layout=unaligned, gap=lambda: 1 + next(turn) % 2)


def unsorted() -> Built:
    first = picture()
    first.entries.reverse()
    first.keep_order = True
    return build(first)


def by_ifd_type() -> Built:
    first = picture()
    first.add(SUB_IFDS, IFD, [picture(2), picture(3)])
    return build(first)


def without_lengths() -> Built:
    first = picture(rows=100)
    first.entries = [entry for entry in first.entries if entry[0] != 279]
    return build(first)


@pytest.mark.parametrize("words", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_picture_and_all_else_stay(shape: str, words: bytes) -> None:
    before = SHAPES[shape]()
    after = put(before, words)
    assert pixels(after) == pixels(before)
    assert TIFF.layout(Seen(after), PHOTO).refusal is None
    assert undone(before, after) == before


def test_a_page_keeps_its_own_packet() -> None:
    assert packet("Of the third page") in put(build(pages()).content, LARGE)


# --- what is refused ----------------------------------------------------------------------------


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


# --- undo and checks ------------------------------------------------------------------------------


def test_undo_cuts_off_nothing_but_what_was_appended() -> None:
    before = plain("<", False).content
    after = put(before, SMALL) + b"added by another program"
    target = Kept.of(before)
    with pytest.raises(PacketRefused) as caught:
        TIFF.towards(Seen(after), target, PHOTO)
    assert caught.value.reason == "not-the-same-file"


def test_undo_refuses_another_file() -> None:
    target = Kept.of(build(picture(rows=2)).content)
    with pytest.raises(PacketRefused) as caught:
        TIFF.towards(Seen(put(build(picture(rows=3)).content, SMALL)), target, PHOTO)
    assert caught.value.reason == "not-the-same-file"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_write_can_be_done_again_after_undo(shape: str) -> None:
    before = SHAPES[shape]()
    after = put(before, LARGE)
    assert done(before, TIFF.towards(Seen(before), Kept.of(after), PHOTO)) == after


@pytest.mark.parametrize("shape", SHAPES)
def test_an_envelope_gives_the_same_splices(shape: str) -> None:
    content = SHAPES[shape]()
    one, two = (TIFF.layout(source, PHOTO) for source in (Seen(content), Kept.of(content)))
    assert TIFF.pad(one, LARGE, None) == TIFF.pad(two, LARGE, None)
    ready = TIFF.pad(one, LARGE, None)
    assert TIFF.splices(one, ready, None, PHOTO) == TIFF.splices(two, ready, None, PHOTO)


def test_the_check_sees_a_lost_page() -> None:
    before = build(pages()).content
    after = bytearray(put(before, LARGE))
    assert TIFF.check(Seen(before), Seen(bytes(after)), ()) is None
    layout = TIFF.layout(Seen(bytes(after)), PHOTO)
    first = layout.private.first  # type: ignore[attr-defined]
    end = first.at + len(first.table)
    after[end - 4 : end] = b"\0\0\0\0"
    assert TIFF.check(Seen(before), Seen(bytes(after)), ()) is not None


def test_the_check_sees_a_changed_entry() -> None:
    before = build(pages()).content
    after = bytearray(put(before, LARGE))
    first = TIFF.layout(Seen(bytes(after)), PHOTO).private.first  # type: ignore[attr-defined]
    after[first.at + 10] ^= 1
    assert TIFF.check(Seen(before), Seen(bytes(after)), ()) is not None
