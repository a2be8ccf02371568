"""`urbexmp apply`: carry out a saved plan."""

from __future__ import annotations

from pathlib import Path

import click

from urbexmp.cli.options import Choices, shared


@click.command()
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False))
@shared(settings=True, json=True)
def apply(choices: Choices, plan: Path) -> int:
    """Carry out a plan that `sync --plan` saved.

    A photo that changed since the plan was made, or that you decided about, is left as it is.
    """
    from urbexmp.cli.plan_file import read_plan

    saved = read_plan(plan)

    from urbexmp.app import open_house
    from urbexmp.cli.console import make_show
    from urbexmp.cli.options import load
    from urbexmp.cli.stopping import stoppable
    from urbexmp.drivers.sync import apply_plan

    settings = load(choices if choices.profile else choices._replace(profile=saved.profile))
    show = make_show(choices, saved.root, detail="short")
    with (
        stoppable() as stopping,
        show,
        open_house(
            saved.root, settings, state=choices.state, writing=True, stopping=stopping
        ) as house,
    ):
        if settings.profile.digest != saved.profile_digest:
            show.note(
                "The profile changed since the plan was made; the plan is carried out as it is."
            )
        report = apply_plan(house, saved.changes, show)
        return stopping.exit_code(report.exit_code())
