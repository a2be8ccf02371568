"""A burst of work on a watched library, while it is open: scan, queue, settle, deal with photos."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from urbexmp.drivers.holding import Holding, moment, stuck_file
from urbexmp.drivers.idle import Idle, others
from urbexmp.drivers.retries import IMPORT_PRIORITY, PARKED_DAYS, iso
from urbexmp.drivers.run import Running, examined, opened_run
from urbexmp.drivers.scan import Found, Task, changed_files, is_same, let_go, tasks, tasks_in
from urbexmp.model.errors import LibraryGone, NotWhole
from urbexmp.model.ledger import WaitingWork
from urbexmp.model.stage_errors import StageMissing
from urbexmp.rules.formats import extension
from urbexmp.rules.settle import Settled, group_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from urbexmp.drivers.house import House
    from urbexmp.drivers.tending import Tending
    from urbexmp.model.photo import FileStat
    from urbexmp.pipeline.look import Examined

BACKGROUND_PRIORITY = 90

MIRROR_SECONDS = 5.0
"""Until the mirror is tried again that could not follow."""

ROWS = 500
"""Photos taken from the ledger's waiting work at once, and put into it."""

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
        self._scan()
        while not self._interrupted():
            self._refill()
            tending.look()
            t = tending.stopwatch()
            ready = settling.take(t, TOGETHER)
            if ready:
                self._deal(ready)
                gather(0.0)
                continue
            if self._scan_due(t):
                self._scan()
                continue
            wake = settling.wake_at()
            if wake is None or wake > t + SOON:
                if self._deal_idle(gather):
                    continue
                break
            gather(max(0.0, wake - t))
        if not self._interrupted():
            self._catch_up()

    # --- Finding ----------------------------------------------------------------------------

    def _scan_due(self, t: float) -> bool:
        tending = self._tending
        return t >= tending.sweep_at or any(each[0] <= t for each in tending.folders.values())

    def _scan(self) -> None:
        """Look over what is due: everything, or some folders."""
        tending, t = self._tending, self._tending.stopwatch()
        if t >= tending.sweep_at:
            seen = tending.ground.root(self._house.root)
            known = self._house.ledger.known_count(self._house.root)
            if seen is None or (seen.empty and known):
                raise LibraryGone(self._house.root, detail="is not there, or empty")
            found = self._take_in(tending.watched.paths)
            if found is None:
                return  # it is still due
            tending.folders = {
                folder: later
                for folder, moments in tending.folders.items()
                if (later := [moment for moment in moments if moment > t])
            }
            tending.sweep_at = tending.stopwatch() + tending.sweep_seconds
            tending.last_sweep = tending.clock.now()
            if known and not found.photos and self._house.root in tending.watched.paths:
                detail = "holds no photo, although some are known (is the volume mounted?)"
                tending.tell(LibraryGone(self._house.root, detail=detail))
                return
            tending.swept_photos = found.photos
            self._forget_gone()
            return
        due = [folder for folder, moments in tending.folders.items() if moments[0] <= t]
        outer = [folder for folder in due if not set(folder.parents) & set(due)]
        there = [folder for folder in outer if tending.ground.is_folder(folder)]
        if self._take_in(there) is None:
            return
        for folder in due:
            tending.folders[folder] = [each for each in tending.folders[folder] if each > t]
            if not tending.folders[folder]:
                del tending.folders[folder]

    def _forget_gone(self) -> None:
        """What waits for another try and is no longer there does not wait."""
        ledger, ground = self._house.ledger, self._tending.ground
        ever = iso(self._house.clock.now() + timedelta(days=2 * PARKED_DAYS))
        for work in ledger.waiting(ever, ROWS * 4):
            if ground.look(work.path) is None:
                ledger.done_waiting(work.path)

    def _take_in(self, folders: Iterable[Path]) -> Found | None:
        """Admit every photo below these folders that is to be dealt with; None: broken off."""
        found, tending = Found(), self._tending
        rows: list[WaitingWork] = []
        began = int(tending.clock.now().timestamp() * 1e9)

        def learn(folder: Path) -> None:
            tending.learn(folder, began)

        try:
            for task in tasks(self._house, folders, found, tending.tell, listed=learn):
                row = self._admit(task)
                if row is not None:
                    rows.append(row)
                if len(rows) >= ROWS:
                    self._queue(rows)
                if self._interrupted():
                    return None
        finally:
            self._queue(rows)
        return found

    def _queue(self, rows: list[WaitingWork]) -> None:
        if rows:
            with self._house.ledger.batch(durable=False):
                for row in rows:
                    self._house.ledger.wait(row)
        rows.clear()

    def _admit(self, task: Task) -> WaitingWork | None:
        """Let a photo settle; where there is no room, return the row that waits for it."""
        now = iso(self._house.clock.now())
        work = self._house.ledger.waiting_on(task.photo.path)
        changed = changed_files(task)
        attempts, error = (work.attempts, work.last_error) if work is not None else (0, "")
        if work is not None and work.next_try > now:
            if not self._holding.changed_since(work, changed):
                return None
            attempts = 0
        if self._settle(task, changed):
            return None
        fresh = bool(changed) or task.known is None
        priority = IMPORT_PRIORITY if fresh else BACKGROUND_PRIORITY
        return WaitingWork(task.photo.path, priority, attempts, now, error)

    def _settle(self, task: Task, changed: dict[Path, FileStat]) -> bool:
        """Give a photo's files to the settling machine; False: there is no room."""
        t = self._tending.stopwatch()
        files = changed or {task.photo.path: task.photo.stat}
        return all(self._tending.settling.hint(path, t, stat) for path, stat in files.items())

    def _refill(self) -> None:
        """Take waiting work that is due while there is room for it, the newest first."""
        settling, ledger = self._tending.settling, self._house.ledger
        if settling.room_left <= settling.room // 2:
            return
        now = iso(self._house.clock.now())
        due = ledger.waiting(now, len(settling) + ROWS, newest=True)
        wanted: dict[Path, set[Path]] = {}
        for work in self._holding.worth_trying(others(due)):
            if work.path not in settling:
                wanted.setdefault(work.path.parent, set()).add(work.path)
        for folder, paths in wanted.items():
            names = frozenset(group_of(path)[1] for path in paths)
            listing, found = tasks_in(self._house, folder, names)
            for problem in listing.problems:
                self._tending.tell(problem)
            here = {task.photo.path: task for task in found}
            for path in paths:
                task = here.get(path)
                if task is None or is_same(task):
                    ledger.done_waiting(path)
                elif not self._settle(task, changed_files(task)):
                    return

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
        for path in left:
            self._tending.look_over(path.parent, (self._tending.stopwatch(),))
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
        for task, future in examined(self._house, work, frozenset(), self._idle.stages()):
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
                house.ledger.done_waiting(path)
            elif any(settled.files.get(file) != stat for file, stat in changed.items()):
                if not self._settle(task, changed):
                    tending.look_over(folder, (tending.stopwatch() + 1.0,))
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
        seen = self._tending.ground.root(self._house.root)
        if seen is None or seen.empty:
            raise LibraryGone(self._house.root, detail="is not there, or empty")
        known = self._house.ledger.known(folder)
        for path in gone:
            self._house.ledger.done_waiting(path)
        gone = {path for path in gone if path.name in known}
        let_go(self._house, (known[path.name] for path in gone))
        if self._house.mirror is not None and gone:
            self._house.mirror.remove(path.relative_to(self._house.root) for path in gone)

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
        catch_up(self._house, tending.watched.paths, tending.watched.show, photos=photos)
        if self._interrupted():
            tending.swept_photos = photos  # the rest in another burst
            self._again = True
