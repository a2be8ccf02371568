"""Checks a mirror against itself: damage, and counts that are not what the links say."""

from __future__ import annotations

from collections.abc import Iterator

from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.model.errors import MirrorDamaged

_BELOW = """
WITH RECURSIVE above (keyword, node) AS (
    SELECT id, id FROM keyword
    UNION ALL
    SELECT above.keyword, keyword.parent FROM above JOIN keyword ON keyword.id = above.node
    WHERE keyword.parent IS NOT NULL
),
counted AS (
    SELECT above.node, count(DISTINCT link.photo) AS below
    FROM link JOIN above ON above.keyword = link.keyword GROUP BY above.node
)
SELECT keyword.path, keyword.below, coalesce(counted.below, 0) FROM keyword
LEFT JOIN counted ON counted.node = keyword.id
WHERE keyword.below <> coalesce(counted.below, 0) LIMIT 5
"""
_PHOTOS = """
SELECT path, photos, (SELECT count(*) FROM link WHERE keyword = keyword.id) AS counted
FROM keyword WHERE photos <> counted LIMIT 5
"""
_LINKS = """
SELECT name, keywords, (SELECT count(*) FROM link WHERE photo = photo.id) AS counted
FROM photo WHERE keywords <> counted LIMIT 5
"""
_VETOES = """
SELECT name, vetoes, (SELECT count(*) FROM veto WHERE photo = photo.id) AS counted
FROM photo WHERE vetoes <> counted LIMIT 5
"""
_ORPHANS = """
SELECT 'link', count(*) FROM link WHERE photo NOT IN (SELECT id FROM photo)
    OR keyword NOT IN (SELECT id FROM keyword) UNION ALL
SELECT 'veto', count(*) FROM veto WHERE photo NOT IN (SELECT id FROM photo)
    OR keyword NOT IN (SELECT id FROM keyword) UNION ALL
SELECT 'held', count(*) FROM held WHERE photo NOT IN (SELECT id FROM photo) UNION ALL
SELECT 'photo', count(*) FROM photo WHERE folder NOT IN (SELECT id FROM folder)
"""
_NEEDLESS = """
SELECT path FROM keyword WHERE below = 0 AND NOT EXISTS (
    SELECT 1 FROM veto JOIN keyword AS refused ON refused.id = veto.keyword
    WHERE refused.id = keyword.id
        OR substr(refused.folded, 1, length(keyword.folded) + 1) = keyword.folded || '|'
) LIMIT 5
"""


def faults(file: MirrorFile, least: int) -> tuple[str, ...]:
    """A sentence for each fault, a few of each kind; reads the whole file."""
    try:
        return tuple(_faults(file, least))
    except MirrorDamaged as damaged:
        return (damaged.sentences[0],)


def _faults(file: MirrorFile, least: int) -> Iterator[str]:
    for (said,) in file.rows("PRAGMA quick_check(5)"):
        if said != "ok":
            yield f"SQLite finds damage: {said}"
    for query, what in (
        (_PHOTOS, "photos of the keyword {}"),
        (_BELOW, "photos below the keyword {}"),
        (_LINKS, "keywords of the photo {}"),
        (_VETOES, "vetoes of the photo {}"),
    ):
        for name, kept, counted in file.rows(query):
            yield f"{what.format(name)}: {kept} are noted, {counted} are there"
    for table, number in file.rows(_ORPHANS):
        if number:
            yield f"{number} row(s) of {table} belong to nothing"
    for (path,) in file.rows(_NEEDLESS):
        yield f"the keyword {path} is held and refused by no photo"
    yield from _posting_faults(file, least)


def _posting_faults(file: MirrorFile, least: int) -> Iterator[str]:
    wrong = file.rows(
        "SELECT path FROM keyword LEFT JOIN posting ON posting.keyword = keyword.id"
        " WHERE (below >= ?) <> (posting.keyword IS NOT NULL) LIMIT 5",
        (least,),
    )
    for (path,) in wrong:
        yield f"the keyword {path} has a posting it should not have, or lacks one"
    for number, path, below, bits in file.rows(
        "SELECT id, path, below, bits FROM posting JOIN keyword ON keyword.id = posting.keyword"
    ):
        found = int.from_bytes(bits, "little")
        links = file.rows(
            "WITH RECURSIVE part (id) AS (SELECT ? UNION ALL"
            " SELECT keyword.id FROM keyword JOIN part ON keyword.parent = part.id)"
            " SELECT DISTINCT photo FROM link JOIN part ON part.id = link.keyword",
            (number,),
        )
        if found.bit_count() != below or any(not found >> photo & 1 for (photo,) in links):
            yield f"the posting of {path} does not name the photos that have it"
