"""Text in a packet that is only scanned: lists of items, entities, what XML forbids."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ITEMS = re.compile(r"(?:\s*<rdf:li>[^<>]*</rdf:li>)*\s*")
_ITEM = re.compile(r"<rdf:li>([^<]*)</rdf:li>")
_LI, _LI_END = "<rdf:li>", "</rdf:li>"
_OTHER_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)")
_ENTITIES_OF_XML = (b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&apos;")
_FEW = 8
_ENTITY = re.compile("&(amp|lt|gt|quot|apos);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")


class Unusual(Exception):  # noqa: N818  (not an error: the parser takes over)
    """Something stands where the scan did not expect it."""


def usual(condition: bool) -> None:
    """Raise `Unusual` unless that holds."""
    if not condition:
        raise Unusual


def is_text(text: bytes) -> bool:
    """Whether these are whole characters of UTF-8 that XML allows (controls apart)."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\xef" not in text or not any(bad in text for bad in _NONCHARACTERS)


def has_controls(text: bytes) -> bool:
    """Whether a control character is in there that XML forbids."""
    return len(text.translate(None, CONTROLS)) != len(text)


def other_entity(text: bytes) -> bool:
    """Whether an entity is in there that is none of the five of XML."""
    at = text.find(b"&")
    for _ in range(_FEW):
        if at < 0:
            return False
        if not text.startswith(_ENTITIES_OF_XML, at):
            return True
        at = text.find(b"&", at + 1)
    return at >= 0 and _OTHER_ENTITY.search(text, at) is not None


def list_of(content: bytes, opening: bytes, closing: bytes) -> tuple[str, ...]:
    """The items of a plain list. Raises `Unusual`."""
    content = content.strip(b" \t\r\n")
    usual(content.startswith(opening) and content.endswith(closing))
    usual(b"\r" not in content)
    inside = content[len(opening) : -len(closing)].decode("utf-8")
    first, last = inside.find(_LI), inside.rfind(_LI_END)
    between = _LI_END + inside[:first] + _LI
    items = inside[first + len(_LI) : last].split(between)
    evenly = (
        0 <= first < last
        and not inside[:first].strip(" \t\n")
        and not inside[last + len(_LI_END) :].strip(" \t\n")
        and inside.count("<", first, last) == 2 * len(items) - 1
    )
    if not evenly:
        # Not all on lines of their own, or none at all.
        usual(_ITEMS.fullmatch(inside) is not None)
        items = _ITEM.findall(inside)
    return resolved(items) if "&" in inside else tuple(items)


def resolved(items: Iterable[str]) -> tuple[str, ...]:
    """Items with their entities resolved. Raises `Unusual`."""
    return tuple(map(_resolved, items))


def text_of(raw: bytes) -> str:
    """A text with its entities resolved. Raises `Unusual`."""
    usual(b"\r" not in raw)
    return _resolved(raw.decode("utf-8"))


def _resolved(text: str) -> str:
    if "&" in text:
        found = text.count("&")
        text, known = _ENTITY.subn(lambda match: _ENTITIES[match.group(1)], text)
        usual(found == known)
    return text
