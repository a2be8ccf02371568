"""The watch's loop in a time of its own: without events, and after every sign of loss."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.adapters.background.notify import SilentNotifier
from urbexmp.adapters.clock import SystemClock
from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.adapters.ground import LocalGround
from urbexmp.adapters.inspect.whole import is_whole
from urbexmp.adapters.memory import MemoryEvents
from urbexmp.app import Kept, open_house, state_paths
from urbexmp.app_watch import times_of
from urbexmp.cli.options import Choices, load
from urbexmp.drivers.tending import Tending, Watched
from urbexmp.drivers.watch import Outside, Watch
from urbexmp.model.background import WatchState
from urbexmp.model.watching import Hint, Lost
from watch_process import jpeg

if TYPE_CHECKING:
    from urbexmp.drivers.house import House
    from urbexmp.model.change import Change
    from urbexmp.model.errors import Problem
    from urbexmp.model.photo import FileStat
    from urbexmp.model.report import Report

pytestmark = pytest.mark.usefixtures("clean_home")

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
            yield replace(house, clock=self)

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


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    (root / "Old Hospital").mkdir(parents=True)
    return root


@pytest.fixture
def world(root: Path, tmp_path: Path) -> World:
    return World(root, tmp_path / "state")


def test_what_is_there_at_the_start_is_dealt_with(world: World) -> None:
    world.put(1, 2)
    world.run(10)
    assert sorted(world.told.photos) == ["1.JPG", "2.JPG"]
    assert world.beats[-1].phase == "stopped"
    assert world.beats[-1].done == 2


def test_without_a_hint_the_sweep_finds_it(world: World) -> None:
    path = world.root / "Old Hospital" / "1.JPG"
    path.write_bytes(b"%PDF-1.7")
    world.run(20)
    # Written again in place: no folder's time tells of that.
    world.at(1, lambda: world.put(1))
    world.run(60)
    assert world.told.photos == []
    world.run(SWEEP)
    assert world.told.photos == ["1.JPG"]


def test_what_is_new_in_a_folder_is_found_without_a_hint(world: World) -> None:
    world.run(30)
    world.at(1, lambda: world.put(1))
    (world.root / "a").mkdir()
    world.run(20)
    assert world.told.photos == ["1.JPG"]
    assert len(world.tending.folder_times) == 3


@pytest.mark.parametrize("loss", ["lost", "clock", "held"])
def test_after_a_sign_of_loss_everything_is_looked_over(world: World, loss: str) -> None:
    def jump() -> None:
        world.jumped += 3600

    def hold() -> None:
        world.t += 60

    (world.root / "Old Hospital" / "1.JPG").write_bytes(b"%PDF-1.7")
    world.at(20, lambda: world.put(1))
    if loss == "lost":
        world.events.coming.append((21.0, Lost(world.root, "the queue ran over")))
    else:
        world.at(21, jump if loss == "clock" else hold)
    world.run(100)
    assert world.told.photos == ["1.JPG"]


def test_nothing_else_is_looked_over(world: World) -> None:
    (world.root / "Old Hospital" / "1.JPG").write_bytes(b"%PDF-1.7")
    world.at(20, lambda: world.put(1))
    world.run(100)
    assert world.told.photos == []


def test_a_root_that_tells_nothing_is_swept_oftener(world: World) -> None:
    world.events.silent.add(world.root)
    world.at(20, lambda: world.put(1))
    world.run(45)
    assert world.told.photos == ["1.JPG"]
    assert any("silent" in note for note in world.told.notes)


def test_a_root_that_goes_or_is_emptied_is_waited_for(world: World, tmp_path: Path) -> None:
    world.put(1, 2)
    world.run(10)
    away = tmp_path / "away"
    world.at(5, lambda: shutil.move(world.root, away))
    world.at(20, world.root.mkdir)
    world.run(40)
    with world.ledger() as ledger:
        assert ledger.known_count(world.root) == 2
    assert [note for note in world.told.notes if "waiting for it" in note]
    world.at(5, lambda: (world.root.rmdir(), shutil.move(away, world.root), world.put(3)))
    world.run(40)
    assert world.told.photos == ["1.JPG", "2.JPG", "3.JPG"]
    assert not world.told.problems


def test_a_root_without_its_photos_is_no_mass_deletion(world: World, tmp_path: Path) -> None:
    world.put(1, 2)
    world.run(10)
    folder = world.root / "Old Hospital"
    (world.root / "notes.txt").touch()
    world.at(5, lambda: shutil.move(folder, tmp_path / "away"))
    world.run(2 * SWEEP)
    assert [said for said in world.told.problems if "holds no photo" in said]
    with SqliteMirror(state_paths(world.root, world.state).mirror, readonly=True) as mirror:
        assert mirror.count() == 2
    shutil.move(tmp_path / "away", folder)
    world.run(20)
    assert len(world.told.photos) == 2


def test_after_three_more_tries_it_waits_until_the_file_changes(world: World) -> None:
    path = world.root / "Old Hospital" / "1.JPG"
    path.write_bytes(b"%PDF-1.7 no photo at all")
    world.run(100)
    assert len(world.told.problems) == 1
    world.run(1.5 * 3600)
    assert len(world.told.problems) == 4
    with world.ledger() as ledger:
        work = ledger.waiting_on(path)
    assert work is not None
    assert work.attempts == 4
    assert work.next_try > "2100"
    world.run(2 * 3600)
    assert len(world.told.problems) == 4
    world.at(1, lambda: world.put(1))
    world.hint(2, 1)
    world.run(60)
    assert world.told.photos == ["1.JPG"]
    with world.ledger() as ledger:
        assert ledger.waiting_on(path) is None


def test_more_photos_than_there_is_room_for_wait_in_the_ledger(root: Path, tmp_path: Path) -> None:
    world = World(root, tmp_path / "state", room=5)
    world.put(*range(40))
    world.run(5)
    assert max(beat.settling for beat in world.beats) <= 10
    with world.ledger() as ledger:
        assert len(ledger.waiting("2999", 100)) >= 10
    world.run(200)
    assert len(set(world.told.photos)) == len(world.told.photos) == 40
    with world.ledger() as ledger:
        assert ledger.waiting("2999") == ()


def test_its_own_writes_are_not_work(world: World) -> None:
    world.put(1)
    world.run(10)
    sidecar = world.root / "Old Hospital" / "1.JPG.xmp"
    before = sidecar.stat()
    for _ in range(3):
        world.events.coming.append((1.0, Hint(sidecar)))
    world.run(30)
    assert world.told.photos == ["1.JPG"]
    assert sidecar.stat() == before
    assert world.beats[-1].done == 1
    with world.ledger() as ledger:
        assert len(ledger.runs()) == 1


def test_place_file_written_later_brings_its_keywords(world: World) -> None:
    (world.root / "Site 7").mkdir()
    (world.root / "Site 7" / "1.JPG").write_bytes(jpeg(1))
    world.run(10)
    assert world.told.photos == []
    place = world.root / "Site 7" / "location.toml"
    place.write_text('type = "hospital"\n')
    world.events.coming.append((1.0, Hint(place)))
    world.run(20)
    assert world.told.photos == ["1.JPG"]
