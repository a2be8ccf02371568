"""`urbexmp stats`: what a library holds, what people think of our keywords, how runs compare."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem

if TYPE_CHECKING:
    from urbexmp.model.stats import LibraryCounts
    from urbexmp.rules.precision import Agreement


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="So many keywords, branches, cameras and runs at most.",
)
@click.option(
    "--branches", is_flag=True, help="What you did with our keywords for each branch, too."
)
@click.option(
    "--history",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Compare the runs whose reports are in DIR (`sync --report DIR`) instead.",
)
@shared(json=True)
def stats(
    choices: Choices, folder: Path | None, *, top: int, branches: bool, history: Path | None
) -> int:
    """Show what a library holds, and what you did with our keywords.

    PATH narrows it to a folder or a photo. Everything is asked from the mirror and the ledger; no
    photo is opened.
    """
    if history is not None:
        if folder is not None or branches:
            raise UsageProblem("--history", "compares runs, not photos", "Give it by itself")
        return _history(choices, history, top)

    from urbexmp.cli.console import console_for
    from urbexmp.cli.stage_trouble import trouble_lines
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_stats import (
        agreement_data,
        agreement_lines,
        counts_data,
        counts_lines,
    )

    counts, agreements = _asked(choices, folder, top, by_branch=branches)
    if choices.json:
        for data in (*counts_data(counts), *map(agreement_data, agreements)):
            print(line(data))
        return 0
    console = console_for(choices)
    console.lines(counts_lines(counts, top))
    console.lines(agreement_lines(agreements, by_branch=branches))
    if trouble := tuple(trouble_lines(choices)):
        console.lines(((), *trouble))
    return 0


def _asked(
    choices: Choices, folder: Path | None, top: int, *, by_branch: bool
) -> tuple[LibraryCounts, Sequence[Agreement]]:
    from urbexmp.adapters.db.counting import Counting
    from urbexmp.app import state_paths
    from urbexmp.cli.ledger import reading
    from urbexmp.cli.libraries import named_library
    from urbexmp.model.feedback import Judged
    from urbexmp.rules.precision import agreements

    root, below = named_library(choices, folder)
    paths = state_paths(root, choices.state)
    if not paths.ledger.exists() and not paths.mirror.exists():
        raise UsageProblem(root, "urbexmp has not been here yet", "`urbexmp sync` looks at it")
    under = Path(os.path.relpath(below[0], root)) if folder else None
    if under == Path():
        under = None
    with reading(root, choices.state) as ledger, Counting(paths.mirror) as mirror:
        counts = mirror.counts(under, top)
        tallies = tuple(ledger.tallies(below[0] if under is not None else None))
        by_keyword = by_branch or any(tally.judgement.kind is Judged.ADDED for tally in tallies)
        standing = mirror.standing(under, by_keyword=by_keyword)
    return counts, agreements(tallies, standing, by_branch=by_branch)


def _history(choices: Choices, folder: Path, top: int) -> int:
    from urbexmp.adapters.report_files import HISTORY, history_lines
    from urbexmp.cli.console import console_for
    from urbexmp.rules.history import read_history
    from urbexmp.rules.render import counted
    from urbexmp.rules.render_json import line, note_data
    from urbexmp.rules.render_stats import history_data, model_data
    from urbexmp.rules.render_stats import history_lines as shown

    runs, strange = read_history(history_lines(folder))
    note = f"{counted(strange, 'line')} of {folder / HISTORY} could not be read and are left out."
    if choices.json:
        for data in (
            *history_data(runs),
            *model_data(runs),
            *((note_data(note),) if strange else ()),
        ):
            print(line(data))
        return 0
    if runs:
        console_for(choices).lines(shown(runs, top))
    else:
        print(f"No run in {folder / HISTORY} yet.")
    if strange:
        print(note)
    return 0
