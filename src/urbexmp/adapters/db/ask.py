"""`Asker`: every question to the mirror. Reads only, and never waits for a writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from urbexmp.adapters.db.ask_find import Finder, Matching
from urbexmp.adapters.db.ask_match import begun_by_two, spelling
from urbexmp.adapters.db.ask_sets import Listed, Posted, listed
from urbexmp.adapters.db.ask_some import as_bits, as_ids, number
from urbexmp.adapters.db.mirror_schema import TAKEN, VIEW_SCORE, fault, word_of
from urbexmp.adapters.db.opening import reading
from urbexmp.model.errors import MirrorAbsent, MirrorDamaged
from urbexmp.rules.query import Everything, KeywordTerm, Query
from urbexmp.rules.query_values import text_words

if TYPE_CHECKING:
    from urbexmp.adapters.db.ask_keywords import KeywordCount

RANKED = 1000
"""So many hits of a search are ranked at most."""


class PhotoRow(NamedTuple):
    """One photo, as a list of photos shows it."""

    id: int
    path: str
    """Relative to the library's root, with `/`."""
    kind: str
    taken_at: str | None
    make: str | None
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None
    view: str | None
    view_score: int | None
    """0..100."""
    quality: float | None
    condition: float | None
    era: str | None
    status: str
    city: str | None
    state: str | None
    country: str | None


class KeywordOf(NamedTuple):
    """One keyword of one photo."""

    keyword: str
    source: str
    score: int | None
    stage: str


_ROWS = f"""
SELECT photo.id, folder.path, photo.name,
    {word_of("kind")}, {TAKEN}, {word_of("make")}, {word_of("camera")}, {word_of("lens")},
    latitude, longitude, {word_of("view")}, CAST(round({VIEW_SCORE} * 100) AS INTEGER), quality,
    condition, {word_of("era")}, {word_of("status")},
    nullif(city, ''), nullif(state, ''), nullif(country, '')
FROM json_each(?) AS wanted JOIN photo ON photo.id = wanted.value
    JOIN folder ON folder.id = photo.folder LEFT JOIN location ON location.id = photo.location
"""
_PATHS = """
SELECT photo.id, folder.path, photo.name
FROM json_each(?) AS wanted JOIN photo ON photo.id = wanted.value
    JOIN folder ON folder.id = photo.folder
"""
_KEYWORDS = """
SELECT link.photo, coalesce(spelling.path, keyword.path), source, score, stage
FROM json_each(?) AS wanted CROSS JOIN photo_link AS link ON link.photo = wanted.value
    JOIN keyword ON keyword.id = link.keyword
    LEFT JOIN odd_link AS odd ON odd.photo = link.photo AND odd.keyword = link.keyword
    LEFT JOIN spelling ON spelling.id = odd.spelling
    JOIN origin ON origin.id = link.origin
ORDER BY link.photo, keyword.folded
"""


