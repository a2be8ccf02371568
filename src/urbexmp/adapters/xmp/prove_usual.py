"""The proof of the usual case, cheaply: it can only say yes, or that it does not know.

A packet in Lightroom's form is cut by plain searches for a few fixed strings: out go the keyword
properties that the edit is about, our block, the value of the metadata date, and the padding. Then

1. what is left of both packets is the same, byte for byte, and the cuts are at the same places;
2. the items of each keyword property that stay are the same bytes in the same order, and what
   came is exactly what was asked for, in one piece;
3. lxml reads the new packet whole, and finds these properties directly below rdf:RDF's
   descriptions, with these items and no others, and our block as it was given.

By 3 the new packet is well-formed and means what it should where it was edited; by 1 everything
else is as it was, and stands where it stood. What was cut is what lxml found: without comments,
CDATA, instructions and a DOCTYPE every `<` begins a tag, so a tag that a search finds is that of
an element of this name, and lxml sees that in the whole packet there is only one of each. The cuts
take whole elements, because what is cut may hold no other tags than those of a list. Another
encoding, another prefix, a property that goes away, anything else: `prove` takes the packets apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from urbexmp.adapters.xmp.block import LISTS, SIMPLE, as_read, block_of, is_nothing
from urbexmp.adapters.xmp.canonical import Unreadable, all_by_themselves, top_level
from urbexmp.model.change import PacketEdit
from urbexmp.model.photo import Block

_OURS = b"http://ns.urbexmp.org/1.0/"
_DATE = b"http://ns.adobe.com/xap/1.0/"
_FIELDS = {
    b"dc:subject": b"http://purl.org/dc/elements/1.1/",
    b"lr:hierarchicalSubject": b"http://ns.adobe.com/lightroom/1.0/",
}
_NAMES = {
    tag: f"{{{uri.decode()}}}{tag.partition(b':')[2].decode()}" for tag, uri in _FIELDS.items()
}
_DECLARED = {tag: (tag, tag.partition(b":")[0], uri) for tag, uri in _FIELDS.items()}
_DATE_NAME = f"{{{_DATE.decode()}}}MetadataDate"
_BLANKS = b" \t\r\n"
_TRAILER = b"<?xpacket end="
_LIST = re.compile(
    rb"([ \t\r\n]*)<(rdf:Bag|rdf:Seq)>((?:[ \t\r\n]*<rdf:li>[^<]*</rdf:li>)+)([ \t\r\n]*)</\2>"
    rb"([ \t\r\n]*)"
)
_ADDED = re.compile(rb"(?:[ \t\n]*<rdf:li>[^<\r]*</rdf:li>)*")
_LI_END = b"</rdf:li>"
_OUR_START = re.compile(
    rb"""<rdf:Description rdf:about="[^"<>&]*" xmlns:([A-Za-z]+)="%b">""" % re.escape(_OURS)
)
_OUR_END = b"</rdf:Description>"
_OF_DATES = b"0123456789:.+-TZ"
_FRAME = (
    b'<x xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"%b>'
    % b"".join(b' xmlns:%b="%b"' % (tag.partition(b":")[0], uri) for tag, uri in _FIELDS.items()),
    b"</x>",
)
"""What our block and the keyword properties may be read in."""
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
    edited = _edited(edit)
    new, old = _cut(after, edit, edited, alone=True), _cut(before, edit, edited, alone=False)
    _usual(old.rest == new.rest)
    for name, at in old.places.items():
        _usual(new.places.get(name) == at)
    for tag, opening in old.tags.items():
        _usual(new.tags.get(tag) == opening)
    if old.padding != new.padding:
        _usual(old.padding.replace(b" ", b"") == new.padding.replace(b" ", b""))
        _usual(len(before) == len(after))
    found = top_level(
        after[: new.root_end],
        {_NAMES[tag]: tag.partition(b":")[0].decode() for tag, _, _ in edited},
        None if edit.block is None else _OURS.decode(),
        None if edit.metadata_date is None else _DATE_NAME,
    )
    gone = list[bytes]()
    for tag, add, remove in edited:
        said = found.lists.get(_NAMES[tag])
        if not _items(old.lists.get(tag), new.lists.get(tag), add, remove, said):
            gone.append(old.pieces[tag])
    if (block := old.pieces.get(b"block", b"")) != new.pieces.get(b"block"):
        gone.append(block)
    # What stood in the old packet alone was an element, too.
    if any(gone):
        _usual(all_by_themselves(b"".join((_FRAME[0], *gone, _FRAME[1])), sum(map(bool, gone))))
    if old.date != new.date:
        _usual(old.date is not None and not old.date.translate(None, _OF_DATES))
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
    tags: dict[bytes, bytes] = field(default_factory=dict)
    """The start tag of each keyword property."""
    lists: dict[bytes, bytes] = field(default_factory=dict)
    """What stands inside each keyword property."""
    pieces: dict[bytes, bytes] = field(default_factory=dict)
    """What was cut out, by name, where that is an element."""
    date: bytes | None = None
    padding: bytes = b""


def _cut(
    packet: bytes,
    edit: PacketEdit,
    edited: list[tuple[bytes, tuple[str, ...], tuple[str, ...]]],
    *,
    alone: bool,
) -> _Cut:
    """Cut a packet, and with `alone` see that every `<` in it begins a tag.

    Once is enough: what one rest does not hold an equal one does not hold either, and what is
    cut out is looked at piece by piece.
    """
    cut, spans = _Cut(), list[tuple[int, int, bytes]]()
    # Single bytes are found many times faster than pairs, so those are looked for first.
    _usual(not alone or b"!" not in packet or b"<!" not in packet)
    cut.root_end = _root_end(packet, cut, spans, alone=alone)
    for tag, _, _ in edited:
        _cut_list(packet, tag, cut, spans)
    if edit.block is not None:
        _cut_block(packet, cut, spans, alone=alone)
    if edit.metadata_date is not None:
        _cut_date(packet, cut, spans, alone=alone)
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


