"""The mirror: what the packets say, as rows that can be asked; and the port of its storage.

Everything in a row but `status` and `held` comes from the photo file, its XMP packets and the
`location.toml` files above it, so the mirror can be deleted and built again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from urbexmp.model.keyword import Keyword
from urbexmp.model.observation import CaptureFacts, Context
from urbexmp.model.photo import FileKind, FileStat

PENDING = "pending"
"""Not dealt with yet: its packets are mirrored all the same."""
PROCESSING = "processing"
"""A run looks at it now."""
COMPLETED = "completed"
"""Dealt with: a sync has nothing to do."""
FAILED = "failed"
"""The last run met a problem with it; it is tried again."""

STATUSES = (PENDING, PROCESSING, COMPLETED, FAILED)

AI = "ai"
"""We wrote it: our block lists it, and it stands as we spelled it."""
PERSON = "person"
"""It is not ours: a person wrote it, added it through us, or confirmed it."""
BOTH = "both"
"""We wrote it, and a person spelled it their own way since."""

SOURCES = (AI, PERSON, BOTH)


@dataclass(frozen=True, slots=True)
class MirrorKeyword:
    """One keyword that a photo holds, and who wrote it."""

    keyword: Keyword
    """Spelled as in the packet."""
    source: str
    """`ai`, `person`, `both`."""
    score: int | None = None
    """Confidence 0..100; None where there is none."""
    stage: str = ""
    """Name of the stage that said it, `camera`; `person`; "" for a keyword that is not ours."""
    model: str = ""
    """Version of the stage: the digits after the `@` of its id (weights, prompts, settings)."""
    profile: str = ""
    at: str = ""
    """ISO 8601, UTC: when we wrote it."""


@dataclass(frozen=True, slots=True)
class MirrorHeld:
    """One edit that waits for a person; from the ledger, not from the packets."""

    keyword: Keyword
    confidence: float | None = None
    """0..1."""
    reason: str = ""
    """Why a person is asked first."""


@dataclass(frozen=True, slots=True)
class MirrorRow:
    """One photo as the mirror holds it."""

    path: Path
    """Relative to the library's root."""
    photo_id: str
    """"" where the file could not be read."""
    kind: FileKind
    stat: FileStat
    facts: CaptureFacts = field(default_factory=CaptureFacts)
    context: Context | None = None
    """The place, as far as it is known."""
    view: str | None = None
    view_score: float | None = None
    """0..1."""
    quality: float | None = None
    """0..100."""
    condition: float | None = None
    """0 ruined .. 100 sound."""
    era: str | None = None
    status: str = PENDING
    description: str | None = None
    """`dc:description`."""
    text: str | None = None
    """Words read in the picture."""
    keywords: tuple[MirrorKeyword, ...] = ()
    vetoed: tuple[Keyword, ...] = ()
    held: tuple[MirrorHeld, ...] = ()
    version: str = ""
    """Digest of all packets, photo file and place that the row was made from."""
    alt_text: str | None = None
    """`Iptc4xmpCore:AltTextAccessibility`."""


@dataclass(frozen=True, slots=True)
class MirrorDrift:
    """One way in which the mirror differs from the files."""

    path: Path
    """Relative to the library's root."""
    what: str
    """`missing`: no row. `gone`: a row without a photo. `stale`: made from older files.
    `wrong`: made from these very files, and yet it says something else."""
    detail: str = ""


class Mirror(Protocol):
    """Storage of the rows of one library. One writer at a time; readers never wait.

    What is deleted, damaged, or of another version is built again: opening never refuses, it
    starts empty, and `whole` is false until the rows are there. Any method may raise
    `StateUnwritable`.
    """

    @property
    def whole(self) -> bool:
        """Whether every photo of the library once had its row."""
        ...

    @property
    def remade(self) -> str | None:
        """Why an older mirror had to be thrown away on opening, a sentence; None: it was not."""
        ...

    def put(self, rows: Iterable[MirrorRow]) -> int:
        """Make the rows stand as given, in one transaction; return how many differed.

        A row of the `version` that stands there is the same but for status and held, and is
        compared no further; one without a version is compared in full. All is on the disk when
        it returns, so that what the ledger says afterwards is never ahead.
        """
        ...

    def remove(self, paths: Iterable[Path]) -> int:
        """Take out photos that are gone, by relative path; return how many there were."""
        ...

    def status(self, paths: Iterable[Path], status: str) -> None:
        """Set the status of photos that have a row, by relative path."""
        ...

    def reset(self, status: str, to: str) -> None:
        """Set one status for another everywhere: what a killed run left `processing`."""
        ...

    def versions(self, folder: Path) -> Mapping[str, str]:
        """Versions of the rows of one folder (relative), by file name."""
        ...

    def folders(self) -> tuple[Path, ...]:
        """Folders that have rows, relative to the root."""
        ...

    def count(self, under: Path | None = None) -> int:
        """How many photos have a row: all, or those in a folder (relative) and below it."""
        ...

    def rows(self, folder: Path) -> Iterator[MirrorRow]:
        """The rows of one folder (relative), by name, as they were put (`facts` and `context`
        hold what the mirror keeps of them)."""
        ...

    def complete(self) -> None:
        """Remember that every photo of the library has its row."""
        ...

    def anew(self) -> AbstractContextManager[Mirror]:
        """A second, empty mirror, which takes this one's place when the block ends well.

        Until then, and after any exception, this one stays as it is.
        """
        ...

    def faults(self) -> tuple[str, ...]:
        """What is wrong inside, whatever the photos hold: damage, counts. A sentence each."""
        ...

    def generation(self) -> int:
        """Raised with every commit that changed something."""
        ...

    def backup(self, target: Path) -> int:
        """Make a consistent copy at `target` while in use: whole, checked, or not at all.

        Returns its size in bytes.
        """
        ...
