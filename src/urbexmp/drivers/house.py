"""The house: everything a driver needs, wired for one library."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from urbexmp.model.errors import Problem
from urbexmp.model.ledger import Ledger
from urbexmp.model.mirror import Mirror
from urbexmp.model.photo import Photo
from urbexmp.model.ports import Backups, Clock, Disk, FolderListing, Places, Stopwatch, Walker
from urbexmp.model.profile import Profile, Settings
from urbexmp.pipeline.applier import Applier
from urbexmp.pipeline.look import Looker
from urbexmp.pipeline.mirroring import RowReader
from urbexmp.pipeline.planner import Planner
from urbexmp.rules.taxonomy import Taxonomy

Pairing = Callable[[FolderListing], tuple[tuple[Photo, ...], tuple[Problem, ...]]]
"""From a folder's listing to its photos, and the trouble met on the way."""


@dataclass(frozen=True, slots=True)
class StatePaths:
    """Where the state of one library lives, outside every watched folder."""

    folder: Path
    ledger: Path
    backups: Path
    lock: Path
    log: Path
    mirror: Path


@dataclass(frozen=True, slots=True)
class House:
    """One library, open. `applier` is None where nothing may be written."""

    root: Path
    settings: Settings
    taxonomy: Taxonomy
    state: StatePaths
    policy: str
    """Digest of all that a plan depends on beside the photo: profile, taxonomy, stages."""
    walker: Walker
    pairing: Pairing
    disk: Disk
    places: Places
    ledger: Ledger
    backups: Backups
    looker: Looker
    planner: Planner
    applier: Applier | None
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
    mirror: Mirror | None = None
    """The copy for queries; None where nothing may be written."""
    row_reader: RowReader | None = None
    """Makes the mirror's rows from the files."""
    recovered: tuple[str, ...] = ()
    """What an earlier, killed run left and was put right on opening, a sentence each."""

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self.settings.profile
