"""The proof of the usual case, cheaply: it can only say yes, or that it does not know.

A packet in Lightroom's form is cut by plain searches for a few fixed strings: out go the keyword
properties that the edit is about, our block, the value of the metadata date, and the padding. Then

1. what is left of both packets is the same, byte for byte, and the cuts are at the same places;
2. the items of each keyword property that stay are the same bytes in the same order, and what
   came is exactly what was asked for, in one piece;
3. lxml reads the new packet whole, and finds these properties directly below rdf:RDF's
   descriptions, with these items and no others, and our block as it was given.

By 3 the new packet is well-formed and means what it should where it was edited; by 1 everything
else is as it was, and stands where it stood. The cuts take whole elements, because what is cut
may hold no other tags than those of a list. Comments, CDATA, a DOCTYPE, another encoding, another
prefix, a property that goes away, anything else: `prove` takes the packets apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from urbexmp.adapters.xmp.block import LISTS, SIMPLE, as_read, block_of, is_nothing
from urbexmp.adapters.xmp.canonical import Unreadable, top_level
from urbexmp.model.change import PacketEdit
from urbexmp.model.photo import Block

_RDF = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_OURS = b"http://ns.urbexmp.org/1.0/"
_DATE = b"http://ns.adobe.com/xap/1.0/"
_FIELDS = {
    b"dc:subject": b"http://purl.org/dc/elements/1.1/",
    b"lr:hierarchicalSubject": b"http://ns.adobe.com/lightroom/1.0/",
}
_BLANKS = b" \t\r\n"
_TRAILER = b"<?xpacket end="
_LIST = re.compile(
    rb"([ \t\r\n]*)<(rdf:Bag|rdf:Seq)>((?:[ \t\r\n]*<rdf:li>[^<]*</rdf:li>)+)([ \t\r\n]*)</\2>"
    rb"([ \t\r\n]*)"
)
_LI_END = b"</rdf:li>"
_OUR_START = re.compile(
    rb"""<rdf:Description rdf:about="[^"<>&]*" xmlns:([A-Za-z]+)="%b">""" % re.escape(_OURS)
)
_OUR_END = b"</rdf:Description>"
_TAGS = re.compile(rb"</?(?:([A-Za-z]+):[A-Za-z]+|rdf:Seq|rdf:li)>")
_ENTITY = re.compile("&(amp|lt|gt|quot|apos);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class _Undecided(Exception):  # noqa: N818  (no error: the thorough proof decides)
    """Something is not as it usually is."""


def _usual(condition: bool) -> None:
    if not condition:
        raise _Undecided


def proven(before: bytes, after: bytes, edit: PacketEdit) -> bool:
    """Whether `after` surely is `before` with exactly `edit` done to it.

    False: not decided here.
    """
    try:
        _prove(before, after, edit)
    except (_Undecided, Unreadable, UnicodeDecodeError):
        return False
    return True


def _prove(before: bytes, after: bytes, edit: PacketEdit) -> None:
    _usual(not edit.texts)
    new, old = _cut(after, edit, alone=True), _cut(before, edit, alone=False)
    _usual(old.rest == new.rest)
    for name, at in old.places.items():
        _usual(new.places.get(name) == at)
    if old.padding != new.padding:
        _usual(old.padding.replace(b" ", b"") == new.padding.replace(b" ", b""))
        _usual(len(before) == len(after))
    wanted: dict[str, tuple[str, tuple[str, ...]]] = {}
    for tag, add, remove in _edited(edit):
        said = _items(old.lists.get(tag), new.lists.get(tag), add, remove)
        if said is not None:
            wanted[f"{{{_FIELDS[tag].decode()}}}{tag.partition(b':')[2].decode()}"] = said
    found = top_level(
        after[: new.root_end],
        frozenset(wanted),
        _OURS.decode(),
        f"{{{_DATE.decode()}}}MetadataDate",
    )
    _usual(found.lists == wanted)
    if old.date != new.date:
        _usual(
            found.attributes == [edit.metadata_date] and new.date == found.attributes[0].encode()
        )
    if edit.block is not None:
        _usual(_says(found.texts, edit.block))


def _edited(edit: PacketEdit) -> list[tuple[bytes, tuple[str, ...], tuple[str, ...]]]:
    fields = (
        (b"dc:subject", edit.flat_add, edit.flat_remove),
        (b"lr:hierarchicalSubject", edit.hierarchical_add, edit.hierarchical_remove),
    )
    return [one for one in fields if one[1] or one[2]]


def _says(found: dict[str, list[str]], block: Block) -> bool:
    read, damage = block_of(found)
    return (
        found.keys() <= {*SIMPLE, *LISTS}
        and not damage
        and read == (None if is_nothing(block) else as_read(block))
    )


# --- Cutting ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Cut:
    """A packet without what an edit may touch."""

    rest: bytes = b""
    root_end: int = 0
    places: dict[bytes, int] = field(default_factory=dict)
    """Where in the rest each thing was cut out."""
    lists: dict[bytes, bytes] = field(default_factory=dict)
    """What stands inside each keyword property."""
    date: bytes | None = None
    padding: bytes = b""


def _cut(packet: bytes, edit: PacketEdit, *, alone: bool) -> _Cut:
    """Cut a packet, and with `alone` see that what is cut occurs nowhere else.

    Once is enough: what one rest does not hold an equal one does not hold either, and what is
    cut out is looked at piece by piece.
    """
    cut, spans = _Cut(), list[tuple[int, int, bytes]]()
    if alone:
        _usual(b"!" not in packet or b"<!" not in packet)
        _usual(packet.count(_RDF) == 1 and b'xmlns:rdf="%b"' % _RDF in packet)
    cut.root_end = _root_end(packet, cut, spans)
    for tag, _, _ in _edited(edit):
        _cut_list(packet, tag, cut, spans, alone=alone)
    if edit.block is not None:
        _cut_block(packet, spans)
    if edit.metadata_date is not None:
        _cut_date(packet, cut, spans)
    pieces, at, length = list[bytes](), 0, 0
    for start, end, name in sorted(spans):
        _usual(start >= at)
        pieces.append(packet[at:start])
        length += start - at
        cut.places[name] = length
        at = end
    pieces.append(packet[at:])
    cut.rest = b"".join(pieces)
    return cut


def _root_end(packet: bytes, cut: _Cut, spans: list[tuple[int, int, bytes]]) -> int:
    """Past the root's end tag; the blanks behind it are cut where the trailer follows them."""
    trailer = packet.find(_TRAILER)
    opened = packet.startswith(b"<?xpacket begin=")
    _usual(packet.count(b"<?") == opened + (trailer >= 0))
    end = packet.rfind(b">", 0, trailer if trailer >= 0 else len(packet)) + 1
    if trailer >= 0:
        cut.padding = packet[end:trailer]
        _usual(not cut.padding.strip(_BLANKS))
        spans.append((end, trailer, b"padding"))
    return end


def _cut_list(
    packet: bytes,
    tag: bytes,
    cut: _Cut,
    spans: list[tuple[int, int, bytes]],
    *,
    alone: bool,
) -> None:
    """Cut a keyword property with the blanks before it; the name may stand nowhere else."""
    opening, closing = b"<" + tag + b">", b"</" + tag + b">"
    start, close = packet.find(opening), packet.find(closing)
    if alone:
        uri = _FIELDS[tag]
        prefix, _, local = tag.partition(b":")
        _usual(packet.count(uri) == 1 and b'xmlns:%b="%b"' % (prefix, uri) in packet)
        # Of whatever prefix: the same name in another namespace is left to the thorough proof.
        _usual(packet.count(b":" + local) == (start >= 0) + (close >= 0))
    if start < 0 and close < 0:
        return
    _usual(0 <= start < close)
    cut.lists[tag] = packet[start + len(opening) : close]
    spans.append((_blank_before(packet, start), close + len(closing), tag))


def _cut_block(packet: bytes, spans: list[tuple[int, int, bytes]]) -> None:
    """Cut the description that holds our properties and nothing else."""
    at = packet.find(_OURS)
    if at < 0:
        return
    start = packet.rfind(b"<", 0, at)
    match = _OUR_START.match(packet, start)
    _usual(match is not None and packet.find(_OURS, at + 1) < 0)
    assert match is not None
    end = packet.find(_OUR_END, match.end())
    content = packet[match.end() : end]
    prefixes = _TAGS.findall(content)
    _usual(end > 0 and len(prefixes) == content.count(b"<"))
    _usual({b"", match[1], b"rdf"}.issuperset(prefixes))
    spans.append((_blank_before(packet, start), end + len(_OUR_END), b"block"))


def _cut_date(packet: bytes, cut: _Cut, spans: list[tuple[int, int, bytes]]) -> None:
    """Cut the value of the metadata date, where it is an attribute."""
    at = packet.find(b":MetadataDate")
    if at < 0:
        return
    _usual(packet.find(b":MetadataDate", at + 1) < 0)
    _usual(packet.count(_DATE + b'"') == 1 and b'xmlns:xmp="%b"' % _DATE in packet)
    start = at + len(b':MetadataDate="')
    end = packet.find(b'"', start)
    cut.date = packet[start:end]
    _usual(packet.startswith(b' xmp:MetadataDate="', at - 4) and end > 0 and b"<" not in cut.date)
    spans.append((start, end, b"date"))


def _blank_before(packet: bytes, at: int) -> int:
    while at and packet[at - 1] in _BLANKS:
        at -= 1
    return at


# --- Items --------------------------------------------------------------------------------------


def _items(
    old: bytes | None, new: bytes | None, add: tuple[str, ...], remove: tuple[str, ...]
) -> tuple[str, tuple[str, ...]] | None:
    """Kind and items of the new list, which is the old one less `remove`, and `add`."""
    if new is None:
        _usual(old is None and not add)
        return None
    now = _LIST.fullmatch(new)
    _usual(now is not None and b"\r" not in new)
    assert now is not None
    values = _values(now[3])
    kind = "Bag" if now[2] == b"rdf:Bag" else "Seq"
    if old is not None and not remove:
        # What was there is the beginning of what is there, down to the end of an item.
        at = now.start(3)
        stop = len(old) - (len(new) - now.end(3))
        inside = old[at:stop]
        _usual(at < stop and old[:at] == new[:at] and old[stop:] == new[now.end(3) :])
        _usual(inside.endswith(_LI_END) and now[3].startswith(inside))
        number = inside.count(_LI_END)
        standing = frozenset(values[:number])
        fresh = tuple(word for word in dict.fromkeys(add) if word not in standing)
        _usual(values[number:] == fresh)
        return kind, values
    units = now[3].split(_LI_END)[:-1]
    kept: list[bytes] = []
    stay: tuple[str, ...] = ()
    if old is None:
        _usual(now[2] == b"rdf:Bag")
    else:
        was = _LIST.fullmatch(old)
        _usual(was is not None and b"\r" not in old)
        assert was is not None
        _usual((was[1], was[2], was[4], was[5]) == (now[1], now[2], now[4], now[5]))
        kept, stay = was[3].split(_LI_END)[:-1], _values(was[3])
        if remove:
            unwanted = frozenset(remove)
            pairs = [pair for pair in zip(kept, stay, strict=True) if pair[1] not in unwanted]
            kept, stay = [unit for unit, _ in pairs], tuple(value for _, value in pairs)
    standing = frozenset(stay)
    fresh = tuple(word for word in dict.fromkeys(add) if word not in standing)
    _usual(units[: len(kept)] == kept and values == stay + fresh)
    return kind, values


def _values(items: bytes) -> tuple[str, ...]:
    """The texts between `<rdf:li>` and `</rdf:li>`; between the items are blanks."""
    text = items.decode("utf-8")
    texts = tuple(part.partition("</rdf:li>")[0] for part in text.split("<rdf:li>")[1:])
    return tuple(map(_resolved, texts)) if "&" in text else texts


def _resolved(text: str) -> str:
    found = text.count("&")
    text, known = _ENTITY.subn(lambda match: _ENTITIES[match[1]], text)
    _usual(found == known)
    return text
