"""Makes the mirror's row of a photo from its files. Holds readers only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from urbexmp.model.errors import PacketRefused, Problem
from urbexmp.model.keyword import KeywordFields
from urbexmp.model.mirror import FAILED, PENDING, MirrorHeld, MirrorRow
from urbexmp.model.observation import CaptureFacts, Context
from urbexmp.model.photo import Carrier, CarrierKind, Fingerprint, Photo, PhotoId, fingerprint_of
from urbexmp.model.ports import CarrierReader, Codec, PacketReading
from urbexmp.pipeline.look import Examined, Looker
from urbexmp.rules.mirrored import NO_FACTS, mirror_row, row_version

UNREADABLE = Fingerprint("unreadable")


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A row, and what was met while it was made."""

    row: MirrorRow
    packets: dict[Path, Fingerprint]
    """Versions of the carriers' packets that the row was made from."""
    examined: Examined | None
    """What the ledger may keep; None where the photo could not be read."""
    ours: bool
    """Whether a packet bears our block: a run has dealt with the photo once."""


class RowReader:
    """Reads rows. Thread-safe, as its readers are."""

    def __init__(
        self,
        store: CarrierReader,
        codec: Codec,
        looker: Looker,
        place_version: Callable[[Path], str],
        root: Path,
    ) -> None:
        """`place_version` gives a digest of what a row depends on beside the photo, by folder."""
        self._store = store
        self._codec = codec
        self._looker = looker
        self._place_version = place_version
        self._root = root

    def relative(self, path: Path) -> Path:
        """A path as the mirror knows it."""
        return path.relative_to(self._root)

    def read(
        self,
        photo: Photo,
        known_id: PhotoId | None = None,
        examined: Examined | None = None,
        *,
        status: str = PENDING,
        held: tuple[MirrorHeld, ...] = (),
    ) -> Mirrored:
        """The row of a photo as its files stand now.

        `examined` spares a second look at the file. What cannot be read is left out of the row,
        and its status is `failed`: a photo with a damaged picture still has its keywords.
        """
        read: dict[Path, bytes] = {}
        readings: list[PacketReading] = []
        packets: dict[Path, Fingerprint] = {}
        for carrier in _own(photo):
            packets[carrier.path], reading = self._packet(carrier, read)
            if reading is not None:
                readings.append(reading)
        if examined is None or examined.facts is None:
            try:
                examined = self._looker.recognise(photo, known_id, read)
            except Problem:
                examined, status = None, FAILED
        facts: CaptureFacts = NO_FACTS
        context: Context | None = None
        photo_id = known_id or ""
        if examined is not None:
            facts, context = examined.facts or NO_FACTS, examined.context
            photo_id = examined.photo_id
        versions = list(packets.values())
        elsewhere: list[KeywordFields] = []
        for path in photo.also_read:
            if path in photo.images:
                continue
            version, reading = self._packet(Carrier(CarrierKind.SIDECAR, path), read)
            versions.append(version)
            if reading is not None:
                elsewhere.append(reading.fields)
        if UNREADABLE in versions:
            status = FAILED
        stats = (photo.stat, *(file.stat for file in photo.companions))
        place = self._place_version(photo.path.parent)
        row = mirror_row(
            self.relative(photo.path),
            photo_id,
            photo.kind,
            photo.stat,
            readings,
            elsewhere,
            facts,
            context,
            status=status,
            held=held,
            # Without the photo's facts the row is not yet what it can be.
            version=row_version(versions, stats, place) if examined is not None else "",
        )
        ours = any(reading.block is not None for reading in readings)
        return Mirrored(row, packets, examined, ours)

    def _packet(
        self, carrier: Carrier, read: dict[Path, bytes]
    ) -> tuple[Fingerprint, PacketReading | None]:
        """Version and reading of a packet. `read` gets a sidecar's bytes."""
        try:
            packet = self._store.read(carrier)
            if packet is None:
                return fingerprint_of(None), None
            if carrier.kind is CarrierKind.SIDECAR:
                read[carrier.path] = packet
            return fingerprint_of(packet), self._codec.read(packet, carrier.path)
        except PacketRefused as refused:
            # A packet inside an image file that is refused spares the file, and no more.
            inside = carrier.kind is CarrierKind.EMBEDDED
            return (Fingerprint(refused.reason) if inside else UNREADABLE), None
        except Problem:
            return UNREADABLE, None


def _own(photo: Photo) -> list[Carrier]:
    """Sidecars that we write, then the packets inside image files, written or only read.

    The same for a photo as its folder lists it and as a plan left it, with files spared.
    """
    sidecars = [each for each in photo.carriers if each.kind is CarrierKind.SIDECAR]
    inside = {each.path for each in photo.carriers} | set(photo.also_read)
    images = sorted(inside & photo.images)
    return [*sidecars, *(Carrier(CarrierKind.EMBEDDED, path) for path in images)]
