"""The real adapters keep the promises of their ports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.promises import (
    BackupsPromises,
    ClockPromises,
    CopiesPromises,
    LockPromises,
    StorePromises,
)
from contract.promises_ledger import LedgerPromises
from urbexmp.adapters.backups import FolderBackups
from urbexmp.adapters.clock import SystemClock
from urbexmp.adapters.copies import FolderCopies
from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.adapters.lock import FileLock
from urbexmp.adapters.xmp.sidecar import SidecarStore
from urbexmp.model.ledger import Ledger, LibraryLock
from urbexmp.model.photo import fingerprint_of
from urbexmp.model.ports import BackupStore, CarrierStore, Clock, Copies


class TestSidecarStore(StorePromises):
    @pytest.fixture
    def store(self) -> CarrierStore:
        return SidecarStore()

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path

    def put(self, store: CarrierStore, path: Path, packet: bytes) -> None:
        path.write_bytes(packet)

    def leave_temp(self, store: CarrierStore, folder: Path) -> None:
        name = f".a.xmp.urbexmp-{os.getpid()}-{self.temps(store, folder):08x}.tmp"
        (folder / name).write_bytes(b"half a pack")

    def temps(self, store: CarrierStore, folder: Path) -> int:
        return sum(path.name.startswith(".") for path in folder.iterdir())

    def refuse(self, store: CarrierStore, path: Path) -> None:
        path.chmod(0o444)

    def add_link(self, store: CarrierStore, path: Path) -> None:
        path.with_name("second name").hardlink_to(path)


class TestFolderBackups(BackupsPromises):
    @pytest.fixture
    def backups(self, tmp_path: Path) -> BackupStore:
        self.folder = tmp_path / "state" / "backups"
        return FolderBackups(self.folder)

    def damage(self, backups: BackupStore, packet: bytes) -> None:
        digest = fingerprint_of(packet)
        path = self.folder / digest[:2] / f"{digest}.xmp.gz"
        path.write_bytes(path.read_bytes()[:-9])


class TestFolderCopies(CopiesPromises):
    @pytest.fixture
    def copies(self, tmp_path: Path) -> Copies:
        return FolderCopies(tmp_path / "copies")


class TestSystemClock(ClockPromises):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()


class TestFileLock(LockPromises):
    def two(self, tmp_path: Path) -> tuple[LibraryLock, LibraryLock]:
        return FileLock(tmp_path / "state" / "lock"), FileLock(tmp_path / "state" / "lock")


class TestSqliteLedger(LedgerPromises):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        self.opened = [SqliteLedger(tmp_path / "state" / "ledger.sqlite3")]
        yield self.opened[0]
        for ledger in self.opened:
            ledger.close()

    def again(self, ledger: Ledger) -> Ledger:
        """A second connection, which may not write, while the first is still open."""
        self.opened.append(SqliteLedger(self.opened[0].path, readonly=True))
        return self.opened[-1]
