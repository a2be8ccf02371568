"""What an expression means, evaluated photo by photo from the rows: slow and plain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import PurePath
from unicodedata import combining, normalize

from urbexmp.model.keyword import Keyword, fold
from urbexmp.model.mirror import MirrorRow
from urbexmp.rules.query import (
    And,
    Everything,
    HasTerm,
    KeywordTerm,
    Not,
    NumberTerm,
    Or,
    Query,
    TextTerm,
    WordTerm,
)


def holds(query: Query, row: MirrorRow) -> bool:
    """Whether a photo is among those that an expression means."""
    match query:
        case Everything():
            return True
        case And(parts):
            return all(holds(part, row) for part in parts)
        case Or(parts):
            return any(holds(part, row) for part in parts)
        case Not(part):
            return not holds(part, row)
        case KeywordTerm():
            return _keyword(query, row)
        case NumberTerm(field, low, high):
            number = _number(field, row)
            return number is not None and low <= number <= high
        case HasTerm(what):
            return _has(what, row)
        case TextTerm():
            return _text(query, row)
        case WordTerm():
            return _word(query, row)
    raise AssertionError(query)


def _named(term: KeywordTerm, keyword: Keyword) -> bool:
    wanted = [fold(name) for name in term.names]
    held = keyword.key[-len(wanted) :]
    if len(held) < len(wanted) or list(held[:-1]) != wanted[:-1]:
        return False
    return _begins(held[-1], wanted[-1]) if term.prefix else held[-1] == wanted[-1]


def _bare(text: str) -> str:
    return "".join(char for char in normalize("NFD", fold(text)) if not combining(char))


def _begins(name: str, begun: str) -> bool:
    words = _words(_bare(begun))
    if not words:
        return name.startswith(begun)
    have = _words(_bare(name))
    last = words.pop() if begun[-1].isalnum() else None
    return all(word in have for word in words) and (
        last is None or any(word.startswith(last) for word in have)
    )


def _asked(term: KeywordTerm, keyword: Keyword) -> bool:
    family = (*keyword.ancestors(), keyword) if term.below or term.vetoed else (keyword,)
    return any(_named(term, one) for one in family)


def _keyword(term: KeywordTerm, row: MirrorRow) -> bool:
    if term.vetoed:
        return any(_asked(term, keyword) for keyword in row.vetoed)
    if not term.scored:
        return any(_asked(term, one.keyword) for one in row.keywords)
    return any(
        _asked(term, one.keyword) and one.score is not None and term.low <= one.score <= term.high
        for one in row.keywords
    )


def _number(field: str, row: MirrorRow) -> int | None:
    if field == "taken":
        taken = row.facts.taken_at
        return date.fromisoformat(taken[:10]).toordinal() if taken else None
    if field == "score":
        return max((one.score for one in row.keywords if one.score is not None), default=None)
    value = {
        "quality": row.quality,
        "condition": row.condition,
        "viewscore": None if row.view_score is None else row.view_score * 100,
    }[field]
    return None if value is None else int(value + 0.5)


def _has(what: str, row: MirrorRow) -> bool:
    return bool(
        {
            "keywords": row.keywords,
            "veto": row.vetoed,
            "held": row.held,
            "gps": row.facts.latitude is not None,
            "taken": row.facts.taken_at,
            "description": row.description,
            "text": row.text,
        }[what]
    )


def _text(term: TextTerm, row: MirrorRow) -> bool:
    names = {name for one in row.keywords for name in one.keyword.path}
    said = " ".join((row.path.name, *names, row.description or "", row.text or ""))
    have = _words(said)
    wanted = [fold(word) for word in term.words]
    last = wanted.pop()
    begun = any(word.startswith(last) for word in have) if term.prefix else last in have
    return begun and all(word in have for word in wanted)


def _words(text: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in fold(text)).split()


def _is(word: str | None, term: WordTerm) -> bool:
    if not word:
        return False
    have, want = fold(word), fold(term.text)
    if term.starts_open and term.ends_open:
        return want in have
    if term.starts_open:
        return have.endswith(want)
    return have.startswith(want) if term.ends_open else have == want


def _word(term: WordTerm, row: MirrorRow) -> bool:
    match term.field:
        case "folder":
            return _folder(row.path.parent, term)
        case "name":
            stem = PurePath(row.path.name).stem
            return _is(row.path.name, term) or (not term.ends_open and _is(stem, term))
        case "source":
            return any(one.source == term.text for one in row.keywords)
        case "stage":
            return any(_is(one.stage, term) for one in row.keywords)
    place = row.context
    return _is(
        {
            "camera": row.facts.model,
            "make": row.facts.make,
            "lens": row.facts.lens,
            "view": row.view,
            "kind": row.kind.value,
            "era": row.era,
            "status": row.status,
            "city": place.city if place else None,
            "state": place.state if place else None,
            "country": place.country if place else None,
        }[term.field],
        term,
    )


def _folder(folder: PurePath, term: WordTerm) -> bool:
    path = folder.as_posix()
    whole = ("" if path == "." else path) + "/"
    if not term.text:
        return True
    wanted = term.text if term.ends_open else term.text + "/"
    return wanted in whole if term.starts_open else whole.startswith(wanted)


def in_order(rows: Sequence[MirrorRow], order: str, *, reverse: bool) -> list[MirrorRow]:
    """Rows as an order has them: those without the value last, equals as they came."""

    def value(row: MirrorRow) -> int | str | None:
        if order == "taken":
            return row.facts.taken_at
        number = _number(order, row)
        return None if number is None else -number

    if not order:
        return list(rows)[::-1] if reverse else list(rows)
    if order == "name":
        return sorted(
            rows,
            key=lambda row: (_folder_text(row.path.parent), row.path.name),
            reverse=reverse,
        )
    valued = [row for row in rows if value(row) is not None]
    valued.sort(key=lambda row: value(row), reverse=reverse)  # type: ignore[arg-type, return-value]
    return valued + [row for row in rows if value(row) is None]


def _folder_text(folder: PurePath) -> str:
    return "" if folder == PurePath() else folder.as_posix()
