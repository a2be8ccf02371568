"""Full-text search: the words must all be there; where they stand decides the order."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from urbexmp.adapters.db.ask_find import Finder
from urbexmp.adapters.db.ask_match import full_text, spelling
from urbexmp.adapters.db.ask_sets import listed
from urbexmp.adapters.db.ask_some import as_ids
from urbexmp.adapters.db.posting_codes import as_text, plain_words
from urbexmp.model.folding import fold
from urbexmp.rules.query import TextTerm

NAMES = 500
"""Keywords with one of the words in their name, the most used, that are looked at."""
_SURE = 100


def search(finder: Finder, words: Sequence[str], ranked: int, limit: int, offset: int) -> list[int]:
    """A page of photo ids, the best first. See `Asker.search` for the order."""
    found = finder.plan(TextTerm(tuple(words)))
    wanted = max(ranked, offset + limit)
    newest: list[int] = []
    for stretch in finder.planes.newest():
        newest += reversed(as_ids(found.some(stretch), stretch))
        if len(newest) >= wanted:
            break
    ids = _ranked(finder.connection, words, newest[:ranked]) + newest[ranked:]
    return ids[offset : offset + limit]


def _ranked(connection: sqlite3.Connection, words: Sequence[str], ids: list[int]) -> list[int]:
    """Sorted by how well each word is held, added up; equals newest first."""
    worth = dict.fromkeys(ids, 0)
    if not worth:
        return []
    rows = connection.execute(
        "SELECT photo.id, name, description, text, links, scores FROM json_each(?) AS wanted"
        " JOIN photo ON photo.id = wanted.value",
        (listed(ids),),
    ).fetchall()
    for word in words:
        plain = " ".join(plain_words(fold(word)))
        named = {
            as_text((keyword,))
            for (keyword,) in connection.execute(
                "SELECT id FROM keyword WHERE id IN"
                " (SELECT rowid FROM keyword_name WHERE keyword_name MATCH ?)"
                " ORDER BY below DESC LIMIT ?",
                (full_text((word,), prefix=False), NAMES),
            )
        }
        for photo, name, description, text, links, scores in rows:
            best = 0
            if not named.isdisjoint(links):
                # No score, one character below 0, counts as a sure one.
                best = max(
                    (ord(scores[at]) - 2) % (_SURE + 1) if scores else _SURE
                    for at, link in enumerate(links)
                    if link in named
                )
            if best < _SURE and (
                _says(spelling(name), plain) or (description and _says(description, plain))
            ):
                best = _SURE
            if best < _SURE // 2 and text and _says(text, plain):
                best = _SURE // 2
            worth[photo] += best
    return sorted(ids, key=lambda photo: (-worth[photo], -photo))


def _says(text: str, word: str) -> bool:
    """Whether a text has a word."""
    folded = fold(text)
    return (word in folded or not folded.isascii()) and word in plain_words(folded)
