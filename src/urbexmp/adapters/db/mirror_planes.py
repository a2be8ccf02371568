"""Writes the bit planes of `plane_codes`, in the transaction that changes the photos."""

from __future__ import annotations

import functools
import json
import sys
from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import groupby
from typing import Any

from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.plane_codes import (
    CHUNK,
    CHUNK_BYTES,
    EXISTS,
    SPAN,
    SPANNED,
    WORDS,
    day_code,
    number_code,
    taken_day,
)
from urbexmp.adapters.db.posting_codes import as_text, offsets_bits

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
_FEW = 256
"""Of so many photos, planes are read off a chunk at a time."""
_DIGIT = [bytes(b"01"[byte >> bit & 1] for byte in range(256)) for bit in range(8)]
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
        self._origins: dict[str, tuple[str, str]] = {
            as_text((origin,)): (source, stage)
            for origin, source, stage in file.rows("SELECT id, source, stage FROM origin")
        }

    def signs(self, origins: Iterable[str]) -> dict[str, set[str]]:
        """Names of planes by sources and stages, and which of `origins` of photos they hold."""
        found: dict[str, set[str]] = {}
        for each in set(origins):
            for origin in set(each) or (_PERSON,):
                source, stage = self._origins[origin]
                found.setdefault(f"source:{source}", set()).add(each)
                if stage:
                    found.setdefault(f"stage:{stage}", set()).add(each)
        return found

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

    def rows(sql: str, column: str, end: str = "") -> list[tuple[Any, ...]]:
        if among is None:
            return file.rows(sql + end, span)
        return file.rows(sql + _AMONG.format(column) + end, (*span, among))

    found = rows(_PHOTO, "photo.id")
    ids, *columns = zip(*found, strict=True) if found else ((),)
    offsets = [photo % CHUNK for photo in ids]
    if columns:
        for field, codes in _codes(columns, words).items():
            _put(planes, field, offsets, codes)
    held = [photo % CHUNK for (photo,) in rows(_HELD, "photo")]
    _put(planes, "has:held", held, [1] * len(held))


def _codes(columns: Sequence[tuple[Any, ...]], words: _Words) -> dict[str, Sequence[int]]:
    """The code of every photo in every field, from the columns of `_PHOTO` behind the number."""
    numbers = dict(zip(("folder", *WORDS[:6]), columns[:7], strict=True))
    # A person can put anything into a column, and a check must still end.
    codes: dict[str, Sequence[int]] = {
        field: _mapped(column, lambda code: code if isinstance(code, int) and code > 0 else 0)
        for field, column in numbers.items()
    }
    for field, column in zip(WORDS[6:], columns[7:10], strict=True):
        codes[field] = _mapped(column, functools.partial(words.code, field))
    days = _mapped(columns[10], taken_day)
    codes["taken"] = _mapped(days, lambda day: 0 if day is None else day_code(day))
    for field, column in zip(("quality", "condition", "viewscore"), columns[11:14], strict=True):
        codes[field] = _mapped(column, number_code)
    keywords, vetoes, gps, description, text, origins, scores = columns[14:]
    taken = _mapped(days, lambda day: int(day is not None))
    has = {"keywords": keywords, "veto": vetoes, "gps": gps, "taken": taken}
    for what, held in (has | {"description": description, "text": text}).items():
        codes[f"has:{what}"] = held
    if any(scores):
        highest = [ord(max(said)) - 1 if said else 0 for said in scores]
        codes["score"] = list(map(int.__mul__, highest, keywords))
    for name, of in words.signs(origins).items():
        codes[name] = [int(origin in of) for origin in origins]
        codes[name] = list(map(int.__mul__, codes[name], keywords))
    codes[EXISTS] = [1] * len(keywords)
    return codes


def _mapped(column: Sequence[Any], function: Callable[[Any], Any]) -> Sequence[Any]:
    """A function of every value, asked once for each that is unlike the others."""
    known = {value: function(value) for value in set(column)}
    return [known[value] for value in column]


def _put(
    planes: dict[tuple[str, int], bytearray],
    field: str,
    offsets: Sequence[int],
    codes: Sequence[int],
) -> None:
    """Set the bits of the codes of the photos at these offsets; the planes have none of theirs.

    A plane is read off as a number in binary, which Python does in C; of few photos, bit by bit.
    """
    highest = max(codes, default=0)
    if len(offsets) < _FEW:
        for offset, code in zip(offsets, codes, strict=True):
            at, one = offset >> 3, 1 << (offset & 7)
            for bit in range(code.bit_length()):
                if code >> bit & 1:
                    planes.setdefault((field, bit), bytearray(CHUNK_BYTES))[at] |= one
    elif highest == min(codes):
        if highest:
            plane = offsets_bits(offsets)
            for bit in range(highest.bit_length()):
                if highest >> bit & 1:
                    _join(planes, (field, bit), plane)
    else:
        spread = array("I", bytes(4 * CHUNK))
        for offset, code in zip(offsets, codes, strict=True):
            spread[offset] = code
        raw, width = spread.tobytes(), highest.bit_length()
        for byte in range((width + 7) // 8):
            lane = raw[byte if sys.byteorder == "little" else 3 - byte :: 4][::-1]
            for bit in range(min(8, width - 8 * byte)):
                if plane := int(lane.translate(_DIGIT[bit]), 2):
                    _join(planes, (field, 8 * byte + bit), plane)


def _join(planes: dict[tuple[str, int], bytearray], key: tuple[str, int], plane: int) -> None:
    plane |= int.from_bytes(planes.get(key, b""), "little")
    planes[key] = bytearray(plane.to_bytes(CHUNK_BYTES, "little"))
