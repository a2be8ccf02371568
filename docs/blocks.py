"""Parts of a page that a program writes, between two markers.

<!-- NAME: made by docs/make_SOMETHING.py -->
whatever the program wrote
<!-- end -->
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def block_pattern(name: str) -> re.Pattern[str]:
    """Return what finds the block: opening marker, content, closing marker."""
    return re.compile(rf"(<!-- {re.escape(name)}:[^>]*-->\n)(.*?)(<!-- end -->)", re.DOTALL)


def content(page: Path, name: str) -> str:
    """Return what stands in a block. Raises `ValueError` when the page has no such block."""
    found = block_pattern(name).search(page.read_text(encoding="utf-8"))
    if not found:
        raise ValueError(f"{page.name} has no block {name!r}")
    return found[2]


def filled(page: Path, name: str, body: str) -> str:
    """Return the page's text with the block filled."""
    content(page, name)
    text = page.read_text(encoding="utf-8")
    return block_pattern(name).sub(lambda found: found[1] + body + found[3], text, count=1)


def store(page: Path, text: str) -> None:
    """Write a page where it changes, and say so."""
    if page.exists() and page.read_text(encoding="utf-8") == text:
        return
    page.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{page.relative_to(ROOT)}: written\n")
