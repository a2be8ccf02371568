"""JSON as language models write it: fenced, in prose, with single quotes and stray commas. Pure.

`find_objects` gives every object that a text holds. A strict parser is asked first; only where it
fails a lenient one reads on: it forgives quotes of the wrong kind, bare words, Python's `None`,
comments and commas too many. It never forgives an end that is missing: what a model did not finish
saying is not made up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u201e": "\u201d", "\u2018": "\u2019"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\"}
_WORDS = {"true": True, "false": False, "null": None, "none": None, "nan": None}
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?=[\s,\]}%/]|$)")
_BARE = re.compile(r"[^\s,:\[\]{}\"']+")
_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
DEEPEST = 20
"""Levels of nesting: a model that loops opens brackets without end."""


class CutOffError(ValueError):
    """The text ends in the middle of a value."""


class _WrongError(ValueError):
    """Not even nearly JSON."""


def find_objects(text: str) -> tuple[list[dict[str, Any]], bool]:
    """All JSON objects in a text, outermost ones, in order; and whether one was cut off."""
    found: list[dict[str, Any]] = []
    cut, end = False, 0
    for start in _starts(text):
        if start < end:
            continue
        try:
            value, end = _read(text, start)
        except CutOffError:
            cut = True
            break  # what stands inside an unfinished object is no answer of its own
        except (_WrongError, RecursionError):
            continue
        if isinstance(value, dict):
            found.append(value)
    return found, cut


def _starts(text: str) -> Iterator[int]:
    at = text.find("{")
    while at >= 0:
        yield at
        at = text.find("{", at + 1)


def _read(text: str, start: int) -> tuple[Any, int]:
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError):
        reader = _Lenient(text, start)
        return reader.value(0), reader.at


class _Lenient:
    """Reads one value; `at` is where it ended."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise _WrongError
        char = self._next()
        if char == "{":
            return self._object(depth)
        if char == "[":
            return self._array(depth)
        if char in _QUOTES:
            return self._string()
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            if self.text[self.at : self.at + 1] == "%":
                self.at += 1
            value = float(number[0])
            return int(value) if value.is_integer() and abs(value) < 1e15 else value
        bare = _BARE.match(self.text, self.at)
        if bare is None:
            raise _WrongError
        self.at = bare.end()
        if self.at == len(self.text):
            raise CutOffError
        return _WORDS.get(bare[0].lower(), bare[0])

    def _next(self) -> str:
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        if self.at >= len(self.text):
            raise CutOffError
        return self.text[self.at]

    def _object(self, depth: int) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        while True:
            char = self._next()
            if char == "}":
                self.at += 1
                return found
            if char == ",":
                self.at += 1
                continue
            key = self._string() if char in _QUOTES else self._bare_key()
            if self._next() != ":":
                raise _WrongError
            self.at += 1
            found[key] = self.value(depth + 1)

    def _bare_key(self) -> str:
        bare = _BARE.match(self.text, self.at)
        if bare is None:
            raise _WrongError
        self.at = bare.end()
        return bare[0]

    def _array(self, depth: int) -> list[Any]:
        self.at += 1
        found: list[Any] = []
        while True:
            char = self._next()
            if char == "]":
                self.at += 1
                return found
            if char == ",":
                self.at += 1
                continue
            if char == "}":
                raise _WrongError
            found.append(self.value(depth + 1))

    def _string(self) -> str:
        """A quoted text. A quote of its own kind inside ends it only before `,` `:` `]` `}`."""
        close = _QUOTES[self.text[self.at]]
        self.at += 1
        said: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == "\\" and self.at < len(self.text):
                said.append(self._escaped())
            elif char == close and self._ends():
                return "".join(said)
            else:
                said.append(char)
        raise CutOffError

    def _escaped(self) -> str:
        char = self.text[self.at]
        self.at += 1
        if char == "u":
            digits = self.text[self.at : self.at + 4]
            if re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                self.at += 4
                return chr(int(digits, 16))
        return _ESCAPES.get(char, char)

    def _ends(self) -> bool:
        blank = _BLANK.match(self.text, self.at)
        after = self.text[blank.end() if blank else self.at :][:1]
        return after in ("", ",", ":", "]", "}")
