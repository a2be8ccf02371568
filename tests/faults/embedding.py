"""A process to be killed: adds one keyword to every JPEG of a folder and its sidecar, then ends.

`python -m faults.embedding FOLDER STATE single|batch [POINT]` kills itself with SIGKILL at the
POINT-th point before or after an effect. It says each photo that it did, for a killer outside.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from contract.making import RUN, change_to, photo_id_of
from faults.killing import Gun
from faults.world import FusedBackups, FusedLedger
from urbexmp.adapters.carriers import Carriers
from urbexmp.adapters.clock import SystemClock
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.lock import FileLock
from urbexmp.adapters.memory import Fuse
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.sidecar import SidecarStore
from urbexmp.model.change import CarrierWrite, Change, MergeBase, PacketEdit, Receipt
from urbexmp.model.photo import Block, Carrier, CarrierKind, fingerprint_of
from urbexmp.model.ports import CarrierStore
from urbexmp.pipeline.applier import Applier
from urbexmp.pipeline.recover import recover

BATCH = 5
CONTAINERS = (JpegContainer(),)
CODEC = EmbeddedCodec(XmpCodec(), CONTAINERS)


def stores(fuse: Fuse | None = None) -> Carriers:
    step = fuse.point if fuse is not None else None
    return Carriers(SidecarStore(step), EmbeddedStore(CONTAINERS, step))


def carriers_of(photo: Path) -> tuple[Carrier, Carrier]:
    """The sidecar, and the file itself."""
    return (
        Carrier(CarrierKind.SIDECAR, photo.with_name(photo.name + ".xmp")),
        Carrier(CarrierKind.EMBEDDED, photo),
    )


def change_of(store: CarrierStore, photo: Path, mark: str, base: MergeBase | None) -> Change | None:
    """A planner in ten lines: one keyword into both carriers; None: it is there."""
    carriers = carriers_of(photo)
    held = [store.read(carrier) for carrier in carriers]
    fields = [CODEC.read(packet, photo).fields if packet else None for packet in held]
    if all(each and "Urbex|Hospital" in (each.hierarchical or ()) for each in fields):
        return None
    edit = PacketEdit(
        flat_add=("Urbex", "Hospital"), hierarchical_add=("Urbex|Hospital",), block=Block(mark)
    )
    change = change_to(photo, {photo: b""}, mark=mark, base=base)
    writes = tuple(
        CarrierWrite(carrier, fingerprint_of(packet), edit=edit)
        for carrier, packet in zip(carriers, held, strict=True)
    )
    return replace(change, photo=replace(change.photo, carriers=carriers), writes=writes)


def main(folder: Path, state: Path, point: int | None, *, batch: bool) -> None:
    fuse = Gun(point)
    with FileLock(state / "lock"):
        store = stores(fuse)
        ledger = FusedLedger(state / "ledger.sqlite3", fuse)
        backups, clock = FusedBackups(state / "backups", fuse), SystemClock()
        recover(store, ledger, backups, clock)
        applier = Applier(store, CODEC, ledger, backups, clock)
        changes = []
        for photo in sorted(folder.glob("*.jpg")):
            base = ledger.base(photo_id_of(photo), photo)
            change = change_of(store, photo, clock.fresh("w"), base)
            changes += [change] if change is not None else []
        if batch:
            for start in range(0, len(changes), BATCH):
                for outcome in applier.apply_batch(changes[start : start + BATCH], RUN):
                    assert isinstance(outcome, Receipt), outcome
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
