"""Rows for tests of the mirror, and the mirror's content as plain values without numbers."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from urbexmp.model.keyword import Keyword
from urbexmp.model.mirror import AI, PERSON, MirrorHeld, MirrorKeyword, MirrorRow
from urbexmp.model.observation import CaptureFacts, Context
from urbexmp.model.photo import FileKind, FileStat

NAMES = ("Urbex", "urbex", "Mill", "MILL", "Wall", "Straße", "STRASSE", "é")
PATHS = tuple(
    Path(folder) / name for folder in (".", "a", "a/b", "c") for name in ("1.JPG", "2.NEF", "3.x")
)


def keywords() -> st.SearchStrategy[Keyword]:
    return st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(
        lambda names: Keyword(tuple(names))
    )


def held_keywords() -> st.SearchStrategy[MirrorKeyword]:
    ours = st.builds(
        MirrorKeyword,
        keywords(),
        st.just(AI),
        st.integers(0, 100),
        st.sampled_from(("camera", "pixels")),
        st.sampled_from(("00ff00ff", "11ee11ee")),
        st.just("offline"),
        st.sampled_from(("2026-11-20T09:00:00Z", "2026-11-21T10:00:00Z", "yesterday", "")),
    )
    return st.one_of(keywords().map(lambda keyword: MirrorKeyword(keyword, PERSON)), ours)


def rows() -> st.SearchStrategy[MirrorRow]:
    return st.builds(
        make_row,
        st.sampled_from(PATHS),
        keywords=st.lists(held_keywords(), max_size=4, unique_by=lambda each: each.keyword),
        vetoed=st.lists(keywords(), max_size=2, unique=True),
        description=st.sampled_from((None, "A wall", "Straße, Mauer")),
        place=st.sampled_from((None, "St Agnes", "Mill")),
        held=st.lists(keywords(), max_size=1),
        status=st.sampled_from(("pending", "completed", "failed")),
    )


def make_row(
    path: Path,
    *,
    keywords: list[MirrorKeyword] | None = None,
    vetoed: list[Keyword] | None = None,
    description: str | None = None,
    place: str | None = None,
    held: list[Keyword] | None = None,
    status: str = "completed",
    size: int = 10,
    version: str = "",
) -> MirrorRow:
    return MirrorRow(
        path,
        "0f" * 16,
        FileKind.RAW,
        FileStat(size, 1_700_000_000_000_000_000, 7),
        CaptureFacts(make="Nikon", model="Z 8", taken_at="2024-05-11T10:00:00", width=8, height=6),
        Context(name=place, country="PL") if place else None,
        view="interior",
        view_score=0.9,
        description=description,
        keywords=tuple(keywords or ()),
        vetoed=tuple(vetoed or ()),
        held=tuple(MirrorHeld(keyword, 0.5, "unsure") for keyword in held or ()),
        status=status,
        version=version,
    )


def dump(path: Path, *, ledger: bool = True) -> dict[str, Any]:
    """All tables, with names for numbers. Without `ledger` not what only the ledger knows."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        dumped = {name: sorted(connection.execute(sql), key=repr) for name, sql in _DUMPS.items()}
        words = sorted(
            {row[0] for row in connection.execute("SELECT folded FROM keyword")}
            | {"wall", "agnes", "jpg", "straße", "1"}
        )
        dumped["found"] = [
            (word, sorted(connection.execute(_FIND, (" ".join(re.findall(r"\w+", word)),))))
            for word in words
        ]
        if not ledger:
            del dumped["held"]
            dumped["photo"] = [tuple(row[1:]) for row in dumped["photo"]]
            dumped["photo"].sort(key=repr)
        return dumped
    finally:
        connection.close()


_DUMPS = {
    "folder": "SELECT path FROM folder",
    "location": "SELECT name, type, era, city, county, state, country FROM location",
    "photo": "SELECT status, folder, name, photo_id, kind, size, changed_at, width,"
    " height, make, camera, lens, taken_at, latitude, longitude, view, view_score, quality,"
    " condition, era, description, text, keyword_count, veto_count, version, keywords, vetoes,"
    " place, country FROM photos",
    "keyword": "SELECT keyword.path, keyword.name, keyword.folded, keyword.depth, keyword.photos,"
    " keyword.below, above.path FROM keyword LEFT JOIN keyword AS above"
    " ON above.id = keyword.parent",
    "link": "SELECT folder.path, photo.name, keyword.path, source, score, stage, model, profile, at"
    " FROM photo_keyword AS has JOIN photo ON photo.id = has.photo"
    " JOIN folder ON folder.id = folder JOIN keyword ON keyword.id = has.keyword",
    "spelling": "SELECT path, uses FROM spelling WHERE uses",
    "veto": "SELECT folder.path, photo.name, keyword.path FROM veto"
    " JOIN photo ON photo.id = veto.photo JOIN folder ON folder.id = folder"
    " JOIN keyword ON keyword.id = veto.keyword",
    "held": "SELECT folder.path, photo.name, keyword_path, confidence, reason FROM held"
    " JOIN photo ON photo.id = held.photo JOIN folder ON folder.id = folder",
    "branch": "SELECT DISTINCT coalesce(keyword.path, branch.keyword) FROM branch"
    " LEFT JOIN keyword ON keyword.id = branch.keyword",
}
_FIND = (
    "SELECT folder.path, photo.name FROM photo_text JOIN photo ON photo.id = photo_text.rowid"
    " JOIN folder ON folder.id = folder WHERE photo_text MATCH ?"
)
