"""What a packet says, independent of how it is spelled: lxml's view, for the proof.

Shares nothing with the reader and the editor. Two packets that mean the same have the same
canonical form, whatever their prefixes, attributes or elements, and however many
`rdf:Description` they use. A value is one of

    ("text", value, qualifiers)          ("uri", value, qualifiers)
    ("struct", fields, qualifiers)       (xml of a form that XMP does not know)
    ("Bag" | "Seq" | "Alt", items, qualifiers)

with the items of a Bag and the fields of a structure sorted, and qualifiers sorted (`xml:lang`
in lower case among them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lxml import etree

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_LANG = _XML + "lang"
_DESCRIPTION, _LI = _RDF + "Description", _RDF + "li"
_ARRAYS = {_RDF + "Bag": "Bag", _RDF + "Seq": "Seq", _RDF + "Alt": "Alt"}
_IGNORED = {_RDF + "about", "about", _RDF + "ID", _RDF + "nodeID", _RDF + "parseType"}

Value = tuple[Any, ...]


class Unreadable(Exception):  # noqa: N818  (says what it is)
    """lxml cannot read the packet, or finds no single rdf:RDF in it."""


@dataclass(slots=True)
class Canonical:
    """All that a packet says."""

    properties: dict[str, list[Value]] = field(default_factory=dict)
    """Clark name (`{uri}local`) to values, sorted; mostly one. (A counter of pairs would have to
    hash every nested value, over and over: four times slower.)"""
    abouts: frozenset[str] = frozenset()
    root: str = ""
    root_attributes: tuple[tuple[str, str], ...] = ()

    def values(self, name: str) -> list[Value]:
        """All values of one property."""
        return self.properties.get(name, [])


def canonical(text: str, looked_into: Callable[[str], bool] | None = None) -> Canonical:
    """Read a whole XML document. Raises `Unreadable`.

    Where `looked_into` says no to a property's name, its element is not taken apart: its value
    is its exclusive C14N form. Two packets in which it is spelled the same compare the same,
    several times faster.
    """
    root = _parsed(text)
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise Unreadable("it has a DOCTYPE")
    found = [root] if root.tag == _RDF + "RDF" else list(root.iter(_RDF + "RDF"))
    if len(found) != 1:
        raise Unreadable(f"it has {len(found)} rdf:RDF")
    abouts: set[str] = set()
    properties: dict[str, list[Value]] = {}
    strays = [_stray(found[0])]
    for node in found[0]:
        if not isinstance(node.tag, str):
            continue  # a comment or processing instruction
        strays.append(_stray(node))
        abouts.add(node.get(_RDF + "about", node.get("about", "")))
        if node.tag != _RDF + "Description":
            properties.setdefault(_RDF + "type", []).append(("uri", node.tag, ()))
        for name, said in node.attrib.items():
            if name not in _IGNORED and not str(name).startswith(_XML):
                properties.setdefault(str(name), []).append(("text", str(said), ()))
        for child in node:
            if isinstance(child.tag, str):
                whole = looked_into is not None and not looked_into(child.tag)
                value = _spelling(child) if whole else _value(child)
                properties.setdefault(child.tag, []).append(value)
    if any(strays):
        properties["#text"] = [("text", stray, ()) for stray in strays if stray]
    for values in properties.values():
        values.sort()
    return Canonical(
        properties,
        frozenset(about for about in abouts if about),
        str(root.tag),
        tuple(sorted((str(name), str(said)) for name, said in root.attrib.items())),
    )


@dataclass(slots=True)
class TopLevel:
    """Some of what the descriptions of a usual packet say."""

    lists: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """Clark name to kind (`Bag`, `Seq`) and items."""
    texts: dict[str, list[str]] = field(default_factory=dict)
    """Local name, in the namespace asked for, to texts."""
    attributes: list[str] = field(default_factory=list)
    """Values of the attribute asked for."""


def top_level(
    document: bytes, lists: Mapping[str, str], namespace: str | None, attribute: str | None
) -> TopLevel:
    """Plain lists, all properties of a namespace (None: not asked), and one attribute (likewise).

    `lists` are Clark names, and the prefix that each is spelled with. Of a document whose root
    holds rdf:RDF and nothing else, whose descriptions are about one thing, in which these
    properties are in their plainest form, and no other element, however deep, bears one of these
    local names or is of that namespace. Raises `Unreadable` for any other document.
    """
    try:
        root = etree.fromstring(document, _usual_parser())
    except etree.XMLSyntaxError as failure:
        raise Unreadable(str(failure)) from failure
    if len(root) != 1 or (rdf := root[0]).tag != _RDF + "RDF" or rdf.keys() or _stray(rdf):
        raise Unreadable("there is no rdf:RDF by itself in the root")
    found, abouts = TopLevel(), set[str]()
    for description in rdf:
        if description.tag != _DESCRIPTION:
            raise Unreadable("a node with a type")
        abouts.add(description.get(_RDF + "about", ""))
        if attribute is not None and (value := description.get(attribute)) is not None:
            found.attributes.append(value)
        for name in lists:
            if description.get(name) is not None:
                raise Unreadable(f"{name} is an attribute")
    if len(abouts) > 1:
        raise Unreadable("it describes two things")
    # Filtered by libxml2: most elements are of no interest, and each costs an object here.
    asked = ["{*}" + name.partition("}")[2] for name in lists]
    home: etree._Element | None = None
    for child in root.iter(*asked, *(() if namespace is None else (f"{{{namespace}}}*",))):
        tag, parent = child.tag, child.getparent()
        if child.keys() or parent is None or parent.getparent() is not rdf:
            raise Unreadable(f"{tag} is not plain, or not where a property stands")
        if tag in lists:
            if tag in found.lists or child.prefix != lists[tag] or not len(child):
                raise Unreadable(f"{tag} is no single list")
            found.lists[tag] = _plain_list(child)
            continue
        uri, _, local = tag[1:].partition("}")
        if home is None:
            home = parent
        if uri != namespace or local in found.texts or parent is not home:
            raise Unreadable(f"{tag} is not by itself")
        if len(child):
            found.texts[local] = list(_plain_list(child)[1])
        else:
            text = child.text or ""
            found.texts[local] = [text] if text.strip() else []
    if home is not None and (len(home) != len(found.texts) or len(home.keys()) > 1 or _stray(home)):
        raise Unreadable("our block is not by itself")
    return found


def all_by_themselves(document: bytes, number: int) -> bool:
    """Whether a root is well-formed and holds so many elements and nothing else but blanks."""
    try:
        root = etree.fromstring(document, _usual_parser())
    except etree.XMLSyntaxError:
        return False
    return len(root) == number and not _stray(root)


def _plain_list(element: etree._Element) -> tuple[str, tuple[str, ...]]:
    container = element[0]
    kind = _ARRAYS.get(str(container.tag))
    items = list(container)
    if kind is None or container.keys() or len(element) != 1:
        raise Unreadable("a list that is not plain")
    if any(item.tag != _LI or len(item) or item.keys() for item in items):
        raise Unreadable("a list that is not plain")
    around = [element.text, container.tail, container.text, *[item.tail for item in items]]
    if "".join(filter(None, around)).strip():
        raise Unreadable("a list that holds text")
    return kind, tuple([item.text or "" for item in items])


@cache
def _usual_parser() -> etree.XMLParser:
    # Nobody asks for elements by their id, and to note the ids takes a third of the time.
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        collect_ids=False,
        encoding="utf-8",
    )


def _parsed(text: str, *, any_uri: bool = False) -> etree._Element:
    """Parse with lxml; `any_uri`: also where a namespace's name is no URI at all."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        encoding="utf-8",
        recover=any_uri,
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as failure:
        # lxml takes such a name for an error, expat and every XMP program do not.
        if not any_uri and _only_uris(parser):
            return _parsed(text, any_uri=True)
        raise Unreadable(str(failure)) from failure
    if any_uri and not _only_uris(parser):
        raise Unreadable("it is not well-formed")
    return root


