"""How sets of photos stand in the mirror's tables: as text, as lists and as bitmaps.

Numbers as text: one character a number, so that plain SQL reads them (`unicode(substr(...))`),
which it cannot do with a blob, and Python turns a whole text into numbers in C. Half a character
(U+D800..U+DFFF) is no text, so numbers from there on stand 2,048 higher.

A set of photos of one chunk is a list of 16-bit places (offset plus 1, as in text) while they are
few, else a bitmap (Lemire and others, "Roaring bitmaps: implementation of an optimized software
library", 2018, call the two containers array and bitset). Theirs is a list up to 4,096 photos. In
Python an operation on a list costs a step for each photo, and on a deflated bitmap one step of some
ten microseconds in all; and photos of one kind come together, so a bitmap deflates well.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from unicodedata import combining, normalize

from urbexmp.adapters.db.plane_codes import CHUNK_BYTES
from urbexmp.rules.query_values import text_words

NO_CHARACTER, SKIPPED = 0xD800, 0x800
"""Numbers from the first on stand higher by the second."""
LISTED = 256
"""So many photos of a chunk, or more, are a bitmap."""
_UTF16 = f"utf-16-{'le' if sys.byteorder == 'little' else 'be'}"
_WINDOW, _MEMORY = 12, 5
"""Of zlib: 4 KB, all of a chunk; and what else it takes, which costs more to set up than to use."""
_BIT = [1 << bit for bit in range(8)]
_BITS = [tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256)]
_BLOCK = 128
_EMPTY = bytes(_BLOCK)
_SPARSE = 96
_SOME = re.compile(rb"[^\0]").finditer
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LETTER = {letter: place for place, letter in enumerate(_LETTERS)}


def as_text(numbers: Iterable[int]) -> str:
    """Numbers of 1 and more, one character each."""
    return "".join([chr(each if each < NO_CHARACTER else each + SKIPPED) for each in numbers])


def as_numbers(text: str) -> list[int]:
    """What `as_text` was given."""
    return [each if each < NO_CHARACTER else each - SKIPPED for each in map(ord, text)]


def offsets_text(offsets: Iterable[int]) -> str:
    """Offsets of photos within a chunk as text: each raised by one, below half a character."""
    return "".join([chr(offset + 1) for offset in offsets])


def text_offsets(text: str) -> array[int]:
    """Offsets raised by one, as `offsets_text` has them."""
    return array("H", text.encode(_UTF16))


def packed_set(bits: int, *, plain: bool = False) -> bytes:
    """A set of photos of a chunk: a list, of even length, or a deflated bitmap, of odd length.

    `plain`: a bitmap as it is, of the length of a chunk, which no list has; to inflate one takes
    ten times as long as to meet it with another.
    """
    if bits.bit_count() < LISTED:
        return packed_list(ids_of(bits, 1))
    if plain:
        return bits.to_bytes(CHUNK_BYTES, "little")
    # Runs are all there is to find: looked for alone, and with a small window, they take two
    # thirds of the time and of the room that the quickest level takes.
    packing = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_RLE)
    deflated = packing.compress(bits.to_bytes(CHUNK_BYTES, "little")) + packing.flush()
    return deflated if len(deflated) & 1 else deflated + b"\0"


def packed_list(places: Iterable[int]) -> bytes:
    """Sorted places of a chunk as `packed_set` gives a set of so few."""
    packed = array("H", places)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def opened_set(packed: bytes, stop: int = CHUNK_BYTES) -> bytes | array[int]:
    """A set as its bitmap, so many bytes of it at least as are wanted, or as sorted places.

    Raises `sqlite3.DatabaseError`: a bitmap that does not inflate is a damaged file.
    """
    if len(packed) & 1:
        try:
            return zlib.decompressobj().decompress(packed, stop)
        except zlib.error as failure:
            raise sqlite3.DatabaseError(f"a set of photos is damaged: {failure}") from failure
    if len(packed) == CHUNK_BYTES:
        return packed
    places = array("H", packed)
    if sys.byteorder == "big":
        places.byteswap()
    return places


def set_bits(packed: bytes, start: int = 0, stop: int = CHUNK_BYTES) -> int:
    """The photos of a set within some bytes of the chunk; bit 0 is the first."""
    opened = opened_set(packed, stop)
    if isinstance(opened, bytes):
        return int.from_bytes(opened[start:stop], "little")
    return offsets_bits(opened, start, stop, raised=1)


def offsets_bits(
    offsets: Sequence[int], start: int = 0, stop: int = CHUNK_BYTES, raised: int = 0
) -> int:
    """Offsets as bits; `raised`: how much higher they are than the photo within the chunk.

    In their order, unless the whole chunk is asked for.
    """
    raw = bytearray(stop - start)
    first = start * 8 + raised
    if start or stop != CHUNK_BYTES:
        low = bisect_left(offsets, first)
        offsets = offsets[low : bisect_left(offsets, stop * 8 + raised, low)]
    one = _BIT
    for offset in offsets:
        at = offset - first
        raw[at >> 3] |= one[at & 7]
    return int.from_bytes(raw, "little")


def ids_of(bits: int, first: int = 0, skip: int = 0, limit: int | None = None) -> list[int]:
    """Positions of set bits, lowest first, `first` added; `skip` of them left out.

    Walks bytes: taking the lowest bit from a long integer again and again copies it each time.
    """
    raw = bits.to_bytes((bits.bit_length() + 7) >> 3, "little")
    found: list[int] = []
    for at in range(0, len(raw), _BLOCK):
        block = raw[at : at + _BLOCK]
        if block == _EMPTY:
            continue
        if skip and not found:
            held = int.from_bytes(block, "little").bit_count()
            if held <= skip:
                skip -= held
                continue
        if block.count(0) > _SPARSE:
            for match in _SOME(block):
                low = first + (at + match.start()) * 8
                found += [low + bit for bit in _BITS[block[match.start()]]]
        else:
            for offset, byte in enumerate(block, at):
                if byte:
                    found += [first + offset * 8 + bit for bit in _BITS[byte]]
        if limit is not None and len(found) >= skip + limit:
            break
    return found[skip : None if limit is None else skip + limit]


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a folded text without accents, as the full-text index keeps them."""
    if text.isascii():
        return text_words(text)
    bare = (char for char in normalize("NFD", text) if not combining(char))
    return text_words("".join(bare))


def start_code(letters: str) -> int | None:
    """The number of a set of photos by two letters or digits; None: they are none.

    Below zero, where no keyword's number is: with a keyword one of whose words begins so.
    """
    high, low = _LETTER.get(letters[:1]), _LETTER.get(letters[1:2])
    return None if high is None or low is None else -(high * len(_LETTERS) + low + 1)


def start_letters(code: int) -> str:
    """The letters of a number that `start_code` gave."""
    high, low = divmod(-code - 1, len(_LETTERS))
    return _LETTERS[high] + _LETTERS[low]


def start_codes(name: str) -> frozenset[int]:
    """The numbers by how the words of a folded name begin."""
    codes = {start_code(word[:2]) for word in plain_words(name)}
    return frozenset(code for code in codes if code is not None)
