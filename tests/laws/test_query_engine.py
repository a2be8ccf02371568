"""The engine finds what a plain evaluation finds, in any order, page by page, after any change."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from laws.naive_query import holds, in_order
from urbexmp.adapters.db.ask import Asker
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.model.keyword import Keyword
from urbexmp.model.mirror import AI, BOTH, PERSON, STATUSES, MirrorHeld, MirrorKeyword, MirrorRow
from urbexmp.model.observation import CaptureFacts, Context
from urbexmp.model.photo import FileKind, FileStat
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

NAMES = ("Urbex", "urban", "Mill", "Old mill", "Große Halle", "Mine-7", "?!", "École")
CAMERAS = (None, "NIKON Z 6_2", "nikon d750", "X-T4")
FOLDERS = ("", "2024", "2024/A Mill", "2024/A Mill/raw", "2023-b", "ä")
FILES = tuple(
    f"{stem}.{ending}" for stem in ("IMG_1", "IMG_12", "_DSC 3") for ending in ("NEF", "jpg")
)
WORDS = (None, "no entry", "Danger of death", "mill 7")
DAYS = (None, "2024-05-11T10:02:17", "2024-05-11T09:00:00", "2023-12-31T23:59:59", "2019-02-01")

keywords = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(
    lambda names: Keyword(tuple(names))
)
scores = st.none() | st.integers(0, 100)


@st.composite
def held_keywords(draw: st.DrawFn) -> MirrorKeyword:
    source = draw(st.sampled_from((AI, BOTH, PERSON)))
    stage = "" if source == PERSON else draw(st.sampled_from(("pixels", "camera")))
    return MirrorKeyword(draw(keywords), source, None if source == PERSON else draw(scores), stage)


@st.composite
def rows(draw: st.DrawFn) -> MirrorRow:
    held = {one.keyword: one for one in draw(st.lists(held_keywords(), max_size=4))}
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    row = MirrorRow(
        path=Path(pick(*FOLDERS), pick(*FILES)),
        photo_id="p",
        kind=draw(st.sampled_from(FileKind)),
        stat=FileStat(1, 2, 3),
        facts=CaptureFacts(
            make=pick(None, "NIKON", "FUJIFILM"),
            model=pick(*CAMERAS),
            lens=pick(None, "24-70 mm", "14-24 mm"),
            taken_at=pick(*DAYS),
            latitude=pick(None, 0.0, 51.5),
            longitude=0.0,
        ),
        context=pick(None, Context("Mill", city="Leipzig", state="Sachsen"), Context(country="UK")),
        view=pick(None, "interior", "aerial"),
        view_score=pick(None, 0.5, 0.875, 1.0),
        quality=pick(None, 0.0, 62.0, 61.5, 100.0),
        condition=pick(None, 3.0, 77.0),
        era=pick(None, "1930s"),
        status=pick(*STATUSES),
        description=pick(*WORDS),
        text=pick(*WORDS),
        keywords=tuple(held.values()),
        vetoed=tuple(draw(st.sets(keywords, max_size=2)) - set(held)),
        held=pick((), (MirrorHeld(Keyword(("Mill",)), 0.4, "unsure"),)),
    )
    # Equal versions say that nothing differs, and nothing is written.
    return replace(row, version=sha256(repr(row).encode()).hexdigest())


spans = st.tuples(st.integers(0, 100), st.integers(0, 100))
day_spans = st.tuples(
    st.sampled_from([date(2019, 2, 1), date(2024, 1, 1), date(1, 1, 1)]),
    st.sampled_from([date(2019, 2, 1), date(2024, 5, 11), date(9999, 12, 31)]),
).map(lambda span: (span[0].toordinal(), span[1].toordinal()))
parts = st.sampled_from(("", "M", "mill", "Mi", "URBEX", "ur", "gros", "éc", "?", "2024", "nikon"))
plain_words = ("camera", "make", "lens", "view", "era", "city", "state", "country", "stage")
runs = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(tuple)


@st.composite
def keyword_terms(draw: st.DrawFn) -> Query:
    names, prefix = draw(runs), draw(st.booleans())
    if prefix:
        begun = names[-1][: draw(st.integers(1, 4))]
        names = (*names[:-1], begun)
    if draw(st.integers(0, 4)) == 0:
        return KeywordTerm(names, prefix=prefix, vetoed=True)
    low, high = draw(st.just((0, 100)) | spans)
    return KeywordTerm(names, below=draw(st.booleans()), prefix=prefix, low=low, high=high)


@st.composite
def word_terms(draw: st.DrawFn) -> Query:
    field = draw(st.sampled_from((*plain_words, "folder", "name", "source", "status", "kind")))
    if field == "source":
        return WordTerm(field, draw(st.sampled_from((AI, BOTH, PERSON))))
    if field == "status":
        return WordTerm(field, draw(st.sampled_from(STATUSES)))
    if field == "kind":
        return WordTerm(field, draw(st.sampled_from(FileKind)).value)
    known = {"folder": FOLDERS, "name": (*FILES, "IMG_1", "img"), "camera": CAMERAS[1:]}
    text = draw(st.sampled_from(known[field]) if field in known else parts)
    text = text[: draw(st.integers(1, 20))] if text else text
    opens = draw(st.booleans()) and bool(text)
    return WordTerm(field, text, opens and field != "name" and draw(st.booleans()), opens)


terms = st.one_of(
    st.just(Everything()),
    keyword_terms(),
    word_terms(),
    st.builds(
        lambda field, span: NumberTerm(field, *span),
        st.sampled_from(("quality", "condition", "viewscore", "score")),
        spans,
    ),
    st.builds(lambda span: NumberTerm("taken", *span), day_spans),
    st.builds(
        HasTerm,
        st.sampled_from(("keywords", "veto", "held", "gps", "taken", "description", "text")),
    ),
    st.builds(
        TextTerm,
        st.lists(
            st.sampled_from(("mill", "no", "entry", "7", "img", "hal")), min_size=1, max_size=2
        ).map(tuple),
        st.booleans(),
    ),
)
queries = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None)
@given(
    batches=st.lists(st.lists(rows(), max_size=6), min_size=1, max_size=3),
    gone=st.sets(st.integers(0, 5), max_size=2),
    least=st.sampled_from((1, 3, 1000)),
    anew=st.booleans(),
    asked=st.lists(queries, min_size=1, max_size=8),
    order=st.sampled_from(("", "taken", "name", "quality", "score")),
    reverse=st.booleans(),
    page=st.tuples(st.integers(0, 4), st.integers(1, 5)),
)
def test_the_engine_finds_what_a_plain_evaluation_finds(
    batches: list[list[MirrorRow]],
    gone: set[int],
    least: int,
    anew: bool,
    asked: list[Query],
    order: str,
    reverse: bool,
    page: tuple[int, int],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mirror.sqlite3"
        stand: dict[Path, MirrorRow] = {}
        with SqliteMirror(path, posting_least=least, leaf_least=least) as mirror:
            for batch in batches:
                mirror.put(batch)
                stand |= {row.path: row for row in batch}
            leaving = [photo for n, photo in enumerate(stand) if n in gone]
            mirror.remove(leaving)
            for photo in leaving:
                del stand[photo]
            if anew:
                with mirror.anew() as new:
                    new.put(stand.values())
        with Asker(path) as asker:
            there = list(stand.values())
            for query in asked:
                found = [row for row in there if holds(query, row)]
                wanted = [row.path.as_posix() for row in in_order(found, order, reverse=reverse)]
                ids = asker.ids(query, order=order, reverse=reverse, limit=None)
                assert asker.paths(ids) == wanted, query
                assert asker.count(query) == len(found), query
                offset, limit = page
                part = asker.ids(query, order=order, reverse=reverse, limit=limit, offset=offset)
                assert part == ids[offset : offset + limit], query
