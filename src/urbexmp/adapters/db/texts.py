"""How values stand in the ledger: small, and read back through `model.record`."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from urbexmp.adapters.db.database import Database
from urbexmp.model.record import from_plain, to_plain

T = TypeVar("T")

LEVEL = 1
"""Of zlib: more takes a third longer and saves a twentieth."""

_WINDOW, _MEMORY = 13, 6
"""Of zlib, as powers of two: bodies are mostly shorter than 8 KB."""


def pack(value: Any) -> bytes:
    """A value as deflated JSON, without the fields that hold their default."""
    # Escaped to ASCII, because a file name may hold bytes that are no text at all.
    return _deflated(_dumps(to_plain(value, slim=True)).encode("ascii"))


def unpack(kind: type[T], body: bytes) -> T:
    """What `pack` was given. Raises `ValueError`, `TypeError` or `KeyError`."""
    return from_plain(kind, json.loads(_inflate(body)))


def pack_list(values: tuple[Any, ...]) -> bytes:
    """Several values in one body."""
    plain = [to_plain(value, slim=True) for value in values]
    return _deflated(_dumps(plain).encode("ascii"))


def unpack_list(kind: type[T], body: bytes) -> tuple[T, ...]:
    """What `pack_list` was given. Raises as `unpack`."""
    return tuple(from_plain(kind, plain) for plain in json.loads(_inflate(body)))


def _deflated(body: bytes) -> bytes:
    # In a window as large as zlib's own, which is got from the system and given back each time,
    # to get ready costs five times what the deflating does; the result is as short.
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY)
    return deflate.compress(body) + deflate.flush()


def _inflate(body: bytes) -> bytes:
    try:
        return zlib.decompress(body)
    except zlib.error as failure:
        raise ValueError(str(failure)) from failure


# Made once; `json.dumps` makes one a call. No frozen value holds itself.
_dumps = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


def spelled(path: Path) -> str | bytes:
    """A path as a column holds it: text, or its bytes where they are no text."""
    text = path.as_posix()
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(path)
    return text


def path_of(column: str | bytes) -> Path:
    """The path that `spelled` was given."""
    return Path(os.fsdecode(column) if isinstance(column, bytes) else column)


class Words:
    """Numbers for the few thousand words that stand in a hundred thousand merge bases."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        # A number given in a transaction that is dropped will be another word's.
        database.on_rollback.append(self._forget)

    def number(self, text: str) -> int:
        """The number of a word; inside a transaction, which may give it one."""
        known = self._numbers.get(text)
        if known is not None:
            return known
        found = self._database.row("SELECT id FROM word WHERE text = ?", (text,))
        if found is not None:
            number = int(found[0])
        else:
            number = self._database.do("INSERT INTO word (text) VALUES (?)", (text,))
        self._numbers[text] = number
        self._texts[number] = text
        return number

    def text(self, number: int) -> str:
        """The word of a number. Raises `KeyError`."""
        if number not in self._texts:
            for known, text in self._database.rows("SELECT id, text FROM word"):
                self._texts[known] = text
                self._numbers[text] = known
        return self._texts[number]

    def _forget(self) -> None:
        self._numbers.clear()
        self._texts.clear()

    def shorten(self, value: Any) -> str:
        """A value as JSON in which lists of words are lists of numbers."""
        return _dumps(_mapped(to_plain(value, slim=True), str, self.number))

    def lengthen(self, kind: type[T], body: str) -> T:
        """What `shorten` was given. Raises as `unpack`."""
        return from_plain(kind, _mapped(json.loads(body), int, self.text))


def _mapped(plain: Any, kind: type, each: Callable[[Any], Any]) -> Any:
    """`plain` with what lists hold of a kind replaced."""
    if isinstance(plain, dict):
        return {key: _mapped(inner, kind, each) for key, inner in plain.items()}
    if isinstance(plain, list):
        return [
            each(inner) if isinstance(inner, kind) else _mapped(inner, kind, each)
            for inner in plain
        ]
    return plain
