"""The beginning of a packet that is only scanned: its namespaces, and what follows from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from urbexmp.adapters.xmp.block import PREFIX
from urbexmp.adapters.xmp.names import (
    ALT_TEXT,
    CRS,
    DC,
    LR,
    MP_NAME,
    MP_REGIONS,
    PERSON,
    PHOTOSHOP,
    RDF,
    REGIONS,
    URBEXMP,
    XMP,
)
from urbexmp.adapters.xmp.scan_text import has_controls, is_text, usual

OURS = PREFIX.encode()
_START = re.compile(
    rb"""(?:<\?xpacket\ begin=(?P<q>["'])(?:\xef\xbb\xbf)?(?P=q)\ id=(?P<r>["'])"""
    rb"""W5M0MpCehiHzreSzNTczkc9d(?P=r)\?>\s*)?<x:xmpmeta\ xmlns:x=["']adobe:ns:meta/["'][^<>]*>"""
    rb"""\s*<rdf:RDF\ xmlns:rdf=["']""" + re.escape(RDF).encode() + rb"""["']>""",
    re.VERBOSE,
)
_DECLARATION = re.compile(rb"""xmlns:([^\s=<>"']+)=(?:"([^"&<]*)"|'([^'&<]*)')""")
_MATTERS = re.compile(
    rb"dc:subject|dc:description|lr:hierarchicalSubject|lr:weightedFlatSubject"
    rb"|AltTextAccessibility|%b:" % OURS
)
FADING = b"0123456789abcdefABCDEF.+-"
"""What numbers, times and ids are made of: without them, most packets of a series are alike."""
_FADED = tuple(
    word.translate(None, FADING)
    for word in (b"xmlns", b"ubject", b"rdf:RDF", b"AltTextAccessibility", PREFIX.encode() + b":")
)
"""What must not be in a packet's rest, in a skeleton."""
OWNERS = (b"photoshop:SidecarForExtension", b"crs:RawFileName")
"""Attributes that say whose packet it is."""
_ONCE = {word: word.translate(None, FADING) for word in OWNERS}
_DESCRIPTION = b":description".translate(None, FADING)
"""With an `r` before it, it is `rdf:Description`, else it may be `dc:description`."""
_MOST_SKELETONS = 64
_CHUNK = 128
_LONG = 1 << 15
_USUAL = {
    prefix.encode(): uri.encode()
    for prefix, uri in (
        ("rdf", RDF),
        ("dc", DC),
        ("lr", LR),
        ("xmp", XMP),
        ("photoshop", PHOTOSHOP),
        ("crs", CRS),
        ("Iptc4xmpCore", ALT_TEXT[0]),
        (PREFIX, URBEXMP),
    )
}
OPENING = b'<rdf:Description rdf:about="" xmlns:%b="%b">' % (OURS, URBEXMP.encode())
"""Where our block begins, as we write it."""
_TO_XMLNS = OPENING.index(b"xmlns")
_PERSONS = PERSON[0].encode()
_KNOWN = frozenset(_USUAL.values())
_NAMED = {REGIONS[0].encode(): b"", MP_REGIONS[0].encode(): MP_NAME[1].encode()}
"""Namespaces of regions, and what gives a face its name there (nothing: the prefix and `Name`).
Such names are protected, and left to the parser; a region without one is the autofocus's."""


class Part(NamedTuple):
    """One stretch of a packet, and what a stretch with the same skeleton may look like."""

    text: bytes
    same: bytes
    """A piece of it that is there byte for byte."""
    behind: int
    """Bytes from where that begins to the stretch's end."""
    first: bytes
    last: bytes
    """What stands before and behind that piece, without `FADING`."""

    def fits(self, text: bytes) -> bool:
        """Whether another stretch has the same skeleton; False: it may have it all the same."""
        _, same, behind, first, last = self
        at = len(text) - behind
        return (
            at >= 0
            and text.startswith(same, at)
            and text[:at].translate(None, FADING) == first
            and text[at + len(same) :].translate(None, FADING) == last
        )


class Latest(NamedTuple):
    """A packet that was met: what stands before, between and behind its lists; which of `OWNERS`
    may be there."""

    before: Part
    gap: bytes
    end: Part
    owners: frozenset[bytes]


def part_of(text: bytes, other: bytes) -> Part:
    """A stretch; what it has in common with another one is what the next may have as well.

    Series differ in their times at the front and in names of the same length behind, so both are
    laid together by their ends.
    """
    size = min(len(text), len(other))
    best, length, run = 0, 0, 0
    for behind in range(_CHUNK, size + 1, _CHUNK):
        at = len(text) - behind
        run = run + _CHUNK if other.startswith(text[at : at + _CHUNK], len(other) - behind) else 0
        if run > length:
            best, length = behind, run
    at = len(text) - best
    return Part(
        text,
        text[at : at + length],
        best,
        text[:at].translate(None, FADING),
        text[at + length :].translate(None, FADING),
    )


@dataclass(frozen=True, slots=True)
class Head:
    """What the beginning of a packet, up to its last declaration of a namespace, says."""

    begin: int
    """Where the content of rdf:RDF begins."""
    declared: frozenset[bytes]
    """Prefixes, each declared once, the usual ones for their usual namespaces."""
    seen: dict[bytes, frozenset[bytes]]
    """Skeletons of what follows that were looked at and found to be in order, and which of
    `OWNERS` may be there, of those whose namespaces are declared."""
    forbidden: tuple[tuple[bytes, bool], ...]
    """Words of protected names that the rest must not hold; whether the first tag is meant too.
    The part of that tag that is in the head holds none."""
    first: int
    """Where the tag of the first description begins, whose attributes reach beyond the head; -1:
    the head ends elsewhere, or does not declare the namespaces of both lists."""
    owners: bool
    """Whether the head itself holds one of `OWNERS`."""
    latest: list[Latest]
    """The packet that was met last and had such a skeleton; one or none."""

    def remember(self, skeleton: bytes) -> None:
        """Another packet with this skeleton need not be looked at, unless it tells too little.

        The bytes taken out of it hide no word: where a packet has it, its skeleton has what is
        left of it.
        """
        descriptions = skeleton.count(_DESCRIPTION)
        if (
            0 < len(skeleton) < _LONG
            and not any(word in skeleton for word in _FADED)
            and not any(word.translate(None, FADING) in skeleton for word, _ in self.forbidden)
            and all(skeleton.count(name) < 2 for name in _ONCE.values())
            and descriptions == skeleton.count(b"r" + _DESCRIPTION)
            and b"<!" not in skeleton
            and b"<?" not in skeleton
        ):
            if len(self.seen) >= _MOST_SKELETONS:
                self.seen.clear()
            self.seen[skeleton] = frozenset(
                name
                for name, faded in _ONCE.items()
                if name.partition(b":")[0] in self.declared and (self.owners or faded in skeleton)
            )


_recent: tuple[tuple[bytes, Head], ...] = ()
"""Heads seen before and their bytes, the latest first: sidecars of one camera begin alike."""
_MOST_HEADS = 16


_ends: tuple[tuple[bytes, bytes], ...] = ()
"""What stood behind the keywords of the last packets, and the same without `FADING`."""
_MOST_ENDS = 4


def faded(end: bytes) -> bytes:
    """What stands behind the keywords, without `FADING`: settings, the same for many photos."""
    global _ends
    for known, said in _ends:
        if known == end:
            return said
    said = end.translate(None, FADING)
    # One assignment: other threads read.
    _ends = ((end, said), *_ends[: _MOST_ENDS - 1])
    return said


def last_declaration(packet: bytes, end: int) -> int:
    """Where the last `xmlns` before `end` is that is no part of a name, -1 for none.

    The namespace of IPTC Core is called `.../1.0/xmlns/`, and nothing that declares one goes on
    with a slash.
    """
    at = packet.rfind(b"xmlns", 0, end)
    while at >= 0 and packet.startswith(b"/", at + 5):
        at = packet.rfind(b"xmlns", 0, at)
    return at


def declarations(packet: bytes, end: int) -> int:
    """How many there are before `end`."""
    return packet.count(b"xmlns", 0, end) - packet.count(b"xmlns/", 0, end)


def known_head(packet: bytes) -> tuple[int, Head | None]:
    """A head seen before that the packet begins with; there may be more declarations."""
    for text, head in _recent:
        if packet.startswith(text):
            return len(text), head
    return 0, None


def new_head(packet: bytes) -> tuple[int, Head]:
    """What the declarations say: all up to the last one, which mostly is that of our block."""
    last = last_declaration(packet, len(packet))
    if packet.startswith(OPENING, last - _TO_XMLNS):
        last = last_declaration(packet, last)
    value = packet.find(b"=", last) + 1
    usual(last > 0 and value > 0)
    end = packet.find(packet[value : value + 1], value + 1) + 1
    # With the bracket that ends the tag of rdf:RDF, should that declaration be the last one.
    end += packet[end : end + 1] == b">"
    global _recent
    known = next((each for text, each in _recent if text == packet[:end]), None)
    known = known or _head(packet[:end])
    # One assignment: other threads read.
    others = tuple(each for each in _recent if each[1] is not known)
    _recent = ((packet[:end], known), *others[: _MOST_HEADS - 1])
    return end, known


def _head(head: bytes) -> Head:
    """Read the beginning of a packet. Raises `Unusual`."""
    start = _START.match(head)
    usual(start is not None and not has_controls(head) and is_text(head))
    found = _DECLARATION.findall(head)
    uris = {prefix: double or single for prefix, double, single in found}
    usual(len(uris) == len(found) == declarations(head, len(head)) and OURS not in uris)
    for prefix in uris.keys() & _USUAL.keys():
        usual(uris[prefix] == _USUAL[prefix])
    forbidden = []
    for prefix, uri in uris.items():
        usual(uri not in _KNOWN or prefix in _USUAL)
        if uri in _NAMED:
            forbidden.append((_NAMED[uri] or prefix + b":Name", False))
    if _PERSONS in uris.values():
        forbidden.append((b"PersonInImage", True))
    assert start is not None
    # The first tag may have attributes before its last declaration: none that matters.
    tag = head[: head.find(b">", start.end()) + 1 or len(head)]
    usual(not _MATTERS.search(tag) and not any(word in tag for word, out in forbidden if out))
    owners = any(name in head for name in OWNERS)
    begin, first = start.end(), head.find(b"<", start.end())
    if not (head.startswith(b"<rdf:Description", first) and uris.keys() >= {b"dc", b"lr"}) or (
        owners or head.find(b"<", first + 1) >= 0 or head.find(b">", first) >= 0
    ):
        first = -1
    return Head(begin, frozenset(uris), {}, tuple(forbidden), first, owners, [])
