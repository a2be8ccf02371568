"""Finds, in a packet that a scan can read, the places that an edit needs, without parsing it all.

What comes out is the same `Document` that `parse` gives, as far as the editor looks into it: one
description with its keyword lists, and our block behind it. expat still reads the packet once,
with nobody listening: what is not well-formed is left to `parse`, which says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from xml.parsers import expat

from urbexmp.adapters.xmp.forms import Form, Item
from urbexmp.adapters.xmp.frame import Frame
from urbexmp.adapters.xmp.names import (
    ABOUT,
    DESCRIPTION,
    HIERARCHICAL,
    LI,
    META,
    METADATA_DATE,
    RDF,
    RDF_RDF,
    SUBJECT,
    URBEXMP,
    Name,
)
from urbexmp.adapters.xmp.parse import DEEPEST, Attribute, Document, Node, Resource
from urbexmp.adapters.xmp.scan import LARGEST, Scan
from urbexmp.adapters.xmp.scan_head import declarations, last_declaration
from urbexmp.adapters.xmp.scan_text import Unusual, usual
from urbexmp.model.change import PacketEdit
from urbexmp.model.ports import PacketReading

_DECLARATION = re.compile(rb"""\sxmlns:([A-Za-z_][\w.-]*)=["']([^"'&<]*)["']""")
_TAGS = re.compile(rb"</|/>|<")
_STEPS = {b"<": 1, b"</": -1, b"/>": -1}
_START = b'<rdf:Description rdf:about=""'
_END = b"</rdf:Description>"
_LI, _LI_END = b"<rdf:li>", b"</rdf:li>"
_BLANKS = b" \t\r\n"
_LISTS = {b"dc:subject": SUBJECT, b"lr:hierarchicalSubject": HIERARCHICAL}
_SCOPES: dict[bytes, tuple[dict[str, str], dict[str, str]]] = {}
"""Declarations by the beginning of a packet: a program's sidecars begin alike."""
_MOST_SCOPES = 64
_SOMEWHERE = Node(LI, {}, -1, -1, {}, -1, -1)
"""An item that stays as it stands."""
_OTHERS: Name = ("", "others")
"""Stands for all attributes that no edit looks at."""


def locate(packet: bytes, edit: PacketEdit, *, parsed: bool = True) -> Document | None:
    """Return what an edit needs of a packet; None where that takes a parser.

    Without `parsed` nobody has read the packet as a whole: what is made of it has to be.
    """
    if len(packet) > LARGEST or not packet.startswith(b"<") or edit.texts:
        return None
    scan = Scan(packet)
    try:
        document = located(scan, scan.reading(), edit)
        if parsed:
            _parsed(packet)
    except (Unusual, expat.ExpatError):
        return None
    return document


def located(scan: Scan, reading: PacketReading, edit: PacketEdit) -> Document:
    """`locate` in a packet that has been scanned. Raises `Unusual`."""
    return _Locating(scan, reading, edit).document()


def too_deep(packet: bytes, start: int, end: int) -> bool:
    """Whether elements are nested deeper than is read."""
    # Single bytes are counted several times faster than pairs.
    if packet.count(b"<", start, end) < 2 * (DEEPEST - 10):
        return False
    steps = map(_STEPS.__getitem__, _TAGS.findall(packet, start, end))
    return max(accumulate(steps), default=0) >= DEEPEST - 10


def _parsed(packet: bytes) -> None:
    """Raise `ExpatError` for what is not well-formed."""
    parser = expat.ParserCreate("utf-8", " ")
    parser.Parse(packet, True)


def declared(packet: bytes, start: int, end: int) -> dict[str, str]:
    """Declarations of namespaces, prefix to URI."""
    found = _DECLARATION.findall(packet, start, end)
    return {prefix.decode(): uri.decode() for prefix, uri in found}


