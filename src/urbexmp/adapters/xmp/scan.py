"""Reads the usual sidecar without parsing it: about three times faster than expat, or not at all.

Nothing is guessed. The guards below hold only for a packet whose every `<` and `>` belongs to a
tag, whose namespaces are declared once and under their usual prefixes, and in which the
properties stand at the top level in their usual form. Then counting is as good as parsing:
without comments, CDATA and instructions, and with as many `>` as `<`, the depth of any place is
the number of start tags before it less the number of end tags. Whatever fails a guard is parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from urbexmp.adapters.xmp.block import PREFIX, block_of
from urbexmp.adapters.xmp.names import (
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
from urbexmp.adapters.xmp.values import field_notes, owner_of
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
_SINGLE = re.compile(rb"=\s*'")
_ITEMS = re.compile(r"(?:\s*<rdf:li>[^<>]*</rdf:li>)*\s*")
_ITEM = re.compile(r"<rdf:li>([^<]*)</rdf:li>")
_LI, _LI_END = "<rdf:li>", "</rdf:li>"
_OURS = PREFIX.encode()
_OUR_PROPERTY = re.compile(rb"<%b:([A-Za-z]+)>(.*?)</%b:\1>".replace(b"%b", _OURS), re.DOTALL)
_CAPTION = re.compile(
    rb"""\s*<rdf:Alt>\s*<rdf:li xml:lang=["']x-default["'](?:/>|>([^<]*)</rdf:li>)"""
    rb"""\s*</rdf:Alt>\s*"""
)
_OTHER_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)")
_ENTITY = re.compile("&(amp|lt|gt|quot|apos);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_MATTERS = re.compile(
    rb"dc:subject|dc:description|lr:hierarchicalSubject|lr:weightedFlatSubject|%b:" % _OURS
)
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_MARKS = b"""</>"':"""
_NO_MARK = bytes(byte for byte in range(256) if byte not in _MARKS and byte not in _CONTROLS)
"""All that has no part in telling tags apart (see `Scan.depths`), nor is forbidden in XML."""
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
_OPENING = b'<rdf:Description rdf:about="" xmlns:%b="%b">' % (_OURS, URBEXMP.encode())
"""Where our block begins, as we write it."""
_TO_XMLNS = _OPENING.index(b"xmlns")
_PERSONS = PERSON[0].encode()
_KNOWN = frozenset(_USUAL.values())
_NAMED = {REGIONS[0].encode(): b"", MP_REGIONS[0].encode(): MP_NAME[1].encode()}
"""Namespaces of regions, and what gives a face its name there (nothing: the prefix and `Name`).
Such names are protected, and left to the parser; a region without one is the autofocus's."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the beginning of a packet, up to its last declaration of a namespace, says."""

    begin: int
    """Where the content of rdf:RDF begins."""
    declared: frozenset[bytes]
    """Prefixes, each declared once, the usual ones for their usual namespaces."""
    forbidden: tuple[tuple[bytes, bool], ...]
    """Words of protected names that the rest must not hold; whether the first tag is meant too.
    The part of that tag that is in the head holds none."""


_HEADS: dict[bytes, Head] = {}
"""Heads seen before, the latest one at the end: sidecars of one program and camera begin alike."""
_MOST_HEADS = 16
_TAILS: set[bytes] = set()
"""Ends of packets that were found to be in order."""
_MOST_TAILS = 64
_SHORT = 64


def scan(packet: bytes) -> PacketReading | None:
    """Return what `parse` and `read_document` would, or None when they have to be asked."""
    if len(packet) > LARGEST:
        return None
    try:
        return Scan(packet).reading()
    except Unusual:
        return None


class Unusual(Exception):  # noqa: N818  (not an error: the parser takes over)
    """Something stands where the scan did not expect it."""


def usual(condition: bool) -> None:
    """Raise `Unusual` unless that holds."""
    if not condition:
        raise Unusual


