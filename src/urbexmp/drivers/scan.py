"""Find what there is to do: list the folders and leave out what was dealt with before.

One stat a file and one query a folder; no file is opened. A folder in which every photo was found
as it is known is remembered as a whole, by a digest of its listing, and while that digest stays
nothing is paired or compared there. That keeps a run over an archive where nothing changed as
cheap as listing it, and its memory flat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.errors import LibraryGone, ManyEmptied, Problem
from urbexmp.model.ledger import SettledFolder
from urbexmp.model.photo import OBSTACLES, CarrierKind
from urbexmp.model.ports import FolderListing

if TYPE_CHECKING:
    from urbexmp.drivers.house import House
    from urbexmp.model.ledger import KnownFile
    from urbexmp.model.photo import FileStat, Photo, PhotoId, Snapshot

EMPTIED_SHARE = 0.1
"""A run is held when more than this share of the known photos lost all keywords."""

EMPTIED_LEAST = 10
"""Below so many photos each one is held by itself, and the run goes on."""


CLOCK_STEP_NS = 2_000_000_000
"""The coarsest clock of a file system, FAT's. What was written so shortly before a listing can be
written again with the same time, so a folder that holds it is not remembered as a whole yet."""


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

    photos: int = 0
    tasks: int = 0
    unchanged: int = 0
    troubled: bool = False
    """Something went wrong on the way."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Files left out, by reason."""
    gone: list[Path] = field(default_factory=list)
    """Photos that were known and are no longer there."""


def no_trouble(problem: Problem) -> None:
    """Trouble of a pass that only counts: the pass that follows will meet it again."""


def tasks(
    house: House,
    paths: Iterable[Path],
    found: Found,
    trouble: Callable[[Problem], None],
    *,
    again: bool = False,
    listed: Callable[[Path], None] | None = None,
    past: Callable[[Path], bool] | None = None,
) -> Iterator[Task]:
    """Yield what is to do, folder by folder; call `trouble` with what went wrong on the way.

    `again` takes up every photo, whatever the ledger remembers. `listed` is told each folder;
    folders below `paths` of which `past` says so are passed by.
    Raises `LibraryGone` when a root is missing.
    """
    paths = tuple(paths)
    roots = frozenset(paths)
    began_ns = int(house.clock.now().timestamp() * 1e9)
    remembered = Remembered(house)
    for listing in house.walker.folders(paths, None if again else remembered.digest, past):
        found.skipped.update(listing.skipped or {})
        if listed is not None:
            listed(listing.folder)
        if listing.same:
            found.photos += remembered.photos
            found.unchanged += remembered.photos
            continue
        photos, problems = house.pairing(listing)
        for problem in (*listing.problems, *problems):
            found.troubled = True
            trouble(problem)
        known = house.ledger.known(listing.folder)
        if house.writes and (gone := _gone(listing, photos, known, roots)):
            let_go(house, gone)
            found.gone.extend(file.path for file in gone)
        if not photos:
            continue
        policy = policy_of(house, listing.folder)
        before_it = found.tasks
        obstructed = False
        for photo in photos:
            found.photos += 1
            before = known.get(photo.path.name)
            around = surroundings(photo, listing)
            if not again and before is not None and _same(photo, around, before, policy):
                if not before.spared or OBSTACLES.isdisjoint(before.spared):
                    found.unchanged += 1
                    continue
                # That can go away without a trace in the listing, so the folder is looked into.
                obstructed = True
                if _obstructed(house, photo):
                    found.unchanged += 1
                    continue
            found.tasks += 1
            yield Task(photo, around, policy, before)
        settled = found.tasks == before_it and not problems and bool(listing.digest)
        if settled and not obstructed and house.writes and _is_calm(listing, began_ns):
            house.ledger.settle_folder(
                SettledFolder(listing.folder, listing.digest, policy, len(photos))
            )


