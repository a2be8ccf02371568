"""What can be asked of the mirror, as a frozen tree; `rules.query_parse` reads it from text.

The meaning of each node is given here and nowhere else; `adapters.db.ask` finds the photos, and
a property test compares it with a plain evaluation of these sentences.
Tuples, because nine dataclasses take four milliseconds to make, a fifteenth of a whole query.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Everything(NamedTuple):
    """All photos: the empty expression."""

    word: str = ""


class And(NamedTuple):
    """Photos that every part holds."""

    parts: tuple[Query, ...]
    word: str = "AND"


class Or(NamedTuple):
    """Photos that at least one part holds."""

    parts: tuple[Query, ...]
    word: str = "OR"
    """A tuple equals any tuple of the same values: this keeps the two apart."""


class Not(NamedTuple):
    """Photos that the part does not hold."""

    part: Query


class KeywordTerm(NamedTuple):
    """Photos with a keyword.

    `names` is a run of names that ends the keyword's path: `("Building", "Hospital")` means
    `Urbex|Building|Hospital`, and so does `("Hospital",)`. Names compare by `model.keyword.fold`.
    """

    names: tuple[str, ...]
    below: bool = True
    """Keywords below it count too."""
    prefix: bool = False
    """A word of the last name need only begin so, whatever the accents; when several words are
    given, the others must be words of that name."""
    low: int = 0
    high: int = 100
    """The keyword's own score lies from `low` to `high`; with the whole span one without a score
    counts too."""
    vetoed: bool = False
    """Not a keyword the photo has, but one that was taken away from it or refused."""

    @property
    def scored(self) -> bool:
        """Whether the score matters."""
        return (self.low, self.high) != (0, 100)


class WordTerm(NamedTuple):
    """Photos whose field equals a word: `camera`, `lens`, `view`, ... Case makes no difference.

    A `*` before or behind stands for anything.
    """

    field: str
    text: str
    starts_open: bool = False
    ends_open: bool = False


class NumberTerm(NamedTuple):
    """Photos whose field, rounded to a whole number, lies from `low` to `high`, both included.

    `taken` counts days as `datetime.date.toordinal` does. What has no value is never held.
    """

    field: str
    low: int
    high: int


class HasTerm(NamedTuple):
    """Photos that have something at all: `keywords`, `gps`, `veto`, `held`, ..."""

    what: str


class TextTerm(NamedTuple):
    """Photos with all these words in file name, keywords, description or text read."""

    words: tuple[str, ...]
    prefix: bool = False
    """The last word need only begin so."""


Query = Everything | And | Or | Not | KeywordTerm | WordTerm | NumberTerm | HasTerm | TextTerm

HIGHEST_DAY = 3_652_059
"""31 December 9999, as `datetime.date.toordinal` counts."""


def terms(query: Query) -> Iterator[Query]:
    """All nodes of a tree that are no AND, OR or NOT."""
    if isinstance(query, And | Or):
        for part in query.parts:
            yield from terms(part)
    elif isinstance(query, Not):
        yield from terms(query.part)
    else:
        yield query
