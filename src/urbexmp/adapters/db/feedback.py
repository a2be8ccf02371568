"""What people did with our keywords: the last judgement of each keyword of each picture."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.adapters.db.observations import Observations
from urbexmp.adapters.db.part import PHOTO
from urbexmp.adapters.db.texts import spelled, unpack_list
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import PhotoId

if TYPE_CHECKING:
    from urbexmp.model.change import Edit
    from urbexmp.model.feedback import Judgement, Tally

_HERE = (
    " AND {photo} IN (SELECT known.photo FROM known JOIN folder ON folder.id = known.folder"
    " WHERE folder.path = ? OR (folder.path > ? AND folder.path < ?)"
    " OR (folder.path = ? AND known.name = ?))"
)
"""SQL for photos at or below a path. `/` and `0` are neighbours, so `a/` to `a0` is all in `a`."""


class Feedback(Observations):
    """The part of the ledger that remembers judgements.

    They are kept by picture, not by path: a photo that moves keeps them, a copy shares them.
    Nothing here is synced: a judgement lost to a power cut is counted as one of an unknown stage,
    because the veto itself is in the merge base.
    """

    def judge(self, photo_id: PhotoId, judgements: Iterable[Judgement]) -> None:
        """Remember what a person did with keywords of this photo."""
        from urbexmp.model.feedback import Judged

        with self._database.transaction(durable=False):
            photo = self._photo(photo_id)
            for each in judgements:
                keyword = self._words.number(str(each.keyword))
                if each.kind is Judged.WITHDRAWN:
                    self._database.do(
                        "DELETE FROM judgement WHERE photo = ? AND keyword = ?", (photo, keyword)
                    )
                    continue
                self._database.do(
                    "INSERT INTO judgement (photo, keyword, kind, stage, profile, missed_by)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (photo, keyword) DO UPDATE SET"
                    " kind = excluded.kind, missed_by = excluded.missed_by,"
                    # A packet that lost our block no longer says whose the keyword was.
                    " stage = coalesce(excluded.stage, stage),"
                    " profile = coalesce(nullif(excluded.profile, ''), profile)",
                    (
                        photo,
                        keyword,
                        each.kind.value,
                        self._stage(each.stage) if each.stage else None,
                        each.profile,
                        json.dumps([self._stage(stage) for stage in each.missed_by]),
                    ),
                )

    def held_at(self, photo_id: PhotoId, path: Path) -> tuple[Edit, ...]:
        """Held edits of one photo."""
        from urbexmp.model.change import Edit

        row = self._database.row(
            f"SELECT body FROM held WHERE photo = {PHOTO} AND path = ?", (photo_id, spelled(path))
        )
        if row is None:
            return ()
        with self._database.decoding():
            return unpack_list(Edit, row[0])

    def tallies(self, under: Path | None = None) -> Iterator[Tally]:
        """Judgements of photos at or below `under` (absolute), counted; then the vetoes of which
        nobody knows any more whose keyword they were: removed, by no known stage."""
        from urbexmp.model.feedback import Judged, Judgement, Tally

        stages: dict[int, str] = dict(self._database.rows("SELECT id, full FROM stage"))
        where, values = _below(under, "judgement.photo")
        rows = self._database.rows(
            "SELECT kind, keyword, stage, profile, missed_by, count(*) FROM judgement"
            f" WHERE 1{where} GROUP BY 1, 2, 3, 4, 5",
            values,
        )
        for kind, keyword, stage, profile, missed_by, photos in rows:
            with self._database.decoding():
                judgement = Judgement(
                    Judged(kind),
                    Keyword.parse(self._words.text(keyword)),
                    stages[stage] if stage is not None else "",
                    profile,
                    tuple(stages[number] for number in json.loads(missed_by)),
                )
            yield Tally(judgement, photos)
        for keyword, photos in sorted(self._unjudged(under).items()):
            with self._database.decoding():
                found = Keyword.parse(self._words.text(keyword))
            yield Tally(Judgement(Judged.REMOVED, found), photos)

    def _unjudged(self, under: Path | None) -> Counter[int]:
        """Vetoes in merge bases without a judgement, by the keyword's number."""
        where, values = _below(under, "base.photo")
        rows = self._database.rows(
            # Few bases hold a veto; the others need not be read.
            f"SELECT photo, body FROM base WHERE instr(body, '\"vetoed\"'){where}",
            values,
        )
        if not rows:
            return Counter()
        where, values = _below(under, "judgement.photo")
        judged = self._database.rows(f"SELECT photo, keyword FROM judgement WHERE 1{where}", values)
        with self._database.decoding():
            vetoed = {
                (photo, keyword) for photo, body in rows for keyword in json.loads(body)["vetoed"]
            }
            spellings = {keyword: self._folded(keyword) for _, keyword in vetoed}
            known = {(photo, self._folded(keyword)) for photo, keyword in judged}
        return Counter(
            keyword for photo, keyword in vetoed if (photo, spellings[keyword]) not in known
        )

    def _folded(self, number: int) -> tuple[str, ...]:
        return Keyword.parse(self._words.text(number)).key


def _below(under: Path | None, photo: str) -> tuple[str, tuple[object, ...]]:
    if under is None:
        return "", ()
    path = under.as_posix()
    stem = path.rstrip("/")
    parent, name = under.parent.as_posix(), under.name
    return _HERE.format(photo=photo), (path, f"{stem}/", f"{stem}0", parent, name)
