"""Laws of JPEG writes, over files made at random and files with damage."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from embed_cases import Case, cases
from embed_files import (
    EXTENDED,
    JFIF,
    JUMBF,
    MOTION,
    SAMSUNG,
    exif,
    extension,
    iim,
    jpeg,
    mpf,
    others,
    packet,
    photoshop,
    picture,
    segment,
    segments,
    xmp,
)
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused, Problem
from urbexmp.model.photo import Block, Carrier, CarrierKind, fingerprint_of

CONTAINERS = (JpegContainer(),)
CODEC = EmbeddedCodec(XmpCodec(), CONTAINERS, adopt_iptc=True, break_c2pa=True)
STORE = EmbeddedStore(CONTAINERS)
WORDS = ("Urbex", "Hospital", "Käserei", "Ward", "x" * 70, "Owl", "Bäume")
FOLDER = Path("/dev/shm") if Path("/dev/shm").is_dir() else None

PADDING = st.sampled_from([0, 300, 2000, 4000])
PACKETS = st.builds(
    lambda flat, padding, end, encoding, wrapper: xmp(
        packet(
            flat, None if flat is None else [], padding=padding, end=end, encoding=encoding,
            wrapper=wrapper,
        )
    ),
    st.none() | st.lists(st.sampled_from(WORDS), unique=True, max_size=3),
    PADDING,
    st.sampled_from("rw"),
    st.sampled_from(["utf-8", "utf-8", "utf-16-le", "utf-16-be"]),
    st.sampled_from([True, True, False]),
)  # fmt: skip
BLOCKS = st.builds(
    lambda words, charset, digest: photoshop(iim([w.encode() for w in words], charset), digest),
    st.lists(st.sampled_from(WORDS[:4] + WORDS[5:]), max_size=4),
    st.sampled_from([b"\x1b%G", b"\x1b%G", None]),
    st.sampled_from(["fits", "fits", None, bytes(16)]),
)
OTHERS = st.sampled_from(
    [
        JFIF,
        exif(),
        exif(">"),
        segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(300)),
        segment(0xFE, b"comment"),
        segment(0xE5, b"unknown"),
        segment(0xEB, JUMBF),
        segment(0xE1, b"not xmp, not exif"),
        segment(0xED, b"not Photoshop"),
        b"\xff\xff\xff" + segment(0xEC, b"after fill bytes"),
        b"".join(extension(EXTENDED)),
    ]
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    parts = draw(st.lists(OTHERS, max_size=5))
    for kind in (PACKETS, BLOCKS, st.sampled_from([mpf(2), mpf(3, ">")])):
        if draw(st.booleans()):
            parts.insert(draw(st.integers(0, len(parts))), draw(kind))
    body = picture(progressive=draw(st.booleans()), restarts=draw(st.sampled_from([0, 1])))
    return jpeg(*parts, body=body, trailer=draw(st.sampled_from([b"", MOTION, SAMSUNG])))


@st.composite
def edits(draw: st.DrawFn) -> PacketEdit:
    add = draw(st.lists(st.sampled_from(WORDS), unique=True, max_size=4))
    remove = draw(st.lists(st.sampled_from(WORDS), unique=True, max_size=2))
    return PacketEdit(
        flat_add=tuple(word for word in add if word not in remove),
        flat_remove=tuple(remove),
        hierarchical_add=tuple(f"Urbex|{word}" for word in add),
        block=Block(draw(st.sampled_from(["w1", "w2"]))),
    )


def fitting(edit: PacketEdit, there: Sequence[str]) -> PacketEdit:
    """As a plan makes it: adds what is not there, removes what is."""
    return PacketEdit(
        flat_add=tuple(word for word in edit.flat_add if word not in there),
        flat_remove=tuple(word for word in edit.flat_remove if word in there),
        hierarchical_add=edit.hierarchical_add,
        block=edit.block,
    )


@settings(max_examples=120, deadline=None)
@given(files(), st.lists(edits(), min_size=1, max_size=3))
def test_edits_do_what_they_say_and_undo_gives_every_byte_back(
    data: bytes, wanted: list[PacketEdit]
) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        path = Path(folder) / "a.jpg"
        path.write_bytes(data)
        carrier = Carrier(CarrierKind.EMBEDDED, path)
        history = []
        for each in wanted:
            old = STORE.read(carrier)
            there = CODEC.read(old, path).fields.flat or ()
            edit = fitting(each, there)
            try:
                new = CODEC.edit(old, edit, path)
            except PacketRefused:
                # The last keyword of a block that cannot be changed, and no other comes.
                if edit.flat_add:
                    raise
                continue
            if new == old:
                continue
            CODEC.prove(old, new, edit, path)
            STORE.replace(carrier, new, fingerprint_of(old))
            assert STORE.read(carrier) == new
            now = path.read_bytes()
            expected = [word for word in there if word not in edit.flat_remove]
            flat = CODEC.read(new, path).fields.flat or ()
            assert flat == (*expected, *edit.flat_add)
            assert others(now) == others(data)
            assert segments(now)[1] == segments(data)[1]
            assert CODEC.edit(new, edit, path) == new
            history.append((old, new))
        for old, new in reversed(history):
            STORE.replace(carrier, old, fingerprint_of(new))
        assert path.read_bytes() == data


BROKEN = [case for case in cases() if len(case.data) < 12_000]


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(BROKEN),
    st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), max_size=4),
    st.none() | st.integers(0, 9_000),
)
def test_damage_is_refused_or_survives(
    case: Case, changes: list[tuple[int, int]], length: int | None
) -> None:
    data = bytearray(case.data[:length])
    for at, value in changes:
        if at < len(data):
            data[at] = value
    edit = PacketEdit(flat_add=("Urbex",), hierarchical_add=("Urbex",), block=Block("w1"))
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        path = Path(folder) / "a.jpg"
        path.write_bytes(data)
        carrier = Carrier(CarrierKind.EMBEDDED, path)
        try:
            old = STORE.read(carrier)
            new = CODEC.edit(old, edit, path)
            CODEC.prove(old, new, edit, path)
        except Problem:
            assert path.read_bytes() == data
            return
        STORE.replace(carrier, new, fingerprint_of(old))
        assert "Urbex" in (CODEC.read(STORE.read(carrier), path).fields.flat or ())
        STORE.replace(carrier, old, fingerprint_of(new))
        assert path.read_bytes() == data
        assert len(list(Path(folder).iterdir())) == 1
