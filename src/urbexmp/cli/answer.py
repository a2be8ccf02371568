"""Answering `urbexmp query`, once its command line is understood. Goes without click."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.cli.asking import dim, open_asker, photo_data, photo_table, safe, terminal_width
from urbexmp.cli.choices import Choices

if TYPE_CHECKING:
    from urbexmp.adapters.db.ask import Asker
    from urbexmp.rules.query import Query

FORMATS = ("table", "paths", "json", "csv", "null-separated")
SORTS = ("taken", "name", "quality", "score")
TABLE_LIMIT = 50
"""Photos in a table, where --limit does not say."""
PAGE = 1000
"""Photos that are read at once of a long list."""


def answer(
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
    """Print the photos that an expression finds; the arguments are the options of `query`."""
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
