"""The mirror, built anew, compared with the files, and caught up with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from itertools import islice
from pathlib import Path

from urbexmp.drivers.follow import held_of
from urbexmp.drivers.house import House
from urbexmp.drivers.scan import Remembered
from urbexmp.model.change import Edit
from urbexmp.model.errors import Problem, StateUnwritable
from urbexmp.model.ledger import KnownFile
from urbexmp.model.mirror import (
    COMPLETED,
    FAILED,
    PENDING,
    Mirror,
    MirrorDrift,
    MirrorRow,
)
from urbexmp.model.photo import Photo
from urbexmp.model.ports import FolderListing, Show
from urbexmp.model.report import Report
from urbexmp.pipeline.mirroring import Mirrored, RowReader
from urbexmp.rules.mirrored import differences

BATCH = 1000
"""Rows put together."""
TOGETHER = 8
"""Photos that a worker reads at once: to hand over one by one costs as much as to scan it."""
_EVER = "9999-12-31T23:59:59Z"
_MOST_WAITING = 1000


class _Facts:
    """What the ledger adds to the rows: status, held edits, and ids of photos it knows."""

    def __init__(self, house: House) -> None:
        self._ledger = house.ledger
        self._held: dict[Path, list[Edit]] = {}
        for path, edit in house.ledger.held():
            self._held.setdefault(path, []).append(edit)
        waiting = house.ledger.waiting(_EVER, _MOST_WAITING)
        # Mostly few wait: to ask for each photo would cost as much as to scan its sidecar.
        self._few = len(waiting) < _MOST_WAITING
        self._failing = {work.path for work in waiting if work.attempts}

    def known(self, listing: FolderListing) -> dict[str, KnownFile]:
        return dict(self._ledger.known(listing.folder))

    def held(self, photo: Photo) -> tuple[Edit, ...]:
        return tuple(self._held.get(photo.path, ()))

    def status(self, photo: Photo, known: KnownFile | None, mirrored: Mirrored) -> str:
        if mirrored.row.status == FAILED or self._fails(photo.path):
            return FAILED
        # A ledger that is lost knows no photo; our block tells that it was dealt with once.
        return COMPLETED if known is not None or mirrored.ours else PENDING

    def _fails(self, path: Path) -> bool:
        if self._few:
            return path in self._failing
        waiting = self._ledger.waiting_on(path)
        return waiting is not None and waiting.attempts > 0


def rebuild(house: House, show: Show) -> Report:
    """Build the mirror anew from packets and photo files alone.

    The old one serves readers until the new one is whole, and stays when this is stopped.
    Raises `Problem` when it cannot be written.
    """
    mirror, report = _mirror(house), Report(command="mirror rebuild")
    began = house.stopwatch()
    photos = sum(len(found) for _, found in _listed(house, (house.root,), None))
    report.photos = photos
    show.begin(report, photos)
    try:
        with mirror.anew() as new:
            for batch in _batches(_rows(house, _listed(house, (house.root,), report), report)):
                new.put(mirrored.row for mirrored in batch)
                _remember(house, batch)
                for mirrored in batch:
                    show.photo(house.root / mirrored.row.path)
                report.unchanged += len(batch)
                _go_on(house)
    except KeyboardInterrupt:
        report.interrupted = True
    report.seconds = house.stopwatch() - began
    for problem in report.problems:
        show.problem(problem)
    return report


def catch_up(
    house: House, paths: Sequence[Path], show: Show, *, photos: int, gone: Sequence[Path] = ()
) -> None:
    """Give rows to photos that have none, and take out rows of photos that are gone.

    `photos`: how many the run found below `paths`; `gone`: those it missed there. Where there are
    as many rows as photos then, nothing is left to do: every photo that a run deals with gets its
    row. A mirror that was never whole is completed for the whole library. Trouble is told as a
    note: the mirror is a copy.
    """
    mirror = house.mirror
    if mirror is None:
        return
    try:
        if mirror.remade is not None:
            show.note(f"The mirror was thrown away and is built again: {mirror.remade}.")
        roots: Sequence[Path] = paths if mirror.whole else (house.root,)
        if not all(root.is_dir() for root in roots):
            return
        mirror.remove(path.relative_to(house.root) for path in gone)
        outer = [root for root in dict.fromkeys(roots) if not set(root.parents) & set(roots)]
        rows = sum(mirror.count(root.relative_to(house.root)) for root in outer)
        if mirror.whole and rows == photos:
            return  # and nothing was imported that reads a photo
        sound = _catch_up(house, mirror, house.row_reader, outer)
        if sound and house.root in outer:
            mirror.complete()
    except Problem as problem:
        show.note(
            f"The mirror could not follow ({problem.subject}: {problem.sentences[0]})."
            " Photos and packets are not affected; the next sync catches up."
        )


def _catch_up(house: House, mirror: Mirror, reader: RowReader, roots: Sequence[Path]) -> bool:
    """Returns whether all folders could be listed and nobody asked to stop."""
    report = Report()
    seen: set[Path] = set()

    def wanting() -> Iterator[tuple[FolderListing, list[Photo]]]:
        remembered = Remembered(house)
        for found in house.walker.folders(roots, remembered.digest):
            folder = reader.relative(found.folder)
            seen.add(folder)
            versions = mirror.versions(folder)
            # Each photo of a folder that is remembered as a whole got its row when it was dealt
            # with, so only a number that differs tells that rows were lost.
            if found.same and len(versions) == remembered.photos:
                continue
            listing = house.walker.one(found.folder, house.root) if found.same else found
            if listing is None:
                continue
            photos, problems = house.pairing(listing)
            report.problems.extend((*listing.problems, *problems))
            names = {photo.path.name for photo in photos}
            if not listing.problems:
                mirror.remove(folder / name for name in versions if name not in names)
            yield listing, [photo for photo in photos if photo.path.name not in versions]

    for batch in _batches(_rows(house, wanting(), report)):
        mirror.put(mirrored.row for mirrored in batch)
        _remember(house, batch)
        if house.stopping():
            return False
    inside = [reader.relative(root) for root in roots]
    for folder in mirror.folders():
        if folder not in seen and any(folder.is_relative_to(root) for root in inside):
            mirror.remove(folder / name for name in mirror.versions(folder))
    return True


def check(house: House, mirror: Mirror, show: Show) -> Iterator[MirrorDrift]:
    """Compare a mirror with what the files give now, and yield every difference.

    Raises `KeyboardInterrupt` when a person asks to stop.
    """
    reader = house.row_reader
    report = Report(command="mirror check")
    show.begin(report, mirror.count())
    for fault in mirror.faults():
        yield MirrorDrift(Path(), "wrong", fault)
    seen: set[Path] = set()
    for listing, photos in _listed(house, (house.root,), report):
        folder = reader.relative(listing.folder)
        seen.add(folder)
        stored = {row.path: row for row in mirror.rows(folder)}
        for mirrored in _rows(house, ((listing, photos),), report):
            yield from _compare(stored.pop(mirrored.row.path, None), mirrored.row)
            show.photo(house.root / mirrored.row.path)
        for path in stored:
            yield MirrorDrift(path, "gone", "there is no such photo any more")
        _go_on(house)
    for folder in mirror.folders():
        if folder not in seen:
            for name in mirror.versions(folder):
                yield MirrorDrift(folder / name, "gone", "its folder is no longer there")


def _compare(stored: MirrorRow | None, made: MirrorRow) -> Iterator[MirrorDrift]:
    if stored is None:
        yield MirrorDrift(made.path, "missing", "the mirror does not know it")
        return
    named = ", ".join(differences(stored, made))
    if stored.version != made.version:
        yield MirrorDrift(made.path, "stale", named or "the files changed, and nothing in them")
    elif named:
        yield MirrorDrift(made.path, "wrong", named)


def _go_on(house: House) -> None:
    """Raises `KeyboardInterrupt` when a person has asked to stop."""
    if house.stopping():
        raise KeyboardInterrupt


def _mirror(house: House) -> Mirror:
    if house.mirror is None:
        raise StateUnwritable(house.state.mirror, detail="the mirror cannot be opened")
    return house.mirror


def _listed(
    house: House, roots: Iterable[Path], report: Report | None
) -> Iterator[tuple[FolderListing, list[Photo]]]:
    for listing in house.walker.folders(roots):
        photos, problems = house.pairing(listing)
        if report is not None:
            report.problems.extend((*listing.problems, *problems))
        yield listing, list(photos)


_Job = tuple[Photo, KnownFile | None]


def _rows(
    house: House, listed: Iterable[tuple[FolderListing, list[Photo]]], report: Report
) -> Iterator[Mirrored]:
    """Rows in the order of the photos, some of them read ahead by the workers."""
    reader, facts = house.row_reader, _Facts(house)
    assert reader is not None

    def jobs() -> Iterator[_Job]:
        for listing, photos in listed:
            known = facts.known(listing) if photos else {}
            for photo in photos:
                yield photo, known.get(photo.path.name)

    def read(some: list[_Job]) -> list[Mirrored]:
        return [
            reader.read(
                photo,
                known.photo_id if known is not None and known.stat == photo.stat else None,
            )
            for photo, known in some
        ]

    def take(some: list[_Job], future: Future[list[Mirrored]]) -> Iterator[Mirrored]:
        for (photo, known), mirrored in zip(some, future.result(), strict=True):
            status = facts.status(photo, known, mirrored)
            held = held_of(facts.held(photo))
            row = mirrored.row
            if row.status != status or held:
                row = replace(row, status=status, held=held)
            yield replace(mirrored, row=row)

    with house.executor() as workers:
        ahead: deque[tuple[list[_Job], Future[list[Mirrored]]]] = deque()
        waiting = jobs()
        try:
            while some := list(islice(waiting, TOGETHER)):
                ahead.append((some, workers.submit(read, some)))
                if len(ahead) >= house.window:
                    yield from take(*ahead.popleft())
            while ahead:
                yield from take(*ahead.popleft())
        finally:
            for _, future in ahead:
                future.cancel()


def _remember(house: House, batch: Iterable[Mirrored]) -> None:
    """Keep the facts that were read, for the next rebuild and the next sync."""
    with house.ledger.batch(durable=False):
        for mirrored in batch:
            examined = mirrored.examined
            if examined is not None:
                for inputs, look in examined.fresh:
                    house.ledger.remember(examined.photo_id, inputs, look)


def _batches(rows: Iterator[Mirrored]) -> Iterator[list[Mirrored]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
