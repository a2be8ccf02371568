"""How new elements are laid out: like their neighbours, so that a diff shows only them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from urbexmp.adapters.xmp.names import RDF, Name
from urbexmp.adapters.xmp.parse import Document, Node, Resource
from urbexmp.model.errors import PacketRefused

_SPECIAL = re.compile("[^\t\n\u0020-%'-;=?-\ud7ff]")
"""All that is illegal or written as an entity, and some more."""
_ILLEGAL = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def escape(text: str, subject: object) -> bytes:
    """Text as XML, in UTF-8. Raises `PacketRefused` (`unwritable`) for what XML cannot hold."""
    if not _SPECIAL.search(text):
        return text.encode()
    bad = re.search(_ILLEGAL, text)
    if bad:
        raise PacketRefused(
            subject,
            f"the keyword or value {text!r} holds U+{ord(bad.group()):04X}, which XML cannot",
            "unwritable",
            advice="Take that character out of the keyword",
        )
    for char, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("\r", "&#xD;"),
    ):
        text = text.replace(char, entity)
    return text.encode()


def escape_all(texts: Sequence[str], subject: object) -> list[bytes]:
    """`escape` for many, looked at together: mostly there is nothing to escape in any."""
    if not _SPECIAL.search("\n".join(texts)):
        return [text.encode() for text in texts]
    return [escape(text, subject) for text in texts]


def attribute(text: str, subject: object) -> bytes:
    """The same for an attribute between double quotes."""
    escaped = escape(text, subject).replace(b'"', b"&quot;")
    return escaped.replace(b"\n", b"&#xA;").replace(b"\t", b"&#x9;")


def last_line(blanks: bytes) -> bytes:
    """Indentation with the line end before it; without a line end, the blanks themselves."""
    at = blanks.rfind(b"\n")
    if at > 0 and blanks[at - 1 : at] == b"\r":
        at -= 1
    return blanks[at:] if at >= 0 else blanks


def indent(document: Document, offset: int) -> bytes:
    """Line end and indentation of what begins at `offset`; nothing where it begins no line."""
    blanks = last_line(document.raw[document.blank_before(offset) : offset])
    return blanks if b"\n" in blanks else b""


@dataclass(frozen=True, slots=True)
class Indents:
    """Indentation, with the line end before it, at three places; empty where all is one line."""

    own: bytes
    child: bytes
    unit: bytes

    def deeper(self, levels: int) -> bytes:
        """Indentation so many levels below a child."""
        return self.child + self.unit * levels if self.child else b""


def indents(document: Document, resource: Resource) -> Indents:
    """How the children of a resource are indented, or would be."""
    own = indent(document, resource.start)
    if resource.first_child >= 0:
        child = indent(document, resource.first_child)
        if not child:
            return Indents(own, b"", b"")
        unit = child[len(own) :] if own and child.startswith(own) else b" "
        return Indents(own, child, unit)
    if not own:
        return Indents(b"", b"", b"")
    outer = indent(document, document.rdf.start)
    deeper = outer and own.startswith(outer) and len(own) > len(outer)
    unit = own[len(outer) :] if deeper else b" "
    return Indents(own, own + unit, unit)


def new_resource(document: Document) -> Indents:
    """How a description is indented in a packet that has none of its kind."""
    if document.resources:
        own = indent(document, document.resources[0].start)
    else:
        outer = indent(document, document.rdf.start)
        own = outer + b" " if outer else b""
    return Indents(own, own + b" ", b" ") if own else Indents(b"", b"", b"")


def prefix_for(uri: str, scope: dict[str, str], preferred: str) -> tuple[bytes, bytes]:
    """A prefix for a URI at a place, and the declaration it needs there (mostly none)."""
    if scope.get(preferred) == uri:
        return preferred.encode(), b""
    for prefix, bound in scope.items():
        if prefix and bound == uri:
            return prefix.encode(), b""
    prefix, number = preferred, 0
    while prefix in scope:
        number += 1
        prefix = f"{preferred}{number}"
    return prefix.encode(), f' xmlns:{prefix}="{uri}"'.encode()


def array(
    name: Name,
    preferred: str,
    items: list[bytes],
    scope: dict[str, str],
    spaces: Indents,
) -> bytes:
    """A new property element with an `rdf:Bag`, without the indentation before it."""
    own, declared = prefix_for(name[0], scope, preferred)
    rdf, rdf_declared = prefix_for(RDF, scope, "rdf")
    tag = own + b":" + name[1].encode()
    opened = b"<" + tag + declared + rdf_declared + b">"
    return opened + bag(rdf, items, spaces) + b"</" + tag + b">"


def bag(rdf: bytes, items: list[bytes], spaces: Indents) -> bytes:
    """An `rdf:Bag` with the blanks around it, to stand inside a property element."""
    lis = b"".join(
        spaces.deeper(2) + b"<" + rdf + b":li>" + item + b"</" + rdf + b":li>" for item in items
    )
    opened, closed = b"<" + rdf + b":Bag>", b"</" + rdf + b":Bag>"
    return spaces.deeper(1) + opened + lis + spaces.deeper(1) + closed + spaces.child


def container_prefix(document: Document, container: Node) -> bytes:
    """The prefix of an array's items, with its colon: that of the array itself."""
    prefix, colon, _ = document.tag_name(container).rpartition(b":")
    return prefix + colon
