"""The mirror: one SQLite file beside the ledger, rebuildable at any time (`ports` of
`model.mirror`). Its tables are in `mirror_schema`, and for people in `docs/mirror.md`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import gmtime, strftime
from typing import Any

from urbexmp.adapters.db.link_codes import Link
from urbexmp.adapters.db.mirror_faults import faults
from urbexmp.adapters.db.mirror_file import MirrorFile, backup, discard
from urbexmp.adapters.db.mirror_postings import Least
from urbexmp.adapters.db.mirror_schema import LEAF_LEAST, POSTING_LEAST
from urbexmp.adapters.db.mirror_values import (
    COLUMNS,
    NAMES,
    as_hex,
    share,
    shown_moment,
    shown_time,
    spelled_folder,
    spelled_name,
)
from urbexmp.adapters.db.mirror_writer import Writer
from urbexmp.adapters.db.plane_codes import STATUSES
from urbexmp.adapters.db.texts import path_of
from urbexmp.model.keyword import Keyword
from urbexmp.model.mirror import MirrorHeld, MirrorKeyword, MirrorRow
from urbexmp.model.observation import CaptureFacts, Context
from urbexmp.model.photo import FileKind, FileStat

_COLLECT = 10_000
"""New objects after which Python looks for garbage, while a mirror is built."""


class SqliteMirror:
    """Implements `model.mirror.Mirror`. One writer a library (the library's lock sees to it)."""

    def __init__(
        self,
        path: Path,
        *,
        posting_least: int = POSTING_LEAST,
        leaf_least: int = LEAF_LEAST,
        scratch: bool = False,
        readonly: bool = False,
    ) -> None:
        """Open or make the file. Raises `StateUnwritable`; never refuses a damaged mirror.

        `readonly` neither makes nor changes it: raises `UsageProblem` where there is none,
        `MirrorDamaged` where it is of no use. Waits for nobody, and nobody waits for it.
        """
        self.path = path
        self._least = Least(posting_least, leaf_least)
        if not scratch and not readonly:
            with suppress(OSError):
                discard(self._half())
        self._file = MirrorFile(path, scratch=scratch, readonly=readonly)
        self._writer = Writer(self._file, self._least, postings_later=scratch)

    def __enter__(self) -> SqliteMirror:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        self._file.close()

    def _half(self) -> Path:
        return self.path.with_name(f"{self.path.name}.half")

    @property
    def whole(self) -> bool:
        """Whether every photo of the library once had its row."""
        return bool(self._meta("whole"))

    @property
    def remade(self) -> str | None:
        """Why an older mirror was thrown away on opening."""
        return self._file.remade

    def put(self, rows: Iterable[MirrorRow]) -> int:
        """Make the rows stand as given, in one transaction; return how many differed."""
        with self._file.transaction(durable=True):
            changed = self._writer.put(rows)
            self._advance(changed)
        return changed

    def remove(self, paths: Iterable[Path]) -> int:
        """Take out photos that are gone; return how many there were."""
        with self._file.transaction(durable=True):
            removed = self._writer.remove(paths)
            self._advance(removed)
        return removed

    def status(self, paths: Iterable[Path], status: str) -> None:
        """Set the status of photos that have a row."""
        with self._file.transaction(durable=False):
            changed = 0
            for path in paths:
                changed += self._file.do(
                    "UPDATE photo SET status = ?1 WHERE name = ?2 AND status <> ?1 AND"
                    " folder = (SELECT id FROM folder WHERE path = ?3)",
                    (STATUSES[status], spelled_name(path), spelled_folder(path.parent)),
                )
            self._advance(changed)

    def reset(self, status: str, to: str) -> None:
        """Set one status for another everywhere."""
        with self._file.transaction(durable=False):
            changed = self._file.do(
                "UPDATE photo SET status = ? WHERE status = ? AND status <> 0",
                (STATUSES[to], STATUSES[status]),
            )
            self._advance(changed)

    def versions(self, folder: Path) -> Mapping[str, str]:
        """Versions of the rows of one folder, by file name."""
        rows = self._file.rows(
            "SELECT name, version FROM photo WHERE folder = (SELECT id FROM folder WHERE path = ?)",
            (spelled_folder(folder),),
        )
        return {path_of(name).name: as_hex(version) for name, version in rows}

    def folders(self) -> tuple[Path, ...]:
        """Folders that have rows."""
        return tuple(path_of(row[0]) for row in self._file.rows("SELECT path FROM folder"))

    def count(self, under: Path | None = None) -> int:
        """How many photos have a row: all, or those in a folder and below it."""
        if under is None or under == Path():
            return self._file.number("SELECT count(*) FROM photo")
        numbers = [
            number
            for number, column in self._file.rows("SELECT id, path FROM folder")
            if path_of(column).is_relative_to(under)
        ]
        return sum(
            self._file.number("SELECT count(*) FROM photo WHERE folder = ?", (number,))
            for number in numbers
        )

    def rows(self, folder: Path) -> Iterator[MirrorRow]:
        """The rows of one folder, by name."""
        found = self._file.rows(
            f"SELECT id, {COLUMNS} FROM photo WHERE folder ="
            " (SELECT id FROM folder WHERE path = ?) ORDER BY name",
            (spelled_folder(folder),),
        )
        words: dict[Any, str] = {
            (field, code): word
            for field, code, word in self._file.rows("SELECT field, code, word FROM word")
        }
        origins = {
            number: said
            for number, *said in self._file.rows(
                "SELECT id, source, stage, model, profile FROM origin"
            )
        }
        for values in found:
            yield self._row(folder, values, words, origins)

    def _row(
        self,
        folder: Path,
        values: tuple[Any, ...],
        words: Mapping[Any, str],
        origins: Mapping[int, list[str]],
    ) -> MirrorRow:
        number = values[0]
        said = dict(zip(NAMES, values[1:], strict=True))
        links, vetoes = self._writer.stored(values)
        held = self._file.rows(
            "SELECT keyword_path, confidence, reason FROM held WHERE photo = ?", (number,)
        )

        def word(field: str) -> str | None:
            return words.get((field, said[field]))

        def keyword(number: int, link: Link) -> MirrorKeyword:
            origin, score, at, spelling = link
            source, stage, model, profile = origins[origin]
            named = Keyword(self._writer.spelled((number, spelling)))
            return MirrorKeyword(named, source, score, stage, model, profile, shown_moment(at))

        return MirrorRow(
            folder / path_of(said["name"]),
            as_hex(said["photo_id"]),
            FileKind(word("kind")),
            FileStat(said["size"], said["mtime_ns"], 0),
            CaptureFacts(
                make=word("make"),
                model=word("camera"),
                lens=word("lens"),
                taken_at=shown_time(said["taken_at"]),
                width=said["width"],
                height=said["height"],
                latitude=said["latitude"],
                longitude=said["longitude"],
            ),
            self._context(said["location"]),
            word("view"),
            share(said["view_score"]),
            said["quality"],
            said["condition"],
            word("era"),
            words["status", said["status"]],
            said["description"],
            said["text"],
            tuple(keyword(*each) for each in links.items()),
            tuple(Keyword(self._writer.spelled(where)) for where in vetoes.items()),
            tuple(MirrorHeld(Keyword.parse(path), *rest) for path, *rest in held),
            as_hex(said["version"]),
            said["alt_text"],
        )

    def _context(self, location: int | None) -> Context | None:
        if location is None:
            return None
        row = self._file.row(
            "SELECT name, type, era, city, county, state, country FROM location WHERE id = ?",
            (location,),
        )
        if row is None:
            return None
        name, kind, era, city, county, state, country = (part or None for part in row)
        return Context(name, kind, era, city, county, state, country)

    def complete(self) -> None:
        """Remember that every photo of the library has its row."""
        if not self.whole:
            with self._file.transaction(durable=True):
                self._set("whole", 1)

    def generation(self) -> int:
        """Raised with every commit that changed something."""
        return int(self._meta("generation") or 0)

    def describe(self, root: Path) -> None:
        """Keep whose mirror this is, for people who find the file."""
        if self._meta("root") != str(root):
            with self._file.transaction(durable=False):
                self._set("root", root.as_posix().encode("utf-8", "replace").decode())

    @contextmanager
    def anew(self) -> Iterator[SqliteMirror]:
        """A second, empty mirror, which takes this one's place when the block ends well.

        Until then, and after any exception, this one stays as it is. Readers see the old
        content until the new one is whole.
        """
        new = SqliteMirror(
            self._half(),
            posting_least=self._least.subtree,
            leaf_least=self._least.leaf,
            scratch=True,
        )
        # A build makes very many objects that stay, and every search for garbage goes over them:
        # with many keywords a third of the whole time.
        collected = gc.get_threshold()
        gc.set_threshold(max(collected[0], _COLLECT) if collected[0] else 0, *collected[1:])
        try:
            # Made last: sorted once, an index costs a third.
            indexes = new._file.rows(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
            )
            for name, _ in indexes:
                new._file.do(f"DROP INDEX {name}")
            yield new
            with new._file.transaction(durable=False):
                new._writer.write_tree()
                for _, made in indexes:
                    new._file.do(made)
                new._writer.remake_postings()
                new._set("whole", 1)
                new._set("generation", self.generation() + 1)
                new._set("root", self._meta("root"))
                new._set("built_at", strftime("%Y-%m-%dT%H:%M:%SZ", gmtime()))
            new._file.do("INSERT INTO photo_text (photo_text) VALUES ('optimize')")
            self._file.take_over(new._file)
        finally:
            gc.set_threshold(*collected)
            new.close()
            with suppress(OSError):
                discard(new.path)

    def faults(self) -> tuple[str, ...]:
        """What is wrong inside the file, whatever the photos hold: damage, counts, postings."""
        return faults(self._file, self._least)

    def backup(self, target: Path) -> int:
        """Make a consistent, checked copy at `target`; return its size in bytes."""
        return backup(self.path, target)

    def _meta(self, key: str) -> Any:
        row = self._file.row("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row is not None else None

    def _set(self, key: str, value: object) -> None:
        self._file.do("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def _advance(self, changed: int) -> None:
        if changed:
            self._set("generation", self.generation() + 1)
