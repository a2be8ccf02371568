"""The tables and views of the mirror. Documented for people in `docs/mirror.md`.

There are no steps from an older version: what is not `VERSION` is made anew from the files.
"""

from __future__ import annotations

import sqlite3

APPLICATION = 0x75786D72
"""`PRAGMA application_id` of a mirror: the letters `uxmr`."""

VERSION = 1
"""`PRAGMA user_version`: raised with every change to what stands below."""

POSTING_LEAST = 8192
"""A keyword whose subtree has at least so many photos has a posting."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE folder (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE location (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, era TEXT NOT NULL,
    city TEXT NOT NULL, county TEXT NOT NULL, state TEXT NOT NULL, country TEXT NOT NULL,
    UNIQUE (name, type, era, city, county, state, country)
);
CREATE TABLE photo (
    id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, name TEXT NOT NULL,
    photo_id TEXT NOT NULL, kind TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    width INTEGER, height INTEGER, make TEXT, camera TEXT, lens TEXT, taken_at TEXT,
    latitude REAL, longitude REAL, view TEXT, view_score REAL, quality REAL, condition REAL,
    era TEXT, status TEXT NOT NULL, description TEXT, text TEXT, location INTEGER,
    keywords INTEGER NOT NULL, vetoes INTEGER NOT NULL, version TEXT NOT NULL,
    UNIQUE (folder, name)
);
CREATE INDEX photo_taken ON photo (taken_at);
CREATE INDEX photo_untagged ON photo (id) WHERE keywords = 0;
CREATE INDEX photo_open ON photo (status) WHERE status <> 'completed';
CREATE INDEX photo_location ON photo (location) WHERE location IS NOT NULL;

CREATE TABLE keyword (
    id INTEGER PRIMARY KEY, parent INTEGER, name TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
    folded TEXT NOT NULL UNIQUE, depth INTEGER NOT NULL,
    photos INTEGER NOT NULL, below INTEGER NOT NULL
);
CREATE INDEX keyword_parent ON keyword (parent);
CREATE INDEX keyword_photos ON keyword (photos);
CREATE INDEX keyword_below ON keyword (below);
CREATE TABLE spelling (
    id INTEGER PRIMARY KEY, keyword INTEGER NOT NULL, path TEXT NOT NULL UNIQUE,
    uses INTEGER NOT NULL
);
CREATE TABLE origin (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, stage TEXT NOT NULL, model TEXT NOT NULL,
    profile TEXT NOT NULL, UNIQUE (source, stage, model, profile)
);
INSERT INTO origin VALUES (1, 'person', '', '', '');
CREATE TABLE link (
    photo INTEGER NOT NULL, keyword INTEGER NOT NULL, origin INTEGER NOT NULL, score INTEGER,
    at, spelling INTEGER, PRIMARY KEY (photo, keyword)
) WITHOUT ROWID;
CREATE TABLE veto (
    photo INTEGER NOT NULL, keyword INTEGER NOT NULL, spelling INTEGER,
    PRIMARY KEY (photo, keyword)
) WITHOUT ROWID;
CREATE INDEX veto_keyword ON veto (keyword, photo);
CREATE TABLE held (
    photo INTEGER NOT NULL, keyword_path TEXT NOT NULL, confidence REAL, reason TEXT NOT NULL,
    PRIMARY KEY (photo, keyword_path)
) WITHOUT ROWID;
CREATE TABLE posting (keyword INTEGER PRIMARY KEY, bits BLOB NOT NULL);

CREATE TABLE plane (
    id INTEGER PRIMARY KEY, field TEXT NOT NULL, chunk INTEGER NOT NULL, bit INTEGER NOT NULL,
    bits BLOB NOT NULL, UNIQUE (field, chunk, bit)
);
CREATE TABLE plane_word (
    field TEXT NOT NULL, word TEXT NOT NULL, code INTEGER NOT NULL, PRIMARY KEY (field, word)
) WITHOUT ROWID;

CREATE VIRTUAL TABLE photo_text USING fts5(
    name, keywords, description, text, content = '', detail = column, columnsize = 0,
    prefix = '2 3', tokenize = "unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE keyword_name USING fts5(
    name, content = '', detail = none, columnsize = 0, prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 2"
);
"""

LINK_INDEX = "CREATE INDEX link_keyword ON link (keyword, photo, score)"
"""Made last where a whole mirror is built: sorted once, it costs a third."""

