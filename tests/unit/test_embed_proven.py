"""An edit that is proven on the way: what surrounds the packet is held to the same promises."""

from __future__ import annotations

from pathlib import Path

import pytest

import embed_cases
from embed_files import exif, jpeg, packet, xmp
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.layout import Layout, Splice
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.embedded.tiff import TiffContainer
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
    old = envelope(path, jpeg(exif(), xmp(packet(padding=padding))))
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
