"""Content Credentials are found where the specification puts them, and nowhere else."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from embed_tiff_files import BYTE, UNDEFINED, XMP, build, dng, packet, picture
from embed_tiff_sources import Kept, Seen
from urbexmp.adapters.embedded import credentials
from urbexmp.adapters.embedded.tiff import TiffContainer

C2PA = bytes.fromhex("6332706100110010800000aa00389b71")
OTHER = bytes.fromhex("6a736f6e00110010800000aa00389b71")  # a JUMBF box that holds JSON
TERMS = 'xmlns:dcterms="http://purl.org/dc/terms/"'
REAL = Path(os.environ.get("URBEXMP_REAL_FILES", "unset"))


def jumbf(kind: bytes = C2PA, *, long: bool = False) -> bytes:
    label = b"\x03c2pa\0"
    described = struct.pack(">I4s", 8 + 16 + len(label), b"jumd") + kind + label
    if long:
        return struct.pack(">I4sQ", 1, b"jumb", 16 + len(described)) + described
    return struct.pack(">I4s", 8 + len(described), b"jumb") + described


def app11(box: bytes) -> bytes:
    payload = b"JP" + struct.pack(">HI", 1, 1) + box
    return b"\xff\xeb" + struct.pack(">H", len(payload) + 2) + payload


def jpeg(*segments: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    data = out.getvalue()
    return data[:2] + b"".join(segments) + data[2:]


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    data = out.getvalue()
    more = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return data[:33] + more + data[33:]


@pytest.mark.parametrize("long", [False, True])
def test_a_jpeg_with_a_manifest(long: bool) -> None:
    content = jpeg(b"\xff\xfe\0\5abc", app11(jumbf(long=long)))
    assert credentials.signed(io.BytesIO(content))


def test_fill_bytes_between_segments() -> None:
    assert credentials.signed(io.BytesIO(jpeg(b"\xff\xff" + app11(jumbf()))))


@pytest.mark.parametrize(
    "segment",
    [
        b"",
        app11(jumbf(OTHER)),
        b"\xff\xeb\0\6HDR_",  # another use of APP11
        b"\xff\xe1" + app11(jumbf())[2:],
        b"\xff\xeb\0\2",
    ],
)
def test_a_jpeg_without_a_manifest(segment: bytes) -> None:
    assert not credentials.signed(io.BytesIO(jpeg(segment)))


def test_a_png() -> None:
    assert credentials.signed(io.BytesIO(png((b"tEXt", b"a\0b"), (b"caBX", jumbf()))))
    assert not credentials.signed(io.BytesIO(png((b"tEXt", b"caBX"))))


def test_a_manifest_behind_the_picture_of_a_jpeg_is_none() -> None:
    assert not credentials.signed(io.BytesIO(jpeg() + app11(jumbf())))


def test_a_tiff() -> None:
    first = picture()
    first.add(credentials.TIFF_TAG, UNDEFINED, jumbf())
    content = build(first).content
    assert TiffContainer().layout(Seen(content), Path("a.tif")).signed
    assert TiffContainer().layout(Kept.of(content), Path("a.tif")).signed
    assert not TiffContainer().layout(Seen(dng().content), Path("a.dng")).signed


def test_a_sub_picture_that_is_signed() -> None:
    first = picture(1)
    first.following = second = picture(2)
    second.add(credentials.TIFF_TAG, UNDEFINED, jumbf())
    assert TiffContainer().layout(Seen(build(first).content), Path("a.tif")).signed


REFERENCES = (
    "self#jumbf=/c2pa/urn:uuid:1",
    "https://example.org/manifests/1.c2pa",
    "urn:c2pa:5d2a",
)


@pytest.mark.parametrize("uri", REFERENCES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_packet_that_names_a_manifest(uri: str, encoding: str) -> None:
    said = packet("Owl", extra=f' {TERMS} dcterms:provenance="{uri}"')
    assert credentials.named_in(said.decode().encode(encoding))


@pytest.mark.parametrize(
    "spelled",
    [
        "<d:provenance>{}</d:provenance>",
        '<d:provenance rdf:resource="{}"/>',
        "<d:provenance><rdf:Bag><rdf:li>{}</rdf:li></rdf:Bag></d:provenance>",
    ],
)
def test_other_spellings_of_the_reference(spelled: str) -> None:
    inner = spelled.format(REFERENCES[1])
    said = packet("Owl", extra=' xmlns:d="http://purl.org/dc/terms/"')
    said = said.replace(b"<dc:subject>", inner.encode() + b"<dc:subject>")
    assert credentials.named_in(said)
    assert credentials.named_in(said + b"\0\0junk")


@pytest.mark.parametrize(
    "extra",
    [
        f' {TERMS} dcterms:provenance="found in the cellar: urn"',
        f' {TERMS} dcterms:provenance=""',
        f' {TERMS} dcterms:source="https://example.org/provenance"',
        ' xmlns:dcterms="http://other.example/" dcterms:provenance="https://example.org/x.c2pa"',
    ],
)
def test_a_packet_that_names_none(extra: str) -> None:
    assert not credentials.named_in(packet("Owl", extra=extra))
    assert not credentials.named_in(packet("provenance"))


def test_a_packet_with_entities_is_not_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 1000 + b'">]><x provenance="&a;"/>'
    assert not credentials.named_in(bomb)


def test_a_tiff_whose_packet_names_a_manifest() -> None:
    first = picture()
    first.add(XMP, BYTE, packet("Owl", extra=f' {TERMS} dcterms:provenance="{REFERENCES[0]}"'))
    assert TiffContainer().layout(Seen(build(first).content), Path("a.tif")).signed


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n"]))
def test_damage_never_crashes(content: bytes, start: bytes) -> None:
    assert credentials.signed(io.BytesIO(start + content)) in (True, False)
    assert credentials.named_in(b"<provenance" + content) is False


@given(st.integers(0, 700), st.binary(min_size=1, max_size=8))
def test_damaged_signed_files_never_crash(at: int, junk: bytes) -> None:
    content = jpeg(app11(jumbf()))
    assert credentials.signed(io.BytesIO(content[:at] + junk)) in (True, False)


@pytest.mark.real_files
@pytest.mark.skipif(not REAL.is_dir(), reason="URBEXMP_REAL_FILES names no folder")
def test_real_files() -> None:
    with (REAL / "c2pa" / "C.jpg").open("rb") as file:
        assert credentials.signed(file)
    for path in sorted((REAL / "jpeg").iterdir()):
        with path.open("rb") as file:
            assert not credentials.signed(file), path.name
