"""What a ledger says of its library as a whole: where it is, and what would be lost with it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from urbexmp.adapters.db.ledger import SqliteLedger
from urbexmp.adapters.db.mirror_schema import fault
from urbexmp.adapters.db.opening import reading
from urbexmp.adapters.db.texts import path_of
from urbexmp.model.keyword import Keyword
from urbexmp.model.library import Losses
from urbexmp.model.report import RunRecord

_PLACES = (
    "SELECT path FROM folder LIMIT 1",
    "SELECT path FROM base LIMIT 1",
    "SELECT path FROM receipt LIMIT 1",
    "SELECT path FROM waiting LIMIT 1",
)
_EVERY_RUN = 1 << 40


class Inventory(SqliteLedger):
    """A ledger, to read only. Opening raises `LedgerDamaged`, `LedgerNewer`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, readonly=True)

    def places(self) -> Iterator[Path]:
        """Some folders and photos of the library, absolute."""
        for sql in _PLACES:
            for row in self._database.rows(sql):
                yield path_of(row[0])

    def photos(self) -> int:
        """How many photos were dealt with."""
        row = self._database.row("SELECT count(*) FROM known")
        return int(row[0]) if row is not None else 0

    def last_run(self) -> RunRecord | None:
        """The newest run."""
        return next(iter(self.runs(1)), None)

    def losses(self, root: Path, mirror: Path) -> Losses:
        """What stands in this ledger alone. `mirror` says which vetoes the packets hold."""
        told = _told(mirror)
        vetoes = sum(
            (path.relative_to(root), keyword) not in told
            for path, keyword in self._vetoes()
            if path.is_relative_to(root)
        )
        runs = sum(run.changed > 0 and not run.undone for run in self.runs(_EVERY_RUN))
        return Losses(runs, vetoes, len(self.held()), len(self.intents()))

    def _vetoes(self) -> Iterator[tuple[Path, Keyword]]:
        rows = self._database.rows(
            "SELECT path, body FROM base WHERE instr(body, '\"vetoed\"')",
        )
        for column, body in rows:
            with self._database.decoding():
                vetoed = [Keyword.parse(self._words.text(n)) for n in json.loads(body)["vetoed"]]
            for keyword in vetoed:
                yield path_of(column), keyword


def root_in(mirror: Path) -> Path | None:
    """The root that a mirror names; None where there is no sound mirror."""
    try:
        with closing(reading(mirror)) as connection:
            if fault(connection) is not None:
                return None
            row = connection.execute("SELECT value FROM meta WHERE key = 'root'").fetchone()
    except sqlite3.Error:
        return None
    return Path(row[0]) if row is not None and isinstance(row[0], str) else None


def _told(mirror: Path) -> frozenset[tuple[Path, Keyword]]:
    """Vetoes that packets hold, as the mirror of them says; none where there is no sound one."""
    try:
        with closing(reading(mirror)) as connection:
            if fault(connection) is not None:
                return frozenset()
            rows = connection.execute(
                "SELECT folder.path, photo.name, keyword.path FROM veto"
                " JOIN photo ON photo.id = veto.photo JOIN folder ON folder.id = photo.folder"
                " JOIN keyword ON keyword.id = veto.keyword"
            ).fetchall()
    except sqlite3.Error:
        return frozenset()
    return frozenset(
        (path_of(folder) / path_of(name), Keyword.parse(path)) for folder, name, path in rows
    )