class Scan:
    """One scan. What it comes across stays for `locate`."""

    def __init__(self, packet: bytes) -> None:
        self.packet = packet
        self.places: list[tuple[int, int]] = []
        """Where a tag must begin, and at what depth."""
        self.begin = self.first = self.inside = self.close = self.block = -1
        """Where the content of rdf:RDF begins, the tag of the first description, what is inside
        of that, the end tag of rdf:RDF, our block (-1: there is none)."""
        self.lists: dict[bytes, tuple[int, int, int]] = {}
        """Keyword property to where its tag begins, and its content and end tag."""
        self.declaring = -1
        """Where in what is searched for them the first declaration stands, -1 for nowhere."""
        self.behind: dict[int, int] = {}
        """Where a list of keywords begins to where it ends; its tags add up."""

    def reading(self) -> PacketReading:
        """Look at everything, then check that it was where it seemed to be.

        Most of the time goes into searching for words that are not there, and half of the bytes
        are keywords: once those are read, the rest is searched, not the whole packet.
        """
        size, head = self.known_head()
        reading = self.under(size, head, sure=False) if head is not None else None
        if reading is None:
            self.places, self.lists, self.behind = [], {}, {}
            size, head = self.new_head()
            reading = self.under(size, head, sure=True)
        if reading is None:
            raise Unusual
        return reading

    def under(self, size: int, head: Head, *, sure: bool) -> PacketReading | None:
        """The reading, should `head`, of `size` bytes, hold all declarations but our block's.

        None: it does not; never where it is `sure`.
        """
        packet, declared = self.packet, head.declared
        close = packet.rfind(b"</rdf:RDF>")
        first, inside = self.first_tag(head.begin, close)
        self.begin, self.first, self.inside, self.close = head.begin, first, inside, close
        usual(packet.isascii() or _is_text(packet[first:]))
        flat = self.keywords(b"dc:subject", inside, close) if b"dc" in declared else None
        after = self.lists[b"dc:subject"][2] if flat is not None else inside
        hierarchical = None
        if b"lr" in declared:
            hierarchical = self.keywords(b"lr:hierarchicalSubject", after, close)
            if hierarchical is None and after > inside:
                hierarchical = self.keywords(b"lr:hierarchicalSubject", inside, close)
        rest = self.rest(min(size, inside))
        start = self.our_start(rest)
        if not sure and not self.holds_all(rest, size):
            return None
        self.frame(max(size, first), inside, close)
        self.no_more_lists(rest)
        content = rest[max(inside - size, 0) :]
        usual(b"rdf:RDF" not in content)
        for word, outside in head.forbidden:
            usual(word not in (rest if outside else content))
        found = self.ours(start) if start >= 0 else {}
        said = raw = None
        if b"photoshop" in declared:
            said = self.attribute(b"photoshop:SidecarForExtension", content)
        if not said and b"crs" in declared:
            raw = self.attribute(b"crs:RawFileName", content)
        caption = self.caption(rest) if b"dc" in declared else None
        self.depths(inside, close)
        fields = KeywordFields(flat, hierarchical)
        block, damage = block_of(found) if found else (None, ())
        notes = (*field_notes(fields), *damage)
        return PacketReading(fields, block, frozenset(), notes, owner_of(said, raw), caption)

    def known_head(self) -> tuple[int, Head | None]:
        """A head seen before that the packet begins with; there may be more declarations."""
        packet = self.packet
        for text in reversed(_HEADS):
            if packet.startswith(text):
                return len(text), _HEADS[text]
        return 0, None

    def our_start(self, rest: bytes) -> int:
        """Where our block begins, -1 for none."""
        self.block = -1
        self.declaring = rest.find(b"xmlns")
        if self.declaring >= 0:
            at = self.packet.rfind(b"xmlns") - _TO_XMLNS
            if at >= self.inside and self.packet.startswith(_OPENING, at):
                self.block = at
        return self.block

    def holds_all(self, rest: bytes, size: int) -> bool:
        """Whether nothing but our block declares a namespace behind a head of that size."""
        if size > self.inside or any(
            end - start > len(name) + 2 for name, (start, end, _) in self.lists.items()
        ):
            return False
        return self.declaring < 0 or (
            self.block >= 0 and rest.find(b"xmlns", self.declaring + 1) < 0
        )

    def new_head(self) -> tuple[int, Head]:
        """What the declarations say: all up to the last one, which mostly is that of our block."""
        packet = self.packet
        last = packet.rfind(b"xmlns")
        if packet.startswith(_OPENING, last - _TO_XMLNS):
            last = packet.rfind(b"xmlns", 0, last)
        value = packet.find(b"=", last) + 1
        usual(last > 0 and value > 0)
        end = packet.find(packet[value : value + 1], value + 1) + 1
        # With the bracket that ends the tag of rdf:RDF, should that declaration be the last one.
        end += packet[end : end + 1] == b">"
        known = _HEADS.pop(packet[:end], None) or _head(packet[:end])
        if len(_HEADS) >= _MOST_HEADS:
            del _HEADS[next(iter(_HEADS))]
        _HEADS[packet[:end]] = known
        return end, known

    def first_tag(self, begin: int, close: int) -> tuple[int, int]:
        """Span of the tag that opens the first description: most of a packet, and no tags in it."""
        packet = self.packet
        first = packet.find(b"<", begin)
        usual(0 < first < close and packet.startswith(b"<rdf:Description", first))
        inside = packet.find(b">", first) + 1
        usual(packet.find(b"<", first + 1, inside) < 0)
        return first, inside

    def rest(self, begin: int) -> bytes:
        """All from `begin` to the end of rdf:RDF but the keywords: what is still to be searched.

        Where a list was cut out a word may come about, which only costs the quick way.
        """
        packet, pieces = self.packet, []
        for start, end in sorted(self.behind.items()):
            pieces.append(packet[begin:start])
            begin = end
        return b"".join((*pieces, packet[begin : self.close]))

    def frame(self, start: int, inside: int, close: int) -> None:
        """Check that the tags of the packet can be counted, and that it ends as it should.

        From `start` to `inside` are the attributes behind the head.
        """
        packet = self.packet
        tail = packet[close:]
        if tail not in _TAILS:
            usual(_END.match(tail) is not None and not _has_controls(tail))
            if len(tail) < _SHORT and len(_TAILS) < _MOST_TAILS:
                _TAILS.add(tail)
        usual(not _has_controls(packet[start:inside]))
        # Single bytes are found many times faster than pairs, so those are looked for first.
        usual(b"!" not in packet or b"<!" not in packet)
        usual(b"&" not in packet or not _OTHER_ENTITY.search(packet))
        usual(packet.find(b"?", inside, close) < 0 or packet.find(b"<?", inside, close) < 0)

    def depths(self, inside: int, end: int) -> None:
        """Check the depth of every place, and that all elements are closed in the end.

        Counted in what is left when all but `< > / " ' :` is taken out, a fifth of the bytes.
        As every `>` ends a tag and every name has its colon, `</` is an end tag there and `/>` an
        element closed in itself, as in the packet: a slash in a value has a quote behind it, and
        one in a text has the `<` of the next tag. A name without a colon leaves `</>`.
        """
        packet, at = self.packet, inside
        depth = 2 if packet.startswith(b"/", inside - 2) else 3
        for place, expected in (*sorted(self.places), (end, 2)):
            marks = packet[at:place].translate(None, _NO_MARK)
            if marks:
                tags = marks.count(b"<")
                usual(
                    marks.count(b">") == tags and b"</>" not in marks and not _has_controls(marks)
                )
                depth += tags - marks.count(b"/>") - 2 * marks.count(b"</")
            usual(depth == expected)
            at = self.behind.get(place, place)

    def keywords(self, name: bytes, inside: int, close: int) -> tuple[str, ...] | None:
        """The items of a keyword property, from `inside` on; not one written as an attribute."""
        packet = self.packet
        opening = b"<" + name
        start = packet.find(opening, inside, close)
        if start < 0:
            return None
        closing = b"</" + name + b">"
        end = packet.find(closing, start, close)
        tag_end = packet.find(b">", start)
        # A declaration inside the tag is what we write where the prefix is not in scope.
        tag = packet[start + len(opening) : tag_end]
        usual(end > 0 and (not tag or (tag.startswith(b" xmlns:") and tag.count(b"=") == 1)))
        self.places.append((start, 3))
        self.lists[name] = start, tag_end + 1, end
        self.behind[start] = end + len(closing)
        content = packet[tag_end + 1 : end]
        usual(not _has_controls(content) and (b"]" not in content or b"]]>" not in content))
        return _list(content, b"<rdf:Bag>", b"</rdf:Bag>")

    def no_more_lists(self, rest: bytes) -> None:
        """Check that keywords stand nowhere else."""
        if b"ubject" in rest:
            usual(b"dc:subject" not in rest and b"lr:hierarchicalSubject" not in rest)
            usual(b"lr:weightedFlatSubject" not in rest)

    def caption(self, rest: bytes) -> str | None:
        """The text of `dc:description`, in one language."""
        if b"dc:description" not in rest:
            return None
        inside = self.inside
        packet = self.packet
        at = packet.find(b"<dc:description>", inside) + 1
        end = packet.find(b"</dc:description>", at)
        usual(at > inside and end >= 0 and rest.count(b"dc:description") == 2)
        self.places.append((at - 1, 3))
        match = _CAPTION.fullmatch(packet, at + 15, end)
        if match is None:
            raise Unusual
        text = _text(match.group(1) or b"")
        return text if text.strip() else None

    def attribute(self, name: bytes, content: bytes) -> str | None:
        """An attribute of the first description; None where the packet has none of that name.

        `content` is what stands behind the first tag.
        """
        packet, first, inside = self.packet, self.first, self.inside
        at = packet.find(name, first, inside)
        if at < 0:
            usual(name not in content)
            return None
        start = at + len(name) + 2
        usual(
            packet.startswith(b'="', at + len(name))
            and packet[at - 1 : at] in (b" ", b"\n")
            and packet.find(name, start, inside) < 0
        )
        if packet.find(b"'", first, at) >= 0:
            usual(_SINGLE.search(packet, first, at) is None)
        value = packet[start : packet.find(b'"', start)]
        usual(b"\t" not in value and b"\n" not in value)
        return _text(value)

    def ours(self, start: int) -> dict[str, list[str]]:
        """The properties of our block, as we write it."""
        packet = self.packet
        end = packet.find(b"</rdf:Description>", start)
        usual(end >= 0)
        used = _OURS + b":"
        usual(packet.find(used, self.first, start) < 0 and packet.find(used, end) < 0)
        self.places.append((start, 2))
        content = packet[start + len(_OPENING) : end]
        found: dict[str, list[str]] = {}
        tags = 0
        for name, inside in _OUR_PROPERTY.findall(content):
            local = name.decode("ascii")
            usual(local not in found)
            if b"<" in inside:
                found[local] = list(_list(inside, b"<rdf:Seq>", b"</rdf:Seq>"))
                tags += 4 + 2 * len(found[local])
            else:
                found[local] = [_text(inside)] if inside.strip() else []
                tags += 2
        usual(tags == content.count(b"<"))
        return found


