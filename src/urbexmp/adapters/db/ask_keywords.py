"""Questions about the keywords themselves: completion, the popular ones, the tree."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from urbexmp.model.keyword import SEPARATOR, fold
from urbexmp.rules.query_values import text_words

if TYPE_CHECKING:
    from urbexmp.adapters.db.ask_find import Finder

_COLUMNS = "SELECT path, name, depth, photos, below FROM keyword"
_AFTER = chr(ord(SEPARATOR) + 1)
"""The character after `|`: `A|` <= path < `A}` is all that lies below A."""


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
        fitting = [one for one in found if _begins(fold(one.name), last)]
        return fitting[:limit]
    from urbexmp.adapters.db.ask_find import full_text

    rows = connection.execute(
        f"{_COLUMNS} WHERE below > 0 AND id IN"
        " (SELECT rowid FROM keyword_name WHERE keyword_name MATCH ?)"
        " ORDER BY below DESC, folded LIMIT ?",
        (full_text(words, prefix=last[-1].isalnum()), limit),
    )
    return [KeywordCount(*row) for row in rows]


def _begins(name: str, last: str) -> bool:
    return name.startswith(last) or any(word.startswith(last) for word in name.split())


def _end(start: str) -> str:
    """The first text behind all that begin with `start`."""
    return start + "\U0010ffff"


def popular(finder: Finder, limit: int, under: str) -> list[KeywordCount]:
    """See `Asker.popular`."""
    if not under:
        rows = finder.connection.execute(
            f"{_COLUMNS} WHERE photos > 0 ORDER BY photos DESC, folded LIMIT ?", (limit,)
        )
        return [KeywordCount(*row) for row in rows]
    found: dict[str, KeywordCount] = {}
    for root in finder.named(under.split(SEPARATOR), prefix=False):
        rows = finder.connection.execute(
            f"{_COLUMNS} WHERE photos > 0 AND (folded = ? OR (folded >= ? AND folded < ?))"
            " ORDER BY photos DESC, folded LIMIT ?",
            (root.folded, root.folded + SEPARATOR, root.folded + _AFTER, limit),
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
