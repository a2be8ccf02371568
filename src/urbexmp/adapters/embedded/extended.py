"""ExtendedXMP: what did not fit into a JPEG's one packet, in further APP1 segments (R34).

Layout (XMP part 3, 1.1.3.1): an identifier, the MD5 of the whole in 32 hex digits, its length and
this chunk's offset in four bytes each, the chunk. The packet names the digest in
`xmpNote:HasExtendedXMP`. The chunks are never changed; they are only checked, because Adobe's
reader lets keywords in there win over those in the packet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from urbexmp.adapters.embedded.layout import Refusal

IDENT = b"http://ns.adobe.com/xmp/extension/\0"
HEAD = len(IDENT) + 40
"""Bytes of a segment's payload before the chunk."""
_NOTE = b"HasExtendedXMP"
_GUID = re.compile(rb"""HasExtendedXMP\s*(?:=\s*["']|>)\s*([0-9A-Fa-f]{32})""")
_KEYWORDS = re.compile(rb"[:<](?:subject|hierarchicalSubject)[\s=/>]|http://ns\.urbexmp\.org/")
_OVERLAP = 64
"""Longer than anything that is searched for: it may lie across two chunks."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One segment's share."""

    guid: bytes
    full: int
    offset: int
    at: int
    """Where in the file it begins."""
    length: int


def chunk(head: bytes, at: int, length: int) -> Chunk | None:
    """From the first `HEAD` bytes of a segment's payload, which stands at `at`."""
    if len(head) < HEAD or length < HEAD:
        return None
    full = int.from_bytes(head[-8:-4], "big")
    offset = int.from_bytes(head[-4:], "big")
    return Chunk(head[len(IDENT) : len(IDENT) + 32], full, offset, at + HEAD, length - HEAD)


def refusal(
    packet: bytes, chunks: Sequence[Chunk], read: Callable[[int, int], bytes | None]
) -> Refusal | None:
    """Why a packet must not be edited on account of its extended part; None when it may be.

    `read(offset, length)` gives bytes of the file, None when they were checked before.
    """
    plain = packet.replace(b"\0", b"")  # UTF-16, as far as ASCII is concerned
    if _NOTE not in plain:
        return None  # chunks that no packet names belong to nobody, and nobody reads them
    named = _GUID.search(plain)
    guid = named.group(1).upper() if named else b""
    ours = sorted(
        (each for each in chunks if each.guid.upper() == guid), key=lambda each: each.offset
    )
    digest = hashlib.md5(usedforsecurity=False)
    expected, before = 0, b""
    for each in ours:
        data = read(each.at, each.length)
        if data is None:
            return None
        if each.offset != expected or each.full != ours[0].full:
            return _BROKEN
        digest.update(data)
        if _KEYWORDS.search((before + data).replace(b"\0", b"")):
            return _KEYWORDS_INSIDE
        expected += each.length
        before = data[-_OVERLAP:]
    if not ours or expected != ours[0].full or digest.hexdigest().upper().encode() != guid:
        return _BROKEN
    return None


_ADVICE = "Save its metadata once in Lightroom, which puts the two parts together again"
_BROKEN = Refusal(
    "extended-broken",
    "the second part of its metadata (ExtendedXMP) is incomplete or does not belong to it",
    _ADVICE,
)
_KEYWORDS_INSIDE = Refusal(
    "extended-keywords",
    "its keywords are in the second part of its metadata (ExtendedXMP), which would win over"
    " the first",
    _ADVICE,
)
