"""The one loop: look at photos side by side, plan and apply them one after the other."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from urbexmp.drivers.house import House
from urbexmp.drivers.scan import Task
from urbexmp.model.change import Change, EditKind, RunRecord
from urbexmp.model.errors import InternalProblem, Problem
from urbexmp.model.photo import ABSENT, CarrierKind, FileKind, FileStat, Fingerprint
from urbexmp.model.ports import KnownFile, Show, WaitingWork
from urbexmp.model.report import Report
from urbexmp.pipeline.look import Examined
from urbexmp.pipeline.planner import Planned

BLIND = frozenset({FileKind.JPEG, FileKind.TIFF, FileKind.DNG})
"""Kinds whose sidecar Lightroom does not read (it reads the packet inside the file)."""

RETRY_MINUTES = 10
"""A photo that failed is due again after so long, doubled with every further failure."""

Finish = Callable[[Task | None, Planned], None]


@contextmanager
def opened_run(house: House, command: str, report: Report, show: Show) -> Iterator[Report]:
    """Open a run in the ledger (where one may write), close it whatever happens."""
    began = house.stopwatch()
    report.command = command
    report.dry = house.applier is None
    report.run = house.clock.fresh("r")
    if house.applier is not None:
        started = iso(house.clock.now())
        house.ledger.open_run(RunRecord(report.run, command, house.profile.name, started))
    try:
        yield report
    except KeyboardInterrupt:
        report.interrupted = True
    finally:
        report.seconds = house.stopwatch() - began
        if house.applier is not None:
            house.ledger.close_run(report.run, iso(house.clock.now()), report)
    show.end(report)


def iso(moment: datetime) -> str:
    """Return an aware time as the ledger and the packets keep it, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def examined(
    house: House, work: Iterable[Task], retag: frozenset[str]
) -> Iterator[tuple[Task, Future[Examined]]]:
    """Yield tasks in order, each with the look at it, some of them under way ahead of the reader.

    No queue between stages: each worker decodes, looks, and takes the next photo. The window
    bounds how many decoded pictures are held.
    """
    with house.executor() as workers:
        ahead: deque[tuple[Task, Future[Examined]]] = deque()
        try:
            for task in work:
                future = workers.submit(house.looker.examine, task.photo, task.known_id, retag)
                ahead.append((task, future))
                if len(ahead) >= house.window:
                    yield ahead.popleft()
                if house.stopping():
                    return
            while ahead:
                yield ahead.popleft()
        finally:
            for _, future in ahead:
                future.cancel()


def failed(house: House, report: Report, show: Show, path: Path, problem: Problem) -> None:
    """Count and show a photo's problem, and put the photo among the waiting work."""
    report.problems.append(problem)
    show.problem(problem)
    if house.applier is None:
        return
    before = house.ledger.waiting_on(path)
    attempts = before.attempts + 1 if before is not None else 1
    due = house.clock.now() + timedelta(minutes=RETRY_MINUTES * 2 ** min(attempts - 1, 8))
    house.ledger.wait(WaitingWork(path, 50, attempts, iso(due), str(problem)))


def attempt(house: House, report: Report, show: Show, path: Path, deal: Callable[[], None]) -> None:
    """Deal with one photo. Whatever goes wrong is that photo's problem: the run goes on."""
    try:
        deal()
    except Problem as problem:
        failed(house, report, show, path, problem)
    except Exception as failure:
        ours = InternalProblem(path, detail=f"{type(failure).__name__}: {failure}")
        ours.__cause__ = failure
        failed(house, report, show, path, ours)
    show.photo(path)
    report.interrupted = report.interrupted or house.stopping()


def carry_out(
    house: House, task: Task | None, planned: Planned, report: Report, show: Show
) -> None:
    """Apply one change (or show it, in a dry run) and count it. Raises `Problem`."""
    change = planned.change
    count(report, change)
    if house.applier is None:
        if not change.is_noop or change.held:
            show.change(change, applied=False)
        return
    receipt = house.applier.apply(change, report.run)
    if planned.moved_from is not None:
        house.ledger.drop_base(change.photo_id, planned.moved_from)
    house.ledger.hold(change.photo_id, change.photo.path, change.held)
    house.ledger.done_waiting(change.photo.path)
    if receipt is not None or change.held or change.learned:
        show.change(change, applied=True)
    if task is not None:
        after = {done.carrier.path: done.after for done in receipt.carriers} if receipt else {}
        settle(house, task, change, after)


def count(report: Report, change: Change) -> None:
    """Add one change to the counters."""
    if change.writes:
        report.changed += 1
    else:
        report.unchanged += 1
    report.held += bool(change.held)
    report.learned += len(change.learned)
    for edit in change.edits:
        if edit.kind is EditKind.ADD:
            report.added += 1
        else:
            report.removed += 1
    only_sidecars = all(carrier.kind is CarrierKind.SIDECAR for carrier in change.photo.carriers)
    if change.writes and only_sidecars and change.photo.kind in BLIND:
        report.lightroom_blind += 1


def settle(house: House, task: Task, change: Change, after: dict[Path, Fingerprint]) -> None:
    """Remember a photo as dealt with, so that the next run need not open it.

    What we did not write is remembered with the stat it had before it was read: should it have
    changed in between, the next run sees that. What we wrote is remembered only if our bytes
    are still there once its stat was taken.
    """
    around: list[tuple[Path, FileStat | None]] = []
    for path, stat in task.around:
        if path in after:
            stat = house.disk.stat(path)
            if not _still_ours(house, change, path, after[path]):
                house.ledger.unsettle((task.photo.path,))
                return
        around.append((path, stat))
    house.ledger.settle(
        (
            KnownFile(
                task.photo.path,
                task.photo.stat,
                change.photo_id,
                tuple(around),
                task.policy,
                bool(change.held),
            ),
        )
    )


def _still_ours(house: House, change: Change, path: Path, after: Fingerprint) -> bool:
    for carrier in change.photo.carriers:
        if carrier.path == path:
            packet = house.planner.packet(carrier)
            found = ABSENT if packet is None else hashlib.sha256(packet).hexdigest()
            return found == after
    return False
