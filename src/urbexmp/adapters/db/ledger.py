"""The ledger: one SQLite file in the library's state folder."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from urbexmp.adapters.db.applying import Applying
from urbexmp.adapters.db.database import Database
from urbexmp.adapters.db.feedback import Feedback
from urbexmp.adapters.db.files import Files


class SqliteLedger(Applying, Feedback, Files):
    """Implements `ports.Ledger`. Any thread may call; they take turns.

    Two kinds of open: the usual one creates the file and brings it to the newest version;
    `readonly` changes nothing, waits for nobody, and reads an absent file as an empty ledger.
    Opening raises `LedgerDamaged`, `LedgerNewer`, `StateUnwritable`; so may every method (not
    `LedgerNewer`).
    """

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        super().__init__(Database(path, readonly=readonly))
        self.path = path

    def __enter__(self) -> SqliteLedger:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def batch(self, *, durable: bool = True) -> AbstractContextManager[None]:
        """What is written inside is one transaction; an exception drops all of it."""
        return self._database.transaction(durable=durable)

    def faults(self) -> tuple[str, ...]:
        """What SQLite's check of the whole file finds wrong; empty when it is sound."""
        return self._database.faults()

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        self._database.close()
