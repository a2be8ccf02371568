"""Keywords in and out of every kind of JPEG, and everything else in it as it was."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from embed_cases import Case, case, cases
from embed_files import (
    JFIF,
    JUMBF,
    dataset,
    exif,
    iim,
    jpeg,
    mpf,
    others,
    packet,
    photoshop,
    segment,
    segments,
    xmp,
)
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.envelope import MAGIC
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, BlockEntry, Carrier, CarrierKind, fingerprint_of

CONTAINERS = (JpegContainer(),)
ENTRY = BlockEntry(Keyword.parse("Urbex|Hospital"), 0.87, "pixels", "offline", "2026-11-20T09:00Z")
EDIT = PacketEdit(
    flat_add=("Urbex", "Hospital", "Käserei"),
    hierarchical_add=("Urbex|Hospital", "Urbex|Käserei"),
    block=Block("w1", (ENTRY,)),
    metadata_date="2026-11-20T09:00:00Z",
)
WRITTEN = [each for each in cases() if each.refused in (None, "iptc-newer", "signed")]
REFUSED = [each for each in cases() if each.refused]
NAMES = {"ids": lambda each: each.name}


def codec_for(each: Case) -> EmbeddedCodec:
    return EmbeddedCodec(XmpCodec(), CONTAINERS, adopt_iptc=each.adopt, break_c2pa=each.signed)


class Written:
    """A file with `EDIT` done to it, and what it was."""

    def __init__(self, folder: Path, each: Case) -> None:
        self.path = folder / f"{each.name}.jpg"
        self.path.write_bytes(each.data)
        self.carrier = Carrier(CarrierKind.EMBEDDED, self.path)
        self.store, self.codec = EmbeddedStore(CONTAINERS), codec_for(each)
        self.old = self.store.read(self.carrier)
        self.new = self.codec.edit(self.old, EDIT, self.path)
        self.codec.prove(self.old, self.new, EDIT, self.path)
        self.before = self.path.stat().st_mtime_ns
        self.store.replace(self.carrier, self.new, fingerprint_of(self.old))
        self.data = self.path.read_bytes()


@pytest.mark.parametrize("each", cases(), **NAMES)
def test_keywords_are_read(tmp_path: Path, each: Case) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(each.data)
    envelope = EmbeddedStore(CONTAINERS).read(Carrier(CarrierKind.EMBEDDED, path))
    reading = codec_for(each).read(envelope, path)
    assert reading.fields.flat == (each.found or None)
    assert len(envelope) < len(each.data) + 1500


@pytest.mark.parametrize("each", WRITTEN, **NAMES)
def test_keywords_are_added_nothing_else_moves_and_undo_gives_the_file_back(
    tmp_path: Path, each: Case
) -> None:
    done = Written(tmp_path, each)
    reading = done.codec.read(done.store.read(done.carrier), done.path)
    assert reading.fields.flat == (*each.found, *EDIT.flat_add)
    assert set(EDIT.hierarchical_add) <= set(reading.fields.hierarchical or ())
    assert reading.block == EDIT.block
    assert others(done.data) == others(each.data)
    rest, was = segments(done.data)[1], segments(each.data)[1]
    assert rest == was
    assert done.path.stat().st_mtime_ns > done.before
    assert [path.name for path in tmp_path.iterdir()] == [done.path.name]
    if each.in_place:
        assert len(done.data) == len(each.data)
    # Done again, it changes nothing; undone, it is the file that it was.
    assert done.codec.edit(done.new, EDIT, done.path) == done.new
    assert done.data != each.data
    done.store.replace(done.carrier, done.old, fingerprint_of(done.new))
    now = hashlib.sha256(done.path.read_bytes()).hexdigest()
    assert now == hashlib.sha256(each.data).hexdigest()


@pytest.mark.parametrize("each", REFUSED, **NAMES)
def test_what_is_not_safe_is_refused(tmp_path: Path, each: Case) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(each.data)
    codec = EmbeddedCodec(XmpCodec(), CONTAINERS)
    envelope = EmbeddedStore(CONTAINERS).read(Carrier(CarrierKind.EMBEDDED, path))
    with pytest.raises(PacketRefused) as caught:
        codec.edit(envelope, EDIT, path)
    assert caught.value.reason == each.refused
    assert all(caught.value.sentences)
    assert path.read_bytes() == each.data
    if each.refused != "packet-too-large":
        refusal = codec.refusal(envelope, path)
        assert refusal is not None
        assert refusal.reason == each.refused


@pytest.mark.parametrize("each", [c for c in WRITTEN if b"MPF\0" in c.data], **NAMES)
def test_pictures_of_the_index_are_still_found(tmp_path: Path, each: Case) -> None:
    def pictures(data: bytes) -> list[bytes]:
        base = data.index(b"MPF\0") + 4
        order = "<" if data[base : base + 2] == b"II" else ">"
        (length,) = struct.unpack_from(order + "I", data, base + 8 + 2 + 24 + 4)
        found = []
        for at in range(base + 50, base + 50 + length, 16):
            _, size, offset, _ = struct.unpack_from(order + "IIII", data, at)
            start = base + offset if offset else 0
            found.append(data[start : start + size])
        return found

    done = Written(tmp_path, each)
    now, was = pictures(done.data), pictures(each.data)
    assert all(one[:2] == b"\xff\xd8" and one[-2:] == b"\xff\xd9" for one in now)
    assert now[1:] == was[1:]
    assert segments(now[0])[1] == segments(was[0])[1]


def test_a_packet_that_grew_has_room_for_the_next_time(tmp_path: Path) -> None:
    for name in ("no-padding", "plain", "mpf-before", "utf16-tight"):
        done = Written(tmp_path, case(name))
        more = PacketEdit(flat_add=("Ward", "Corridor"), hierarchical_add=("Urbex|Ward",))
        again = done.codec.edit(done.new, more, done.path)
        done.store.replace(done.carrier, again, fingerprint_of(done.new))
        assert done.path.stat().st_size == len(done.data)
        # What lies behind the packet can be shared with the old file, block by block.
        assert (len(done.data) - len(case(name).data)) % 4096 == 0


@pytest.mark.parametrize("name", ["plain", "iptc-only", "iptc-only-no-digest"])
def test_keywords_of_iptc_stand_first_in_a_new_packet(tmp_path: Path, name: str) -> None:
    done = Written(tmp_path, case(name))
    inside = XmpCodec().read(done.codec.unwrapped(done.new, done.path) or b"", done.path)
    assert inside.fields.flat == (*case(name).found, *EDIT.flat_add)


def test_a_removed_keyword_goes_from_the_packet_and_from_iptc(tmp_path: Path) -> None:
    done = Written(tmp_path, case("iptc-matches"))
    edit = PacketEdit(flat_remove=("Owl", "Urbex"), hierarchical_remove=("Urbex|Hospital",))
    new = done.codec.edit(done.new, edit, done.path)
    done.codec.prove(done.new, new, edit, done.path)
    done.store.replace(done.carrier, new, fingerprint_of(done.new))
    assert done.path.stat().st_size == len(done.data)
    layout = done.store.layout(done.path)
    assert layout.iptc_keywords == ("Bäume", "Hospital", "Käserei")
    assert layout.iptc_state == "matches"


def test_a_keyword_of_iptc_alone_can_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(case("iptc-only").data)
    store, codec = EmbeddedStore(CONTAINERS), EmbeddedCodec(XmpCodec(), CONTAINERS)
    carrier = Carrier(CarrierKind.EMBEDDED, path)
    old = store.read(carrier)
    edit = PacketEdit(flat_remove=("Owl",), flat_add=("Urbex",))
    new = codec.edit(old, edit, path)
    codec.prove(old, new, edit, path)
    store.replace(carrier, new, fingerprint_of(old))
    assert codec.read(new, path).fields.flat == ("Bäume", "Urbex")
    assert store.layout(path).iptc_keywords == ("Bäume", "Urbex")


def test_notes_say_what_a_person_should_know(tmp_path: Path) -> None:
    said = {}
    for name in ("iptc-only-latin1", "iptc-newer", "padded"):
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(case(name).data)
        envelope = EmbeddedStore(CONTAINERS).read(Carrier(CarrierKind.EMBEDDED, path))
        said[name] = EmbeddedCodec(XmpCodec(), CONTAINERS).read(envelope, path).notes
    assert "read as Windows Latin-1" in said["iptc-only-latin1"][0]
    assert "newer than its packet" in said["iptc-newer"][0]
    assert said["padded"] == ()


def test_what_has_no_envelope_is_a_sidecars(tmp_path: Path) -> None:
    codec, plain = EmbeddedCodec(XmpCodec(), CONTAINERS), XmpCodec()
    path = tmp_path / "a.xmp"
    new = codec.create(EDIT)
    assert new == plain.create(EDIT)
    codec.prove(None, new, EDIT, path)
    assert codec.read(new, path) == plain.read(new, path)
    assert codec.edit(new, EDIT, path) == new
    assert codec.refusal(new, path) is None
    assert codec.unwrapped(new, path) == new


def test_the_fingerprint_of_a_file_never_changes_by_itself(tmp_path: Path) -> None:
    """A ledger of years ago must still know its files: what is kept must stay the same."""
    body = b"\xff\xd8\xff\xdb\0\4cd\xff\xc0\0\5abc\xff\xda\0\2end\xff\xd9"
    other = segment(0xEB, JUMBF)
    words = photoshop(iim((b"Owl",)))
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(JFIF, exif(), mpf(1), words, other, xmp(packet()), body=body))
    envelope = EmbeddedStore(CONTAINERS).read(Carrier(CarrierKind.EMBEDDED, path))
    assert envelope.startswith(MAGIC)
    assert fingerprint_of(envelope) == (
        "1e408f863150d6c14bc6a063358498fd70818ca859cbd41f63818f9c7bceb82a"
    )


def test_adopted_keywords_that_do_not_fit_their_segment_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    block = iim((b"Owl",), more=dataset(8, 10, bytes(32_000)) + dataset(8, 11, bytes(32_750)))
    for digest, fits in ((bytes(16), False), ("fits", True)):
        path.write_bytes(jpeg(photoshop(block, digest), xmp(packet())))
        store = EmbeddedStore(CONTAINERS)
        codec = EmbeddedCodec(XmpCodec(), CONTAINERS, adopt_iptc=True)
        carrier = Carrier(CarrierKind.EMBEDDED, path)
        old = store.read(carrier)
        edit = PacketEdit(flat_add=tuple(f"a long word {n} {'x' * 40}" for n in range(20)))
        if not fits:
            with pytest.raises(PacketRefused) as caught:
                codec.edit(old, edit, path)
            assert caught.value.reason == "iptc-too-large"
            continue
        # The packet wins where the digest fits: the block may stay as it is.
        new = codec.edit(old, edit, path)
        codec.prove(old, new, edit, path)
        store.replace(carrier, new, fingerprint_of(old))
        assert store.layout(path).iptc_keywords == ("Owl",)
