"""The tables and views of the mirror. Documented for people in `docs/mirror.md`.

There are no steps from an older version: what is not `VERSION` is made anew from the files.
"""

from __future__ import annotations

import sqlite3

APPLICATION = 0x75786D72
"""`PRAGMA application_id` of a mirror: the letters `uxmr`."""

VERSION = 4
"""`PRAGMA user_version`: raised with every change to what stands below."""

POSTING_LEAST = 300
"""A keyword whose subtree has so many photos, more than hold it themselves, has a `branch`."""

LEAF_LEAST = 8000
"""So has one that so many photos hold themselves, though there is no more below it: a list of them
takes longer to meet with another than a bitmap."""

PLAIN_LEAST = 100_000
"""The bitmaps of a subtree with so many photos are not deflated: little room would be saved."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE folder (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE location (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, era TEXT NOT NULL,
    city TEXT NOT NULL, county TEXT NOT NULL, state TEXT NOT NULL, country TEXT NOT NULL,
    UNIQUE (name, type, era, city, county, state, country)
);
CREATE TABLE word (
    field TEXT NOT NULL, code INTEGER NOT NULL, word TEXT NOT NULL, PRIMARY KEY (field, code)
) WITHOUT ROWID;
CREATE UNIQUE INDEX word_code ON word (field, word);
INSERT INTO word VALUES ('status', 0, 'completed'), ('status', 1, 'pending'),
    ('status', 2, 'processing'), ('status', 3, 'failed');
CREATE TABLE photo (
    id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, name TEXT NOT NULL,
    photo_id NOT NULL, kind INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    width INTEGER, height INTEGER, make INTEGER, camera INTEGER, lens INTEGER, taken_at,
    latitude REAL, longitude REAL, view INTEGER, view_score, quality REAL, condition REAL,
    era INTEGER, status INTEGER NOT NULL, description TEXT, text TEXT, alt_text TEXT,
    location INTEGER,
    keywords INTEGER NOT NULL, vetoes INTEGER NOT NULL, version NOT NULL,
    links TEXT NOT NULL, origins TEXT NOT NULL, scores TEXT NOT NULL, written_at,
    odd INTEGER NOT NULL, UNIQUE (folder, name)
);
CREATE INDEX photo_untagged ON photo (id) WHERE keywords = 0;
CREATE INDEX photo_open ON photo (status) WHERE status <> 0;
CREATE INDEX photo_location ON photo (location) WHERE location IS NOT NULL;
CREATE TABLE odd_link (
    photo INTEGER NOT NULL, keyword INTEGER NOT NULL, at, spelling INTEGER,
    PRIMARY KEY (photo, keyword)
) WITHOUT ROWID;

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
CREATE TABLE veto (
    photo INTEGER NOT NULL, keyword INTEGER NOT NULL, spelling INTEGER,
    PRIMARY KEY (photo, keyword)
) WITHOUT ROWID;
CREATE INDEX veto_keyword ON veto (keyword, photo);
CREATE TABLE held (
    photo INTEGER NOT NULL, keyword_path TEXT NOT NULL, confidence REAL, reason TEXT NOT NULL,
    PRIMARY KEY (photo, keyword_path)
) WITHOUT ROWID;
CREATE TABLE posting (
    keyword INTEGER NOT NULL, chunk INTEGER NOT NULL, photos TEXT NOT NULL, scores BLOB,
    PRIMARY KEY (keyword, chunk)
) WITHOUT ROWID;
CREATE TABLE branch (
    keyword INTEGER NOT NULL, chunk INTEGER NOT NULL, photos BLOB NOT NULL,
    PRIMARY KEY (keyword, chunk)
);
CREATE TABLE number (n INTEGER PRIMARY KEY);
INSERT INTO number WITH RECURSIVE up (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM up
    WHERE n < 255) SELECT high.n * 256 + low.n + 1 FROM up AS high CROSS JOIN up AS low
    WHERE high.n < 128;

CREATE TABLE plane (
    id INTEGER PRIMARY KEY, field TEXT NOT NULL, chunk INTEGER NOT NULL, bit INTEGER NOT NULL,
    bits BLOB NOT NULL, UNIQUE (field, chunk, bit)
);
CREATE VIRTUAL TABLE photo_text USING fts5(
    name, description, text, content = '', detail = none, columnsize = 0,
    tokenize = "unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE keyword_name USING fts5(
    name, content = '', detail = none, columnsize = 0, prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 2"
);
"""


def word_of(field: str) -> str:
    """SQL for the word behind a code in table `photo`."""
    return f"(SELECT word FROM word WHERE field = '{field}' AND code = photo.{field})"


def hex_of(column: str) -> str:
    """SQL for hex digits, which stand as bytes where they are nothing else."""
    shown = f"lower(hex(photo.{column}))"
    return f"CASE typeof(photo.{column}) WHEN 'blob' THEN {shown} ELSE photo.{column} END"


