"""`urbexmp search`: find photos by words."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from urbexmp.cli.asking import dim, in_library, open_asker, photo_table, terminal_width
from urbexmp.cli.options import Choices, shared


@click.command()
@click.argument("text", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="So many photos at most.",
)
@click.option(
    "--offset", type=click.IntRange(min=0), default=0, metavar="N", help="Leave out the first N."
)
@in_library
@shared(json=True)
def search(
    choices: Choices, text: tuple[str, ...], *, limit: int, offset: int, folder: Path | None
) -> int:
    """Find photos by words, the best first.

    All words must stand in a photo's file name, keywords (those above them too), description or
    text read; accents and case make no difference. Photos that hold them as keywords with a high
    score come first.
    """
    from urbexmp.cli.answer import print_json
    from urbexmp.rules.query import TextTerm
    from urbexmp.rules.query_values import text_words

    asked = " ".join(text)
    _, asker = open_asker(choices, folder)
    with asker, asker.one_state():
        ids = asker.search(asked, limit=limit, offset=offset)
        if choices.json:
            print_json(asker, iter((ids,)))
            return 0
        lines = photo_table(asker.rows(ids), asker.keywords(ids), terminal_width())
        for n, line in enumerate(lines if ids else ()):
            print(line if n else dim(line, choices))
        words = text_words(asked)
        total = asker.count(TextTerm(words)) if words else 0
    if choices.quiet:
        return 0
    if not ids:
        print("No photo." if not offset else "No more photos.", file=sys.stderr)
    else:
        last = offset + len(ids)
        more = f" More: --offset {last}" if last < total else ""
        print(f"{offset + 1:,} to {last:,} of {total:,} photos.{more}", file=sys.stderr)
    return 0
