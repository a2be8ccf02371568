"""Reads a packet that is laid out like one that a scan has just read.

Photos of one series differ in numbers, times, ids and keywords. Once a scan has looked at one of
them (`scan.Scan`), only what can differ is looked at in the next: the two lists, one behind the
other, laid out as before, and that all else has the skeleton of a packet that was in order. What
a scan would check beyond that follows from the skeleton, or is checked here. Anything else is left
to the scan.
"""

from __future__ import annotations

from urbexmp.adapters.xmp.scan_ends import ending, near, value_at
from urbexmp.adapters.xmp.scan_head import (
    FADING,
    OURS,
    OWNERS,
    Head,
    Latest,
    known_head,
    part_of,
)
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
    if head is None or head.first < 0:
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
    owners = _owners(head, packet[size:start], gap, packet[behind:close])
    if owners is None or other_entity(packet):
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


def _owners(head: Head, before: bytes, gap: bytes, end: bytes) -> frozenset[bytes] | None:
    """Which of `OWNERS` may be in a packet with that before, between and behind its lists.

    None: its skeleton was not seen, or is not in ASCII.
    """
    latest = head.latest[0] if head.latest else None
    if (
        latest is not None
        and latest.gap == gap
        and latest.before.fits(before)
        and latest.end.fits(end)
    ):
        return latest.owners
    skeleton = (before + gap + b"\0" + end).translate(None, FADING)
    owners = head.seen.get(skeleton)
    if owners is None or not skeleton.isascii():
        return None
    parts = (latest.before.text, latest.end.text) if latest is not None else (before, end)
    # One assignment: other threads read.
    head.latest[:] = [Latest(part_of(before, parts[0]), gap, part_of(end, parts[1]), owners)]
    return owners