def _only_uris(parser: etree.XMLParser) -> bool:
    """Whether all that a parser complained about are names of namespaces."""
    log = parser.error_log
    return bool(len(log)) and all(entry.type == etree.ErrorTypes.WAR_NS_URI for entry in log)


def _spelling(element: etree._Element) -> Value:
    """A value as it is spelled, but for prefixes declared elsewhere and order of attributes."""
    if not len(element) and not element.attrib:
        return ("text", element.text or "", ())
    return ("xml", _written(element), ())


def _written(element: etree._Element) -> str:
    """Exclusive C14N, or, where a namespace has a relative URI, which C14N does not know, as is."""
    try:
        said = etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
    except etree.C14NError:
        said = etree.tostring(element, with_tail=False)
    return said.decode("utf-8")


def _value(element: etree._Element) -> Value:
    """The value of a property element or array item."""
    if not len(element) and not element.attrib:
        return ("text", element.text or "", ())
    qualifiers = _language(element)
    stray = _stray(element) if len(element) else ""
    if stray:
        qualifiers += (("qualifier", "#text", ("text", stray, ())),)
    children = [child for child in element if isinstance(child.tag, str)]
    parse_type = element.get(_RDF + "parseType")
    if parse_type not in (None, "Resource"):
        return ("xml", _written(element), qualifiers)
    if parse_type is None and len(children) == 1:
        only = children[0]
        if only.tag in _ARRAYS:
            return _array(only, qualifiers)
        if only.tag == _RDF + "Description" or not _simple_fields(element):
            typed = () if only.tag == _RDF + "Description" else (("uri", only.tag, ()),)
            return _fields(only, qualifiers, typed)
    if children:
        return _fields(element, qualifiers)
    if _RDF + "resource" in element.attrib:
        return (
            "uri",
            element.get(_RDF + "resource"),
            qualifiers + _attributes(element, with_resource=False),
        )
    said = _attributes(element, with_resource=True)
    if said or parse_type == "Resource":
        return _fields(element, qualifiers)
    return ("text", _text(element), qualifiers)


