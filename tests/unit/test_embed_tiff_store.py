"""Keywords into TIFF and DNG files on disk, and out again to the byte."""

from __future__ import annotations

import hashlib
import os
import resource as limits
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embed_tiff_files import (
    BYTE,
    IPTC,
    LONG,
    PHOTOSHOP,
    UNDEFINED,
    XMP,
    build,
    dng,
    iim,
    packet,
    picture,
    resource,
    with_camera,
)
from embed_tiff_sources import Seen, pixels
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.iim import cut
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.embedded.tiff import TiffContainer
from urbexmp.adapters.inspect import FileInspector
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.photo import Carrier, CarrierKind, fingerprint_of

CONTAINERS = (TiffContainer(),)
CODEC = EmbeddedCodec(XmpCodec(), CONTAINERS)
STORE = EmbeddedStore(CONTAINERS)

FEW = PacketEdit(flat_add=("Urbex", "Zebra é"), hierarchical_add=("Urbex|Zebra é",))
MANY = PacketEdit(
    flat_add=tuple(f"A keyword with the number {n}" for n in range(200)),
)


def camera(
    stands: bytes | None = None,
    block: bytes = b"",
    digest: bytes = b"",
    *,
    kind: int = UNDEFINED,
    second: bool = True,
    big: bool = False,
    order: str = "<",
) -> bytes:
    first = with_camera(picture())
    if stands is not None:
        first.add(XMP, BYTE, stands)
    if block:
        first.add(IPTC, kind, block)
        # Tag 33723 is what counts; the second block says something else.
        held = resource(0x0404, iim("Nobody reads this")) if second else b""
        held += resource(1000, b"abc")
        first.add(PHOTOSHOP, BYTE, held + (resource(0x0425, digest) if digest else b""))
    first.following = picture(2, tiles=True)
    return build(first, big=big, order=order).content


def photoshop(stands: bytes | None = packet("Old"), **more: Any) -> bytes:
    """As Photoshop saves it: one block, and a digest that fits it."""
    block = iim("Owl")
    return camera(stands, block, md5(block), second=False, **more)


def md5(data: bytes) -> bytes:
    return hashlib.md5(data).digest()


SHAPES: dict[str, Callable[[], bytes]] = {
    "none": camera,
    "small": lambda: camera(packet("Old")),
    "roomy": lambda: camera(packet("Old", padding=3000)),
    "no wrapper": lambda: camera(packet("Old", wrapped=False)),
    "no wrapper, blanks": lambda: camera(packet("Old", wrapped=False, padding=3000)),
    "blanks behind": lambda: camera(packet("Old", padding=20) + b" " * 3000),
    "zeros behind": lambda: camera(packet("Old", padding=200) + b"\0" * 3001),
    "utf-16": lambda: camera(packet("Old", padding=3000).decode().encode("utf-16-le") + b"\0"),
    "iptc, fitting": lambda: camera(packet("Old"), iim("Owl"), md5(iim("Owl"))),
    "iptc, no digest": lambda: camera(packet("Old"), iim("Owl")),
    "iptc, no packet": lambda: camera(None, iim("Owl"), md5(iim("Owl"))),
    "photoshop": photoshop,
    "photoshop, no packet": lambda: photoshop(None),
    "photoshop, roomy": lambda: photoshop(packet("Old", padding=3000)),
    "photoshop, numbers": lambda: photoshop(kind=LONG),
    "photoshop, numbers, motorola": lambda: photoshop(kind=LONG, order=">"),
    "photoshop, big": lambda: photoshop(big=True, order=">"),
    "photoshop, big, no packet": lambda: photoshop(None, big=True),
    "big": lambda: build(picture(), big=True, order=">").content,
    "dng": lambda: dng().content,
    "dng with packet": lambda: dng(packet=packet("Old")).content,
}


def carrier(folder: Path, content: bytes, name: str = "photo.tif") -> Carrier:
    path = folder / name
    path.write_bytes(content)
    return Carrier(CarrierKind.EMBEDDED, path)


def write(where: Carrier, edit: PacketEdit, codec: EmbeddedCodec = CODEC) -> None:
    before = STORE.read(where)
    after = codec.edit(before, edit, where.path)
    codec.prove(before, after, edit, where.path)
    STORE.replace(where, after, fingerprint_of(before))
    assert STORE.read(where) == after
    assert codec.edit(after, edit, where.path) == after


def flat(where: Carrier) -> tuple[str, ...]:
    return CODEC.read(STORE.read(where), where.path).fields.flat or ()


