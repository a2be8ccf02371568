"""What a parsed packet says: keyword fields, our block, protected words, notes (R10-R25)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from urbexmp.adapters.xmp.block import block_of
from urbexmp.adapters.xmp.names import (
    CAPTION,
    CONTAINERS,
    HIERARCHICAL,
    LANGUAGE,
    META,
    MP_NAME,
    MP_REGIONS,
    PERSON,
    RAW_FILE,
    REGION_NAME,
    REGIONS,
    RESOURCE,
    SIDECAR_FOR,
    SUBJECT,
    URBEXMP,
    VALUE,
    WEIGHTED,
    Name,
    is_item,
)
from urbexmp.adapters.xmp.parse import Document, Node
from urbexmp.adapters.xmp.values import field_notes, owner_of
from urbexmp.model.keyword import KeywordFields
from urbexmp.model.photo import Block
from urbexmp.model.ports import PacketReading


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an array."""

    value: str | None
    """None for an item that is no text: a structure, an array in an array."""
    plain: bool
    """Text and nothing else: no language, no qualifier, no comment inside."""
    node: Node


@dataclass(frozen=True, slots=True)
class Form:
    """How a property that should be an array of text is written."""

    container: Node | None
    """The Bag, Seq or Alt; None where a single value stands instead."""
    items: tuple[Item, ...] = ()
    scalar: str | None = None
    odd: bool = False
    """A form that is read as well as it goes and never edited."""

    @property
    def values(self) -> tuple[str, ...]:
        """All values that are text."""
        if self.scalar is not None:
            return (self.scalar,) if self.scalar.strip() else ()
        return tuple(item.value for item in self.items if item.value is not None)


def form_of(node: Node) -> Form:
    """Take a property element apart."""
    if isinstance(node.form, Form):
        return node.form
    containers = [child for child in node.children if child.name in CONTAINERS]
    if len(containers) == 1:
        container = containers[0]
        items = tuple(item_of(child) for child in container.children if is_item(child.name))
        odd = (
            len(node.children) > 1
            or bool(node.text.strip())
            or bool(container.text.strip())
            or len(items) != len(container.children)
            or bool(node.attributes)
            or bool(container.attributes)
            or any(item.value is None for item in items)
        )
        return Form(container, items, odd=odd)
    value = _text_of(node)
    odd = bool(node.children or node.attributes or node.remarks) or value is None
    return Form(None, scalar=value or "", odd=odd)


def item_of(node: Node) -> Item:
    """Read one item."""
    plain = not (node.children or node.attributes or node.remarks)
    return Item(node.text if plain else _text_of(node), plain, node)


def _text_of(node: Node) -> str | None:
    """A simple value, wherever RDF lets it stand; None for a structure."""
    if not node.children:
        if VALUE in node.attributes:
            return node.attributes[VALUE]
        if RESOURCE in node.attributes:
            return node.attributes[RESOURCE]
        structured = any(name[0] not in _SYNTAX for name in node.attributes)
        return None if structured else node.text
    inner = node
    if len(node.children) == 1 and not is_item(node.children[0].name):
        only = node.children[0]
        if only.name != VALUE and only.name not in CONTAINERS:
            inner = only  # the rdf:Description around a qualified value
    if VALUE in inner.attributes:
        return inner.attributes[VALUE]
    values = [child.text for child in inner.children if child.name == VALUE]
    return values[0] if len(values) == 1 else None


_SYNTAX = frozenset(
    {"", "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"}
)


def values_of(document: Document, name: Name) -> tuple[str, ...] | None:
    """All text values of a property, None when it is absent."""
    found = document.find(name)
    if not found:
        return None
    values: list[str] = []
    for resource, node in found:
        if node is not None:
            values.extend(form_of(node).values)
        elif resource.attributes[name].strip():
            values.append(resource.attributes[name])
    return tuple(values)


def read_document(document: Document) -> PacketReading:
    """Say what a packet says."""
    fields = KeywordFields(values_of(document, SUBJECT), values_of(document, HIERARCHICAL))
    block, damage = read_block(document)
    protected: set[str] = set()
    for name in (PERSON, WEIGHTED):
        protected.update(values_of(document, name) or ())
    for _, node in (*document.find(REGIONS), *document.find(MP_REGIONS)):
        if node is not None:
            protected.update(_names(node))
    protected.discard("")
    notes = (
        *_form_notes(document),
        *field_notes(fields),
        *_stale_notes(fields, values_of(document, WEIGHTED)),
        *damage,
    )
    return PacketReading(
        fields, block, frozenset(protected), notes, _owner(document), _caption(document)
    )


def read_block(document: Document) -> tuple[Block | None, tuple[str, ...]]:
    """Our block, in whatever form it stands, and what was damaged in it."""
    if document.block is not None:
        return document.block
    ours: dict[str, list[str]] = {}
    for resource in document.resources:
        for (uri, local), value in resource.attributes.items():
            if uri == URBEXMP:
                ours.setdefault(local, []).append(value)
        for node in resource.properties:
            if node.name[0] == URBEXMP:
                ours.setdefault(node.name[1], []).extend(form_of(node).values)
    return block_of(ours)


def simple_values(document: Document, names: Collection[Name]) -> dict[Name, str]:
    """First text of each of the named properties that is there."""
    found = {name: values_of(document, name) for name in names}
    return {name: values[0] for name, values in found.items() if values}


def _stale_notes(fields: KeywordFields, weighted: tuple[str, ...] | None) -> Iterator[str]:
    stale = [word for word in weighted or () if word not in (fields.flat or ())]
    if stale:
        yield f"lr:weightedFlatSubject has {len(stale)} word(s) that dc:subject lacks"


def _form_notes(document: Document) -> Iterator[str]:
    if document.root[0] != META:
        yield "there is no x:xmpmeta around rdf:RDF; Adobe programs read nothing from it"
    for called, name in (("dc:subject", SUBJECT), ("lr:hierarchicalSubject", HIERARCHICAL)):
        found = document.find(name)
        if len(found) > 1:
            yield f"{called} occurs {len(found)} times"
        for _, node in found:
            form = form_of(node) if node is not None else Form(None, scalar="")
            container = CONTAINERS[form.container.name] if form.container else None
            if container is None:
                yield f"{called} is a single value, not a list"
            elif container != "Bag":
                yield f"{called} is an rdf:{container}, where Lightroom writes an rdf:Bag"


def _names(node: Node) -> Iterator[str]:
    """Names of faces anywhere in a region structure."""
    stack = [node]
    while stack:
        inner = stack.pop()
        for name in (REGION_NAME, MP_NAME):
            if name in inner.attributes:
                yield inner.attributes[name]
            if inner.name == name:
                yield inner.text if not inner.children else (_text_of(inner) or "")
        stack.extend(inner.children)


def _caption(document: Document) -> str | None:
    """`dc:description`: the text in the language `x-default`, else the first; None for a blank."""
    for resource, node in document.find(CAPTION):
        if node is None:
            text: str | None = resource.attributes[CAPTION]
        else:
            form = form_of(node)
            items = [item for item in form.items if item.value is not None]
            items.sort(key=lambda item: item.node.attributes.get(LANGUAGE, "") != "x-default")
            text = items[0].value if items else form.scalar
        if text and text.strip():
            return text
    return None


def _owner(document: Document) -> str | None:
    """Upper-case extension of the raw file that the packet belongs to."""
    said = values_of(document, SIDECAR_FOR)
    if said:
        return owner_of(said[0], None)
    raw = values_of(document, RAW_FILE)
    return owner_of(None, raw[0]) if raw else None