class _Locating:
    """One packet that a scan has read."""

    def __init__(self, scan: Scan, reading: PacketReading, edit: PacketEdit) -> None:
        self.scan = scan
        self.edit = edit
        self.packet = scan.packet
        self.reading = reading
        self.places: dict[Name, Attribute] = {}

    def document(self) -> Document:
        """The document. Raises `Unusual`."""
        scan, packet = self.scan, self.packet
        behind = scan.block if scan.block >= 0 else scan.close
        close = packet.rfind(_END, scan.inside, behind)
        end = close + len(_END)
        usual(close >= 0 and not packet[end:behind].strip(_BLANKS))
        scan.places = [(close, 3)]
        scan.depths(scan.inside, scan.close)
        usual(not too_deep(packet, scan.inside, scan.close))
        outer, scope = self.scopes()
        usual(declarations(packet, scan.inside) == len(scope))
        first = packet.find(b"<", scan.inside)
        description = Resource(
            DESCRIPTION,
            self.attributes(),
            scan.first,
            scan.inside,
            scope,
            close,
            end,
            properties=list(self.properties(scope)),
            first_child=first if first < close else -1,
            elements=-1,  # not counted; it only has to differ from the number of ours, none
        )
        resources = [description]
        if scan.block >= 0:
            resources.append(self.block(outer))
        root_end = packet.find(b"</x:xmpmeta>", scan.close) + len(b"</x:xmpmeta>")
        start = packet.rfind(b"<rdf:RDF", 0, scan.begin)
        rdf_end = scan.close + len(b"</rdf:RDF>")
        rdf = Node(RDF_RDF, {}, start, scan.begin, outer, scan.close, rdf_end)
        usual(not any("damaged" in note for note in self.reading.notes))
        frame = Frame("utf-8", 1, b"", packet, b"")
        root = (META, "xmpmeta")
        block = self.reading.block, ()
        return Document(frame, packet, root, root_end, rdf, resources, block, self.places)

    def scopes(self) -> tuple[dict[str, str], dict[str, str]]:
        """Prefixes and their URIs in rdf:RDF, and in the description."""
        packet, scan = self.packet, self.scan
        # Behind the last declaration stand attributes, many times as long as all before it.
        last = last_declaration(packet, scan.inside)
        end = min(max(packet.find(b"=", last) + 2, scan.first), scan.inside)
        end = packet.find(packet[end - 1 : end], end, scan.inside) + 1 or scan.inside
        head = packet[:end]
        known = _SCOPES.get(head)
        if known is None:
            outer = declared(head, 0, scan.begin)
            known = outer, outer | declared(head, scan.first, end)
            if len(_SCOPES) >= _MOST_SCOPES:
                _SCOPES.clear()
            _SCOPES[head] = known
        return known

    def attributes(self) -> dict[Name, str]:
        """The attributes of the description that matter, and one for all the others."""
        packet, first, inside = self.packet, self.scan.first, self.scan.inside
        usual(packet.startswith(_START, first) and packet.find(b"'", first, inside) < 0)
        usual(packet.find(b":about", first + len(_START), inside) < 0)
        attributes: dict[Name, str] = {ABOUT: ""}
        values = packet.count(b'="', first, inside) - packet.count(b"xmlns:", first, inside)
        if values > 1:
            attributes[_OTHERS] = ""
        if self.edit.metadata_date is not None:
            at = packet.find(b":MetadataDate")
            if at >= 0:
                # Nowhere else, and not as an element.
                usual(first < at < inside and packet.find(b":MetadataDate", at + 1) < 0)
                usual(packet.startswith(b'xmp:MetadataDate="', at - 3))
                value = at + len(b':MetadataDate="')
                end = packet.find(b'"', value, inside)
                usual(end > 0)
                attributes[METADATA_DATE] = ""
                # No blanks in between, and only one before: no edit takes this attribute out.
                self.places[METADATA_DATE] = Attribute(at - 4, end + 1, value, end)
        return attributes

    def properties(self, scope: dict[str, str]) -> Iterator[Node]:
        """The keyword properties, in the order they stand."""
        fields = self.reading.fields
        said = {b"dc:subject": fields.flat, b"lr:hierarchicalSubject": fields.hierarchical}
        for name, (start, content, close) in sorted(
            self.scan.lists.items(), key=lambda each: each[1]
        ):
            end = close + len(name) + 3
            values = said[name] or ()
            usual(bool(values) and content == start + len(name) + 2)
            node = Node(_LISTS[name], {}, start, content, scope, close, end)
            removes = (
                self.edit.flat_remove if name == b"dc:subject" else self.edit.hierarchical_remove
            )
            node.form = self.form(values, content, close, scope, each=bool(removes))
            yield node

    def form(
        self,
        values: tuple[str, ...],
        content: int,
        close: int,
        scope: dict[str, str],
        *,
        each: bool,
    ) -> Form:
        """A Bag, with its items where they stand; without `each` only the last one's place."""
        packet = self.packet
        at = packet.find(b"<", content)
        inside = at + len(b"<rdf:Bag>")
        bag_close = packet.rfind(b"</rdf:Bag>", inside, close)
        usual(packet.startswith(b"<rdf:Bag>", at) and bag_close > 0)
        items = []
        if not each:
            # The scan saw that there is nothing but items; nobody asks where these are.
            items = [Item(value, plain=True, node=_SOMEWHERE) for value in values[:-1]]
            inside = packet.rfind(_LI, inside, bag_close)
        for value in values[len(items) :]:
            start = packet.find(_LI, inside)
            shut = packet.find(_LI_END, start)
            inside = shut + len(_LI_END)
            item = Node(LI, {}, start, start + len(_LI), scope, shut, inside)
            items.append(Item(value, plain=True, node=item))
        usual(packet.find(b"<", inside) == bag_close)
        bag = Node(
            (RDF, "Bag"),
            {},
            at,
            at + len(b"<rdf:Bag>"),
            scope,
            bag_close,
            bag_close + len(b"</rdf:Bag>"),
        )
        return Form(bag, tuple(items))

    def block(self, outer: dict[str, str]) -> Resource:
        """Our block as one piece: it is replaced whole or left alone."""
        packet, start = self.packet, self.scan.block
        inside = packet.find(b">", start) + 1
        close = packet.find(_END, inside)
        end = close + len(_END)
        usual(not packet[end : self.scan.close].strip(_BLANKS))
        content = packet[inside:close]
        begin = inside + len(content) - len(content.lstrip(_BLANKS))
        stop = inside + len(content.rstrip(_BLANKS))
        usual(begin < stop)
        ours = Node((URBEXMP, "all"), {}, begin, begin, outer, stop, stop)
        return Resource(
            DESCRIPTION,
            {ABOUT: ""},
            start,
            inside,
            outer,
            close,
            end,
            properties=[ours],
            first_child=begin,
            elements=1,
        )
