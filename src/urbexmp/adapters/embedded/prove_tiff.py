"""The proof of what stands beside a packet in a TIFF: its IPTC block and Photoshop resources.

Shares no code with the container: it finds its way through the kept bytes of two envelopes by
itself. Nothing may differ but the digest, to fit the block, and the block's keywords.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass

from urbexmp.adapters.embedded.prove_iim import prove_keywords

_IPTC, _RESOURCES = 33723, 34377
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
_MOST = 2**26
"""Bytes; no more can have been kept."""
_ADVANCE = 6
"""Bytes of a resource before its name: `8BIM` and the number."""


def prove_tiff_beside(before: bytes, after: bytes, words: tuple[str, ...] | None) -> str | None:
    """What is wrong beside the packet of an edited envelope; None when nothing is.

    `words` None: the digest must not have changed either.
    """
    one, two = _pieces(before), _pieces(after)
    old, new = _beside(one, two), _beside(two, one)
    if old.place != new.place or old.shared != new.shared:
        if words is None:
            return "the IPTC block would change"
        fault = prove_keywords(old.block, new.block, words, filled=True)
        if fault is not None:
            return fault
        if old.resources == new.resources:
            return "the IPTC digest would not fit the block"
    if old.resources == new.resources:
        return None
    at = new.digest_at
    digest = new.resources[at : at + 16]
    if words is None or at < 0:
        return "the Photoshop resources would change"
    if digest != hashlib.md5(new.block, usedforsecurity=False).digest():
        return "the IPTC digest would not fit the block"
    if old.resources[:at] + digest + old.resources[at + 16 :] != new.resources:
        return "more of the Photoshop resources than the digest would change"
    return None


@dataclass(frozen=True, slots=True)
class _Beside:
    block: bytes
    """As far as the envelope itself holds it; zeros for the rest."""
    shared: bytes
    """As far as both envelopes hold what lies there."""
    place: tuple[int, int]
    """Where the block lies (0: in its entry), and its length."""
    resources: bytes
    """As far as both envelopes hold them; zeros for the rest."""
    digest_at: int
    """-1: there is none."""


def _pieces(envelope: bytes) -> list[tuple[int, bytes]]:
    _, line, data = envelope.split(b"\n", 2)
    pieces = []
    for start, length in json.loads(line)["kept"]:
        pieces.append((start, data[:length]))
        data = data[length:]
    return pieces


def _beside(pieces: list[tuple[int, bytes]], others: list[tuple[int, bytes]]) -> _Beside:
    """`others`: the pieces of the other envelope. Nothing moves in a TIFF, so only what both kept
    can be compared."""
    shared = [
        (max(start, here), piece[max(here - start, 0) : here + len(other) - start])
        for start, piece in pieces
        for here, other in others
        if max(start, here) < min(start + len(piece), here + len(other))
    ]
    head = _view(pieces, 0, 16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"\x2b\0", b"\0\x2b")
    lead, width, code = (8, 20, "Q") if big else (2, 12, "I")
    (first,) = struct.unpack_from(order + code, head, 8 if big else 4)
    (number,) = struct.unpack(order + ("Q" if big else "H"), _view(pieces, first, lead))
    room = struct.calcsize(code)
    found: dict[int, bytes] = {}
    block, place = b"", (0, 0)
    for index in range(number):
        at = first + lead + index * width
        tag, kind, count = struct.unpack(order + "HH" + code, _view(pieces, at, 4 + room))
        if tag in (_IPTC, _RESOURCES) and tag not in found:
            size = count * _WIDTHS.get(kind, 0)
            values = at + 4 + room
            if size > room:
                (values,) = struct.unpack(order + code, _view(pieces, values, room))
            found[tag] = _view(shared, values, min(size, _MOST))
            if tag == _IPTC:
                place = (values if size > room else 0), size
                # One that was put elsewhere stands in one of the envelopes only.
                block = _view(pieces, values, min(size, _MOST))
    resources = found.get(_RESOURCES, b"")
    at, length = _resource(resources, b"\x04\x04")
    held = found.get(_IPTC) or resources[at : at + length]
    at, length = _resource(resources, b"\x04\x25")
    return _Beside(block or held, held, place, resources, at if length == 16 else -1)


def _view(pieces: list[tuple[int, bytes]], offset: int, length: int) -> bytes:
    found = bytearray(length)
    for start, piece in pieces:
        first, last = max(start, offset), min(start + len(piece), offset + length)
        if first < last:
            found[first - offset : last - offset] = piece[first - start : last - start]
    return bytes(found)


def _resource(resources: bytes, number: bytes) -> tuple[int, int]:
    """Where the data of the first resource with a number lies, and its length; (-1, 0): nowhere."""
    at = resources.find(b"8BIM" + number)
    if at < 0:
        return -1, 0
    at += _ADVANCE + (resources[at + _ADVANCE] + 2) // 2 * 2
    return at + 4, int.from_bytes(resources[at : at + 4], "big")
