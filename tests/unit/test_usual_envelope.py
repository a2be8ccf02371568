"""The usual JPEG is read by a short way, which gives what the long way gives, or steps aside."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from embed_cases import Case, cases
from embed_files import exif, jpeg, mpf, packet, segment, xmp
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.embedded.usual import usual_envelope
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.errors import Problem
from urbexmp.model.photo import Carrier, CarrierKind
from urbexmp.model.ports import PacketReading


class Thorough(JpegContainer):
    """Always looks at the whole layout."""

    def usual(self, head: bytes, size: int) -> bytes | int:
        return 0


Outcome = tuple[bytes | None, PacketReading | None, str]


def outcome(container: JpegContainer, path: Path) -> Outcome:
    """What is read of a file, by store and codec, or why it is not."""
    envelope = None
    try:
        envelope = EmbeddedStore((container,)).read(Carrier(CarrierKind.EMBEDDED, path))
        return envelope, EmbeddedCodec(XmpCodec(), (container,)).read(envelope, path), ""
    except Problem as problem:
        return envelope, None, str(problem)


def compared(data: bytes, path: Path) -> Outcome:
    path.write_bytes(data)
    found = outcome(JpegContainer(), path)
    assert found == outcome(Thorough(), path)
    return found


USUAL = jpeg(exif(), xmp(packet()), segment(0xFE, b"a comment"), segment(0xE2, b"ICC_PROFILE\0"))


@pytest.mark.parametrize("each", cases(), ids=lambda each: each.name)
def test_both_ways_give_the_same_in_every_case(each: Case, tmp_path: Path) -> None:
    compared(each.data, tmp_path / "IMG.JPG")


def test_the_usual_file_goes_the_short_way(tmp_path: Path) -> None:
    envelope, reading, _ = compared(USUAL, tmp_path / "IMG.JPG")
    assert usual_envelope(USUAL, len(USUAL)) == envelope
    assert reading is not None
    assert reading.fields.flat == ("Owl",)


def test_files_without_a_packet_and_with_other_pictures_go_it_as_well(tmp_path: Path) -> None:
    for parts in ((), (mpf(),), (xmp(packet()), mpf())):
        data = jpeg(exif(), *parts)
        envelope, reading, _ = compared(data, tmp_path / "IMG.JPG")
        assert usual_envelope(data, len(data)) == envelope
        assert reading is not None
        assert (reading.fields.flat is None) == (len(parts) < 2)


def test_a_header_longer_than_what_is_read_at_once_is_read_whole(tmp_path: Path) -> None:
    large = segment(0xE1, b"Exif\0\0" + bytes(60_000))
    for count in range(4):
        data = jpeg(*[large] * count, xmp(packet()), segment(0xFE, b"x" * 30_000))
        envelope, _, _ = compared(data, tmp_path / "IMG.JPG")
        assert usual_envelope(data, len(data)) == envelope


def test_a_head_that_ends_anywhere_is_never_taken_for_the_whole() -> None:
    whole = usual_envelope(USUAL, len(USUAL))
    for end in range(3, len(USUAL)):
        made = usual_envelope(USUAL[:end], len(USUAL))
        assert made == whole or (isinstance(made, int) and made > end)


def test_both_ways_give_the_same_after_any_damage(tmp_path: Path) -> None:
    chance = random.Random(11)
    usual = USUAL, jpeg(exif(), mpf(), segment(0xFE, b"a comment"), segment(0xE2, b"ICC_PROFILE"))
    header = min(each.index(b"\xff\xda") for each in usual) + 4
    markers = [0x00, 0x01, 0xC0, 0xD0, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xEB, 0xED, 0xFE, 0xFF]
    places = [at for at in range(header) if usual[1][at] == 0xFF and usual[1][at + 1] >= 0xC0]
    read = 0
    for number in range(800):
        mutant = bytearray(usual[number % 2])
        for _ in range(chance.choice((1, 1, 2))):
            at = chance.choice(
                (chance.choice(places) + chance.randrange(40), chance.randrange(header))
            )
            if chance.random() < 0.3:
                del mutant[at : at + chance.choice((1, 4, 200))]
            elif chance.random() < 0.5:
                mutant[at] = chance.choice((*markers, chance.randrange(256)))
            else:
                mutant[at:at] = bytes([chance.choice(markers)]) * chance.choice((1, 2))
        read += compared(bytes(mutant), tmp_path / "IMG.JPG")[1] is not None
    assert read > 100


@pytest.mark.parametrize(
    "odd",
    [
        (xmp(packet()), xmp(packet(("Heron",)))),
        (xmp(packet(more='\n<a xmlns:dcterms="http://purl.org/dc/terms/"/>provenance')),),
        (xmp(packet().replace(b"Owl", b"O\0l")),),
        (xmp(packet().decode().encode("utf-16")),),
        (xmp(b""),),
        (xmp(b"<x:xmpmeta xm"),),
        (segment(0xEB, b"JP\0\0"), xmp(packet())),
        (segment(0xC0, bytes(15)), xmp(packet())),
        (b"\xff" + xmp(packet()),),
        (segment(0xE1, b""), xmp(packet())),
        (mpf(),),
        (xmp(packet()), mpf(), segment(0xDB, b"")),
        (mpf(), mpf(3), xmp(packet())),
        (segment(0xE2, b""), segment(0xE2, b"M"), mpf(2, ">")),
        (segment(0xC0, bytes(15)), segment(0xE2, b"ICC_PROFILE\0")),
    ],
)
def test_both_ways_give_the_same_for_what_is_odd(odd: tuple[bytes, ...], tmp_path: Path) -> None:
    compared(jpeg(exif(), *odd), tmp_path / "IMG.JPG")


def test_an_older_envelope_is_not_taken_for_the_last_one(tmp_path: Path) -> None:
    store = EmbeddedStore((JpegContainer(),))
    codec = EmbeddedCodec(XmpCodec(), (JpegContainer(),))
    paths = []
    for number, word in enumerate(("Owl", "Heron")):
        paths.append(tmp_path / f"{number}.JPG")
        paths[-1].write_bytes(jpeg(exif(), xmp(packet((word,)))))
    first, second = (store.read(Carrier(CarrierKind.EMBEDDED, path)) for path in paths)
    assert codec.read(first, paths[0]).fields.flat == ("Owl",)
    assert codec.read(second, paths[1]).fields.flat == ("Heron",)
    assert codec.read(bytes(bytearray(second)), paths[1]).fields.flat == ("Heron",)