def _simple_fields(element: etree._Element) -> bool:
    return bool(_attributes(element, with_resource=True))


def _array(array: etree._Element, qualifiers: tuple[Value, ...]) -> Value:
    kind = _ARRAYS[str(array.tag)]
    items = [_value(item) for item in array if isinstance(item.tag, str)]
    if kind == "Bag":
        items.sort()
    stray = _stray(array)
    if stray or array.attrib:
        said = (*_attributes(array, with_resource=True), *(("#text", stray),) * bool(stray))
        qualifiers += tuple(("qualifier", name, ("text", text, ())) for name, text in said)
        qualifiers += _language(array)
    return (kind, tuple(items), qualifiers)


def _fields(
    node: etree._Element, qualifiers: tuple[Value, ...], typed: tuple[Value, ...] = ()
) -> Value:
    """A structure, or, where it has an rdf:value, that value with the others as qualifiers."""
    fields: list[tuple[str, Value]] = [(_RDF + "type", kind) for kind in typed]
    fields += [(name, ("text", said, ())) for name, said in _attributes(node, with_resource=True)]
    fields += [(str(child.tag), _value(child)) for child in node if isinstance(child.tag, str)]
    main = [value for name, value in fields if name == _RDF + "value"]
    if len(main) == 1:
        rest = [("qualifier", name, value) for name, value in fields if name != _RDF + "value"]
        kind, value, own = main[0]
        return (kind, value, tuple(sorted((*own, *qualifiers, *rest))))
    return ("struct", tuple(sorted(fields)), qualifiers)


def _attributes(element: etree._Element, *, with_resource: bool) -> tuple[tuple[str, str], ...]:
    """Attributes that are properties in short form."""
    if not element.attrib:
        return ()
    return tuple(
        (str(name), str(said))
        for name, said in element.attrib.items()
        if name not in _IGNORED
        and not str(name).startswith(_XML)
        and (with_resource or name != _RDF + "resource")
    )


def _language(element: etree._Element) -> tuple[Value, ...]:
    """`xml:` attributes as qualifiers."""
    if not element.attrib:
        return ()
    found = sorted(
        (str(name), str(said))
        for name, said in element.attrib.items()
        if str(name).startswith(_XML)
    )
    return tuple(
        ("qualifier", name, ("text", said.lower() if name == _LANG else said, ()))
        for name, said in found
    )


def _stray(element: etree._Element) -> str:
    """Text, without blanks, directly inside an element that should hold only elements."""
    if not len(element):
        return "".join((element.text or "").split())
    pieces = [element.text or "", *(child.tail or "" for child in element)]
    return "".join("".join(pieces).split())


def _text(element: etree._Element) -> str:
    """All text, also behind comments inside."""
    return (
        "".join(str(piece) for piece in element.itertext())
        if len(element)
        else (element.text or "")
    )
