"""Lists of keywords whose tags and blanks are those of the last packet's.

A program lays all its lists out alike: so what stands before the first item, between two and
behind the last one is learned from one packet, and looked for as it is in the next. Whatever is
not found so is looked at anew.
"""

from __future__ import annotations

from typing import NamedTuple

from urbexmp.adapters.xmp.scan_text import CONTROLS, is_text, resolved

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


class Pair(NamedTuple):
    """How two lists are laid out that stand one behind the other."""

    opening: bytes
    between: str
    middle: str
    """From the end tag of the last flat keyword to the tag of the first path."""
    gap: bytes
    """A zero, and the blanks from one property to the other: as in a skeleton."""
    between_paths: str
    closing: bytes


_pair: Pair | None = None
_FLAT, _PATHS = b"dc:subject", b"lr:hierarchicalSubject"


def learn_pair(gap: bytes) -> None:
    """Note that `gap` stood between a list of keywords and one of paths, both in known forms."""
    global _pair
    flat, paths = _forms.get(_FLAT), _forms.get(_PATHS)
    if flat is None or paths is None or len(gap) > _MOST_FRAME or gap.strip(b" \t\n"):
        return
    middle = (flat.closing + gap + paths.opening).decode("ascii")
    # One assignment: other threads read.
    _pair = Pair(flat.opening, flat.between, middle, b"\0" + gap, paths.between, paths.closing)


def known_pair(
    packet: bytes, inside: int, close: int
) -> tuple[int, int, bytes, tuple[str, ...], tuple[str, ...]] | None:
    """The first two lists of the known forms from `inside` on.

    Where the first begins and the second ends, what stands between them in a skeleton, keywords
    and paths. None: they are not there, or hold more than items of text.
    """
    pair = _pair
    if pair is None:
        return None
    opening, between, middle, gap, between_paths, closing = pair
    start = inside + _leads.get(_FLAT, 0)
    if not packet.startswith(opening, start, close):
        start = packet.find(opening, inside, close)
        if start < 0:
            return None
        _leads[_FLAT] = start - inside
    begin = start + len(opening)
    end = packet.find(closing, begin, close)
    if end < 0:
        return None
    content = packet[begin:end]
    try:
        words, found, paths = content.decode("utf-8").partition(middle)
    except UnicodeDecodeError:
        return None
    flat, hierarchical = words.split(between), paths.split(between_paths)
    if (
        not found
        # Two tags stand between any two items, six between the lists, and no other.
        or content.count(b"<") != 2 * (len(flat) + len(hierarchical)) + 2
        or len(content.translate(None, _NOT_PLAIN)) != len(content)
        or (b"]" in content and b"]]>" in content)
        or (b"\xef" in content and not is_text(content))
    ):
        return None
    behind = end + len(closing)
    if b"&" in content:
        return start, behind, gap, resolved(flat), resolved(hierarchical)
    return start, behind, gap, tuple(flat), tuple(hierarchical)
