"""A person's answers about texts that wait, by the same safe write as `sync`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.drivers.run import examined, opened_run
from urbexmp.drivers.scan import Found, tasks
from urbexmp.model.text import TextAnswer, TextField
from urbexmp.rules.render import printable, relative

if TYPE_CHECKING:
    from concurrent.futures import Future

    from urbexmp.drivers.house import House
    from urbexmp.drivers.run import Running
    from urbexmp.drivers.scan import Task
    from urbexmp.model.ports import Show
    from urbexmp.model.report import Report
    from urbexmp.pipeline.look import Examined


def answer(
    house: House,
    paths: Sequence[Path],
    show: Show,
    *,
    take: bool,
    fields: tuple[TextField, ...] = tuple(TextField),
    dry_run: bool = False,
) -> Report:
    """Write the texts of the stages into photos below `paths`, or leave what stands there for good.

    Below a folder only what waits is answered; of a photo that is named (or a sidecar of it) all
    `fields`. Stages are asked only where they have not looked yet.
    """
    assert dry_run or house.writes
    with opened_run(house, f"text {'take' if take else 'keep'}", show) as run:
        waiting = {path for path, text in house.ledger.held_texts() if text.field in fields}
        named = frozenset(paths)
        work = [
            task
            for task in tasks(house, paths, Found(), run.trouble, again=True)
            if task.photo.path in waiting or _is_named(task, named)
        ]
        run.report.photos = len(work)
        show.begin(run.report, len(work))
        for task, future in examined(house, work, frozenset()):

            def deal(task: Task = task, future: Future[Examined] = future) -> None:
                seen = future.result()
                run.seen(task, seen)
                said = TextAnswer(take, fields, named=_is_named(task, named))
                planned = house.planner.answer(seen, said)
                if not planned.change.writes:
                    _tell(run, house, task, planned.change.notes)
                # Without its task the photo is planned again by the next sync.
                run.take(None, planned, seen, known=task.known is not None)

            run.attempt(task.photo.path, deal)
            if run.report.interrupted:
                break
    return run.report


def _is_named(task: Task, named: frozenset[Path]) -> bool:
    photo = task.photo
    return not named.isdisjoint((photo.path, *(path for path, _ in task.around)))


def _tell(run: Running, house: House, task: Task, notes: Sequence[str]) -> None:
    """What a change without a write has to say: it is not shown otherwise."""
    for note in notes:
        run.show.note(f"{printable(relative(task.photo.path, house.root))}: {note}")
