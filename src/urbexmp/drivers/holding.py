"""Photos that a watch puts off, though nothing failed: each waits in the ledger, with the reason.

Left to the program that wrote them a moment ago; emptied of all keywords with many others; in need
of a stage that is missing; or still growing. All else goes on meanwhile, and the mirror follows
what their files say.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.drivers.retries import IMPORT_PRIORITY, MISSING_MINUTES, iso, pause_after
from urbexmp.drivers.scan import EMPTIED_LEAST, EMPTIED_SHARE, Task, changed_files, lost_all
from urbexmp.model.errors import ManyEmptied
from urbexmp.model.ledger import WaitingWork
from urbexmp.rules.formats import extension

if TYPE_CHECKING:
    from collections.abc import Iterable

    from urbexmp.drivers.house import House
    from urbexmp.drivers.tending import Tending
    from urbexmp.model.errors import Problem
    from urbexmp.model.photo import FileStat
    from urbexmp.model.stage_errors import StageMissing
    from urbexmp.pipeline.planner import Planned
    from urbexmp.rules.settle import Settled

AHEAD_SECONDS = 5.0
"""A time of change further in the future says that a clock is wrong, and nothing else."""

EMPTIED_SECONDS = 60.0
"""For so long a watch looks on whether more photos lose all their keywords, before it takes the
first of them for a person's will: a program that empties a library does it file by file."""

EMPTIED_WAITS = "{path}: all its keywords went away at once. Looking whether others follow."

COUNTED_SECONDS = 10.0

MOST_ROWS = 100_000
"""Photos that go on at once when a stage came back."""

MISSING_PRIORITY = 95
"""Of photos that wait for a stage: they come after all others, so one can be tried for all."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A photo that lost all keywords."""

    since: float
    files: dict[Path, FileStat]
    """Its changed files, as they were then."""


@dataclass(slots=True)
class Emptied:
    """Photos that lost all keywords and are not dealt with yet. Times are the stopwatch's."""

    found: dict[Path, _Found] = field(default_factory=dict)
    last: float = 0.0
    """When the last of them was found."""
    many: bool = False
    """Whether they are too many for a person's work, so that all are held."""
    counted: float = 0.0
    """When it was last asked which of them still wait."""


