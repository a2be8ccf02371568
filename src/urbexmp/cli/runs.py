"""`urbexmp runs`: what was done to a library, newest first."""

from __future__ import annotations

from pathlib import Path

import click

from urbexmp.cli.options import Choices, shared


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="So many at most."
)
@shared(json=True)
def runs(choices: Choices, folder: Path | None, *, limit: int) -> int:
    """List the runs of a library, newest first.

    `urbexmp diff --run RUN` shows what one wrote, `urbexmp undo RUN` takes it back.
    """
    from urbexmp.cli.console import console_for
    from urbexmp.cli.ledger import reading
    from urbexmp.cli.libraries import named_library
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import run_data, run_lines

    root, _ = named_library(choices, folder)
    with reading(root, choices.state) as ledger:
        found = ledger.runs(limit)
    if choices.json:
        for run in found:
            print(line(run_data(run)))
    elif found:
        console_for(choices).lines(run_lines(found))
    else:
        print(f"No run wrote to {root} yet.")
    return 0
