"""The stage `vlm`, wired: its prompt, its server, its key, and where replies are kept."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.adapters.server_gate import Purse

if TYPE_CHECKING:
    from urbexmp.adapters.replies import ReplyFolder
    from urbexmp.adapters.stages.vlm import VlmStage
    from urbexmp.adapters.vlm_server import VlmServer
    from urbexmp.model.observation import Preview
    from urbexmp.model.ports import Stage
    from urbexmp.rules.prompts import Prompt
    from urbexmp.rules.servers import Heard
    from urbexmp.rules.vlm_roles import Part
    from urbexmp.rules.vlm_settings import VlmSettings

PROBE_SECONDS = 5.0


def connect(stages: tuple[Stage, ...], state: Path | None) -> None:
    """Give the stage what comes from outside. Asks nobody. Raises `ConfigProblem` (the prompt)."""
    from urbexmp.adapters.stages.vlm import VlmStage

    for stage in stages:
        if isinstance(stage, VlmStage):
            stage.connect(Connection(stage, state))


class Connection:
    """What the stage takes from outside; each is made when it is first wanted."""

    def __init__(self, stage: VlmStage, state: Path | None) -> None:
        self._stage = stage
        self._settings = stage.settings
        self._state = state
        self.prompt = read_prompt(stage.settings.prompt)
        self._alone = threading.Lock()
        self._opened: dict[VlmSettings, VlmServer] = {}
        self._purse = Purse()
        _ = self.parts  # a role that goes nowhere is told before anything is done

    def server(self, part: Part) -> VlmServer:
        """The server of a question."""
        with self._alone:
            opened = self._opened.get(part.settings)
            if opened is None:
                opened = open_server(part.settings, self._state, purse=self._purse)
                opened.stopping = lambda: self._stage.stopping()
                opened.paced_to(lambda paced: self._stage.on_pace(paced))
                self._opened[part.settings] = opened
        return opened

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The questions about a photo."""
        return parts_of(self._settings, self.prompt)

    @cached_property
    def replies(self) -> ReplyFolder:
        """Where replies are kept."""
        from urbexmp.adapters.replies import ReplyFolder

        return ReplyFolder(_folder(self._state))

    @property
    def encode(self) -> Callable[[Preview, int, int], bytes]:
        """Makes a JPEG without metadata."""
        from urbexmp.adapters.thumbnail import as_sent

        return as_sent

    def lacks(self) -> str:
        """The package that is not installed, or ""."""
        from urbexmp.adapters.openai_server import PACKAGE, installed

        return "" if installed() else PACKAGE

    def close(self) -> None:
        """Close the server's connections, where there are any."""
        with self._alone:
            for server in self._opened.values():
                server.close()


def parts_of(settings: VlmSettings, prompt: Prompt) -> tuple[Part, ...]:
    """The questions about a photo, one for each model. The registry is read only where a role is
    named. Raises `ConfigProblem`, `FileUnreadable`."""
    from urbexmp.rules.vlm_roles import Part, has_roles, parts

    if not has_roles(settings):
        return (Part(settings, prompt.answers),)
    from urbexmp.adapters.model_registry import read_registry
    from urbexmp.model.errors import ConfigProblem

    try:
        return parts(settings, prompt.answers, read_registry(os.environ).entries)
    except ValueError as mistake:
        raise ConfigProblem("the profile", (f"stage.vlm.{mistake}",)) from mistake


def read_prompt(name: str) -> Prompt:
    """The prompt of a name, or of a TOML file. Raises `ConfigProblem`, `FileUnreadable`."""
    from urbexmp.adapters.shipped import shipped_prompt
    from urbexmp.adapters.toml import read_toml
    from urbexmp.rules.prompts import load_prompt

    path = Path(name).expanduser() if name.endswith(".toml") else shipped_prompt(name)
    document = read_toml(path)
    return load_prompt(path.stem, document.values, document.line_of, path)


def open_server(
    settings: VlmSettings,
    state: Path | None,
    say: Callable[[str], None] | None = None,
    *,
    anew: bool = False,
    purse: Purse | None = None,
) -> VlmServer:
    """The server of a profile. Asks nothing. `say` tells a person; `anew` finds out again how it
    wants to be asked, though that is remembered; `purse` is shared by servers of one budget."""
    from urbexmp.adapters.http_client import HttpClient, Unreachable
    from urbexmp.adapters.keys import key_for
    from urbexmp.adapters.known_servers import KnownManners
    from urbexmp.adapters.openai_server import OpenAIClient, Unreached
    from urbexmp.adapters.vlm_server import VlmServer
    from urbexmp.rules.servers import Heard

    proxies = not settings.is_here
    key = key_for(settings.server, settings.api_key_env, os.environ, ask_keyring=proxies) or None
    plain = HttpClient(settings.root, key, proxies=proxies)
    models = HttpClient(settings.base, key, proxies=proxies)

    def get(path: str) -> Heard:
        of_protocol = path.startswith("/v1/")
        asked = models if of_protocol else plain
        reply = asked.ask("GET", path.removeprefix("/v1"), None, PROBE_SECONDS)
        return Heard(reply.status, reply.headers, reply.body)

    return VlmServer(
        settings,
        OpenAIClient(settings.base, key, settings.timeout, proxies=proxies),
        get,
        (Unreached, Unreachable),
        KnownManners(_folder(state), settings.base, settings.model, anew=anew),
        say or _say,
        key,
        purse=purse,
    )


def _folder(state: Path | None) -> Path:
    from urbexmp.adapters.dirs import state_folder

    return state or state_folder(os.environ)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
