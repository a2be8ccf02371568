"""Find what there is to do: list the folders and leave out what was dealt with before.

One stat a file and one query a folder; no file is opened. That keeps a run over an archive where
nothing changed as cheap as listing it, and its memory flat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from urbexmp.drivers.house import House
from urbexmp.model.errors import LibraryGone, ManyEmptied, Problem
from urbexmp.model.photo import FileStat, Photo, PhotoId
from urbexmp.model.ports import FolderListing, KnownFile
from urbexmp.model.report import Report

EMPTIED_SHARE = 0.1
"""A run is held when more than this share of the known photos lost all keywords."""

EMPTIED_LEAST = 10
"""Below so many photos each one is held by itself, and the run goes on."""


@dataclass(frozen=True, slots=True)
class Task:
    """A photo to look at."""

    photo: Photo
    around: tuple[tuple[Path, FileStat | None], ...]
    """Its sidecars and companions with the stat they had in the listing."""
    policy: str
    known: KnownFile | None
    """What the ledger remembers of it; the picture is the same if the stat is."""

    @property
    def known_id(self) -> PhotoId | None:
        """The photo's id where its file did not change since it was found."""
        if self.known is not None and self.known.stat == self.photo.stat:
            return self.known.photo_id
        return None


@dataclass(slots=True)
class Found:
    """Counters of one listing pass."""

    tasks: int = 0
    unchanged: int = 0
    photos: int = 0
    outside: int = 0
    """Known photos whose sidecars changed since."""


def tasks(
    house: House, paths: Iterable[Path], report: Report, found: Found, *, again: bool = False
) -> Iterator[Task]:
    """Yield what is to do, folder by folder. Trouble met on the way goes into `report`.

    `again` takes up every photo, whatever the ledger remembers.
    Raises `LibraryGone` when a root is missing.
    """
    for listing in house.walker.folders(paths):
        report.problems.extend(listing.problems)
        report.skipped.update(listing.skipped or {})
        photos, problems = house.pairing(listing)
        report.problems.extend(problems)
        if not photos:
            continue
        known = house.ledger.known(listing.folder)
        policy = f"{house.policy}:{house.places.version(listing.folder, house.root)}"
        for photo in photos:
            found.photos += 1
            before = known.get(photo.path.name)
            around = surroundings(photo, listing)
            if not again and before is not None and _same(photo, around, before, policy):
                found.unchanged += 1
                continue
            found.tasks += 1
            yield Task(photo, around, policy, before)


def surroundings(photo: Photo, listing: FolderListing) -> tuple[tuple[Path, FileStat | None], ...]:
    """The files beside a photo that its keywords depend on, with their stat."""
    sidecars = [
        (path, listing.sidecars.get(path.name))
        for path in (*(carrier.path for carrier in photo.carriers), *photo.also_read)
        if path != photo.path
    ]
    return (*sidecars, *((file.path, file.stat) for file in photo.companions))


def _same(
    photo: Photo,
    around: tuple[tuple[Path, FileStat | None], ...],
    before: KnownFile,
    policy: str,
) -> bool:
    return before.stat == photo.stat and before.policy == policy and before.carriers == around


def guard(house: House, paths: Iterable[Path], *, again: bool, accept_emptied: bool) -> Found:
    """Look the folders over before anything is written, and count what is to do.

    Raises `LibraryGone` when the library holds no photo although some are known, and
    `ManyEmptied` when too many known photos lost all their keywords at once: a broken import in
    another program looks like that, and must not be learned as so many refusals.
    """
    paths = tuple(paths)
    found = Found()
    emptied = 0
    for task in tasks(house, paths, Report(), found, again=again):
        if task.known is None or task.known.carriers == task.around:
            continue
        found.outside += 1
        emptied += _is_emptied(house, task)
    if found.photos == 0 and house.root in paths and house.ledger.known_count(house.root):
        raise LibraryGone(
            house.root, detail="holds no photo, although some are known (is the volume mounted?)"
        )
    known = house.ledger.known_count(house.root)
    if not accept_emptied and emptied >= EMPTIED_LEAST and emptied > known * EMPTIED_SHARE:
        raise ManyEmptied(house.root, emptied=emptied, total=known)
    return found


def _is_emptied(house: House, task: Task) -> bool:
    assert task.known is not None
    base, _ = house.planner.base(task.known.photo_id, task.photo.path)
    if base is None or not base.agreed:
        return False
    try:
        snapshot = house.planner.snapshot(task.photo, task.known.photo_id)
    except Problem:
        return False
    return not any(state.fields.flat or state.fields.hierarchical for state in snapshot.carriers)


def gone(house: House, listing: FolderListing, photos: Iterable[Photo]) -> tuple[Path, ...]:
    """Photos that the ledger knows in a folder and that are no longer in it."""
    if listing.problems:
        return ()
    here = {photo.path.name for photo in photos}
    return tuple(
        known.path for name, known in house.ledger.known(listing.folder).items() if name not in here
    )
