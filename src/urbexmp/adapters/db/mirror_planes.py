"""Writes the bit planes of `plane_codes`, in the transaction that changes the photos."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Any

from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.plane_codes import (
    CHUNK,
    CHUNK_BYTES,
    EXISTS,
    HAS,
    SPAN,
    SPANNED,
    WORDS,
    day_code,
    number_code,
    taken_day,
)
from urbexmp.adapters.db.posting_codes import as_text

_PHOTO = """
SELECT photo.id, folder, kind, make, camera, lens, view, photo.era, city, state, country, taken_at,
    quality, condition, CASE typeof(view_score) WHEN 'real' THEN view_score * 100 ELSE view_score
    END, keywords > 0, vetoes > 0, latitude IS NOT NULL,
    coalesce(description, '') <> '', coalesce(text, '') <> '', origins, scores
FROM photo LEFT JOIN location ON location.id = photo.location WHERE photo.id BETWEEN ? AND ?
"""
_HELD = "SELECT DISTINCT photo FROM held WHERE photo BETWEEN ? AND ?"
_PERSON = as_text((1,))
_NONE = bytes(CHUNK_BYTES)
_AMONG = " AND {} IN (SELECT value FROM json_each(?))"


def refresh(file: MirrorFile, photos: Collection[int]) -> None:
    """Bring the planes of these photos up to date, present or removed, inside a transaction."""
    if not photos:
        return
    words = _Words(file)
    for chunk, ids in groupby(sorted(photos), key=lambda photo: photo // CHUNK):
        among = list(ids)
        planes = {
            (field, bit): bytearray(bits)
            for field, bit, bits in file.rows(
                "SELECT field, bit, bits FROM plane WHERE chunk = ?", (chunk,)
            )
        }
        before = {key: bytes(bits) for key, bits in planes.items()}
        for field in SPANNED:
            planes.pop((field, SPAN), None)
        for photo in among:
            at, keep = (photo % CHUNK) >> 3, 0xFF ^ (1 << (photo & 7))
            for bits in planes.values():
                bits[at] &= keep
        _fill(file, chunk, planes, words, json.dumps(among))
        _store(file, chunk, planes, before)


def rebuild(file: MirrorFile) -> None:
    """Make all planes anew, inside a transaction."""
    file.do("DELETE FROM plane")
    words = _Words(file)
    for chunk in range(file.number("SELECT max(id) FROM photo") // CHUNK + 1):
        planes: dict[tuple[str, int], bytearray] = {}
        _fill(file, chunk, planes, words, None)
        _store(file, chunk, planes, {})


def chunk_planes(file: MirrorFile, chunk: int) -> dict[tuple[str, int], bytes]:
    """The planes of a chunk as they ought to be; writes nothing."""
    planes: dict[tuple[str, int], bytearray] = {}
    _fill(file, chunk, planes, _Words(file, known=True), None)
    _add_spans(planes)
    return {key: bytes(bits) for key, bits in planes.items() if any(bits)}


def _add_spans(planes: dict[tuple[str, int], bytearray]) -> None:
    """The lowest and highest code of the fields that have them kept."""
    for field in SPANNED:
        width = max((bit for name, bit in planes if name == field), default=-1) + 1
        by_bit = [int.from_bytes(planes.get((field, bit), b""), "little") for bit in range(width)]
        lowest = highest = functools.reduce(int.__or__, by_bit, 0)
        low = high = 0
        if not lowest:
            continue
        for bit in reversed(range(width)):
            if highest & by_bit[bit]:
                highest &= by_bit[bit]
                high += 1 << bit
            if lowest & ~by_bit[bit]:
                lowest &= ~by_bit[bit]
            else:
                low += 1 << bit
        planes[field, SPAN] = bytearray(low.to_bytes(4, "little") + high.to_bytes(4, "little"))


def _store(
    file: MirrorFile,
    chunk: int,
    planes: dict[tuple[str, int], bytearray],
    before: dict[tuple[str, int], bytes],
) -> None:
    _add_spans(planes)
    for field in SPANNED:
        if (field, SPAN) in before and (field, SPAN) not in planes:
            planes[field, SPAN] = bytearray(CHUNK_BYTES)
    for (field, bit), bits in planes.items():
        key, raw = (field, chunk, bit), bytes(bits)
        if before.get((field, bit)) == raw:
            continue
        if raw != _NONE:
            file.do(
                "INSERT INTO plane (field, chunk, bit, bits) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (field, chunk, bit) DO UPDATE SET bits = excluded.bits",
                (*key, raw),
            )
        else:
            file.do("DELETE FROM plane WHERE field = ? AND chunk = ? AND bit = ?", key)


class _Words:
    """The codes of words, given out as they are met."""

    def __init__(self, file: MirrorFile, *, known: bool = False) -> None:
        """`known`: the words of all photos have codes; one without has no bit."""
        self._file, self._known = file, known
        self._codes: dict[tuple[str, str], int] = {}
        self.origins: dict[str, tuple[str, str]] = {
            as_text((origin,)): (source, stage)
            for origin, source, stage in file.rows("SELECT id, source, stage FROM origin")
        }

    def code(self, field: str, word: str | None) -> int:
        if not word:
            return 0
        known = self._codes.get((field, word))
        if known is None:
            # One by one: a commit of few photos has few of the thousands of towns.
            row = self._file.row(
                "SELECT code FROM word WHERE field = ? AND word = ?", (field, word)
            )
            if row is None:
                if self._known:
                    return 0
                row = (
                    self._file.number("SELECT max(code) FROM word WHERE field = ?", (field,)) + 1,
                )
                self._file.do(
                    "INSERT INTO word (field, word, code) VALUES (?, ?, ?)", (field, word, *row)
                )
            known = self._codes[field, word] = int(row[0])
        return known


def _fill(
    file: MirrorFile,
    chunk: int,
    planes: dict[tuple[str, int], bytearray],
    words: _Words,
    among: str | None,
) -> None:
    """Set the bits of the photos of a chunk: all of them, or those in a JSON list."""
    span = (chunk * CHUNK, (chunk + 1) * CHUNK - 1)

    def rows(sql: str, column: str, end: str = "") -> Iterable[tuple[Any, ...]]:
        if among is None:
            return file.rows(sql + end, span)
        return file.rows(sql + _AMONG.format(column) + end, (*span, among))

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

    for row in rows(_PHOTO, "photo.id"):
        photo, folder = row[:2]
        put(photo, EXISTS, 1)
        put(photo, "folder", folder)
        for field, code in zip(WORDS[:6], row[2:8], strict=True):
            # A person can put anything into a column, and a check must still end.
            put(photo, field, code if isinstance(code, int) else 0)
        for field, word in zip(WORDS[6:], row[8:11], strict=True):
            put(photo, field, words.code(field, word))
        day = taken_day(row[11])
        if day is not None:
            put(photo, "taken", day_code(day))
        put(photo, "quality", number_code(row[12]))
        put(photo, "condition", number_code(row[13]))
        put(photo, "viewscore", number_code(row[14]))
        keywords, vetoes, gps, description, text, origins, scores = row[15:]
        has = (keywords, vetoes, 0, gps, day is not None, description, text)
        for field, yes in zip(HAS, has, strict=True):
            put(photo, f"has:{field}", int(yes))
        if not keywords:
            continue
        put(photo, "score", ord(max(scores)) - 1 if scores else 0)
        for origin in set(origins) or (_PERSON,):
            source, stage = words.origins[origin]
            put(photo, f"source:{source}", 1)
            if stage:
                put(photo, f"stage:{stage}", 1)
    for (photo,) in rows(_HELD, "photo"):
        put(photo, "has:held", 1)
