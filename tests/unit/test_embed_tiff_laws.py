"""Laws of packets in TIFF, over files laid out at random, and over damaged ones."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embed_tiff_files import (
    BYTE,
    IPTC,
    LONG,
    PHOTOSHOP,
    SUB_IFDS,
    UNDEFINED,
    XMP,
    build,
    iim,
    packet,
    picture,
    resource,
    with_camera,
)
from embed_tiff_sources import Kept, Seen, done, pixels, put, undone
from urbexmp.adapters.embedded.iim import cut
from urbexmp.adapters.embedded.tiff import TiffContainer
from urbexmp.model.errors import Problem

TIFF = TiffContainer()
PHOTO = Path("photo.tif")
LAYOUTS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAMAGES = settings(max_examples=300, deadline=None)

words = st.lists(
    st.sampled_from(("Rust", "Wald", "Moth", "Ö" * 40, "Snow & Ice", "")), max_size=5
).map(tuple)
full_packets = st.builds(
    lambda number, padding: packet(*(f"Word{n}" for n in range(number)), padding=padding),
    st.integers(0, 60),
    st.integers(0, 600),
)
"""With header and trailer, as every new one has and as every old one that is edited keeps."""
packets = st.builds(
    lambda number, padding, wrapped: packet(
        *(f"Word{n}" for n in range(number)), padding=padding, wrapped=wrapped
    ),
    st.integers(0, 60),
    st.integers(0, 600),
    st.booleans(),
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A lawful TIFF, its parts in any order, with gaps, aligned or not."""
    chance = Random(draw(st.integers(0, 2**32)))
    first = page = None
    for number in range(draw(st.integers(1, 3))):
        made = picture(
            number,
            width=chance.randint(1, 40),
            height=chance.randint(1, 40),
            tiles=chance.random() < 0.3,
            rows=chance.randint(1, 9),
        )
        if chance.random() < 0.5:
            with_camera(made)
        if chance.random() < 0.3:
            subs = [picture(n + 10, width=5, height=5) for n in range(chance.randint(1, 3))]
            made.add(SUB_IFDS, LONG, subs)
        if chance.random() < 0.3:
            block = iim("Rust", "Wald")
            made.add(IPTC, chance.choice([UNDEFINED, BYTE, LONG]), block)
            held = resource(1000, b"x" * chance.randint(0, 9))
            if chance.random() < 0.7:
                held += resource(0x0425, hashlib.md5(block).digest())
            made.add(PHOTOSHOP, BYTE, held)
        if page is None or chance.random() < 0.3:
            stands = draw(st.none() | packets)
            if stands is not None:
                made.add(XMP, chance.choice([BYTE, UNDEFINED]), stands)
        if page is None:
            first = made
        else:
            page.following = made
        page = made
    assert first is not None
    loose = chance.random() < 0.3

    def layout(parts: list[Any]) -> list[Any]:
        chance.shuffle(parts)
        for part in parts:
            part.align = 1 if loose else 2
        return parts

    return build(
        first,
        order=chance.choice("<>"),
        big=chance.random() < 0.4,
        layout=layout,
        gap=lambda: chance.choice([0, 0, 1, 17]),
        tail=bytes(chance.randint(0, 3)),
    ).content


@LAYOUTS
@given(files(), st.lists(st.tuples(full_packets, words), min_size=1, max_size=4))
def test_an_iptc_block_follows_write_after_write_and_comes_back(
    before: bytes, edits: list[tuple[bytes, tuple[str, ...]]]
) -> None:
    versions = [before]
    for stands, said in edits:
        writable = TIFF.layout(Seen(versions[-1]), PHOTO).iptc_writable
        versions.append(put(versions[-1], stands, said if writable else None))
        now = TIFF.layout(Seen(versions[-1]), PHOTO)
        assert now.iptc_writable == writable
        if writable:
            assert now.iptc_state == "matches"
            assert set(now.iptc_keywords) == {cut(word) for word in said if word}
        assert pixels(versions[-1]) == pixels(before)
    for older, newer in pairwise(versions):
        assert undone(older, newer) == older
        assert done(older, TIFF.towards(Seen(older), Kept.of(newer), PHOTO)) == newer
    assert undone(before, versions[-1]) == before


@LAYOUTS
@given(files(), packets, packets)
def test_writes_keep_everything_and_can_be_taken_back(
    before: bytes, one: bytes, two: bytes
) -> None:
    once = put(before, one)
    twice = put(once, two)
    assert len(before) <= len(once) <= len(twice)
    assert pixels(before) == pixels(once) == pixels(twice)
    assert undone(once, twice) == once
    assert undone(before, once) == before
    assert undone(before, twice) == before
    assert done(before, TIFF.towards(Seen(before), Kept.of(once), PHOTO)) == once


@LAYOUTS
@given(files(), packets)
def test_only_the_header_the_entry_and_the_old_place_change(before: bytes, words: bytes) -> None:
    layout = TIFF.layout(Seen(before), PHOTO)
    splices = TIFF.splices(layout, TIFF.pad(layout, words, None), None, PHOTO)
    old = layout.packet
    for splice in splices:
        if splice.offset == len(before):
            assert splice.remove == 0
        elif splice.remove <= 16:
            assert splice.growth == 0
        else:
            assert before[splice.offset : splice.end] == old
    assert sum(splice.remove <= 16 and splice.remove > 0 for splice in splices) <= 1


def harmless(content: bytes) -> None:
    """Whatever the file holds: a problem, a refusal, or a write that can be taken back."""
    words = packet("Owl", "Snow", padding=300)
    try:
        layout = TIFF.layout(Seen(content), PHOTO)
        ready = TIFF.pad(layout, words, None)
        splices = TIFF.splices(layout, ready, None, PHOTO)
    except Problem:
        return
    after = done(content, splices)
    assert TIFF.check(Seen(content), Seen(after), splices) is None
    assert TIFF.layout(Seen(after), PHOTO).packet == ready
    assert undone(content, after) == content


@DAMAGES
@given(files(), st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=6))
def test_damaged_files_never_crash(content: bytes, flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(content)
    for at, byte in flips:
        damaged[at % len(damaged)] = byte
    harmless(bytes(damaged))


@DAMAGES
@given(files(), st.integers(0, 300), st.integers(0, 12), st.integers(0, 2**32 - 1))
def test_damaged_directories_never_crash(
    content: bytes, entry: int, field: int, number: int
) -> None:
    """Damage where it hurts: in the first directory."""
    layout = TIFF.layout(Seen(content), PHOTO)
    at = layout.private.first.at + min(entry, 20) * 12 + field  # type: ignore[attr-defined]
    damaged = bytearray(content)
    damaged[at : at + 4] = number.to_bytes(4, "little")
    harmless(bytes(damaged[: len(content)]))


@DAMAGES
@given(files(), st.integers(0, 2**20))
def test_files_that_are_cut_short_never_crash(content: bytes, at: int) -> None:
    harmless(content[: at % len(content)])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b""]))
def test_junk_never_crashes(content: bytes, start: bytes) -> None:
    harmless(start + b"\x08\0\0\0" + content)
