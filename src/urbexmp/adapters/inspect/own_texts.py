"""Whether a file of a format that is never written into may hold a text of its own.

HEIC, PNG, WebP and PSD keep their packet as it is, somewhere in the file. It is not taken for one
of the photo's packets; only whether it has a description or alt text is asked, before one is
written beside it. So no box or chunk is taken apart: the words are looked for in all bytes.
"""

from __future__ import annotations

from pathlib import Path

_WORDS = (b":description", b":AltTextAccessibility")
_ENDS = frozenset(b">= \t\r\n")
_PIECE = 1 << 20
_OVERLAP = 64
"""Longer than any of the words."""


def may_hold_texts(path: Path) -> bool:
    """Whether one of the words is in there, as the name of a property; also where it cannot be
    read, for then nobody knows."""
    before = b""
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                data = before + piece
                if any(_names(data, word) for word in _WORDS):
                    return True
                before = data[-_OVERLAP:]
    except OSError:
        return True
    return False


def _names(data: bytes, word: bytes) -> bool:
    at = data.find(word)
    while at >= 0:
        end = at + len(word)
        if end < len(data) and data[end] in _ENDS:
            return True
        at = data.find(word, at + 1)
    return False
