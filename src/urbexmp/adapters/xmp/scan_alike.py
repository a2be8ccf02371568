"""Reads a packet that is laid out like one that a scan has just read.

Photos of one series differ in numbers, times, ids and keywords. Once a scan has looked at one of
them (`scan.Scan`), only what can differ is looked at in the next: the two lists, one behind the
other, laid out as before, and that all else has the skeleton of a packet that was in order. What
a scan would check beyond that follows from the skeleton, or is checked here. Anything else is left
to the scan.
"""

from __future__ import annotations

from urbexmp.adapters.xmp.scan_ends import ending, near, value_at
from urbexmp.adapters.xmp.scan_head import FADING, OURS, OWNERS, faded, known_head
from urbexmp.adapters.xmp.scan_list import known_pair
from urbexmp.adapters.xmp.scan_text import other_entity
from urbexmp.adapters.xmp.values import field_notes, owner_of
from urbexmp.model.keyword import KeywordFields
from urbexmp.model.ports import PacketReading

_NEAR = 80
"""Bytes before the end tag of rdf:RDF in which our block ends, where there is one."""
_SIDECAR_FOR, _RAW_FILE = OWNERS


def read_alike(packet: bytes) -> PacketReading | None:
    """What the scan would say; None: it has to be asked. Raises `Unusual`."""
    size, head = known_head(packet)
    if head is None or not head.latest or head.first < 0:
        return None
    close = ending(packet)
    inside = packet.find(b">", size, close) + 1
    if (
        not inside
        or packet.find(b"<", size, inside) >= 0
        or packet.find(OURS, close - _NEAR, close) >= 0
    ):
        return None
    found = known_pair(packet, inside, close)
    if found is None:
        return None
    start, behind, gap, flat, hierarchical = found
    before = (packet[size:start] + gap).translate(None, FADING)
    end = faded(packet[behind:close])
    owners = head.known(before, end)
    if (
        owners is None
        or not (before.isascii() and end.isascii())
        or (b"&" in packet and other_entity(packet))
    ):
        return None
    said = raw = None
    if _SIDECAR_FOR in owners:
        at = near(packet, _SIDECAR_FOR, head.first, size, inside)
        if at < 0:
            return None
        said = value_at(packet, _SIDECAR_FOR, at, head.first)
    if not said and _RAW_FILE in owners:
        at = near(packet, _RAW_FILE, head.first, size, inside)
        if at < 0:
            return None
        raw = value_at(packet, _RAW_FILE, at, head.first)
    fields = KeywordFields(flat, hierarchical)
    return PacketReading(fields, None, frozenset(), field_notes(fields), owner_of(said, raw))
