"""`urbexmp report`: what the reports of runs say, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import Problem, UsageProblem

if TYPE_CHECKING:
    from urbexmp.rules.reports_apart import Side, Standing


@click.group()
def report() -> None:
    """Compare the reports of two runs, or what two models said.

    `urbexmp sync --report DIR` writes them.
    """


@report.command()
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="The folder of reports in which A and B are runs, models, prompts or stages.",
)
@shared(json=True)
def compare(choices: Choices, one: str, other: str, *, folder: Path | None) -> int:
    """Compare two runs, or what two models said, over the photos that both tell of.

    A and B are each the folder of a report. With --in each may also be the name of a run, and
    the name of a model, a prompt or a stage: then all reports in DIR are asked what it said.
    """
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render_apart import compared_data, compared_lines
    from urbexmp.rules.render_json import line
    from urbexmp.rules.reports_apart import compare as compared

    first, second = (_side(name, folder) for name in (one, other))
    same = first[0].photos.keys() & second[0].photos.keys()
    found = compared(first[0], second[0], _standing(choices, second[1] or first[1], same))
    if choices.json:
        print(line(compared_data(found)))
    else:
        console_for(choices).lines(compared_lines(found))
    return 0


def _side(name: str, folder: Path | None) -> tuple[Side, str]:
    """What is meant by a name, and the root of the library that it tells of. Raises `Problem`."""
    from urbexmp.adapters.report_files import change_lines, is_report, reply_lines, reports_in
    from urbexmp.rules.reports_apart import Side, add_report, add_said

    side = Side(name)
    named = next((each for each in _places(name, folder) if is_report(each)), None)
    if named is not None:
        add_report(side, change_lines(named), reply_lines(named))
        return side, _root(named)
    root = ""
    for each in reports_in(folder) if folder is not None else ():
        before = len(side.photos)
        add_said(side, change_lines(each), reply_lines(each))
        root = _root(each) if len(side.photos) > before else root
    if not side.photos:
        raise UsageProblem(name, *_unknown(folder))
    return side, root


def _places(name: str, folder: Path | None) -> tuple[Path, ...]:
    return (Path(name), *((folder / name,) if folder is not None else ()))


def _unknown(folder: Path | None) -> tuple[str, str]:
    from urbexmp.adapters.report_files import reply_lines, reports_in
    from urbexmp.rules.reports_apart import names_in

    if folder is None:
        advice = (
            "Name the folder of a run, DIR/RUN; for a model say where the reports are: --in DIR"
        )
        return "there is no report of a run", advice
    reports = reports_in(folder)
    models = sorted({name for each in reports for name in names_in(reply_lines(each))})
    known = [f"runs: {', '.join(each.name for each in reports)}"] if reports else []
    known += [f"models: {', '.join(models)}"] if models else []
    return (
        f"no run, model, prompt or stage of that name in {folder}",
        f"There are {'; '.join(known)}" if known else "There is no report yet",
    )


def _root(report: Path) -> str:
    """The library that a report tells of; "" where it does not say."""
    from urbexmp.adapters.report_files import run_text

    try:
        root = json.loads(run_text(report) or "{}").get("root", "")
    except (ValueError, AttributeError):
        return ""
    return root if isinstance(root, str) else ""


def _standing(choices: Choices, root: str, paths: set[str]) -> Mapping[str, Standing] | None:
    """What the photos hold now; None where no mirror tells."""
    from urbexmp.app import open_mirror
    from urbexmp.model.mirror import AI
    from urbexmp.rules.reports_apart import Standing

    if not root:
        return None
    found: dict[str, Standing] = {}
    try:
        with open_mirror(Path(root), choices.state) as mirror:
            for folder in sorted({Path(path).parent for path in paths}):
                for row in mirror.rows(folder):
                    if (path := row.path.as_posix()) in paths:
                        found[path] = Standing(
                            frozenset(each.keyword for each in row.keywords),
                            frozenset(each.keyword for each in row.keywords if each.source != AI),
                            frozenset(row.vetoed),
                        )
    except Problem:
        return None
    return found
