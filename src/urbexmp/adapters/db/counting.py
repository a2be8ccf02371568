"""Counts over the mirror, by plain SQL that only reads."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from urbexmp.adapters.db.mirror_schema import TAKEN, VERSION, fault, word_of
from urbexmp.adapters.db.opening import reading
from urbexmp.model.errors import MirrorDamaged, Problem, UsageProblem
from urbexmp.model.keyword import Keyword
from urbexmp.model.stats import CONDITION_BANDS, QUALITY_BANDS, LibraryCounts, Named, Standing

_MONTHS = 1200
"""More months than photography has: no list of them is cut."""

_MAKE, _CAMERA = f"coalesce({word_of('make')}, '')", f"coalesce({word_of('camera')}, '')"
_DAY = (
    "CASE typeof(taken_at) WHEN 'integer'"
    " THEN taken_at - (taken_at % 86400 + 86400) % 86400 ELSE taken_at END"
)
_FIELDS = {
    "view": (f"nullif({word_of('view')}, '')", "view"),
    "kind": (word_of("kind"), "kind"),
    "status": (word_of("status"), "status"),
    "month": (
        f"nullif(substr({TAKEN}, 1, 7), '')",
        _DAY + " AS taken_at",
    ),
    "camera": (
        f"nullif(trim({_MAKE} || char(10) || {_CAMERA}, ' ' || char(10)), '')",
        "make, camera",
    ),
    "quality": ("CAST(max(0, min(9, photo.quality / 10)) AS INTEGER)", "quality"),
    "condition": ("CAST(max(0, min(4, photo.condition / 20)) AS INTEGER)", "condition"),
}
"""What is counted, and the columns of table `photo` that it follows from: a million photos have
few different ones, so words are looked up once for each."""


class Counting:
    """Reads a mirror. A writer never waits for it."""

    def __init__(self, path: Path) -> None:
        """Open the mirror. Raises `UsageProblem` when there is none of this version, and
        `MirrorDamaged`; so may every method."""
        self.path = path
        if not path.exists():
            raise _unusable(path, "is not there yet")
        with self._guarded():
            self._connection = reading(path)
        try:
            with self._guarded():
                why = fault(self._connection)
                if why or self._value("PRAGMA user_version") != VERSION:
                    raise _unusable(path, why or "is empty")
        except Problem:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        self._connection.close()

    def __enter__(self) -> Counting:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def counts(self, under: PurePath | None = None, top: int = 20) -> LibraryCounts:
        """Counts of all photos, or of those at or below `under` (relative to the root).

        `top` is the most that is told of keywords, branches, vetoes and cameras. One moment of
        the library, although a writer may be at work.
        """
        with self._guarded():
            self._connection.execute("BEGIN")
            try:
                return self._counts(under, top)
            finally:
                self._connection.execute("ROLLBACK")

    def standing(
        self, under: PurePath | None = None, *, by_keyword: bool = False
    ) -> tuple[Standing, ...]:
        """Keywords of ours that stand as we wrote them, by stage."""
        where, values = _below(under)
        join = " JOIN photo ON photo.id = link.photo" if where else ""
        column = "link.keyword" if by_keyword else "0"
        with self._guarded():
            rows = self._rows(
                "SELECT origin.stage, origin.model, keyword.path, sum(found.photos) FROM ("
                f" SELECT link.origin AS origin, {column} AS keyword, count(*) AS photos"
                f" FROM photo_link AS link{join} WHERE 1{where} GROUP BY 1, 2) AS found"
                " JOIN origin ON origin.id = found.origin"
                " LEFT JOIN keyword ON keyword.id = found.keyword"
                " WHERE origin.source = 'ai' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
                values,
            )
        return tuple(
            Standing(stage_id(stage, model), Keyword.parse(path) if path else None, photos)
            for stage, model, path, photos in rows
        )

    def _counts(self, under: PurePath | None, top: int) -> LibraryCounts:
        where, values = _below(under)
        photos, untagged, links, vetoes, vetoed = self._row(
            "SELECT count(*), count(*) FILTER (WHERE keywords = 0), coalesce(sum(keywords), 0),"
            f" coalesce(sum(vetoes), 0), count(*) FILTER (WHERE vetoes > 0) FROM photo"
            f" WHERE 1{where}",
            values,
        )
        by = {name: self._by_photo(name, where, values) for name in _FIELDS}
        by["camera"] = by["camera"][:top]
        keyword, branch, different = self._keywords(where, values, top)
        by |= self._by_origin(where, values)
        veto = self._named(
            "SELECT keyword.path, count(*) FROM veto JOIN photo ON photo.id = veto.photo"
            f" JOIN keyword ON keyword.id = veto.keyword WHERE 1{where} GROUP BY keyword.id"
            " ORDER BY 2 DESC, keyword.folded LIMIT ?",
            (*values, top),
        )
        return LibraryCounts(
            photos, untagged, links, different, vetoes, vetoed, keyword, branch, veto, by
        )

    def _by_photo(self, name: str, where: str, values: tuple[Any, ...]) -> Named:
        shown, columns = _FIELDS[name]
        rows = self._rows(
            f"SELECT {shown}, sum(photos) FROM (SELECT {columns}, count(*) AS photos"
            f" FROM photo WHERE 1{where} GROUP BY {columns.partition(' AS ')[0]}) AS photo"
            " GROUP BY 1",
            values,
        )
        if name in ("quality", "condition"):
            bands = QUALITY_BANDS if name == "quality" else CONDITION_BANDS
            counts = dict(rows)
            if set(counts) <= {None}:
                return tuple((None, photos) for _, photos in rows)
            known = tuple((band, counts.get(n, 0)) for n, band in enumerate(bands))
            return (*known, *((None, counts[None]) for _ in range(None in counts)))
        if name == "month":
            ordered = sorted(rows, key=lambda row: (row[0] is None, row[0] or ""))
            return tuple(ordered[:_MONTHS])
        if name == "camera":
            rows = list(_cameras(rows).items())
        return _most_first(rows)

    def _keywords(self, where: str, values: tuple[Any, ...], top: int) -> tuple[Named, Named, int]:
        """The most frequent keywords and branches, and how many different keywords there are."""
        branches = (
            "WITH RECURSIVE tree (keyword, branch) AS ("
            " SELECT id, id FROM keyword WHERE parent IS NULL UNION ALL"
            " SELECT keyword.id, CASE WHEN above.parent IS NULL THEN keyword.id"
            " ELSE tree.branch END FROM keyword JOIN tree ON keyword.parent = tree.keyword"
            " JOIN keyword AS above ON above.id = keyword.parent) "
        )
        if not where:
            # The mirror keeps these counts.
            keyword = self._named(
                "SELECT path, photos FROM keyword WHERE photos > 0"
                " ORDER BY photos DESC, folded LIMIT ?",
                (top,),
            )
            branch = self._named(
                "SELECT keyword.path, CASE WHEN keyword.parent IS NULL THEN keyword.photos"
                " ELSE keyword.below END AS found FROM keyword"
                " LEFT JOIN keyword AS above ON above.id = keyword.parent"
                " WHERE above.parent IS NULL AND found > 0"
                " ORDER BY found DESC, keyword.folded LIMIT ?",
                (top,),
            )
            different = self._value("SELECT count(*) FROM keyword WHERE photos > 0")
            return keyword, branch, different
        keyword = self._named(
            "SELECT keyword.path, count(*) FROM photo_link AS link"
            " JOIN photo ON photo.id = link.photo"
            f" JOIN keyword ON keyword.id = link.keyword WHERE 1{where} GROUP BY keyword.id"
            " ORDER BY 2 DESC, keyword.folded LIMIT ?",
            (*values, top),
        )
        branch = self._named(
            f"{branches}SELECT keyword.path, count(DISTINCT link.photo) FROM photo"
            " JOIN photo_link AS link ON link.photo = photo.id"
            " JOIN tree ON tree.keyword = link.keyword"
            f" JOIN keyword ON keyword.id = tree.branch WHERE 1{where} GROUP BY keyword.id"
            " ORDER BY 2 DESC, keyword.folded LIMIT ?",
            (*values, top),
        )
        different = self._value(
            "SELECT count(DISTINCT link.keyword) FROM photo"
            " JOIN photo_link AS link ON link.photo = photo.id"
            f" WHERE 1{where}",
            values,
        )
        return keyword, branch, different

    def _by_origin(self, where: str, values: tuple[Any, ...]) -> dict[str, Named]:
        join = " JOIN photo ON photo.id = link.photo" if where else ""
        rows = self._rows(
            "SELECT origin.source, origin.stage, origin.model, found.links FROM ("
            f" SELECT link.origin AS origin, count(*) AS links FROM photo_link AS link{join}"
            f" WHERE 1{where} GROUP BY 1) AS found JOIN origin ON origin.id = found.origin",
            values,
        )
        stages: Counter[str | None] = Counter()
        sources: Counter[str | None] = Counter()
        for source, stage, model, links in rows:
            sources[source] += links
            if source != "person":
                stages[stage_id(stage, model) or None] += links
        return {"stage": _most_first(stages.items()), "source": _most_first(sources.items())}

    def _named(self, sql: str, values: tuple[Any, ...]) -> Named:
        return tuple((name, count) for name, count in self._rows(sql, values))

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def _row(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        return self._connection.execute(sql, values).fetchone()

    def _value(self, sql: str, values: tuple[Any, ...] = ()) -> int:
        return int(self._row(sql, values)[0])

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as failure:
            raise MirrorDamaged(self.path, detail=str(failure)) from failure


def stage_id(stage: str, model: str) -> str:
    """Name and version of a stage as its id has them: `camera@1f2e3d4c`."""
    return f"{stage}@{model}" if model else stage


def _unusable(path: Path, why: str) -> UsageProblem:
    return UsageProblem(
        path, f"the mirror {why}", "`urbexmp mirror rebuild` makes it from the files"
    )


def _below(under: PurePath | None) -> tuple[str, tuple[str, ...]]:
    """SQL for photos at or below a path. `/` and `0` are neighbours: `a/` to `a0` is all in `a`."""
    if under is None or under == PurePath():
        return "", ()
    path = under.as_posix()
    parent = under.parent.as_posix()
    where = (
        " AND (photo.folder IN (SELECT id FROM folder WHERE path = ? OR (path > ? AND path < ?))"
        " OR (photo.folder IN (SELECT id FROM folder WHERE path = ?) AND photo.name = ?))"
    )
    return where, (path, f"{path}/", f"{path}0", "" if parent == "." else parent, under.name)


def _cameras(rows: Iterable[tuple[str | None, int]]) -> Counter[str | None]:
    """Cameras by one name: most makers put theirs before the model's, some do not."""
    counts: Counter[str | None] = Counter()
    for both, photos in rows:
        make, _, model = (both or "").partition("\n")
        make, model = make.strip(), model.strip()
        first = make.split(" ")[0].casefold()
        name = model if model and model.casefold().startswith(first) else f"{make} {model}".strip()
        counts[name or None] += photos
    return counts


def _most_first(rows: Iterable[tuple[str | None, int]]) -> Named:
    """Most frequent first, then by name, what is not known last."""
    return tuple(sorted(rows, key=lambda row: (row[0] is None, -row[1], row[0] or "")))
