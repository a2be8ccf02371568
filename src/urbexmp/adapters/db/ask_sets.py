"""Sets of photos, worked out a stretch of photos at a time.

A first page needs the first stretches that hold enough, a count needs all of them; neither ever
makes a list of all photos that match. Rows are read ahead, first of one chunk, then of four times
as many each time: few statements where a question looks at all photos, little read where not.
"""

from __future__ import annotations

import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

from urbexmp.adapters.db.ask_planes import MANY, Coded, Stretch
from urbexmp.adapters.db.ask_some import NO_PLACES, as_ids, joined, less, met, number
from urbexmp.adapters.db.plane_codes import CHUNK, CHUNK_BYTES
from urbexmp.adapters.db.posting_codes import as_text, opened_set, text_offsets

if TYPE_CHECKING:
    from typing import Protocol

    from urbexmp.adapters.db.ask_planes import Planes
    from urbexmp.adapters.db.ask_some import Places, Some

    class Photos(Protocol):
        """A set of photos."""

        expected: int
        """About how many photos; `MANY` where that is not known."""

        def some(self, stretch: Stretch) -> Some:
            """Its photos within a stretch."""
            ...


AT_ONCE = 1000
"""So many photos are read at once; of more, some chunks at a time."""
MOST = 1 << 20
"""More chunks than there are."""


class Ahead:
    """Rows of a statement by chunk, each block of chunks four times as long as the one before.

    The statement takes its values, the first and the last chunk of a block (or the first and last
    photo), and gives rows that begin with a chunk.
    """

    def __init__(
        self, read: Callable[[int, int], Iterable[tuple[Any, ...]]], *, whole: bool = False
    ) -> None:
        """`whole`: read all of them at the first question."""
        self._read = read
        self._width = MOST if whole else 1
        self._low = self._high = 0
        self._rows: dict[int, list[tuple[Any, ...]]] = {}

    def of(self, chunk: int) -> Sequence[tuple[Any, ...]]:
        """The rows of a chunk."""
        if not self._low <= chunk < self._high:
            if self._width == MOST:
                self._low, self._high = 0, MOST
            elif chunk >= self._high:
                self._low, self._high = chunk, chunk + self._width
            else:  # from the newest photos down
                self._low, self._high = max(0, chunk - self._width + 1), chunk + 1
            self._width = min(self._width * 4, MOST)
            rows: dict[int, list[tuple[Any, ...]]] = {}
            for row in self._read(self._low, self._high - 1):
                rows.setdefault(row[0], []).append(row)
            self._rows = rows
        return self._rows.get(chunk, ())


class Branches:
    """Photos of one or more subtrees that have sets of their own."""

    def __init__(
        self, connection: sqlite3.Connection, keywords: Sequence[int], expected: int = MANY
    ) -> None:
        self.expected = expected
        values = listed(keywords)
        self._ahead = Ahead(
            lambda low, high: connection.execute(
                "SELECT chunk, photos FROM json_each(?) AS wanted CROSS JOIN branch"
                " ON branch.keyword = wanted.value AND branch.chunk BETWEEN ? AND ?",
                (values, low, high),
            )
        )

    def some(self, stretch: Stretch) -> Some:
        """The sets, joined."""
        start, stop = stretch.start, stretch.stop
        found: list[Some] = []
        for _, packed in self._ahead.of(stretch.chunk):
            opened = opened_set(packed, stop)
            if isinstance(opened, bytes):
                found.append(int.from_bytes(opened[start:] if start else opened, "little"))
            else:
                found.append(cut(opened, stretch))
        return found[0] if len(found) == 1 else joined(found, stretch)


