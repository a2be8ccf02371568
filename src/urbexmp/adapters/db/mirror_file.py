"""The mirror's file: opened, thrown away when it is of no use, written in transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from urbexmp.adapters.db.mirror_schema import fault, make
from urbexmp.adapters.db.opening import REASONS, code_of, reading, write_ahead, writing
from urbexmp.adapters.db.plane_codes import STATUSES
from urbexmp.model.errors import MirrorDamaged, Problem, StateUnwritable, UsageProblem

CACHE_KIB = 16_000
BUILD_CACHE_KIB = 128_000

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})

Row = tuple[Any, ...]


def problem_of(path: Path, failure: sqlite3.Error) -> Problem:
    """What SQLite says, as a `Problem`."""
    code = code_of(failure)
    if code in _DAMAGED:
        return MirrorDamaged(path, detail=str(failure))
    return StateUnwritable(path, detail=REASONS.get(code, str(failure)))


class MirrorFile:
    """One connection that writes; one thread at a time may use it."""

    def __init__(self, path: Path, *, scratch: bool = False, readonly: bool = False) -> None:
        """Open or make the file. Raises `StateUnwritable`.

        A file that is damaged, or not of this version, is thrown away; `remade` says why.
        `scratch`: a file that nobody reads before it is finished, and that a kill may ruin.
        `readonly`: raises `UsageProblem` or `MirrorDamaged` instead.
        """
        self.path = path
        self.scratch = scratch
        self.remade: str | None = None
        self.on_rollback: list[Callable[[], None]] = []
        self._durable: bool | None = None
        self.open_transaction = False
        if readonly:
            self._connection = _only_read(path)
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if scratch:
                discard(path)
            self._connection = self._opened()
        except OSError as failure:
            raise StateUnwritable(path, detail=failure.strerror or str(failure)) from failure

    def _opened(self) -> sqlite3.Connection:
        new = not self.path.exists()
        try:
            return self._prepared()
        except sqlite3.Error as failure:
            if new or not isinstance(problem_of(self.path, failure), MirrorDamaged):
                raise problem_of(self.path, failure) from failure
            self.remade = f"it is damaged ({failure})"
        except _Unfit as unfit:
            self.remade = str(unfit)
        discard(self.path)
        try:
            return self._prepared()
        except sqlite3.Error as failure:
            raise problem_of(self.path, failure) from failure

    def _prepared(self) -> sqlite3.Connection:
        connection = writing(self.path)
        try:
            _refuse_unfit(connection)
            if self.scratch:
                connection.execute("PRAGMA journal_mode = OFF")
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute(f"PRAGMA cache_size = -{BUILD_CACHE_KIB}")
            else:
                write_ahead(connection, durable=False)
                connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                make(connection)
            # Damage is often not where the header is: these are the roots of what is used most.
            for table in ("meta", "photo", "keyword", "posting", "folder"):
                connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn what SQLite says into a `Problem`."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as failure:
            raise problem_of(self.path, failure) from failure

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""
        with self.guard():
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row of a query."""
        with self.guard():
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def number(self, sql: str, values: Sequence[Any] = ()) -> int:
        """The one number that a query gives; 0 for none."""
        found = self.row(sql, values)
        return int(found[0] or 0) if found is not None else 0

    def fetch(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """A cursor, for what is read row by row inside `guard`."""
        return self._connection.execute(sql, values)

    def do(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement inside a transaction; returns how many rows it changed."""
        with self.guard():
            return self._connection.execute(sql, values).rowcount

    def many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """One statement for each of the values, inside a transaction."""
        with self.guard():
            self._connection.executemany(sql, values)

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[None]:
        """All statements inside or none. `durable` waits for the disk.

        In the write-ahead log readers go on with what was there before until it ends.
        """
        if self.open_transaction:
            yield
            return
        with self.guard():
            if durable is not self._durable and not self.scratch:
                mode = "FULL" if durable else "NORMAL"
                self._connection.execute(f"PRAGMA synchronous = {mode}")
                self._durable = durable
            self._connection.execute("BEGIN IMMEDIATE")
        self.open_transaction = True
        try:
            yield
            with self.guard():
                self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            for told in self.on_rollback:
                told()
            raise
        finally:
            self.open_transaction = False

    def take_over(self, other: MirrorFile) -> None:
        """Replace the whole content by that of another file, in one transaction.

        Readers see the old content until it is done, and then the new one.
        """
        with self.guard():
            other._connection.backup(self._connection)
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for told in self.on_rollback:
            told()

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        with suppress(sqlite3.Error):
            self._connection.close()


class _Unfit(Exception):  # noqa: N818  (no error: the file is made anew)
    """The file is no mirror of this version."""


def _refuse_unfit(connection: sqlite3.Connection) -> None:
    why = fault(connection)
    if why is not None:
        raise _Unfit(why)


def discard(path: Path) -> None:
    """Remove a mirror and what SQLite keeps beside it. Raises `OSError`."""
    for ending in ("-wal", "-shm", "-journal", ""):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def holds(path: Path, photos: int) -> bool:
    """Whether a mirror is there, sound as far as its header says, whole, and of so many photos.

    For a run that had nothing to do: a look, without opening the mirror to write. A photo that a
    killed run left as `processing` is to be put right, so the mirror does not hold then.
    """
    try:
        connection = reading(path)
        try:
            if fault(connection) is not None:
                return False
            whole = connection.execute("SELECT value FROM meta WHERE key = 'whole'").fetchone()
            rows = connection.execute("SELECT count(*) FROM photo").fetchone()
            under_way = connection.execute(
                "SELECT 1 FROM photo WHERE status = ? AND status <> 0 LIMIT 1",
                (STATUSES["processing"],),
            ).fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return False
    return bool(whole and whole[0]) and int(rows[0]) == photos and under_way is None


def _only_read(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise _absent(path)
    try:
        connection = reading(path)
        why = fault(connection)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as failure:
        raise problem_of(path, failure) from failure
    if why is not None or not version:
        connection.close()
        if why is None:  # a kill came before its first table
            raise _absent(path)
        raise MirrorDamaged(path, detail=why)
    return connection


def _absent(path: Path) -> Problem:
    return UsageProblem(path, "there is no mirror yet", "Run `urbexmp mirror rebuild` first")


def backup(path: Path, target: Path) -> int:
    """Copy a mirror while in use to `target`, whole and checked; return its size in bytes.

    Written beside the target under another name, checked, synced and renamed; a failure leaves
    what stood at the target. Raises `UsageProblem`, `MirrorDamaged`, `StateUnwritable`.
    """
    if not path.exists():
        raise _absent(path)
    if target.is_dir():
        target /= path.name
    if target.exists() and target.samefile(path):
        raise UsageProblem(target, "this is the mirror itself", "Name another file")
    half = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        discard(half)
        source, copy = reading(path), sqlite3.connect(str(half), isolation_level=None)
        try:
            source.backup(copy)
            # A file by itself, with no log beside it: it may go to a disk that is read-only.
            copy.execute("PRAGMA journal_mode = DELETE")
            found = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(5)")]
            why = fault(copy)
            if found != ["ok"] or why is not None:
                raise MirrorDamaged(path, detail=why or found[0])
        finally:
            source.close()
            copy.close()
        with half.open("rb+") as file:
            os.fsync(file.fileno())
        half.replace(target)
        _sync_folder(target.parent)
        return target.stat().st_size
    except sqlite3.Error as failure:
        raise problem_of(path, failure) from failure
    except OSError as failure:
        raise StateUnwritable(target, detail=failure.strerror or str(failure)) from failure
    finally:
        with suppress(OSError):
            discard(half)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
