"""Full-text search: the words must all be there; where they stand decides the order."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from urbexmp.adapters.db.ask_find import Finder
from urbexmp.adapters.db.ask_match import full_text, spelling
from urbexmp.adapters.db.ask_sets import listed
from urbexmp.adapters.db.ask_some import as_ids, number
from urbexmp.adapters.db.posting_codes import as_text, plain_words
from urbexmp.model.folding import fold
from urbexmp.rules.query import TextTerm

NAMES = 500
"""Keywords with one of the words in their name, the most used, that are looked at."""
_SURE = 100
_TURN = 125
"""So many photos are read and ranked before it is seen whether a page is full."""


def search(finder: Finder, words: Sequence[str], ranked: int, limit: int, offset: int) -> list[int]:
    """A page of photo ids, the best first. See `Asker.search` for the order."""
    found = finder.plan(TextTerm(tuple(words)))
    wanted = max(ranked, offset + limit)
    newest: list[int] = []
    for stretch in finder.planes.newest():
        some = found.some(stretch)
        newest += reversed(as_ids(some, stretch, max(0, number(some) - wanted + len(newest))))
        if len(newest) >= wanted:
            break
    best = _ranked(finder.connection, words, newest[:ranked], offset + limit)
    return (best + newest[ranked:])[offset : offset + limit]


def _ranked(
    connection: sqlite3.Connection, words: Sequence[str], ids: Sequence[int], wanted: int
) -> list[int]:
    """Sorted by how well each word is held, added up; equals newest first, as they are given.

    `wanted`: no more than so many of them matter.
    """
    asked = [(" ".join(plain_words(fold(word))), _named(connection, word)) for word in words]
    worth: dict[int, int] = {}
    at, most, sure = 0, _SURE * len(words), 0
    # None is better than one that holds every word for sure: the first of these are the page.
    while at < len(ids) and sure < wanted:
        among = ids[at : at + _TURN]
        at += _TURN
        rows = connection.execute(
            "SELECT photo.id, name, description, text, links, scores FROM json_each(?) AS wanted"
            " JOIN photo ON photo.id = wanted.value",
            (listed(among),),
        )
        for photo, name, description, text, links, scores in rows:
            total = 0
            for plain, named in asked:
                best = 0
                if not named.isdisjoint(links):
                    # No score, one character below 0, counts as a sure one.
                    best = _SURE
                    if scores:
                        best = max(
                            (ord(score) - 2) % (_SURE + 1)
                            for link, score in zip(links, scores, strict=True)
                            if link in named
                        )
                if best < _SURE and (
                    _says(spelling(name), plain) or (description and _says(description, plain))
                ):
                    best = _SURE
                if best < _SURE // 2 and text and _says(text, plain):
                    best = _SURE // 2
                total += best
            worth[photo] = total
            sure += total == most
    return sorted(worth, key=lambda photo: (-worth[photo], -photo))


def _named(connection: sqlite3.Connection, word: str) -> set[str]:
    """The keywords with a word in their name, as links have them."""
    return {
        as_text((keyword,))
        for (keyword,) in connection.execute(
            "SELECT id FROM keyword WHERE id IN"
            " (SELECT rowid FROM keyword_name WHERE keyword_name MATCH ?)"
            " ORDER BY below DESC LIMIT ?",
            (full_text((word,), prefix=False), NAMES),
        )
    }


def _says(text: str, word: str) -> bool:
    """Whether a text has a word."""
    folded = fold(text)
    return (word in folded or not folded.isascii()) and word in plain_words(folded)
