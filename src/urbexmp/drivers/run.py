"""The one loop: look at photos side by side, plan and apply them one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from urbexmp.drivers.dealt import remember_dealt
from urbexmp.drivers.retries import (
    MISSING_MINUTES,
    iso,
    looks_again,
    wait_to_try,
)
from urbexmp.model.errors import InternalProblem, Problem
from urbexmp.model.recorder import NoRecorder
from urbexmp.model.report import Report, RunRecord
from urbexmp.model.stage_errors import BudgetSpent, ServerAway, StageMissing, StageStopped

if TYPE_CHECKING:
    from concurrent.futures import Future

    from urbexmp.drivers.follow import Follower
    from urbexmp.drivers.house import House
    from urbexmp.drivers.scan import Task
    from urbexmp.model.change import Change, Receipt
    from urbexmp.model.photo import Fingerprint
    from urbexmp.model.ports import Show
    from urbexmp.model.recorder import Recorder
    from urbexmp.pipeline.look import Examined
    from urbexmp.pipeline.planner import Planned


MOST_REASONS = 5
"""So many different failures of stages are told at once; the summary has them all."""

BATCH = 200
"""Photos written together: the syncs of a batch are shared by all of them."""

BATCH_SECONDS = 2.0

SPENT_MINUTES = 10
"""A photo for which nothing was left of a budget is due again after so long."""


@contextmanager
def opened_run(
    house: House,
    command: str,
    show: Show,
    recorder: Recorder | None = None,
    began: float | None = None,
) -> Iterator[Running]:
    """Open a run in the ledger (where one may write); carry out what waits, and close it.

    `began`, of the house's stopwatch, counts what was done before as part of the run.
    """
    report = Report()
    running = Running(house, report, show, recorder or NoRecorder())
    began = house.stopwatch() if began is None else began
    report.command = command
    report.dry = not house.writes
    report.run = house.clock.fresh("r")
    if house.writes:
        started = iso(house.clock.now())
        house.ledger.open_run(RunRecord(report.run, command, house.profile.name, started))
    try:
        yield running
        running.flush()
    except KeyboardInterrupt:
        report.interrupted = True
    finally:
        for paced in house.paced():
            report.paced(paced)
        report.seconds = house.stopwatch() - began
        if house.writes:
            house.ledger.close_run(report.run, iso(house.clock.now()), report)
    show.end(report)


def examined(
    house: House,
    work: Iterable[Task],
    retag: frozenset[str],
    now: frozenset[str] = frozenset(),
) -> Iterator[tuple[Task, Future[Examined]]]:
    """Yield tasks in order, each with the look at it, some of them under way ahead of the reader.

    No queue between stages: each worker decodes, looks, and takes the next photo. The window
    bounds how many decoded pictures are held.
    """
    work = iter(work)
    first = next(work, None)
    if first is None:
        return  # no threads, and nothing imported for them
    with house.executor() as workers:
        ahead: deque[tuple[Task, Future[Examined]]] = deque()
        try:
            for task in chain((first,), work):
                asked = (task.photo, task.known_id, retag, now)
                future = workers.submit(house.looker.examine, *asked)
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


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that waits to be carried out with others."""

    task: Task | None
    planned: Planned
    examined: Examined | None = None
    known: bool = False
    """Whether the photo was dealt with before."""


