"""Bit planes: every field that `query` can name, for every photo, as a few bitmaps.

A field's value is a small number, its code; 0 is "none". Plane *b* of a field holds bit *b* of
the code of every photo, one bit a photo. A range of codes over a million photos is then some
twenty operations on long integers, whatever its size: no index can count 400,000 rows in the
milliseconds that this takes (O'Neil and Quass, "Improved Query Performance with Variant Indexes",
SIGMOD 1997, call it a bit-sliced index).

Planes are cut into chunks of `CHUNK` photos, so that a commit of one photo writes some 8 KB for
each plane that it changes and a first page reads one chunk.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Any

CHUNK = 65_536
"""Photos in a chunk; the chunk of a photo is its id // CHUNK."""
CHUNK_BYTES = CHUNK // 8

TABLES = """
CREATE TABLE IF NOT EXISTS plane (
    id INTEGER PRIMARY KEY, field TEXT NOT NULL, chunk INTEGER NOT NULL, bit INTEGER NOT NULL,
    bits BLOB NOT NULL, UNIQUE (field, chunk, bit)
);
CREATE TABLE IF NOT EXISTS plane_word (
    field TEXT NOT NULL, word TEXT NOT NULL, code INTEGER NOT NULL, PRIMARY KEY (field, word)
) WITHOUT ROWID;
"""
"""Made by `refresh` and `rebuild` where they are absent."""

EXISTS = "photo"
"""Plane of all photos."""
WORDS = ("kind", "make", "camera", "lens", "view", "era", "status")
"""Fields whose words have codes in `plane_word`."""
FIRST_DAY = date(1800, 1, 1).toordinal()
LAST_DAY_CODE = (1 << 17) - 1
"""In the year 2158. What lies outside counts as the first or the last day."""
HAS = ("keywords", "veto", "held", "gps", "taken", "description", "text")

_PHOTO = """
SELECT id, folder, location, kind, make, camera, lens, view, era, status, taken_at, quality,
    condition, view_score * 100, keywords > 0, vetoes > 0, latitude IS NOT NULL,
    coalesce(description, '') <> '', coalesce(text, '') <> ''
FROM photo WHERE id BETWEEN ? AND ?
"""
_LINKS = "SELECT photo, max(score), group_concat(DISTINCT origin) FROM link WHERE photo BETWEEN ? AND ?"
_HELD = "SELECT DISTINCT photo FROM held WHERE photo BETWEEN ? AND ?"
_AMONG = " AND {} IN (SELECT value FROM json_each(?))"

Codes = Iterator[tuple[str, int]]


def day_code(ordinal: int) -> int:
    """Code of a day, given as `datetime.date.toordinal` counts."""
    return min(max(ordinal - FIRST_DAY + 1, 1), LAST_DAY_CODE)


def number_code(value: float | None) -> int:
    """Code of a number from 0 to 100."""
    return 0 if value is None else min(max(int(value + 0.5), 0), 100) + 1


def taken_day(taken_at: str | None) -> int | None:
    """Ordinal of the day of an ISO 8601 time; None where there is none."""
    try:
        return date.fromisoformat(taken_at[:10]).toordinal() if taken_at else None
    except ValueError:
        return None


