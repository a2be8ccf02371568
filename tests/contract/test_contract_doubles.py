"""The doubles keep the promises of their ports, so tests that use them mean something."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from contract.promises import (
    BackupsPromises,
    ClockPromises,
    CopiesPromises,
    LockPromises,
    StorePromises,
)
from contract.promises_ledger import LedgerPromises
from urbexmp.adapters.memory import (
    MemoryBackups,
    MemoryClock,
    MemoryCopies,
    MemoryLock,
    MemoryStore,
)
from urbexmp.adapters.memory_ledger import MemoryLedger
from urbexmp.model.errors import WriteFailed
from urbexmp.model.ledger import Ledger, LibraryLock
from urbexmp.model.photo import fingerprint_of
from urbexmp.model.ports import BackupStore, CarrierStore, Clock, Copies


class TestMemoryStore(StorePromises):
    @pytest.fixture
    def store(self) -> CarrierStore:
        return MemoryStore()

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return Path("/photos")

    def put(self, store: CarrierStore, path: Path, packet: bytes) -> None:
        cast(MemoryStore, store).packets[path] = packet

    def leave_temp(self, store: CarrierStore, folder: Path) -> None:
        cast(MemoryStore, store).temps.append(folder)

    def temps(self, store: CarrierStore, folder: Path) -> int:
        return len(cast(MemoryStore, store).temps)

    def refuse(self, store: CarrierStore, path: Path) -> None:
        cast(MemoryStore, store).refusals[path] = WriteFailed(path, "is read-only")

    def add_link(self, store: CarrierStore, path: Path) -> None:
        cast(MemoryStore, store).links[path] = 2


class TestMemoryBackups(BackupsPromises):
    @pytest.fixture
    def backups(self, tmp_path: Path) -> BackupStore:
        return MemoryBackups()

    def damage(self, backups: BackupStore, packet: bytes) -> None:
        cast(MemoryBackups, backups).kept[fingerprint_of(packet)] = packet[:-1]


class TestMemoryCopies(CopiesPromises):
    @pytest.fixture
    def copies(self, tmp_path: Path) -> Copies:
        return MemoryCopies()


class TestMemoryClock(ClockPromises):
    @pytest.fixture
    def clock(self) -> Clock:
        return MemoryClock()


class TestMemoryLock(LockPromises):
    def two(self, tmp_path: Path) -> tuple[LibraryLock, LibraryLock]:
        holders: list[int] = []
        return MemoryLock(holders), MemoryLock(holders)


class TestMemoryLedger(LedgerPromises):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Ledger:
        return MemoryLedger()