class Running:
    """One run under way: what it counts, what it shows, and what waits to be written.

    Changes are carried out in batches, because a sync of the disk costs as much for one sidecar
    as for a hundred. A batch is written when it is full, or when its first change has waited for
    `BATCH_SECONDS`: with slow stages each photo is written as it comes.
    """

    def __init__(self, house: House, report: Report, show: Show, recorder: Recorder) -> None:
        self._house = house
        self.report = report
        self.show = show
        self.recorder = recorder
        self._follower: Follower | None = None
        self._pending: list[Pending] = []
        self._looks: list[Examined] = []
        self._since = 0.0

    def begun(self, path: Path) -> None:
        """A photo is being looked at."""
        self._follow().begun(path)

    def _follow(self) -> Follower:
        if self._follower is None:
            from urbexmp.drivers.follow import Follower

            self._follower = Follower(self._house, self.show)
        return self._follower

    def attempt(self, path: Path, deal: Callable[[], None]) -> None:
        """Deal with one photo. Whatever goes wrong is that photo's problem: the run goes on."""
        try:
            deal()
        except StageStopped as stopped:
            if isinstance(stopped, BudgetSpent):
                self._spent(path, stopped)
            self.report.interrupted = True
        except Problem as problem:
            self.failed(path, problem)
        except BrokenPipeError:
            raise  # nobody reads any more: that is not the photo's problem, and ends the run
        except Exception as failure:
            self.failed(path, _ours(path, failure))
        self.show.photo(path)
        self.report.interrupted = self.report.interrupted or self._house.stopping()

    def _spent(self, path: Path, problem: BudgetSpent) -> None:
        """Say so once; the photo waits, or a watch would take it up again at once."""
        if not self.report.interrupted:
            self.show.note(". ".join(filter(None, problem.sentences)) + ".")
        if self._house.writes:
            pause = timedelta(minutes=SPENT_MINUTES)
            wait_to_try(self._house, path, str(problem), pause)

    def trouble(self, problem: Problem) -> None:
        """Count and show what went wrong with something that is no photo yet."""
        self.report.problems.append(problem)
        self.show.problem(problem)

    def failed(self, path: Path, problem: Problem) -> None:
        """Count and show a photo's problem, and put the photo among the waiting work."""
        self.recorder.failed(path, problem)
        self.trouble(problem)
        if not self._house.writes:
            return
        missing = isinstance(problem, StageMissing)
        self._follow().failed(path)
        pause = timedelta(minutes=MISSING_MINUTES) if missing else None
        away = isinstance(problem, ServerAway)
        wait_to_try(self._house, path, str(problem), pause, away=away)

    def seen(self, task: Task, examined: Examined) -> None:
        """Keep and count what was seen of a photo."""
        self.keep(examined)
        self.recorder.looked(task.photo.path, examined.looks, examined.ran)
        for look in examined.looks:
            stage = look.stage.partition("@")[0]
            ran = stage in examined.ran
            (self.report.stage_looks if ran else self.report.cached_looks)[stage] += 1
        self.report.put_off.update(examined.put_off)
        for fallen in examined.fallen:
            if not self.report.fallen[str(fallen)] and len(self.report.fallen) <= MOST_REASONS:
                self.show.note(f"{fallen}.")
            self.report.fallen[str(fallen)] += 1

    def plan(self, examined: Examined, *, accept_emptied: bool = False) -> Planned:
        """The change for a photo that was seen. Raises `Problem`."""
        planned = self._house.planner.plan(examined, accept_emptied=accept_emptied)
        self.recorder.proposed(examined.photo.path, planned.proposal)
        self.report.unmapped.update(label for _, label in planned.proposal.unmapped)
        return planned

    def mirror(self, planned: Planned, examined: Examined) -> bool:
        """Put a photo's row as its files stand, and leave it at that; whether that was done."""
        from urbexmp.drivers.follow import Followed

        return self._follow().follow((Followed(planned, examined),)) is not None

    def keep(self, examined: Examined) -> None:
        """Keep what was seen, soon: a commit costs as much for one look as for a hundred."""
        if examined.fresh and self._house.remember:
            self._wait(self._looks, examined)

    def take(
        self,
        task: Task | None,
        planned: Planned,
        examined: Examined | None = None,
        *,
        known: bool = False,
    ) -> None:
        """Carry a change out, soon; in a dry run show it. `examined`: what was seen of it.

        Without its `task` the photo is planned again by the next sync. `known` says that it was
        dealt with before, where the task does not.
        """
        if not self._house.writes:
            count(self.report, planned.change)
            self.recorder.dealt(planned.change, applied=False)
            if planned.change.writes or planned.change.waits or planned.change.learned:
                self.show.change(planned.change, applied=False)
            return
        known = known or (task is not None and task.known is not None)
        self._wait(self._pending, Pending(task, planned, examined, known))

    def _wait(self, queue: list[T], item: T) -> None:
        if not self._pending and not self._looks:
            self._since = self._house.stopwatch()
        queue.append(item)
        waited = self._house.stopwatch() - self._since
        if len(self._pending) >= BATCH or len(self._looks) >= BATCH or waited >= BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Keep what was seen, and carry out what waits."""
        looks, self._looks = self._looks, []
        if looks:
            with self._house.ledger.batch(durable=False):
                for examined in looks:
                    for inputs, look in examined.fresh:
                        self._house.ledger.remember(examined.photo_id, inputs, look)
        pending, self._pending = self._pending, []
        if not pending or self._house.applier is None:
            return
        changes = [each.planned.change for each in pending]
        try:
            outcomes = self._house.applier.apply_batch(changes, self.report.run)
        except Exception as failure:
            for change in changes:
                self.failed(change.photo.path, _ours(change.photo.path, failure))
            return
        # The mirror first: what the ledger knows as dealt with is not read again.
        from urbexmp.drivers.follow import Followed

        mirrored = self._follow().follow(
            Followed(each.planned, each.examined)
            for each, outcome in zip(pending, outcomes, strict=True)
            if not isinstance(outcome, Problem)
        )
        with self._house.ledger.batch(durable=False):
            for each, outcome in zip(pending, outcomes, strict=True):
                path = each.planned.change.photo.path
                if isinstance(outcome, Problem):
                    self.failed(path, outcome)
                    continue
                try:
                    self._done(each, outcome, mirrored)
                except Problem as problem:
                    self.failed(path, problem)

    def _done(
        self,
        each: Pending,
        receipt: Receipt | None,
        mirrored: Mapping[Path, Mapping[Path, Fingerprint]] | None,
    ) -> None:
        change, ledger = each.planned.change, self._house.ledger
        count(self.report, change)
        if each.planned.moved_from is not None:
            ledger.drop_base(change.photo_id, each.planned.moved_from)
            ledger.hold(change.photo_id, each.planned.moved_from, ())
            ledger.hold_texts(change.photo_id, each.planned.moved_from, ())
        self._judge(each)
        ledger.hold(change.photo_id, change.photo.path, change.held)
        if not self.report.command.startswith("keyword "):  # which asks no stage for texts
            waiting = tuple(text for text in change.texts if text.hold is not None)
            ledger.hold_texts(change.photo_id, change.photo.path, waiting)
        again = looks_again(self._house, change.photo.path, each.examined)
        self.recorder.dealt(change, applied=True)
        if receipt is not None or change.waits or change.learned:
            self.show.change(change, applied=True)
        if each.task is not None and mirrored is not None:
            after = {done.carrier.path: done.after for done in receipt.carriers} if receipt else {}
            packets = mirrored.get(change.photo.path)
            remember_dealt(self._house, each.task, change, after, packets, again=again)
        else:
            ledger.unsettle((change.photo.path,))

    def _judge(self, each: Pending) -> None:
        """Remember what a person did with our keywords since the last write, or does now."""
        from urbexmp.rules.feedback import Asking, judge

        change, house = each.planned.change, self._house
        path = change.photo.path
        asking = Asking(
            house.taxonomy.terms,
            house.stage_ids,
            partial(house.ledger.held_at, change.photo_id, path),
            frozenset(
                suggestion.keyword
                for suggestion in (
                    *each.planned.proposal.suggestions,
                    *each.planned.proposal.unsure,
                )
            ),
            known=each.known,
            command=self.report.command.startswith("keyword "),
            undoing=self.report.command in ("undo", "backup restore"),
        )
        if judgements := judge(each.planned.snapshot, change, asking):
            house.ledger.judge(change.photo_id, judgements)


def _ours(path: Path, failure: Exception) -> InternalProblem:
    ours = InternalProblem(path, detail=f"{type(failure).__name__}: {failure}")
    ours.__cause__ = failure
    return ours


def count(report: Report, change: Change) -> None:
    """Add one change to the counters."""
    from urbexmp.model.change import EditKind

    if change.writes:
        report.changed += 1
    else:
        report.unchanged += 1
    report.held += bool(change.held)
    report.learned += len(change.learned)
    waiting = sum(text.hold is not None for text in change.texts)
    report.texts += len(change.texts) - waiting
    report.texts_held += waiting
    for edit in change.edits:
        if edit.kind is EditKind.ADD:
            report.added += 1
        else:
            report.removed += 1
    if change.writes:
        from urbexmp.rules import sight

        why = sight.blind(change.photo)
        if why is not None:
            report.lightroom_blind += 1
            report.blind[why] += 1
        report.spared.update(spared.reason for spared in change.photo.spared)
