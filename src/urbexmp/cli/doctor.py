"""`urbexmp doctor`: what there is, whether it works, and what to do where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared

if TYPE_CHECKING:
    from urbexmp.cli.doctor_checks import Check

FIRST = 5
"""Of so many files each is named; of the others the number."""


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@shared(settings=True, json=True)
def doctor(choices: Choices, folder: Path | None) -> int:
    """Check this installation and say what to do about each problem.

    PATH is a library; without it the folder you stand in. Leaves with exit code 1 when
    something needs doing. Nothing is changed.
    """
    from urbexmp.app import library_root
    from urbexmp.cli.console import console_for
    from urbexmp.cli.doctor_checks import all_checks
    from urbexmp.rules.render import Span, Style, counted

    console = console_for(choices)
    root = library_root(folder or Path(), choices.state)
    bad = show_checks(choices, all_checks(choices, root), root)
    if not choices.json and not choices.quiet:
        end = f"{counted(bad, 'thing')} to do." if bad else "Everything is in order."
        console.lines(((Span(end, Style.PROBLEM if bad else Style.GOOD),),))
    return 1 if bad else 0


def show_checks(choices: Choices, checks: Iterable[Check], root: Path) -> int:
    """Print checks as they are made, and return how many are bad."""
    from urbexmp.cli.console import console_for
    from urbexmp.rules.render import Span, Style, printable
    from urbexmp.rules.render_json import line

    console = console_for(choices)
    bad = 0
    for check in checks:
        bad += check.level == "bad"
        if choices.json:
            data = {"event": "check", "name": check.name, "level": check.level}
            paths = [path.as_posix() for path in check.paths]
            print(line({**data, "told": check.told, "advice": check.advice, "paths": paths}))
            continue
        if choices.quiet and check.level != "bad":
            continue
        sign, style = {
            "ok": ("ok  ", Style.GOOD),
            "note": ("note", Style.HELD),
            "bad": ("BAD ", Style.PROBLEM),
        }[check.level]
        told = [printable(part) for part in check.told.split("\n")]
        console.lines(((Span(sign, style), Span(f"  {check.name:<12} {told[0]}")),))
        console.lines((Span(" " * 19 + part),) for part in (*told[1:], *_named(check.paths, root)))
        if check.advice:
            console.lines(((Span(f"{'':19}-> {printable(check.advice)}.", style),),))
    return bad


def _named(paths: Sequence[Path], root: Path) -> Iterator[str]:
    """The first of many files."""
    from urbexmp.rules.render import printable

    for path in paths[:FIRST]:
        yield printable(str(path.relative_to(root) if path.is_relative_to(root) else path))
    if len(paths) > FIRST:
        yield f"... and {len(paths) - FIRST:,} more, which `urbexmp doctor --json` lists"
