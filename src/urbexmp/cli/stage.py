"""`urbexmp stage`: the stages by themselves, to see what each of them can and says."""

from __future__ import annotations

from pathlib import Path

import click

from urbexmp.cli.options import Choices, shared
from urbexmp.model.errors import UsageProblem


@click.group()
def stage() -> None:
    """List the stages, and have one of them look at photos.

    A stage is one look at a photo: at what the camera recorded, at the light, at the picture
    with a model. A profile lists those that `urbexmp sync` uses.
    """


@stage.command(name="list")
@shared(settings=True, json=True)
def list_(choices: Choices) -> int:
    """List all stages, whether the profile uses them, and what they lack."""
    from urbexmp.app_stages import stage_states
    from urbexmp.cli.console import console_for
    from urbexmp.cli.options import load
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_list import columns

    profile = load(choices).profile
    rows = []
    for each in stage_states(profile, choices.state):
        what, _, advice = each.problem.sentences if each.problem is not None else ("", "", "")
        lacks = ". ".join(filter(None, (what, advice)))
        if choices.json:
            data = {"event": "stage", "name": each.name, "id": each.id, "listed": each.listed}
            print(line({**data, "ready": each.problem is None, "lacks": lacks}))
        rows.append(("*" if each.listed else " ", each.name, each.id, lacks or "ready"))
    if not choices.json:
        console_for(choices).lines(columns((" ", "stage", "id", "state"), rows))
    return 0


@stage.command()
@click.argument("name", metavar="NAME")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@shared(settings=True, json=True)
def run(choices: Choices, name: str, files: tuple[Path, ...]) -> int:
    """Have one stage look at photos, and print what it saw and how long it took.

    Nothing is remembered or written. The stage knows the photo's folder and what its camera
    recorded, but not what other stages saw.
    """
    from urbexmp.adapters.stages.registry import STAGES
    from urbexmp.app_stages import look_alone
    from urbexmp.cli.console import console_for
    from urbexmp.cli.options import load
    from urbexmp.cli.stopping import stoppable
    from urbexmp.model.report import EXIT_SOME_FAILED
    from urbexmp.rules.profile_keys import no_such
    from urbexmp.rules.render_json import line, problem_data
    from urbexmp.rules.render_stage import look_data, look_lines

    if name not in STAGES:
        raise UsageProblem(
            name, no_such(name, tuple(STAGES), "stage"), "`urbexmp stage list` lists them"
        )
    profile = load(choices).profile
    console = console_for(choices)
    failed: list[int] = []
    with stoppable() as stopping:
        for seen in look_alone(name, files, profile, choices.state, stopping):
            if seen.problem is not None:
                failed.append(seen.problem.code)
                if choices.json:
                    print(line(problem_data(seen.problem, Path())), flush=True)
                else:
                    click.echo(str(seen.problem), err=True)
            elif seen.look is not None and choices.json:
                print(line(look_data(seen.path, seen.look, seen.decoding)), flush=True)
            elif seen.look is not None:
                console.lines(look_lines(seen.path, seen.look, seen.decoding))
        code = EXIT_SOME_FAILED if failed else 0
        if failed and len(failed) == len(files) and len(set(failed)) == 1:
            code = failed[0]
        return stopping.exit_code(130 if stopping() else code)
