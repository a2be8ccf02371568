"""One photo's row in the mirror, from what its packets say, its capture facts and its place.

The row knows no ledger: it takes from the packets what the merge takes from them when there is
none (`rules.merge`), so a mirror that is built from the files alone says the same.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from urbexmp.model.change import NOTHING
from urbexmp.model.keyword import SEPARATOR, Keyword, KeywordFields, fold
from urbexmp.model.mirror import AI, BOTH, PENDING, PERSON, MirrorHeld, MirrorKeyword, MirrorRow
from urbexmp.model.observation import CaptureFacts, Context
from urbexmp.model.photo import Block, BlockEntry, FileKind, FileStat
from urbexmp.model.ports import PacketReading
from urbexmp.model.text import TextField, text_digest
from urbexmp.rules.fields import found_keywords, keyword_of
from urbexmp.rules.merge import EMPTIED_LEAST

ROW_VERSION = 2
"""Raised when this file makes other rows of the same packets: every row is stale then."""

NO_FACTS = CaptureFacts()


def row_version(fingerprints: Iterable[str], stats: Iterable[FileStat], place: str) -> str:
    """Digest of everything a row is made from, 16 hex digits.

    `fingerprints` of the packets in the order they are read, `stats` of the image files, and
    a digest of what else counts: the `location.toml` files above the photo, the words for
    places, the code that reads facts. The inode is left out: a copy of
    the archive on another disk is the same archive.
    """
    numbers = [f"{stat.size}:{stat.mtime_ns}" for stat in stats]
    text = "\n".join((str(ROW_VERSION), place, *numbers, *fingerprints))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mirror_row(
    path: Path,
    photo_id: str,
    kind: FileKind,
    stat: FileStat,
    readings: Sequence[PacketReading],
    elsewhere: Sequence[KeywordFields] = (),
    facts: CaptureFacts = NO_FACTS,
    context: Context | None = None,
    *,
    status: str = PENDING,
    held: tuple[MirrorHeld, ...] = (),
    version: str = "",
) -> MirrorRow:
    """The row of one photo. `readings` are those of its carriers, in their order."""
    blocks = [reading.block for reading in readings if reading.block is not None]
    if not blocks and not elsewhere and len(readings) == 1:  # most of a first index
        reading = readings[0]
        return MirrorRow(
            path,
            photo_id,
            kind,
            stat,
            facts,
            context,
            status=status,
            description=reading.description or None,
            keywords=_persons(reading.fields),
            held=held,
            version=version,
            alt_text=_text(readings, TextField.ALT_TEXT) if reading.texts else None,
        )
    current, vetoed, entries = _keywords(readings, elsewhere, blocks)
    said = _facts(blocks)
    return MirrorRow(
        path,
        photo_id,
        kind,
        stat,
        facts,
        context,
        view=said.get("view"),
        view_score=_number(said.get("viewScore")),
        quality=_number(said.get("quality")),
        condition=_number(said.get("condition")),
        era=said.get("era"),
        status=status,
        description=_text(readings, TextField.DESCRIPTION),
        text=said.get("text") or None,
        keywords=tuple([_keyword(keyword, entries.get(keyword)) for keyword in current]),
        vetoed=tuple(sorted(vetoed)) if vetoed else (),
        held=held,
        version=version,
        alt_text=_text(readings, TextField.ALT_TEXT),
    )


def _text(readings: Sequence[PacketReading], field: TextField) -> str | None:
    """What a text says: a person's before ours, in whichever carrier it is.

    Ours, which a carrier's block lists and the carrier lacks, was taken out there by a person.
    """
    listed = [dict(each.block.texts).get(field.value) if each.block else None for each in readings]
    known = frozenset(filter(None, listed))
    values = [
        next((text.value for text in each.texts if text.field is field), None) for each in readings
    ]
    for value in values:
        if value is not None and (not known or text_digest(value) not in known):
            return value
    if any(mine and value is None for mine, value in zip(listed, values, strict=True)):
        return None
    return next((value for value in values if value is not None), None)


def _keywords(
    readings: Sequence[PacketReading], elsewhere: Sequence[KeywordFields], blocks: list[Block]
) -> tuple[Iterable[Keyword], frozenset[Keyword], dict[Keyword, BlockEntry]]:
    """What the photo holds, what was refused, and what our blocks list.

    A keyword that a carrier's block lists and the carrier lacks was taken away by a person who
    had seen it, as in the merge; unless the carrier lost everything, which nobody can judge.
    """
    entries: dict[Keyword, BlockEntry] = {}
    for block in blocks:
        for entry in block.written:
            before = entries.get(entry.keyword)
            if before is None or (entry.at, entry.score or 0.0) > (before.at, before.score or 0.0):
                entries[entry.keyword] = entry
    listed = frozenset(entries)
    spelled: dict[Keyword, Keyword] = {}
    removed = NOTHING
    emptied = False
    for reading in readings:
        found = found_keywords(reading.fields, listed)
        for keyword in found:
            spelled.setdefault(keyword, keyword)
        if reading.block is not None and reading.block.written:
            lost = frozenset(entry.keyword for entry in reading.block.written) - found
            emptied |= not found and len(lost) >= EMPTIED_LEAST
            removed |= lost
    for fields in elsewhere:
        for keyword in found_keywords(fields):
            spelled.setdefault(keyword, keyword)
    refused = frozenset(keyword for block in blocks for keyword in block.vetoed)
    if removed and not emptied:
        for keyword in removed:
            spelled.pop(keyword, None)
        refused |= removed
    return spelled, refused - spelled.keys() if refused else refused, entries


def _persons(fields: KeywordFields) -> tuple[MirrorKeyword, ...]:
    """What `found_keywords` finds in one packet without a block, all of it a person's.

    The same in a fifth of the time: by folded text, whose hash Python keeps, where sets of
    keywords work each hash out anew; and what an item says is looked up, and worked out but once.
    """
    found: dict[str, MirrorKeyword] = {}
    elements: set[str] = set()
    known = _ITEMS
    for item in fields.hierarchical or ():
        folded, keyword, names, _ = known.get(item) or _item(item)
        if keyword is not None:
            found[folded] = keyword
            elements |= names
    flat = fields.flat
    # Mostly they all are words of the paths.
    if flat and not elements.issuperset([_FOLDED.get(item) or _folded(item) for item in flat]):
        for item in flat:
            folded, keyword, _, path = known.get(item) or _item(item)
            if keyword is not None and (path or folded not in elements):
                found.setdefault(folded, keyword)
    return tuple(found.values())


_Said = tuple[str, MirrorKeyword | None, frozenset[str], bool]
"""What an item of a keyword field says: the folded path, the keyword (None: it has no name at
all), the folded names of the path, whether these are more than one."""
_MOST = 1 << 16
_ITEMS: dict[str, _Said] = {}
_FOLDED: dict[str, str] = {}


def _item(item: str) -> _Said:
    keyword = keyword_of(item)
    if keyword is None:
        said: _Said = "", None, frozenset(), False
    else:
        key = keyword.key
        said = SEPARATOR.join(key), _person(keyword.path), frozenset(key), len(key) > 1
    if len(_ITEMS) >= _MOST:
        _ITEMS.clear()
    _ITEMS[item] = said
    return said


def _folded(item: str) -> str:
    """The folded path of an item; for one name without making a keyword of it."""
    folded = fold(item) if SEPARATOR not in item and item.strip() else _item(item)[0]
    if len(_FOLDED) >= _MOST:
        _FOLDED.clear()
    _FOLDED[item] = folded
    return folded


def _keyword(keyword: Keyword, entry: BlockEntry | None) -> MirrorKeyword:
    if entry is None:
        return _person(keyword.path)
    same = keyword.path == entry.keyword.path or _composed(keyword) == _composed(entry.keyword)
    stage, _, model = entry.stage.partition("@")
    return MirrorKeyword(
        keyword,
        AI if same else BOTH,
        None if entry.score is None else round(entry.score * 100),
        stage,
        model,
        entry.profile,
        entry.at,
    )


@lru_cache(maxsize=1 << 16)
def _person(path: tuple[str, ...]) -> MirrorKeyword:
    # By path and not by keyword: two spellings of a keyword are equal.
    return MirrorKeyword(Keyword(path), PERSON)


def _composed(keyword: Keyword) -> str:
    return unicodedata.normalize("NFC", str(keyword))


def _facts(blocks: list[Block]) -> Mapping[str, str]:
    """What the blocks say of the picture; of two the first."""
    said: dict[str, str] = {}
    for block in blocks:
        for name, value in block.facts:
            said.setdefault(name, value)
    return said


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def place_of(context: Context | None) -> tuple[str, str, str, str, str, str, str] | None:
    """Name, type, era, city, county, state, country; "" for unknown. None: nothing is known."""
    if context is None:
        return None
    place = (
        context.name or context.sublocation or "",
        context.place_type or "",
        context.era or "",
        context.city or "",
        context.county or "",
        context.state or "",
        context.country or "",
    )
    return place if any(place) else None


def essence(row: MirrorRow) -> dict[str, Any]:
    """What of a row must be the same in a mirror that is built from the files alone.

    Everything but `status` and `held`, which the ledger knows, and the inode; of facts and place
    what the mirror keeps.
    """
    facts = row.facts
    return {
        "photo id": row.photo_id,
        "kind": row.kind,
        "size and time": (row.stat.size, row.stat.mtime_ns),
        "dimensions": (facts.width, facts.height),
        "camera": (facts.make, facts.model, facts.lens),
        "time taken": facts.taken_at,
        "position": (facts.latitude, facts.longitude),
        "place": place_of(row.context),
        "view": (row.view, row.view_score),
        "quality": row.quality,
        "condition": row.condition,
        "era": row.era,
        "description": row.description,
        "text": row.text,
        "alt text": row.alt_text,
        "keywords": frozenset((str(each.keyword), *_origin(each)) for each in row.keywords),
        "vetoes": frozenset(str(keyword) for keyword in row.vetoed),
    }


def _origin(each: MirrorKeyword) -> tuple[object, ...]:
    return each.source, each.score, each.stage, each.model, each.profile, each.at


def differences(stored: MirrorRow, made: MirrorRow) -> tuple[str, ...]:
    """Names of what differs between a row and the one that the files give."""
    one, other = essence(stored), essence(made)
    return tuple(name for name, value in one.items() if value != other[name])