class Holding:
    """What is put off during one burst."""

    def __init__(self, tending: Tending, house: House) -> None:
        self._tending = tending
        self._house = house
        self._able = False
        """Whether a photo was dealt with that had waited for a stage."""
        self._lacking = False
        """Whether a stage was found missing in this burst."""

    def until(self, task: Task, planned: Planned) -> tuple[datetime, str] | None:
        """Until when a photo is put off, and why; None: it may be dealt with now."""
        emptied = self._emptied(task, planned)
        if emptied is not None:
            return emptied
        alone = self._left_alone_until(task) if planned.change.writes else None
        return None if alone is None else (alone, "")

    def put_off(self, path: Path, until: datetime, why: str, priority: int) -> None:
        """Let a photo wait. With a reason it is dealt with earlier where its files change."""
        self._house.ledger.wait(WaitingWork(path, priority, 0, iso(until), why))

    # --- Left to another program --------------------------------------------------------------

    def _left_alone_until(self, task: Task) -> datetime | None:
        """Until when a photo is left to the program that wrote its sidecar, or a photo that was
        known, a moment ago; None: it may be written now."""
        quiet, now = self._tending.times.quiet_seconds, self._house.clock.now().timestamp()
        times = [
            stat.mtime_ns / 1e9
            for path, stat in changed_files(task).items()
            if extension(path.name) == "xmp" or task.known is not None
        ]
        lately = [time for time in times if now - quiet < time <= now + AHEAD_SECONDS]
        if quiet <= 0 or not lately:
            return None
        # A whole second later: the ledger knows no parts of one.
        return datetime.fromtimestamp(min(max(lately), now) + quiet + 1, UTC)

    # --- Emptied ------------------------------------------------------------------------------

    def _emptied(self, task: Task, planned: Planned) -> tuple[datetime, str] | None:
        """Until when a photo waits that lost all keywords, and why; None: it lost not all."""
        house, emptied, path = self._house, self._tending.emptied, task.photo.path
        lost = task.known is not None and lost_all(house, task.known.photo_id, planned.snapshot)
        if not lost:
            emptied.found.pop(path, None)
            return None
        t, now = self._tending.stopwatch(), house.clock.now()
        files = changed_files(task)
        before = emptied.found.get(path)
        if before is None or before.files != files:
            emptied.found[path] = _Found(t, files)
            emptied.last = t
        if self._too_many(path, t):
            return now + timedelta(minutes=MISSING_MINUTES), str(self._many())
        left = emptied.last + EMPTIED_SECONDS - t
        if left > 0:
            return now + timedelta(seconds=left + 1), EMPTIED_WAITS.format(path=path)
        del emptied.found[path]
        return None

    def _too_many(self, path: Path, t: float) -> bool:
        """Whether so many photos lost all keywords that all of them are held. Tells it once."""
        ledger, emptied = self._house.ledger, self._tending.emptied
        known = ledger.known_count(self._house.root)

        def over() -> bool:
            number = len(emptied.found)
            return number >= EMPTIED_LEAST and number > known * EMPTIED_SHARE

        if over() and not (emptied.many and t < emptied.counted + COUNTED_SECONDS):
            emptied.counted = t
            # What another command dealt with, or what is gone, waits no longer.
            for other in list(emptied.found):
                if other != path and ledger.waiting_on(other) is None:
                    del emptied.found[other]
        before, emptied.many = emptied.many, over()
        if emptied.many and not before:
            self._tending.tell(self._many())
        return emptied.many

    def _many(self) -> Problem:
        root, number = self._house.root, len(self._tending.emptied.found)
        return ManyEmptied(root, emptied=number, total=self._house.ledger.known_count(root))

    # --- A stage is missing -------------------------------------------------------------------

    def missing(self, task: Task, problem: StageMissing) -> None:
        """A photo waits for a stage: that is no failure of the photo."""
        self._lacking = True
        path, root = task.photo.path, self._house.root
        until = self._house.clock.now() + timedelta(minutes=MISSING_MINUTES)
        self.put_off(path, until, str(problem), MISSING_PRIORITY)
        self._tending.lacking = type(problem)(root, **problem.fields)
        self._tending.tell(self._tending.lacking)

    def able(self, path: Path) -> None:
        """A photo was looked at: where it was tried for those that wait for a stage, they go on."""
        tending, ledger = self._tending, self._house.ledger
        if tending.probe != path:
            return
        self._able, tending.probe = True, None
        if tending.lacking is not None:
            tending.may_tell_again(tending.lacking)
            tending.lacking = None
            tending.watched.show.note("The stage can run again: going on with what waited for it.")
        now = self._house.clock.now()
        with ledger.batch(durable=False):
            for work in ledger.waiting(iso(now + timedelta(minutes=MISSING_MINUTES)), MOST_ROWS):
                if work.priority == MISSING_PRIORITY and work.path != path:
                    self.put_off(work.path, now, work.last_error, MISSING_PRIORITY)

    def worth_trying(self, due: Iterable[WaitingWork]) -> list[WaitingWork]:
        """Of waiting work that is due, what is to be tried now; the rest goes on waiting.

        Of photos that wait for a stage one is tried for all, and photos that were emptied with
        many others wait for a person.
        """
        tending = self._tending
        again: list[WaitingWork] = []
        tried: list[WaitingWork] = []
        if tending.probe is not None and tending.probe not in tending.settling:
            tending.probe = None
        for work in due:
            if tending.emptied.many and work.path in tending.emptied.found:
                again.append(replace(work, last_error=str(self._many())))
            elif work.priority != MISSING_PRIORITY or self._able:
                tried.append(work)
            elif self._lacking or tending.probe not in (None, work.path):
                again.append(work)
            else:
                tending.probe = work.path
                tried.append(work)
        if again:
            until = self._house.clock.now() + timedelta(minutes=MISSING_MINUTES)
            with self._house.ledger.batch(durable=False):
                for work in again:
                    self.put_off(work.path, until, work.last_error, work.priority)
        return tried

    # --- Others -------------------------------------------------------------------------------

    def changed_since(self, work: WaitingWork, changed: dict[Path, FileStat]) -> bool:
        """Whether something was done to a photo's files after it was put among what waits."""
        found = self._tending.emptied.found.get(work.path)
        if found is not None:
            return found.files != changed
        if not (work.attempts or work.last_error):
            return False
        put = moment(work.next_try) - pause_after(work.attempts)
        since = (self._house.clock.now() - put).total_seconds() - 1
        looks = (self._tending.ground.look(path) for path in changed)
        return any(looked is not None and looked[1] < since for looked in looks)

    def still_changing(self) -> None:
        """Put files that go on changing among what waits, for `status` to show."""
        tending = self._tending
        overdue, tending.overdue = tending.overdue, {}
        until = self._house.clock.now() + timedelta(minutes=MISSING_MINUTES)
        for path, problem in overdue.items():
            self.put_off(path, until, str(problem), IMPORT_PRIORITY)


def moment(text: str) -> datetime:
    """A time of the ledger, aware."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def stuck_file(task: Task, settled: Settled) -> Path | None:
    """The file that keeps a photo from being dealt with because it is not whole.

    A sidecar that is not is told of by who reads it, and the JPEG of a raw does not keep the
    raw from its keywords unless it gets some itself.
    """
    needed = {task.photo.path, *(carrier.path for carrier in task.photo.carriers)}
    for path in settled.stuck:
        if path in needed and extension(path.name) != "xmp":
            return path
    return None
