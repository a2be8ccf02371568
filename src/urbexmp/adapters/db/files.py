"""Which files were dealt with, what waits for a person, and what is to be tried again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from urbexmp.adapters.db.database import Row
from urbexmp.adapters.db.part import PHOTO, Part
from urbexmp.adapters.db.texts import pack_list, path_of, spelled, unpack_list
from urbexmp.model.ledger import KnownFile, SettledFolder, WaitingWork
from urbexmp.model.photo import FileStat, PhotoId

if TYPE_CHECKING:
    from urbexmp.model.change import Edit
    from urbexmp.model.text import TextChange

T = TypeVar("T")

_BEHIND = "|spared:"
"""Stands between a policy's digest and the reasons why files of a photo are spared."""


class Files(Part):
    """The part of the ledger that remembers files. Nothing in it is synced: it is found again."""

    # what was dealt with

    def known(self, folder: Path) -> Mapping[str, KnownFile]:
        """By file name, for one folder, in one query."""
        rows = self._database.rows(
            "SELECT known.name, files, photo.name, policy, held"
            " FROM known JOIN photo ON photo.id = known.photo"
            " WHERE folder = (SELECT id FROM folder WHERE path = ?)",
            (spelled(folder),),
        )
        with self._database.decoding():
            known = (self._known(folder, row) for row in rows)
            return {file.path.name: file for file in known}

    def known_count(self, root: Path) -> int:
        """How many photos below `root` were dealt with."""
        rows = self._database.rows(
            "SELECT folder.path, count(*) FROM known JOIN folder ON folder.id = known.folder"
            " GROUP BY folder.id"
        )
        return sum(count for column, count in rows if path_of(column).is_relative_to(root))

    def spared(self, root: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
        """Photos below `root` with an image file that is not written into, and why."""
        rows = self._database.rows(
            "SELECT folder.path, known.name, word.text FROM known"
            " JOIN word ON word.id = known.policy JOIN folder ON folder.id = known.folder"
            " WHERE instr(word.text, ?)",
            (_BEHIND,),
        )
        found = [
            (path_of(folder) / path_of(name), tuple(text.partition(_BEHIND)[2].split(",")))
            for folder, name, text in rows
        ]
        yield from sorted(each for each in found if each[0].is_relative_to(root))

    def settle(self, files: Iterable[KnownFile]) -> None:
        """Remember that these were dealt with."""
        with self._database.transaction(durable=False):
            for file in files:
                self._database.do(
                    "INSERT OR REPLACE INTO known"
                    " (folder, name, photo, files, policy, held) VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        self._folder(file.path.parent),
                        spelled(Path(file.path.name)),
                        self._photo(file.photo_id),
                        _files_text(file),
                        self._words.number(_policy_text(file)),
                        file.held,
                    ),
                )
                self._unsettle_folder(file.path.parent)

    def unsettle(self, paths: Iterable[Path]) -> None:
        """Forget that these were dealt with."""
        with self._database.transaction(durable=False):
            for path in paths:
                self._database.do(
                    "DELETE FROM known WHERE folder = (SELECT id FROM folder WHERE path = ?)"
                    " AND name = ?",
                    (spelled(path.parent), spelled(Path(path.name))),
                )
                self._unsettle_folder(path.parent)

    def settled_folder(self, folder: Path) -> SettledFolder | None:
        """What is remembered of a folder as a whole."""
        row = self._database.row(
            "SELECT digest, policy, photos FROM settled_folder"
            " WHERE folder = (SELECT id FROM folder WHERE path = ?)",
            (spelled(folder),),
        )
        if row is None:
            return None
        with self._database.decoding():
            return SettledFolder(folder, row[0], self._words.text(row[1]), row[2])

    def settle_folder(self, settled: SettledFolder) -> None:
        """Remember that all photos of a folder were as they are known."""
        with self._database.transaction(durable=False):
            self._database.do(
                "INSERT OR REPLACE INTO settled_folder (folder, digest, policy, photos)"
                " VALUES (?, ?, ?, ?)",
                (
                    self._folder(settled.folder),
                    settled.digest,
                    self._words.number(settled.policy),
                    settled.photos,
                ),
            )

    # vocabularies

    def vocabulary(self, file: str) -> str | None:
        """The digest of the vocabulary in a file of that digest; None: never read."""
        row = self._database.row("SELECT digest FROM vocabulary WHERE file = ?", (file,))
        return None if row is None else str(row[0])

    def keep_vocabulary(self, file: str, digest: str) -> None:
        """Remember what digest the vocabulary in a file has."""
        with self._database.transaction(durable=False):
            self._database.do(
                "INSERT OR REPLACE INTO vocabulary (file, digest) VALUES (?, ?)", (file, digest)
            )

    # held edits

    def hold(self, photo_id: PhotoId, path: Path, edits: tuple[Edit, ...]) -> None:
        """Replace the held edits of a photo; an empty tuple clears them."""
        self._hold("held", photo_id, path, edits)

    def hold_texts(self, photo_id: PhotoId, path: Path, texts: tuple[TextChange, ...]) -> None:
        """Replace the held texts of a photo; an empty tuple clears them."""
        self._hold("held_text", photo_id, path, texts)

    def _hold(self, table: str, photo_id: PhotoId, path: Path, held: tuple[Any, ...]) -> None:
        kept = self._database.row(
            f"SELECT body FROM {table} WHERE photo = {PHOTO} AND path = ?",
            (photo_id, spelled(path)),
        )
        body = pack_list(held) if held else None
        if (kept[0] if kept is not None else None) == body:
            return
        with self._database.transaction(durable=False):
            if body is None:
                self._database.do(
                    f"DELETE FROM {table} WHERE photo = {PHOTO} AND path = ?",
                    (photo_id, spelled(path)),
                )
            else:
                self._database.do(
                    f"INSERT OR REPLACE INTO {table} (photo, path, body) VALUES (?, ?, ?)",
                    (self._photo(photo_id), spelled(path), body),
                )

    def held(self, under: Path | None = None) -> tuple[tuple[Path, Edit], ...]:
        """Held edits of photos at or below `under`, by photo path."""
        from urbexmp.model.change import Edit

        return self._all_held("held", Edit, under)

    def held_texts(self, under: Path | None = None) -> tuple[tuple[Path, TextChange], ...]:
        """Held texts of photos at or below `under`, by photo path."""
        from urbexmp.model.text import TextChange

        return self._all_held("held_text", TextChange, under)

    def _all_held(
        self, table: str, kind: type[T], under: Path | None
    ) -> tuple[tuple[Path, T], ...]:
        found: list[tuple[Path, T]] = []
        for column, body in self._database.rows(f"SELECT path, body FROM {table}"):
            path = path_of(column)
            if under is None or path.is_relative_to(under):
                with self._database.decoding():
                    found.extend((path, each) for each in unpack_list(kind, body))
        found.sort(key=lambda each: each[0])
        return tuple(found)

    # waiting work

    def wait(self, work: WaitingWork) -> None:
        """Add or replace waiting work."""
        with self._database.transaction(durable=False):
            self._database.do(
                "INSERT OR REPLACE INTO waiting (path, priority, attempts, next_try, last_error)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    spelled(work.path),
                    work.priority,
                    work.attempts,
                    work.next_try,
                    # An error can name a file whose name is no text.
                    work.last_error.encode("utf-8", "backslashreplace").decode("utf-8"),
                ),
            )

    def waiting(
        self, now: str, limit: int = 100, *, newest: bool = False, least: int = 0
    ) -> tuple[WaitingWork, ...]:
        """Due at `now`, most urgent first, then the one that waits longest, or shortest."""
        order = "DESC" if newest else "ASC"
        rows = self._database.rows(
            "SELECT path, priority, attempts, next_try, last_error FROM waiting"
            " WHERE next_try <= ? AND priority >= ?"
            f" ORDER BY priority, next_try {order}, path LIMIT ?",
            (now, least, limit),
        )
        return tuple(WaitingWork(path_of(row[0]), *row[1:]) for row in rows)

    def waiting_on(self, path: Path) -> WaitingWork | None:
        """The waiting work of one photo."""
        row = self._database.row(
            "SELECT priority, attempts, next_try, last_error FROM waiting WHERE path = ?",
            (spelled(path),),
        )
        return WaitingWork(path, *row) if row is not None else None

    def done_waiting(self, path: Path) -> None:
        """Take a photo off the waiting work."""
        if self.waiting_on(path) is not None:
            with self._database.transaction(durable=False):
                self._database.do("DELETE FROM waiting WHERE path = ?", (spelled(path),))

    def _unsettle_folder(self, folder: Path) -> None:
        self._database.do(
            "DELETE FROM settled_folder WHERE folder = (SELECT id FROM folder WHERE path = ?)",
            (spelled(folder),),
        )

    def _folder(self, folder: Path) -> int:
        column = spelled(folder)
        found = self._database.row("SELECT id FROM folder WHERE path = ?", (column,))
        if found is not None:
            return int(found[0])
        return self._database.do("INSERT INTO folder (path) VALUES (?)", (column,))

    def _known(self, folder: Path, row: Row) -> KnownFile:
        # Once for every photo of a run over an archive where nothing changed: no detours.
        name, files, photo, policy, held = row
        stat, *carriers = json.loads(files)
        dealt, _, spared = self._words.text(policy).partition(_BEHIND)
        return KnownFile(
            folder / (name if isinstance(name, str) else path_of(name)),
            FileStat(*stat),
            PhotoId(photo),
            tuple(
                [
                    (folder / path, FileStat(*numbers) if numbers else None)
                    for path, *numbers in carriers
                ]
            ),
            dealt,
            bool(held),
            tuple(spared.split(",")) if spared else (),
        )


def _policy_text(file: KnownFile) -> str:
    """The policy, and behind it why files were spared: the same few words for many photos."""
    return file.policy + (_BEHIND + ",".join(file.spared) if file.spared else "")


def _files_text(file: KnownFile) -> str:
    """The photo's stat, then each carrier: its name where it lies beside the photo, else its
    path, and its stat."""
    folder = file.path.parent
    carriers = [
        [path.name if path.parent == folder else path.as_posix(), *_stat_plain(stat)]
        for path, stat in file.carriers
    ]
    return json.dumps([_stat_plain(file.stat), *carriers], separators=(",", ":"))


def _stat_plain(stat: FileStat | None) -> list[Any]:
    # As JSON, because an inode may not fit the 63 bits of a column.
    return [stat.size, stat.mtime_ns, stat.inode] if stat is not None else []
