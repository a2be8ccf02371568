"""Packets in TIFF and DNG: where they are written, what stays, and what undo does."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embed_tiff_files import (
    ASCII,
    BYTE,
    IFD,
    IPTC,
    PHOTOSHOP,
    SUB_IFDS,
    UNDEFINED,
    XMP,
    Built,
    Ifd,
    build,
    dng,
    iim,
    packet,
    picture,
    plain,
    resource,
    with_camera,
)
from embed_tiff_sources import Kept, Seen, done, pixels, put, undone
from urbexmp.adapters.embedded.padding import FRESH
from urbexmp.adapters.embedded.tiff import TiffContainer
from urbexmp.model.errors import PacketRefused

TIFF = TiffContainer()
PHOTO = Path("photo.tif")
SMALL, LARGE = packet("Owl"), packet("Owl", "Snow", "A longer keyword " * 20)

KINDS = [("<", False), (">", False), ("<", True), (">", True)]


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


def test_what_is_kept_of_a_file_stays_the_same() -> None:
    """A ledger of years ago must still know its files: these bytes are their fingerprint."""
    first = with_camera(picture())
    words, digest = iim("Owl"), resource(0x0425, b"d" * 16)
    other, thumbnail = resource(1000, b"abc"), resource(1036, bytes(500))
    first.add(IPTC, UNDEFINED, words)
    first.add(PHOTOSHOP, BYTE, other + thumbnail + digest)
    first.add(XMP, BYTE, SMALL)
    content = build(first, tail=bytes(100)).content
    at = content.find
    photoshop = at(other + thumbnail)
    table = int.from_bytes(content[4:8], "little")
    assert Kept.of(content).parts == {
        0: content[:8],
        table: content[table : table + 2 + len(first.entries) * 12 + 4],
        at(SMALL): SMALL,
        at(words): words,
        photoshop: other[:12],
        photoshop + len(other): thumbnail[:12],
        photoshop + len(other + thumbnail): digest[:12],
        photoshop + len(other + thumbnail) + 12: b"d" * 16,
        len(content) - 64: bytes(64),
    }
