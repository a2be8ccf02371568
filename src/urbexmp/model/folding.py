"""When two spellings are one name. Apart from `keyword`, so that a query can start fast."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

SEPARATOR = "|"
"""Separates the names of a path in `lr:hierarchicalSubject`."""


def fold(name: str) -> str:
    """Return the form of `name` that two spellings of one name share: NFC and casefold."""
    # To remember the plain ones would be no faster, and the names of 100,000 files take 20 MB.
    return name.lower() if name.isascii() else _folded(name)


@lru_cache(maxsize=1 << 12)
def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
