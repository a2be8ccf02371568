"""Full-text search: the words must all be there; where they stand decides the order."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from urbexmp.adapters.db.ask_match import full_text
from urbexmp.adapters.db.ask_sets import listed

NAMES = 500
"""Keywords with one of the words in their name, the most used, that are looked at."""
_SURE = 100


def search(
    connection: sqlite3.Connection, words: Sequence[str], ranked: int, limit: int, offset: int
) -> list[int]:
    """A page of photo ids, the best first. See `Asker.search` for the order."""
    asked = full_text(words, prefix=False)
    newest = [
        row[0]
        for row in connection.execute(
            "SELECT rowid FROM photo_text WHERE photo_text MATCH ? ORDER BY rowid DESC LIMIT ?",
            (asked, ranked),
        )
    ]
    ids = _ranked(connection, words, newest)
    if len(newest) == ranked and offset + limit > ranked:
        ids += [
            row[0]
            for row in connection.execute(
                "SELECT rowid FROM photo_text WHERE photo_text MATCH ? AND rowid < ?"
                " ORDER BY rowid DESC LIMIT ?",
                (asked, newest[-1], offset + limit - ranked),
            )
        ]
    return ids[offset : offset + limit]


def _ranked(connection: sqlite3.Connection, words: Sequence[str], ids: list[int]) -> list[int]:
    """Sorted by how well each word is held, added up; equals newest first."""
    worth = dict.fromkeys(ids, 0)
    if not worth:
        return []
    span, among = (min(ids), max(ids)), listed(ids)
    for word in words:
        best: dict[int, int] = {}
        for column, value in (("text", _SURE // 2), ("description", _SURE), ("name", _SURE)):
            for (photo,) in connection.execute(
                "SELECT rowid FROM photo_text WHERE photo_text MATCH ? AND rowid BETWEEN ? AND ?",
                (f"{column} : {full_text((word,), prefix=False)}", *span),
            ):
                best[photo] = max(best.get(photo, 0), value)
        for photo, score in connection.execute(
            "SELECT photo, max(coalesce(score, ?)) FROM link WHERE photo IN"
            " (SELECT value FROM json_each(?)) AND keyword IN (SELECT id FROM keyword WHERE id IN"
            " (SELECT rowid FROM keyword_name WHERE keyword_name MATCH ?)"
            " ORDER BY below DESC LIMIT ?) GROUP BY photo",
            (_SURE, among, full_text((word,), prefix=False), NAMES),
        ):
            best[photo] = max(best.get(photo, 0), score)
        for photo, value in best.items():
            if photo in worth:
                worth[photo] += value
    return sorted(ids, key=lambda photo: (-worth[photo], -photo))
