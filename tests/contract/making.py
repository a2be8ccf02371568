"""Values to test with, and a codec whose packets are lines of text."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from urbexmp.model.change import (
    CarrierReceipt,
    CarrierWrite,
    Change,
    Edit,
    EditKind,
    MergeBase,
    PacketEdit,
    Receipt,
)
from urbexmp.model.errors import PacketRefused, ProofFailed
from urbexmp.model.keyword import Keyword, KeywordFields
from urbexmp.model.ledger import Intent
from urbexmp.model.photo import (
    ABSENT,
    Block,
    Carrier,
    CarrierKind,
    FileKind,
    FileStat,
    Fingerprint,
    Photo,
    PhotoId,
    fingerprint_of,
)
from urbexmp.model.ports import PacketReading
from urbexmp.model.proposal import Reason
from urbexmp.model.text import TextBase, TextChange, TextField

AT = "2026-11-20T09:00:00Z"
RUN = "r20261120-090000-4f2a"
TEXT = TextBase("A hall, \u017byrard\u00f3w", restored=True, places=frozenset({"IMG_1.xmp"}))


def keywords(*texts: str) -> frozenset[Keyword]:
    return frozenset(Keyword.parse(text) for text in texts)


def sidecar(path: Path) -> Carrier:
    return Carrier(CarrierKind.SIDECAR, path)


def photo_at(path: Path, *carriers: Path) -> Photo:
    places = carriers or (path.with_suffix(".xmp"),)
    return Photo(path, FileKind.RAW, FileStat(9, 9, 9), (), tuple(sidecar(p) for p in places))


def photo_id_of(path: Path) -> PhotoId:
    return PhotoId(hashlib.sha256(os.fsencode(path.name)).hexdigest())


def base_of(*texts: str, profile: str = "offline", vetoed: Sequence[str] = ()) -> MergeBase:
    mine = keywords(*texts)
    return MergeBase(
        agreed=mine,
        written=MappingProxyType({profile: mine}),
        vetoed=keywords(*vetoed),
        texts=MappingProxyType({"description": TEXT}),
    )


def change_to(
    path: Path,
    packets: dict[Path, bytes | None],
    add: str = "Urbex|Hospital",
    *,
    mark: str = "w1",
    base: MergeBase | None = None,
    edit: PacketEdit | None = None,
) -> Change:
    """A change that adds one keyword to every carrier of the photo, which hold `packets`."""
    keyword = Keyword.parse(add)
    before = base or MergeBase()
    edit = edit or PacketEdit(flat_add=(keyword.leaf,), hierarchical_add=(add,), block=Block(mark))
    return Change(
        photo=photo_at(path, *packets),
        photo_id=photo_id_of(path),
        profile="offline",
        base=before,
        after=replace(
            before,
            agreed=before.agreed | {keyword},
            written=MappingProxyType({"offline": before.ours | {keyword}}),
        ),
        edits=(
            Edit(
                EditKind.ADD,
                keyword,
                confidence=0.87,
                reasons=(Reason("pixels@1f2e3d4c", "hospital", 0.87, "a label"),),
            ),
        ),
        writes=tuple(
            CarrierWrite(sidecar(where), fingerprint_of(packet), edit=edit)
            for where, packet in packets.items()
        ),
        mark=mark,
        texts=(TextChange(TextField.ALT_TEXT, None, "A hall", "vlm@1f2e3d4c", "held"),),
    )


def intent_of(change: Change, after: dict[Path, bytes], run: str = RUN) -> Intent:
    will_be = tuple((sidecar(path), fingerprint_of(packet)) for path, packet in after.items())
    return Intent(run, AT, change, will_be)


def receipt_of(change: Change, run: str = RUN) -> Receipt:
    carriers = tuple(
        CarrierReceipt(write.carrier, write.assumes, Fingerprint("f" * 64))
        for write in change.writes
    )
    return Receipt(run, AT, change, carriers)


def restoring(change: Change, was: dict[Path, Fingerprint], now: dict[Path, bytes]) -> Change:
    """The change that puts back what the carriers held before `change`."""
    return replace(
        change,
        base=change.after,
        after=change.base,
        writes=tuple(
            CarrierWrite(sidecar(path), fingerprint_of(now[path]), restore=was.get(path, ABSENT))
            for path in now
        ),
        mark=change.mark + "-undo",
    )


class LineCodec:
    """Packets as lines: `flat NAME`, `path A|B`, `mark NAME`, and any other, left alone."""

    def __init__(self) -> None:
        self.lies = False
        """Whether edits do more than they were asked for."""

    def read(self, packet: bytes, subject: Path) -> PacketReading:
        lines = packet.decode().splitlines()
        if not lines:
            raise PacketRefused(subject, detail="it is empty", reason="empty")

        def of(kind: str) -> tuple[str, ...]:
            return tuple(line.split(" ", 1)[1] for line in lines if line.startswith(kind + " "))

        block = Block(of("mark")[0]) if of("mark") else None
        fields = KeywordFields(of("flat") or None, of("path") or None)
        return PacketReading(fields, block, frozenset(), ())

    def edit(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        self.read(packet, subject)
        drop = {f"flat {name}" for name in edit.flat_remove}
        drop |= {f"path {name}" for name in edit.hierarchical_remove}
        lines = [line for line in packet.decode().splitlines() if line not in drop]
        added = [f"flat {name}" for name in edit.flat_add]
        added += [f"path {name}" for name in edit.hierarchical_add]
        lines += [line for line in added if line not in lines]
        if edit.block is not None:
            lines = [line for line in lines if not line.startswith("mark ")]
            lines.append(f"mark {edit.block.mark}")
        if self.lies:
            lines.append("an extra line")
        return "".join(line + "\n" for line in lines).encode()

    def create(self, edit: PacketEdit) -> bytes:
        return self.edit(b"new\n", edit, Path())

    def edit_proven(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        after = self.edit(packet, edit, subject)
        if after != packet:
            self.prove(packet, after, edit, subject)
        return after

    def prove(self, before: bytes | None, after: bytes, edit: PacketEdit, subject: Path) -> None:
        if b"an extra line" in after:
            raise ProofFailed(subject, detail="an extra line")
