"""Sets of photos, computed a stretch of photos at a time, as bits of long integers.

A first page needs the first stretch that holds enough, a count needs all of them; neither ever
makes a list of all photos that match.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from urbexmp.adapters.db.plane_codes import CHUNK, CHUNK_BYTES, EXISTS

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

    def bits(self, stretch: Stretch) -> int:
        """Found from the highest plane down."""
        if not self._lows:
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


class Postings:
    """Photos of one or more keywords that have bitmaps of their own."""

    def __init__(self, connection: sqlite3.Connection, keywords: Sequence[int]) -> None:
        self._connection = connection
        self._keywords = keywords
        self._raw: list[bytes] | None = None

    def bits(self, stretch: Stretch) -> int:
        """The bitmaps, joined."""
        if self._raw is None:
            self._raw = [
                row[0]
                for row in self._connection.execute(
                    "SELECT bits FROM posting WHERE keyword IN (SELECT value FROM json_each(?))",
                    (listed(self._keywords),),
                )
            ]
        found = 0
        low, high = stretch.first >> 3, (stretch.last >> 3) + 1
        for raw in self._raw:
            found |= int.from_bytes(raw[low:high], "little")
        return found


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

    LOOK_UP, PER_KEYWORD, PER_LINK = 3.0, 2.0, 0.15
    """Microseconds, measured: only their ratios matter."""

    def __init__(
        self,
        planes: Planes,
        family: Photos,
        keywords: Sequence[int],
        span: tuple[int, int],
        links: int,
    ) -> None:
        """`family`: all photos with these keywords; `links`: how many links they have."""
        self._planes, self._family, self._span = planes, family, span
        self._keywords, self._number, self._links = listed(keywords), len(keywords), links
        # The highest of a photo's scores is no lower than this keyword's.
        self._high = Coded(planes, "score", 7, ((span[0] + 1, 101),))

    def bits(self, stretch: Stretch) -> int:
        """The cheaper way for this stretch."""
        found = self._family.bits(stretch)
        found &= self._high.bits(stretch) if found else 0
        if not found:
            return 0
        share = (stretch.stop - stretch.start) / max(1, self._planes.chunks * CHUNK_BYTES)
        by_keyword = self._number * self.PER_KEYWORD + self._links * share * self.PER_LINK
        if found.bit_count() * self.LOOK_UP < by_keyword:
            rows = self._planes.connection.execute(
                # The + keeps SQLite from seeking every keyword of every photo.
                "SELECT link.photo FROM json_each(?) AS wanted CROSS JOIN link"
                " ON link.photo = wanted.value WHERE link.score BETWEEN ? AND ?"
                " AND +link.keyword IN (SELECT value FROM json_each(?))",
                (listed(ids_of(found, stretch.first)), *self._span, self._keywords),
            )
        else:
            rows = self._planes.connection.execute(
                "SELECT photo FROM link INDEXED BY link_keyword"
                " WHERE photo BETWEEN ? AND ? AND score BETWEEN ? AND ?"
                " AND keyword IN (SELECT value FROM json_each(?))",
                (stretch.first, stretch.last, *self._span, self._keywords),
            )
        return packed([photo for (photo,) in rows], stretch)


class Begun:
    """Photos with a keyword one of whose words begins so.

    The full-text index has them at hand in the order of their ids, which suits a first page; long
    stretches are joined from the sets of the keywords, which are made when they are needed.
    """

    def __init__(self, first: Listed, rest: Callable[[], Photos]) -> None:
        self._first, self._make = first, rest
        self._rest: Photos | None = None

    def page(self, limit: int, offset: int) -> list[int] | None:
        """By the index."""
        return self._first.page(limit, offset)

    def bits(self, stretch: Stretch) -> int:
        """By the index where the stretch is short."""
        if stretch.stop - stretch.start < CHUNK_BYTES // 2:
            return self._first.bits(stretch)
        if self._rest is None:
            self._rest = self._make()
        return self._rest.bits(stretch)


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

    def bits(self, stretch: Stretch) -> int:
        """The parts, met, less those that are taken out."""
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


_BLOCK = 128
_EMPTY = bytes(_BLOCK)


def ids_of(bits: int, first: int = 0, skip: int = 0, limit: int | None = None) -> list[int]:
    """Positions of set bits, lowest first, `first` added; `skip` of them left out.

    Walks bytes: taking the lowest bit from a long integer again and again copies it each time.
    """
    raw = bits.to_bytes((bits.bit_length() + 7) >> 3, "little")
    found: list[int] = []
    for at in range(0, len(raw), _BLOCK):
        block = raw[at : at + _BLOCK]
        if block == _EMPTY:
            continue
        if skip:
            held = int.from_bytes(block, "little").bit_count()
            if held <= skip:
                skip -= held
                continue
        for offset, byte in enumerate(block, at):
            if byte:
                found += [first + offset * 8 + bit for bit in _BITS[byte]]
        if limit is not None and len(found) >= skip + limit:
            break
    return found[skip : None if limit is None else skip + limit]


_BITS = [tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256)]
