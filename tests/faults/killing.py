"""A process to be killed: adds one keyword to every sidecar of a folder, then ends.

`python -m faults.killing FOLDER STATE single|batch [POINT]` kills itself with SIGKILL at the
POINT-th point before or after an effect. It says each photo that it did, for a killer outside.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from contract.making import RUN, LineCodec, change_to, photo_id_of
from faults.world import FusedBackups, FusedLedger
from urbexmp.adapters.clock import SystemClock
from urbexmp.adapters.lock import FileLock
from urbexmp.adapters.memory import Fuse
from urbexmp.adapters.xmp.sidecar import SidecarStore
from urbexmp.model.change import Receipt
from urbexmp.pipeline.applier import Applier
from urbexmp.pipeline.recover import recover

BATCH = 7


class Gun(Fuse):
    """A fuse that kills the whole process, as the system does when memory runs out."""

    def point(self, name: str) -> None:
        if self.points == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.points += 1


def carriers_of(folder: Path) -> dict[Path, tuple[Path, ...]]:
    """Photo to sidecars; every third photo has two."""
    return {
        path: (path.with_suffix(".xmp"), folder / "second" / f"{path.stem}.xmp")
        if number % 3 == 0
        else (path.with_suffix(".xmp"),)
        for number, path in enumerate(sorted(folder.glob("*.cr3")))
    }


def main(folder: Path, state: Path, point: int | None, *, batch: bool) -> None:
    fuse = Gun(point)
    with FileLock(state / "lock"):
        store = SidecarStore(step=fuse.point)
        ledger = FusedLedger(state / "ledger.sqlite3", fuse)
        backups, clock = FusedBackups(state / "backups", fuse), SystemClock()
        recover(store, ledger, backups, clock)
        applier = Applier(store, LineCodec(), ledger, backups, clock)
        changes = []
        for photo, carriers in carriers_of(folder).items():
            held: dict[Path, bytes | None] = {
                path: path.read_bytes() if path.exists() else None for path in carriers
            }
            if all(b"path Urbex|Hospital\n" in (packet or b"") for packet in held.values()):
                continue
            base = ledger.base(photo_id_of(photo), photo)
            changes.append(change_to(photo, held, mark=clock.fresh("w"), base=base))
        if batch:
            for start in range(0, len(changes), BATCH):
                for outcome in applier.apply_batch(changes[start : start + BATCH], RUN):
                    assert isinstance(outcome, Receipt)
                print(start, flush=True)
        else:
            for change in changes:
                applier.apply(change, RUN)
                print(change.mark, flush=True)
        ledger.close()


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        int(sys.argv[4]) if len(sys.argv) > 4 else None,
        batch=sys.argv[3] == "batch",
    )
