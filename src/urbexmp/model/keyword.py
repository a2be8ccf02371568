"""Keywords: paths in a tree of names, as Lightroom writes them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from urbexmp.model.folding import SEPARATOR, fold

__all__ = [
    "MAX_NAME_BYTES",
    "SEPARATOR",
    "Keyword",
    "KeywordFields",
    "fold",
    "name_fault",
    "respell",
]

MAX_NAME_BYTES = 64
"""IPTC IIM 2:25 holds 64 octets; a longer name would be cut inside a JPEG."""


@dataclass(frozen=True, eq=False, slots=True)
class Keyword:
    """A keyword: the names from the root to the leaf, `("Urbex", "Building", "Hospital")`.

    Two keywords are equal when their folded paths are, so `Hospital` and `hospital` are one
    keyword. The spelling is kept, but set operations between differently spelled equals may
    keep either: where spelling matters, choose it with `respell`.
    A flat keyword is a path of one name.
    """

    path: tuple[str, ...]
    key: tuple[str, ...] = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)
    """Of the key, worked out once: a plan asks a thousand times a photo."""

    def __post_init__(self) -> None:
        if not self.path or not all(self.path):
            raise ValueError(
                f"a keyword needs at least one name, none of them empty: {self.path!r}"
            )
        key = tuple([fold(name) for name in self.path])
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "_hash", hash(key))

    def __reduce__(self) -> tuple[type[Keyword], tuple[tuple[str, ...]]]:
        # The hash of a text is another one in every process.
        return Keyword, (self.path,)

    @classmethod
    def parse(cls, text: str) -> Keyword:
        """Read `A|B|C`. Raise `ValueError` when a name is empty."""
        return _parsed(text)

    @property
    def leaf(self) -> str:
        """The last name of the path."""
        return self.path[-1]

    def ancestors(self) -> tuple[Keyword, ...]:
        """The keywords above this one, from the root down, without itself."""
        return _above(self.path)

    def is_under(self, other: Keyword) -> bool:
        """Whether this keyword is `other` or lies below it."""
        return self.key[: len(other.key)] == other.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyword) and self.key == other.key

    def __hash__(self) -> int:
        return self._hash

    def __lt__(self, other: Keyword) -> bool:
        return (self.key, self.path) < (other.key, other.path)

    def __str__(self) -> str:
        return SEPARATOR.join(self.path)


# Remembered by their spelling: a library says the same few thousand keywords a million times, and
# sets of the same objects are compared without a call.
@lru_cache(maxsize=1 << 16)
def _parsed(text: str) -> Keyword:
    return _of_path(tuple(text.split(SEPARATOR)))


@lru_cache(maxsize=1 << 16)
def _of_path(path: tuple[str, ...]) -> Keyword:
    return Keyword(path)


@lru_cache(maxsize=1 << 16)
def _above(path: tuple[str, ...]) -> tuple[Keyword, ...]:
    return tuple([_of_path(path[:n]) for n in range(1, len(path))])


def respell(keywords: Iterable[Keyword], *known: Iterable[Keyword]) -> frozenset[Keyword]:
    """Return `keywords` in the spelling of the first of the `known` sets that has each of them.

    The order of `known` is the order of authority: what stands in the file, then the library's
    own tree, then the taxonomy.
    """
    spelling: dict[Keyword, Keyword] = {}
    for group in known:
        for keyword in group:
            spelling.setdefault(keyword, keyword)
    return frozenset(spelling.get(keyword, keyword) for keyword in keywords)


def name_fault(name: str) -> str | None:
    """Say why Lightroom would not take `name` as a keyword, or return None (XMP.md R18)."""
    if not name:
        return "is empty"
    if name != name.strip():
        return "begins or ends with a blank"
    for bad, called in ((",", "a comma"), (";", "a semicolon"), (SEPARATOR, "a vertical bar")):
        if bad in name:
            return f"contains {called}"
    if name.endswith("*"):
        return "ends with an asterisk"
    for char in name:
        if unicodedata.category(char) in {"Cc", "Cs", "Cn", "Zl", "Zp"}:
            return f"contains the character U+{ord(char):04X}"
    if len(name.encode("utf-8")) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    return None


@dataclass(frozen=True, slots=True)
class KeywordFields:
    """The two keyword fields of a packet as they stand there. None: the property is absent."""

    flat: tuple[str, ...] | None = None
    """`dc:subject`: leaves and, in Lightroom's way, all their ancestors."""
    hierarchical: tuple[str, ...] | None = None
    """`lr:hierarchicalSubject`: whole paths, names separated by `|`."""
