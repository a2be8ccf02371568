"""Lists of keywords whose tags and blanks are those of the last packet's.

A program lays all its lists out alike: so what stands before the first item, between two and
behind the last one is learned from one packet, and looked for as it is in the next. Whatever is
not found so is looked at anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from urbexmp.adapters.xmp.scan_text import CONTROLS, resolved

_LI, _LI_END = b"<rdf:li>", b"</rdf:li>"
_NOT_PLAIN = CONTROLS + b"\r"
_MOST_FRAME = 256
"""Bytes of tags and blanks that are worth keeping."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a list is laid out."""

    opening: bytes
    """From the property's tag to the first item's."""
    between: str
    """From an item's end tag to the next one's tag."""
    closing: bytes
    """From the last item's end tag to the property's."""
    ends: int
    """How many bytes of `closing` stand before the property's end tag."""
    lead: int
    """Bytes from where it was looked for to where it began."""

    def items(
        self, packet: bytes, inside: int, close: int
    ) -> tuple[int, int, int, tuple[str, ...]] | None:
        """The first list of this form from `inside` on, in text that is UTF-8.

        Where it begins, where its end tag does, where that ends, and its items. None: there is
        none, or it holds more than items of text.
        """
        start = inside + self.lead
        if not packet.startswith(self.opening, start, close):
            start = packet.find(self.opening, inside, close)
            if start < 0:
                return None
        begin = start + len(self.opening)
        end = packet.find(self.closing, begin, close)
        if end < 0:
            return None
        content = packet[begin:end]
        items = content.decode("utf-8").split(self.between)
        if (
            # Two tags stand between any two items, and no other.
            content.count(b"<") != 2 * len(items) - 2
            or len(content.translate(None, _NOT_PLAIN)) != len(content)
            or (b"]" in content and b"]]>" in content)
        ):
            return None
        said = resolved(items) if b"&" in content else tuple(items)
        return start, end + self.ends, end + len(self.closing), said


_forms: dict[bytes, Form] = {}
"""By property; that of the last packet which was not like the one before."""


def known_form(name: bytes) -> Form | None:
    """How a keyword property was laid out when it was last looked at."""
    return _forms.get(name)


def learn_form(name: bytes, whole: bytes, lead: int, items: tuple[str, ...]) -> None:
    """Note the layout of a list that was found to be in order, from its tag to its end tag.

    `lead`: how many bytes behind where it was looked for it began.
    """
    first, last = whole.find(_LI) + len(_LI), whole.rfind(_LI_END)
    if not len(_LI) <= first <= last or len(whole) - last + first > _MOST_FRAME:
        return
    blanks = whole[whole.find(b"<rdf:Bag>") + len(b"<rdf:Bag>") : first - len(_LI)]
    between = _LI_END + blanks + _LI
    if blanks.strip(b" \t\n") or whole.count(between, first, last) != len(items) - 1:
        return
    ends = len(whole) - last - len(b"</%b>" % name)
    _forms[name] = Form(whole[:first], between.decode("ascii"), whole[last:], ends, lead)
