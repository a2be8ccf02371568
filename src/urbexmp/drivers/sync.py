"""`sync`: look at every new or changed photo, and bring its keywords up to date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.drivers.run import examined, opened_run
from urbexmp.drivers.scan import Found, Task, guard, task_of, tasks
from urbexmp.model.report import Report

if TYPE_CHECKING:
    from concurrent.futures import Future

    from urbexmp.drivers.house import House
    from urbexmp.model.change import Change
    from urbexmp.model.ports import Show
    from urbexmp.model.recorder import Recorder
    from urbexmp.pipeline.look import Examined


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
    now: frozenset[str] = frozenset(),
    command: str = "sync",
    recorder: Recorder | None = None,
) -> Report:
    """Bring photos below `paths` up to date, or show what that would do.

    A house opened without an applier makes a dry run whatever `dry_run` says. `collect` takes
    the changes that would write or are held, for a plan or a diff. `again` takes up photos that
    were dealt with already; `now` names stages that look though they wait for a better moment.
    `recorder` is told of every photo. Raises `Problem` when nothing can
    be done at all.
    """
    assert dry_run or house.writes
    again = again or bool(retag)
    began = house.stopwatch()
    if house.without is not None and house.without.stops is not None:
        raise house.without.stops
    ahead = guard(house, paths, again=again, accept_emptied=accept_emptied)
    with opened_run(house, command, show, recorder, began) as run:
        report = run.report
        report.photos = ahead.photos
        show.begin(report, ahead.tasks if limit is None else min(ahead.tasks, limit))
        for sentence in house.recovered:
            show.note(sentence)
        if house.without is not None:
            report.absent.update(house.without.told)
        found = Found()
        # Where the first pass found nothing to do and nothing wrong, a second finds no more.
        idle = not (ahead.tasks or ahead.troubled)
        work: Iterable[Task] = ()
        if not idle:
            work = tasks(house, paths, found, run.trouble, again=again)
        work = islice(_quiet(house, work, report), limit)
        for task, future in examined(house, work, retag, now):

            def deal(task: Task = task, future: Future[Examined] = future) -> None:
                seen = future.result()
                run.seen(task, seen)
                planned = run.plan(seen, accept_emptied=accept_emptied)
                if collect is not None and (planned.change.writes or planned.change.waits):
                    collect.append(planned.change)
                run.take(task, planned, seen)

            run.begun(task.photo.path)
            run.attempt(task.photo.path, deal)
            if report.interrupted:
                break
        # Asked between two photos, the loop above ends by itself.
        report.interrupted = report.interrupted or house.stopping()
        for problem in house.places.take_problems():
            run.trouble(problem)
        seen_last = ahead if idle else found
        report.unchanged += seen_last.unchanged
        report.skipped.update(seen_last.skipped)
        current = idle and tuple(paths) == (house.root,) and house.mirror_holds(seen_last.photos)
        if limit is None and not report.interrupted and house.writes and not current:
            from urbexmp.drivers.mirror import catch_up

            run.flush()
            gone = dict.fromkeys((*ahead.gone, *found.gone))
            catch_up(house, paths, show, photos=seen_last.photos, gone=tuple(gone))
    return report


def _quiet(house: House, work: Iterable[Task], report: Report) -> Iterator[Task]:
    """Leave alone what another program wrote a moment ago: it may not have finished."""
    quiet = house.profile.quiet_seconds
    for task in work:
        if quiet > 0 and _written_just_now(task, house.clock.now().timestamp() - quiet):
            report.skipped["written by another program a moment ago"] += 1
            continue
        yield task


def _written_just_now(task: Task, quiet_since: float) -> bool:
    known, photo = task.known, task.photo
    before = {} if known is None else {**dict(known.carriers), known.path: known.stat}
    return any(
        stat is not None and stat.mtime_ns / 1e9 > quiet_since and before.get(path) != stat
        for path, stat in (*task.around, (photo.path, photo.stat))
    )


def apply_plan(house: House, changes: Sequence[Change], show: Show) -> Report:
    """Carry out changes that were made earlier; what moved on since is refused."""
    from urbexmp.model.proposal import Proposal
    from urbexmp.pipeline.planner import Planned

    assert house.writes
    with opened_run(house, "apply", show) as run:
        run.report.photos = len(changes)
        show.begin(run.report, len(changes))
        for change in changes:

            def deal(change: Change = change) -> None:
                snapshot = house.planner.snapshot(change.photo, change.photo_id)
                planned = Planned(change, snapshot, Proposal())
                run.take(task_of(house, change.photo.path), planned)

            run.attempt(change.photo.path, deal)
            if run.report.interrupted:
                break
    return run.report
