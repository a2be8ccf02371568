"""Stages that look on another machine, wired."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.rules.elsewhere import LOCAL, elsewhere

if TYPE_CHECKING:
    from urbexmp.model.ports import Stage
    from urbexmp.model.profile import Profile


def sent_elsewhere(
    profile: Profile, stages: tuple[Stage, ...], state: Path | None
) -> tuple[Stage, ...]:
    """The stages, with those that the profile has looked at elsewhere wrapped. Asks nobody."""
    settings = elsewhere(profile)
    if settings is None:
        return stages
    from urbexmp.adapters.dirs import state_folder
    from urbexmp.adapters.http_client import HttpClient, Unreachable
    from urbexmp.adapters.known_servers import KnownServer
    from urbexmp.adapters.stages.remote import RemoteStage
    from urbexmp.adapters.stages.remote_server import Server
    from urbexmp.adapters.thumbnail import as_jpeg

    token = os.environ.get(settings.token_env, "").strip() or None
    folder = state or state_folder(os.environ)
    server = Server(
        settings,
        HttpClient(settings.url, token, proxies=not settings.is_here),
        Unreachable,
        KnownServer(folder, settings.url),
        as_jpeg,
        _say,
    )

    def placed(stage: Stage) -> Stage:
        if stage.name not in settings.stages:
            return stage
        ready = getattr(stage, "ready", None)
        if settings.prefer == LOCAL and (ready is None or ready() is None):
            return stage
        return RemoteStage(stage, server)

    return tuple(placed(stage) for stage in stages)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
