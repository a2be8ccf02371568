"""The tables of the ledger, as numbered steps that each happen wholly or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

APPLICATION = 0x75786D70
"""`PRAGMA application_id` of our files: the letters `uxmp`."""

STEPS: tuple[str, ...] = (
    # 1: the first ledger.
    """
    CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
    CREATE TABLE photo (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE folder (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);

    CREATE TABLE run (
        id INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, command TEXT NOT NULL,
        profile TEXT NOT NULL, started TEXT NOT NULL, ended TEXT,
        changed INTEGER NOT NULL, failed INTEGER NOT NULL, undone INTEGER NOT NULL
    );
    CREATE TABLE intent (
        id INTEGER PRIMARY KEY, photo INTEGER NOT NULL, path TEXT NOT NULL, run TEXT NOT NULL,
        at TEXT NOT NULL, will_be BLOB NOT NULL, change BLOB NOT NULL, UNIQUE (photo, path)
    );
    CREATE TABLE receipt (
        id INTEGER PRIMARY KEY, run TEXT NOT NULL, path TEXT NOT NULL, at TEXT NOT NULL,
        carriers BLOB NOT NULL, change BLOB NOT NULL
    );
    CREATE INDEX receipt_by_run ON receipt (run);
    CREATE TABLE base (
        photo INTEGER NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (photo, path)
    ) WITHOUT ROWID;
    CREATE TABLE mark (
        mark TEXT PRIMARY KEY, photo INTEGER NOT NULL, path TEXT NOT NULL, agreed TEXT
    ) WITHOUT ROWID;
    CREATE TABLE spelling (folded TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE stage (id INTEGER PRIMARY KEY, full TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
    CREATE TABLE look (
        id INTEGER PRIMARY KEY, photo INTEGER NOT NULL, stage INTEGER NOT NULL,
        inputs TEXT NOT NULL, seconds REAL NOT NULL, body BLOB NOT NULL,
        UNIQUE (photo, stage, inputs)
    );

    CREATE TABLE known (
        folder INTEGER NOT NULL, name TEXT NOT NULL, photo INTEGER NOT NULL,
        files TEXT NOT NULL, policy INTEGER NOT NULL, held INTEGER NOT NULL,
        PRIMARY KEY (folder, name)
    ) WITHOUT ROWID;
    CREATE INDEX known_by_photo ON known (photo);
    CREATE TABLE held (
        photo INTEGER NOT NULL, path TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (photo, path)
    ) WITHOUT ROWID;
    CREATE TABLE waiting (
        path TEXT PRIMARY KEY, priority INTEGER NOT NULL, attempts INTEGER NOT NULL,
        next_try TEXT NOT NULL, last_error TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX waiting_by_turn ON waiting (priority, next_try);
    """,
    # 2: what people did with our keywords. `keyword` and the list `missed_by` hold numbers.
    """
    CREATE TABLE judgement (
        photo INTEGER NOT NULL, keyword INTEGER NOT NULL, kind TEXT NOT NULL, stage INTEGER,
        profile TEXT NOT NULL, missed_by TEXT NOT NULL, PRIMARY KEY (photo, keyword)
    ) WITHOUT ROWID;
    """,
    # 3: folders that are skipped as a whole; digests of vocabularies that were read before.
    """
    CREATE TABLE settled_folder (
        folder INTEGER PRIMARY KEY, digest BLOB NOT NULL, policy INTEGER NOT NULL,
        photos INTEGER NOT NULL
    );
    CREATE TABLE vocabulary (file TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;
    """,
    # 4: vectors that stand for pictures, float16; `model` is the number of a word.
    """
    CREATE TABLE vector (
        id INTEGER PRIMARY KEY, photo INTEGER NOT NULL, model INTEGER NOT NULL,
        body BLOB NOT NULL, UNIQUE (photo, model)
    );
    """,
    # 5: texts that wait for a person, beside the keywords that do.
    """
    CREATE TABLE held_text (
        photo INTEGER NOT NULL, path TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (photo, path)
    ) WITHOUT ROWID;
    """,
)

KNOWN = len(STEPS)
"""The newest version of the ledger that this code knows: `PRAGMA user_version`."""


def version_of(connection: sqlite3.Connection) -> int:
    """Version of the ledger in this file; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_foreign(connection: sqlite3.Connection) -> bool:
    """Whether the file holds the tables of another program."""
    if int(connection.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION:
        return False
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def migrate(connection: sqlite3.Connection, steps: tuple[str, ...] = STEPS) -> int:
    """Bring the file to the newest version; return how many steps that took.

    Each step and the number that records it are one transaction, so a kill leaves the file at
    one version or the other. Two processes may try at once: the second finds it done.
    """
    taken = 0
    while (version := version_of(connection)) < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version_of(connection) == version:
                # Not executescript(): it would commit the transaction first.
                for statement in steps[version].split(";"):
                    if statement.strip():
                        connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {version + 1}")
                taken += 1
            connection.execute("COMMIT")
        except BaseException:
            # SQLite has dropped it by itself when the disk is full; the first error counts.
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
    return taken
