"""A stage that looks elsewhere, before a server that misbehaves. Time is ours: nothing sleeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from urbexmp.adapters.http_client import Reply, Unreachable
from urbexmp.adapters.stages.remote import RemoteStage
from urbexmp.adapters.stages.remote_server import Server
from urbexmp.model.errors import Problem, Undecodable
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    Preview,
    StageInput,
    StageLook,
    View,
)
from urbexmp.model.stage_errors import (
    ServerAway,
    StageFailed,
    StageMissing,
    StageStopped,
    StageTimeout,
)
from urbexmp.rules.circuit import FAILURES, FIRST_REST
from urbexmp.rules.elsewhere import Elsewhere
from urbexmp.rules.serving import API

SETTINGS = Elsewhere("http://127.0.0.1:9", ("siglip",), fallback=False)
FAR = replace(SETTINGS, url="http://gpu.example:9", allow_upload=True)


class Here:
    """The same stage on this machine."""

    name = "siglip"
    id = "siglip@here"
    uses_preview = True

    def __init__(self, problem: Problem | None = None, *, uses_context: bool = False) -> None:
        self.problem = problem
        self.uses_context = uses_context

    def ready(self) -> Problem | None:
        return self.problem

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        return (Observation(ObservationKind.LABEL, "seen here", 0.5),)


def reply(said: Mapping[str, Any], status: int = 200, **headers: str) -> Reply:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, names, json.dumps({"api": API, **said}).encode())


def health(**ids: str) -> Reply:
    stages = [{"name": name, "id": one} for name, one in (ids or {"siglip": "siglip@far"}).items()]
    return reply({"stages": stages})


def tagged(*problems: Mapping[str, Any], stage: str = "siglip@far") -> Reply:
    seen = [{"kind": "label", "label": "seen there", "score": 0.9}]
    looks = [] if problems else [{"stage": stage, "observations": seen, "seconds": 1.0}]
    return reply({"pictures": [{"looks": looks, "problems": list(problems)}]})


@dataclass
class World:
    """A server that follows a list of answers, a clock, and what was said and slept."""

    answers: list[Reply | Exception] = field(default_factory=list)
    settings: Elsewhere = SETTINGS
    known: dict[str, str] = field(default_factory=lambda: {"siglip": "siglip@far"})
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    slept: float = 0.0
    now: float = 0.0
    said: list[str] = field(default_factory=list)
    encoded: int = 0
    during_sleep: Callable[[], None] = lambda: None

    def ask(self, method: str, path: str, body: bytes | None, timeout: float) -> Reply:
        self.asked.append((f"{method} {path}", json.loads(body) if body else {}))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def load(self) -> Mapping[str, str]:
        return self.known

    def keep(self, ids: Mapping[str, str]) -> None:
        self.known = dict(ids)

    def encode(self, preview: Preview, quality: int) -> bytes:
        self.encoded += 1
        return preview.rgb

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += seconds
        self.during_sleep()

    def server(self) -> Server:
        return Server(
            self.settings,
            self,
            Unreachable,
            self,
            self.encode,
            self.said.append,
            lambda: self.now,
            self.sleep,
        )

    def stage(self, here: Here | None = None) -> RemoteStage:
        return RemoteStage(here or Here(), self.server())


def seen(**facts: Any) -> StageInput:
    def preview() -> Preview:
        return Preview(1, 1, b"rgb", "image")

    earlier = (StageLook("place@1", ()), StageLook("camera@1", ()))
    view = View(CaptureFacts(latitude=53.0, city="Leeds", iso=100, **facts), preview)
    return StageInput(view, Context(name="Mill"), earlier)


DOWN = Unreachable("Connection refused")


def paths(world: World) -> list[str]:
    return [path for path, _ in world.asked]


def test_what_the_server_saw_counts_under_its_id() -> None:
    world = World([health(), tagged()])
    told_by, said = world.stage().look_as(seen())
    assert told_by == "siglip@far"
    assert [one.label for one in said] == ["seen there"]
    assert paths(world) == ["GET /health", "POST /tag"]
    assert world.slept == 0


def test_a_stage_that_waits_to_be_named_waits_elsewhere_too() -> None:
    class Waiting(Here):
        when = "manual"

    world = World()
    assert world.stage(Waiting()).when == "manual"
    assert world.stage(Here()).when is None


def test_nobody_is_asked_for_an_id_that_is_known() -> None:
    world = World()
    assert world.stage().id == "siglip@far"
    assert world.asked == []


def test_a_server_never_heard_of_is_asked_once_for_its_ids() -> None:
    world = World([health(siglip="siglip@new")], known={})
    stage = world.stage()
    assert [stage.id, stage.id] == ["siglip@new"] * 2
    assert paths(world) == ["GET /health"]
    assert world.known == {"siglip": "siglip@new"}


def test_without_server_and_memory_the_id_is_the_local_one() -> None:
    world = World([DOWN], known={})
    stage = world.stage()
    assert [stage.id, stage.id] == ["siglip@here"] * 2
    assert paths(world) == ["GET /health"]


def test_other_weights_on_the_server_are_noticed_and_remembered() -> None:
    world = World([health(), tagged(stage="siglip@newer")])
    stage = world.stage()
    assert stage.look_as(seen())[0] == "siglip@newer"
    assert stage.id == "siglip@newer"
    assert world.known == {"siglip": "siglip@newer"}


def test_it_is_asked_again_three_times_with_growing_pauses() -> None:
    world = World([health(), DOWN, DOWN, DOWN, tagged()])
    assert world.stage().look_as(seen())[0] == "siglip@far"
    assert world.slept == pytest.approx(0.5 + 1 + 2)
    world = World([health(), DOWN, DOWN, DOWN, DOWN, tagged()])
    with pytest.raises(ServerAway, match="cannot be reached \\(Connection refused\\)"):
        world.stage().look(seen())
    assert len(world.answers) == 1


def test_what_took_too_long_is_not_asked_again() -> None:
    world = World([health(), Unreachable("it took too long", again=False)])
    with pytest.raises(ServerAway, match="too long"):
        world.stage().look(seen())
    assert world.slept == 0


def test_a_busy_server_says_when_to_come_back() -> None:
    busy = reply({"error": {"told": "Too many."}}, 429, retry_after="4")
    world = World([health(), busy, tagged()])
    assert world.stage().look_as(seen())[0] == "siglip@far"
    assert world.slept == pytest.approx(4)


def opened(world: World) -> RemoteStage:
    """A stage whose server has just been given up."""
    stage = world.stage()
    for _ in range(FAILURES):
        world.answers = [DOWN] * 4
        with pytest.raises(ServerAway):
            stage.look(seen())
    world.asked.clear()
    return stage


def test_a_server_that_is_away_is_spared_until_a_probe_succeeds() -> None:
    world = World()
    stage = opened(world)
    encoded = world.encoded
    with pytest.raises(ServerAway, match="asked again in 5 s"):
        stage.look(seen())
    assert world.asked == []
    assert world.encoded == encoded
    world.now += FIRST_REST
    world.answers, slept = [DOWN], world.slept
    with pytest.raises(ServerAway):
        stage.look(seen())
    assert paths(world) == ["GET /health"]
    assert world.slept == slept  # a probe is not asked again
    world.now += 2 * FIRST_REST
    world.answers = [health(), tagged(), tagged()]
    stage.look(seen())
    stage.look(seen())
    assert world.answers == []


def test_while_it_is_away_the_stage_looks_here_and_says_so_once() -> None:
    world = World(settings=replace(SETTINGS, fallback=True))
    stage = world.stage()
    for _ in range(FAILURES + 2):
        world.answers = [DOWN] * 4
        told_by, said = stage.look_as(seen())
        assert told_by == "siglip@here"
        assert said[0].label == "seen here"
    world.now += FIRST_REST
    world.answers = [health(), tagged()]
    assert stage.look_as(seen())[0] == "siglip@far"
    away, back = world.said
    assert away.endswith("Meanwhile siglip looks on this machine.")
    assert "is back" in back


def test_where_it_cannot_look_here_either_the_server_is_to_blame() -> None:
    missing = StageMissing("siglip", stage="siglip", detail="no weights", advice="")
    world = World([DOWN] * 4, settings=replace(SETTINGS, fallback=True))
    with pytest.raises(ServerAway):
        world.stage(Here(missing)).look(seen())


@pytest.mark.parametrize(
    ("answers", "word", "advice"),
    [
        ([reply({"error": {}}, 401)], "refuses the token", "URBEXMP_SERVE_TOKEN"),
        ([health(ram="ram@1")], "does not offer it", "--stages siglip"),
        ([Reply(200, {}, b"<html>")], "is no `urbexmp serve`", "stage.remote.url"),
        ([Reply(200, {}, b"[]")], "is no `urbexmp serve`", "stage.remote.url"),
        ([Reply(200, {}, b'{"api": 0}')], "too old", "same version"),
        ([Reply(200, {}, b'{"api": 99}')], "newer than this", "same version"),
        ([health(), tagged(stage="ram@1")], "is no `urbexmp serve`", "stage.remote.url"),
        ([health(), reply({"pictures": [{}]})], "is no `urbexmp serve`", "stage.remote.url"),
        ([health(), reply({"error": {"told": "Not so."}}, 400)], "400: Not so", "serve -v"),
    ],
)
def test_each_trouble_says_what_to_do(
    answers: list[Reply | Exception], word: str, advice: str
) -> None:
    with pytest.raises(ServerAway) as failure:
        World(answers).stage().look(seen())
    assert word in str(failure.value)
    assert advice in str(failure.value)


@pytest.mark.parametrize(
    ("status", "kind"), [(504, StageTimeout), (500, StageFailed), (503, ServerAway)]
)
def test_what_a_stage_did_there_is_told_here(status: int, kind: type[Problem]) -> None:
    problem = {"stage": "siglip", "status": status, "slug": "x", "told": "stage siglip failed."}
    with pytest.raises(kind) as failure:
        World([health(), tagged(problem)]).stage().look(seen())
    assert type(failure.value) is kind


def test_no_photo_goes_to_who_is_no_urbexmp() -> None:
    world = World([Reply(404, {}, b"nothing here")])
    with pytest.raises(ServerAway):
        world.stage().look(seen())
    assert paths(world) == ["GET /health"]


def test_where_a_photo_was_taken_goes_only_to_who_needs_it() -> None:
    world = World([health(), tagged(), tagged()])
    stage = world.stage()
    stage.look(seen())
    sent = world.asked[1][1]["pictures"][0]
    assert "context" not in sent
    assert sent["facts"] == {"iso": 100}
    assert [look["stage"] for look in sent["earlier"]] == ["camera@1"]
    world = World([health(), tagged()])
    world.stage(Here(uses_context=True)).look(seen())
    sent = world.asked[1][1]["pictures"][0]
    assert sent["context"] == {"name": "Mill"}
    assert sent["facts"]["city"] == "Leeds"


def test_a_photo_is_packed_once_for_all_stages() -> None:
    world = World([health(), tagged(), tagged()])
    stage, one = world.stage(), seen()
    stage.look(one)
    stage.look(one)
    assert world.encoded == 1


def test_a_photo_leaves_the_machine_only_after_that_was_said() -> None:
    world = World([health(), tagged(), tagged()], settings=FAR)
    stage = world.stage()
    stage.look(seen())
    stage.look(seen())
    assert world.said == ["Photos are sent to gpu.example:9, which looks with siglip."]


def test_a_photo_that_cannot_be_decoded_is_no_fault_of_the_server() -> None:
    def broken() -> Preview:
        raise Undecodable("photo", detail="cut off")

    world = World()
    input_ = StageInput(View(CaptureFacts(), broken), Context())
    for _ in range(FAILURES + 1):
        with pytest.raises(Undecodable):
            world.stage().look(input_)
    assert world.asked == []


def test_who_asks_to_stop_does_not_wait_for_pauses() -> None:
    world = World([health(), DOWN, DOWN, DOWN, DOWN])
    stage = world.stage()
    asked: list[bool] = []
    world.during_sleep = lambda: asked.append(True)
    stage.stopping = lambda: bool(asked)
    with pytest.raises(StageStopped):
        stage.look(seen())
    assert len(asked) == 1
