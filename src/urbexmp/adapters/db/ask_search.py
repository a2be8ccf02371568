"""Full-text search: the words must all be there; where they stand decides the order."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from urbexmp.adapters.db.ask_find import Finder, Matching
from urbexmp.adapters.db.ask_match import full_text, spelling
from urbexmp.adapters.db.ask_planes import MANY
from urbexmp.adapters.db.ask_sets import Either, Posted, listed
from urbexmp.adapters.db.ask_some import as_ids, met, number
from urbexmp.adapters.db.plane_codes import CHUNK
from urbexmp.adapters.db.posting_codes import as_text, plain_words
from urbexmp.model.folding import fold
from urbexmp.rules.query import TextTerm

NAMES = 500
"""Keywords with one of the words in their name, the most used, that are looked at."""
_SURE = 100
_TURN = 125
"""So many photos are read and ranked before it is seen whether a page is full."""


class Word:
    """One word of a search."""

    def __init__(self, connection: sqlite3.Connection, word: str) -> None:
        asked = full_text((word,), prefix=False)
        named = [
            keyword
            for (keyword,) in connection.execute(
                "SELECT id FROM keyword WHERE id IN"
                " (SELECT rowid FROM keyword_name WHERE keyword_name MATCH ?)"
                " ORDER BY below DESC LIMIT ?",
                (asked, NAMES),
            )
        ]
        self.plain = " ".join(plain_words(fold(word)))
        self.named = set(as_text(named))
        """Keywords with the word in their name, as links have them."""
        self.holders = Either([Posted(connection, named, MANY), Matching(connection, asked)])
        """All photos that have it themselves, not only in a keyword above one of theirs."""


def search(finder: Finder, words: Sequence[str], ranked: int, limit: int, offset: int) -> list[int]:
    """A page of photo ids, the best first. See `Asker.search` for the order."""
    found = finder.plan(TextTerm(tuple(words)))
    asked = [Word(finder.connection, word) for word in words]
    wanted = max(ranked, offset + limit)
    newest: list[int] = []
    holding: set[int] = set()
    for stretch in finder.planes.newest():
        some = found.some(stretch)
        if not some:
            continue
        ids = as_ids(some, stretch, max(0, number(some) - wanted + len(newest)))
        newest += reversed(ids)
        first = stretch.chunk * CHUNK - 1
        taken = {photo - first for photo in ids}
        for word in asked:
            holding.update(as_ids(met(taken, word.holders.some(stretch), stretch), stretch))
        if len(newest) >= wanted:
            break
    best = _ranked(finder.connection, asked, newest[:ranked], holding, offset + limit)
    return (best + newest[ranked:])[offset : offset + limit]


def _ranked(
    connection: sqlite3.Connection,
    words: Sequence[Word],
    ids: Sequence[int],
    holding: AbstractSet[int],
    wanted: int,
) -> list[int]:
    """Sorted by how well each word is held, added up; equals newest first, as they are given.

    `holding`: those that hold any word themselves; to the others no word adds anything.
    `wanted`: no more than so many of them matter.
    """
    worth = dict.fromkeys(ids, 0)
    asked = [photo for photo in ids if photo in holding]
    at, most, sure = 0, _SURE * len(words), 0
    # None is better than one that holds every word for sure: the first of these are the page.
    while at < len(asked) and sure < wanted:
        rows = connection.execute(
            "SELECT photo.id, name, description, text, alt_text, links, scores"
            " FROM json_each(?) AS wanted"
            " JOIN photo ON photo.id = wanted.value",
            (listed(asked[at : at + _TURN]),),
        )
        at += _TURN
        for photo, name, description, text, alt_text, links, scores in rows:
            total = 0
            for word in words:
                best = 0
                if not word.named.isdisjoint(links):
                    # No score, one character below 0, counts as a sure one.
                    best = _SURE
                    if scores:
                        best = max(
                            (ord(score) - 2) % (_SURE + 1)
                            for link, score in zip(links, scores, strict=True)
                            if link in word.named
                        )
                if best < _SURE and (
                    _says(spelling(name), word.plain)
                    or (description and _says(description, word.plain))
                ):
                    best = _SURE
                if best < _SURE // 2 and (
                    (text and _says(text, word.plain)) or (alt_text and _says(alt_text, word.plain))
                ):
                    best = _SURE // 2
                total += best
            worth[photo] = total
            sure += total == most
    return sorted(worth, key=lambda photo: (-worth[photo], -photo))


def _says(text: str, word: str) -> bool:
    """Whether a text has a word."""
    folded = fold(text)
    return (word in folded or not folded.isascii()) and word in plain_words(folded)
