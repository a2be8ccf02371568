"""Stages before the pictures of a server: side by side, and never for too long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from urbexmp.adapters.desk import Desk
from urbexmp.model.errors import Problem, Undecodable
from urbexmp.model.observation import Observation, ObservationKind, Preview, StageInput
from urbexmp.model.stage_errors import StageMissing
from urbexmp.rules.serving import Answered, Asked, Limits, Request

DEADLINE = 30.0


class Stage:
    uses_preview = True
    uses_context = False

    def __init__(
        self, name: str, look: Callable[[StageInput], str], problem: Problem | None = None
    ) -> None:
        self.name = name
        self.id = f"{name}@1"
        self.problem = problem
        self.closed = False
        self._look = look

    def ready(self) -> Problem | None:
        return self.problem

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        return (Observation(ObservationKind.LABEL, self._look(seen), 0.5),)

    def close(self) -> None:
        self.closed = True


def decode(data: bytes) -> Preview:
    if data == b"broken":
        raise Undecodable("picture", detail="broken")
    return Preview(1, 1, data.ljust(3), "image")


def answers(
    desk_of: Callable[[], Desk], pictures: tuple[Asked, ...], *stages: str
) -> list[Answered]:
    async def ask() -> list[Answered]:
        return await desk_of().answer(Request(pictures, stages))

    return asyncio.run(asyncio.wait_for(ask(), DEADLINE))


def test_pictures_of_a_request_are_looked_at_side_by_side_in_their_order() -> None:
    meeting = threading.Barrier(3)

    def look(seen: StageInput) -> str:
        meeting.wait(DEADLINE)  # only three at a time get past it
        return seen.view.preview().rgb.decode().strip()

    stage = Stage("a", look)
    pictures = tuple(Asked(data) for data in (b"1", b"2", b"3"))
    found = answers(lambda: Desk((stage,), decode, Limits(at_once=3)), pictures, "a")
    assert [one.looks[0].observations[0].label for one in found] == ["1", "2", "3"]


def test_no_more_are_looked_at_than_allowed() -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def look(seen: StageInput) -> str:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with lock:
            now[0] -= 1
        return "x"

    pictures = tuple(Asked(b"1") for _ in range(20))
    found = answers(lambda: Desk((Stage("a", look),), decode, Limits(at_once=2)), pictures, "a")
    assert all(one.looks for one in found)
    assert 1 <= most[0] <= 2


def test_a_stage_knows_what_those_before_it_said() -> None:
    first = Stage("first", lambda seen: "seen first")
    second = Stage("second", lambda seen: seen.earlier[-1].observations[0].label)
    (one,) = answers(
        lambda: Desk((second, first), decode, Limits()), (Asked(b"1"),), "first", "second"
    )
    assert [look.observations[0].label for look in one.looks] == ["seen first"] * 2


def test_a_stage_that_breaks_keeps_no_other_from_looking() -> None:
    def broken(seen: StageInput) -> str:
        raise ZeroDivisionError("by accident")

    missing = StageMissing("c", stage="c", detail="no weights", advice="")
    stages = (
        Stage("a", broken),
        Stage("b", lambda seen: "fine"),
        Stage("c", lambda seen: "never", missing),
    )
    (one,) = answers(lambda: Desk(stages, decode, Limits()), (Asked(b"1"),), "a", "b", "c")
    assert [look.stage for look in one.looks] == ["b@1"]
    told = {name: problem.sentences[0] for name, problem in one.problems}
    assert "ZeroDivisionError: by accident" in told["a"]
    assert "no weights" in told["c"]


def test_a_picture_that_is_none_gets_a_problem_of_its_own() -> None:
    pictures = (Asked(b"broken"), Asked(b"1"), Asked(wrong="it is not base64"), Asked())
    found = answers(lambda: Desk((Stage("a", lambda seen: "x"),), decode, Limits()), pictures, "a")
    assert [bool(one.looks) for one in found] == [False, True, False, False]
    assert "not base64" in found[2].problems[0][1].sentences[0]
    assert "no image was sent" in found[3].problems[0][1].sentences[0]


def test_a_stage_that_hangs_is_left_behind_and_then_spared() -> None:
    go_on = threading.Event()

    def hang(seen: StageInput) -> str:
        go_on.wait(DEADLINE)
        return "late"

    stage = Stage("a", hang)

    async def ask() -> None:
        desk = Desk((stage,), decode, Limits(at_once=2, seconds=0.05))
        request = Request((Asked(b"1"), Asked(b"2")), ("a",))
        late = await desk.answer(request)
        assert {one.problems[0][1].slug for one in late} == {"stage-timeout"}
        spared = await desk.answer(request)
        assert {one.problems[0][1].slug for one in spared} == {"stage-missing"}
        assert (desk.looking, desk.waiting) == (0, 0)
        go_on.set()
        while desk.obstacle(stage) is not None:
            await asyncio.sleep(0)
        (back,) = await desk.answer(Request((Asked(b"1"),), ("a",)))
        assert back.looks[0].observations[0].label == "late"

    asyncio.run(asyncio.wait_for(ask(), DEADLINE))


def test_closing_ends_what_stages_hold() -> None:
    stage = Stage("a", lambda seen: "x")

    async def close() -> None:
        Desk((stage,), decode, Limits()).close()

    asyncio.run(close())
    assert stage.closed


@pytest.mark.parametrize("package", ["fastapi", "uvicorn"])
def test_without_the_extra_the_command_says_how_to_get_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    from urbexmp.app_serve import open_server
    from urbexmp.model.stage_errors import ExtraMissing

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else found(name)
    )
    with pytest.raises(ExtraMissing, match=r"pip install 'urbexmp\[server\]'"):
        open_server((), "127.0.0.1", 0, Limits(), None, lambda line, *, bad: None)
