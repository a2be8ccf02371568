"""Reads a packet with expat and keeps, for what matters to us, where its bytes stand.

Only the properties asked for become nodes; everything else is stepped over, so a sidecar full of
masks costs little more than its size. All offsets are into the frame's working form.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar
from xml.parsers import expat

from urbexmp.adapters.xmp.frame import Frame, frame
from urbexmp.adapters.xmp.names import (
    ABOUT,
    DESCRIPTION,
    RDF_RDF,
    URBEXMP,
    Name,
    is_namespace_attribute,
)
from urbexmp.model.errors import PacketRefused
from urbexmp.model.photo import Block

DEEPEST = 200
"""Levels of nesting that are read; real packets stay below 20."""

_TAG = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
_ATTRIBUTE = re.compile(rb"""(\s+)([^\s=/>"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TAG_NAME = re.compile(rb"<([^\s/>]+)")
_TRAILER = b"<?xpacket end"
_BLANKS = b" \t\r\n"


@dataclass(slots=True)
class Node:
    """One element: its name and attributes, and where it stands."""

    name: Name
    attributes: dict[Name, str]
    start: int
    open_end: int
    """Past the `>` of the start tag."""
    scope: dict[str, str]
    """Prefix to URI, as in force inside the element."""
    close: int = -1
    """Where the end tag begins; `open_end` for a self-closed element."""
    end: int = -1
    text: str = ""
    children: list[Node] = field(default_factory=list)
    remarks: bool = False
    """Whether a comment or processing instruction stands directly inside."""
    form: object = None
    """How a list is written, where that is known without its children (`locate`)."""

    @property
    def self_closed(self) -> bool:
        """Written as `<name/>`."""
        return self.close == self.end


@dataclass(slots=True)
class Resource(Node):
    """A node directly inside `rdf:RDF`: an `rdf:Description`, or a typed node."""

    properties: list[Node] = field(default_factory=list)
    """The property elements asked for."""
    first_child: int = -1
    """Where the first property element starts, -1 for none."""
    elements: int = 0
    """How many property elements it has, asked for or not."""

    @property
    def about(self) -> str:
        """What it is about: `rdf:about`, or the old form without a namespace."""
        return self.attributes.get(ABOUT, self.attributes.get(("", "about"), ""))

    @property
    def plain(self) -> bool:
        """An `rdf:Description`."""
        return self.name == DESCRIPTION


NodeKind = TypeVar("NodeKind", bound=Node)


@dataclass(slots=True)
class Attribute:
    """One attribute as it is spelled."""

    start: int
    """Where the blank before it begins."""
    end: int
    value_start: int
    value_end: int


@dataclass(slots=True)
class Document:
    """A packet as far as it was asked for."""

    frame: Frame
    raw: bytes
    root: Name
    root_end: int
    rdf: Node
    resources: list[Resource]
    block: tuple[Block | None, tuple[str, ...]] | None = None
    """Our block and what is damaged in it, where that is known without its nodes (`locate`)."""
    places: dict[Name, Attribute] = field(default_factory=dict)
    """Attributes of the first resource whose place is known already."""

    @property
    def trailer(self) -> int:
        """Where the first `<?xpacket end` after the root begins, -1 for none."""
        return self.raw.find(_TRAILER, self.root_end)

    def padding(self) -> tuple[int, int]:
        """Span of the blanks between root and trailer; empty where there is no trailer."""
        trailer = self.trailer
        if trailer < 0 or self.raw[self.root_end : trailer].strip(_BLANKS):
            return self.root_end, self.root_end
        return self.root_end, trailer

    def find(self, name: Name) -> list[tuple[Resource, Node | None]]:
        """Where a property stands: as an element, or (None) as an attribute of its resource."""
        found: list[tuple[Resource, Node | None]] = []
        for resource in self.resources:
            if name in resource.attributes:
                found.append((resource, None))
            found.extend((resource, node) for node in resource.properties if node.name == name)
        return found

    def attribute(self, resource: Resource, name: Name) -> Attribute | None:
        """Where an attribute of a start tag stands, by namespace URI."""
        if resource is self.resources[0] and name in self.places:
            return self.places[name]
        tag = self.raw[resource.start : resource.open_end]
        for match in _ATTRIBUTE.finditer(tag):
            spelled = match.group(2).decode("utf-8", "surrogatepass")
            prefix, colon, local = spelled.rpartition(":")
            uri = resource.scope.get(prefix, "") if colon else ""
            if (uri, local) == name and not is_namespace_attribute(spelled):
                value = match.span(3) if match.group(3) is not None else match.span(4)
                at = resource.start
                return Attribute(at + match.start(), at + match.end(), at + value[0], at + value[1])
        return None

    def blank_before(self, offset: int) -> int:
        """Where the blanks that end at `offset` begin."""
        while offset and self.raw[offset - 1] in _BLANKS:
            offset -= 1
        return offset

    def tag_name(self, node: Node) -> bytes:
        """An element's name as spelled, with its prefix."""
        match = _TAG_NAME.match(self.raw, node.start)
        return match.group(1) if match else b""


def parse(packet: bytes, wanted: Collection[Name], subject: object) -> Document:
    """Read a packet. Elements named in `wanted`, and all of our own, become nodes.

    Raises `PacketRefused` with the reason `empty`, `encoding`, `doctype`, `control-character`,
    `truncated`, `not-well-formed`, `too-deep`, `not-xmp` or `several-rdf`.
    """
    return _Reader(frame(packet, subject), wanted, subject).read()


class _Reader:
    """The handlers of one parse. `depth` is that of the element being opened, from 0."""

    def __init__(self, framed: Frame, wanted: Collection[Name], subject: object) -> None:
        self.frame = framed
        self.raw = framed.parsable
        self.wanted = wanted
        self.subject = subject
        self.depth = 0
        self.rdf_depth = -1
        self.rdf: Node | None = None
        self.several = False
        self.root: Name | None = None
        self.root_end = -1
        self.resources: list[Resource] = []
        self.open: list[Node] = []
        self.inside = 0
        """Depth at which the property being kept began; 0 outside of one."""
        self.scopes: list[tuple[str, str | None]] = []
        self.bound: dict[str, str] = {}
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.StartNamespaceDeclHandler = self.bind
        parser.EndNamespaceDeclHandler = self.unbind
        parser.StartDoctypeDeclHandler = self.doctype
        self.parser = parser

    def read(self) -> Document:
        """Parse, and see to it that it is XMP."""
        try:
            self.parser.Parse(self.raw, True)
        except expat.ExpatError as failure:
            if self.root_end < 0:
                self.refuse(failure)
        finally:
            self.parser.StartElementHandler = None  # the handlers hold this reader: a cycle
            self.parser.EndElementHandler = None
            self.parser.StartNamespaceDeclHandler = None
            self.parser.EndNamespaceDeclHandler = None
            self.parser.StartDoctypeDeclHandler = None
            self.keep_text(on=False)
        if self.rdf is None or self.root is None:
            raise PacketRefused(self.subject, "it is XML but holds no rdf:RDF", "not-xmp")
        if self.several:
            raise PacketRefused(self.subject, "it holds more than one rdf:RDF", "several-rdf")
        return Document(
            self.frame, self.frame.working, self.root, self.root_end, self.rdf, self.resources
        )

    def refuse(self, failure: expat.ExpatError) -> NoReturn:
        """Say why the XML cannot be read."""
        at = self.parser.ErrorByteIndex
        reason, detail = "not-well-formed", f"it is not well-formed XML, line {failure.lineno}"
        said = expat.ErrorString(failure.code)
        if at >= 0 and failure.code == 4 and at < len(self.raw):
            byte = self.raw[at]
            if byte < 0x20 and byte not in _BLANKS:
                reason = "control-character"
                detail = f"it holds a control character (0x{byte:02X}), line {failure.lineno}"
            elif byte >= 0x80:
                reason = "encoding"
                detail = f"it is not valid UTF-8, line {failure.lineno}"
        elif failure.code in (3, 5, 6) and self.root is not None:
            reason, detail = "truncated", "it breaks off before its end"
        elif said:
            detail += f": {said}"
        raise PacketRefused(self.subject, detail, reason) from failure

    # --- handlers -------------------------------------------------------------------------------

    def doctype(self, *_declared: object) -> NoReturn:
        raise PacketRefused(self.subject, "it holds a DOCTYPE", "doctype")

    def bind(self, prefix: str | None, uri: str | None) -> None:
        key = prefix or ""
        self.scopes.append((key, self.bound.get(key)))
        self.bound = {**self.bound, key: uri or ""}

    def unbind(self, _prefix: str | None) -> None:
        key, before = self.scopes.pop()
        bound = dict(self.bound)
        if before is None:
            del bound[key]
        else:
            bound[key] = before
        self.bound = bound

    def start(self, name: str, attributes: dict[str, str]) -> None:
        depth = self.depth
        self.depth = depth + 1
        if self.inside:
            self.start_inside(name, attributes)
        elif self.rdf_depth < 0 or depth <= self.rdf_depth:
            self.start_outside(depth, name, attributes)
        elif depth == self.rdf_depth + 1:
            self.resources.append(self.node(Resource, name, attributes))
            self.several |= self.resources[-1].name == RDF_RDF
        elif depth == self.rdf_depth + 2:
            resource = self.resources[-1]
            resource.elements += 1
            if resource.first_child < 0:
                resource.first_child = self.parser.CurrentByteIndex
            split = _split(name)
            if split in self.wanted or split[0] == URBEXMP:
                node = self.node(Node, name, attributes)
                resource.properties.append(node)
                self.open.append(node)
                self.inside = depth
                self.keep_text(on=True)
        elif depth >= DEEPEST:
            self.too_deep()

    def start_outside(self, depth: int, name: str, attributes: dict[str, str]) -> None:
        if depth >= DEEPEST:
            self.too_deep()
        split = _split(name)
        if self.root is None:
            self.root = split
        if split == RDF_RDF:
            if self.rdf is not None:
                self.several = True
            else:
                self.rdf_depth = depth
                self.rdf = self.node(Node, name, attributes)

    def start_inside(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth > DEEPEST:
            self.too_deep()
        node = self.node(Node, name, attributes)
        self.open[-1].children.append(node)
        self.open.append(node)

    def end(self, _name: str) -> None:
        depth = self.depth - 1
        self.depth = depth
        if self.inside:
            self.finish(self.open.pop())
            if depth == self.inside:
                self.inside = 0
                self.keep_text(on=False)
        elif self.rdf_depth >= 0:
            if depth == self.rdf_depth + 1:
                self.finish(self.resources[-1])
            elif depth == self.rdf_depth and self.rdf is not None and self.rdf.end < 0:
                self.finish(self.rdf)
                self.rdf_depth = -2 - depth  # closed: what follows is outside again
        if depth == 0:
            # For a self-closed element expat already stands past it.
            at = self.parser.CurrentByteIndex
            closes = self.raw.startswith(b"</", at)
            self.root_end = self.raw.index(b">", at) + 1 if closes else at

    def text(self, text: str) -> None:
        self.open[-1].text += text

    def remark(self, *_said: object) -> None:
        self.open[-1].remarks = True

    # --- pieces ---------------------------------------------------------------------------------

    def keep_text(self, *, on: bool) -> None:
        self.parser.CharacterDataHandler = self.text if on else None
        self.parser.CommentHandler = self.remark if on else None
        self.parser.ProcessingInstructionHandler = self.remark if on else None

    def node(self, kind: type[NodeKind], name: str, attributes: dict[str, str]) -> NodeKind:
        start = self.parser.CurrentByteIndex
        tag = _TAG.match(self.raw, start)
        return kind(
            _split(name),
            {_split(key): value for key, value in attributes.items()},
            start,
            tag.end() if tag else start,
            self.bound,
        )

    def finish(self, node: Node) -> None:
        if self.raw[node.open_end - 2 : node.open_end] == b"/>":
            node.close = node.end = node.open_end
            return
        node.close = self.parser.CurrentByteIndex
        node.end = self.raw.index(b">", node.close) + 1

    def too_deep(self) -> NoReturn:
        raise PacketRefused(
            self.subject, f"it is nested more than {DEEPEST} levels deep", "too-deep"
        )


def _split(name: str) -> Name:
    uri, _, local = name.rpartition(" ")
    return uri, local
