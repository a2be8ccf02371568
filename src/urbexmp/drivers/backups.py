"""What is kept of the bytes that were replaced: listed, put back, written elsewhere, given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from urbexmp.drivers.house import House
from urbexmp.drivers.run import opened_run
from urbexmp.model.change import Receipt, RunRecord
from urbexmp.model.errors import UsageProblem, WriteFailed
from urbexmp.model.ledger import Ledger
from urbexmp.model.photo import ABSENT, Carrier, CarrierKind, Fingerprint
from urbexmp.model.ports import BackupStore, Copies, Show, Stored
from urbexmp.model.report import Report

ALL = 1_000_000_000
"""More runs than a library will have."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one carrier from before one write."""

    run: str
    at: str
    photo: Path
    carrier: Carrier
    version: Fingerprint
    """`ABSENT`: there was nothing, so nothing has to be kept."""
    size: int | None
    """Bytes of the backup on the disk; None: it was given up, or there was nothing."""
    copy_size: int | None
    """Bytes of the whole copy; None: there is none."""


def listing(
    ledger: Ledger,
    backups: Stored,
    copies: Stored,
    *,
    run: str | None = None,
    below: Sequence[Path] = (),
) -> Iterator[Kept]:
    """What is kept, newest run first; of one run, or of photos below some paths, if given."""
    runs = (run,) if run is not None else tuple(each.run for each in ledger.runs(ALL))
    for name in runs:
        for receipt in ledger.receipts(name):
            photo = receipt.change.photo.path
            if below and not any(photo.is_relative_to(path) for path in below):
                continue
            for done in receipt.carriers:
                there = done.before != ABSENT
                yield Kept(
                    name,
                    receipt.at,
                    photo,
                    done.carrier,
                    done.before,
                    backups.size(done.before) if there else None,
                    copies.size(done.before) if there else None,
                )


def receipt_of(ledger: Ledger, run: str, photo: Path) -> Receipt:
    """What a run did to one photo, named by one of its files. Raises `UsageProblem`."""
    for receipt in ledger.receipts(run):
        named = {
            *receipt.change.photo.images,
            *(done.carrier.path for done in receipt.carriers),
        }
        if photo in named:
            return receipt
    raise UsageProblem(
        photo, f"run {run} wrote nothing to it", "`urbexmp backup list PHOTO` lists its runs"
    )


def restore(house: House, run: str, photo: Path, show: Show) -> Report:
    """Give one photo the bytes that its carriers had before a run, by the same safe write.

    What was done to its keywords since is lost. Image data is never touched: of an image file
    the packet is put back, and what belongs to it. Raises `Problem`.
    """
    receipt = receipt_of(house.ledger, run, photo)
    with opened_run(house, "backup restore", show) as running:
        running.report.photos = 1
        show.begin(running.report, 1)
        running.attempt(photo, lambda: running.take(None, house.planner.put_back(receipt)))
    return running.report


Unwrap = Callable[[bytes, Path], bytes | None]
"""The XMP packet in a backup; None: the image file had none."""


def extract(
    receipt: Receipt, backups: BackupStore, copies: Copies, unwrap: Unwrap, folder: Path
) -> tuple[tuple[Path, int], ...]:
    """Write what is kept from before a receipt into a folder, where nothing is overwritten.

    A sidecar as it was; an image file whole where a copy was kept, else its packet alone. Returns
    the files and their sizes. Raises `Problem`.
    """
    made: list[tuple[Path, int]] = []
    for done in receipt.carriers:
        if done.before == ABSENT:
            continue
        target = folder / done.carrier.path.name
        if done.carrier.kind is CarrierKind.EMBEDDED and copies.size(done.before) is not None:
            copies.fetch_to(done.before, target)
        else:
            packet = unwrap(backups.fetch(done.before), done.carrier.path)
            if packet is None:
                continue
            if done.carrier.kind is CarrierKind.EMBEDDED:
                target = target.with_name(f"{target.name}.packet.xmp")
            try:
                with target.open("xb") as file:
                    file.write(packet)
            except OSError as failure:
                raise WriteFailed(target, failure.strerror or str(failure)) from failure
        made.append((target, target.stat().st_size))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Pruning:
    """What pruning gives up, or would."""

    kept_runs: int
    backups: tuple[tuple[Fingerprint, int], ...]
    copies: tuple[tuple[Fingerprint, int], ...]
    lost: tuple[tuple[RunRecord, int], ...]
    """Runs that can no longer be taken back byte for byte, and how many of their photos."""

    @property
    def bytes(self) -> int:
        """How much becomes free."""
        return sum(size for _, size in (*self.backups, *self.copies))


def pruning(
    ledger: Ledger,
    backups: Stored,
    copies: Stored,
    *,
    before: str | None = None,
    keep_runs: int | None = None,
) -> Pruning:
    """What can be given up when the runs since `before` (ISO 8601), or the newest `keep_runs` of
    those that wrote something, are kept.

    Nothing that a kept run needs to be taken back goes, nor what an unfinished write needs.
    """
    written = [run for run in ledger.runs(ALL) if run.changed or run.ended is None]
    kept = {
        run.run
        for number, run in enumerate(written)
        if (before is None or run.started >= before) and (keep_runs is None or number < keep_runs)
    }
    needed: set[Fingerprint] = set()
    for intent in ledger.intents():
        needed |= {write.assumes for write in intent.change.writes}
    for run in written:
        if run.run in kept and not run.undone:
            for receipt in ledger.receipts(run.run):
                needed |= {done.before for done in receipt.carriers}
    going = tuple(each for each in backups.stored() if each[0] not in needed)
    gone = {version for version, _ in going}
    lost = []
    for run in written:
        if run.run in kept or run.undone:
            continue
        photos = sum(
            any(done.before in gone for done in receipt.carriers)
            for receipt in ledger.receipts(run.run)
        )
        if photos:
            lost.append((run, photos))
    return Pruning(
        len(kept),
        going,
        tuple(each for each in copies.stored() if each[0] not in needed),
        tuple(lost),
    )


def prune(house: House, pruned: Pruning) -> int:
    """Give up what `pruning` found; return the bytes that are free. Raises `StateUnwritable`."""
    free = sum(house.copies.discard(version) for version, _ in pruned.copies)
    return free + house.backups.discard_many(version for version, _ in pruned.backups)
