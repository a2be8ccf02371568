"""Floor 4: the composition root. Turns settings into wired objects.

Imports are late: a command pays only for what it uses.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.errors import LibraryGone, Problem, StateUnwritable, UsageProblem
from urbexmp.rules.stopping import Stopping, never
from urbexmp.wiring import location_in, open_carriers, owner_of, sparing
from urbexmp.wiring_stages import close_stages, hear_pace, muster, open_stages, stop_on, vocabulary
from urbexmp.wiring_stages import open_taxonomy as open_taxonomy
from urbexmp.wiring_stages import taxonomy_path as taxonomy_path

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from urbexmp.adapters.db.ledger import SqliteLedger
    from urbexmp.adapters.db.mirror import SqliteMirror
    from urbexmp.drivers.house import House, StatePaths, Tools
    from urbexmp.model.ledger import LibraryLock
    from urbexmp.model.mirror import Mirror
    from urbexmp.model.ports import (
        BackupStore,
        Clock,
        Copies,
        Inspector,
        Places,
        Stage,
    )
    from urbexmp.model.profile import Profile, Settings
    from urbexmp.rules.taxonomy import Taxonomy
    from urbexmp.wiring_stages import Muster

PLAN_VERSION = 1
"""Raised when the rules change so that every photo should be planned again."""


def state_base(state: Path | None) -> Path:
    """The folder that holds the state of all libraries: `--state`, the environment, the user's."""
    if state is not None:
        return state.absolute()
    from urbexmp.adapters.dirs import state_folder

    return state_folder(os.environ).absolute()


def state_paths(root: Path, state: Path | None) -> StatePaths:
    """Where one library's state lives: one folder a library, named after its root."""
    from urbexmp.adapters.dirs import library_state
    from urbexmp.drivers.house import StatePaths

    folder = library_state(root, state_base(state))
    return StatePaths(
        folder,
        folder / "ledger.sqlite3",
        folder / "backups",
        folder / "copies",
        folder / "lock",
        folder / "log.txt",
        folder / "mirror.sqlite3",
        folder / "watch.lock",
        folder / "wanted",
        folder / "health.json",
    )


def library_root(path: Path, state: Path | None) -> Path:
    """The root of the library that `path` belongs to.

    The nearest folder above it (or itself) that is a library already; else the folder itself,
    or a file's own folder.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100  (keeps a symlinked library's own name)
    # A mistyped path stands for itself, and is refused; its parent must not become a library.
    folder = path.parent if path.is_file() else path
    for candidate in (folder, *folder.parents):
        if state_paths(candidate, state).ledger.exists():
            return candidate
    return folder


def library_roots(paths: Sequence[Path], state: Path | None) -> list[tuple[Path, list[Path]]]:
    """Group paths by the library that each belongs to, in the order given.

    Where links lead to another place in the library it is that place, as a walk over the whole
    of it names it: one photo must not be known by two paths.
    """
    from urbexmp.adapters.files.home import home_of

    groups: dict[Path, list[Path]] = {}
    for path in paths:
        full = Path(os.path.abspath(path))  # noqa: PTH100
        root = library_root(full, state)
        if full != root:
            is_folder = full.is_dir()
            home = home_of(full if is_folder else full.parent, root)
            full = home if is_folder else home / full.name
        groups.setdefault(root, []).append(full)
    return list(groups.items())


_Made = tuple[Callable[[], "Taxonomy"], "Taxonomy", "tuple[Stage, ...]"]
"""Loads the vocabulary; the vocabulary, perhaps not loaded yet; the stages."""


class Kept:
    """What costs to make and holds for many openings of houses: vocabularies, stages."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], _Made] = {}

    def clear(self) -> None:
        """Give it up; the processes of stages end."""
        for _, _, stages in self.made.values():
            close_stages(stages)
        self.made.clear()


