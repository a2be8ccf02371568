"""A server asked as the program asks it, and photos to ask about, for tests of the stage `vlm`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unit.words_examples import urbex
from urbexmp.adapters.replies import ReplyFolder
from urbexmp.adapters.stages.vlm import VlmStage
from urbexmp.adapters.thumbnail import as_sent
from urbexmp.adapters.vlm_server import VlmServer
from urbexmp.model.asking import Filled
from urbexmp.model.observation import CaptureFacts, Context, Preview, StageInput, StageLook, View
from urbexmp.rules.vlm_roles import Part
from urbexmp.rules.vlm_settings import vlm_settings
from urbexmp.wiring_vlm import open_server, read_prompt
from vlm_server import VlmDouble

FILLED = Filled("urbex@00000000", "You describe.", "What is here?", ("description", "labels"))
SCHEMA = {"type": "object"}
JPEG = b"\xff\xd8 a picture \xff\xd9"


class Time:
    """A clock that goes forward only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Talk:
    """A server of ours before a double, with what it told a person."""

    def __init__(self, double: VlmDouble, state: Path, **settings: Any) -> None:
        given = {"model": "eyes", "url": double.url, "timeout": 5.0, **settings}
        self.settings = vlm_settings(given)
        self.told: list[str] = []
        self.time = Time()
        self.state = state
        self.server: VlmServer = open_server(self.settings, state, self.told.append)
        double.closing.append(self.server.close)
        gate = self.server._gate
        self.server._clock = gate.clock = self.time.clock
        gate.sleep = self.time.sleep

    def ask(self, schema: dict[str, Any] | None = SCHEMA, most: int = 100):  # type: ignore[no-untyped-def]
        return self.server.ask(FILLED, JPEG, schema, most)


class Linked:
    """What a stage takes from outside."""

    def __init__(self, talk: Talk, prompt: str = "urbex") -> None:
        self.prompt = read_prompt(prompt)
        self.parts = (Part(talk.settings, self.prompt.answers),)
        self.talk = talk
        self.replies = ReplyFolder(talk.state)
        self.encode = as_sent

    def server(self, _: Part) -> VlmServer:
        return self.talk.server

    def lacks(self) -> str:
        return ""

    def close(self) -> None:
        self.talk.server.close()


def stage_of(talk: Talk, **settings: Any) -> VlmStage:
    stage = VlmStage(urbex(), model="eyes", url=talk.settings.url, **settings)
    linked = Linked(talk, stage.settings.prompt)
    linked.parts = (Part(stage.settings, linked.prompt.answers),)
    stage.connect(linked)
    return stage


def photo(
    context: Context | None = None,
    earlier: Sequence[StageLook] = (),
    size: tuple[int, int] = (768, 512),
) -> StageInput:
    width, height = size
    preview = Preview(width, height, bytes((120, 90, 60)) * width * height, "image")
    return StageInput(View(CaptureFacts(), lambda: preview), context or Context(), tuple(earlier))
