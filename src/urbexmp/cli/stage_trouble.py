"""What a person who asks how a library stands is told of stages that cannot look now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from urbexmp.model.errors import Problem

if TYPE_CHECKING:
    from urbexmp.cli.options import Choices
    from urbexmp.rules.render import Line


def trouble_lines(choices: Choices) -> Iterator[Line]:
    """A line for each stage of the profile that lacks something, with the command that brings it.

    Nothing is loaded, and a stage that the profile calls optional is not told of. A profile that
    is wrong itself gives no line: `urbexmp doctor` tells of it.
    """
    from urbexmp.adapters.stages.registry import IN_PROCESS
    from urbexmp.cli.options import load
    from urbexmp.rules.render import Span, Style, printable
    from urbexmp.wiring_stages import close_stages, muster, open_stages, open_taxonomy

    try:
        profile = load(choices).profile
        if not set(profile.stages) - IN_PROCESS - set(profile.optional):
            return
        stages = open_stages(profile, open_taxonomy(profile), choices.state)
        unready = muster(profile, stages).unready
        close_stages(stages)
    except Problem:
        return
    for name, problem in unready.items():
        if name not in profile.optional:
            what, _, advice = problem.sentences
            yield (
                Span(f"{name} does not look: {printable(what)}. ", Style.HELD),
                Span(f"{printable(advice)}."),
            )
