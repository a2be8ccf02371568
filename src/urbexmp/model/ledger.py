"""The ledger's port: the durable log of intents, receipts, merge bases, observations, waiting work.

`adapters.db` keeps it in SQLite, `adapters.memory_ledger` is its double; both pass the contract
tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from urbexmp.model.change import Change, Edit, MergeBase, Receipt
    from urbexmp.model.feedback import Judgement, Tally
    from urbexmp.model.keyword import Keyword
    from urbexmp.model.observation import StageLook
    from urbexmp.model.photo import Carrier, FileStat, Fingerprint, PhotoId
    from urbexmp.model.report import Report, RunRecord
    from urbexmp.model.text import TextChange


@dataclass(frozen=True, slots=True)
class Intent:
    """What the applier is about to do to one photo; written before the first effect."""

    run: str
    at: str
    change: Change
    will_be: tuple[tuple[Carrier, Fingerprint], ...]
    """The version each carrier has once it is done."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the ledger remembers of a photo that was dealt with: enough to skip it unopened."""

    path: Path
    stat: FileStat
    photo_id: PhotoId
    carriers: tuple[tuple[Path, FileStat | None], ...]
    """Sidecars and companions with the stat they had, None for absent."""
    policy: str
    """Digest of profile, taxonomy and stages it was dealt with under."""
    held: bool = False
    spared: tuple[str, ...] = ()
    """Why image files of it were not written into (`Spared.reason`), the profile's own choices
    left out."""


@dataclass(frozen=True, slots=True)
class SettledFolder:
    """A folder of which every photo was dealt with: enough to skip it without a look at one."""

    folder: Path
    digest: bytes
    """`FolderListing.digest` of the listing in which all its photos were as they are known."""
    policy: str
    """What the plans in it depended on beside the files, as in `KnownFile`."""
    photos: int


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """A photo that waits to be dealt with, or tried again."""

    path: Path
    priority: int
    """Lower goes first: 0 a person asked, 50 an import, 90 background, 99 a quiet moment."""
    attempts: int
    """How often it failed; 0: it only waits for its turn."""
    next_try: str
    last_error: str


