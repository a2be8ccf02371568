"""Lists of keywords whose tags and blanks are those of the last packet's.

A program lays all its lists out alike: so what stands before the first item, between two and
behind the last one is learned from one packet, and looked for as it is in the next. Whatever is
not found so is looked at anew.
"""

from __future__ import annotations

from typing import NamedTuple

from urbexmp.adapters.xmp.scan_text import CONTROLS, resolved

_LI, _LI_END = b"<rdf:li>", b"</rdf:li>"
_NOT_PLAIN = CONTROLS + b"\r"
_MOST_FRAME = 256
"""Bytes of tags and blanks that are worth keeping."""


class Form(NamedTuple):
    """How a list is laid out."""

    opening: bytes
    """From the property's tag to the first item's."""
    between: str
    """From an item's end tag to the next one's tag."""
    closing: bytes
    """From the last item's end tag to the property's."""
    ends: int
    """How many bytes of `closing` stand before the property's end tag."""


_forms: dict[bytes, Form] = {}
"""By property; that of the last packet which was not like the one before."""
_leads: dict[bytes, int] = {}
"""By property; how many bytes behind where it was looked for it began in the last packet."""


def known_list(
    packet: bytes, name: bytes, inside: int, close: int
) -> tuple[int, int, int, tuple[str, ...]] | None:
    """The first list of the known form from `inside` on, in text that is UTF-8.

    Where it begins, where its end tag does, where that ends, and its items. None: there is none,
    or it holds more than items of text.
    """
    form = _forms.get(name)
    if form is None:
        return None
    opening, between, closing, ends = form
    start = inside + _leads.get(name, 0)
    if not packet.startswith(opening, start, close):
        start = packet.find(opening, inside, close)
        if start < 0:
            return None
        _leads[name] = start - inside
    begin = start + len(opening)
    end = packet.find(closing, begin, close)
    if end < 0:
        return None
    content = packet[begin:end]
    items = content.decode("utf-8").split(between)
    if (
        # Two tags stand between any two items, and no other.
        content.count(b"<") != 2 * len(items) - 2
        or len(content.translate(None, _NOT_PLAIN)) != len(content)
        or (b"]" in content and b"]]>" in content)
    ):
        return None
    said = resolved(items) if b"&" in content else tuple(items)
    return start, end + ends, end + len(closing), said


def learn_form(name: bytes, whole: bytes, items: tuple[str, ...]) -> None:
    """Note the layout of a list that was found to be in order, from its tag to its end tag."""
    first, last = whole.find(_LI) + len(_LI), whole.rfind(_LI_END)
    if not len(_LI) <= first <= last or len(whole) - last + first > _MOST_FRAME:
        return
    blanks = whole[whole.find(b"<rdf:Bag>") + len(b"<rdf:Bag>") : first - len(_LI)]
    between = _LI_END + blanks + _LI
    if blanks.strip(b" \t\n") or whole.count(between, first, last) != len(items) - 1:
        return
    ends = len(whole) - last - len(b"</%b>" % name)
    _forms[name] = Form(whole[:first], between.decode("ascii"), whole[last:], ends)
