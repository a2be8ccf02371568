"""Sets of photos, computed a stretch of photos at a time, as bits of long integers.

A first page needs the first stretch that holds enough, a count needs all of them; neither ever
makes a list of all photos that match.
"""

from __future__ import annotations

import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, pairwise
from typing import TYPE_CHECKING, NamedTuple

from urbexmp.adapters.db.plane_codes import CHUNK, CHUNK_BYTES, EXISTS, SPAN, SPANNED
from urbexmp.adapters.db.posting_codes import (
    as_text,
    ids_of,
    offsets_bits,
    opened_bits,
    opened_set,
    text_offsets,
)

if TYPE_CHECKING:
    from typing import Protocol

    class Photos(Protocol):
        """A set of photos."""

        def bits(self, stretch: Stretch) -> int:
            """The photos of a stretch; bit 0 is `stretch.first`."""
            ...


FIRST_BYTES = (0, 64, 512, CHUNK_BYTES)
"""Where the first stretches begin and end: most first pages need no more than 4,096 photos."""
AT_ONCE = 2500
"""So many links are read at once; more than that, stretch by stretch."""


class Stretch(NamedTuple):
    """Photos whose ids lie in some bytes of one chunk."""

    chunk: int
    start: int
    """First byte within the chunk."""
    stop: int

    @property
    def first(self) -> int:
        """The lowest photo id; bit 0 of its integers."""
        return self.chunk * CHUNK + self.start * 8

    @property
    def last(self) -> int:
        """The highest photo id."""
        return self.chunk * CHUNK + self.stop * 8 - 1


