"""When two spellings are one name. Apart from `keyword`, so that a query can start fast."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

SEPARATOR = "|"
"""Separates the names of a path in `lr:hierarchicalSubject`."""


@lru_cache(maxsize=1 << 16)
def fold(name: str) -> str:
    """Return the form of `name` that two spellings of one name share: NFC and casefold."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
