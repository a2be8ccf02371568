"""The carriers of packets, wired: where they live, how they are read, what must be spared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.errors import Problem
from urbexmp.model.photo import Carrier, CarrierKind, Spared

if TYPE_CHECKING:
    from urbexmp.adapters.embedded.codec import EmbeddedCodec
    from urbexmp.model.ports import CarrierReader, CarrierStore
    from urbexmp.model.profile import Profile


def open_carriers(profile: Profile) -> tuple[CarrierStore, EmbeddedCodec]:
    """Where packets live and how they are read and edited, under a profile."""
    from urbexmp.adapters.carriers import Carriers
    from urbexmp.adapters.embedded.codec import EmbeddedCodec
    from urbexmp.adapters.embedded.jpeg import JpegContainer
    from urbexmp.adapters.embedded.store import EmbeddedStore
    from urbexmp.adapters.embedded.tiff import TiffContainer
    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.adapters.xmp.sidecar import SidecarStore

    containers = (JpegContainer(), TiffContainer())
    codec = EmbeddedCodec(
        XmpCodec(), containers, adopt_iptc=profile.adopt_iptc, break_c2pa=profile.break_c2pa
    )
    return Carriers(SidecarStore(), EmbeddedStore(containers)), codec


def sparing(codec: EmbeddedCodec, carrier: Carrier, packet: bytes) -> Spared | None:
    """Why an image file must not be written into; None: it may."""
    from urbexmp.adapters.files.obstacle import obstacle

    refusal = codec.refusal(packet, carrier.path)
    if refusal is not None:
        return Spared(carrier.path, refusal.reason, refusal.detail)
    against = obstacle(carrier.path)
    return Spared(carrier.path, *against) if against is not None else None


LOCATION = {
    ("http://ns.adobe.com/photoshop/1.0/", "City"),
    ("http://ns.adobe.com/photoshop/1.0/", "State"),
    ("http://ns.adobe.com/photoshop/1.0/", "Country"),
    ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "Location"),
}


_LOCATION_WORDS = tuple(name.encode() for _, name in sorted(LOCATION))


def location_in(
    store: CarrierReader, codec: EmbeddedCodec, carrier: Carrier, packet: bytes | None = None
) -> dict[str, str]:
    """What a sidecar says of the place, by property name; nothing where it cannot be read.

    `packet` is what was read of it already. What an image file says is among its capture facts.
    """
    if carrier.kind is not CarrierKind.SIDECAR:
        return {}
    try:
        if packet is None:
            packet = store.read(carrier)
        if packet is None or not any(word in packet for word in _LOCATION_WORDS):
            return {}
        found = codec.read_simple(packet, LOCATION, carrier.path)
    except Problem:
        return {}  # the planner reads it again, and says what is wrong
    return {name: value for (_, name), value in found.items() if value.strip()}


def owner_of(sidecar: Path) -> str | None:
    """Which raw extension a sidecar says it belongs to; None when it does not say."""
    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.adapters.xmp.sidecar import SidecarStore

    try:
        packet = SidecarStore().read(Carrier(CarrierKind.SIDECAR, sidecar))
        return XmpCodec().read(packet, sidecar).sidecar_for if packet is not None else None
    except Problem:
        return None