class Asker:
    """Questions to one mirror. One thread; close it, or use it in a `with` block.

    Every method may raise `MirrorDamaged`.
    """

    def __init__(self, path: Path) -> None:
        """Open the mirror. Raises `MirrorAbsent`, `MirrorDamaged`."""
        self.path = path
        if not path.exists():
            raise MirrorAbsent(path)
        with self._guard():
            self._connection = _opened(path)

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        self._connection.close()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as failure:
            raise MirrorDamaged(self.path, detail=str(failure)) from failure

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the mirror, however many statements a question needs."""
        with self._guard():
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("COMMIT")

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """All questions inside see one state of the mirror: a page, its keywords and the count."""
        with self._reading():
            yield

    # --- Photos --------------------------------------------------------------------------------

    def ids(
        self,
        query: Query,
        *,
        order: str = "",
        reverse: bool = False,
        limit: int | None = 100,
        offset: int = 0,
    ) -> list[int]:
        """Ids of a page of photos.

        `order` is "" (as the photos came into the mirror), `taken` (oldest first), `name` (by
        path), `quality` or `score` (best first); `reverse` turns it round. Photos without the
        value come last either way, and equals in the order in which they came.
        """
        with self._reading() as connection:
            finder = Finder(connection)
            found = finder.plan(query)
            if order or reverse:
                from urbexmp.adapters.db.ask_order import in_order

                whole = 0
                for stretch in finder.planes.stretches():
                    whole |= as_bits(found.some(stretch), stretch) << stretch.first
                return in_order(
                    finder.planes, whole, order, reverse=reverse, limit=limit, offset=offset
                )
            if limit is not None and isinstance(found, Listed | Posted):
                at_once = found.page(limit, offset)
                if at_once is not None:
                    return at_once
            ids: list[int] = []
            for stretch in finder.planes.stretches():
                some = found.some(stretch)
                if offset:
                    held = number(some)
                    if held <= offset:
                        offset -= held
                        continue
                wanted = None if limit is None else limit - len(ids)
                ids += as_ids(some, stretch, offset, wanted)
                offset = 0
                if limit is not None and len(ids) >= limit:
                    break
            return ids

    def count(self, query: Query) -> int:
        """How many photos an expression means."""
        with self._reading() as connection:
            finder = Finder(connection)
            if isinstance(query, KeywordTerm) and not query.scored and not query.vetoed:
                held = () if begun_by_two(query) else finder.named(query.names, prefix=query.prefix)
                if len(held) == 1:
                    return held[0].below if query.below else held[0].photos
            found = finder.plan(query)
            if isinstance(found, Matching):
                return found.count()
            return sum(number(found.some(stretch)) for stretch in finder.planes.stretches())

    def rows(self, ids: Sequence[int]) -> list[PhotoRow]:
        """What a list shows of these photos, in their order."""
        with self._reading() as connection:
            found = {
                row[0]: PhotoRow(row[0], _path(row[1], row[2]), *row[3:])
                for row in connection.execute(_ROWS, (listed(ids),))
            }
        return [found[photo] for photo in ids if photo in found]

    def paths(self, ids: Sequence[int]) -> list[str]:
        """Their paths, relative to the root, in their order."""
        with self._reading() as connection:
            found = {
                photo: _path(folder, name)
                for photo, folder, name in connection.execute(_PATHS, (listed(ids),))
            }
        return [found[photo] for photo in ids if photo in found]

    def keywords(self, ids: Sequence[int]) -> dict[int, list[KeywordOf]]:
        """Their keywords, by photo."""
        found: dict[int, list[KeywordOf]] = {photo: [] for photo in ids}
        with self._reading() as connection:
            for photo, *rest in connection.execute(_KEYWORDS, (listed(ids),)):
                found[photo].append(KeywordOf(*rest))
        return found

    def select(
        self,
        query: Query,
        *,
        order: str = "",
        reverse: bool = False,
        limit: int | None = 100,
        offset: int = 0,
    ) -> list[PhotoRow]:
        """A page of photos; `order` and `reverse` as for `ids`."""
        with self._reading():
            return self.rows(
                self.ids(query, order=order, reverse=reverse, limit=limit, offset=offset)
            )

    def search(self, text: str, *, limit: int = 20, offset: int = 0) -> list[int]:
        """Ids of photos that hold all words of a text, the best first.

        A hit in a keyword counts by the keyword's score, one in the file name or the description
        counts as much as a sure keyword, one in the text read counts half. When more than `RANKED`
        photos hold the words, those that came into the mirror last are ranked and the others
        follow unranked: ranking every hit of a common word would take a tenth of a second.
        """
        from urbexmp.adapters.db.ask_search import search

        words = text_words(text)
        if not words:
            return []
        with self._reading() as connection:
            return search(Finder(connection), words, RANKED, limit, offset)

    def total(self) -> int:
        """How many photos the mirror holds."""
        return self.count(Everything())

    # --- Keywords ------------------------------------------------------------------------------

    def complete(self, prefix: str, limit: int = 10) -> list[KeywordCount]:
        """Keywords with a name that begins with the prefix, the most used first.

        With `A|B|pre`: those below `A|B` only.
        """
        from urbexmp.adapters.db.ask_keywords import complete

        with self._reading() as connection:
            return complete(connection, prefix, limit)

    def popular(self, limit: int = 20, under: str = "") -> list[KeywordCount]:
        """The keywords that most photos hold themselves; `under` narrows it to a subtree."""
        from urbexmp.adapters.db.ask_keywords import popular

        with self._reading() as connection:
            return popular(Finder(connection), limit, under)

    def tree(self, depth: int | None = None, under: str = "") -> list[KeywordCount]:
        """The tree of keywords, every branch below its own root, down to a depth."""
        from urbexmp.adapters.db.ask_keywords import tree

        with self._reading() as connection:
            return tree(Finder(connection), depth, under)


def _path(folder: str | bytes, name: str | bytes) -> str:
    if isinstance(name, str) and isinstance(folder, str):
        return f"{folder}/{name}" if folder else name
    return f"{spelling(folder)}/{spelling(name)}" if folder else spelling(name)


def _opened(path: Path) -> sqlite3.Connection:
    connection = reading(path)
    try:
        _check(path, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(path: Path, connection: sqlite3.Connection) -> None:
    why = fault(connection)
    if why is not None:
        raise MirrorAbsent(path, f"the mirror cannot be used: {why}")
    if not connection.execute("PRAGMA user_version").fetchone()[0]:
        raise MirrorAbsent(path, "the mirror is empty")
