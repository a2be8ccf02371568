"""The splice: changes the bytes of keyword items, our block and the metadata date, nothing else.

An edit is a list of cuts and insertions at byte offsets that expat gave. What cannot be done
that way without touching something else is refused (R6), never repaired.

When the last item goes, the property goes with it, as Lightroom itself leaves it out for a photo
without keywords: an empty `rdf:Bag` is legal, but exiftool drops it, so leaving it out is the
one form that every tool reads alike. A `rdf:Description` that held nothing else goes too, unless
it is the only one.

A new property goes right behind the start tag of the first open `rdf:Description`. One that is
closed in itself (`<rdf:Description .../>`) is not opened: the property gets a description of its
own behind it. So no byte of anything standing changes, and taking the property out again gives
the same bytes back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from urbexmp.adapters.xmp import layout, padding
from urbexmp.adapters.xmp.adding import added
from urbexmp.adapters.xmp.block_edit import block_splices, is_block
from urbexmp.adapters.xmp.forms import Form, Item, form_of
from urbexmp.adapters.xmp.locate import locate, located
from urbexmp.adapters.xmp.names import (
    ABOUT,
    CONTAINERS,
    HIERARCHICAL,
    LI,
    RDF,
    READ,
    SUBJECT,
    Name,
)
from urbexmp.adapters.xmp.parse import Document, Node, Resource, parse
from urbexmp.adapters.xmp.scan import LARGEST, Scan
from urbexmp.adapters.xmp.scan_text import Unusual
from urbexmp.adapters.xmp.splice import Splices
from urbexmp.adapters.xmp.value_edit import date_splices, text_cut
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.text import TextEdit

_ABOUTS = {ABOUT, ("", "about")}
_CALLED = {SUBJECT: ("dc", "dc:subject"), HIERARCHICAL: ("lr", "lr:hierarchicalSubject")}


def edit_packet(packet: bytes, edit: PacketEdit, subject: object) -> bytes:
    """Return the packet with exactly `edit` done to it; the same bytes when it stands there.

    Raises `PacketRefused`; the reasons are those of `parse`, and `two-abouts`, `empty-rdf`,
    `two-properties`, `property-form`, `qualified-item`, `unwritable`.
    """
    document = locate(packet, edit) or parse(packet, READ, subject)
    return _Editor(document, subject).edit(packet, edit)


def edit_usual(packet: bytes, edit: PacketEdit, subject: object) -> bytes | None:
    """`edit_packet` of a packet in the usual form, of which nobody knows that it is well-formed.

    None: it is not in that form, or nothing changes, or the edit is refused.
    """
    if len(packet) > LARGEST or not packet.startswith(b"<") or edit.texts:
        return None
    scan = Scan(packet)
    try:
        reading = scan.reading()
        after = added(scan, reading, edit, subject)
        if after is None:
            after = _Editor(located(scan, reading, edit), subject).edit(packet, edit)
    except (Unusual, PacketRefused):
        return None
    return None if after == packet else after


@dataclass(slots=True)
class _Editor:
    """One edit of one packet."""

    document: Document
    subject: object
    splices: Splices = field(default_factory=Splices)
    inserted: dict[int, list[bytes]] = field(default_factory=dict)
    """New property elements by the offset of their resource."""
    emptied: list[Resource] = field(default_factory=list)
    """Resources that lost a property element."""

    def edit(self, packet: bytes, edit: PacketEdit) -> bytes:
        """Do all parts of an edit."""
        document = self.document
        if len({resource.about for resource in document.resources if resource.about}) > 1:
            raise PacketRefused(self.subject, "it describes two different things", "two-abouts")
        if document.rdf.self_closed:
            raise PacketRefused(self.subject, "its rdf:RDF is closed in itself", "empty-rdf")
        self.keywords(SUBJECT, edit.flat_add, edit.flat_remove)
        self.keywords(HIERARCHICAL, edit.hierarchical_add, edit.hierarchical_remove)
        self.texts(edit.texts)
        self.close_up()
        if edit.block is not None:
            self.splices.extend(block_splices(document, edit.block, self.subject))
        if not self.splices:
            return packet  # a date alone is no reason to write
        if edit.metadata_date is not None:
            self.splices.extend(date_splices(document, edit.metadata_date, self.subject))
        return self.finished()

    def finished(self) -> bytes:
        """Apply the splices and keep the packet's size where there is padding."""
        document, frame = self.document, self.document.frame
        growth = sum(
            frame.units(new) - frame.units(document.raw[start:end])
            for start, end, new in self.splices
        )
        start, end = document.padding()
        room = padding.resized(document.raw[start:end], growth) if growth else None
        if room is not None:
            self.splices.replace(start, end, room)
        return frame.restore(self.splices.apply(document.raw))

    # --- keywords -------------------------------------------------------------------------------

    def keywords(self, name: Name, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
        """Add and remove items of one keyword property."""
        if not add and not remove:
            return
        found = self.document.find(name)
        if len(found) > 1:
            called = _CALLED[name][1]
            raise PacketRefused(self.subject, f"{called} occurs twice", "two-properties")
        if not found:
            if add:
                self.insert(name, self.spelled(add))
            return
        resource, node = found[0]
        if node is None:
            self.attribute_keywords(name, resource, add, remove)
            return
        form = form_of(node)
        if form.odd or (form.container and CONTAINERS[form.container.name] == "Alt"):
            called = _CALLED[name][1]
            raise PacketRefused(
                self.subject, f"{called} is written in a form that is no list", "property-form"
            )
        if form.container is None:
            self.scalar_keywords(name, resource, node, form, add, remove)
        else:
            self.array_keywords(name, resource, node, form, add, remove)

    def spelled(self, items: tuple[str, ...]) -> list[bytes]:
        """Items as XML, each once."""
        return layout.escape_all(tuple(dict.fromkeys(items)), self.subject)

    def array_keywords(
        self,
        name: Name,
        resource: Resource,
        node: Node,
        form: Form,
        add: tuple[str, ...],
        remove: tuple[str, ...],
    ) -> None:
        """The usual case: a Bag or Seq."""
        container = form.container
        if container is None:
            raise TypeError("array_keywords needs a container")
        unwanted = frozenset(remove)
        going = [item for item in form.items if item.value in unwanted]
        for item in going:
            if not item.plain:
                raise PacketRefused(
                    self.subject,
                    f"the item {item.value!r} of {_CALLED[name][1]} has a language, a qualifier"
                    " or a comment",
                    "qualified-item",
                )
        staying = {item.value for item in form.items} - unwanted
        coming = self.spelled(tuple(item for item in add if item not in staying))
        if not going and not coming:
            return
        bare = not (container.remarks or node.remarks)
        if len(going) == len(form.items) and not coming and going and bare:
            self.remove_property(resource, node)
            return
        for item in going:
            self.splices.replace(self.document.blank_before(item.node.start), item.node.end, b"")
        if coming:
            self.append(resource, container, form.items, coming)

    def append(
        self, resource: Resource, container: Node, items: tuple[Item, ...], coming: list[bytes]
    ) -> None:
        """Put items behind the last one."""
        document = self.document
        prefix = layout.container_prefix(document, container)
        names = self.item_names(items, len(coming))
        if items:
            last = items[-1].node
            blanks = layout.last_line(document.raw[document.blank_before(last.start) : last.start])
            new = b"".join(
                blanks + _element(prefix + item_name, item)
                for item_name, item in zip(names, coming, strict=True)
            )
            self.splices.insert(last.end, new)
            return
        spaces = layout.indents(document, resource)
        own = layout.indent(document, container.start)
        inner = own + (spaces.unit or b" ") if own else b""
        new = b"".join(
            inner + _element(prefix + item_name, item)
            for item_name, item in zip(names, coming, strict=True)
        )
        if container.self_closed:
            self.open_up(container, new + own)
        elif document.raw[container.open_end : container.close].strip():
            self.splices.insert(document.blank_before(container.close), new)
        else:
            blank = container.open_end == container.close
            self.splices.insert(container.open_end, new + (own if blank else b""))

    def item_names(self, items: tuple[Item, ...], count: int) -> list[bytes]:
        """`li`, or the next numbers where the array counts its items `rdf:_1`."""
        numbers = [int(item.node.name[1][1:]) for item in items if item.node.name != LI]
        if not numbers or len(numbers) != len(items):
            return [b"li"] * count
        return [f"_{max(numbers) + n}".encode() for n in range(1, count + 1)]

    def scalar_keywords(
        self,
        name: Name,
        resource: Resource,
        node: Node,
        form: Form,
        add: tuple[str, ...],
        remove: tuple[str, ...],
    ) -> None:
        """One text where a list belongs: it becomes the first item of a Bag, unsplit."""
        values = form.values
        coming = self.spelled(tuple(item for item in add if item not in values or item in remove))
        gone = bool(values) and values[0] in remove
        if not coming:
            if gone:
                self.remove_property(resource, node)
            return
        document = self.document
        # The old value keeps its spelling: CDATA and entities stay as they are.
        kept = [document.raw[node.open_end : node.close]] if values and not gone else []
        spaces = layout.indents(document, resource)
        rdf, declared = layout.prefix_for(RDF, node.scope, "rdf")
        inner = layout.bag(rdf, kept + coming, spaces)
        if declared:
            inner = inner.replace(b":Bag>", b":Bag" + declared + b">", 1)
        if node.self_closed:
            self.open_up(node, inner)
        else:
            self.splices.replace(node.open_end, node.close, inner)

    def attribute_keywords(
        self, name: Name, resource: Resource, add: tuple[str, ...], remove: tuple[str, ...]
    ) -> None:
        """The same for an attribute: it gives way to an element."""
        value = resource.attributes[name]
        values = (value,) if value.strip() else ()
        coming = tuple(item for item in add if item not in values or item in remove)
        gone = value in remove
        if not coming and not gone:
            return
        where = self.document.attribute(resource, name)
        if where is None:
            raise PacketRefused(
                self.subject, f"{_CALLED[name][1]} is an attribute out of reach", "property-form"
            )
        self.splices.replace(where.start, where.end, b"")
        if coming:
            kept = () if gone else values
            self.insert(name, self.spelled(kept + coming), resource)

    # --- property elements ----------------------------------------------------------------------

    def insert(self, name: Name, items: list[bytes], home: Resource | None = None) -> None:
        """Make a new property with a Bag: behind the other keyword property, else first."""
        document, preferred = self.document, _CALLED[name][0]
        other = HIERARCHICAL if name == SUBJECT else SUBJECT
        if home is None:
            for resource, node in document.find(other):
                if node is not None:
                    spaces = layout.indents(document, resource)
                    new = layout.array(name, preferred, items, resource.scope, spaces)
                    self.splices.insert(node.end, spaces.child + new)
                    return
            home = self.home()
        scope, spaces = self.room(home)
        new = layout.array(name, preferred, items, scope, spaces)
        self.inserted.setdefault(home.start if home else -1, []).append(spaces.child + new)

    def texts(self, wanted: tuple[TextEdit, ...]) -> None:
        """Set texts; a new one goes where a new keyword property would."""
        for text in wanted:
            home = self.home()
            cut = text_cut(self.document, text, self.subject, *self.room(home))
            self.splices.extend(cut.splices)
            if cut.fresh:
                self.inserted.setdefault(home.start if home else -1, []).append(cut.fresh)
            if cut.removed is not None:
                self.remove_property(*cut.removed)

    def room(self, home: Resource | None) -> tuple[dict[str, str], layout.Indents]:
        """Prefixes in force, and indentation, where a new property of a description goes."""
        document = self.document
        spaces = layout.indents(document, home) if home else layout.new_resource(document)
        outside = home is None or home.self_closed
        return document.rdf.scope if home is None or outside else home.scope, spaces

    def home(self) -> Resource | None:
        """The description that new properties go into or behind; never our block."""
        document = self.document
        plain = [
            there for there in document.resources if there.plain and not is_block(document, there)
        ]
        return next(
            (there for there in plain if not there.self_closed), plain[0] if plain else None
        )

    def remove_property(self, resource: Resource, node: Node) -> None:
        """Take a property element out, with its indentation."""
        self.splices.replace(self.document.blank_before(node.start), node.end, b"")
        self.emptied.append(resource)

    def close_up(self) -> None:
        """Write what goes behind start tags; take out descriptions that say nothing any more."""
        document = self.document
        for resource in document.resources:
            new = b"".join(self.inserted.pop(resource.start, ()))
            if not new:
                continue
            own = layout.indents(document, resource).own
            if resource.self_closed:
                self.splices.insert(resource.end, own + self.described(new + own, resource))
            else:
                self.splices.insert(resource.open_end, new, first=True)
        for resource in self.emptied:
            if self.says_nothing(resource) and len(document.resources) > 1:
                start = document.blank_before(resource.start)
                self.splices.drop(start, resource.end)
                self.splices.replace(start, resource.end, b"")
        orphans = b"".join(self.inserted.pop(-1, ()))
        if orphans:
            own = layout.new_resource(document).own
            self.splices.insert(document.rdf.open_end, own + self.described(orphans + own))

    def says_nothing(self, resource: Resource) -> bool:
        """Whether nothing but its subject is left of a description after the splices."""
        content = self.document.raw[resource.open_end : resource.close]
        return (
            resource.plain
            and all(name in _ABOUTS for name in resource.attributes)
            and not self.splices.apply(content, resource.open_end).strip()
        )

    def described(self, properties: bytes, beside: Resource | None = None) -> bytes:
        """A new `rdf:Description`, about the same thing as the one beside it."""
        rdf, declared = layout.prefix_for(RDF, self.document.rdf.scope, "rdf")
        tag = rdf + b":Description"
        about = layout.attribute(beside.about if beside else "", self.subject)
        opened = b"<" + tag + declared + b" " + rdf + b':about="' + about + b'">'
        return opened + properties + b"</" + tag + b">"

    def open_up(self, node: Node, content: bytes) -> None:
        """Turn `<name/>` into `<name>content</name>`."""
        closing = b"</" + self.document.tag_name(node) + b">"
        self.splices.replace(node.open_end - 2, node.open_end, b">" + content + closing)


def _element(tag: bytes, content: bytes) -> bytes:
    return b"<" + tag + b">" + content + b"</" + tag + b">"
