"""Single texts of a packet: where the `x-default` of a list of languages stands, if it does.

The usual form is an `rdf:Alt` of plain texts, each with its `xml:lang`, one of them `x-default`.
Everything else is read as well as it goes, and never edited.
"""

from __future__ import annotations

from dataclasses import dataclass

from urbexmp.adapters.xmp.forms import Item, form_of
from urbexmp.adapters.xmp.names import ALT_TEXT, CAPTION, CONTAINERS, LANGUAGE, LI, Name
from urbexmp.adapters.xmp.parse import Document, Node, Resource
from urbexmp.model.text import TextField, TextState

NAMES: dict[TextField, Name] = {TextField.DESCRIPTION: CAPTION, TextField.ALT_TEXT: ALT_TEXT}
DEFAULT = "x-default"


@dataclass(frozen=True, slots=True)
class TextPlace:
    """One text of a packet and where it stands."""

    value: str | None
    """None: blank."""
    fixed: str = ""
    """As `TextState.fixed`."""
    resource: Resource | None = None
    node: Node | None = None
    item: Node | None = None
    """The item in `x-default`; there always is one where nothing is `fixed`."""
    alone: bool = False
    """Whether the property holds that item and nothing else."""
    foreign: bool = False
    """Whether it has a text in another language, and none in x-default."""

    @property
    def default(self) -> str | None:
        """What an edit sees: the text without that of another language."""
        return None if self.foreign else self.value


def text_states(document: Document) -> tuple[TextState, ...]:
    """What the packet's texts are; those without a property are left out."""
    found = ((field, find_text(document, field)) for field in NAMES)
    return tuple(TextState(field, place.value, place.fixed) for field, place in found if place)


def find_text(document: Document, field: TextField) -> TextPlace | None:
    """Where a text stands; None where the packet has no such property."""
    found = document.find(NAMES[field])
    if not found:
        return None
    if len(found) > 1:
        places = [_place(*each, NAMES[field]) for each in found]
        value = next((place.value for place in places if place.value is not None), None)
        return TextPlace(value, "occurs twice")
    return _place(*found[0], NAMES[field])


def _place(resource: Resource, node: Node | None, name: Name) -> TextPlace:
    if node is None:
        said = _text(resource.attributes[name])
        return TextPlace(said, "is an attribute, which has no languages")
    form = form_of(node)
    container = form.container
    if container is None:
        return TextPlace(_text(form.scalar), "is no list of languages")
    defaults = [item for item in form.items if _language(item) == DEFAULT]
    others = [item for item in form.items if item not in defaults]
    value = next(
        (text for item in (*defaults, *others) if (text := _text(item.value)) is not None), None
    )
    if form.odd or node.remarks or container.remarks or CONTAINERS[container.name] != "Alt":
        return TextPlace(value, "is written in an unusual form")
    if len(defaults) != 1 or not all(_language(item) for item in form.items):
        why = "has no text in x-default" if form.items else "is an empty list"
        return TextPlace(value, why, foreign=not defaults and all(map(_language, form.items)))
    item = defaults[0].node
    if item.name != LI or item.children or item.remarks or len(item.attributes) != 1:
        return TextPlace(value, "is written in an unusual form")
    if value is not None and _text(defaults[0].value) is None:
        return TextPlace(value, "has a text in another language only", foreign=True)
    return TextPlace(value, "", resource, node, item, alone=not others)


def _language(item: Item) -> str:
    return item.node.attributes.get(LANGUAGE, "").lower()


def _text(value: str | None) -> str | None:
    return value if value and value.strip() else None