@pytest.mark.parametrize("shape", SHAPES)
def test_keywords_go_in_and_come_out_to_the_byte(shape: str, tmp_path: Path) -> None:
    content = SHAPES[shape]()
    where = carrier(tmp_path, content)
    envelopes = [STORE.read(where)]
    contents = [content]
    for edit in (FEW, MANY):
        was = flat(where)
        write(where, edit)
        assert flat(where) == (*was, *edit.flat_add)
        assert pixels(where.path.read_bytes()) == pixels(content)
        envelopes.append(STORE.read(where))
        contents.append(where.path.read_bytes())
    for envelope, wanted in reversed(list(zip(envelopes[:-1], contents[:-1], strict=True))):
        STORE.replace(where, envelope, fingerprint_of(STORE.read(where)))
        assert where.path.read_bytes() == wanted
    assert [path.name for path in tmp_path.iterdir()] == ["photo.tif"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_photo_keeps_its_id(shape: str, tmp_path: Path) -> None:
    where = carrier(tmp_path, SHAPES[shape]())
    before = FileInspector().photo_id(where.path)
    write(where, MANY)
    assert FileInspector().photo_id(where.path) == before


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.startswith("photoshop")])
def test_iptc_that_agrees_follows_the_packet(shape: str, tmp_path: Path) -> None:
    where = carrier(tmp_path, SHAPES[shape]())
    had = flat(where)
    for edit in (FEW, PacketEdit(flat_add=("Ö" * 40,)), PacketEdit(flat_remove=("Urbex",))):
        write(where, edit)
        layout = TiffContainer().layout(Seen(where.path.read_bytes()), where.path)
        assert layout.iptc_state == "matches"
        assert {cut(word) for word in flat(where)} <= set(layout.iptc_keywords)
        assert set(layout.iptc_keywords) <= {cut(word) for word in (*had, *flat(where), "Owl")}
    assert "Urbex" not in layout.iptc_keywords


def test_iptc_stays_where_a_block_is_not_in_utf8(tmp_path: Path) -> None:
    block = iim("Owl", utf8=False)
    where = carrier(tmp_path, camera(packet("Old"), block, md5(block), second=False))
    write(where, FEW)
    assert where.path.read_bytes().count(block) == 1
    layout = TiffContainer().layout(Seen(where.path.read_bytes()), where.path)
    assert layout.iptc_keywords == ("Owl",)
    assert not layout.iptc_writable


def test_keywords_of_iptc_come_first_in_a_new_packet(tmp_path: Path) -> None:
    where = carrier(tmp_path, camera(None, iim("Owl", "Élan"), b""))
    assert flat(where) == ("Owl", "Élan")
    write(where, FEW)
    assert flat(where) == ("Owl", "Élan", *FEW.flat_add)
    assert iim("Owl", "Élan") in where.path.read_bytes()


def test_iptc_that_is_newer_is_refused_and_adopted_on_request(tmp_path: Path) -> None:
    content = camera(packet("Old"), iim("Owl"), b"z" * 16)
    where = carrier(tmp_path, content)
    before = STORE.read(where)
    with pytest.raises(PacketRefused) as caught:
        CODEC.edit(before, FEW, where.path)
    assert caught.value.reason == "iptc-newer"
    adopting = EmbeddedCodec(XmpCodec(), CONTAINERS, adopt_iptc=True)
    write(where, FEW, adopting)
    written = where.path.read_bytes()
    assert set(flat(where)) == {"Old", "Owl", *FEW.flat_add}
    assert md5(iim("Owl")) in written
    assert iim("Owl") in written
    STORE.replace(where, before, fingerprint_of(STORE.read(where)))
    assert where.path.read_bytes() == content


def test_iptc_in_a_dng_is_not_looked_at(tmp_path: Path) -> None:
    first = picture()
    first.add(50706, BYTE, b"\1\4\0\0")
    first.add(IPTC, UNDEFINED, iim("Owl"))
    where = carrier(tmp_path, build(first).content, "photo.dng")
    assert flat(where) == ()
    write(where, FEW)
    assert flat(where) == FEW.flat_add


def test_a_file_that_is_signed_is_left_alone(tmp_path: Path) -> None:
    first = picture()
    first.add(0xCD41, UNDEFINED, b"\0" * 40)
    where = carrier(tmp_path, build(first).content)
    with pytest.raises(PacketRefused) as caught:
        CODEC.edit(STORE.read(where), FEW, where.path)
    assert caught.value.reason == "signed"


SPARSE = """
import resource, struct, sys
from pathlib import Path
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.iim import cut
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.embedded.tiff import TiffContainer
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.photo import Carrier, CarrierKind, fingerprint_of

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

where = Carrier(CarrierKind.EMBEDDED, Path(sys.argv[1]))
size = where.path.stat().st_size
store, codec = EmbeddedStore((TiffContainer(),)), EmbeddedCodec(XmpCodec(), (TiffContainer(),))
edit = PacketEdit(flat_add=("Urbex",))
codec.prove(None, codec.create(edit), edit, where.path)
base = peak()
before = store.read(where)
after = codec.edit(before, edit, where.path)
codec.prove(before, after, edit, where.path)
store.replace(where, after, fingerprint_of(before))
assert where.path.stat().st_size > size
store.replace(where, before, fingerprint_of(after))
assert where.path.stat().st_size == size
print(peak() - base)
"""


@pytest.mark.skipif(not hasattr(limits, "RUSAGE_SELF"), reason="needs resource usage")
def test_half_a_gigabyte_is_never_held_in_memory(tmp_path: Path) -> None:
    strips, each = 5000, 100_000
    first = picture()
    first.entries = [entry for entry in first.entries if entry[0] not in (273, 279)]
    first.add(273, 4, [4096 + 4 * 65536 + n * each for n in range(strips)])
    first.add(279, 4, [each] * strips)
    path = tmp_path / "large.tif"
    path.write_bytes(build(first).content)
    os.truncate(path, 4096 + 4 * 65536 + strips * each)
    said = subprocess.run(
        [sys.executable, "-c", SPARSE, str(path)],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert said.returncode == 0, said.stderr
    assert int(said.stdout) < 100
