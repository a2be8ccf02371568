"""Photos that a stage looks at in a quiet moment of a watch: `when = "idle"`.

They were dealt with already, with what the other stages said, and wait in the ledger behind all
else. A few at a time are taken while nothing settles, nothing is due, and nothing has come for a
while; anything that comes goes first.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.drivers.retries import IDLE_PRIORITY, PARKED_DAYS, iso
from urbexmp.drivers.scan import Task, changed_files, tasks_in
from urbexmp.rules.settle import group_of

if TYPE_CHECKING:
    from datetime import datetime

    from urbexmp.drivers.house import House
    from urbexmp.drivers.tending import Tending
    from urbexmp.model.ledger import WaitingWork

IDLE_SECONDS = 10.0
"""So long nothing must have come before a quiet moment begins."""


class Idle:
    """What waits for a quiet moment of one library."""

    def __init__(self, tending: Tending, house: House) -> None:
        self._tending = tending
        self._house = house

    @staticmethod
    def is_idle(work: WaitingWork) -> bool:
        """Whether waiting work is for a quiet moment."""
        return work.priority == IDLE_PRIORITY

    def quiet_in(self, t: float) -> float:
        """Seconds until a quiet moment begins; 0: it is quiet."""
        tending = self._tending
        if len(tending.settling) or tending.folders:
            return IDLE_SECONDS
        return max(0.0, tending.busy_at + tending.idle_seconds - t)

    def tasks(self) -> list[Task]:
        """Some of the photos, as their folders list them now; none while it is not quiet."""
        tending, house = self._tending, self._house
        if self.quiet_in(tending.stopwatch()) > 0:
            return []
        # As many as are looked at side by side: what comes waits for these, and no answer that was
        # paid is thrown away for it.
        due = house.ledger.waiting(iso(house.clock.now()), max(1, house.window // 3))
        if any(not self.is_idle(work) for work in due):
            return []
        wanted: dict[Path, set[Path]] = {}
        for work in due:
            wanted.setdefault(work.path.parent, set()).add(work.path)
        found: list[Task] = []
        for folder, paths in wanted.items():
            names = frozenset(group_of(path)[1] for path in paths)
            here = {task.photo.path: task for task in tasks_in(house, folder, names)[1]}
            for path in paths:
                task = here.get(path)
                if task is None:
                    house.ledger.done_waiting(path)
                elif changed_files(task):
                    # It settles first, like any photo that changed, and is put off again then.
                    tending.look_over(folder, (tending.stopwatch(),), alone=True)
                else:
                    found.append(task)
        return found

    def done_but_for_it(self, path: Path) -> None:
        """A photo is as it was dealt with, and waits for a quiet moment at the most.

        Most such hints are about our own write, which was made when it was put among what waits.
        """
        work = self._house.ledger.waiting_on(path)
        if work is not None and not self.is_idle(work):
            self._house.ledger.done_waiting(path)

    def keep_waiting(self, path: Path) -> None:
        """A photo that could not be looked at now goes on waiting behind all else."""
        work = self._house.ledger.waiting_on(path)
        if work is not None and not self.is_idle(work):
            self._house.ledger.wait(replace(work, priority=IDLE_PRIORITY))

    def next_at(self) -> datetime | None:
        """When the next of them may be looked at; None: none waits."""
        from urbexmp.drivers.holding import moment

        house = self._house
        now = house.clock.now()
        ever = iso(now + timedelta(days=PARKED_DAYS / 2))
        first = house.ledger.waiting(ever, 1, least=IDLE_PRIORITY)
        if not first:
            return None
        quiet = now + timedelta(seconds=self.quiet_in(self._tending.stopwatch()))
        return max(moment(first[0].next_try), quiet)


def others(rows: tuple[WaitingWork, ...]) -> list[WaitingWork]:
    """Waiting work that is not left to a quiet moment."""
    return [work for work in rows if work.priority != IDLE_PRIORITY]
