"""Some photos of a stretch, and what two such sets have in common, together and apart.

A set is an integer (bit 0 is the first photo of the stretch) where it came as a bitmap, else places
(a photo's offset within its chunk, plus 1), either sorted in an array, as they come, or as a set.
Making a bitmap of places costs a tenth of a microsecond each, and a first page of two rare keywords
looks at a million photos: so places meet places, or are looked up in a bitmap, and become one only
where they are joined with one.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import TYPE_CHECKING

from urbexmp.adapters.db.plane_codes import CHUNK, CHUNK_BYTES
from urbexmp.adapters.db.posting_codes import ids_of

if TYPE_CHECKING:
    from urbexmp.adapters.db.ask_planes import Stretch

    Places = frozenset[int] | set[int] | array[int]
    Some = int | Places

NO_PLACES: Places = frozenset()
RARER = 16
"""Places so many times rarer than others are sought among them one by one."""
_BIT = [1 << bit for bit in range(8)]


def met(one: Some, other: Some, stretch: Stretch) -> Some:
    """Photos in both."""
    if isinstance(one, int):
        return one & other if isinstance(other, int) else _looked_up(other, one, stretch)
    if isinstance(other, int):
        return _looked_up(one, other, stretch)
    if len(other) < len(one):
        one, other = other, one
    if isinstance(other, array):
        if len(one) * RARER < len(other):
            return {place for place in one if _holds(other, place)}
        if isinstance(one, array):
            return set(one).intersection(other)
        return one.intersection(other)
    return other.intersection(one)


def joined(parts: Iterable[Some], stretch: Stretch) -> Some:
    """Photos in any of them."""
    bits = 0
    places: list[Places] = []
    for part in parts:
        if isinstance(part, int):
            bits |= part
        elif part:
            places.append(part)
    if not bits:
        return places[0] if len(places) == 1 else set().union(*places)
    for part in places:
        bits |= as_bits(part, stretch)
    return bits


def less(one: Some, other: Some, stretch: Stretch) -> Some:
    """Photos in the first that are not in the second."""
    if isinstance(one, int):
        bits = as_bits(other, stretch)
        return one ^ (one & bits)
    if not other:
        return one
    if not isinstance(other, int):
        return (set(one) if isinstance(one, array) else one).difference(other)
    raw, bit = _by_place(other, stretch), _BIT
    return {place for place in one if not raw[place >> 3] & bit[place & 7]}


def number(some: Some) -> int:
    """How many photos."""
    return some.bit_count() if isinstance(some, int) else len(some)


def as_bits(some: Some, stretch: Stretch) -> int:
    """As an integer."""
    if isinstance(some, int):
        return some
    if not some:
        return 0
    raw, first, bit = bytearray(stretch.stop - stretch.start), stretch.start * 8 + 1, _BIT
    for place in some:
        at = place - first
        raw[at >> 3] |= bit[at & 7]
    return int.from_bytes(raw, "little")


def as_ids(some: Some, stretch: Stretch, skip: int = 0, limit: int | None = None) -> list[int]:
    """Ids in their order, `skip` of them left out."""
    if isinstance(some, int):
        return ids_of(some, stretch.first, skip, limit)
    first = stretch.chunk * CHUNK - 1
    end = None if limit is None else skip + limit
    ordered = some if isinstance(some, array) else sorted(some)
    return [first + place for place in ordered[skip:end]]


def _holds(places: array[int], place: int) -> bool:
    at = bisect_left(places, place)
    return at < len(places) and places[at] == place


def _looked_up(places: Places, bits: int, stretch: Stretch) -> Places:
    if not places or not bits:
        return NO_PLACES
    raw, bit = _by_place(bits, stretch), _BIT
    return {place for place in places if raw[place >> 3] & bit[place & 7]}


def _by_place(bits: int, stretch: Stretch) -> bytes:
    """Bits of a stretch as bytes in which bit `place` stands for a place of the chunk."""
    return (bits << stretch.start * 8 + 1).to_bytes(CHUNK_BYTES + 1, "little")
