"""A small library to break: carriers, ledger and backups, in memory or on a disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from contract.making import RUN, LineCodec, change_to, photo_id_of, sidecar
from urbexmp.adapters.backups import FolderBackups
from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.adapters.memory import Fuse, MemoryBackups, MemoryClock, MemoryStore
from urbexmp.adapters.memory_ledger import MemoryLedger
from urbexmp.adapters.xmp.sidecar import SidecarStore
from urbexmp.model.change import Change, Receipt
from urbexmp.model.ledger import Intent, Ledger
from urbexmp.model.photo import Fingerprint
from urbexmp.model.ports import Backups, CarrierStore, Codec
from urbexmp.pipeline.applier import Applier
from urbexmp.pipeline.recover import recover

PERSON = b"flat Mine\npath Mine\nsomething else\n"


class FusedLedger(SqliteLedger):
    """The real ledger, killed before or after a transaction."""

    def __init__(self, path: Path, fuse: Fuse) -> None:
        super().__init__(path)
        self._fuse = fuse

    def intend(self, intent: Intent) -> None:
        with self._fuse.effect("intent"):
            super().intend(intent)

    def record(self, receipt: Receipt) -> None:
        with self._fuse.effect("receipt"):
            super().record(receipt)

    def forget(self, intent: Intent) -> None:
        with self._fuse.effect("forget"):
            super().forget(intent)


class FusedBackups(FolderBackups):
    """The real backups, killed before or after one is kept."""

    def __init__(self, folder: Path, fuse: Fuse) -> None:
        super().__init__(folder)
        self._fuse = fuse

    def keep_many(self, packets: Sequence[bytes]) -> tuple[Fingerprint, ...]:
        with self._fuse.effect("backup"):
            return super().keep_many(packets)


class World:
    """Photos whose sidecars shall all get one keyword; `open` gives what a process works with."""

    def __init__(self, folder: Path, carriers: dict[Path, dict[Path, bytes | None]]) -> None:
        self.folder = folder
        self.carriers = carriers
        """Photo path to its carriers and what they hold at first."""
        self.codec: Codec = LineCodec()
        self.clock = MemoryClock()
        self.store: CarrierStore
        self.ledger: Ledger
        self.backups: Backups

    def open(self, fuse: Fuse | None = None) -> Applier:
        """Begin a process. The one before was killed, or has ended."""
        raise NotImplementedError

    def packets(self) -> dict[Path, bytes | None]:
        return {
            path: self.store.read(sidecar(path)) for its in self.carriers.values() for path in its
        }

    def temps(self) -> int:
        raise NotImplementedError

    def close(self) -> None: ...

    def changes(self) -> list[Change]:
        """What is left to do: a planner in five lines."""
        found = []
        for number, (photo, carriers) in enumerate(self.carriers.items()):
            held = {path: self.store.read(sidecar(path)) for path in carriers}
            base = self.ledger.base(photo_id_of(photo), photo)
            if not all(b"path Urbex|Hospital\n" in (packet or b"") for packet in held.values()):
                found.append(change_to(photo, held, mark=f"w{number}", base=base))
        return found

    def sync(self, applier: Applier, *, batch: bool = False) -> None:
        changes = self.changes()
        if batch:
            for outcome in applier.apply_batch(changes, RUN):
                assert isinstance(outcome, Receipt), outcome
        else:
            for change in changes:
                assert applier.apply(change, RUN) is not None

    def recover(self) -> tuple[str, ...]:
        return recover(self.store, self.ledger, self.backups, self.clock)

    def end(self) -> dict[str, object]:
        """Everything that should not depend on whether there was a kill."""
        return {
            "packets": self.packets(),
            "temps": self.temps(),
            "intents": self.ledger.intents(),
            "receipts": sorted(
                (receipt.change.photo.path, receipt.carriers)
                for receipt in self.ledger.receipts(RUN)
            ),
            "bases": {
                photo: self.ledger.base(photo_id_of(photo), photo) for photo in self.carriers
            },
            "told": [self.ledger.told(f"w{number}") for number in range(len(self.carriers))],
        }


class MemoryWorld(World):
    def __init__(self, folder: Path, carriers: dict[Path, dict[Path, bytes | None]]) -> None:
        super().__init__(folder, carriers)
        held = {path: packet for its in carriers.values() for path, packet in its.items()}
        self.store = self.memory = MemoryStore({p: b for p, b in held.items() if b is not None})
        self.ledger = MemoryLedger()
        self.backups = MemoryBackups()

    def open(self, fuse: Fuse | None = None) -> Applier:
        fuse = fuse or Fuse()
        assert isinstance(self.ledger, MemoryLedger)
        assert isinstance(self.backups, MemoryBackups)
        self.memory.fuse = self.ledger.fuse = self.backups.fuse = fuse
        return Applier(self.store, self.codec, self.ledger, self.backups, self.clock)

    def temps(self) -> int:
        return len(self.memory.temps)


class DiskWorld(World):
    def __init__(self, folder: Path, carriers: dict[Path, dict[Path, bytes | None]]) -> None:
        super().__init__(folder, carriers)
        for its in carriers.values():
            for path, packet in its.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                if packet is not None:
                    path.write_bytes(packet)
        self._opened: SqliteLedger | None = None

    def open(self, fuse: Fuse | None = None) -> Applier:
        self.close()
        fuse = fuse or Fuse()
        self.store = SidecarStore(step=fuse.point)
        self.ledger = self._opened = FusedLedger(self.folder / "state" / "ledger.sqlite3", fuse)
        self.backups = FusedBackups(self.folder / "state" / "backups", fuse)
        return Applier(self.store, self.codec, self.ledger, self.backups, self.clock)

    def temps(self) -> int:
        return sum(path.name.endswith(".tmp") for path in self.folder.rglob("*"))

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
