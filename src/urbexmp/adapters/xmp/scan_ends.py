"""The end of a packet that is only scanned, and attributes that stand where they mostly stand."""

from __future__ import annotations

import re

from urbexmp.adapters.xmp.scan_text import has_controls, text_of, usual

_END = re.compile(rb"""</rdf:RDF>\s*</x:xmpmeta>\s*(?:<\?xpacket end=(?:"[rw]"|'[rw]')\?>\s*)?\Z""")
_SINGLE = re.compile(rb"=\s*'")
_tails: tuple[bytes, ...] = ()
"""Ends of the last packets, padding and all, that were found to be in order."""
_MOST_TAILS = 4
_MOST_TAIL = 1 << 13
_WINDOW = 64
"""Bytes before and behind its place in the last packet in which an attribute mostly stands."""
_near: dict[bytes, int] = {}
"""Bytes from the first tag to an attribute, in a packet that had it."""


def ending(packet: bytes) -> int:
    """Where the end tag of rdf:RDF begins, behind which all is in order. Raises `Unusual`."""
    global _tails
    for tail in _tails:
        if packet.endswith(tail):
            return len(packet) - len(tail)
    close = packet.rfind(b"</rdf:RDF>")
    tail = packet[close:]
    usual(close > 0 and _END.match(tail) is not None and not has_controls(tail))
    if len(tail) < _MOST_TAIL:
        # One assignment: other threads read.
        _tails = (tail, *_tails[: _MOST_TAILS - 1])
    return close


def near(packet: bytes, name: bytes, first: int, begin: int, end: int) -> int:
    """Where an attribute stands between `begin` and `end`, near its place in another packet.

    `first`: where the first tag begins. -1: not there; it may stand anywhere else.
    """
    lead = _near.get(name)
    if lead is None:
        return -1
    at = packet.find(name, first + lead - _WINDOW, first + lead + _WINDOW)
    return at if begin <= at < end else -1


def note_near(name: bytes, lead: int) -> None:
    """Note how far from the first tag an attribute stands."""
    _near[name] = lead


def value_at(packet: bytes, name: bytes, at: int, first: int) -> str:
    """The value of an attribute of the tag that begins at `first`. Raises `Unusual`."""
    start = at + len(name) + 2
    usual(packet.startswith(b'="', start - 2) and packet.startswith((b" ", b"\n"), at - 1))
    if packet.find(b"'", first, at) >= 0:
        usual(_SINGLE.search(packet, first, at) is None)
    value = packet[start : packet.find(b'"', start)]
    if value.isalnum():
        return value.decode("ascii")
    usual(b"\t" not in value and b"\n" not in value)
    return text_of(value)
