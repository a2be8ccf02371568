"""The ports: what the pipeline needs of the outside, as protocols.

Each has one adapter for real use and a double in `adapters.memory`; both pass the same contract
tests (`tests/contract`). Every method may raise `Problem`; nothing else is expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from urbexmp.model.change import Change, PacketEdit
    from urbexmp.model.errors import Problem
    from urbexmp.model.keyword import KeywordFields
    from urbexmp.model.observation import (
        CaptureFacts,
        Context,
        Observation,
        Preview,
        StageInput,
    )
    from urbexmp.model.photo import (
        Block,
        Carrier,
        FileStat,
        Fingerprint,
        Photo,
        PhotoFile,
        PhotoId,
    )
    from urbexmp.model.report import Report
    from urbexmp.model.text import TextState

# --- Finding and looking ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FolderListing:
    """What one folder holds: photo files, sidecars, and the trouble met while listing."""

    folder: Path
    photos: tuple[PhotoFile, ...]
    sidecars: Mapping[str, FileStat]
    """File names ending in .xmp (any case), as spelled on disk."""
    problems: tuple[Problem, ...] = ()
    skipped: Mapping[str, int] | None = None
    """Files left out, by reason."""
    digest: bytes = b""
    """Stands for names, sizes, times and inodes of all photos and sidecars; empty: not known."""
    same: bool = False
    """The folder has the digest that it was settled with; then no files are listed here."""


class Walker(Protocol):
    """Lists folders. By extension only: no file is opened (`Inspector` looks at magic bytes)."""

    def folders(
        self,
        roots: Iterable[Path],
        settled: Callable[[Path], bytes | None] | None = None,
        past: Callable[[Path], bool] | None = None,
    ) -> Iterator[FolderListing]:
        """Yield every folder once, parents first, names sorted; never follows a loop.

        A root that is a file gives a listing of its folder reduced to that photo (and its
        pair). `settled` gives the digest that a folder had when all of it was dealt with; a
        folder that still has it is listed as `same`, without its files. `past` tells of a
        folder below a root that it is passed by, with all that is below it.
        Raises `LibraryGone` when a root is missing.
        """
        ...

    def one(self, folder: Path, root: Path) -> FolderListing | None:
        """The listing of one folder at or below `root`, without those below it.

        None where `folders` would not come by: hidden, left out, or below a library that is
        not recursive.
        """
        ...


class Inspector(Protocol):
    """Opens one photo file and says what is in it. Never writes."""

    def together(self) -> AbstractContextManager[None]:
        """Questions of this thread inside the block may share what was read of a file."""
        ...

    def verify(self, file: PhotoFile) -> None:
        """Raise `NotAPhoto` when the magic bytes do not fit the extension."""
        ...

    def photo_id(self, path: Path) -> PhotoId:
        """Digest of image bytes that metadata writers do not touch."""
        ...

    def facts(self, path: Path) -> CaptureFacts:
        """Capture facts; all None where the file says nothing."""
        ...

    def preview(self, photo: Photo, long_side: int) -> Preview:
        """Upright picture, long side at least `long_side` where the source has it.

        For a RAW: the embedded preview, the companion JPEG, then a demosaic where rawpy is
        installed. Raises `Undecodable`.
        """
        ...


class Stage(Protocol):
    """One look at a photo."""

    @property
    def name(self) -> str:
        """`camera`, `pixels`, `place`, ..."""
        ...

    @property
    def id(self) -> str:
        """Name, `@`, eight hex digits of weights, prompts, settings and the code's version."""
        ...

    @property
    def uses_preview(self) -> bool:
        """Whether it looks at the picture."""
        ...

    @property
    def uses_context(self) -> bool:
        """Whether its answer depends on the context; then it is cached by that too."""
        ...

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Say what is seen. Thread-safe. Raises `Problem` when this photo cannot be looked at."""
        ...


class Places(Protocol):
    """What is known of the place of a photo."""

    def context(self, photo: Photo, root: Path, facts: CaptureFacts) -> Context:
        """Context from folder names below `root`, `location.toml` files, and XMP location."""
        ...

    def version(self, folder: Path, root: Path) -> str:
        """Digest of what the `location.toml` files from `root` to `folder` say; "" for none."""
        ...

    def take_problems(self) -> tuple[Problem, ...]:
        """Mistakes met in location files since the last call, each once."""
        ...


class Disk(Protocol):
    """The cheap questions about files."""

    def stat(self, path: Path) -> FileStat | None:
        """None when there is no such file."""
        ...

    def obstacle(self, path: Path) -> str | None:
        """What the file system has against a file being replaced, a stable word (`read-only`,
        `hard-linked`), of which `stat` says nothing; None: nothing."""
        ...


# --- Packets ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PacketReading:
    """What a packet says."""

    fields: KeywordFields
    block: Block | None
    protected: frozenset[str]
    notes: tuple[str, ...]
    sidecar_for: str | None = None
    """`photoshop:SidecarForExtension`, else the extension of `crs:RawFileName`, upper case."""
    description: str | None = None
    """`dc:description` in the language `x-default`, else in the first one; None for a blank."""
    texts: tuple[TextState, ...] = ()
    """Texts of which the packet holds the property, whatever its form."""


class Codec(Protocol):
    """Packets as bytes: pure functions. Thread-safe."""

    def read(self, packet: bytes, subject: Path) -> PacketReading:
        """Read all that is legal and much that is not. Raises `PacketRefused` when it cannot."""
        ...

    def edit(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        """Return the packet with exactly `edit` done to it. Raises `PacketRefused`."""
        ...

    def create(self, edit: PacketEdit) -> bytes:
        """Return a new sidecar's bytes."""
        ...

    def prove(self, before: bytes | None, after: bytes, edit: PacketEdit, subject: Path) -> None:
        """Raise `ProofFailed` unless `after` is `before` plus exactly `edit`.

        Shares no parser with `edit`. `before` None: a new sidecar.
        """
        ...

    def edit_proven(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        """`edit`, and `prove` unless that changed nothing; raises what either raises.

        For who wants both: what the one has found out need not be found out again by the other.
        """
        ...


class CarrierReader(Protocol):
    """The packets on disk, for those who only look: a dry run holds nothing that can write."""

    def read(self, carrier: Carrier) -> bytes | None:
        """The packet's bytes, None when there is none. Raises `FileUnreadable`."""
        ...


@dataclass(frozen=True, slots=True)
class Replacement:
    """One packet to put in place of another: the arguments of `CarrierStore.replace`."""

    carrier: Carrier
    packet: bytes
    assumes: Fingerprint


class CarrierStore(CarrierReader, Protocol):
    """The packets on disk. The applier is the only one that calls `replace` and `remove`."""

    def replace(self, carrier: Carrier, packet: bytes, assumes: Fingerprint) -> None:
        """Put `packet` in place of the version `assumes`, whole or not at all, durable.

        Temp file in the same folder, fsync, fingerprint check, rename, fsync of the folder.
        The mtime strictly advances. Raises `CarrierMoved`, `HardLinked`, `WriteFailed`; then
        the carrier is as it was and no temp file is left.
        """
        ...

    def replace_many(self, wanted: Sequence[Replacement]) -> tuple[Problem | None, ...]:
        """`replace` for many carriers with few syncs. A problem of one stops no other.

        All are durable on return; until then each is whole, old or new.
        """
        ...

    def remove(self, carrier: Carrier, assumes: Fingerprint) -> None:
        """Remove a sidecar that we created (undo only). Raises as `replace`."""
        ...

    def tidy(self, folder: Path) -> int:
        """Remove temp files that a killed run of ours left in `folder`; return how many."""
        ...


class Backups(Protocol):
    """The exact bytes that we replaced, by their digest."""

    def keep(self, packet: bytes) -> Fingerprint:
        """Store durably; storing twice is one backup. Raises `StateUnwritable`."""
        ...

    def keep_many(self, packets: Sequence[bytes]) -> tuple[Fingerprint, ...]:
        """`keep` for many packets with few syncs; all are durable on return."""
        ...

    def fetch(self, digest: Fingerprint) -> bytes:
        """Raises `BackupMissing` when absent or damaged (the digest is checked)."""
        ...


class Stored(Protocol):
    """What is kept by fingerprint, as a thing with a size that can be given up."""

    def stored(self) -> Iterator[tuple[Fingerprint, int]]:
        """Every version that is kept, and the bytes it takes on the disk. In no order."""
        ...

    def size(self, version: Fingerprint) -> int | None:
        """Bytes that one version takes; None: it is not kept."""
        ...

    def discard(self, version: Fingerprint) -> int:
        """Give a version up; return the bytes that are free again. Raises `StateUnwritable`."""
        ...


class BackupStore(Backups, Stored, Protocol):
    """Backups that can be listed and given up."""

    def discard_many(self, versions: Iterable[Fingerprint]) -> int:
        """`discard` for many at once; return the bytes that are free again."""
        ...


class Copies(Stored, Protocol):
    """Whole copies of image files, kept beside the backups of their packets."""

    def fetch_to(self, version: Fingerprint, target: Path) -> None:
        """Copy a kept file to `target`, which must not exist.

        Raises `BackupMissing`, `WriteFailed`.
        """
        ...

    def keep(self, source: Path, version: Fingerprint) -> None:
        """Keep a copy of the file while its packet is `version`; durable on return.

        Streamed. Raises `FileUnreadable`, `StateUnwritable`.
        """
        ...


# --- People, time and names -------------------------------------------------------------------


class Clock(Protocol):
    """Time and fresh names, so that rules and tests need none of their own."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def fresh(self, prefix: str) -> str:
        """A name that was never given before, sortable by time: `r20261120-093015-4f2a`."""
        ...


class Stopwatch(Protocol):
    """Measures how long a look took."""

    def __call__(self) -> float:
        """Seconds since some fixed moment."""
        ...


class Show(Protocol):
    """Shows a run to a person, or to a program."""

    def begin(self, report: Report, total: int | None) -> None:
        """The run begins; `total` photos, where known."""
        ...

    def photo(self, path: Path) -> None:
        """One photo was dealt with (progress)."""
        ...

    def note(self, sentence: str) -> None:
        """Something worth knowing that is no problem: what a killed run left was put right."""
        ...

    def change(self, change: Change, *, applied: bool) -> None:
        """A change was carried out, or would be."""
        ...

    def problem(self, problem: Problem) -> None:
        """Something a person must know."""
        ...

    def end(self, report: Report) -> None:
        """The run is over."""
        ...
