"""What is remembered of a photo that was dealt with, so that the next run need not open it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.ledger import KnownFile
from urbexmp.model.photo import fingerprint_of

if TYPE_CHECKING:
    from urbexmp.drivers.house import House
    from urbexmp.drivers.scan import Task
    from urbexmp.model.change import Change
    from urbexmp.model.photo import FileStat, Fingerprint, PhotoId

LOOKS_AGAIN = "a stage failed"
"""Stands for a policy that no run has, so that the photo is not as it is known."""


def remember_dealt(
    house: House,
    task: Task,
    change: Change,
    after: dict[Path, Fingerprint],
    mirrored: Mapping[Path, Fingerprint] | None,
    *,
    again: bool = False,
) -> None:
    """Remember a photo as dealt with, so that the next run need not open it.

    With `again` the next run takes it up, and opens it only for the stage that has to look.
    `mirrored`: versions of the packets that the mirror's row was made from, after our write.

    What we did not write is remembered with the stat it had before it was read: should it have
    changed in between, the next run sees that. What we wrote is remembered only if our bytes
    are still there once its stat was taken.
    """
    stats: dict[Path, FileStat | None] = {**dict(task.around), task.photo.path: task.photo.stat}
    for path, written in after.items():
        stats[path] = house.disk.stat(path)
        if not _still_ours(house, change, path, written) or (
            mirrored is not None and mirrored.get(path, written) != written
        ):
            house.ledger.unsettle((task.photo.path,))
            return
    around = tuple((path, stats[path]) for path, _ in task.around)
    photo = stats[task.photo.path]
    if photo is None:
        return
    if photo != task.photo.stat:
        _carry_facts(house, change.photo_id, task.photo.stat, photo)
    house.ledger.settle(
        (
            KnownFile(
                task.photo.path,
                photo,
                change.photo_id,
                around,
                LOOKS_AGAIN if again else task.policy,
                bool(change.held),
                tuple(dict.fromkeys(each.reason for each in change.photo.spared if each.detail)),
            ),
        )
    )


def _carry_facts(house: House, photo_id: PhotoId, before: FileStat, after: FileStat) -> None:
    """Our own write changed the image file's stat, and not what its camera recorded."""
    from urbexmp.pipeline.look import FACTS, facts_key

    kept = house.ledger.look(photo_id, FACTS, facts_key(before))
    if kept is not None and house.remember:
        house.ledger.remember(photo_id, facts_key(after), kept)


def _still_ours(house: House, change: Change, path: Path, after: Fingerprint) -> bool:
    for carrier in change.photo.carriers:
        if carrier.path == path:
            packet = house.planner.packet(carrier)
            return fingerprint_of(packet) == after
    return False
