"""Adds keywords to a packet in the usual form, and puts our block in, without a document of it.

What most writes do, from where a scan has found the lists, at a fifth of the cost. It gives the
same bytes as the editor does, or nothing; a property or an item that goes away, a text, and any
place that is not as Lightroom leaves it are the editor's.
"""

from __future__ import annotations

from urbexmp.adapters.xmp import layout, padding
from urbexmp.adapters.xmp.block import as_read, is_nothing
from urbexmp.adapters.xmp.block_edit import inside_block
from urbexmp.adapters.xmp.locate import too_deep
from urbexmp.adapters.xmp.names import HIERARCHICAL, RDF, SUBJECT, Name
from urbexmp.adapters.xmp.scan import Scan
from urbexmp.adapters.xmp.scan_head import OPENING, OURS
from urbexmp.adapters.xmp.scan_text import Unusual, usual
from urbexmp.model.change import PacketEdit
from urbexmp.model.ports import PacketReading

_START = b'<rdf:Description rdf:about=""'
_END = b"</rdf:Description>"
_LI, _LI_END = b"<rdf:li>", b"</rdf:li>"
_ROOT_END = b"</x:xmpmeta>"
_TRAILER = b"<?xpacket end"
_BLANKS = b" \t\r\n"
_DATE = b':MetadataDate="'
_LISTS: tuple[tuple[bytes, Name, bytes], ...] = (
    (b"dc:subject", SUBJECT, b"lr:hierarchicalSubject"),
    (b"lr:hierarchicalSubject", HIERARCHICAL, b"dc:subject"),
)


def added(scan: Scan, reading: PacketReading, edit: PacketEdit, subject: object) -> bytes | None:
    """The packet that a scan has read, with an edit done to it that only adds.

    None: it is left to the editor. The same bytes where nothing changes. Raises `PacketRefused`
    (`unwritable`).
    """
    if edit.flat_remove or edit.hierarchical_remove or edit.texts:
        return None
    if edit.block is not None and is_nothing(edit.block):
        return None
    try:
        return _Adding(scan, reading, edit, subject).done()
    except Unusual:
        return None