class Posted:
    """Photos that hold at least one of some keywords themselves."""

    def __init__(
        self, connection: sqlite3.Connection, keywords: Sequence[int], expected: int
    ) -> None:
        """`expected`: about how many photos; few are read at once."""
        self._connection, self._keywords = connection, listed(keywords)
        self.expected = expected
        self._one = len(keywords) == 1
        self._ahead = Ahead(self._read, whole=expected <= AT_ONCE and not self._one)

    def _read(self, low: int, high: int) -> Iterable[tuple[Any, ...]]:
        return self._connection.execute(
            "SELECT chunk, photos FROM json_each(?) AS wanted CROSS JOIN posting"
            " ON posting.keyword = wanted.value AND posting.chunk BETWEEN ? AND ?",
            (self._keywords, low, high),
        )

    def some(self, stretch: Stretch) -> Places:
        """The postings, joined."""
        rows = self._ahead.of(stretch.chunk)
        if len(rows) == 1:
            return cut(text_offsets(rows[0][1]), stretch)
        places = set(text_offsets("".join([row[1] for row in rows])))
        if stretch.stop - stretch.start == CHUNK_BYTES:
            return places
        low, high = stretch.start * 8, stretch.stop * 8
        return {place for place in places if low < place <= high}

    def page(self, limit: int, offset: int) -> list[int] | None:
        """A page of one keyword's photos, as they stand in its posting."""
        if not self._one:
            return None
        ids: list[int] = []
        for chunk, text in self._connection.execute(
            "SELECT chunk, photos FROM posting"
            " WHERE keyword = (SELECT value FROM json_each(?)) ORDER BY chunk",
            (self._keywords,),
        ):
            if offset >= len(text):
                offset -= len(text)
                continue
            wanted = text_offsets(text[offset : offset + limit - len(ids)])
            first = chunk * CHUNK - 1
            ids += [first + each for each in wanted]
            offset = 0
            if len(ids) >= limit:
                break
        return ids


class Listed:
    """Photos that a statement lists: it takes `first`, `last` and further values, and gives ids."""

    expected = MANY

    def __init__(
        self,
        connection: sqlite3.Connection,
        sql: str,
        values: Sequence[object] = (),
        *,
        ordered: str = "",
        whole: bool = False,
    ) -> None:
        """`ordered`: column by which the rows come in order, to read no more than a page.
        `whole`: there are few, or reading some of them costs as much as all."""
        self._connection, self._sql, self._values = connection, sql, values
        self._ordered = ordered
        self._ahead = Ahead(self._chunks, whole=whole)

    def some(self, stretch: Stretch) -> Places:
        """Those of the stretch."""
        low, high = stretch.start * 8, stretch.stop * 8
        return {place for _, place in self._ahead.of(stretch.chunk) if low < place <= high}

    def page(self, limit: int, offset: int) -> list[int] | None:
        """A page of the ids in order, where the statement gives them so."""
        if not self._ordered:
            return None
        rows = self._connection.execute(
            f"{self._sql} ORDER BY {self._ordered} LIMIT ? OFFSET ?",
            (0, 1 << 62, *self._values, limit, offset),
        )
        return [photo for (photo,) in rows]

    def _chunks(self, low: int, high: int) -> Iterable[tuple[int, int]]:
        for photo in self._read(low * CHUNK, high * CHUNK + CHUNK - 1):
            yield photo // CHUNK, photo % CHUNK + 1

    def _read(self, first: int, last: int) -> list[int]:
        rows = self._connection.execute(self._sql, (first, last, *self._values))
        return [photo for (photo,) in rows]


