"""Reads the usual sidecar without parsing it: about three times faster than expat, or not at all.

Nothing is guessed. The guards below hold only for a packet whose every `<` and `>` belongs to a
tag, whose namespaces are declared once and under their usual prefixes, and in which the
properties stand at the top level in their usual form. Then counting is as good as parsing:
without comments, CDATA and instructions, and with as many `>` as `<`, the depth of any place is
the number of start tags before it less the number of end tags. Whatever fails a guard is parsed.
"""

from __future__ import annotations

import re

from urbexmp.adapters.xmp.block import PREFIX, block_of
from urbexmp.adapters.xmp.names import (
    CRS,
    DC,
    LR,
    MP_REGIONS,
    PERSON,
    PHOTOSHOP,
    RDF,
    REGIONS,
    URBEXMP,
    XMP,
)
from urbexmp.adapters.xmp.reading import field_notes, owner_of
from urbexmp.model.keyword import KeywordFields
from urbexmp.model.ports import PacketReading

LARGEST = 4 << 20
"""Larger packets are parsed: a scan goes over the bytes some fifteen times."""

_START = re.compile(
    rb"""(?:<\?xpacket\ begin=(?P<q>["'])(?:\xef\xbb\xbf)?(?P=q)\ id=(?P<r>["'])"""
    rb"""W5M0MpCehiHzreSzNTczkc9d(?P=r)\?>\s*)?<x:xmpmeta\ xmlns:x=["']adobe:ns:meta/["'][^<>]*>"""
    rb"""\s*<rdf:RDF\ xmlns:rdf=["']""" + re.escape(RDF).encode() + rb"""["']>""",
    re.VERBOSE,
)
_END = re.compile(rb"""</rdf:RDF>\s*</x:xmpmeta>\s*(?:<\?xpacket end=(?:"[rw]"|'[rw]')\?>\s*)?\Z""")
_DECLARATION = re.compile(rb"""xmlns:([^\s=<>"']+)=(?:"([^"&<]*)"|'([^'&<]*)')""")
_ITEMS = re.compile(rb"(?:\s*<rdf:li>[^<>]*</rdf:li>)*\s*")
_ITEM = re.compile(rb"<rdf:li>([^<]*)</rdf:li>")
_OURS = PREFIX.encode()
_OUR_PROPERTY = re.compile(rb"<%b:([A-Za-z]+)>(.*?)</%b:\1>".replace(b"%b", _OURS), re.DOTALL)
_CAPTION = re.compile(
    rb"""\s*<rdf:Alt>\s*<rdf:li xml:lang=["']x-default["'](?:/>|>([^<]*)</rdf:li>)"""
    rb"""\s*</rdf:Alt>\s*"""
)
_OTHER_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)")
_ENTITY = re.compile("&(amp|lt|gt|quot|apos);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")

_USUAL = {
    prefix.encode(): uri.encode()
    for prefix, uri in (
        ("rdf", RDF),
        ("dc", DC),
        ("lr", LR),
        ("xmp", XMP),
        ("photoshop", PHOTOSHOP),
        ("crs", CRS),
        (PREFIX, URBEXMP),
    )
}
_PERSONS = PERSON[0].encode()
_KNOWN = frozenset(_USUAL.values())
_ELSEWHERE = frozenset(name[0].encode() for name in (REGIONS, MP_REGIONS))
"""Namespaces that say the packet may hold protected names: those are left to the parser."""


def scan(packet: bytes) -> PacketReading | None:
    """Return what `parse` and `read_document` would, or None when they have to be asked."""
    if len(packet) > LARGEST:
        return None
    try:
        return _Scan(packet).reading()
    except _Unusual:
        return None


class _Unusual(Exception):  # noqa: N818  (not an error: the parser takes over)
    """Something stands where the scan did not expect it."""


def _usual(condition: bool) -> None:
    if not condition:
        raise _Unusual


