"""Runs, intents, receipts, merge bases and marks: what must survive a crash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.adapters.db.part import MOST_READ, PHOTO, Part
from urbexmp.adapters.db.texts import pack, pack_list, path_of, spelled, unpack, unpack_list
from urbexmp.model.errors import InternalProblem
from urbexmp.model.keyword import SEPARATOR, Keyword
from urbexmp.model.ledger import Intent
from urbexmp.model.photo import Carrier, Fingerprint, PhotoId
from urbexmp.model.report import Report, RunRecord

if TYPE_CHECKING:
    from urbexmp.model.change import Change, MergeBase, Receipt

MOST_CHANGES = 1000
"""Packed changes kept between their intent and their receipt."""


class Applying(Part):
    """The part of the ledger that the applier and recovery work with."""

    # runs

    def open_run(self, record: RunRecord) -> None:
        """Record that a command began."""
        with self._database.transaction(durable=False):
            self._database.do(
                "INSERT OR REPLACE INTO run"
                " (run, command, profile, started, ended, changed, failed, undone)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.run,
                    record.command,
                    record.profile,
                    record.started,
                    record.ended,
                    record.changed,
                    record.failed,
                    record.undone,
                ),
            )

    def close_run(self, run: str, ended: str, report: Report) -> None:
        """Record how it ended."""
        with self._database.transaction(durable=False):
            self._database.do(
                "UPDATE run SET ended = ?, changed = ?, failed = ? WHERE run = ?",
                (ended, report.changed, report.failed, run),
            )

    def runs(self, limit: int = 50) -> tuple[RunRecord, ...]:
        """Newest first."""
        rows = self._database.rows(
            # A killed run could not say how much it changed; its receipts can.
            "SELECT run, command, profile, started, ended, CASE WHEN ended IS NULL THEN"
            " (SELECT count(*) FROM receipt WHERE receipt.run = run.run) ELSE changed END,"
            " failed, undone FROM run ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return tuple(
            RunRecord(run, command, profile, started, ended, changed, failed, bool(undone))
            for run, command, profile, started, ended, changed, failed, undone in rows
        )

    def receipts(self, run: str) -> tuple[Receipt, ...]:
        """In the order they were carried out."""
        from urbexmp.model.change import CarrierReceipt, Change, Receipt

        rows = self._database.rows(
            "SELECT run, at, change, carriers FROM receipt WHERE run = ? ORDER BY id", (run,)
        )
        with self._database.decoding():
            return tuple(
                Receipt(name, at, unpack(Change, change), unpack_list(CarrierReceipt, carriers))
                for name, at, change, carriers in rows
            )

    def mark_undone(self, run: str) -> None:
        """Record that a run was taken back."""
        with self._database.transaction(durable=False):
            self._database.do("UPDATE run SET undone = 1 WHERE run = ?", (run,))

    # applying

    def intend(self, intent: Intent) -> None:
        """Record durably what is about to be done. Raises `InternalProblem` for a mark in use."""
        change = intent.change
        path = spelled(change.photo.path)
        with self._database.transaction(durable=True):
            photo = self._photo(change.photo_id)
            if change.mark and not self._database.changed(
                "INSERT OR IGNORE INTO mark (mark, photo, path) VALUES (?, ?, ?)",
                (change.mark, photo, path),
            ):
                taken = self._database.row(
                    "SELECT photo, path FROM mark WHERE mark = ?", (change.mark,)
                )
                if taken != (photo, path):
                    raise InternalProblem(
                        change.photo.path, detail=f"the mark {change.mark} was given twice"
                    )
            self._database.do(
                "INSERT OR REPLACE INTO intent (photo, path, run, at, will_be, change)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    photo,
                    path,
                    intent.run,
                    intent.at,
                    pack_list(intent.will_be),
                    self._packed(change),
                ),
            )

    def intents(self) -> tuple[Intent, ...]:
        """Intents without a receipt, in the order they were recorded."""
        from urbexmp.model.change import Change

        rows = self._database.rows("SELECT run, at, change, will_be FROM intent ORDER BY id")
        with self._database.decoding():
            return tuple(
                Intent(
                    run, at, unpack(Change, change), unpack_list(tuple[Carrier, Fingerprint], will)
                )
                for run, at, change, will in rows
            )

    def has_intents(self) -> bool:
        """Whether there is any: the usual answer, no, costs nothing to read."""
        return self._database.row("SELECT 1 FROM intent LIMIT 1") is not None

    def forget(self, intent: Intent) -> None:
        """Drop an intent of which nothing happened."""
        with self._database.transaction(durable=False):
            self._drop_intent(intent.change.photo_id, intent.change.photo.path)

    def record(self, receipt: Receipt) -> None:
        """One transaction: receipt, merge base, agreed set under the mark, intent gone.

        Not synced: until it is, the synced intent stands, and recovery writes this again.
        """
        change = receipt.change
        path = spelled(change.photo.path)
        with self._database.transaction(durable=False):
            self._database.do(
                "INSERT INTO receipt (run, path, at, carriers, change) VALUES (?, ?, ?, ?, ?)",
                (
                    receipt.run,
                    path,
                    receipt.at,
                    pack_list(receipt.carriers),
                    self._packed(change),
                ),
            )
            self._put_base(change.photo_id, change.photo.path, change.after)
            if change.mark:
                self._database.do(
                    "INSERT OR REPLACE INTO mark (mark, photo, path, agreed) VALUES (?, ?, ?, ?)",
                    (
                        change.mark,
                        self._photo(change.photo_id),
                        path,
                        self._words.shorten(change.after.agreed),
                    ),
                )
            self._drop_intent(change.photo_id, change.photo.path)

    # merge bases

    def base(self, photo_id: PhotoId, path: Path) -> MergeBase | None:
        """The base of this photo at this path."""
        row = self._database.row(
            f"SELECT body FROM base WHERE photo = {PHOTO} AND path = ?", (photo_id, spelled(path))
        )
        return None if row is None else self._base_of(row[0])

    def bases_elsewhere(self, photo_id: PhotoId, path: Path) -> tuple[tuple[Path, MergeBase], ...]:
        """Bases of the same picture at other paths, by path."""
        rows = self._database.rows(
            f"SELECT path, body FROM base WHERE photo = {PHOTO} AND path <> ? ORDER BY path",
            (photo_id, spelled(path)),
        )
        return tuple((path_of(column), self._base_of(body)) for column, body in rows)

    def put_base(self, photo_id: PhotoId, path: Path, base: MergeBase) -> None:
        """Store a base without a write; durable, since a person's verdict may be in it."""
        with self._database.transaction(durable=True):
            self._put_base(photo_id, path, base)

    def drop_base(self, photo_id: PhotoId, path: Path) -> None:
        """Forget the base of a photo that moved away."""
        with self._database.transaction(durable=False):
            self._database.do(
                f"DELETE FROM base WHERE photo = {PHOTO} AND path = ?", (photo_id, spelled(path))
            )

    def told(self, mark: str) -> frozenset[Keyword] | None:
        """All keywords agreed at the write of that name; kept whatever becomes of the base."""
        row = self._database.row("SELECT agreed FROM mark WHERE mark = ?", (mark,))
        if row is None or row[0] is None:
            return None
        body = row[0]
        known = self._agreed.get(body)
        if known is None:
            with self._database.decoding():
                known = self._words.lengthen(frozenset[Keyword], body)
            if len(self._agreed) >= MOST_READ:
                self._agreed.clear()
            self._agreed[body] = known
        return known

    def keywords(self) -> frozenset[Keyword]:
        """Every keyword ever agreed, in the spelling that was seen last."""
        rows = self._database.rows("SELECT text FROM spelling")
        with self._database.decoding():
            return frozenset(Keyword.parse(row[0]) for row in rows)

    def _packed(self, change: Change) -> bytes:
        """A change as a column holds it. Its intent and its receipt hold the same, made once."""
        number = id(change)
        made = self._changes.pop(number, None)
        # The number alone could be that of a later change; the object is kept with it.
        if made is not None and made[0] is change:
            return made[1]
        if len(self._changes) >= MOST_CHANGES:
            self._changes.clear()
        body = pack(change)
        self._changes[number] = (change, body)
        return body

    def _base_of(self, body: str) -> MergeBase:
        """What a column reads as; the column is asked each time, and read anew where it differs."""
        known = self._bases.get(body)
        if known is None:
            from urbexmp.model.change import MergeBase

            with self._database.decoding():
                known = self._words.lengthen(MergeBase, body)
            if len(self._bases) >= MOST_READ:
                self._bases.clear()
            self._bases[body] = known
        return known

    def _put_base(self, photo_id: PhotoId, path: Path, base: MergeBase) -> None:
        self._database.do(
            "INSERT OR REPLACE INTO base (photo, path, body) VALUES (?, ?, ?)",
            (self._photo(photo_id), spelled(path), self._words.shorten(base)),
        )
        for keyword in base.agreed:
            folded, text = SEPARATOR.join(keyword.key), str(keyword)
            if self._spellings.get(folded) != text:
                self._database.do(
                    "INSERT OR REPLACE INTO spelling (folded, text) VALUES (?, ?)", (folded, text)
                )
                self._spellings[folded] = text

    def _drop_intent(self, photo_id: PhotoId, path: Path) -> None:
        self._database.do(
            f"DELETE FROM intent WHERE photo = {PHOTO} AND path = ?", (photo_id, spelled(path))
        )