VIEWS = """
CREATE VIEW photo_keyword AS
SELECT link.photo, link.keyword, origin.source, link.score, origin.stage, origin.model,
    origin.profile,
    CASE typeof(link.at) WHEN 'integer' THEN strftime('%Y-%m-%dT%H:%M:%SZ', link.at, 'unixepoch')
        ELSE coalesce(link.at, '') END AS at
FROM link LEFT JOIN origin ON origin.id = link.origin;

CREATE VIEW photos AS
SELECT photo.id,
    CASE folder.path WHEN '' THEN photo.name ELSE folder.path || '/' || photo.name END AS path,
    folder.path AS folder, photo.name, photo.kind, photo.size,
    strftime('%Y-%m-%dT%H:%M:%SZ', photo.mtime_ns / 1000000000, 'unixepoch') AS changed_at,
    photo.width, photo.height, photo.make, photo.camera, photo.lens, photo.taken_at,
    photo.latitude, photo.longitude, photo.view, photo.view_score, photo.quality,
    photo.condition, photo.era, photo.status, photo.description, photo.text,
    nullif(location.name, '') AS place, nullif(location.type, '') AS place_type,
    nullif(location.city, '') AS city, nullif(location.county, '') AS county,
    nullif(location.state, '') AS state, nullif(location.country, '') AS country,
    photo.keywords AS keyword_count, photo.vetoes AS veto_count,
    (SELECT json_group_array(path) FROM (
        SELECT keyword.path FROM link JOIN keyword ON keyword.id = link.keyword
        WHERE link.photo = photo.id ORDER BY keyword.folded)) AS keywords,
    (SELECT json_group_array(path) FROM (
        SELECT keyword.path FROM veto JOIN keyword ON keyword.id = veto.keyword
        WHERE veto.photo = photo.id ORDER BY keyword.folded)) AS vetoes,
    photo.photo_id, photo.version
FROM photo JOIN folder ON folder.id = photo.folder
    LEFT JOIN location ON location.id = photo.location;

CREATE VIEW photo_keywords AS
SELECT CASE folder.path WHEN '' THEN photo.name ELSE folder.path || '/' || photo.name END AS photo,
    keyword.path AS keyword, keyword.name, has.source, has.score, has.stage, has.model,
    has.profile, has.at
FROM photo_keyword AS has JOIN photo ON photo.id = has.photo
    JOIN folder ON folder.id = photo.folder JOIN keyword ON keyword.id = has.keyword;

CREATE VIEW keyword_tree AS
SELECT keyword.path AS keyword, keyword.name, above.path AS parent, keyword.depth,
    keyword.photos, keyword.below AS photos_below
FROM keyword LEFT JOIN keyword AS above ON above.id = keyword.parent
ORDER BY keyword.folded;

CREATE VIEW vetoes AS
SELECT CASE folder.path WHEN '' THEN photo.name ELSE folder.path || '/' || photo.name END AS photo,
    keyword.path AS keyword
FROM veto JOIN photo ON photo.id = veto.photo JOIN folder ON folder.id = photo.folder
    JOIN keyword ON keyword.id = veto.keyword;

CREATE VIEW suggestions AS
SELECT CASE folder.path WHEN '' THEN photo.name ELSE folder.path || '/' || photo.name END AS photo,
    held.keyword_path AS keyword, held.confidence, held.reason
FROM held JOIN photo ON photo.id = held.photo JOIN folder ON folder.id = photo.folder;

CREATE VIEW untagged AS
SELECT CASE folder.path WHEN '' THEN photo.name ELSE folder.path || '/' || photo.name END AS photo,
    photo.kind, photo.taken_at, photo.status
FROM photo JOIN folder ON folder.id = photo.folder WHERE photo.keywords = 0;

CREATE VIEW locations AS
SELECT nullif(location.name, '') AS place, nullif(location.type, '') AS place_type,
    nullif(location.era, '') AS era, nullif(location.city, '') AS city,
    nullif(location.county, '') AS county, nullif(location.state, '') AS state,
    nullif(location.country, '') AS country,
    (SELECT count(*) FROM photo WHERE photo.location = location.id) AS photos
FROM location;
"""


def make(connection: sqlite3.Connection) -> None:
    """Make all tables and views in an empty file, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in (*TABLES.split(";\n"), LINK_INDEX, *VIEWS.split(";\n")):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def fault(connection: sqlite3.Connection) -> str | None:
    """Why the file cannot be used as a mirror of this version; None: it can.

    An empty file can: its version is 0 and it has no tables; `make` fills it.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if not version and not application and not tables:
        return None
    if application != APPLICATION:
        return "it is the file of another program"
    if version != VERSION:
        return f"it has version {version} where this urbexmp makes version {VERSION}"
    return None
