"""`urbexmp undo`: take back what a run wrote."""

from __future__ import annotations

from pathlib import Path

import click

from urbexmp.cli.asking import in_library
from urbexmp.cli.options import Choices, shared


@click.command()
@click.argument("run", required=False)
@in_library
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be taken back.")
@shared(settings=True, json=True)
def undo(
    choices: Choices, run: str | None, *, folder: Path | None, yes: bool, dry_run: bool
) -> int:
    """Take back what a run wrote.

    Without RUN it is the last one that wrote something. A file that nobody touched since gets
    its former bytes back. Elsewhere only what that run added is taken out, and later work
    stays. `urbexmp runs` lists the runs.
    """
    from urbexmp.cli.libraries import one_library
    from urbexmp.cli.options import load
    from urbexmp.cli.shown_first import shown_first
    from urbexmp.drivers.undo import undo as run_undo

    settings = load(choices)
    root, _ = one_library(choices, (folder,) if folder else ())
    return shown_first(
        *(choices, root, settings),
        # What a house that may not write is asked for is a dry run, whatever was said.
        lambda house, show: run_undo(house, run, show, dry_run=not house.writes),
        command="undo",
        question="Take this back?",
        yes=yes,
        dry_run=dry_run,
    )
