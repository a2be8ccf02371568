"""What a parsed packet says: keyword fields, our block, protected words, notes (R10-R25)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from urbexmp.adapters.xmp.block import block_of
from urbexmp.adapters.xmp.forms import Form, form_of, text_of
from urbexmp.adapters.xmp.names import (
    CONTAINERS,
    HIERARCHICAL,
    META,
    MP_NAME,
    MP_REGIONS,
    PERSON,
    RAW_FILE,
    REGION_NAME,
    REGIONS,
    SIDECAR_FOR,
    SUBJECT,
    URBEXMP,
    WEIGHTED,
    Name,
)
from urbexmp.adapters.xmp.parse import Document, Node
from urbexmp.adapters.xmp.texts import text_states
from urbexmp.adapters.xmp.values import field_notes, owner_of
from urbexmp.model.keyword import KeywordFields
from urbexmp.model.photo import Block
from urbexmp.model.ports import PacketReading
from urbexmp.model.text import TextField


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
    texts = text_states(document)
    description = next((each.value for each in texts if each.field is TextField.DESCRIPTION), None)
    return PacketReading(
        fields, block, frozenset(protected), notes, _owner(document), description, texts
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
                yield inner.text if not inner.children else (text_of(inner) or "")
        stack.extend(inner.children)


def _owner(document: Document) -> str | None:
    """Upper-case extension of the raw file that the packet belongs to."""
    said = values_of(document, SIDECAR_FOR)
    if said:
        return owner_of(said[0], None)
    raw = values_of(document, RAW_FILE)
    return owner_of(None, raw[0]) if raw else None
