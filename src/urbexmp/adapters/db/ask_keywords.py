"""Questions about the keywords themselves: completion, the popular ones, the tree."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from urbexmp.adapters.db.ask_find import Finder
from urbexmp.adapters.db.ask_match import begins, full_text
from urbexmp.adapters.db.ask_sets import listed
from urbexmp.adapters.db.posting_codes import plain_words
from urbexmp.model.folding import SEPARATOR, fold
from urbexmp.rules.query_values import text_words

_COLUMNS = "SELECT path, name, depth, photos, below FROM keyword"
_AFTER = chr(ord(SEPARATOR) + 1)
"""The character after `|`: `A|` <= path < `A}` is all that lies below A."""
FEW = 1000
"""Keywords of a subtree that are sorted by their photos; of more, the most used are walked."""


MANY = 150
"""Completions that are found by a walk over all keywords, the most used first."""


class KeywordCount(NamedTuple):
    """A keyword and how many photos hold it."""

    path: str
    name: str
    depth: int
    """1 for a root."""
    photos: int
    """That hold it themselves."""
    below: int
    """That hold it or one below it, each counted once."""


def complete(connection: sqlite3.Connection, prefix: str, limit: int) -> list[KeywordCount]:
    """See `Asker.complete`."""
    above, _, last = fold(prefix).rpartition(SEPARATOR)
    if above:
        start = above + SEPARATOR + last
        rows = connection.execute(
            f"{_COLUMNS} WHERE folded >= ? AND folded < ? AND below > 0"
            " ORDER BY below DESC, folded LIMIT ?",
            (start, _end(start), limit),
        )
        return [KeywordCount(*row) for row in rows]
    words = text_words(last)
    if not words or not last.isascii():
        rows = connection.execute(f"{_COLUMNS} WHERE below > 0 ORDER BY below DESC, folded")
        found = (KeywordCount(*row) for row in rows)
        begun = plain_words(last)
        fitting = [one for one in found if begins(fold(one.name), last, begun)]
        return fitting[:limit]

    ids = [
        keyword
        for (keyword,) in connection.execute(
            "SELECT rowid FROM keyword_name WHERE keyword_name MATCH ?",
            (full_text(words, prefix=last[-1].isalnum()),),
        )
    ]
    # Of many, the most used are soon met on a walk from the top; few are looked up and sorted.
    walk = " INDEXED BY keyword_below" if len(ids) > MANY else ""
    rows = connection.execute(
        f"{_COLUMNS}{walk} WHERE below > 0 AND {'+' if walk else ''}id IN"
        " (SELECT value FROM json_each(?)) ORDER BY below DESC LIMIT ?",
        (listed(ids), limit),
    )
    return sorted(
        (KeywordCount(*row) for row in rows), key=lambda one: (-one.below, fold(one.path))
    )


def _end(start: str) -> str:
    """The first text behind all that begin with `start`."""
    return start + "\U0010ffff"


def popular(finder: Finder, limit: int, under: str) -> list[KeywordCount]:
    """See `Asker.popular`."""
    if not under:
        rows = finder.connection.execute(
            f"{_COLUMNS} WHERE photos > 0 ORDER BY photos DESC LIMIT ?", (limit,)
        )
        return [KeywordCount(*row) for row in rows]
    found: dict[str, KeywordCount] = {}
    for root in finder.named(under.split(SEPARATOR), prefix=False):
        span = (root.folded, root.folded + SEPARATOR, root.folded + _AFTER)
        inside = "(folded = ? OR (folded >= ? AND folded < ?))"
        size = finder.connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM keyword WHERE {inside} LIMIT {FEW})", span
        ).fetchone()[0]
        walk = " INDEXED BY keyword_photos" if size == FEW else ""
        rows = finder.connection.execute(
            f"{_COLUMNS}{walk} WHERE photos > 0 AND {inside} ORDER BY photos DESC LIMIT ?",
            (*span, limit),
        )
        found |= {row[0]: KeywordCount(*row) for row in rows}
    return sorted(found.values(), key=lambda one: (-one.photos, fold(one.path)))[:limit]


def tree(finder: Finder, depth: int | None, under: str) -> list[KeywordCount]:
    """See `Asker.tree`. Branches are sorted name by name, so `A B` does not part `A` from `A|C`."""
    deepest = 1 << 30 if depth is None else depth
    if not under:
        rows = finder.connection.execute(f"{_COLUMNS} WHERE depth <= ?", (deepest,)).fetchall()
    else:
        rows = []
        for root in finder.named(under.split(SEPARATOR), prefix=False):
            level = root.folded.count(SEPARATOR)
            rows += finder.connection.execute(
                f"{_COLUMNS} WHERE depth <= ? AND (folded = ? OR (folded >= ? AND folded < ?))",
                (
                    deepest + level,
                    root.folded,
                    root.folded + SEPARATOR,
                    root.folded + _AFTER,
                ),
            ).fetchall()
    found = {row[0]: KeywordCount(*row) for row in rows if row[4] > 0}
    return sorted(found.values(), key=lambda one: fold(one.path).split(SEPARATOR))