class Scored:
    """Photos with one of some keywords, with a score of the keyword's own within a span.

    What is sought among few photos is looked up photo by photo, else keyword by keyword.
    """

    LOOK_UP, PER_KEYWORD = 3.0, 3.0
    """Microseconds, measured: only their ratios matter."""
    FEW = 8
    """Of so few keywords the scores themselves are the quickest answer."""

    def __init__(
        self, planes: Planes, family: Photos, keywords: Sequence[int], span: tuple[int, int]
    ) -> None:
        """`family`: all photos with these keywords."""
        self._planes, self._family, self._keywords = planes, family, listed(keywords)
        self.expected = family.expected
        self._number = len(keywords)
        self._mine = frozenset(as_text(keywords))
        low, high = span[0] + 1, span[1] + 1
        self._within = bytes(low <= score <= high and score > 0 for score in range(256))
        # The highest of a photo's scores is no lower than this keyword's.
        self._high = Coded(planes, "score", 7, ((low, 101),))
        self._ahead = Ahead(self._read)

    def _read(self, low: int, high: int) -> Iterable[tuple[Any, ...]]:
        return self._planes.connection.execute(
            "SELECT chunk, photos, scores FROM json_each(?) AS wanted CROSS JOIN posting"
            " ON posting.keyword = wanted.value AND posting.chunk BETWEEN ? AND ?"
            " WHERE scores IS NOT NULL",
            (self._keywords, low, high),
        )

    def some(self, stretch: Stretch) -> Places:
        """The cheaper way for this stretch."""
        if self._number <= self.FEW:
            return self._by_keyword(stretch)
        found = self._family.some(stretch)
        if found:
            found = met(found, self._high.some(stretch), stretch)
        if not found:
            return NO_PLACES
        if number(found) * self.LOOK_UP > self._number * self.PER_KEYWORD:
            return self._by_keyword(stretch)
        within, mine, first = self._within, self._mine, stretch.chunk * CHUNK - 1
        rows = self._planes.connection.execute(
            "SELECT photo.id, links, scores FROM json_each(?) AS wanted JOIN photo"
            " ON photo.id = wanted.value WHERE scores <> ''",
            (listed(as_ids(found, stretch)),),
        )
        return {
            photo - first
            for photo, links, scores in rows
            if any(
                link in mine and within[ord(score) - 1]
                for link, score in zip(links, scores, strict=True)
            )
        }

    def _by_keyword(self, stretch: Stretch) -> Places:
        places: set[int] = set()
        low, high = stretch.start * 8 + 1, stretch.stop * 8 + 1
        for _, text, scores in self._ahead.of(stretch.chunk):
            if stretch.stop - stretch.start == CHUNK_BYTES:
                places.update(compress(text_offsets(text), scores.translate(self._within)))
                continue
            offsets = text_offsets(text)
            at = bisect_left(offsets, low)
            end = bisect_left(offsets, high, at)
            places.update(compress(offsets[at:end], scores[at:end].translate(self._within)))
        return places


class Given:
    """Photos by their ids, sorted."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids
        self.expected = len(ids)

    def some(self, stretch: Stretch) -> Places:
        """Those within the stretch."""
        low = bisect_left(self._ids, stretch.first)
        high = bisect_left(self._ids, stretch.last + 1, low)
        return {photo % CHUNK + 1 for photo in self._ids[low:high]}


class All:
    """Photos that all parts hold. Give the cheap parts first: an empty one ends it."""

    def __init__(self, parts: Sequence[Photos], without: Sequence[Photos] = ()) -> None:
        self._parts, self._without = parts, without
        self.expected = min([part.expected for part in parts])
        self._coded = [part for part in parts if isinstance(part, Coded)]

    def some(self, stretch: Stretch) -> Some:
        """The parts, met, less those that are taken out."""
        if any(part.misses(stretch.chunk) for part in self._coded):
            return NO_PLACES
        found = self._parts[0].some(stretch)
        for part in self._parts[1:]:
            if not found:
                return NO_PLACES
            found = met(found, part.some(stretch), stretch)
        for part in self._without:
            if not found:
                return NO_PLACES
            found = less(found, part.some(stretch), stretch)
        return found


class Either:
    """Photos that at least one part holds."""

    def __init__(self, parts: Sequence[Photos]) -> None:
        self._parts = parts
        self.expected = min(MANY, sum([part.expected for part in parts]))

    def some(self, stretch: Stretch) -> Some:
        """The parts, joined."""
        return joined([part.some(stretch) for part in self._parts], stretch)


def listed(ids: Iterable[int]) -> str:
    """Whole numbers as a JSON list, for `json_each`."""
    return str(list(ids))


def cut(places: array[int], stretch: Stretch) -> Places:
    """Sorted places of a chunk that lie within a stretch."""
    if stretch.stop - stretch.start < CHUNK_BYTES:
        low = bisect_left(places, stretch.start * 8 + 1)
        places = places[low : bisect_left(places, stretch.stop * 8 + 1, low)]
    return places
