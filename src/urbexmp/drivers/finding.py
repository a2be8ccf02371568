"""What a watch finds on the disk: admitted to settle, left in the queue, or gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from urbexmp.drivers.idle import others
from urbexmp.drivers.retries import IMPORT_PRIORITY, PARKED_DAYS, iso
from urbexmp.drivers.scan import Found, Task, changed_files, is_same, tasks, tasks_in
from urbexmp.model.errors import LibraryGone
from urbexmp.model.ledger import WaitingWork
from urbexmp.rules.settle import group_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from urbexmp.drivers.holding import Holding
    from urbexmp.drivers.house import House
    from urbexmp.drivers.tending import Tending
    from urbexmp.model.photo import FileStat

BACKGROUND_PRIORITY = 90

ROWS = 500
"""Photos taken from the ledger's waiting work at once, and put into it."""


class Finding:
    """Looks folders over while the library is open. What is found is not dealt with here."""

    def __init__(
        self, tending: Tending, house: House, holding: Holding, interrupted: Callable[[], bool]
    ) -> None:
        """`interrupted`: whether to break off."""
        self._tending = tending
        self._house = house
        self._holding = holding
        self._interrupted = interrupted

    def due(self, t: float) -> bool:
        """Whether everything, or a folder, is to be looked over now."""
        tending = self._tending
        return t >= tending.sweep_at or any(each[0] <= t for each in tending.folders.values())

    def scan(self) -> None:
        """Look over what is due: everything, or some folders."""
        tending, t = self._tending, self._tending.stopwatch()
        if t >= tending.sweep_at:
            seen = tending.ground.root(self._house.root)
            photos = self._house.ledger.known_count(self._house.root)
            if seen is None or (seen.empty and photos):
                raise LibraryGone(self._house.root, detail="is not there, or empty")
            found = self._take_in(tending.there)
            if found is None:
                return  # it is still due
            tending.folders = {
                folder: later
                for folder, moments in tending.folders.items()
                if (later := [moment for moment in moments if moment > t])
            }
            tending.alone.intersection_update(tending.folders)
            tending.sweep_at = tending.stopwatch() + tending.sweep_seconds
            tending.last_sweep = tending.clock.now()
            if photos and not found.photos and self._house.root in tending.watched.paths:
                detail = "holds no photo, although some are known (is the volume mounted?)"
                tending.tell(LibraryGone(self._house.root, detail=detail))
                return
            tending.swept_photos = found.photos
            self._forget_gone()
            return
        due = [folder for folder, moments in tending.folders.items() if moments[0] <= t]
        whole = {folder for folder in due if folder not in tending.alone}
        outer = [folder for folder in due if whole.isdisjoint(folder.parents)]
        there = [folder for folder in outer if tending.ground.is_folder(folder)]
        alone = [folder for folder in there if folder not in whole]
        known = frozenset(tending.folder_times)
        if self._take_in(whole.intersection(there)) is None:
            return
        if alone and self._take_in(alone, known.__contains__) is None:
            return
        for folder in due:
            tending.folders[folder] = [each for each in tending.folders[folder] if each > t]
            if not tending.folders[folder]:
                del tending.folders[folder]
                tending.alone.discard(folder)

    def _forget_gone(self) -> None:
        """What waits for another try and is no longer there does not wait."""
        ledger, ground = self._house.ledger, self._tending.ground
        ever = iso(self._house.clock.now() + timedelta(days=2 * PARKED_DAYS))
        for work in ledger.waiting(ever, ROWS * 4):
            if ground.look(work.path) is None:
                ledger.done_waiting(work.path)

    def _take_in(
        self, folders: Iterable[Path], past: Callable[[Path], bool] | None = None
    ) -> Found | None:
        """Admit every photo below these folders that is to be dealt with; None: broken off.

        Folders of which `past` says so are passed by.
        """
        found, tending = Found(), self._tending
        rows: list[WaitingWork] = []
        began = int(tending.clock.now().timestamp() * 1e9)

        def learn(folder: Path) -> None:
            tending.learn(folder, began)

        try:
            for task in tasks(self._house, folders, found, tending.tell, listed=learn, past=past):
                row = self._admit(task)
                if row is not None:
                    rows.append(row)
                if len(rows) >= ROWS:
                    self._queue(rows)
                if self._interrupted():
                    return None
        finally:
            self._queue(rows)
        self.leave_mirror(found.gone)
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
        if self.settle(task, changed):
            return None
        fresh = bool(changed) or task.known is None
        priority = IMPORT_PRIORITY if fresh else BACKGROUND_PRIORITY
        return WaitingWork(task.photo.path, priority, attempts, now, error)

    def settle(self, task: Task, changed: dict[Path, FileStat]) -> bool:
        """Give a photo's files to the settling machine; False: there is no room."""
        t = self._tending.stopwatch()
        files = changed or {task.photo.path: task.photo.stat}
        return all(self._tending.settling.hint(path, t, stat) for path, stat in files.items())

    def refill(self) -> None:
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
                elif not self.settle(task, changed_files(task)):
                    return

    def leave_mirror(self, gone: Collection[Path]) -> None:
        """Only these rows go: the comparison of all costs a second for every 25,000 photos."""
        if self._house.mirror is not None and gone:
            self.check_root()
            self._house.mirror.remove(path.relative_to(self._house.root) for path in gone)

    def check_root(self) -> None:
        """Raise `LibraryGone` unless the library's root is surely there."""
        seen = self._tending.ground.root(self._house.root)
        if seen is None or seen.empty:
            raise LibraryGone(self._house.root, detail="is not there, or empty")
