"""Commands that take something back: they show what would be done, ask, and then do it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices
from urbexmp.model.errors import UsageProblem

if TYPE_CHECKING:
    from urbexmp.drivers.house import House
    from urbexmp.model.ports import Show
    from urbexmp.model.profile import Settings
    from urbexmp.model.report import Report

Work = Callable[["House", "Show"], "Report"]
"""What is done with a house that may write, and shown with one that may not."""


def shown_first(
    choices: Choices,
    root: Path,
    settings: Settings,
    work: Work,
    *,
    command: str,
    question: str,
    yes: bool,
    dry_run: bool,
) -> int:
    """Show `work`, ask the question unless `yes`, do it; the exit code.

    Raises `UsageProblem` where there is nobody to ask, and what opening a library does.
    """
    from urbexmp.app import open_house
    from urbexmp.cli.console import make_show
    from urbexmp.cli.stopping import stoppable

    if not yes:
        if not dry_run and (choices.json or not sys.stdin.isatty()):
            raise UsageProblem(command, "there is nobody to ask", "Say --yes, or --dry-run first")
        show = make_show(choices, root, detail="diff")
        with (
            show,
            open_house(root, settings, state=choices.state, writing=False, known=True) as house,
        ):
            report = work(house, show)
        if dry_run or not report.changed:
            return report.exit_code()
        if not agreed(question):
            return 0
    show = make_show(choices, root, detail="short")
    with (
        stoppable() as stopping,
        show,
        open_house(root, settings, state=choices.state, writing=not dry_run, known=True) as house,
    ):
        return stopping.exit_code(work(house, show).exit_code())


def agreed(question: str) -> bool:
    """Whether a person says yes."""
    if click.confirm(question, err=True):
        return True
    print("Left as it is.", file=sys.stderr)
    return False
