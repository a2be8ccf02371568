"""`urbexmp query`: find photos by an expression."""

from __future__ import annotations

from pathlib import Path

import click

from urbexmp.cli.answer import FORMATS, SORTS, TABLE_LIMIT, answer
from urbexmp.cli.asking import in_library
from urbexmp.cli.options import Choices, shared

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
    return answer(
        choices,
        expression,
        shape=shape,
        limit=limit,
        offset=offset,
        sort=sort,
        reverse=reverse,
        only_count=only_count,
        folder=folder,
    )
