"""Beside `app`: tries out the servers of `vlm` and `google_vision`, for `doctor`."""

from __future__ import annotations

import os
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
    SHOWN,
    WORDS,
    Tried,
    chose,
    listing,
    looked,
    room,
    spending,
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
    from urbexmp.wiring_vlm import open_server, parts_of, read_prompt

    if STAGE not in profile.stages or not installed():
        return  # what is missing is told of the stage
    try:
        settings = vlm_settings(profile.stage_settings.get(STAGE, {}))
        parts = parts_of(settings, read_prompt(settings.prompt))
    except (TypeError, ValueError, Problem):
        return  # told of the stage, too
    for part in parts:
        if len(parts) > 1:
            asked = ", ".join(part.answers)
            yield Tried(f"{part.settings.model} on {part.settings.server} is asked for {asked}")
        free = replace(
            part.settings, budget_requests=0, budget_tokens=0, budget_money=0.0, per_minute=0.0
        )
        server = open_server(free, state, say=_silent, anew=True)
        try:
            yield from _tried(server)
        except Problem as problem:
            yield bad(problem)
        finally:
            server.close()


def try_google(profile: Profile) -> Iterator[Tried]:
    """Have Google look at a drawing, as the profile would have it look at photos.

    No photo is sent; Google counts the drawing as a picture. Raises nothing that a person could
    cause.
    """
    from urbexmp.adapters.google_vision import installed
    from urbexmp.adapters.thumbnail import red_circle
    from urbexmp.rules.google_settings import STAGE as GOOGLE
    from urbexmp.rules.google_settings import google_settings
    from urbexmp.wiring_google import access_of, open_google

    if GOOGLE not in profile.stages or not installed():
        return  # what is missing is told of the stage
    try:
        settings = google_settings(profile.stage_settings.get(GOOGLE, {}))
    except (TypeError, ValueError):
        return  # told of the stage, too
    free = replace(settings, budget_pictures=0, budget_money=0.0, per_minute=0.0)
    access = access_of(settings, os.environ)
    by = f"with {access.file}" if access.file else "with a key" if access.key else "without a key"
    vision = open_google(free, say=_silent)
    try:
        answer = vision.ask(red_circle())
        seen = ", ".join(word for word, _ in answer.labels[:3]) or "nothing"
        yield Tried(f"{settings.server} looks at pictures, {by}; in {SHOWN} it sees {seen}")
        yield spending(settings)
    except Problem as problem:
        yield bad(problem)
    finally:
        vision.close()


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