@contextmanager
def open_house(
    root: Path,
    settings: Settings,
    *,
    state: Path | None = None,
    writing: bool,
    remember: bool = True,
    known: bool = False,
    stopping: Stopping = never,
    kept: Kept | None = None,
) -> Iterator[House]:
    """Open one library.

    `writing` takes the lock, puts right what a killed run left, and gives the house an applier;
    without it nothing in the house can write to a photo or a packet. `remember` keeps what the
    stages say in the ledger even then, so that the run after a dry run need not look again.
    `known` refuses a folder that is no library yet, instead of making it one. `kept` is a
    watch's, which opens the house for each burst of work: it does not ask itself for the lock.
    Raises `LibraryGone`, `LibraryLocked`, `LedgerDamaged`, `LedgerNewer`, `StateUnwritable`,
    `ConfigProblem`, `StageMissing`.
    """
    from urbexmp.adapters.backups import FolderBackups
    from urbexmp.adapters.clock import SystemClock
    from urbexmp.adapters.copies import FolderCopies
    from urbexmp.adapters.disk import LocalDisk
    from urbexmp.adapters.places import FolderPlaces
    from urbexmp.adapters.walk import FolderWalker
    from urbexmp.drivers.house import House
    from urbexmp.rules.pairing import pair

    if not root.is_dir():
        raise LibraryGone(root, detail="is no folder" if root.exists() else "is not there")
    paths = state_paths(root, state)
    if known and not paths.ledger.exists():
        raise UsageProblem(
            root,
            "urbexmp has not written here yet",
            "Name a folder that was synced; if it had a --state of its own, name that too",
        )
    # One thread a worker is enough: BLAS threads of their own would fight the workers for cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    profile = settings.profile
    clock = SystemClock()
    with ExitStack() as stack:
        backups = FolderBackups(paths.backups, _sync_volume)
        if writing:
            stack.enter_context(_lock(paths, watching=kept is not None))
        ledger, remember = _ledger(paths, writing=writing, remember=remember)
        stack.callback(ledger.close)
        load: Callable[[], Taxonomy] = cache(partial(open_taxonomy, profile))
        taxonomy, digest = vocabulary(profile, ledger, load, keep=remember)
        keeping = Kept() if kept is None else kept
        if kept is None:
            stack.callback(keeping.clear)
        if (profile.digest, digest) not in keeping.made:
            keeping.clear()
            stages = open_stages(profile, taxonomy, state)
            keeping.made[profile.digest, digest] = load, taxonomy, stages
        load, taxonomy, stages = keeping.made[profile.digest, digest]
        stop_on(stages, stopping)
        ready = muster(profile, stages)
        # The mount point of a volume that is not there is an empty folder: what is missing from
        # it says nothing about how far a killed run came.
        mounted = next(root.iterdir(), None) is not None
        recovered = _recovered(profile, ledger, backups, clock) if writing and mounted else ()
        places = FolderPlaces(taxonomy)
        copies = FolderCopies(paths.copies)
        workers = profile.workers or os.cpu_count() or 1
        yield House(
            root=root,
            settings=settings,
            state=paths,
            stage_ids=ready.ids,
            policy=_policy(profile, digest, ready.ids),
            walker=FolderWalker(profile.ignore, profile.recursive, root),
            pairing=partial(
                pair,
                sidecar_name=profile.sidecar_name,
                owner_of=owner_of,
                embed=profile.embed,
                pairs=profile.pairs,
            ),
            disk=LocalDisk(),
            places=places,
            ledger=ledger,
            backups=backups,
            copies=copies,
            tools=cache(
                lambda: _tools(root, profile, load(), ready, ledger, backups, copies, clock, places)
            ),
            writes=writing,
            clock=clock,
            stopwatch=time.perf_counter,
            executor=partial(_threads, workers),
            window=workers * 3,
            stopping=stopping,
            remember=remember,
            mirror_holds=partial(_mirror_holds, paths),
            open_mirror=cache(lambda: _mirror(stack, paths, root) if writing else None),
            recovered=recovered,
            without=ready,
            paced=hear_pace(stages),
        )


def open_kept(root: Path, state: Path | None) -> tuple[BackupStore, Copies]:
    """What is kept of a library's photos, for who only looks at it."""
    from urbexmp.adapters.backups import FolderBackups
    from urbexmp.adapters.copies import FolderCopies

    paths = state_paths(root, state)
    return FolderBackups(paths.backups), FolderCopies(paths.copies)


def _lock(paths: StatePaths, *, watching: bool) -> LibraryLock:
    from urbexmp.adapters.lock import AskingLock, FileLock, Request

    try:
        paths.folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise StateUnwritable(paths.folder, detail=failure.strerror or str(failure)) from failure
    if watching:
        return FileLock(paths.lock)
    return AskingLock(paths.lock, paths.watch, Request(paths.request), _say)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _ledger(paths: StatePaths, *, writing: bool, remember: bool) -> tuple[SqliteLedger, bool]:
    """The ledger, and whether looks can be kept in it. A run that writes must have it writable."""
    from urbexmp.adapters.db.ledger import SqliteLedger

    if writing or remember:
        try:
            paths.folder.mkdir(parents=True, exist_ok=True)
            return SqliteLedger(paths.ledger), True
        except OSError as failure:
            if writing:
                detail = failure.strerror or str(failure)
                raise StateUnwritable(paths.folder, detail=detail) from failure
        except StateUnwritable:
            if writing:
                raise
    return SqliteLedger(paths.ledger, readonly=True), False


