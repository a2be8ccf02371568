"""A library, a watch over it, and a time of its own: for tests of the watch's loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbexmp.adapters.background.notify import SilentNotifier
from urbexmp.adapters.clock import SystemClock
from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.adapters.ground import LocalGround
from urbexmp.adapters.inspect.whole import is_whole
from urbexmp.adapters.memory import MemoryEvents
from urbexmp.app import Kept, open_house, state_paths
from urbexmp.app_watch import times_of
from urbexmp.cli.options import Choices, load
from urbexmp.drivers.tending import Tending, Watched
from urbexmp.drivers.watch import Outside, Watch
from urbexmp.model.background import WatchState
from urbexmp.model.watching import Hint
from watch_process import jpeg

if TYPE_CHECKING:
    from urbexmp.drivers.house import House
    from urbexmp.model.change import Change
    from urbexmp.model.errors import Problem
    from urbexmp.model.photo import FileStat
    from urbexmp.model.report import Report

SWEEP = 300.0


@dataclass
class Told:
    """A show that remembers."""

    notes: list[str] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def begin(self, report: Report, total: int | None) -> None:
        """Nothing."""

    def photo(self, path: Path) -> None:
        """Nothing."""

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def change(self, change: Change, *, applied: bool) -> None:
        assert applied
        self.photos.append(change.photo.path.name)

    def problem(self, problem: Problem) -> None:
        self.problems.append(str(problem))

    def end(self, report: Report) -> None:
        """Nothing."""


class TimedGround(LocalGround):
    """Files as old as the world's own clock says."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(is_whole)
        self._now = now

    def look(self, path: Path) -> tuple[FileStat, float] | None:
        looked = super().look(path)
        if looked is None:
            return None
        return looked[0], max(0.0, self._now().timestamp() - looked[0].mtime_ns / 1e9)


class World:
    """A library, a watch over it, and a clock that goes on while the watch waits, and only then."""

    def __init__(self, root: Path, state: Path, **flags: Any) -> None:
        self.root = root
        self.state = state
        self.t = 1000.0
        self.jumped = 0.0
        self.until = 0.0
        self.told = Told()
        self.beats: list[WatchState] = []
        self.then: list[tuple[float, Callable[[], object]]] = []
        self.events = MemoryEvents(self.passes)
        chosen = {"settle_seconds": "1", "companion_seconds": "1", "settle_longest_seconds": "20"}
        self.settings = settings = load(
            Choices(flags={"stages": "place", "embed": "never", "quiet_seconds": "0", **chosen})
        )
        self.kept = Kept()
        self.began = datetime.now(UTC)
        self.names = SystemClock()
        self.tending = Tending(
            Watched(
                root,
                (root,),
                self.opens,
                lambda: False,
                self.told,
            ),
            TimedGround(self.now),
            self,
            lambda: self.t,
            partial(times_of, settings, SWEEP / 60),
            **flags,
        )
        self.watch = Watch(
            [self.tending],
            Outside(
                events=self.events,
                clock=self,
                stopwatch=lambda: self.t,
                conditions=self,
                pulse=self,
                notifier=SilentNotifier(),
                stopping=lambda: self.t >= self.until,
                reload=lambda: False,
                ended=lambda: False,
                pid=7,
                say=self.told.notes.append,
            ),
        )

    def passes(self, seconds: float) -> None:
        self.t += max(seconds, 0.01)
        while self.then and self.then[0][0] <= self.t:
            self.then.pop(0)[1]()

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.t - 1000 + self.jumped)

    def fresh(self, prefix: str) -> str:
        return self.names.fresh(prefix)

    @contextmanager
    def opens(self, stopping: Callable[[], bool]) -> Iterator[House]:
        with open_house(
            self.root,
            self.settings,
            state=self.state,
            writing=True,
            kept=self.kept,
            stopping=stopping,
        ) as house:
            yield self.altered(replace(house, clock=self))

    def altered(self, house: House) -> House:
        """The house as the watch gets it."""
        return house

    def may_work(self, now: datetime) -> str | None:
        return None

    def beat(self, state: WatchState) -> None:
        self.beats.append(state)

    def at(self, seconds: float, do: Callable[[], object]) -> None:
        """Do something after so many seconds from now."""
        self.then.append((self.t + seconds, do))
        self.then.sort(key=lambda each: each[0])

    def run(self, seconds: float) -> None:
        self.until = self.t + seconds
        self.watch.run(once=False)

    def put(self, *numbers: int) -> None:
        for number in numbers:
            path = self.root / "Old Hospital" / f"{number}.JPG"
            path.write_bytes(jpeg(number))
            moment = self.now().timestamp()
            os.utime(path, (moment, moment))

    def hint(self, seconds: float, number: int) -> None:
        path = self.root / "Old Hospital" / f"{number}.JPG"
        self.events.coming.append((seconds, Hint(path)))

    def ledger(self) -> SqliteLedger:
        return SqliteLedger(state_paths(self.root, self.state).ledger, readonly=True)
