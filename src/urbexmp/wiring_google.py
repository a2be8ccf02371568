"""The stage `google_vision`, wired: its key or credentials, and its pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urbexmp.adapters.google_batches import GoogleVision
    from urbexmp.adapters.google_vision import Access
    from urbexmp.adapters.stages.google_vision import GoogleVisionStage
    from urbexmp.model.observation import Preview
    from urbexmp.model.ports import Stage
    from urbexmp.rules.google_settings import GoogleSettings

GCLOUD_FILE = Path("gcloud") / "application_default_credentials.json"
"""Where `gcloud auth application-default login` leaves its file, below the settings of a system."""


def connect(stages: tuple[Stage, ...]) -> None:
    """Give the stage what comes from outside. Asks nobody."""
    from urbexmp.adapters.stages.google_vision import GoogleVisionStage

    for stage in stages:
        if isinstance(stage, GoogleVisionStage):
            stage.connect(Connection(stage))


class Connection:
    """What the stage takes from outside; each is made when it is first wanted."""

    def __init__(self, stage: GoogleVisionStage) -> None:
        self._stage = stage

    @cached_property
    def vision(self) -> GoogleVision:
        """The server."""
        opened = open_google(self._stage.settings)
        opened.stopping = lambda: self._stage.stopping()
        opened.paced_to(lambda paced: self._stage.on_pace(paced))
        return opened

    @property
    def encode(self) -> Callable[[Preview, int, int], bytes]:
        """Makes a JPEG without metadata."""
        from urbexmp.adapters.thumbnail import as_sent

        return as_sent

    def lacks(self) -> str:
        """The package that is not installed, or ""."""
        from urbexmp.adapters.google_vision import PACKAGE, installed

        return "" if installed() else PACKAGE

    def close(self) -> None:
        """Close connections, where there are any."""
        vision = self.__dict__.get("vision")
        if vision is not None:
            vision.close()


def open_google(settings: GoogleSettings, say: Callable[[str], None] | None = None) -> GoogleVision:
    """Google Vision as the settings want it. Asks nothing. `say` tells a person."""
    from urbexmp.adapters.google_batches import GoogleVision
    from urbexmp.adapters.google_vision import GoogleClient, Refused, Unreached

    access = access_of(settings, os.environ)
    client = GoogleClient(
        settings.url,
        access,
        settings.timeout,
        labels=settings.labels,
        text=settings.text,
        proxies=not settings.is_here,
    )
    return GoogleVision(
        *(settings, client, Unreached, Refused, say or _say),
        key=access.key,
        has_access=settings.is_here or bool(access.key or access.file),
    )


def access_of(settings: GoogleSettings, environ: Mapping[str, str]) -> Access:
    """How Google is to know who asks: a file that the profile names, a key, else Google's files."""
    from urbexmp.adapters.google_vision import Access
    from urbexmp.adapters.keys import key_for
    from urbexmp.rules.google_settings import CREDENTIALS_VARIABLE

    if settings.credentials:
        return Access(file=Path(settings.credentials).expanduser())
    here = settings.is_here
    key = key_for(settings.server, settings.api_key_env, environ, ask_keyring=not here)
    if key or here:
        return Access(key)
    named = environ.get(CREDENTIALS_VARIABLE, "").strip()
    if named:
        return Access(file=Path(named).expanduser())
    base = environ.get("APPDATA") or str(Path("~/.config").expanduser())
    usual = Path(environ.get("CLOUDSDK_CONFIG") or Path(base) / GCLOUD_FILE.parent)
    usual = usual / GCLOUD_FILE.name
    return Access(file=usual if usual.is_file() else None)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