def _root_end(packet: bytes, cut: _Cut, spans: list[tuple[int, int, bytes]], *, alone: bool) -> int:
    """Past the root's end tag; the blanks behind it are cut where the trailer follows them."""
    trailer = packet.rfind(_TRAILER)
    end = packet.rfind(b">", 0, trailer if trailer >= 0 else len(packet)) + 1
    if alone:
        # No instruction but the header, and none of those begins behind another one's end.
        at = packet.find(b"?", 2 if packet.startswith(b"<?xpacket begin=") else 0, end)
        while at >= 0:
            _usual(not packet.startswith(b"<", at - 1))
            at = packet.find(b"?", at + 1, end)
    if trailer >= 0:
        cut.padding = packet[end:trailer]
        _usual(not cut.padding.strip(_BLANKS))
        spans.append((end, trailer, b"padding"))
    return end


def _cut_list(packet: bytes, tag: bytes, cut: _Cut, spans: list[tuple[int, int, bytes]]) -> None:
    """Cut a keyword property with the blanks before it; its tag may declare its own prefix."""
    start = packet.find(b"<" + tag)
    if start < 0:
        return
    inside = packet.find(b">", start) + 1
    cut.tags[tag] = opening = packet[start:inside]
    _usual(len(opening) == len(tag) + 2 or opening == b'<%b xmlns:%b="%b">' % _DECLARED[tag])
    close = packet.find(b"</%b>" % tag, inside)
    _usual(close > 0)
    cut.lists[tag] = packet[inside:close]
    start, end = _blank_before(packet, start), close + len(tag) + 3
    cut.pieces[tag] = packet[start:end]
    spans.append((start, end, tag))


def _cut_block(
    packet: bytes, cut: _Cut, spans: list[tuple[int, int, bytes]], *, alone: bool
) -> None:
    """Cut the description that holds our properties and nothing else."""
    at = packet.rfind(_OURS)
    if at < 0:
        return
    start = packet.rfind(b"<", 0, at)
    match = _OUR_START.match(packet, start)
    _usual(match is not None)
    assert match is not None
    end = packet.find(_OUR_END, match.end()) + len(_OUR_END)
    _usual(end > match.end())
    if alone:
        # lxml takes what is inside apart, and sees that it is all that there is of ours.
        _usual(packet.find(_OURS, 0, at) < 0)
    else:
        prefixes = _TAGS.findall(packet, match.end(), end - len(_OUR_END))
        _usual(len(prefixes) == packet.count(b"<", match.end(), end) - 1)
        _usual({b"", match[1], b"rdf"}.issuperset(prefixes))
    start = _blank_before(packet, start)
    cut.pieces[b"block"] = packet[start:end]
    spans.append((start, end, b"block"))


def _cut_date(
    packet: bytes, cut: _Cut, spans: list[tuple[int, int, bytes]], *, alone: bool
) -> None:
    """Cut the value of the metadata date, where it is an attribute."""
    at = packet.find(b":MetadataDate")
    if at < 0:
        return
    _usual(not alone or packet.find(b":MetadataDate", at + 1) < 0)
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
    old: bytes | None,
    new: bytes | None,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    said: tuple[str, tuple[str, ...]] | None,
) -> bool:
    """See that the new list, of which lxml says what it holds, is the old one less `remove`, and
    `add`. Returns whether all of the old one stands in it."""
    if new is None or said is None:
        _usual(new is None and said is None and old is None and not add)
        return True
    kind, values = said
    if old is not None and not remove:
        # What was there is the beginning of what is there, down to the end of an item.
        end = new.rfind(_LI_END) + len(_LI_END)
        stop = len(old) - (len(new) - end)
        kept, come = new[:stop], new[stop:end]
        _usual(stop > 0 and old[:stop] == kept and old[stop:] == new[end:])
        _usual(kept.endswith(_LI_END) and _ADDED.fullmatch(come) is not None)
        number = kept.count(_LI_END)
        standing = frozenset(values[:number])
        fresh = tuple([word for word in dict.fromkeys(add) if word not in standing])
        _usual(values[number:] == fresh and come.count(_LI_END) == len(fresh))
        return True
    now = _LIST.fullmatch(new)
    _usual(now is not None and b"\r" not in new)
    assert now is not None
    _usual(values == _values(now[3]) and kind == ("Bag" if now[2] == b"rdf:Bag" else "Seq"))
    units = now[3].split(_LI_END)[:-1]
    kept_units: list[bytes] = []
    stay: tuple[str, ...] = ()
    if old is None:
        _usual(now[2] == b"rdf:Bag")
    else:
        was = _LIST.fullmatch(old)
        _usual(was is not None and b"\r" not in old)
        assert was is not None
        _usual((was[1], was[2], was[4], was[5]) == (now[1], now[2], now[4], now[5]))
        unwanted = frozenset(remove)
        pairs = [
            (unit, value)
            for unit, value in zip(was[3].split(_LI_END), _values(was[3]), strict=False)
            if value not in unwanted
        ]
        kept_units, stay = [unit for unit, _ in pairs], tuple([value for _, value in pairs])
    standing = frozenset(stay)
    fresh = tuple(word for word in dict.fromkeys(add) if word not in standing)
    _usual(units[: len(kept_units)] == kept_units and values == stay + fresh)
    return old is None


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
