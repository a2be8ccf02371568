"""Beside `app`: tries out the server of the stage `vlm`, for `doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.errors import Problem
from urbexmp.rules.server_checks import (
    CHOOSE,
    COLOURS,
    LOOK,
    ROOM,
    WORDS,
    Tried,
    chose,
    listing,
    looked,
    room,
    worded,
)

if TYPE_CHECKING:
    from urbexmp.adapters.vlm_server import VlmServer
    from urbexmp.model.profile import Profile

STAGE = "vlm"


def try_server(profile: Profile, state: Path | None) -> Iterator[Tried]:
    """Ask the server of the profile for its models, a word, a look at a drawing, and JSON.

    No photo is sent. Raises nothing that a person could cause.
    """
    from urbexmp.adapters.openai_server import installed
    from urbexmp.rules.vlm_settings import vlm_settings
    from urbexmp.wiring_vlm import open_server

    if STAGE not in profile.stages or not installed():
        return  # what is missing is told of the stage
    try:
        settings = vlm_settings(profile.stage_settings.get(STAGE, {}))
    except (TypeError, ValueError):
        return  # told of the stage, too
    free = replace(settings, budget_requests=0, budget_tokens=0, budget_money=0.0, per_minute=0.0)
    server = open_server(free, state, say=_silent, anew=True)
    try:
        yield from _tried(server)
    except Problem as problem:
        yield bad(problem)
    finally:
        server.close()


def bad(problem: Problem) -> Tried:
    """What went wrong, without the name of the stage."""
    server = str(problem.fields.get("server", ""))
    told = f"{server} {problem.fields['detail']}" if server else problem.sentences[0]
    return Tried(told, "bad", problem.sentences[2] if server else "")


def _tried(server: VlmServer) -> Iterator[Tried]:
    model = server.settings.model
    kind = server.kind()
    where = server.settings.server
    yield Tried(f"{where} is {kind.value}" if kind.value != "unknown" else f"{where} answers")
    yield listing(kind, model, server.models())
    yield room(server.context_size(), kind, server.settings.max_tokens)
    yield worded(server.ask(WORDS, b"", None, ROOM), model)
    from urbexmp.adapters.thumbnail import red_circle

    drawing = red_circle()
    saw = _told(lambda: looked(server.ask(LOOK, drawing, None, ROOM), kind))
    yield saw
    if saw.level == "ok":
        yield _told(lambda: chose(server.ask(CHOOSE, drawing, COLOURS, ROOM), server.manners()))


def _told(ask: Callable[[], Tried]) -> Tried:
    try:
        return ask()
    except Problem as problem:
        return bad(problem)


def _silent(_: str) -> None:
    """`doctor` tells everything itself."""
