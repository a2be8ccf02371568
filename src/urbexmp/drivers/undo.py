"""`undo`: take back what a run wrote."""

from __future__ import annotations

from urbexmp.drivers.house import House
from urbexmp.drivers.run import opened_run
from urbexmp.model.change import Receipt
from urbexmp.model.errors import BackupMissing, UsageProblem
from urbexmp.model.photo import ABSENT
from urbexmp.model.ports import Show
from urbexmp.model.report import Report


def last_run(house: House) -> str:
    """The newest run that wrote something and was not taken back. Raises `UsageProblem`."""
    for record in house.ledger.runs(limit=1000):
        if record.changed and not record.undone and record.command != "undo":
            return record.run
    raise UsageProblem(house.root, "there is no run left to take back", "`urbexmp runs` lists them")


def receipts_of(house: House, run: str | None) -> tuple[str, tuple[Receipt, ...]]:
    """A run's name and what it did, newest first. Raises `UsageProblem` for an unknown run."""
    name = run or last_run(house)
    receipts = house.ledger.receipts(name)
    if not receipts:
        raise UsageProblem(
            house.root, f"run {name} wrote nothing here", "`urbexmp runs` lists the runs"
        )
    return name, tuple(reversed(receipts))


def undo(house: House, run: str | None, show: Show, *, dry_run: bool = False) -> Report:
    """Take back a run, the last one by default.

    Where nothing happened to a packet since, it gets its former bytes back; else, or where the
    backup was given up, only what that run added is taken out, and later work stays. The keywords
    are not vetoed by this: the next `sync` may suggest them again.

    A photo whose files contradict each other is left, and waits for a person; then the run
    counts as not taken back yet, and the same command finishes it later.
    """
    assert dry_run or house.writes
    name, receipts = receipts_of(house, run)
    with opened_run(house, "undo", show) as running:
        running.report.photos = len(receipts)
        show.begin(running.report, len(receipts))
        for receipt in receipts:

            def deal(receipt: Receipt = receipt) -> None:
                kept = _bytes_kept(house, receipt)
                planned = house.planner.undo(receipt, bytes_kept=kept)
                running.report.by_keywords += bool(not kept and planned.change.writes)
                if planned.change.held and not planned.change.writes:
                    running.report.undecided += 1
                    running.report.undecided_run = name
                running.take(None, planned)

            running.attempt(receipt.change.photo.path, deal)
            if running.report.interrupted:
                break
        running.flush()
        left = running.report.problems or running.report.undecided or running.report.interrupted
        if house.writes and not left:
            house.ledger.mark_undone(name)
    return running.report


def _bytes_kept(house: House, receipt: Receipt) -> bool:
    """Whether everything that a receipt replaced is still among the backups, and undamaged."""
    try:
        for done in receipt.carriers:
            if done.before != ABSENT:
                house.backups.fetch(done.before)
    except BackupMissing:
        return False
    return True
