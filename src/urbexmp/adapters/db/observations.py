"""What the stages said, by photo and stage, so that no photo is looked at twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.adapters.db.part import PHOTO, Part
from urbexmp.adapters.db.texts import pack_list, path_of, unpack_list
from urbexmp.model.photo import PhotoId

if TYPE_CHECKING:
    from urbexmp.model.observation import StageLook

VECTOR = "embedding"
"""Value of the kind of observations that are kept apart."""

PAGE = 500
"""Looks that `looks` holds at once."""


class Observations(Part):
    """The part of the ledger that keeps looks."""

    def look(self, photo_id: PhotoId, stage: str, inputs: str | None) -> StageLook | None:
        """What a stage said; `inputs` is the digest of what else it used, or ""; None: whatever
        it used, the newest."""
        which = " ORDER BY id DESC LIMIT 1" if inputs is None else " AND inputs = ?"
        row = self._database.row(
            f"SELECT seconds, body FROM look WHERE photo = {PHOTO}"
            f" AND stage = (SELECT id FROM stage WHERE full = ?){which}",
            (photo_id, stage) if inputs is None else (photo_id, stage, inputs),
        )
        if row is None:
            return None
        from urbexmp.model.observation import Observation, StageLook

        with self._database.decoding():
            return StageLook(stage, unpack_list(Observation, row[1]), row[0])

    def remember(self, photo_id: PhotoId, inputs: str, look: StageLook) -> None:
        """Keep a look, its vectors apart. Not synced: after a power cut the stage looks again."""
        vectors: dict[str, bytes] = {}
        if any(one.kind.value == VECTOR for one in look.observations):
            from urbexmp.rules.vectors import without_vectors

            look, vectors = without_vectors(look)
        with self._database.transaction(durable=False):
            # Replacing gives a new, higher id: the newest look has the highest.
            self._database.do(
                "INSERT OR REPLACE INTO look (photo, stage, inputs, seconds, body)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    self._photo(photo_id),
                    self._stage(look.stage),
                    inputs,
                    look.seconds,
                    pack_list(look.observations),
                ),
            )
            for model, vector in vectors.items():
                self.keep_vector(photo_id, model, vector)

    def keep_vector(self, photo_id: PhotoId, model: str, vector: bytes) -> None:
        """Keep the vector that a model gives a picture. Not synced, as a look."""
        with self._database.transaction(durable=False):
            self._database.do(
                "INSERT OR REPLACE INTO vector (photo, model, body) VALUES (?, ?, ?)",
                (self._photo(photo_id), self._words.number(model), vector),
            )

    def vector(self, photo_id: PhotoId, model: str) -> bytes | None:
        """The vector that was kept last; None: there is none."""
        row = self._database.row(
            f"SELECT body FROM vector WHERE photo = {PHOTO}"
            " AND model = (SELECT id FROM word WHERE text = ?)",
            (photo_id, model),
        )
        return None if row is None else bytes(row[0])

    def stage_ids(self) -> Mapping[str, int]:
        """Every stage that ever looked, by its id, with the number of looks kept of it."""
        return dict(
            self._database.rows(
                "SELECT stage.full, count(*) FROM look JOIN stage ON stage.id = look.stage"
                " GROUP BY stage.id ORDER BY max(look.id)"
            )
        )

    def looks_by(self, stage: str) -> Iterator[tuple[Path, StageLook]]:
        """The newest look of one stage, by its id, at every photo that is in the library."""
        from urbexmp.model.observation import Observation, StageLook

        # With max() SQLite takes the other columns from the row that has it.
        rows = self._database.rows(
            "SELECT folder.path, known.name, look.seconds, look.body, max(look.id)"
            " FROM known JOIN folder ON folder.id = known.folder"
            " JOIN look ON look.photo = known.photo"
            " WHERE look.stage = (SELECT id FROM stage WHERE full = ?)"
            " GROUP BY known.folder, known.name ORDER BY folder.path, known.name",
            (stage,),
        )
        for folder, name, seconds, body, _ in rows:
            with self._database.decoding():
                look = StageLook(stage, unpack_list(Observation, body), seconds)
            yield path_of(folder) / path_of(name), look

    def looks(self) -> Iterator[tuple[PhotoId, StageLook]]:
        """All looks of photos that are in the library, the newest per photo and stage name.

        A stage whose prompts or weights changed is the same stage: its older look is not given.
        """
        from urbexmp.model.observation import Observation, StageLook

        last = 0
        while True:
            rows = self._database.rows(
                "SELECT look.id, photo.name, stage.full, look.seconds, look.body"
                " FROM look JOIN stage ON stage.id = look.stage JOIN photo ON photo.id = look.photo"
                " WHERE look.id > ?"
                " AND EXISTS (SELECT 1 FROM known WHERE known.photo = look.photo)"
                " AND NOT EXISTS (SELECT 1 FROM look AS newer JOIN stage AS its"
                "   ON its.id = newer.stage WHERE newer.photo = look.photo"
                "   AND its.name = stage.name AND newer.id > look.id)"
                " ORDER BY look.id LIMIT ?",
                (last, PAGE),
            )
            for last, name, stage, seconds, body in rows:  # noqa: B007  (where the page ended)
                with self._database.decoding():
                    look = StageLook(stage, unpack_list(Observation, body), seconds)
                yield PhotoId(name), look
            if len(rows) < PAGE:
                return

    def _stage(self, full: str) -> int:
        if full not in self._stages:
            found = self._database.row("SELECT id FROM stage WHERE full = ?", (full,))
            self._stages[full] = (
                int(found[0])
                if found is not None
                else self._database.do(
                    "INSERT INTO stage (full, name) VALUES (?, ?)", (full, full.split("@")[0])
                )
            )
        return self._stages[full]
