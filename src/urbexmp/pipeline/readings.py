"""Readings of the packets that were read last: a run reads most packets twice.

First for the plan, then for the mirror's row. The bytes come from the disk each time; where they
are the very same, so is what they say.
"""

from __future__ import annotations

from pathlib import Path

from urbexmp.model.change import PacketEdit
from urbexmp.model.ports import Codec, PacketReading

MOST = 300
"""Packets kept: those of the photos that are written together, and more."""

MOST_BYTES = 1 << 15
"""A larger packet is rare, and would take the memory of many."""


class KeptReadings:
    """A `Codec` that remembers readings. Thread-safe, as the one behind it is."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._kept: dict[bytes, PacketReading] = {}

    def read(self, packet: bytes, subject: Path) -> PacketReading:
        """As `Codec.read`."""
        known = self._kept.get(packet)
        if known is None:
            known = self._codec.read(packet, subject)
            if len(packet) <= MOST_BYTES:
                self._keep(packet, known)
        return known

    def _keep(self, packet: bytes, reading: PacketReading) -> None:
        kept = self._kept
        kept[packet] = reading
        while len(kept) > MOST:
            try:
                del kept[next(iter(kept))]
            except (KeyError, RuntimeError, StopIteration):
                return  # another thread was at it just now

    def edit(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        """As `Codec.edit`."""
        return self._codec.edit(packet, edit, subject)

    def create(self, edit: PacketEdit) -> bytes:
        """As `Codec.create`."""
        return self._codec.create(edit)

    def prove(self, before: bytes | None, after: bytes, edit: PacketEdit, subject: Path) -> None:
        """As `Codec.prove`."""
        self._codec.prove(before, after, edit, subject)

    def edit_proven(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        """As `Codec.edit_proven`."""
        return self._codec.edit_proven(packet, edit, subject)
