"""One library under watch: what settles, what is to be looked over, and bursts of work on it.

The library is opened, and its lock held, for a burst only. All that a watch must not forget is on
the disk: what a scan finds beyond the settling machine's room waits in the ledger, and whatever
was in memory when the process died is found again by the scan at the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.drivers.counts import Counts
from urbexmp.drivers.holding import Emptied
from urbexmp.drivers.idle import IDLE_SECONDS
from urbexmp.model.errors import LibraryGone, LibraryLocked, Problem, StillChanging
from urbexmp.model.watching import Ground, Lost, RootSeen, SettleTimes, Sign
from urbexmp.rules.settle import ROOM, Settling, is_temporary, is_wanted

if TYPE_CHECKING:
    from urbexmp.drivers.house import House
    from urbexmp.model.ports import Clock, Show, Stopwatch

FOLDERS = 256
"""Folders that wait to be looked over; beyond that the whole library is."""

AFTER_NEW = (0.2, 2.0, 10.0)
"""Seconds after a hint about a folder at which it is looked over: files put into a folder that
was made a moment ago come without a hint."""

PLACE_FILES = ("location.toml", "locations.toml")
"""What they say is part of every plan in their folder."""

FOLDER_SECONDS = 20.0
"""Between two looks at the times of all folders, 3 microseconds each: the system's queue of events
may run over without a sign, and this finds what came then, without a look at any file."""

WHOLE_SECONDS = 60.0
"""Between two sweeps where no hints come and the times of all folders are looked at instead: these
tell of every file that is new, renamed or replaced, and all but the ones written in place are. A
sweep over 100,000 photos costs 0.8 s of processor, a look at the times of their folders 2 ms."""

MOST_FOLDERS = 50_000
"""Of the folders beyond that only the sweep finds what is new."""

CLOCK_STEP_NS = 2_000_000_000
"""A change this long before a listing may be followed by one of the same time (`drivers.scan`)."""

EARLY_SECONDS = 0.3
"""The library is opened so long before a photo is ready: what opening takes is not waited for."""

WAITING_SECONDS = 2.0
"""Between two looks for a root that is not there."""

BLOCKED_SECONDS = 0.25
"""Until the lock is tried again that another command holds."""

TROUBLE_SECONDS = (15.0, 300.0)
"""Shortest and longest pause after a library could not be opened."""

TOLD = 500
"""Problems of a scan that are remembered as told: a sweep every few minutes meets them again."""


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A library as the watch is given it."""

    root: Path
    paths: tuple[Path, ...]
    """Folders at or below the root."""
    opens: Callable[[Callable[[], bool]], AbstractContextManager[House]]
    """Takes the lock, and whether to stop after the photo at hand. Raises `Problem`,
    `LibraryLocked` while another command works."""
    asked: Callable[[], bool]
    """Whether another command waits for the library."""
    show: Show


@dataclass(frozen=True, slots=True)
class WatchTimes:
    """Seconds that a profile sets for a watch."""

    settle: SettleTimes
    sweep_seconds: float
    """Between two sweeps."""
    poll_seconds: float
    """Between two looks at the times of all folders where no hints come; between two sweeps where
    there are too many folders for that."""
    quiet_seconds: float
    """What another program wrote in the last of these is left to it."""


