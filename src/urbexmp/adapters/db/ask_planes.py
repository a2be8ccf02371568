"""Sets of photos that the bit planes give: read a stretch of photos at a time."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from urbexmp.adapters.db.plane_codes import CHUNK, CHUNK_BYTES, EXISTS, SPAN, SPANNED

FIRST_BYTES = (0, 256, CHUNK_BYTES)
"""Where the first stretches begin and end: most first pages need no more than 2,048 photos."""

MANY = 1 << 40
"""Photos that a set may have of which the number is not known."""


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

    def newest(self) -> Iterator[Stretch]:
        """All photos, those that came last first."""
        return iter([Stretch(chunk, 0, CHUNK_BYTES) for chunk in reversed(range(self.chunks))])

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

    expected = MANY

    def __init__(self, planes: Planes, field: str, bit: int = 0) -> None:
        self._planes, self._field, self._bit = planes, field, bit

    def some(self, stretch: Stretch) -> int:
        """As the plane has it."""
        return self._planes.bits(self._field, self._bit, stretch)


class Coded:
    """Photos whose code in a field is one of a set, given as spans (low, high), sorted.

    Halves the codes plane by plane, from the highest: a half that lies within a span, or holds
    no photo of the stretch, needs no further plane.
    """

    expected = MANY

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

    def some(self, stretch: Stretch) -> int:
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
