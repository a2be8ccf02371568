"""Have stages that wait for a better moment look at photos now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.errors import UsageProblem

if TYPE_CHECKING:
    from urbexmp.cli.choices import Choices
    from urbexmp.model.profile import Settings


def patient_stages(settings: Settings) -> frozenset[str]:
    """The stages of a profile that are told when to look. Raises `UsageProblem` for none."""
    from urbexmp.rules.vlm_settings import PATIENT

    profile = settings.profile
    found = frozenset(profile.stages) & frozenset(PATIENT)
    if not found:
        told = f"lists neither {' nor '.join(PATIENT)}"
        advice = "Choose another with --profile, as full, or add one to its stages"
        raise UsageProblem(f"profile {profile.name}", told, advice)
    return found


def named_alone(choices: Choices) -> frozenset[str]:
    """What `--stages` names, where these all are stages of the profile that wait for a better
    moment: then the others count on with what they said, and only these look now.

    Empty for any other use of `--stages`. Raises `ConfigProblem`.
    """
    from urbexmp.cli.options import load
    from urbexmp.rules.vlm_settings import PATIENT

    given = choices.flags.get("stages")
    if given is None:
        return frozenset()
    named = frozenset(part.strip() for part in str(given).split(",") if part.strip())
    if not named or not named <= set(PATIENT):
        return frozenset()
    own = load(without_stages(choices)).profile.stages
    return named if named < frozenset(own) else frozenset()


def without_stages(choices: Choices) -> Choices:
    """The same choices without `--stages`."""
    flags = {key: value for key, value in choices.flags.items() if key != "stages"}
    return choices._replace(flags=flags)


def ask_now(
    choices: Choices,
    settings: Settings,
    paths: Sequence[Path],
    names: frozenset[str],
    *,
    again: bool,
    dry_run: bool,
) -> int:
    """Deal with photos, with stages that look now. Returns the exit code."""
    from urbexmp.app import open_house
    from urbexmp.cli.console import make_show
    from urbexmp.cli.libraries import each_library
    from urbexmp.cli.stopping import stoppable
    from urbexmp.drivers.sync import sync

    def deal(root: Path, below: list[Path]) -> int:
        show = make_show(choices, root, detail="diff" if dry_run else "short", check=False)
        with (
            stoppable() as stopping,
            show,
            open_house(
                root, settings, state=choices.state, writing=not dry_run, stopping=stopping
            ) as house,
        ):
            report = sync(
                house,
                below,
                show,
                dry_run=dry_run,
                retag=names if again else frozenset(),
                now=names,
                again=True,
                command="location enhance",
            )
            return stopping.exit_code(report.exit_code())

    return each_library(choices, tuple(paths), deal)
