"""Our block: the property group that says what we wrote into a packet.

One `rdf:Description` of our own holds it, in forms that every tool keeps (XMP.md R25): the
simple properties `Mark`, `Profile` and `At`, and `rdf:Seq` lists of plain text, `Written`,
`Vetoed`, `Flats`, `Facts` and `Texts`; an empty list is left out. An item of `Written` is

    Urbex|Building|Hospital;0.87;pixels@1f2e3d4c;offline;2026-11-20T09:00:00Z

path, score, stage, profile, time; empty fields at the end are dropped, and a profile or time
that equals the block's own `Profile` or `At` is left empty. An item of `Facts` is `name;value`,
one of `Texts` names a text that we wrote and its digest, `description;0123456789abcdef`.
A `;` inside a field is spelled `%3B`. Scores keep three decimals.

Whatever another tool made of it (attributes, a Bag, another prefix, another Description) is
read all the same; a damaged item is left out with a note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, BlockEntry

PREFIX = "urbexKW"
"""No prefix that another one ends with: with `urbexmp` declared first, exiv2 and the older Adobe
cores leave out the declaration of `xmp` (they look for `xmp:` in the text of all prefixes so
far) and write a file that is not well-formed."""
SIMPLE = ("Mark", "Profile", "At")
LISTS = ("Written", "Vetoed", "Flats", "Facts", "Texts")

_ESCAPED = re.compile("%(?=3B|25)")


def properties(block: Block) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
    """The properties of a block in their order: local name, and text or items."""
    profile = _shared([entry.profile for entry in block.written])
    at = _shared([entry.at for entry in block.written])
    written = tuple(_item(entry, profile, at) for entry in block.written)
    vetoed = tuple(str(keyword) for keyword in block.vetoed)
    facts, texts = _pairs(block.facts), _pairs(block.texts)
    named: tuple[tuple[str, str | tuple[str, ...]], ...] = (
        ("Mark", block.mark),
        ("Profile", profile),
        ("At", at),
        ("Written", written),
        ("Vetoed", vetoed),
        ("Flats", block.flats),
        ("Facts", facts),
        ("Texts", texts),
    )
    return tuple((name, value) for name, value in named if value)


def is_nothing(block: Block) -> bool:
    """Whether a block says nothing at all; writing it takes the block out of the packet."""
    lists = block.written or block.vetoed or block.flats or block.facts or block.texts
    return not (block.mark or lists)


def as_read(block: Block) -> Block:
    """The block as it reads once written: scores lose what lies behind three decimals."""
    global _read
    # The same one is asked for when it is written, proven, and read again.
    known, read = _read
    if known is not block:
        read = _as_read(block)
        _read = block, read  # one assignment: other threads write
    return read


def _as_read(block: Block) -> Block:
    return Block(
        block.mark,
        tuple(
            BlockEntry(entry.keyword, _rounded(entry.score), entry.stage, entry.profile, entry.at)
            for entry in block.written
        ),
        block.vetoed,
        block.flats,
        block.facts,
        block.texts,
    )


_read: tuple[Block, Block] = (Block(""), Block(""))


def block_of(found: Mapping[str, Sequence[str]]) -> tuple[Block | None, tuple[str, ...]]:
    """Make a block of its properties (local name to texts), and say what was damaged.

    None: none of our properties is there.
    """
    if not any(name in found for name in (*SIMPLE, *LISTS)):
        return None, ()
    damaged = 0
    profile, at = _first(found, "Profile"), _first(found, "At")
    written: list[BlockEntry] = []
    for item in found.get("Written", ()):
        entry = _entry(item, profile, at)
        if entry is None:
            damaged += 1
        else:
            written.append(entry)
    vetoed: list[Keyword] = []
    for item in found.get("Vetoed", ()):
        try:
            vetoed.append(_keyword(item))
        except ValueError:
            damaged += 1
    pairs: dict[str, list[tuple[str, str]]] = {"Facts": [], "Texts": []}
    for listed, into in pairs.items():
        for item in found.get(listed, ()):
            name, separator, value = item.partition(";")
            if name and separator:
                into.append((_unquote(name), _unquote(value)))
            else:
                damaged += 1
    flats = tuple(word for word in found.get("Flats", ()) if word)
    notes = (f"{damaged} damaged item(s) of our block were ignored",) if damaged else ()
    mark = _first(found, "Mark")
    facts, texts = tuple(pairs["Facts"]), tuple(pairs["Texts"])
    return Block(mark, tuple(written), tuple(vetoed), flats, facts, texts), notes


@lru_cache(4096)
def _item(entry: BlockEntry, profile: str, at: str) -> str:
    fields = (
        str(entry.keyword),
        _score_text(entry.score),
        entry.stage,
        "" if entry.profile == profile else entry.profile,
        "" if entry.at == at else entry.at,
    )
    text = ";".join(fields)
    if "%" in text or text.count(";") >= len(fields):
        text = ";".join(map(_quote, fields))
    return text.rstrip(";")


def _pairs(pairs: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(f"{_quote(name)};{_quote(value)}" for name, value in pairs)


@lru_cache(4096)
def _keyword(text: str) -> Keyword:
    """A keyword by its text; the same ones are in block after block. Raises `ValueError`."""
    return Keyword.parse(text)


@lru_cache(4096)
def _entry(item: str, profile: str, at: str) -> BlockEntry | None:
    path, *more = map(_unquote, item.split(";"))
    if len(more) > 4:
        return None
    score, stage, own_profile, own_at = (*more, *([""] * (4 - len(more))))
    try:
        return BlockEntry(
            _keyword(path), _score(score), stage, own_profile or profile, own_at or at
        )
    except ValueError:
        return None


def _shared(values: list[str]) -> str:
    """The first value, where leaving it out cannot be taken for an empty one."""
    return values[0] if values and all(values) else ""


@lru_cache(4096)
def _rounded(score: float | None) -> float | None:
    return _score(_score_text(score))


def _score_text(score: float | None) -> str:
    return "" if score is None else f"{score:.3f}".rstrip("0").rstrip(".")


def _score(text: str) -> float | None:
    """Raises `ValueError` for what is no number from 0 to 1."""
    if not text:
        return None
    score = float(text)
    if not 0 <= score <= 1:
        raise ValueError(text)
    return score


def _quote(field: str) -> str:
    if ";" not in field and "%" not in field:
        return field
    return _ESCAPED.sub("%25", field).replace(";", "%3B")


def _unquote(field: str) -> str:
    return field.replace("%3B", ";").replace("%25", "%") if "%" in field else field


def _first(found: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(found.get(name, ())), "")