class Planes:
    """Reads planes, and keeps those of the chunk at hand."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._chunk = -1
        self._kept: dict[tuple[str, int], bytes | None] = {}
        last = connection.execute(
            "SELECT max(chunk) FROM plane WHERE field = ?", (EXISTS,)
        ).fetchone()[0]
        self.chunks = 0 if last is None else last + 1

    def stretches(self) -> Iterator[Stretch]:
        """All photos, in the order of their ids."""
        for chunk in range(self.chunks):
            if chunk == 0:
                for start, stop in pairwise(FIRST_BYTES):
                    yield Stretch(0, start, stop)
            else:
                yield Stretch(chunk, 0, CHUNK_BYTES)

    def bits(self, field: str, bit: int, stretch: Stretch) -> int:
        """One plane over a stretch."""
        if stretch.chunk != self._chunk:
            self._kept.clear()
            self._chunk = stretch.chunk
        key = (field, bit)
        if key in self._kept:
            raw = self._kept[key]
        else:
            row = self.connection.execute(
                "SELECT bits FROM plane WHERE field = ? AND chunk = ? AND bit = ?",
                (field, stretch.chunk, bit),
            ).fetchone()
            raw = self._kept[key] = None if row is None else row[0]
        if raw is None:
            return 0
        return int.from_bytes(raw[stretch.start : stretch.stop], "little")

    def spans(self, field: str) -> dict[int, tuple[int, int]] | None:
        """The lowest and highest code of each chunk that has any; None: not kept for this field."""
        if field not in SPANNED:
            return None
        return {
            chunk: (int.from_bytes(bits[:4], "little"), int.from_bytes(bits[4:], "little"))
            for chunk, bits in self.connection.execute(
                "SELECT chunk, bits FROM plane WHERE field = ? AND bit = ?", (field, SPAN)
            )
        }

    def whole(self, field: str, bit: int) -> int:
        """One plane over all photos."""
        parts = [bytes(CHUNK_BYTES)] * self.chunks
        for chunk, bits in self.connection.execute(
            "SELECT chunk, bits FROM plane WHERE field = ? AND bit = ? AND chunk BETWEEN 0 AND ?",
            (field, bit, self.chunks - 1),
        ):
            parts[chunk] = bits
        return int.from_bytes(b"".join(parts), "little")


class Plane:
    """Photos with a bit in a plane."""

    def __init__(self, planes: Planes, field: str, bit: int = 0) -> None:
        self._planes, self._field, self._bit = planes, field, bit

    def bits(self, stretch: Stretch) -> int:
        """As the plane has it."""
        return self._planes.bits(self._field, self._bit, stretch)


class Coded:
    """Photos whose code in a field is one of a set, given as spans (low, high), sorted.

    Halves the codes plane by plane, from the highest: a half that lies within a span, or holds
    no photo of the stretch, needs no further plane.
    """

    def __init__(
        self, planes: Planes, field: str, width: int, spans: Sequence[tuple[int, int]]
    ) -> None:
        self._planes, self._field, self._width = planes, field, width
        self._lows = [low for low, _ in spans]
        self._highs = [high for _, high in spans]
        self._spans = planes.spans(field)

    def misses(self, chunk: int) -> bool:
        """Whether no photo of a chunk can be one, as far as is known without its planes."""
        if self._spans is None:
            return False
        low, high = self._spans.get(chunk, (0, -1))
        at = bisect_left(self._highs, low)
        return low > high or at == len(self._lows) or self._lows[at] > high

    def bits(self, stretch: Stretch) -> int:
        """Found from the highest plane down."""
        if not self._lows or self.misses(stretch.chunk):
            return 0
        return self._half(stretch, self._width - 1, 0, self._planes.bits(EXISTS, 0, stretch))

    def _half(self, stretch: Stretch, bit: int, base: int, among: int) -> int:
        top = base + (2 << bit) - 1 if bit >= 0 else base
        at = bisect_left(self._highs, base)
        if not among or at == len(self._lows) or self._lows[at] > top:
            return 0
        if self._lows[at] <= base and self._highs[at] >= top:
            return among
        ones = among & self._planes.bits(self._field, bit, stretch)
        return self._half(stretch, bit - 1, base + (1 << bit), ones) | self._half(
            stretch, bit - 1, base, among ^ ones
        )


class Branches:
    """Photos of one or more subtrees that have sets of their own."""

    def __init__(self, connection: sqlite3.Connection, keywords: Sequence[int]) -> None:
        self._connection, self._keywords = connection, listed(keywords)
        self._chunk = -1
        self._sets: list[bytes | array[int]] = []

    def bits(self, stretch: Stretch) -> int:
        """The sets, joined."""
        if stretch.chunk != self._chunk:
            self._chunk = stretch.chunk
            self._sets = [
                opened_set(row[0])
                for row in self._connection.execute(
                    "SELECT photos FROM json_each(?) AS wanted CROSS JOIN branch"
                    " ON branch.keyword = wanted.value AND branch.chunk = ?",
                    (self._keywords, stretch.chunk),
                )
            ]
        found = 0
        for opened in self._sets:
            found |= opened_bits(opened, stretch.start, stretch.stop)
        return found


class Posted:
    """Photos that hold at least one of some keywords themselves."""

    def __init__(
        self, connection: sqlite3.Connection, keywords: Sequence[int], expected: int
    ) -> None:
        """`expected`: about how many photos; few are read at once, many chunk by chunk."""
        self._connection, self._keywords = connection, listed(keywords)
        self._few, self._one = expected <= AT_ONCE, len(keywords) == 1
        self._chunks: dict[int, list[array[int]]] | None = None
        self._chunk = -1

    def bits(self, stretch: Stretch) -> int:
        """The postings, joined."""
        found = 0
        for offsets in self._of(stretch.chunk):
            found |= offsets_bits(offsets, stretch.start, stretch.stop, raised=1)
        return found

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

    def _of(self, chunk: int) -> list[array[int]]:
        if self._few:
            if self._chunks is None:
                self._chunks = {}
                for at, text in self._connection.execute(
                    "SELECT chunk, photos FROM json_each(?) AS wanted CROSS JOIN posting"
                    " ON posting.keyword = wanted.value",
                    (self._keywords,),
                ):
                    self._chunks.setdefault(at, []).append(text_offsets(text))
        elif chunk != self._chunk or self._chunks is None:
            self._chunk = chunk
            rows = self._connection.execute(
                "SELECT photos FROM json_each(?) AS wanted CROSS JOIN posting"
                " ON posting.keyword = wanted.value AND posting.chunk = ?",
                (self._keywords, chunk),
            )
            self._chunks = {chunk: [text_offsets(text) for (text,) in rows]}
        return self._chunks.get(chunk, [])


class Listed:
    """Photos that a statement lists: it takes `first`, `last` and further values, and gives ids."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        sql: str,
        values: Sequence[object] = (),
        *,
        expected: int = AT_ONCE + 1,
        ordered: str = "",
    ) -> None:
        """`ordered`: column by which the rows come in order, read to read no more than a page."""
        self._connection, self._sql, self._values = connection, sql, values
        self._ordered = ordered
        self._all: list[int] | None = None
        self._few = expected <= AT_ONCE

    def bits(self, stretch: Stretch) -> int:
        """Few are read at once, many stretch by stretch."""
        if not self._few:
            return packed(self._read(stretch.first, stretch.last), stretch)
        if self._all is None:
            self._all = sorted(self._read(0, 1 << 62))
        low = bisect_left(self._all, stretch.first)
        return packed(self._all[low : bisect_left(self._all, stretch.last + 1, low)], stretch)

    def page(self, limit: int, offset: int) -> list[int] | None:
        """A page of the ids in order, where that costs less than going stretch by stretch."""
        if self._ordered:
            rows = self._connection.execute(
                f"{self._sql} ORDER BY {self._ordered} LIMIT ? OFFSET ?",
                (0, 1 << 62, *self._values, limit, offset),
            )
            return [photo for (photo,) in rows]
        if not self._few:
            return None
        return sorted(set(self._read(0, 1 << 62)))[offset : offset + limit]

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
        self._planes, self._family, self._keywords = planes, family, keywords
        low, high = span[0] + 1, span[1] + 1
        self._within = bytes(low <= score <= high and score > 0 for score in range(256))
        # The highest of a photo's scores is no lower than this keyword's.
        self._high = Coded(planes, "score", 7, ((low, 101),))
        self._chunk = -1
        self._fitting: list[array[int]] = []

    def bits(self, stretch: Stretch) -> int:
        """The cheaper way for this stretch."""
        if len(self._keywords) <= self.FEW:
            return self._by_keyword(stretch)
        found = self._family.bits(stretch)
        found &= self._high.bits(stretch) if found else 0
        if not found:
            return 0
        if found.bit_count() * self.LOOK_UP > len(self._keywords) * self.PER_KEYWORD:
            return self._by_keyword(stretch)
        within, mine = self._within, frozenset(as_text(self._keywords))
        rows = self._planes.connection.execute(
            "SELECT photo.id, links, scores FROM json_each(?) AS wanted JOIN photo"
            " ON photo.id = wanted.value WHERE scores <> ''",
            (listed(ids_of(found, stretch.first)),),
        )
        ids = [
            photo
            for photo, links, scores in rows
            if any(
                link in mine and within[ord(score) - 1]
                for link, score in zip(links, scores, strict=True)
            )
        ]
        return packed(ids, stretch)

    def _by_keyword(self, stretch: Stretch) -> int:
        if stretch.chunk != self._chunk:
            self._chunk = stretch.chunk
            rows = self._planes.connection.execute(
                "SELECT photos, scores FROM json_each(?) AS wanted CROSS JOIN posting"
                " ON posting.keyword = wanted.value AND posting.chunk = ?"
                " WHERE scores IS NOT NULL",
                (listed(self._keywords), stretch.chunk),
            )
            self._fitting = [
                array("H", compress(text_offsets(text), scores.translate(self._within)))
                for text, scores in rows
            ]
        found = 0
        for offsets in self._fitting:
            found |= offsets_bits(offsets, stretch.start, stretch.stop, raised=1)
        return found