def _head(head: bytes) -> Head:
    """Read the beginning of a packet. Raises `Unusual`."""
    start = _START.match(head)
    usual(start is not None and not _has_controls(head) and _is_text(head))
    found = _DECLARATION.findall(head)
    uris = {prefix: double or single for prefix, double, single in found}
    usual(len(uris) == len(found) == head.count(b"xmlns") and _OURS not in uris)
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
    return Head(start.end(), frozenset(uris), tuple(forbidden))


def _is_text(text: bytes) -> bool:
    """Whether these are whole characters of UTF-8 that XML allows (controls apart)."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\xef" not in text or not any(bad in text for bad in _NONCHARACTERS)


def _has_controls(text: bytes) -> bool:
    return len(text.translate(None, _CONTROLS)) != len(text)


def _list(content: bytes, opening: bytes, closing: bytes) -> tuple[str, ...]:
    content = content.strip(b" \t\r\n")
    usual(content.startswith(opening) and content.endswith(closing))
    usual(b"\r" not in content)
    inside = content[len(opening) : -len(closing)].decode("utf-8")
    first, last = inside.find(_LI), inside.rfind(_LI_END)
    between = _LI_END + inside[:first] + _LI
    items = inside[first + len(_LI) : last].split(between)
    evenly = (
        0 <= first < last
        and not inside[:first].strip(" \t\n")
        and not inside[last + len(_LI_END) :].strip(" \t\n")
        and inside.count("<", first, last) == 2 * len(items) - 1
    )
    if not evenly:
        # Not all on lines of their own, or none at all.
        usual(_ITEMS.fullmatch(inside) is not None)
        items = _ITEM.findall(inside)
    return tuple(map(_resolved, items)) if "&" in inside else tuple(items)


def _text(raw: bytes) -> str:
    usual(b"\r" not in raw)
    return _resolved(raw.decode("utf-8"))


def _resolved(text: str) -> str:
    if "&" in text:
        found = text.count("&")
        text, known = _ENTITY.subn(lambda match: _ENTITIES[match.group(1)], text)
        usual(found == known)
    return text
