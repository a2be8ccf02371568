"""`urbexmp undo`: take back what a run wrote."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from urbexmp.cli.asking import in_library
from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem


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
    if run is not None and Path(run).exists():
        _refuse_path(run, root, choices)
    return shown_first(
        *(choices, root, settings),
        # What a house that may not write is asked for is a dry run, whatever was said.
        lambda house, show: run_undo(house, run, show, dry_run=not house.writes),
        command="undo",
        question="Take this back?",
        yes=yes,
        dry_run=dry_run,
    )


def _refuse_path(run: str, root: Path, choices: Choices) -> None:
    """Raise `UsageProblem` where a library was named in the place of a run.

    A folder of reports holds folders that are named as runs are.
    """
    from urbexmp.cli.ledger import reading

    with reading(root, choices.state) as ledger:
        if ledger.receipts(run):
            return
    raise UsageProblem(
        run,
        f"is a {'folder' if Path(run).is_dir() else 'file'}, and no run",
        f"Name the library so: urbexmp undo --in {shlex.quote(run)}",
    )