class Tending:
    """What is known of one library while it is watched. Times `t` are the stopwatch's."""

    def __init__(
        self,
        watched: Watched,
        ground: Ground,
        clock: Clock,
        stopwatch: Stopwatch,
        times: Callable[[], WatchTimes],
        room: int = ROOM,
    ) -> None:
        """`times` gives those of the profile in force."""
        self.watched = watched
        self.ground = ground
        self.clock = clock
        self.stopwatch = stopwatch
        self._times = times
        self.times = times()
        self.deaf = False
        """No hints come: it is swept oftener."""
        self.settling = Settling(self.times.settle, room)
        self.folders: dict[Path, list[float]] = {}
        self.alone: set[Path] = set()
        """Of these, those that are looked over without the folders below them that are known."""
        self.folder_times: dict[Path, int] = {}
        self.folders_at = stopwatch()
        self.sweep_at = stopwatch()
        self.last_sweep: datetime | None = None
        self.swept_photos: int | None = None
        """Photos that the last sweep found; None once the mirror has caught up with it."""
        self.retry_at: datetime | None = None
        self.busy_at = stopwatch()
        """When something that had come was dealt with last. A hint alone says too little: each
        write of ours brings one, and the rest would wait for its quiet moment again."""
        self.idle_seconds = IDLE_SECONDS
        self.counts = Counts()
        self.emptied = Emptied()
        self.probe: Path | None = None
        """A photo that is tried for all that wait for a stage."""
        self.lacking: Problem | None = None
        """What is told of a stage that is missing."""
        self.overdue: dict[Path, Problem] = {}
        """Files that go on changing, for the ledger to know."""
        self.known = 0
        """Photos that the ledger knew when the library was last open."""
        self.there = watched.paths
        """The folders that are there, as last seen."""
        self._awaited = watched.root
        self.waits: str | None = None
        """Why the root is waited for."""
        self.seen: RootSeen | None = None
        self.blocked_until = 0.0
        self._pause = TROUBLE_SECONDS[0]
        self._told: dict[str, None] = {}
        self._homes: dict[Path, Path] = {}

    def reloaded(self) -> None:
        """The profile changed."""
        self.times = self._times()
        self.settling.times = self.times.settle
        self.sweep_soon(self.stopwatch())

    @property
    def sweep_seconds(self) -> float:
        """Between two sweeps."""
        if not self.deaf:
            return self.times.sweep_seconds
        all_known = len(self.folder_times) < MOST_FOLDERS
        often = (
            max(WHOLE_SECONDS, self.times.poll_seconds) if all_known else self.times.poll_seconds
        )
        return min(often, self.times.sweep_seconds)

    # --- Signs ------------------------------------------------------------------------------

    def sign(self, sign: Sign, t: float) -> None:
        """Take a hint, or the news that hints were lost."""
        if isinstance(sign, Lost):
            self.sweep_soon(t, 0.5)
            return
        path = sign.path
        if not self._inside(path):
            return
        if is_wanted(path.name):
            path = self._home(path.parent) / path.name
            if self._inside(path) and not self.settling.hint(path, t):
                self.look_over(path.parent, (t + 1.0,), alone=True)
        elif path.name in PLACE_FILES:
            self.look_over(path.parent, (t + AFTER_NEW[0],))
        elif not is_temporary(path.name):
            kind = self.ground.is_folder(path)
            if kind:
                self._homes.clear()
                self.look_over(path, tuple(t + after for after in AFTER_NEW))
            elif kind is None:
                # Perhaps a folder that went, with all its photos.
                self.sweep_soon(t, 3.0)

    def sweep_soon(self, t: float, seconds: float = 0.0) -> None:
        """Look everything over in so many seconds at the latest."""
        self.sweep_at = min(self.sweep_at, t + seconds)

    def look_over(self, folder: Path, moments: Iterable[float], *, alone: bool = False) -> None:
        """Look a folder over, and those below it, at these moments.

        `alone`: of those below, only the ones that are new.
        """
        if folder not in self.folders and len(self.folders) >= FOLDERS:
            self.sweep_soon(min(moments))
            return
        if not alone:
            self.alone.discard(folder)
        elif folder not in self.folders:
            self.alone.add(folder)
        due = self.folders.setdefault(folder, [])
        # A stream of hints about a folder neither postpones the look at it nor piles up.
        due.extend(moment for moment in moments if all(abs(moment - at) > 0.5 for at in due))
        due.sort()
        del due[8:]

    def learn(self, folder: Path, began_ns: int) -> None:
        """A folder was listed, after `began_ns`: its time is looked at from now on."""
        if folder not in self.folder_times and len(self.folder_times) >= MOST_FOLDERS:
            return
        time = self.ground.folder_time(folder)
        if time is not None:
            # What changed during the listing may not be in it.
            self.folder_times[folder] = time if time < began_ns - CLOCK_STEP_NS else -1

    def look_at_folders(self, t: float) -> None:
        """Now and then, look whether entries of a folder changed of which no hint told."""
        if t < self.folders_at or self.waits is not None:
            return
        self.folders_at = t + (self.times.poll_seconds if self.deaf else FOLDER_SECONDS)
        for folder, before in list(self.folder_times.items()):
            time = self.ground.folder_time(folder)
            if time is None:
                del self.folder_times[folder]
                self.sweep_soon(t, 3.0)
            elif time != before:
                self.folder_times[folder] = time
                # One more photo in a folder says nothing of the archive below it.
                self.look_over(folder, (t,), alone=True)

    def _inside(self, path: Path) -> bool:
        for folder in self.watched.paths:
            if path.is_relative_to(folder):
                return not any(part.startswith(".") for part in path.relative_to(folder).parts)
        return False

    def _home(self, folder: Path) -> Path:
        """Where a folder really is; asked once for each."""
        home = self._homes.get(folder)
        if home is None:
            if len(self._homes) >= FOLDERS:
                self._homes.clear()
            home = self._homes[folder] = self.ground.home(folder, self.watched.root)
        return home

    # --- What is due ------------------------------------------------------------------------

    def check_root(self, t: float) -> bool:
        """Look whether the root is there; returns whether it has to be listened to anew."""
        root = self.watched.root
        seen = self.ground.root(root)
        there = [path for path in self.watched.paths if self.ground.is_folder(path)]
        if seen is None or not there or (seen.empty and self.known):
            if self.waits is None:
                self.waits = "is empty" if seen is not None and there else "is not there"
                self._wait_for(root if seen is None or there else self.watched.paths[0])
            self.seen = None
            return False
        before, self.seen = self.seen, seen
        found, self.there = self.there, tuple(there)
        if self.waits is not None:
            self.waits = None
            self.watched.show.note(f"{self._awaited} is back: looking everything over.")
        elif before is not None and before.identity == seen.identity:
            if found == self.there:
                return False
            for path in found:
                if path not in there:
                    self.say(f"{path} is not there: the others are watched on.")
        self.sweep_soon(t)
        return True

    def _wait_for(self, path: Path) -> None:
        self._awaited = path
        self.watched.show.note(
            f"{path} {self.waits}: waiting for it. Nothing is taken for deleted."
        )
        self.settling.clear()
        self.folders.clear()
        self.alone.clear()
        self._homes.clear()
        self.folder_times.clear()

    def due(self, t: float) -> bool:
        """Whether there is work for which the library must be open."""
        if self.waits is not None or t < self.blocked_until:
            return False
        return (
            t >= self.sweep_at
            or any(moments[0] <= t for moments in self.folders.values())
            or self.settling.ready(t + EARLY_SECONDS)
            or bool(self.overdue)
            or (self.retry_at is not None and self.clock.now() >= self.retry_at)
        )

    def wake_at(self, t: float) -> float:
        """When there is something to do next, by the stopwatch."""
        if self.waits is not None:
            return t + WAITING_SECONDS
        moments = [self.sweep_at, *(each[0] for each in self.folders.values())]
        settling = self.settling.wake_at()
        if settling is not None:
            moments.append(settling)
        ready = self.settling.ready_at()
        if ready is not None:
            moments.append(ready - EARLY_SECONDS)
        if self.retry_at is not None:
            moments.append(t + max(0.0, (self.retry_at - self.clock.now()).total_seconds()))
        return max(min(moments), self.blocked_until)

    def look(self) -> None:
        """Look at the files that want it."""
        for path in self.settling.due(self.stopwatch()):
            stat, age = self.ground.look(path) or (None, 0.0)
            # On a share the times may be another machine's.
            age = 0.0 if self.deaf else age
            whole = None
            if stat is not None and stat == self.settling.expects(path):
                whole = self.ground.whole(path)
            self.settling.look(path, stat, whole, self.stopwatch(), age)
        for path in self.settling.take_overdue():
            self.overdue[path] = StillChanging(path, seconds=f"{self.times.settle.patience:g}")
            self.tell(self.overdue[path])

    # --- Bursts -----------------------------------------------------------------------------

    def burst(self, gather: Callable[[float], None], stopping: Callable[[], bool]) -> None:
        """Open the library and work until nothing is due, or somebody else wants it.

        `gather` takes in signs, waiting for the first so many seconds at most.
        """
        from urbexmp.drivers.burst import Burst

        def interrupted() -> bool:
            return stopping() or self.watched.asked()

        try:
            with self.watched.opens(interrupted) as house:
                self._pause = TROUBLE_SECONDS[0]
                with Burst(self, house, interrupted) as burst:
                    burst.work(gather)
        except LibraryLocked:
            self.blocked_until = self.stopwatch() + BLOCKED_SECONDS
        except LibraryGone:
            self.known = max(self.known, 1)  # an empty or absent root is waited for
            self.check_root(self.stopwatch())
            self.blocked_until = self.stopwatch() + 1.0
        except Problem as problem:
            self.tell(problem)
            self.blocked_until = self.stopwatch() + self._pause
            self._pause = min(self._pause * 2, TROUBLE_SECONDS[1])

    def tell(self, problem: Problem) -> None:
        """Show a problem, once."""
        if self._first_time(str(problem)):
            self.watched.show.problem(problem)

    def say(self, sentence: str) -> None:
        """Show something that is no problem, once."""
        if self._first_time(sentence):
            self.watched.show.note(sentence)

    def _first_time(self, said: str) -> bool:
        if said in self._told:
            return False
        if len(self._told) >= TOLD:
            del self._told[next(iter(self._told))]
        self._told[said] = None
        return True

    def may_tell_again(self, problem: Problem) -> None:
        """What a problem says was put right."""
        self._told.pop(str(problem), None)