class _Scan:
    """One scan. `places` collects where a tag must begin, and at what depth."""

    def __init__(self, packet: bytes) -> None:
        self.packet = packet
        self.places: list[tuple[int, int]] = []

    def reading(self) -> PacketReading:
        """Look at everything, then check that it was where it seemed to be."""
        begin, end = self.frame()
        declared = self.declarations()
        flat = self.keywords(b"dc:subject", b"dc" in declared)
        hierarchical = self.keywords(b"lr:hierarchicalSubject", b"lr" in declared)
        found = self.ours() if _OURS in declared else {}
        owner = owner_of(
            self.attribute(b"photoshop:SidecarForExtension", b"photoshop" in declared),
            self.attribute(b"crs:RawFileName", b"crs" in declared),
        )
        caption = self.caption(b"dc" in declared)
        self.depths(begin, end)
        fields = KeywordFields(flat, hierarchical)
        block, damage = block_of(found)
        notes = (*field_notes(fields), *damage)
        return PacketReading(fields, block, frozenset(), notes, owner, caption)

    def frame(self) -> tuple[int, int]:
        """Where the content of rdf:RDF begins and ends, in a packet whose tags can be counted."""
        packet = self.packet
        start = _START.match(packet)
        close = packet.rfind(b"</rdf:RDF>")
        if start is None or close < 0 or not _END.match(packet, close):
            raise _Unusual
        begin = start.end()
        # Single bytes are found many times faster than pairs, so those are looked for first.
        _usual(b"!" not in packet or b"<!" not in packet)
        _usual(b"&" not in packet or not _OTHER_ENTITY.search(packet))
        _usual(packet.find(b"?", begin, close) < 0 or packet.find(b"<?", begin, close) < 0)
        _usual(packet.count(b">") == packet.count(b"<"))
        _usual(packet.find(b"rdf:RDF", begin, close) < 0)
        _usual(len(packet.translate(None, _CONTROLS)) == len(packet))
        if not packet.isascii():
            try:
                packet.decode("utf-8")
            except UnicodeDecodeError:
                raise _Unusual from None
            _usual(b"\xef" not in packet or not any(bad in packet for bad in _NONCHARACTERS))
        return begin, close

    def declarations(self) -> frozenset[bytes]:
        """Prefixes, each declared once, the usual ones for their usual namespaces."""
        packet = self.packet
        found = _DECLARATION.findall(packet)
        uris = {prefix: double or single for prefix, double, single in found}
        _usual(len(uris) == len(found) == packet.count(b"xmlns"))
        for prefix in uris.keys() & _USUAL.keys():
            _usual(uris[prefix] == _USUAL[prefix])
        for prefix, uri in uris.items():
            _usual(uri not in _ELSEWHERE and (uri not in _KNOWN or prefix in _USUAL))
        _usual(_PERSONS not in uris.values() or b"PersonInImage" not in packet)
        _usual(b"lr" not in uris or b"weightedFlatSubject" not in packet)
        return frozenset(uris)

    def depths(self, begin: int, end: int) -> None:
        """Check the depth of every place, and that all elements are closed in the end."""
        packet, depth, at = self.packet, 2, begin
        for place, expected in (*sorted(self.places), (end, 2)):
            depth += packet.count(b"<", at, place) - packet.count(b"/>", at, place)
            depth -= 2 * packet.count(b"</", at, place)
            _usual(depth == expected)
            at = place

    def keywords(self, name: bytes, declared: bool) -> tuple[str, ...] | None:
        """The items of a keyword property at the top level."""
        packet, local = self.packet, name[name.index(b":") :]
        at = packet.find(local) if declared else -1
        if at < 0:
            return None
        end = packet.find(local, at + 1)
        start, end = at - name.index(b":") - 1, end - name.index(b":") - 2
        opening, closing = b"<" + name, b"</" + name + b">"
        _usual(packet.startswith(opening, start) and packet.startswith(closing, end))
        _usual(packet.find(local, end + len(closing)) < 0)
        tag_end = packet.find(b">", start)
        # A declaration inside the tag is what we write where the prefix is not in scope.
        rest = packet[start + len(opening) : tag_end]
        _usual(not rest or (rest.startswith(b" xmlns:") and rest.count(b"=") == 1))
        self.places.append((start, 3))
        return _list(packet[tag_end + 1 : end], b"<rdf:Bag>", b"</rdf:Bag>")

    def caption(self, declared: bool) -> str | None:
        """The text of `dc:description`, in one language."""
        packet = self.packet
        at = packet.find(b"dc:description") if declared else -1
        if at < 0:
            return None
        end = packet.find(b"</dc:description>", at)
        _usual(packet.startswith(b"<dc:description>", at - 1) and end >= 0)
        _usual(packet.find(b"dc:description", at + 1) == end + 2)
        _usual(packet.find(b"dc:description", end + 3) < 0)
        self.places.append((at - 1, 3))
        match = _CAPTION.fullmatch(packet, at + 15, end)
        if match is None:
            raise _Unusual
        text = _text(match.group(1) or b"")
        return text if text.strip() else None

    def attribute(self, name: bytes, declared: bool) -> str | None:
        """An attribute of a description at the top level."""
        packet = self.packet
        at = packet.find(name) if declared else -1
        if at < 0:
            return None
        start = at + len(name) + 2
        tag = packet.rfind(b"<", 0, at)
        _usual(
            packet.startswith(b'="', at + len(name))
            and packet[at - 1 : at] in (b" ", b"\n")
            and packet.find(name, start) < 0
            and packet.find(b">", tag, at) < 0
            and packet.startswith(b"<rdf:Description", tag)
        )
        self.places.append((tag, 2))
        value = packet[start : packet.find(b'"', start)]
        _usual(b"\t" not in value and b"\n" not in value)
        return _text(value)

    def ours(self) -> dict[str, list[str]]:
        """The properties of our block, as we write it."""
        packet = self.packet
        opening = b'<rdf:Description rdf:about="" xmlns:%b="%b">' % (_OURS, URBEXMP.encode())
        start = packet.find(opening)
        end = packet.find(b"</rdf:Description>", start)
        _usual(start >= 0 and end >= 0)
        used = _OURS + b":"
        _usual(packet.find(used, 0, start) < 0 and packet.find(used, end) < 0)
        self.places.append((start, 2))
        content = packet[start + len(opening) : end]
        found: dict[str, list[str]] = {}
        tags = 0
        for name, inside in _OUR_PROPERTY.findall(content):
            local = name.decode("ascii")
            _usual(local not in found)
            if b"<" in inside:
                found[local] = list(_list(inside, b"<rdf:Seq>", b"</rdf:Seq>"))
                tags += 4 + 2 * len(found[local])
            else:
                found[local] = [_text(inside)] if inside.strip() else []
                tags += 2
        _usual(tags == content.count(b"<"))
        return found


def _list(content: bytes, opening: bytes, closing: bytes) -> tuple[str, ...]:
    content = content.strip(b" \t\r\n")
    _usual(content.startswith(opening) and content.endswith(closing))
    inside = content[len(opening) : -len(closing)]
    _usual(_ITEMS.fullmatch(inside) is not None)
    return tuple(_text(item) for item in _ITEM.findall(inside))


def _text(raw: bytes) -> str:
    _usual(b"\r" not in raw)
    text = raw.decode("utf-8")
    if "&" in text:
        found = raw.count(b"&")
        text, known = _ENTITY.subn(lambda match: _ENTITIES[match.group(1)], text)
        _usual(found == known)
    return text
