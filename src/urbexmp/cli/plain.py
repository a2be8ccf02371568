"""Command lines of `query` that need no parser: words, and options spelled out one by one.

click takes half of a query's time to import. What is understood here is understood exactly as
click does it, by a test that compares both; everything else (abbreviated, joined, wrong, asking
for help) is left to click.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from urbexmp.cli.answer import FORMATS, SORTS
from urbexmp.cli.choices import Choices

FLAGS = {
    "--count": "only_count",
    "--reverse": "reverse",
    "--json": "json",
    "--quiet": "quiet",
    "-q": "quiet",
    "--verbose": "verbose",
    "-v": "verbose",
    "--no-color": "no_color",
}
VALUES = {
    "--format": "shape",
    "-f": "shape",
    "--limit": "limit",
    "--offset": "offset",
    "--sort": "sort",
    "--in": "folder",
    "--state": "state",
}
CHOICES = {"shape": FORMATS, "sort": SORTS}
LEAST = {"limit": 1, "offset": 0}


def plain(args: Sequence[str]) -> tuple[Choices, tuple[str, ...], dict[str, Any]] | None:
    """The arguments of `answer` for a command line behind `query`; None where click must look."""
    words: list[str] = []
    given: dict[str, Any] = {}
    rest = iter(args)
    for arg in rest:
        if not arg.startswith("-"):
            words.append(arg)
        elif arg in FLAGS:
            given[FLAGS[arg]] = True
        elif arg in VALUES:
            name = VALUES[arg]
            value = _value(name, next(rest, ""))
            if value is None:
                return None
            given[name] = value
        else:
            return None
    choices = Choices(
        state=given.pop("state", None),
        quiet=given.pop("quiet", False),
        verbose=given.pop("verbose", False),
        color=False if given.pop("no_color", False) else None,
        json=given.pop("json", False),
        flags={},
    )
    options = {
        "shape": None,
        "limit": None,
        "offset": 0,
        "sort": None,
        "reverse": False,
        "only_count": False,
        "folder": None,
        **given,
    }
    return choices, tuple(words), options


def _value(name: str, text: str) -> str | int | Path | None:
    """The value of an option; None where it is wrong, or not plain enough to be sure."""
    if not text or text.startswith("-"):
        return None
    if name in CHOICES:
        return text if text in CHOICES[name] else None
    if name in LEAST:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
        return number if number >= LEAST[name] else None
    if name == "state" and not os.path.isdir(text):  # noqa: PTH112  (pathlib takes a millisecond)
        return None
    return Path(text) if os.access(text, os.R_OK) else None
