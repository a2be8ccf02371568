"""Opens a SQLite file, the ledger or a mirror: one way for all who write and read them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

BUSY_SECONDS = 10.0
"""How long a write waits for another process: a dry run that keeps what the stages said, datasette,
a person's own shell."""

CHECKPOINT_PAGES = 4000
"""Of 4 KB: how long the write-ahead log grows before it is folded into the file (two syncs)."""

REASONS = {
    sqlite3.SQLITE_PERM: "permission denied",
    sqlite3.SQLITE_AUTH: "permission denied",
    sqlite3.SQLITE_BUSY: "another program holds it locked",
    sqlite3.SQLITE_LOCKED: "another program holds it locked",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened or created",
}
"""What went wrong outside the file, by SQLite's primary result code."""


def code_of(failure: sqlite3.Error) -> int:
    """The primary result code of a failure."""
    return getattr(failure, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def writing(path: str | Path) -> sqlite3.Connection:
    """A connection that writes, in transactions that are begun and ended by hand.

    Nothing is set: a newer or foreign file must be looked at before it changes by a byte; then
    call `write_ahead`. Raises `sqlite3.Error`.
    """
    return _connect(str(path))


def write_ahead(connection: sqlite3.Connection, *, durable: bool) -> None:
    """Keep a write-ahead log: readers never wait. `durable`: a commit waits for the disk."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, to a file that is there. Raises `sqlite3.Error`."""
    name = path.absolute().as_uri()
    connection = _connect(f"{name}?mode=ro", uri=True)
    try:
        try:
            connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.OperationalError:
            # A write-ahead log needs a file beside it, which a read-only folder does not allow.
            # With no log left over, the file by itself is complete.
            log = path.with_name(path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise
            connection.close()
            connection = _connect(f"{name}?mode=ro&immutable=1", uri=True)
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(
        name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=uri
    )
