"""A burst of work on a watched library, while it is open: find, settle, deal with photos."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from urbexmp.drivers.finding import ROWS, Finding
from urbexmp.drivers.holding import Holding, moment, stuck_file
from urbexmp.drivers.idle import Idle, others
from urbexmp.drivers.retries import IMPORT_PRIORITY, PARKED_DAYS, iso
from urbexmp.drivers.run import Running, examined, opened_run
from urbexmp.drivers.scan import Task, changed_files, is_same, let_go, tasks_in
from urbexmp.model.errors import NotWhole
from urbexmp.model.stage_errors import StageMissing
from urbexmp.rules.formats import extension
from urbexmp.rules.settle import Settled, group_of
from urbexmp.rules.when import IDLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from urbexmp.drivers.house import House
    from urbexmp.drivers.tending import Tending
    from urbexmp.pipeline.look import Examined

MIRROR_SECONDS = 5.0
"""Until the mirror is tried again that could not follow."""

TOGETHER = 100
"""Photos dealt with at once, between two looks at what else is going on."""

SOON = 0.5
"""Seconds: for something that is due so soon the library is kept open."""

RUN_PHOTOS = 5000
"""A run is closed after so many photos: what it counts is kept in memory."""


class Burst:
    """One burst."""

    def __init__(self, tending: Tending, house: House, interrupted: Callable[[], bool]) -> None:
        """`interrupted`: whether to end after the photo at hand."""
        self._tending = tending
        self._house = house
        self._interrupted = interrupted
        self._stack = ExitStack()
        self._running: Running | None = None
        self._holding = Holding(tending, house)
        self._finding = Finding(tending, house, self._holding, interrupted)
        self._idle = Idle(tending, house)
        self._again = False
        """Whether another burst has to follow."""

    def __enter__(self) -> Self:
        for sentence in self._house.recovered:
            self._tending.watched.show.note(sentence)
        without = self._house.without
        for stage, lacks in without.told.items() if without is not None else ():
            self._tending.say(f"{stage} does not look: {lacks}.")
        return self

    def __exit__(self, *exc: object) -> None:
        self._close_run()
        ledger = self._house.ledger
        tending = self._tending
        tending.known = ledger.known_count(self._house.root)
        now = self._house.clock.now()
        soon = ledger.waiting(iso(now + timedelta(days=PARKED_DAYS / 2)), ROWS * 4)
        tending.counts.queued = len(soon)
        tending.counts.turn = sum(not work.last_error for work in soon)
        # What settles is dealt with once it has.
        tries = [work.next_try for work in others(soon) if work.path not in tending.settling]
        later = [at for at in tries if at > iso(now)]
        if len(later) < len(tries) or self._again:
            tending.retry_at = now
        else:
            moments = [moment(min(later))] if later else []
            idle = self._idle.next_at()
            tending.retry_at = min([*moments, *([idle] if idle else [])], default=None)

    def work(self, gather: Callable[[float], None]) -> None:
        """Work until nothing is due, or somebody else wants the library."""
        tending, settling = self._tending, self._tending.settling
        self._holding.still_changing()
        self._finding.scan()
        while not self._interrupted():
            self._finding.refill()
            tending.look()
            t = tending.stopwatch()
            ready = settling.take(t, TOGETHER)
            if ready:
                self._deal(ready)
                gather(0.0)
                continue
            if self._finding.due(t):
                self._finding.scan()
                continue
            wake = settling.wake_at()
            if wake is None or wake > t + SOON:
                if self._deal_idle(gather):
                    continue
                break
            gather(max(0.0, wake - t))
        if not self._interrupted():
            self._catch_up()

    # --- Dealing with photos -----------------------------------------------------------------

    def _deal(self, ready: list[Settled]) -> None:
        work: list[Task] = []
        folders: dict[Path, list[Settled]] = {}
        for settled in ready:
            folders.setdefault(settled.group[0], []).append(settled)
        for folder, groups in folders.items():
            work += self._tasks(folder, {settled.group[1]: settled for settled in groups})
        if not work:
            return
        run = self._run()
        run.report.photos += len(work)
        before = run.report.failed, run.report.changed
        left = {task.photo.path for task in work}
        for task, future in examined(self._house, work, frozenset()):
            self._one(run, task, future)
            left.discard(task.photo.path)
            if self._interrupted():
                break
        run.flush()
        self._count(run, len(work) - len(left), before)
        self._tending.busy_at = self._tending.stopwatch()
        for path in left:
            self._tending.look_over(path.parent, (self._tending.stopwatch(),), alone=True)
        if run.report.photos >= RUN_PHOTOS:
            self._close_run()

    def _count(self, run: Running, done: int, before: tuple[int, int]) -> None:
        counts = self._tending.counts
        counts.done += done
        counts.failed += run.report.failed - before[0]
        counts.written += run.report.changed - before[1]

    def _deal_idle(self, gather: Callable[[float], None]) -> bool:
        """Have photos looked at that waited for a quiet moment; whether there were any."""
        work = self._idle.tasks()
        if not work:
            return False
        run = self._run()
        run.report.photos += len(work)
        before = run.report.failed, run.report.changed
        done = 0
        for task, future in examined(self._house, work, frozenset(), frozenset((IDLE,))):
            self._one(run, task, future)
            done += 1
            gather(0.0)
            if self._interrupted():
                break
        run.flush()
        for task in work[:done]:
            self._idle.keep_waiting(task.photo.path)
        self._count(run, done, before)
        return not run.report.interrupted

    def _tasks(self, folder: Path, groups: dict[str, Settled]) -> list[Task]:
        """The photos of groups that settled, as the folder lists them now.

        Only what was found whole is taken: a file that is not as it was looked at settles again.
        """
        tending, house = self._tending, self._house
        listing, found = tasks_in(house, folder, frozenset(groups))
        if tending.ground.is_folder(folder) is None:
            tending.sweep_soon(tending.stopwatch(), 3.0)
            return []
        for problem in listing.problems:
            tending.tell(problem)
        self._take_out(folder, groups, frozenset(file.path for file in listing.photos))
        work: list[Task] = []
        for task in found:
            path = task.photo.path
            settled = groups[group_of(path)[1]]
            changed = changed_files(task)
            if is_same(task):
                self._idle.done_but_for_it(path)
            elif any(settled.files.get(file) != stat for file, stat in changed.items()):
                if not self._finding.settle(task, changed):
                    tending.look_over(folder, (tending.stopwatch() + 1.0,), alone=True)
            elif stuck := stuck_file(task, settled):
                self._run().failed(path, NotWhole(stuck))
            else:
                work.append(task)
        return work

    def _take_out(self, folder: Path, groups: dict[str, Settled], here: frozenset[Path]) -> None:
        """Photos that went leave the mirror, where the root is surely there."""
        gone = {
            path
            for settled in groups.values()
            for path, stat in settled.files.items()
            if stat is None and path not in here and extension(path.name) != "xmp"
        }
        if not gone:
            return
        self._finding.check_root()
        known = self._house.ledger.known(folder)
        for path in gone:
            self._house.ledger.done_waiting(path)
        gone = {path for path in gone if path.name in known}
        let_go(self._house, (known[path.name] for path in gone))
        self._finding.leave_mirror(gone)

    def _one(self, run: Running, task: Task, future: Future[Examined]) -> None:
        path = task.photo.path

        def deal() -> None:
            try:
                seen = future.result()
            except StageMissing as missing:
                self._holding.missing(task, missing)
                return
            self._holding.able(path)
            run.seen(task, seen)
            planned = run.plan(seen)
            put_off = self._holding.until(task, planned)
            if put_off is not None:
                until, why = put_off
                # Nothing is written yet; what the other program wrote can be found at once.
                if not run.mirror(planned, seen):
                    until = self._house.clock.now() + timedelta(seconds=MIRROR_SECONDS)
                self._holding.put_off(path, until, why, IMPORT_PRIORITY)
                return
            run.take(task, planned, seen)
            if task.known is None and planned.change.writes:
                self._tending.counts.add_imported(path, self._tending.stopwatch())

        run.begun(path)
        run.attempt(path, deal)

    # --- Runs and the mirror ----------------------------------------------------------------

    def _run(self) -> Running:
        if self._running is None:
            opened = opened_run(self._house, "watch", self._tending.watched.show)
            self._running = self._stack.enter_context(opened)
        return self._running

    def _close_run(self) -> None:
        self._running = None
        self._stack.close()

    def _catch_up(self) -> None:
        """After a sweep that left nothing to do, the mirror holds what the library holds."""
        tending, photos = self._tending, self._tending.swept_photos
        if photos is None or len(tending.settling):
            return
        from urbexmp.drivers.mirror import catch_up

        tending.swept_photos = None
        catch_up(self._house, tending.there, tending.watched.show, photos=photos)
        if self._interrupted():
            tending.swept_photos = photos  # the rest in another burst
            self._again = True