TAKEN = (
    "CASE typeof(photo.taken_at) WHEN 'integer'"
    " THEN strftime('%Y-%m-%dT%H:%M:%S', photo.taken_at, 'unixepoch') ELSE photo.taken_at END"
)
"""SQL for the time as the camera's clock had it: seconds where it has the usual form."""
VIEW_SCORE = (
    "CASE typeof(photo.view_score) WHEN 'integer' THEN photo.view_score / 100.0"
    " ELSE photo.view_score END"
)
"""SQL for a score from 0 to 1: whole hundredths stand as whole numbers."""

_PATH = "CASE folder.path WHEN '' THEN photo.name ELSE folder.path || '/' || photo.name END"
_KEYWORD = (
    "unicode(substr(photo.links, number.n, 1))"
    " - (unicode(substr(photo.links, number.n, 1)) > 57343) * 2048"
)

VIEWS = f"""
CREATE VIEW link AS
SELECT has.photo, has.keyword,
    coalesce(unicode(substr(has.origins, has.place, 1)), 1) AS origin,
    nullif(unicode(substr(has.scores, has.place, 1)), 1) - 2 AS score,
    CASE WHEN odd.at IS NOT NULL THEN nullif(odd.at, '')
        WHEN coalesce(unicode(substr(has.origins, has.place, 1)), 1) <> 1 THEN has.written_at
        END AS at,
    odd.spelling
FROM (
    SELECT photo.id AS photo, posting.keyword, photo.origins, photo.scores, photo.written_at,
        photo.odd,
        instr(photo.links, char(posting.keyword + (posting.keyword > 55295) * 2048)) AS place
    FROM posting CROSS JOIN number ON number.n <= length(posting.photos)
        CROSS JOIN photo
        ON photo.id = posting.chunk * 32768 + unicode(substr(posting.photos, number.n, 1)) - 1
) AS has LEFT JOIN odd_link AS odd
    ON has.odd > 0 AND odd.photo = has.photo AND odd.keyword = has.keyword;

CREATE VIEW photo_link AS
SELECT photo.id AS photo, {_KEYWORD} AS keyword,
    coalesce(unicode(substr(photo.origins, number.n, 1)), 1) AS origin,
    nullif(unicode(substr(photo.scores, number.n, 1)), 1) - 2 AS score
FROM photo CROSS JOIN number ON number.n <= length(photo.links);

CREATE VIEW photo_keyword AS
SELECT link.photo, link.keyword, origin.source, link.score, origin.stage, origin.model,
    origin.profile,
    CASE typeof(link.at) WHEN 'integer' THEN strftime('%Y-%m-%dT%H:%M:%SZ', link.at, 'unixepoch')
        ELSE coalesce(link.at, '') END AS at
FROM link LEFT JOIN origin ON origin.id = link.origin;

CREATE VIEW photos AS
SELECT photo.id, {_PATH} AS path,
    folder.path AS folder, photo.name, {word_of("kind")} AS kind, photo.size,
    strftime('%Y-%m-%dT%H:%M:%SZ', photo.mtime_ns / 1000000000, 'unixepoch') AS changed_at,
    photo.width, photo.height, {word_of("make")} AS make, {word_of("camera")} AS camera,
    {word_of("lens")} AS lens, {TAKEN} AS taken_at,
    photo.latitude, photo.longitude, {word_of("view")} AS view, {VIEW_SCORE} AS view_score,
    photo.quality, photo.condition, {word_of("era")} AS era, {word_of("status")} AS status,
    photo.description, photo.text, photo.alt_text,
    nullif(location.name, '') AS place, nullif(location.type, '') AS place_type,
    nullif(location.city, '') AS city, nullif(location.county, '') AS county,
    nullif(location.state, '') AS state, nullif(location.country, '') AS country,
    photo.keywords AS keyword_count, photo.vetoes AS veto_count,
    (SELECT json_group_array(path) FROM (
        SELECT keyword.path FROM number CROSS JOIN keyword ON keyword.id = {_KEYWORD}
        WHERE number.n <= length(photo.links) ORDER BY keyword.folded)) AS keywords,
    (SELECT json_group_array(path) FROM (
        SELECT keyword.path FROM veto JOIN keyword ON keyword.id = veto.keyword
        WHERE veto.photo = photo.id ORDER BY keyword.folded)) AS vetoes,
    {hex_of("photo_id")} AS photo_id, {hex_of("version")} AS version
FROM photo JOIN folder ON folder.id = photo.folder
    LEFT JOIN location ON location.id = photo.location;

CREATE VIEW photo_keywords AS
SELECT {_PATH} AS photo,
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
SELECT {_PATH} AS photo,
    keyword.path AS keyword
FROM veto JOIN photo ON photo.id = veto.photo JOIN folder ON folder.id = photo.folder
    JOIN keyword ON keyword.id = veto.keyword;

CREATE VIEW suggestions AS
SELECT {_PATH} AS photo,
    held.keyword_path AS keyword, held.confidence, held.reason
FROM held JOIN photo ON photo.id = held.photo JOIN folder ON folder.id = photo.folder;

CREATE VIEW untagged AS
SELECT {_PATH} AS photo,
    {word_of("kind")} AS kind, {TAKEN} AS taken_at, {word_of("status")} AS status
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
        for statement in (*TABLES.split(";\n"), *VIEWS.split(";\n")):
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