def open_mirror(root: Path, state: Path | None) -> SqliteMirror:
    """The mirror of a library to read only, for a `with` block.

    Raises `UsageProblem` where there is none, `MirrorDamaged`.
    """
    from urbexmp.adapters.db.mirror import SqliteMirror

    return SqliteMirror(state_paths(root, state).mirror, readonly=True)


def _mirror(stack: ExitStack, paths: StatePaths, root: Path) -> Mirror | None:
    """The mirror to write to; None where it cannot be written: photos come first, it is a copy.

    One that a run could not follow must not be taken for current later, so it is thrown away.
    """
    from urbexmp.adapters.db.mirror import SqliteMirror
    from urbexmp.adapters.db.mirror_file import discard
    from urbexmp.model.mirror import PENDING, PROCESSING

    try:
        mirror = stack.enter_context(SqliteMirror(paths.mirror))
        mirror.describe(root)
        mirror.reset(PROCESSING, PENDING)
    except Problem:
        with suppress(OSError):
            discard(paths.mirror)
        return None
    return mirror


def _mirror_holds(paths: StatePaths, photos: int) -> bool:
    from urbexmp.adapters.db.mirror_file import holds

    return holds(paths.mirror, photos)


def _place_version(taxonomy: Taxonomy, places: Places, root: Path, folder: Path) -> str:
    """Digest of what the row of a photo in a folder depends on beside the photo."""
    from urbexmp.pipeline.look import FACTS

    return f"{FACTS}:{taxonomy.digest}:{places.version(folder, root)}"


def _policy(profile: Profile, taxonomy: str, stage_ids: tuple[str, ...]) -> str:
    text = "\n".join((str(PLAN_VERSION), profile.digest, taxonomy, *stage_ids))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _threads(workers: int) -> Executor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max_workers=workers, thread_name_prefix="look")


def _tools(
    root: Path,
    profile: Profile,
    taxonomy: Taxonomy,
    ready: Muster,
    ledger: SqliteLedger,
    backups: BackupStore,
    copies: Copies,
    clock: Clock,
    places: Places,
) -> Tools:
    """What deals with photos, and all the imports that this takes."""
    from urbexmp.adapters.inspect import FileInspector
    from urbexmp.adapters.inspect.own_texts import may_hold_texts
    from urbexmp.drivers.house import Tools
    from urbexmp.pipeline.applier import Applier
    from urbexmp.pipeline.look import Looker
    from urbexmp.pipeline.mirroring import RowReader
    from urbexmp.pipeline.planner import Planner
    from urbexmp.pipeline.readings import KeptReadings

    store, codec = open_carriers(profile)
    located = partial(location_in, store, codec)
    inspector = FileInspector()
    looker = Looker(inspector, places, ready.crew(), ledger, located, root, time.perf_counter)
    place_version = partial(_place_version, taxonomy, places, root)
    spared = partial(sparing, codec)
    kept = KeptReadings(codec)
    keeping = copies if profile.backup == "full" else None
    return Tools(
        taxonomy,
        looker,
        Planner(
            *(store, kept, ledger, clock, taxonomy, profile, Path.exists, spared),
            may_hold_texts,
            partial(_caption_of, inspector),
        ),
        Applier(store, codec, ledger, backups, clock, keeping),
        RowReader(store, kept, looker, place_version, root),
    )


def _caption_of(inspector: Inspector, path: Path) -> str | None:
    """The description that a picture has in its EXIF, where a person wrote it there."""
    try:
        return inspector.facts(path).image_description
    except Problem:
        return None  # what cannot be read is told of where it is to be written into


def _recovered(
    profile: Profile, ledger: SqliteLedger, backups: BackupStore, clock: Clock
) -> tuple[str, ...]:
    """Put right what a killed run left, if any did."""
    if not ledger.has_intents():
        return ()
    from urbexmp.pipeline.recover import recover

    return recover(open_carriers(profile)[0], ledger, backups, clock)


def _sync_volume(handle: int) -> bool:
    from urbexmp.adapters.files.volume import sync_volume

    return sync_volume(handle)
