"""An edit that is proven on the way: what surrounds the packet is held to the same promises."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

import embed_cases
from embed_files import exif, iim, jpeg, mpf, packet, photoshop, segment, xmp
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.layout import Layout, Splice
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.embedded.tiff import TiffContainer
from urbexmp.adapters.embedded.usual import place_of_packet
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused, ProofFailed
from urbexmp.model.photo import Carrier, CarrierKind

EDIT = PacketEdit(flat_add=("Urbex",), hierarchical_add=("Urbex",))
CONTAINERS = (JpegContainer(), TiffContainer())


class Careless(JpegContainer):
    """Touches the packet while it fits the padding."""

    def pad(self, layout: Layout, packet: bytes, words: tuple[str, ...] | None) -> bytes:
        return super().pad(layout, packet.replace(b"Owl", b"Own"), words)


class Forgetful(JpegContainer):
    """Leaves the packet as it was."""

    def splices(
        self, layout: Layout, packet: bytes, words: tuple[str, ...] | None, subject: Path
    ) -> tuple[Splice, ...]:
        assert layout.packet is not None
        return super().splices(layout, layout.packet, words, subject)


def envelope(path: Path, data: bytes) -> bytes:
    path.write_bytes(data)
    return EmbeddedStore(CONTAINERS).read(Carrier(CarrierKind.EMBEDDED, path))


@pytest.mark.parametrize("container", [Careless(), Forgetful()])
@pytest.mark.parametrize("padding", [0, 2000])
def test_a_container_that_does_something_else_is_found_out(
    tmp_path: Path, container: JpegContainer, padding: int
) -> None:
    path = tmp_path / "a.jpg"
    # With an IPTC block beside the packet it is asked even where the packet keeps its length.
    beside = (photoshop(iim((b"Owl",))),) if padding else ()
    old = envelope(path, jpeg(exif(), xmp(packet(padding=padding)), *beside))
    with pytest.raises(ProofFailed):
        EmbeddedCodec(XmpCodec(), (container,)).edit_proven(old, EDIT, path)


@pytest.mark.parametrize("case", embed_cases.cases(), ids=lambda case: case.name)
def test_it_comes_to_the_same_as_edit_and_prove(tmp_path: Path, case: embed_cases.Case) -> None:
    path = tmp_path / "a.jpg"
    codec = EmbeddedCodec(XmpCodec(), CONTAINERS, adopt_iptc=case.adopt)
    old = envelope(path, case.data)
    if (case.refused and not case.adopt) or case.signed:
        with pytest.raises(PacketRefused) as edited:
            codec.edit(old, EDIT, path)
        with pytest.raises(PacketRefused) as proven:
            codec.edit_proven(old, EDIT, path)
        assert edited.value.reason == proven.value.reason
        return
    new = codec.edit(old, EDIT, path)
    codec.prove(old, new, EDIT, path)
    assert codec.edit_proven(old, EDIT, path) == new
    assert codec.edit_proven(new, EDIT, path) == new


WORDS = (
    "Urbex",
    "Beton",
    "estate sale provenance",
    "HasExtendedXMP",
    "dcterms:provenance",
    "X" * 90,
)


def outcome(edited: Callable[[], bytes]) -> tuple[bytes | None, str]:
    """What comes of an edit, or why it is refused."""
    try:
        return edited(), ""
    except PacketRefused as refused:
        return None, str(refused)


def test_at_random_it_comes_to_the_same_as_edit_and_prove(tmp_path: Path) -> None:
    path, codec = tmp_path / "a.jpg", EmbeddedCodec(XmpCodec(), CONTAINERS)
    chance, in_place = random.Random(7), 0
    for _ in range(150):
        stands = packet(
            chance.sample(WORDS, chance.randint(0, 2)), padding=chance.choice((0, 300, 2000))
        )
        again = segment(0xFE, stands[: chance.choice((20, 40, len(stands)))])
        beside = chance.choice(((), (again,), (mpf(),), (segment(0xE2, b"ICC_PROFILE\0"),)))
        old = envelope(path, jpeg(*chance.choice(((exif(),), ())), xmp(stands), *beside))
        words = tuple(chance.sample(WORDS, chance.randint(0, 3)))
        gone = tuple(chance.sample(WORDS, chance.randint(0, 1)))
        edit = PacketEdit(tuple(word for word in words if word not in gone), gone)
        new, why = outcome(lambda old=old, edit=edit: codec.edit(old, edit, path))
        assert outcome(lambda old=old, edit=edit: codec.edit_proven(old, edit, path)) == (new, why)
        if new is None:
            continue
        codec.prove(old, new, edit, path)
        in_place += new != old and len(new) == len(old) and place_of_packet(old) is not None
    assert in_place > 20
