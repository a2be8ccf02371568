"""One SQLite file: opened, guarded, and written in transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from urbexmp.adapters.db.opening import REASONS, code_of, reading, write_ahead, writing
from urbexmp.adapters.db.schema import KNOWN, is_foreign, migrate, version_of
from urbexmp.model.errors import (
    LedgerDamaged,
    LedgerNewer,
    Problem,
    StateUnwritable,
)

Row = tuple[Any, ...]


class Database:
    """A connection that raises `Problem` and nothing else of its own.

    Thread use: one connection, one lock. Any thread may call; a transaction keeps the others
    waiting until it ends. In WAL mode readers of other processes never wait for the writer.
    """

    def __init__(self, path: Path, *, readonly: bool) -> None:
        """Open the file. Raises `LedgerDamaged`, `LedgerNewer`, `StateUnwritable`."""
        self.path = path
        self.readonly = readonly
        self._lock = threading.RLock()
        self.on_rollback: list[Callable[[], None]] = []
        """Called after a transaction was dropped, for what is kept in memory."""
        self._durable: bool | None = None
        """What `PRAGMA synchronous` was last set for."""
        self._open = False
        """Whether a transaction is open."""
        with self.guard():
            self._connection = _reading(path) if readonly else _writing(path)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn what SQLite says, and what it kept but nobody can read, into a `Problem`."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as failure:
            raise _problem(self.path, failure) from failure

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Turn a failure to read a kept value back into `LedgerDamaged`."""
        try:
            yield
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as failure:
            raise LedgerDamaged(self.path, detail=f"a value in it: {failure}") from failure

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""
        with self._lock, self.guard():
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row of a query."""
        with self._lock:
            # As `guard` does; this and `do` are called several times for each photo.
            try:
                found: Row | None = self._connection.execute(sql, values).fetchone()
            except sqlite3.ProgrammingError:
                raise
            except sqlite3.Error as failure:
                raise _problem(self.path, failure) from failure
            return found

    def do(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement inside `transaction`; returns the id of a row that it inserted."""
        return self._executed(sql, values).lastrowid or 0

    def changed(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement inside `transaction`; returns how many rows it changed."""
        return self._executed(sql, values).rowcount

    def _executed(self, sql: str, values: Sequence[Any]) -> sqlite3.Cursor:
        assert self._open
        try:
            return self._connection.execute(sql, values)
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as failure:
            raise _problem(self.path, failure) from failure

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[None]:
        """All statements inside or none; inside another transaction, a part of that.

        `durable` waits for the disk. Without it a power cut (not a kill) may lose the last
        transactions, the newest first, and never one before a durable one: that is the order
        in which a write-ahead log is read back. So only what must be there *before something
        outside happens* is durable: the rest is found again, or follows from an intent.
        """
        with self._lock:
            if self._open:
                yield
                return
            with self.guard():
                if durable is not self._durable:
                    mode = "FULL" if durable else "NORMAL"
                    self._connection.execute(f"PRAGMA synchronous = {mode}")
                    self._durable = durable
                self._connection.execute("BEGIN IMMEDIATE")
            self._open = True
            try:
                yield
                with self.guard():
                    self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled it back already.
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                for told in self.on_rollback:
                    told()
                raise
            finally:
                self._open = False

    def faults(self) -> tuple[str, ...]:
        """What SQLite's own check of the whole file finds wrong; reads all of it."""
        try:
            found = [str(row[0]) for row in self.rows("PRAGMA quick_check(20)")]
        except LedgerDamaged as damaged:
            return (damaged.sentences[0],)
        return () if found == ["ok"] else tuple(found)

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()


def _problem(path: Path, failure: sqlite3.Error) -> Problem:
    code = code_of(failure)
    if code in REASONS:
        return StateUnwritable(path, detail=REASONS[code])
    return LedgerDamaged(path, detail=str(failure))


def _check(path: Path, connection: sqlite3.Connection) -> None:
    version = version_of(connection)
    if is_foreign(connection):
        raise LedgerDamaged(path, detail="it is the file of another program")
    if version > KNOWN:
        raise LedgerNewer(path, found=version, known=KNOWN)


def _writing(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise StateUnwritable(path, detail=failure.strerror or str(failure)) from failure
    connection = writing(path)
    try:
        _check(path, connection)
        # Tables that a power cut takes back are made again; transactions say for themselves.
        write_ahead(connection, durable=False)
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. A file that is absent reads as an empty ledger."""
    if not path.exists():
        return _empty()
    connection = reading(path)
    try:
        _check(path, connection)
        if version_of(connection) < KNOWN:
            older, connection = connection, writing(":memory:")
            older.backup(connection)
            older.close()
            migrate(connection)
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _empty() -> sqlite3.Connection:
    connection = writing(":memory:")
    migrate(connection)
    connection.execute("PRAGMA query_only = ON")
    return connection
