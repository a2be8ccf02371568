"""Puts our block into a packet: one `rdf:Description` of its own, last in `rdf:RDF`."""

from __future__ import annotations

from collections.abc import Iterator

from urbexmp.adapters.xmp import layout
from urbexmp.adapters.xmp.block import PREFIX, as_read, is_nothing, properties
from urbexmp.adapters.xmp.names import ABOUT, RDF, URBEXMP
from urbexmp.adapters.xmp.parse import Document, Resource
from urbexmp.adapters.xmp.reading import read_block
from urbexmp.model.errors import PacketRefused
from urbexmp.model.photo import Block

Splice = tuple[int, int, bytes]


def is_block(document: Document, resource: Resource) -> bool:
    """Whether a description holds properties of ours and nothing else, not even a comment."""
    attributes = [name for name in resource.attributes if name not in {ABOUT, ("", "about")}]
    ours = [node for node in resource.properties if node.name[0] == URBEXMP]
    if (
        not resource.plain
        or len(ours) != resource.elements
        or not (ours or attributes)
        or any(uri != URBEXMP for uri, _ in attributes)
    ):
        return False
    at = resource.open_end
    for node in ours:
        if document.raw[at : node.start].strip():
            return False
        at = node.end
    return not document.raw[at : resource.close].strip()


def block_splices(document: Document, block: Block, subject: object) -> Iterator[Splice]:
    """What replaces our block; nothing when the packet says the same already.

    A block that another tool took apart is collected and written anew in one piece.
    """
    standing, damage = read_block(document)
    nothing = is_nothing(block)
    if not damage and (standing is None if nothing else standing == as_read(block)):
        return
    written = nothing
    for resource in document.resources:
        if is_block(document, resource):
            start = document.blank_before(resource.start)
            if written:
                yield start, resource.end, b""
            else:
                yield resource.start, resource.end, _description(document, block, subject)
                written = True
        else:
            yield from _loose(document, resource, subject)
    if written:
        return
    rdf = document.rdf
    new = _description(document, block, subject)
    if document.resources:
        last = document.resources[-1]
        yield last.end, last.end, layout.indent(document, last.start) + new
    else:
        at = document.blank_before(rdf.close)
        yield at, at, layout.new_resource(document).own + new


def _loose(document: Document, resource: Resource, subject: object) -> Iterator[Splice]:
    """Cut properties of ours out of a description of someone else."""
    for node in resource.properties:
        if node.name[0] == URBEXMP:
            yield document.blank_before(node.start), node.end, b""
    for name in resource.attributes:
        if name[0] == URBEXMP:
            where = document.attribute(resource, name)
            if where is None:
                raise PacketRefused(
                    subject, f"{PREFIX}:{name[1]} is an attribute out of reach", "property-form"
                )
            yield where.start, where.end, b""


def _description(document: Document, block: Block, subject: object) -> bytes:
    """The block as XML, without the indentation before it, on two lines.

    What changes with every write (mark, profile, time) is on the first one, the lists are on the
    second: that is what a diff shows of a write.
    """
    first = document.resources[0] if document.resources else None
    spaces = layout.indents(document, first) if first else layout.new_resource(document)
    own = spaces.own
    child = own + (spaces.unit or b" ") if own else b""
    rdf, rdf_declared = layout.prefix_for(RDF, document.rdf.scope, "rdf")
    ours, declared = layout.prefix_for(URBEXMP, document.rdf.scope, PREFIX)
    about = layout.attribute(first.about if first else "", subject)
    opened = b"<" + rdf + b":Description" + rdf_declared + b" " + rdf + b':about="' + about + b'"'
    return (
        b"".join((opened, declared, b">", *inside_block(block, ours, rdf, child, subject)))
        + b"</%b:Description>" % rdf
    )


def inside_block(
    block: Block, ours: bytes, rdf: bytes, child: bytes, subject: object
) -> list[bytes]:
    """What stands in our block, by the prefixes it is spelled with; `child` is before the lists.

    Raises `PacketRefused` (`unwritable`).
    """
    head, lists = list[bytes](), list[bytes]()
    between = b"</%b:li><%b:li>" % (rdf, rdf)
    for name, value in properties(block):
        tag = ours + b":" + name.encode()
        if isinstance(value, str):
            head.append(b"<%b>%b</%b>" % (tag, layout.escape(value, subject), tag))
        else:
            items = between.join(layout.escape_all(value, subject))
            content = b"<%b:Seq><%b:li>%b</%b:li></%b:Seq>" % (rdf, rdf, items, rdf, rdf)
            lists.append(b"<%b>%b</%b>" % (tag, content, tag))
    return [*head, child, *lists] if lists else head
