"""The mirror follows a run: step 5 of the crash table.

The order matters. A row is on the disk before the ledger remembers the photo as dealt with; after
a kill in between, the next run deals with the photo once more, finds nothing to write, and puts
the row. Should the mirror fail, the photos are not remembered either, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from urbexmp.drivers.house import House
from urbexmp.model.change import Edit
from urbexmp.model.errors import InternalProblem, Problem
from urbexmp.model.mirror import COMPLETED, FAILED, PROCESSING, Mirror, MirrorHeld
from urbexmp.model.photo import Fingerprint, Photo
from urbexmp.model.ports import Show
from urbexmp.pipeline.look import Examined
from urbexmp.pipeline.mirroring import RowReader
from urbexmp.pipeline.planner import Planned

MARK_SECONDS = 2.0
"""How long photos are looked at before the mirror says so: fast runs never write it."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A photo that was dealt with."""

    planned: Planned
    examined: Examined | None
    """None: a person's edit, an undo; then the facts come from the ledger or the file."""


class Follower:
    """Tells the mirror what a run does. Without a mirror it does nothing."""

    def __init__(self, house: House, show: Show) -> None:
        self._house = house
        self._show = show
        self._said = False
        self._begun: list[Path] = []
        self._marked = house.stopwatch()

    def begun(self, path: Path) -> None:
        """A photo is being looked at; the mirror says `processing` where that takes long."""
        mirror, reader = self._house.mirror, self._house.row_reader
        if mirror is None or reader is None:
            return
        self._begun.append(reader.relative(path))
        now = self._house.stopwatch()
        if now - self._marked >= MARK_SECONDS:
            self._marked = now
            try:
                mirror.status(self._begun, PROCESSING)
            except Problem as problem:
                self._trouble(problem)
            self._begun = []

    def failed(self, path: Path) -> None:
        """A photo met a problem."""
        mirror, reader = self._house.mirror, self._house.row_reader
        if mirror is None or reader is None:
            return
        try:
            mirror.status((reader.relative(path),), FAILED)
        except Problem as problem:
            self._trouble(problem)

    def follow(self, done: Iterable[Followed]) -> Mapping[Path, Mapping[Path, Fingerprint]] | None:
        """Put the rows of photos that were dealt with, as their files stand now.

        Returns for each photo the versions of the packets that its row was made from; None when
        the mirror failed, and the photos must not be remembered as dealt with.
        """
        self._begun = []
        mirror, reader = self._house.mirror, self._house.row_reader
        if mirror is None or reader is None:
            return {}
        try:
            return self._follow(mirror, reader, done)
        except Problem as problem:
            self._trouble(problem)
        except Exception as failure:  # a mistake of ours in a copy must not end the run
            self._trouble(InternalProblem(self._house.state.mirror, detail=repr(failure)))
        return None

    def _follow(
        self, mirror: Mirror, reader: RowReader, done: Iterable[Followed]
    ) -> Mapping[Path, Mapping[Path, Fingerprint]]:
        made: dict[Path, Mapping[Path, Fingerprint]] = {}
        rows, moved = [], []
        for each in done:
            change = each.planned.change
            mirrored = reader.read(
                self._as_it_stands(change.photo),
                change.photo_id,
                each.examined,
                status=COMPLETED,
                held=held_of(change.held),
            )
            made[change.photo.path] = mirrored.packets
            rows.append(mirrored.row)
            if each.planned.moved_from is not None:
                moved.append(reader.relative(each.planned.moved_from))
        mirror.put(rows)
        mirror.remove(moved)
        return made

    def _as_it_stands(self, photo: Photo) -> Photo:
        """The photo with the stat that its image files have now: a write into one changed it."""
        if not any(carrier.path in photo.images for carrier in photo.carriers):
            return photo
        stat = self._house.disk.stat
        companions = tuple(
            replace(file, stat=stat(file.path) or file.stat) for file in photo.companions
        )
        return replace(photo, stat=stat(photo.path) or photo.stat, companions=companions)

    def _trouble(self, problem: Problem) -> None:
        if not self._said:
            self._said = True
            self._show.note(
                f"The mirror could not follow ({problem.subject}: {problem.sentences[0]})."
                " Photos and packets are not affected; the next sync catches up."
            )


def held_of(edits: Iterable[Edit]) -> tuple[MirrorHeld, ...]:
    """Held edits as the mirror keeps them."""
    return tuple(MirrorHeld(edit.keyword, edit.confidence, edit.hold or "") for edit in edits)
