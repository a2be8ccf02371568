"""`sync`: look at every new or changed photo, and bring its keywords up to date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from urbexmp.drivers.house import House
from urbexmp.drivers.run import attempt, carry_out, examined, opened_run
from urbexmp.drivers.scan import Found, Task, gone, guard, surroundings, tasks
from urbexmp.model.change import Change
from urbexmp.model.ports import Show
from urbexmp.model.proposal import Proposal
from urbexmp.model.report import Report
from urbexmp.pipeline.look import Examined
from urbexmp.pipeline.planner import Planned


def sync(
    house: House,
    paths: Sequence[Path],
    show: Show,
    *,
    dry_run: bool = False,
    limit: int | None = None,
    retag: frozenset[str] = frozenset(),
    collect: list[Change] | None = None,
    accept_emptied: bool = False,
    again: bool = False,
    command: str = "sync",
) -> Report:
    """Bring photos below `paths` up to date, or show what that would do.

    A house opened without an applier makes a dry run whatever `dry_run` says. `collect` takes
    the changes that would write or are held, for a plan or a diff. `again` takes up photos that
    were dealt with already. Raises `Problem` when nothing can be done at all.
    """
    assert dry_run or house.applier is not None
    report = Report()
    found = guard(house, paths, again=again or bool(retag), accept_emptied=accept_emptied)
    total = found.tasks if limit is None else min(found.tasks, limit)
    with opened_run(house, command, report, show):
        report.photos = found.photos
        show.begin(report, total)
        for sentence in house.recovered:
            show.note(sentence)
        work = _limited(_tasks(house, paths, report, show, again=again or bool(retag)), limit)
        for task, future in examined(house, work, retag):

            def deal(task: Task = task, future: Future[Examined] = future) -> None:
                seen = future.result()
                for stage in house.profile.stages:
                    (report.stage_looks if stage in seen.ran else report.cached_looks)[stage] += 1
                planned = house.planner.plan(seen, accept_emptied=accept_emptied)
                report.unmapped.update(label for _, label in planned.proposal.unmapped)
                if collect is not None and (planned.change.writes or planned.change.held):
                    collect.append(planned.change)
                carry_out(house, task, planned, report, show)

            attempt(house, report, show, task.photo.path, deal)
            if report.interrupted:
                break
    return report


def _limited(work: Iterable[Task], limit: int | None) -> Iterator[Task]:
    for number, task in enumerate(work):
        if limit is not None and number >= limit:
            return
        yield task


def _tasks(
    house: House, paths: Sequence[Path], report: Report, show: Show, *, again: bool
) -> Iterator[Task]:
    """The tasks of the writing pass: trouble is shown as it is met, quiet files are left alone."""
    shown = 0
    found = Found()
    quiet_since = house.clock.now().timestamp() - house.profile.quiet_seconds
    for task in tasks(house, paths, report, found, again=again):
        for problem in report.problems[shown:]:
            show.problem(problem)
        shown = len(report.problems)
        if _written_just_now(task, quiet_since) and house.profile.quiet_seconds > 0:
            report.skipped["written by another program a moment ago"] += 1
            continue
        yield task
        # The consumer reports its own problems; only the listing's are shown here.
        shown = len(report.problems)
    for problem in report.problems[shown:]:
        show.problem(problem)
    report.unchanged += found.unchanged


def _written_just_now(task: Task, quiet_since: float) -> bool:
    before = dict(task.known.carriers) if task.known is not None else {}
    return any(
        stat is not None and stat.mtime_ns / 1e9 > quiet_since and before.get(path) != stat
        for path, stat in task.around
    )


def forget_gone(house: House, paths: Sequence[Path]) -> int:
    """Take photos that are gone from their folders off the list of what was dealt with.

    Their merge bases stay: a photo that comes back, or turns up elsewhere, is known again.
    """
    total = 0
    for listing in house.walker.folders(paths):
        missing = gone(house, listing, house.pairing(listing)[0])
        house.ledger.unsettle(missing)
        total += len(missing)
    return total


def apply_plan(house: House, changes: Sequence[Change], show: Show) -> Report:
    """Carry out changes that were made earlier; what moved on since is refused."""
    assert house.applier is not None
    report = Report()
    with opened_run(house, "apply", report, show):
        report.photos = len(changes)
        show.begin(report, len(changes))
        for change in changes:

            def deal(change: Change = change) -> None:
                task = _task_of(house, change)
                snapshot = house.planner.snapshot(change.photo, change.photo_id)
                carry_out(house, task, Planned(change, snapshot, Proposal()), report, show)

            attempt(house, report, show, change.photo.path, deal)
            if report.interrupted:
                break
    return report


def _task_of(house: House, change: Change) -> Task | None:
    for listing in house.walker.folders((change.photo.path,)):
        for photo in house.pairing(listing)[0]:
            if photo.path == change.photo.path:
                policy = f"{house.policy}:{house.places.version(listing.folder, house.root)}"
                return Task(photo, surroundings(photo, listing), policy, None)
    return None
