"""Content Credentials (C2PA): is a file signed, so that any write into it would void that?

The signature covers the packet too, so whoever writes keywords into a signed file leaves it
signed and invalid (XMP.md 6.3, measured). Where the manifest lies, by format, is told by the C2PA
specification (Embedding manifests): JPEG APP11 segments with a JUMBF box, TIFF and DNG tag
0xCD41, PNG chunk `caBX`; a manifest kept elsewhere is named by the packet's
`dcterms:provenance`. Only headers are read; nothing is verified.
"""

from __future__ import annotations

import contextlib
import os
import struct
from typing import BinaryIO
from xml.parsers import expat

TIFF_TAG = 0xCD41
"""Tag of the manifest store in a TIFF or DNG."""

_C2PA_TYPE = bytes.fromhex("63327061 0011 0010 8000 00aa00389b71")
"""Type of a JUMBF box that is a manifest store (`c2pa`, in the form of a UUID)."""
_DCTERMS = "http://purl.org/dc/terms/ provenance"
_RDF_RESOURCE = "http://www.w3.org/1999/02/22-rdf-syntax-ns# resource"
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_PARTS = 1 << 20
"""Segments or chunks that are walked before a file is taken for damaged."""


def signed(file: BinaryIO) -> bool:
    """Whether a JPEG or PNG carries a manifest. False for other formats, and where the file is
    damaged before one is found. TIFF and DNG: see `TIFF_TAG`. Never raises but `OSError`."""
    file.seek(0)
    head = file.read(8)
    if head[:2] == b"\xff\xd8":
        return _in_jpeg(file)
    return head == _PNG and _in_png(file)


def in_app11(payload: bytes) -> bool:
    """Whether a JPEG APP11 segment (what follows its length) begins a manifest store.

    64 bytes are enough. ISO 19566-5 D.2: `JP`, instance (2), sequence (4), then a JUMBF
    superbox whose first box, `jumd`, says the type. Later segments of the same box repeat only
    the superbox's header.
    """
    if payload[:2] != b"JP":
        return False
    box = payload[8:]
    lead = 16 if box[:4] == b"\0\0\0\1" else 8  # a length of 1: the real one follows, in 8 bytes
    if box[4:8] != b"jumb" or box[lead + 4 : lead + 8] != b"jumd":
        return False
    # The first four bytes of the type are enough: to spare a file that is not signed after all
    # costs a keyword inside it, to write into one that is costs the signature.
    return box[lead + 8 : lead + 12] == _C2PA_TYPE[:4]


def named_in(packet: bytes) -> bool:
    """Whether an XMP packet names a manifest: `dcterms:provenance` with a URI.

    Words of a person ("bought at the estate sale") are no manifest.
    """
    wide = b"\0" in packet[:8]  # in UTF-16, every second byte is zero
    if b"provenance" not in (packet.replace(b"\0", b"") if wide else packet):
        return False
    found: list[str] = []
    inside = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if _DCTERMS in attributes:
            found.append(attributes[_DCTERMS])
        if name == _DCTERMS:
            found.append("")
        inside += bool(inside) or name == _DCTERMS
        if inside and _RDF_RESOURCE in attributes:
            found[-1] += attributes[_RDF_RESOURCE]

    def end(_name: str) -> None:
        nonlocal inside
        inside -= bool(inside)

    def text(said: str) -> None:
        if inside:
            found[-1] += said

    def doctype(*_declared: object) -> None:
        # Entities could be made to grow without end; no packet needs them.
        raise ValueError("DOCTYPE")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    with contextlib.suppress(expat.ExpatError, ValueError, LookupError):
        # Cut short or with junk behind it: what was read so far counts.
        parser.Parse(packet.rstrip(b"\0"), True)
    return any(_is_reference(value.strip()) for value in found)


def _is_reference(value: str) -> bool:
    """A URI: a scheme without blanks (`self#jumbf=...`, `https://...`, `urn:c2pa:...`)."""
    if not value or any(char.isspace() for char in value):
        return False
    return "jumbf=" in value or value.partition(":")[0].lower() in {"http", "https", "urn", "ipfs"}


def _in_jpeg(file: BinaryIO) -> bool:
    """Walk the segments up to the picture's first scan."""
    at = 2
    for _ in range(_MOST_PARTS):
        file.seek(at)
        head = file.read(4 + 64)
        if len(head) < 4 or head[0] != 0xFF:
            return False
        marker = head[1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # stands alone
            at += 2
            continue
        if marker in (0xD9, 0xDA):
            return False
        (length,) = struct.unpack(">H", head[2:4])
        if length < 2:
            return False
        if marker == 0xEB and in_app11(head[4 : 2 + length]):
            return True
        at += 2 + length
    return False


def _in_png(file: BinaryIO) -> bool:
    """Walk the chunks."""
    size = file.seek(0, os.SEEK_END)
    at = len(_PNG)
    for _ in range(_MOST_PARTS):
        if at + 8 > size:
            return False
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"caBX":
            return True
        if kind == b"IEND":
            return False
        at += 12 + length
    return False
