"""`urbexmp undo`: take back what a run wrote."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem


@click.command()
@click.argument("run", required=False)
@click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The library. Default: the one of the folder you stand in.",
)
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
    from urbexmp.app import open_house
    from urbexmp.cli.console import make_show
    from urbexmp.cli.libraries import one_library
    from urbexmp.cli.options import load
    from urbexmp.cli.stopping import stoppable
    from urbexmp.drivers.undo import undo as run_undo

    settings = load(choices)
    root, _ = one_library(choices, (folder,) if folder else ())
    if not yes:
        if not dry_run and (choices.json or not sys.stdin.isatty()):
            raise UsageProblem("undo", "there is nobody to ask", "Say --yes, or --dry-run first")
        show = make_show(choices, root, detail="diff")
        with (
            show,
            open_house(root, settings, state=choices.state, writing=False, known=True) as house,
        ):
            report = run_undo(house, run, show, dry_run=True)
        if dry_run or not report.changed:
            return report.exit_code()
        if not click.confirm("Take this back?", err=True):
            print("Left as it is.", file=sys.stderr)
            return 0
    show = make_show(choices, root, detail="short")
    with (
        stoppable() as stopping,
        show,
        open_house(root, settings, state=choices.state, writing=not dry_run, known=True) as house,
    ):
        report = run_undo(house, run, show, dry_run=dry_run)
        return stopping.exit_code(report.exit_code())
