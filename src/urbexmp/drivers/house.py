"""The house: everything a driver needs, wired for one library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager
    from pathlib import Path

    from urbexmp.model.errors import Problem
    from urbexmp.model.ledger import Ledger
    from urbexmp.model.mirror import Mirror
    from urbexmp.model.pacing import Paced
    from urbexmp.model.photo import Photo
    from urbexmp.model.ports import (
        BackupStore,
        Clock,
        Copies,
        Disk,
        FolderListing,
        Places,
        Stopwatch,
        Walker,
    )
    from urbexmp.model.profile import Profile, Settings
    from urbexmp.pipeline.applier import Applier
    from urbexmp.pipeline.look import Looker
    from urbexmp.pipeline.mirroring import RowReader
    from urbexmp.pipeline.planner import Planner
    from urbexmp.rules.taxonomy import Taxonomy

    Pairing = Callable[[FolderListing], tuple[tuple[Photo, ...], tuple[Problem, ...]]]
    """From a folder's listing to its photos, and the trouble met on the way."""


def _nothing() -> tuple[Paced, ...]:
    return ()


def _no_mirror() -> None:
    return None


def _no_mirror_holds(photos: int) -> bool:
    return False


class Ready(Protocol):
    """Which of the profile's stages can run now."""

    @property
    def stops(self) -> Problem | None:
        """Why nothing is to be done at all; None: nothing stands against it."""
        ...

    @property
    def told(self) -> Mapping[str, str]:
        """Stages that the run goes without, each with what is missing."""
        ...


@dataclass(frozen=True, slots=True)
class StatePaths:
    """Where the state of one library lives, outside every watched folder."""

    folder: Path
    ledger: Path
    backups: Path
    copies: Path
    lock: Path
    log: Path
    mirror: Path
    watch: Path
    """The lock of a watch."""
    request: Path
    """Is there while a command waits for the watch to let the library go."""
    health: Path
    """How the watch goes."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tools:
    """What deals with photos. Made when the first photo has to be dealt with: a run over an
    archive where nothing changed reads no vocabulary and imports no decoder."""

    taxonomy: Taxonomy
    looker: Looker
    planner: Planner
    applier: Applier
    row_reader: RowReader
    """Makes the mirror's rows from the files."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class House:
    """One library, open."""

    root: Path
    settings: Settings
    state: StatePaths
    stage_ids: tuple[str, ...]
    """Ids of the profile's stages, in their order."""
    policy: str
    """Digest of all that a plan depends on beside the photo: profile, taxonomy, stages."""
    walker: Walker
    pairing: Pairing
    disk: Disk
    places: Places
    ledger: Ledger
    backups: BackupStore
    copies: Copies
    """Whole copies of image files; new ones are made only with `backup = "full"`."""
    tools: Callable[[], Tools]
    """Gives the same tools each time."""
    writes: bool
    """Whether anything may be written. Without it there is no applier."""
    clock: Clock
    stopwatch: Stopwatch
    executor: Callable[[], AbstractContextManager[Executor]]
    """Makes the worker threads that look at photos; as many as the profile says."""
    window: int
    """How many photos may be under way at once: bounds the memory."""
    stopping: Callable[[], bool]
    """Whether a person has asked to stop: then the run ends after the photo at hand."""
    remember: bool = True
    """Whether the ledger can keep what the stages say, also in a dry run."""
    mirror_holds: Callable[[int], bool] = _no_mirror_holds
    """Whether a whole mirror is there, of so many photos; opens nothing to write."""
    open_mirror: Callable[[], Mirror | None] = _no_mirror
    """Gives the same mirror each time; None where nothing may be written."""
    without: Ready | None = None
    """Which stages can run; None: all."""
    paced: Callable[[], Sequence[Paced]] = _nothing
    """Changes of how much the stages do at a time, those since it was last asked."""
    recovered: tuple[str, ...] = ()
    """What an earlier, killed run left and was put right on opening, a sentence each."""

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self.settings.profile

    @property
    def taxonomy(self) -> Taxonomy:
        """The profile's vocabulary."""
        return self.tools().taxonomy

    @property
    def looker(self) -> Looker:
        """Looks at photos."""
        return self.tools().looker

    @property
    def planner(self) -> Planner:
        """Makes changes."""
        return self.tools().planner

    @property
    def row_reader(self) -> RowReader:
        """Makes the mirror's rows from the files."""
        return self.tools().row_reader

    @property
    def mirror(self) -> Mirror | None:
        """The copy for queries; None where nothing may be written. Opened when first asked for."""
        return self.open_mirror()

    @property
    def applier(self) -> Applier | None:
        """Carries changes out; None where nothing may be written."""
        return self.tools().applier if self.writes else None