class Given:
    """Photos by their ids, sorted."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids

    def bits(self, stretch: Stretch) -> int:
        """Those within the stretch."""
        low = bisect_left(self._ids, stretch.first)
        return packed(self._ids[low : bisect_left(self._ids, stretch.last + 1, low)], stretch)


class All:
    """Photos that all parts hold. Give the cheap parts first: an empty one ends it."""

    def __init__(self, parts: Sequence[Photos], without: Sequence[Photos] = ()) -> None:
        self._parts, self._without = parts, without
        self._coded = [part for part in parts if isinstance(part, Coded)]

    def bits(self, stretch: Stretch) -> int:
        """The parts, met, less those that are taken out."""
        if any(part.misses(stretch.chunk) for part in self._coded):
            return 0
        found = self._parts[0].bits(stretch)
        for part in self._parts[1:]:
            if not found:
                return 0
            found &= part.bits(stretch)
        for part in self._without:
            if not found:
                return 0
            found ^= found & part.bits(stretch)
        return found


class Any:
    """Photos that at least one part holds."""

    def __init__(self, parts: Sequence[Photos]) -> None:
        self._parts = parts

    def bits(self, stretch: Stretch) -> int:
        """The parts, joined."""
        found = 0
        for part in self._parts:
            found |= part.bits(stretch)
        return found


def listed(ids: Iterable[int]) -> str:
    """Whole numbers as a JSON list, for `json_each`."""
    return str(list(ids))


def packed(ids: Sequence[int], stretch: Stretch) -> int:
    """Ids of a stretch as bits."""
    if not ids:
        return 0
    raw = bytearray(stretch.stop - stretch.start)
    first = stretch.first
    for photo in ids:
        at = photo - first
        raw[at >> 3] |= 1 << (at & 7)
    return int.from_bytes(raw, "little")
