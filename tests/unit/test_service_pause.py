"""A battery that takes over in the middle of a long import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from urbexmp.drivers.watch import Outside, watch
from urbexmp.model.background import WatchState

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


class World:
    """A clock that each photo moves on, a plug that is pulled after a while, and a long import."""

    def __init__(self, pulled_after: float, back_after: float) -> None:
        self.seconds = 0.0
        self.pulled_after, self.back_after = pulled_after, back_after
        self.left = 1000
        self.said: list[str] = []
        self.worked: list[float] = []
        self.phases: list[str] = []

    def may_work(self, now: datetime) -> str | None:
        battery = self.pulled_after <= (now - START).total_seconds() < self.back_after
        return "on battery" if battery else None

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def fresh(self, prefix: str) -> str:
        return prefix

    def beat(self, state: WatchState) -> None:
        self.phases.append(state.phase)

    def wait(self, seconds: float) -> Sequence[Any]:
        self.seconds += seconds
        return ()

    def burst(self, gather: Callable[[float], None], stopping: Callable[[], bool]) -> None:
        while self.left and not stopping():
            self.left -= 1
            self.seconds += 1.0
            self.worked.append(self.seconds)

    def run(self) -> None:
        tending = SimpleNamespace(
            check_root=lambda t: False,
            waits=None,
            watched=SimpleNamespace(paths=(Path("/photos"),)),
            there=(Path("/photos"),),
            sweep_soon=lambda t: None,
            look=lambda: None,
            look_at_folders=lambda t: None,
            due=lambda t: bool(self.left),
            burst=self.burst,
            settling=(),
            folders={},
            last_sweep=START,
            blocked_until=0.0,
            sweep_at=0.0,
            sweep_seconds=300.0,
            retry_at=None,
            wake_at=lambda t: t + 1.0,
            counts=SimpleNamespace(done=0, failed=0, queued=0, imported=0, folder=None),
        )
        events = SimpleNamespace(
            watch=lambda roots: (), deaf=lambda root: False, wait=self.wait, close=lambda: None
        )
        outside = Outside(
            events=events,
            clock=self,
            stopwatch=lambda: self.seconds,
            conditions=self,
            pulse=self,
            notifier=cast("Any", None),
            stopping=lambda: not self.left or self.seconds > 5000,
            reload=lambda: False,
            ended=lambda: False,
            pid=1,
            say=self.said.append,
        )
        watch(cast("Any", [tending]), outside)


def test_a_long_import_pauses_on_battery_and_goes_on_with_the_plug() -> None:
    world = World(pulled_after=100, back_after=400)
    world.run()
    assert world.left == 0
    assert world.said == ["Pausing: on battery.", "Going on."]
    resting = [t for t in world.worked if 120 < t < 400]
    assert resting == []
    assert "paused" in world.phases


def test_with_its_plug_it_never_rests() -> None:
    world = World(pulled_after=9e9, back_after=9e9)
    world.run()
    assert world.left == 0
    assert world.said == []
    assert world.seconds < 1010
