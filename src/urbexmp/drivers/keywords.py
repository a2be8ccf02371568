"""A person's own edits, by the same safe write, and the list of what photos hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from urbexmp.drivers.house import House
from urbexmp.drivers.run import opened_run
from urbexmp.drivers.scan import Found, Task, tasks
from urbexmp.model.errors import Problem
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Photo, PhotoId
from urbexmp.model.ports import Show
from urbexmp.model.report import Report
from urbexmp.rules.fields import found_keywords


@dataclass(frozen=True, slots=True)
class KeywordRow:
    """One keyword of one photo, and where it comes from."""

    path: Path
    keyword: Keyword
    source: str
    """`person`, `ai`, `both`, `vetoed`, `held`."""
    score: float | None = None
    stage: str = ""
    profile: str = ""
    at: str = ""


def edit(
    house: House,
    paths: Sequence[Path],
    show: Show,
    *,
    add: tuple[Keyword, ...] = (),
    remove: tuple[Keyword, ...] = (),
    confirm: tuple[Keyword, ...] = (),
    refuse: tuple[Keyword, ...] = (),
    unveto: tuple[Keyword, ...] = (),
    dry_run: bool = False,
) -> Report:
    """Do to every photo below `paths` what a person says, by the same proven write as `sync`."""
    assert dry_run or house.writes
    verbs = (("add", add), ("remove", remove), ("confirm", confirm), ("refuse", refuse))
    verb = next((name for name, given in verbs if given), "unveto")
    with opened_run(house, f"keyword {verb}", show) as run:
        work = list(tasks(house, paths, Found(), run.trouble, again=True))
        run.report.photos = len(work)
        show.begin(run.report, len(work))
        for task in work:

            def deal(task: Task = task) -> None:
                planned = house.planner.person(
                    task.photo,
                    house.looker.identify(task.photo, task.known_id),
                    add=add,
                    remove=remove,
                    confirm=confirm,
                    refuse=refuse,
                    unveto=unveto,
                )
                # Without its task the photo is planned again by the next sync.
                run.take(None, planned, known=task.known is not None)

            run.attempt(task.photo.path, deal)
            if run.report.interrupted:
                break
    return run.report


def listing(house: House, paths: Sequence[Path]) -> Iterator[KeywordRow | Problem]:
    """Yield the keywords that photos below `paths` hold now, with who wrote them."""
    problems: list[Problem] = []
    for task in tasks(house, paths, Found(), problems.append, again=True):
        try:
            photo_id = house.looker.identify(task.photo, task.known_id)
            yield from rows(house, task.photo, photo_id)
        except Problem as problem:
            yield problem
    yield from problems


def rows(house: House, photo: Photo, photo_id: PhotoId) -> Iterator[KeywordRow]:
    """The keywords of one photo, then its vetoes, then what is held. Raises `Problem`."""
    snapshot = house.planner.snapshot(photo, photo_id)
    base = house.planner.base(photo_id, photo.path)[0]
    places = (*snapshot.carriers, *snapshot.elsewhere)
    blocks = [state.block for state in snapshot.carriers if state.block is not None]
    entries = {entry.keyword: entry for block in blocks for entry in block.written}
    ours = base.ours if base is not None else frozenset(entries)
    vetoed = (
        base.vetoed
        if base is not None
        else frozenset(keyword for block in blocks for keyword in block.vetoed)
    )
    found = frozenset().union(
        *(found_keywords(state.fields, frozenset(entries)) for state in places)
    )
    for keyword in sorted(found):
        entry = entries.get(keyword)
        if entry is None:
            yield KeywordRow(photo.path, keyword, "ai" if keyword in ours else "person")
            continue
        source = "ai" if keyword in ours else "both"
        yield KeywordRow(
            photo.path, keyword, source, entry.score, entry.stage, entry.profile, entry.at
        )
    for keyword in sorted(vetoed):
        yield KeywordRow(photo.path, keyword, "vetoed")
    for path, held in house.ledger.held(photo.path):
        if path == photo.path:
            yield KeywordRow(path, held.keyword, "held", held.confidence)