class Ledger(Protocol):
    """Durable log of intents, receipts, merge bases, observations and waiting work."""

    def batch(self, *, durable: bool = True) -> AbstractContextManager[None]:
        """What is written inside is one transaction, durable on exit; an exception drops it.

        What is read inside sees what was written inside. Without `durable` a power cut (not a
        kill) may lose the newest transactions: for what would be found again.
        """
        ...

    # runs
    def open_run(self, record: RunRecord) -> None:
        """Record that a command began."""
        ...

    def close_run(self, run: str, ended: str, report: Report) -> None:
        """Record how it ended."""
        ...

    def runs(self, limit: int = 50) -> tuple[RunRecord, ...]:
        """Newest first."""
        ...

    def receipts(self, run: str) -> tuple[Receipt, ...]:
        """In the order they were carried out."""
        ...

    def mark_undone(self, run: str) -> None:
        """Record that a run was taken back."""
        ...

    # applying
    def intend(self, intent: Intent) -> None:
        """Record durably what is about to be done.

        Raises `InternalProblem` when the change's mark is the name of another photo's write:
        `told` could not tell the two apart.
        """
        ...

    def intents(self) -> tuple[Intent, ...]:
        """Intents without a receipt: what a killed run left."""
        ...

    def forget(self, intent: Intent) -> None:
        """Drop an intent of which nothing happened."""
        ...

    def record(self, receipt: Receipt) -> None:
        """One transaction: receipt, merge base, agreed set under the mark, intent gone."""
        ...

    # merge bases
    def base(self, photo_id: PhotoId, path: Path) -> MergeBase | None:
        """The base of this photo at this path."""
        ...

    def bases_elsewhere(self, photo_id: PhotoId, path: Path) -> tuple[tuple[Path, MergeBase], ...]:
        """Bases of the same picture at other paths (a move, or a copy)."""
        ...

    def put_base(self, photo_id: PhotoId, path: Path, base: MergeBase) -> None:
        """Store a base without a write: vetoes learned, a move, a verdict."""
        ...

    def drop_base(self, photo_id: PhotoId, path: Path) -> None:
        """Forget the base of a photo that moved away."""
        ...

    def told(self, mark: str) -> frozenset[Keyword] | None:
        """All keywords agreed at the write of that name; None: not known here."""
        ...

    def keywords(self) -> frozenset[Keyword]:
        """Every keyword ever agreed in the library, in the spelling that was seen last."""
        ...

    # observations
    def look(self, photo_id: PhotoId, stage: str, inputs: str | None) -> StageLook | None:
        """`inputs` is the digest of context and earlier looks the stage used, or ""; None: the
        newest look, whatever it used."""
        ...

    def remember(self, photo_id: PhotoId, inputs: str, look: StageLook) -> None:
        """Keep a look; its vectors apart, so that it comes back without them."""
        ...

    def keep_vector(self, photo_id: PhotoId, model: str, vector: bytes) -> None:
        """Keep the vector (float16, little-endian) that a model gives a picture."""
        ...

    def vector(self, photo_id: PhotoId, model: str) -> bytes | None:
        """The vector that was kept last; None: there is none."""
        ...

    def stage_ids(self) -> Mapping[str, int]:
        """Every stage that ever looked, by its id, with the number of looks kept of it."""
        ...

    def looks_by(self, stage: str) -> Iterator[tuple[Path, StageLook]]:
        """The newest look of one stage, by its id, at every photo that is in the library."""
        ...

    def looks(self) -> Iterator[tuple[PhotoId, StageLook]]:
        """All observations of photos that are in the library, newest per photo and stage."""
        ...

    # what was dealt with
    def known(self, folder: Path) -> Mapping[str, KnownFile]:
        """By file name, for one folder: one query a folder keeps memory flat."""
        ...

    def known_count(self, root: Path) -> int:
        """How many photos below `root` were dealt with."""
        ...

    def spared(self, root: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
        """Photos below `root` with an image file that is not written into, and why."""
        ...

    def settle(self, files: Iterable[KnownFile]) -> None:
        """Remember that these were dealt with."""
        ...

    def unsettle(self, paths: Iterable[Path]) -> None:
        """Forget that these were dealt with: a gone file, or one to look at again."""
        ...

    def settled_folder(self, folder: Path) -> SettledFolder | None:
        """What is remembered of a folder as a whole; None after any change to what is known of
        its photos (`settle`, `unsettle`)."""
        ...

    def settle_folder(self, settled: SettledFolder) -> None:
        """Remember that all photos of a folder were as they are known."""
        ...

    # held edits
    def hold(self, photo_id: PhotoId, path: Path, edits: tuple[Edit, ...]) -> None:
        """Replace the held edits of a photo; an empty tuple clears them."""
        ...

    def held(self, under: Path | None = None) -> tuple[tuple[Path, Edit], ...]:
        """Held edits, by photo path."""
        ...

    def held_at(self, photo_id: PhotoId, path: Path) -> tuple[Edit, ...]:
        """Held edits of one photo."""
        ...

    def hold_texts(self, photo_id: PhotoId, path: Path, texts: tuple[TextChange, ...]) -> None:
        """Replace the held texts of a photo; an empty tuple clears them."""
        ...

    def held_texts(self, under: Path | None = None) -> tuple[tuple[Path, TextChange], ...]:
        """Held texts, by photo path."""
        ...

    # what people did with our keywords
    def judge(self, photo_id: PhotoId, judgements: Iterable[Judgement]) -> None:
        """Remember it; of a picture's keyword only the last judgement is kept."""
        ...

    def tallies(self, under: Path | None = None) -> Iterator[Tally]:
        """Judgements of photos at or below `under`, counted. A veto in a merge base without a
        judgement counts as `REMOVED` by no known stage."""
        ...

    # waiting work
    def wait(self, work: WaitingWork) -> None:
        """Add or replace waiting work."""
        ...

    def waiting(
        self, now: str, limit: int = 100, *, newest: bool = False, least: int = 0
    ) -> tuple[WaitingWork, ...]:
        """Due at `now`, most urgent first; of these the one that waits longest, or shortest.

        `least` leaves out what is more urgent than that.
        """
        ...

    def waiting_on(self, path: Path) -> WaitingWork | None:
        """The waiting work of one photo."""
        ...

    def done_waiting(self, path: Path) -> None:
        """Take a photo off the waiting work."""
        ...


class LibraryLock(Protocol):
    """One writer per library; survives the crash of its holder."""

    def __enter__(self) -> LibraryLock:
        """Raises `LibraryLocked` with the holder's process id."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Let the library go."""
        ...
