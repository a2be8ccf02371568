"""Edits of single values: a text in `x-default`, and the metadata date.

Of a text only what stands between the tags of its item changes; other languages stay as they are.
One that was not there gets a property of its own, and one that is taken out takes the property
along when nothing else is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from urbexmp.adapters.xmp import layout
from urbexmp.adapters.xmp.names import METADATA_DATE, RDF
from urbexmp.adapters.xmp.parse import Document, Node, Resource
from urbexmp.adapters.xmp.texts import DEFAULT, NAMES, find_text
from urbexmp.model.errors import PacketRefused
from urbexmp.model.text import TextEdit, TextField

_PREFERRED = {TextField.DESCRIPTION: "dc", TextField.ALT_TEXT: "Iptc4xmpCore"}
CALLED = {field: f"{_PREFERRED[field]}:{name[1]}" for field, name in NAMES.items()}
"""Names of the properties, as people know them."""

Splice = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class TextCut:
    """What an edit of a text does to a packet; nothing, when it stands there."""

    splices: tuple[Splice, ...] = ()
    fresh: bytes = b""
    """A new property with the indentation before it, for the description that new ones go to."""
    removed: tuple[Resource, Node] | None = None
    """A property that goes away whole."""


def text_cut(
    document: Document,
    wanted: TextEdit,
    subject: object,
    scope: dict[str, str],
    spaces: layout.Indents,
) -> TextCut:
    """What sets a text. `scope` and `spaces` are those of the place for a new property.

    Raises `PacketRefused`: `property-form` where it cannot be set safely, `text-moved` where
    something else stands there than the edit was made for, `unwritable`.
    """
    called = CALLED[wanted.field]
    place = find_text(document, wanted.field)
    here = place.default if place else None
    if here == wanted.after:
        return TextCut()
    if place is not None and place.fixed:
        raise PacketRefused(subject, f"{called} {place.fixed}", "property-form")
    if here != wanted.before:
        raise PacketRefused(
            subject, f"{called} is not what it was", "text-moved", "Run the command again"
        )
    if wanted.after is None:
        assert place is not None
        return _taken_out(document, place.resource, place.node, place.item, alone=place.alone)
    text = layout.escape(wanted.after, subject)
    if place is None:
        return TextCut(fresh=spaces.child + _lang_alt(wanted.field, text, scope, spaces))
    item = place.item
    assert item is not None
    if not item.self_closed:
        return TextCut(((item.open_end, item.close, text),))
    closing = b"</" + document.tag_name(item) + b">"
    return TextCut(((item.open_end - 2, item.open_end, b">" + text + closing),))


def _taken_out(
    document: Document,
    resource: Resource | None,
    node: Node | None,
    item: Node | None,
    *,
    alone: bool,
) -> TextCut:
    assert resource is not None
    assert node is not None
    assert item is not None
    if alone:
        return TextCut(removed=(resource, node))
    return TextCut(((document.blank_before(item.start), item.end, b""),))


def _lang_alt(
    field: TextField, text: bytes, scope: dict[str, str], spaces: layout.Indents
) -> bytes:
    """A new property element with one text, without the indentation before it."""
    uri, local = NAMES[field]
    own, declared = layout.prefix_for(uri, scope, _PREFERRED[field])
    rdf, rdf_declared = layout.prefix_for(RDF, scope, "rdf")
    tag = own + b":" + local.encode()
    item = b'<%b:li xml:lang="%b">%b</%b:li>' % (rdf, DEFAULT.encode(), text, rdf)
    one, two = spaces.deeper(1), spaces.deeper(2)
    content = one + b"<%b:Alt>" % rdf + two + item + one + b"</%b:Alt>" % rdf + spaces.child
    return b"<" + tag + declared + rdf_declared + b">" + content + b"</" + tag + b">"


def date_splices(document: Document, value: str, subject: object) -> Iterator[Splice]:
    """Set `xmp:MetadataDate` where there is one, in the form it has (R13)."""
    found = document.find(METADATA_DATE)
    if len(found) != 1:
        return
    resource, node = found[0]
    if node is None:
        where = document.attribute(resource, METADATA_DATE)
        if where is not None:
            yield where.value_start, where.value_end, layout.attribute(value, subject)
    elif not (node.children or node.attributes or node.remarks or node.self_closed):
        yield node.open_end, node.close, layout.escape(value, subject)
