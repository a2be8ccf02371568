"""`urbexmp diff`: keyword changes, whether to come, of a past run, or of a saved plan."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem

if TYPE_CHECKING:
    from urbexmp.cli.console import JsonShow, TextShow
    from urbexmp.cli.html_show import HtmlShow
    from urbexmp.model.change import Change

    AnyShow = TextShow | JsonShow | HtmlShow


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--run", metavar="RUN", help="What this run wrote; `urbexmp runs` lists them.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What a saved plan would write.",
)
@click.option(
    "--between",
    nargs=2,
    metavar="STAGE@A STAGE@B",
    help="What two versions of a stage said of the same photos, as far as it is kept.",
)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(("text", "json", "html")),
    default="text",
    show_default=True,
    help="html is one page with thumbnails, to open in a browser.",
)
@click.option(
    "--again", is_flag=True, help="Also photos dealt with already: what waits there is shown too."
)
@click.option("--check", is_flag=True, help="Leave with exit code 1 if there are changes.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE.",
)
@shared(settings=True)
def diff(
    choices: Choices,
    paths: tuple[Path, ...],
    *,
    run: str | None,
    plan_file: Path | None,
    between: tuple[str, str] | None,
    form: str,
    again: bool,
    check: bool,
    output: Path | None,
) -> int:
    """Show keyword changes, and write nothing.

    For each keyword: + add, - remove, ?+ ?- waits for you, x not suggested again, = stays; then
    its score, the stage that said it, and the stage's own words for it.
    """
    if sum(map(bool, (run, plan_file, between))) > 1:
        raise UsageProblem(
            "diff", "--run, --plan and --between exclude each other", "Give one of them"
        )
    if form == "html" and output is None and sys.stdout.isatty():
        raise UsageProblem("diff", "a page of HTML is no use on a terminal", "Give -o FILE")
    if plan_file is not None:
        return _of_plan(choices, plan_file, form, output, check=check)

    from urbexmp.cli.libraries import one_library

    root, below = one_library(choices, paths)
    if between:
        from urbexmp.cli.diff_between import show_between

        if form == "html" or output is not None or check:
            told = "--between goes with --format text or json alone"
            raise UsageProblem("diff", told, "Leave the other options out")
        return show_between(choices, root, below, between, json=form == "json")
    if run:
        return _of_run(choices, root, run, form, output, check=check)
    return _to_come(choices, root, below, form, output, again=again, check=check)


def _to_come(
    choices: Choices,
    root: Path,
    below: list[Path],
    form: str,
    output: Path | None,
    *,
    again: bool,
    check: bool,
) -> int:
    from urbexmp.app import open_house
    from urbexmp.cli.options import load
    from urbexmp.cli.stopping import stoppable
    from urbexmp.drivers.sync import sync

    settings = load(choices)
    with (
        stoppable() as stopping,
        open_house(root, settings, state=choices.state, writing=False, stopping=stopping) as house,
        _shown(choices, root, form, output, f"What sync would do in {root.name}") as show,
    ):
        report = sync(house, below, show, dry_run=True, again=again, command="diff")
        return stopping.exit_code(report.exit_code(check=check))


def _of_run(
    choices: Choices, root: Path, run: str, form: str, output: Path | None, *, check: bool
) -> int:
    from urbexmp.cli.ledger import reading

    with reading(root, choices.state) as ledger:
        receipts = ledger.receipts(run)
    if not receipts:
        raise UsageProblem(root, f"run {run} wrote nothing here", "`urbexmp runs` lists the runs")
    changes = [receipt.change for receipt in receipts]
    with _shown(choices, root, form, output, f"Run {run}") as show:
        return _show_all(show, changes, applied=True, check=check)


def _of_plan(
    choices: Choices, plan_file: Path, form: str, output: Path | None, *, check: bool
) -> int:
    from urbexmp.cli.plan_file import read_plan

    plan = read_plan(plan_file)
    with _shown(choices, plan.root, form, output, f"Plan {plan_file.name}") as show:
        return _show_all(show, plan.changes, applied=False, check=check)


def _show_all(show: AnyShow, changes: Iterable[Change], *, applied: bool, check: bool) -> int:
    from urbexmp.model.report import EXIT_DONE, EXIT_EDITS_FOUND

    found = False
    for change in changes:
        show.change(change, applied=applied)
        found = found or bool(change.writes)
    return EXIT_EDITS_FOUND if check and found else EXIT_DONE


@contextmanager
def _shown(
    choices: Choices, root: Path, form: str, output: Path | None, title: str
) -> Iterator[AnyShow]:
    """The way of showing that was asked for, to a file or to standard output."""
    from urbexmp.cli.plan_file import replacing

    if output is None:
        with _show(choices, root, form, sys.stdout, title) as show:
            yield show
        return
    with replacing(output) as file, _show(choices, root, form, file, title) as show:
        yield show


@contextmanager
def _show(choices: Choices, root: Path, form: str, file: TextIO, title: str) -> Iterator[AnyShow]:
    from urbexmp.cli.console import Console, JsonShow, TextShow, progress_for

    console = Console(color=choices.color, out=file)
    progress = None if choices.quiet else progress_for(console)
    made: AnyShow
    if form == "html":
        from urbexmp.cli.html_show import HtmlShow, thumbnail

        made = HtmlShow(
            file, root, title=title, console=console, progress=progress, thumbnail=thumbnail
        )
        with made:
            yield made
        made.finish()
        return
    if form == "json":
        made = JsonShow(console, root, check=False)
    else:
        made = TextShow(console, root, detail="diff", progress=progress, summary=not choices.quiet)
    with made:
        yield made