class _Adding:
    """One edit of one packet.

    That something else is called like the date, or that there is another subject, the proof sees.
    """

    def __init__(
        self, scan: Scan, reading: PacketReading, edit: PacketEdit, subject: object
    ) -> None:
        self.scan = scan
        self.packet = scan.packet
        self.reading = reading
        self.edit = edit
        self.subject = subject
        self.parts: list[tuple[int, int, bytes]] = []
        """Start, end, and what comes there; those at one start in their order."""
        self.spaces: layout.Indents | None = None

    def done(self) -> bytes:
        """Do all parts. Raises `Unusual`, `PacketRefused`."""
        scan, packet, edit = self.scan, self.packet, self.edit
        first, inside = scan.first, scan.inside
        usual(packet.startswith(_START, first) and packet.find(b"'", first, inside) < 0)
        usual(not too_deep(packet, inside, scan.close))
        for note in self.reading.notes:
            usual("damaged" not in note)
        fields = self.reading.fields
        said = ((fields.flat, edit.flat_add), (fields.hierarchical, edit.hierarchical_add))
        for (tag, name, other), (values, add) in zip(_LISTS, said, strict=True):
            standing = frozenset(values or ())
            coming = tuple([word for word in dict.fromkeys(add) if word not in standing])
            if coming:
                self.keywords(tag, name, other, values, coming)
        if edit.block is not None and self.reading.block != as_read(edit.block):
            self.block()
        if not self.parts:
            return packet  # a date alone is no reason to write
        if edit.metadata_date is not None:
            self.date(edit.metadata_date)
        self.padding()
        pieces, at = list[bytes](), 0
        self.parts.sort(key=_start)
        for start, end, new in self.parts:
            pieces += (packet[at:start], new)
            at = end
        pieces.append(packet[at:])
        return b"".join(pieces)

    def keywords(
        self,
        tag: bytes,
        name: Name,
        other: bytes,
        values: tuple[str, ...] | None,
        coming: tuple[str, ...],
    ) -> None:
        """Put items behind the last one of their list, or make one."""
        packet, place = self.packet, self.scan.lists.get(tag)
        items = layout.escape_all(coming, self.subject)
        if place is None:
            usual(values is None)
            self.new_list(tag, name, other, items)
            return
        start, content, close = place
        usual(bool(values) and content == start + len(tag) + 2)
        end = packet.rfind(_LI_END, content, close) + len(_LI_END)
        item = packet.rfind(_LI, content, end)
        blanks = layout.last_line(packet[self.blank_before(item) : item])
        new = (_LI_END + blanks + _LI).join(items)
        self.parts.append((end, end, blanks + _LI + new + _LI_END))

    def new_list(self, tag: bytes, name: Name, other: bytes, items: list[bytes]) -> None:
        """A list behind the other one, or first in the description."""
        inside = self.scan.inside
        preferred = tag.partition(b":")[0]
        # Declared before the description's content, and as what it mostly means, or the scan
        # would not have read the packet.
        known = self.packet.find(b"xmlns:%b=" % preferred, 0, inside) >= 0
        scope = {"rdf": RDF, **({preferred.decode(): name[0]} if known else {})}
        spaces = self.indents()
        place = self.scan.lists.get(other)
        usual(place is None or place[1] == place[0] + len(other) + 2)
        at = inside if place is None else place[2] + len(other) + 3
        new = layout.array(name, preferred.decode(), items, scope, spaces)
        self.parts.append((at, at, spaces.child + new))

    def block(self) -> None:
        """Our block in place of the one that stands there, or behind the description."""
        packet, scan = self.packet, self.scan
        assert self.edit.block is not None
        spaces = self.indents()
        child = spaces.own + (spaces.unit or b" ") if spaces.own else b""
        said = inside_block(self.edit.block, OURS, b"rdf", child, self.subject)
        new = b"".join((OPENING, *said, _END))
        if scan.block >= 0:
            usual(self.reading.block is not None)
            end = packet.find(_END, scan.block) + len(_END)
            self.parts.append((scan.block, end, new))
        else:
            end = packet.rfind(_END, scan.inside, scan.close) + len(_END)
            self.parts.append((end, end, spaces.own + new))
        usual(end >= len(_END) and not packet[end : scan.close].strip(_BLANKS))

    def date(self, date: str) -> None:
        """Set the metadata date, where it is an attribute of the description."""
        packet, inside = self.packet, self.scan.inside
        at = packet.find(b":MetadataDate")
        if at < 0:
            return
        usual(self.scan.first < at < inside)
        usual(packet.startswith(b"xmp" + _DATE, at - 3))
        start = at + len(_DATE)
        end = packet.find(b'"', start, inside)
        usual(end > 0)
        self.parts.append((start, end, layout.attribute(date, self.subject)))

    def padding(self) -> None:
        """Keep the packet's size where there are blanks before its trailer."""
        packet = self.packet
        start = packet.find(_ROOT_END, self.scan.close) + len(_ROOT_END)
        end = packet.find(_TRAILER, start)
        growth = sum(len(new) - (stop - begin) for begin, stop, new in self.parts)
        if growth and end > start and not packet[start:end].strip(_BLANKS):
            room = padding.resized(packet[start:end], growth)
            if room is not None:
                self.parts.append((start, end, room))

    def indents(self) -> layout.Indents:
        """How the description and its properties are indented; it has to have some."""
        if self.spaces is None:
            packet, scan = self.packet, self.scan
            child_at = packet.find(b"<", scan.inside)
            usual(not packet.startswith((b"</", b"/>"), child_at))
            usual(not packet.startswith(b"/", scan.inside - 2))
            own, child = self.indent(scan.first), self.indent(child_at)
            if not child:
                self.spaces = layout.Indents(own, b"", b"")
            else:
                unit = child[len(own) :] if own and child.startswith(own) else b" "
                self.spaces = layout.Indents(own, child, unit)
        return self.spaces

    def indent(self, offset: int) -> bytes:
        """Line end and indentation of what begins at `offset`; nothing where it begins no line."""
        blanks = layout.last_line(self.packet[self.blank_before(offset) : offset])
        return blanks if b"\n" in blanks else b""

    def blank_before(self, offset: int) -> int:
        """Where the blanks that end at `offset` begin."""
        return len(self.packet[:offset].rstrip(_BLANKS))


def _start(part: tuple[int, int, bytes]) -> int:
    return part[0]