def refresh(connection: sqlite3.Connection, photos: Iterable[int]) -> None:
    """Bring the planes of these photos up to date, present or removed, inside a transaction."""
    _make(connection)
    words = _Words(connection)
    for chunk, ids in groupby(sorted(photos), key=lambda photo: photo // CHUNK):
        among = list(ids)
        planes = {
            (field, bit): bytearray(bits)
            for field, bit, bits in connection.execute(
                "SELECT field, bit, bits FROM plane WHERE chunk = ?", (chunk,)
            )
        }
        before = {key: bytes(bits) for key, bits in planes.items()}
        for photo in among:
            at, keep = (photo % CHUNK) >> 3, 0xFF ^ (1 << (photo & 7))
            for bits in planes.values():
                bits[at] &= keep
        _fill(connection, chunk, planes, words, json.dumps(among))
        _store(connection, chunk, planes, before)


def rebuild(connection: sqlite3.Connection) -> None:
    """Make all planes anew, inside a transaction."""
    _make(connection)
    connection.execute("DELETE FROM plane")
    words = _Words(connection)
    last = connection.execute("SELECT max(id) FROM photo").fetchone()[0]
    for chunk in range(0 if last is None else last // CHUNK + 1):
        planes: dict[tuple[str, int], bytearray] = {}
        _fill(connection, chunk, planes, words, None)
        _store(connection, chunk, planes, {})


def _make(connection: sqlite3.Connection) -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _store(
    connection: sqlite3.Connection,
    chunk: int,
    planes: dict[tuple[str, int], bytearray],
    before: dict[tuple[str, int], bytes],
) -> None:
    for (field, bit), bits in planes.items():
        if before.get((field, bit)) == bits:
            continue
        key = (field, chunk, bit)
        if any(bits):
            connection.execute(
                "INSERT INTO plane (field, chunk, bit, bits) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (field, chunk, bit) DO UPDATE SET bits = excluded.bits",
                (*key, bytes(bits)),
            )
        else:
            connection.execute(
                "DELETE FROM plane WHERE field = ? AND chunk = ? AND bit = ?", key
            )


class _Words:
    """The codes of words, given out as they are met."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._codes: dict[tuple[str, str], int] = {}
        self._last: dict[str, int] = {}
        for field, word, code in connection.execute("SELECT field, word, code FROM plane_word"):
            self._codes[field, word] = code
            self._last[field] = max(code, self._last.get(field, 0))
        self.origins: dict[str, tuple[str, str]] = {
            str(origin): (source, stage)
            for origin, source, stage in connection.execute("SELECT id, source, stage FROM origin")
        }

    def code(self, field: str, word: str | None) -> int:
        if not word:
            return 0
        known = self._codes.get((field, word))
        if known is None:
            known = self._codes[field, word] = self._last.get(field, 0) + 1
            self._last[field] = known
            self._connection.execute("INSERT INTO plane_word VALUES (?, ?, ?)", (field, word, known))
        return known


def _fill(
    connection: sqlite3.Connection,
    chunk: int,
    planes: dict[tuple[str, int], bytearray],
    words: _Words,
    among: str | None,
) -> None:
    """Set the bits of the photos of a chunk: all of them, or those in a JSON list."""
    span = (chunk * CHUNK, (chunk + 1) * CHUNK - 1)

    def rows(sql: str, column: str, end: str = "") -> Iterable[tuple[Any, ...]]:
        if among is None:
            return connection.execute(sql + end, span)
        return connection.execute(sql + _AMONG.format(column) + end, (*span, among))

    spread: dict[tuple[str, int], tuple[bytearray, ...]] = {}
    """The planes that a field with this code sets: a million photos repeat few pairs."""

    def put(photo: int, field: str, code: int) -> None:
        if not code:
            return
        targets = spread.get((field, code))
        if targets is None:
            targets = tuple(
                planes.setdefault((field, bit), bytearray(CHUNK_BYTES))
                for bit in range(code.bit_length())
                if code >> bit & 1
            )
            spread[field, code] = targets
        at, one = (photo % CHUNK) >> 3, 1 << (photo & 7)
        for bits in targets:
            bits[at] |= one

    for row in rows(_PHOTO, "id"):
        photo, folder, location = row[:3]
        put(photo, EXISTS, 1)
        put(photo, "folder", folder)
        put(photo, "place", location or 0)
        for field, word in zip(WORDS, row[3:10], strict=True):
            put(photo, field, words.code(field, word))
        day = taken_day(row[10])
        if day is not None:
            put(photo, "taken", day_code(day))
        put(photo, "quality", number_code(row[11]))
        put(photo, "condition", number_code(row[12]))
        put(photo, "viewscore", number_code(row[13]))
        keywords, vetoes, gps, description, text = row[14:]
        has = (keywords, vetoes, 0, gps, day is not None, description, text)
        for field, yes in zip(HAS, has, strict=True):
            put(photo, f"has:{field}", int(yes))
    for photo, score, origins in rows(_LINKS, "photo", " GROUP BY photo"):
        put(photo, "score", number_code(score))
        for source, stage in {words.origins[origin] for origin in origins.split(",")}:
            put(photo, f"source:{source}", 1)
            if stage:
                put(photo, f"stage:{stage}", 1)
    for (photo,) in rows(_HELD, "photo"):
        put(photo, "has:held", 1)
