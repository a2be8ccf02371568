"""`urbexmp query`: find photos by an expression."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.asking import (
    dim,
    in_library,
    open_asker,
    photo_data,
    photo_table,
    safe,
    terminal_width,
)
from urbexmp.cli.options import Choices, shared

if TYPE_CHECKING:
    from urbexmp.adapters.db.ask import Asker
    from urbexmp.rules.query import Query

FORMATS = ("table", "paths", "json", "csv", "null-separated")
SORTS = ("taken", "name", "quality", "score")
TABLE_LIMIT = 50
"""Photos in a table, where --limit does not say."""
PAGE = 1000
"""Photos that are read at once of a long list."""

HELP = """Find photos by keyword, date, camera, folder, score and more.

\b
  Hospital                     the keyword, wherever it is, or one below it
  "Building|Hospital"          the same, with the name above it
  Hosp*                        keywords that begin so
  is:Building                  the keyword itself, not those below it
  Hospital@>=80                with a score of its own of 80 or more
  taken:2024-05..2024-09       taken>=2024-05-01  taken:2024
  camera:"NIKON Z 6_2"         lens:*24-70*  make:Canon  kind:raw
  folder:"2024/2024-05-11*"    name:_DSC04*
  view:interior  quality>=70   condition<30  viewscore>=90  score>=80
  source:ai                    person, both;  stage:pixels  status:failed
  city:Leipzig                 state:..., country:..., era:1930s
  has:gps                      keywords, veto, held, taken, description, text
  untagged                     without any keyword
  veto:Hospital                where it was taken away or refused
  text:"no entry"              words in names, keywords, descriptions, text read

Terms side by side must all hold; AND, OR, NOT in capitals, and parentheses, as you expect. Quote
what has a blank or a bracket in it, and quote it all once more for the shell:

\b
  urbexmp query 'Hospital taken:2024 NOT view:aerial'
  urbexmp query '"St Agnes" (quality>=80 OR has:gps)' --format paths

Without an expression all photos are found. docs/queries.md has the whole language.
"""


@click.command(help=HELP, short_help="Find photos by keyword, date, camera, folder and more.")
@click.argument("expression", nargs=-1, metavar="[EXPR]...")
@click.option(
    "-f",
    "--format",
    "shape",
    type=click.Choice(FORMATS),
    help="How photos are shown. Default: table.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"So many photos at most. Default: {TABLE_LIMIT} in a table, else all.",
)
@click.option(
    "--offset", type=click.IntRange(min=0), default=0, metavar="N", help="Leave out the first N."
)
@click.option(
    "--sort",
    type=click.Choice(SORTS),
    help="Oldest first, by path, or best first. Default: as they came into the mirror.",
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option("--count", "only_count", is_flag=True, help="Print only how many there are.")
@in_library
@shared(json=True)
def query(
    choices: Choices,
    expression: tuple[str, ...],
    *,
    shape: str | None,
    limit: int | None,
    offset: int,
    sort: str | None,
    reverse: bool,
    only_count: bool,
    folder: Path | None,
) -> int:
    """Find photos by an expression."""
    from urbexmp.rules.query_parse import parse_query

    asked = parse_query(" ".join(expression))
    shape = shape or ("json" if choices.json else "table")
    root, asker = open_asker(choices, folder)
    with asker, asker.one_state():
        if only_count:
            print(asker.count(asked))
            return 0
        if limit is None and shape == "table":
            limit = TABLE_LIMIT
        pages = _pages(asker, asked, sort or "", reverse, limit, offset)
        if shape == "table":
            _table(choices, asker, asked, pages, offset)
        elif shape in ("paths", "null-separated"):
            # Bytes, as the disk has them: a name need not be text.
            sys.stdout.flush()
            out, end = sys.stdout.buffer, b"\n" if shape == "paths" else b"\0"
            for ids in pages:
                for path in asker.paths(ids):
                    out.write(os.fsencode(root / path) + end)
        elif shape == "json":
            print_json(asker, pages)
        else:
            _csv(asker, pages)
    return 0


def _pages(
    asker: Asker, asked: Query, order: str, reverse: bool, limit: int | None, offset: int
) -> Iterator[Sequence[int]]:
    """Ids, so many at a time that a long list needs no memory to speak of."""
    ids = asker.ids(asked, order=order, reverse=reverse, limit=limit, offset=offset)
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]


def _table(
    choices: Choices, asker: Asker, asked: Query, pages: Iterator[Sequence[int]], offset: int
) -> None:
    shown = 0
    for ids in pages:
        lines = photo_table(asker.rows(ids), asker.keywords(ids), terminal_width())
        for n, line in enumerate(lines):
            if n == 0 and not shown:
                print(dim(line, choices))
            elif n:
                print(line)
        shown += len(ids)
    if choices.quiet:
        return
    total = asker.count(asked)
    if not total:
        print("No photo.", file=sys.stderr)
    elif not shown:
        print(f"No photo from {offset + 1:,} on; there are {total:,}.", file=sys.stderr)
    elif offset + shown < total or offset:
        last = offset + shown
        more = f" More: --offset {last}" if last < total else ""
        print(f"{offset + 1:,} to {last:,} of {total:,} photos.{more}", file=sys.stderr)
    else:
        print(f"{total:,} photo{'s' if total != 1 else ''}.", file=sys.stderr)


def print_json(asker: Asker, pages: Iterator[Sequence[int]]) -> None:
    """One object a line."""
    import json

    for ids in pages:
        keywords = asker.keywords(ids)
        for row in asker.rows(ids):
            print(json.dumps(photo_data(row, keywords[row.id]), ensure_ascii=False))


def _csv(asker: Asker, pages: Iterator[Sequence[int]]) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    head: list[str] = []
    for ids in pages:
        keywords = asker.keywords(ids)
        for row in asker.rows(ids):
            data = photo_data(row, ())
            del data["event"]
            if not head:
                head = list(data)
                writer.writerow(head)
            data["keywords"] = ";".join(one.keyword for one in keywords[row.id])
            writer.writerow(["" if value is None else safe(str(value)) for value in data.values()])
