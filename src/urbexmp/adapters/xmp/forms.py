"""How properties that should be lists of text are written: their items, or what stands instead."""

from __future__ import annotations

from dataclasses import dataclass

from urbexmp.adapters.xmp.names import CONTAINERS, RESOURCE, VALUE, is_item
from urbexmp.adapters.xmp.parse import Node


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
    value = text_of(node)
    odd = bool(node.children or node.attributes or node.remarks) or value is None
    return Form(None, scalar=value or "", odd=odd)


def item_of(node: Node) -> Item:
    """Read one item."""
    plain = not (node.children or node.attributes or node.remarks)
    return Item(node.text if plain else text_of(node), plain, node)


def text_of(node: Node) -> str | None:
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