class Remembered:
    """What the ledger remembers of folders as a whole, one after the other."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.photos = 0
        """In the folder that was asked for last."""

    def digest(self, folder: Path) -> bytes | None:
        """The digest of a folder that was settled under the same policy; None for any other."""
        settled = self._house.ledger.settled_folder(folder)
        if settled is None or settled.policy != policy_of(self._house, folder):
            return None
        self.photos = settled.photos
        return settled.digest


def _is_calm(listing: FolderListing, began_ns: int) -> bool:
    """Whether nothing in a folder was written so shortly before that one more write could leave
    the same numbers. A time in the future never is calm: it says that a clock is wrong."""
    stats = (*(photo.stat for photo in listing.photos), *listing.sidecars.values())
    return all(stat.mtime_ns < began_ns - CLOCK_STEP_NS for stat in stats)


def tasks_in(house: House, folder: Path, names: frozenset[str]) -> tuple[FolderListing, list[Task]]:
    """The photos of one folder that have a file of one of these basenames (folded).

    Photos that are as they are known are among them, as are unclear ones among the listing's
    problems. An empty listing where the walk would not come by.
    """
    whole = house.walker.one(folder, house.root)
    if whole is None:
        return FolderListing(folder, (), {}), []
    from urbexmp.rules.settle import group_of

    listing = FolderListing(
        folder,
        tuple(file for file in whole.photos if group_of(file.path)[1] in names),
        {
            name: stat
            for name, stat in whole.sidecars.items()
            if group_of(folder / name)[1] in names
        },
        whole.problems,
    )
    photos, problems = house.pairing(listing)
    listing = replace(listing, problems=(*listing.problems, *problems))
    if not photos:
        return listing, []
    known = house.ledger.known(folder)
    policy = policy_of(house, folder)
    return listing, [
        Task(photo, surroundings(photo, listing), policy, known.get(photo.path.name))
        for photo in photos
    ]


def is_same(task: Task) -> bool:
    """Whether a photo is as it was when it was dealt with."""
    known = task.known
    return known is not None and _same(task.photo, task.around, known, task.policy)


def changed_files(task: Task) -> dict[Path, FileStat]:
    """Files of a photo that are there and are not as they were when it was dealt with."""
    known = task.known
    before = {} if known is None else {**dict(known.carriers), known.path: known.stat}
    files = ((task.photo.path, task.photo.stat), *task.around)
    return {path: stat for path, stat in files if stat is not None and before.get(path) != stat}


def task_of(house: House, path: Path) -> Task | None:
    """The task of one photo as its folder lists it now; None when it is not there."""
    for listing in house.walker.folders((path,)):
        for photo in house.pairing(listing)[0]:
            if photo.path == path:
                policy = policy_of(house, listing.folder)
                return Task(photo, surroundings(photo, listing), policy, None)
    return None


def policy_of(house: House, folder: Path) -> str:
    """Digest of what a plan in this folder depends on beside the photo."""
    return f"{house.policy}:{house.places.version(folder, house.root)}"


def surroundings(photo: Photo, listing: FolderListing) -> tuple[tuple[Path, FileStat | None], ...]:
    """The files beside a photo that its keywords depend on, with their stat."""
    sidecars = [
        (path, listing.sidecars.get(path.name))
        for path in (*(carrier.path for carrier in photo.carriers), *photo.also_read)
        if path not in photo.images
    ]
    return (*sidecars, *((file.path, file.stat) for file in photo.companions))


def _same(
    photo: Photo,
    around: tuple[tuple[Path, FileStat | None], ...],
    before: KnownFile,
    policy: str,
) -> bool:
    return before.stat == photo.stat and before.policy == policy and before.carriers == around


def _obstructed(house: House, photo: Photo) -> bool:
    """Whether a file of the photo still cannot be replaced."""
    return any(
        carrier.kind is CarrierKind.EMBEDDED and house.disk.obstacle(carrier.path) is not None
        for carrier in photo.carriers
    )


def guard(house: House, paths: Iterable[Path], *, again: bool, accept_emptied: bool) -> Found:
    """Look the folders over before anything is written, and count what is to do.

    Raises `LibraryGone` when the library holds no photo although some are known, and
    `ManyEmptied` when too many known photos lost all their keywords at once: a broken import in
    another program looks like that, and must not be learned as so many refusals.
    """
    paths = tuple(paths)
    found = Found()
    emptied = 0
    for task in tasks(house, paths, found, no_trouble, again=again):
        if task.known is None or (
            task.known.carriers == task.around and task.known.stat == task.photo.stat
        ):
            continue
        emptied += _is_emptied(house, task)
    if found.photos == 0 and house.root in paths and house.ledger.known_count(house.root):
        raise LibraryGone(
            house.root, detail="holds no photo, although some are known (is the volume mounted?)"
        )
    if not accept_emptied and emptied >= EMPTIED_LEAST:
        known = house.ledger.known_count(house.root)
        if emptied > known * EMPTIED_SHARE:
            raise ManyEmptied(house.root, emptied=emptied, total=known)
    return found


def _is_emptied(house: House, task: Task) -> bool:
    assert task.known is not None
    try:
        snapshot = house.planner.snapshot(task.photo, task.known.photo_id)
    except Problem:
        return False
    return lost_all(house, task.known.photo_id, snapshot)


def lost_all(house: House, photo_id: PhotoId, snapshot: Snapshot) -> bool:
    """Whether a photo had keywords when it was dealt with last, and has none now."""
    if any(state.fields.flat or state.fields.hierarchical for state in snapshot.carriers):
        return False
    base, _ = house.planner.base(photo_id, snapshot.photo.path)
    return base is not None and bool(base.agreed)


def _gone(
    listing: FolderListing,
    photos: Iterable[Photo],
    known: Mapping[str, KnownFile],
    roots: frozenset[Path],
) -> tuple[KnownFile, ...]:
    """Photos that the ledger knows in a folder and that are no longer in it.

    Their merge bases stay: a photo that comes back, or turns up elsewhere, is known again. A
    listing of a single file, or with trouble, says nothing of the others.
    """
    whole = not roots.isdisjoint((listing.folder, *listing.folder.parents))
    if listing.problems or not whole:
        return ()
    here = {photo.path.name for photo in photos}
    return tuple(file for name, file in known.items() if name not in here)


def let_go(house: House, gone: Iterable[KnownFile]) -> None:
    """Forget of photos that went that they were dealt with, and what of them waited for a person.

    A photo that comes back is planned again, and then that waits again.
    """
    with house.ledger.batch(durable=False):
        for file in gone:
            house.ledger.unsettle((file.path,))
            house.ledger.hold(file.photo_id, file.path, ())
            house.ledger.hold_texts(file.photo_id, file.path, ())
