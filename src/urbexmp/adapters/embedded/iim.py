"""IPTC IIM blocks: datasets read, and the keywords (2:25) set, all else byte for byte as it was.

Layout (IPTC-NAA Information Interchange Model 4.2, chapter 1.5): each dataset is `1C`, record,
number, then the length in two bytes and the value; with the highest bit of the length set, its
lower bits say in how many bytes the real length follows. Keywords are dataset 2:25, one each,
at most 64 octets. 1:90 says how text is encoded, by ISO 2022 escapes; `ESC % G` is UTF-8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from urbexmp.adapters.embedded.layout import IptcState

KEYWORDS, ENCODING, CAPTION = (2, 25), (1, 90), (2, 120)
MOST_OCTETS = 64
_UTF8 = b"\x1b%G"
_ENCODINGS = {
    b"%G": "utf-8", b"%/G": "utf-8", b"%/H": "utf-8", b"%/I": "utf-8",
    b"A": "latin-1", b"B": "iso8859-2", b"C": "iso8859-3", b"D": "iso8859-4",
    b"L": "iso8859-5", b"G": "iso8859-6", b"F": "iso8859-7", b"H": "iso8859-8", b"M": "iso8859-9",
}  # fmt: skip
"""By the escape without `ESC` and, for the 8-bit sets, the byte that says where they go."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """One dataset as it stands."""

    record: int
    number: int
    value: bytes
    raw: bytes
    """With its header."""


@dataclass(frozen=True, slots=True)
class Block:
    """A whole IIM block."""

    sets: tuple[DataSet, ...]
    tail: bytes
    """What follows the last dataset: mostly nothing, or a byte of padding."""

    def __bytes__(self) -> bytes:
        """The block's bytes: what was parsed, but for the sets that were replaced."""
        return b"".join(each.raw for each in self.sets) + self.tail

    @property
    def is_utf8(self) -> bool:
        """Whether it says so itself, in the one form that all programs know."""
        return _escape(self) == _UTF8

    @property
    def keywords(self) -> tuple[str, ...]:
        """2:25 in order, decoded (`decoded_by` says how), doubles and empty ones left out."""
        values = self._values()
        encoding = _encoding(self, values)
        words = (_decode(value, encoding) for value in values)
        return tuple(dict.fromkeys(word for word in words if word))

    @property
    def caption(self) -> str | None:
        """2:120, decoded; None for a blank."""
        values = [each.value for each in self.sets if (each.record, each.number) == CAPTION]
        text = _decode(values[0], _encoding(self, values)) if values else ""
        return text if text.strip() else None

    @property
    def decoded_by(self) -> str | None:
        """The encoding that was guessed, where keywords need one that is not declared."""
        values = self._values()
        if _declared(self) is not None or all(value.isascii() for value in values):
            return None
        return _encoding(self, values)

    def _values(self) -> list[bytes]:
        return [each.value for each in self.sets if (each.record, each.number) == KEYWORDS]


def parse(block: bytes) -> Block:
    """Take a block apart; `bytes()` of the result is the block again, whatever it holds."""
    sets = []
    at = 0
    while at + 5 <= len(block) and block[at] == 0x1C:
        start = at + 5
        size = int.from_bytes(block[at + 3 : at + 5], "big")
        if size & 0x8000:
            start += size & 0x7FFF
            size = int.from_bytes(block[at + 5 : start], "big")
        if start + size > len(block):
            break
        value = block[start : start + size]
        sets.append(DataSet(block[at + 1], block[at + 2], value, block[at : start + size]))
        at = start + size
    return Block(tuple(sets), block[at:])


def with_keywords(block: Block, words: Sequence[str]) -> Block:
    """The block with exactly `words` as its keywords.

    Datasets that hold one of them stay as they are and where they are, those that hold none go,
    and new ones follow the last keyword (or the last dataset before where keywords belong).
    Only for blocks in UTF-8 (R31). Words are cut to 64 octets.
    """
    wanted = {spelling: word for word in words for spelling in (word, cut(word))}
    kept: list[DataSet] = []
    there: set[str] = set()
    place = 0
    for each in block.sets:
        if (each.record, each.number) == KEYWORDS:
            word = wanted.get(_decode(each.value, "utf-8"))
            if word is None:
                continue
            there.add(cut(word))
        kept.append(each)
        if (each.record, each.number) <= KEYWORDS:
            place = len(kept)
    coming = dict.fromkeys(cut(word) for word in words)
    kept[place:place] = [_keyword(word) for word in coming if word and word not in there]
    return Block(tuple(kept), block.tail)


def cut(word: str) -> str:
    """The longest beginning of `word` that is no longer than 64 octets in UTF-8."""
    octets = word.encode("utf-8", "replace")
    return octets[:MOST_OCTETS].decode("utf-8", "ignore")


def state(block: bytes | None, digest: bytes | None) -> IptcState:
    """What the Photoshop digest (resource 0x0425) says about a block."""
    if not block:
        return "none"
    if digest is None or len(digest) != 16:
        return "missing"
    return "matches" if digest == digest_of(block) else "differs"


def digest_of(block: bytes) -> bytes:
    """The digest that says that packet and block agree: MD5 of the block."""
    return hashlib.md5(block, usedforsecurity=False).digest()


def notes(block: Block) -> tuple[str, ...]:
    """What a person should know about a block."""
    guessed = block.decoded_by
    if guessed is None:
        return ()
    called = "UTF-8" if guessed == "utf-8" else "Windows Latin-1"
    return (f"The IPTC keywords do not say how they are encoded; they are read as {called}.",)


def _keyword(word: str) -> DataSet:
    value = word.encode("utf-8", "replace")
    raw = bytes((0x1C, *KEYWORDS)) + len(value).to_bytes(2, "big") + value
    return DataSet(*KEYWORDS, value, raw)


def _escape(block: Block) -> bytes | None:
    values = (each.value for each in block.sets if (each.record, each.number) == ENCODING)
    return next(values, None)


def _declared(block: Block) -> str | None:
    escape = _escape(block)
    if escape is None or not escape.startswith(b"\x1b"):
        return None
    said = escape[1:].strip(b"\0 ")
    return _ENCODINGS.get(said) or (_ENCODINGS.get(said[1:]) if said[:1] in b"-./" else None)


def _encoding(block: Block, values: Sequence[bytes]) -> str:
    """As declared, else UTF-8 where all values are that, else what Windows wrote.

    Letters of Latin-1 hardly ever make up valid UTF-8, and programs that write UTF-8 without
    saying so are common.
    """
    declared = _declared(block)
    if declared is not None:
        return declared
    try:
        for value in values:
            value.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _decode(value: bytes, encoding: str) -> str:
    value = value.rstrip(b"\0")  # some writers count a terminating zero
    try:
        return value.decode(encoding)
    except UnicodeDecodeError:
        return value.decode("latin-1")
