"""`urbexmp sync`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem

if TYPE_CHECKING:
    from urbexmp.model.change import Change
    from urbexmp.model.profile import Profile, Settings

PATHS = click.Path(path_type=Path)


@click.command()
@click.argument("paths", nargs=-1, type=PATHS, metavar="[PATH]...")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be written; write nothing.")
@click.option(
    "--check", is_flag=True, help="As --dry-run, and leave with exit code 1 if there is any."
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write nothing; save the changes to FILE for `urbexmp apply`.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Look at N photos at most.")
@click.option("--again", is_flag=True, help="Take up photos again that were dealt with already.")
@click.option(
    "--retag",
    is_flag=False,
    flag_value="",
    metavar="[STAGE,...]",
    help="Have the stages look again, or these alone, though what they said is remembered.",
)
@click.option(
    "--preflight",
    is_flag=True,
    help="First try out the stages and their servers; where one fails, do nothing.",
)
@click.option(
    "--accept-emptied",
    is_flag=True,
    help="You did take away all keywords of many photos at once.",
)
@click.option(
    "--report",
    "report_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write a report on this run into DIR, and add it to the history there.",
)
@click.option(
    "--pictures",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    metavar="N",
    help="So many small pictures at most on the page of the report.",
)
@shared(settings=True, json=True)
def sync(
    choices: Choices,
    paths: tuple[Path, ...],
    *,
    dry_run: bool,
    check: bool,
    plan_file: Path | None,
    limit: int | None,
    again: bool,
    retag: str | None,
    preflight: bool,
    accept_emptied: bool,
    report_folder: Path | None,
    pictures: int,
) -> int:
    """Look at photos and write their keywords.

    Each PATH is a folder or a photo; without one it is the folder you stand in. Photos that did
    not change since the last run are not opened.
    """
    from urbexmp.app import open_house
    from urbexmp.cli.asking_now import named_alone, without_stages
    from urbexmp.cli.console import make_show
    from urbexmp.cli.libraries import each_library, one_library
    from urbexmp.cli.lightroom import open_catalog_note
    from urbexmp.cli.options import load
    from urbexmp.cli.report_run import reporting
    from urbexmp.cli.stopping import stoppable
    from urbexmp.drivers.sync import sync as run_sync

    named = named_alone(choices)
    settings = load(without_stages(choices) if named else choices)
    retagged, paths = _retagged(retag, paths, settings.profile)
    if preflight:
        _preflight(choices, settings)
    dry = dry_run or check or plan_file is not None
    if plan_file is not None:
        one_library(choices, paths)
        if not plan_file.absolute().parent.is_dir():
            raise UsageProblem(plan_file, "its folder is missing", "Make it first")
    collected: list[Change] | None = [] if plan_file is not None else None

    def deal(root: Path, below: list[Path]) -> int:
        show = make_show(choices, root, detail="diff" if dry else "short", check=check)
        with (
            stoppable() as stopping,
            show,
            open_house(
                root, settings, state=choices.state, writing=not dry, stopping=stopping
            ) as house,
        ):
            if note := open_catalog_note(settings.profile):
                show.note(note)
            recorder = reporting(house, show, report_folder, pictures) if report_folder else None
            report = run_sync(
                house,
                below,
                recorder or show,
                dry_run=dry,
                limit=limit,
                retag=retagged,
                collect=collected,
                accept_emptied=accept_emptied,
                again=again or bool(named),
                now=named,
                recorder=recorder,
            )
            if plan_file is not None and collected is not None and not report.interrupted:
                from urbexmp.cli.plan_file import write_plan

                write_plan(plan_file, root, settings.profile, collected)
                show.note(f"Saved as a plan: urbexmp apply {plan_file}")
            return stopping.exit_code(report.exit_code(check=check))

    return each_library(choices, paths, deal)


def _preflight(choices: Choices, settings: Settings) -> None:
    """Try out what the run needs. Raises `PreflightFailed`."""
    from urbexmp.cli.doctor import show_checks
    from urbexmp.cli.doctor_checks import preflight_checks
    from urbexmp.model.stage_errors import PreflightFailed

    bad = show_checks(choices, preflight_checks(choices, settings), Path())
    if bad:
        raise PreflightFailed(f"profile {settings.profile.name}", number=bad)


def _retagged(
    retag: str | None, paths: tuple[Path, ...], profile: Profile
) -> tuple[frozenset[str], tuple[Path, ...]]:
    """The stages that look again, and the paths: what follows --retag may be either.

    Raises `UsageProblem` for a stage that the profile does not list.
    """
    if retag is None:
        return frozenset(), paths
    from urbexmp.rules.profile_keys import STAGES, no_such
    from urbexmp.rules.vlm_settings import waits_to_be_named

    stages = profile.stages
    usual = frozenset(stages) - waits_to_be_named(profile)
    named = frozenset(filter(None, retag.split(",")))
    if named and not named <= set(STAGES):
        if not Path(retag).exists():
            told = f"{retag!r}: no such folder, and {no_such(retag, STAGES, 'stage')}"
            raise UsageProblem("--retag", told, f"The profile lists {', '.join(stages)}")
        return usual, (Path(retag), *paths)
    if missing := sorted(named - set(stages)):
        told = f"{', '.join(missing)} is no stage of the profile"
        raise UsageProblem("--retag", told, f"It lists {', '.join(stages)}")
    return named or usual, paths
