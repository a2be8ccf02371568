"""`urbexmp keyword complete|popular|tree`: the keywords that the library holds, from its mirror."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.asking import columns_of, dim, in_library, open_asker, safe
from urbexmp.cli.options import Choices, shared

if TYPE_CHECKING:
    from urbexmp.adapters.db.ask_keywords import KeywordCount

_LIMIT = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="So many keywords at most.",
)


@click.command()
@click.argument("prefix")
@_LIMIT
@in_library
@shared(json=True)
def complete(choices: Choices, prefix: str, *, limit: int, folder: Path | None) -> int:
    """List keywords of the library that begin with PREFIX.

    Any word of a keyword's own name may begin so; with "A|B|PREFIX" only those below A|B are
    listed. The most used come first.
    """
    _, asker = open_asker(choices, folder)
    with asker:
        return _show(choices, asker.complete(prefix, limit))


@click.command()
@click.option(
    "--under", default="", metavar="KEYWORD", help="Only this keyword and those below it."
)
@_LIMIT
@in_library
@shared(json=True)
def popular(choices: Choices, *, under: str, limit: int, folder: Path | None) -> int:
    """List the keywords that most photos hold themselves."""
    _, asker = open_asker(choices, folder)
    with asker:
        return _show(choices, asker.popular(limit, under), itself=True)


@click.command()
@click.option(
    "--under", default="", metavar="KEYWORD", help="Only this keyword and those below it."
)
@click.option(
    "--depth", type=click.IntRange(min=1), metavar="N", help="So many levels. Default: all."
)
@in_library
@shared(json=True)
def tree(choices: Choices, *, under: str, depth: int | None, folder: Path | None) -> int:
    """Print the tree of keywords that the library holds.

    Each has the number of photos that hold it or one below it.
    """
    _, asker = open_asker(choices, folder)
    with asker:
        found = asker.tree(depth, under)
    if choices.json:
        return _show(choices, found)
    top = min((one.depth for one in found), default=1)
    names = [
        f"{'  ' * (one.depth - top)}{safe(one.name if one.depth > top else one.path)}"
        for one in found
    ]
    return _lines(choices, names, [one.below for one in found])


def _show(choices: Choices, found: Sequence[KeywordCount], *, itself: bool = False) -> int:
    if choices.json:
        import json

        for one in found:
            data = {
                "event": "keyword",
                "keyword": one.path,
                "depth": one.depth,
                "photos": one.photos,
                "below": one.below,
            }
            print(json.dumps(data, ensure_ascii=False))
        return 0
    counts = [one.photos if itself else one.below for one in found]
    return _lines(choices, [safe(one.path) for one in found], counts)


def _lines(choices: Choices, names: Sequence[str], counts: Sequence[int]) -> int:
    if not names and not choices.quiet:
        print("No keyword.", file=sys.stderr)
    longest = max((columns_of(name) for name in names), default=0)
    digits = max((len(f"{count:,}") for count in counts), default=0)
    for name, count in zip(names, counts, strict=True):
        space = " " * (longest - columns_of(name) + 2)
        print(name + space + dim(f"{count:>{digits},}", choices))
    return 0
