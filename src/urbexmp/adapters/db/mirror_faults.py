"""Checks a mirror against itself: damage, and counts that are not what the links say."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any

from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.mirror_planes import chunk_planes
from urbexmp.adapters.db.mirror_postings import Least, chunk_sets, chunks, wants_branch
from urbexmp.adapters.db.mirror_tree import KeywordTree
from urbexmp.adapters.db.posting_codes import set_bits, start_letters
from urbexmp.model.errors import MirrorDamaged

_VETOES = """
SELECT name, vetoes, (SELECT count(*) FROM veto WHERE photo = photo.id) AS counted
FROM photo WHERE vetoes <> counted LIMIT 5
"""
_ORPHANS = """
SELECT 'posting', count(*) FROM posting WHERE keyword NOT IN (SELECT id FROM keyword) UNION ALL
SELECT 'branch', count(*) FROM branch WHERE keyword > 0
    AND keyword NOT IN (SELECT id FROM keyword) UNION ALL
SELECT 'odd_link', count(*) FROM odd_link WHERE photo NOT IN (SELECT id FROM photo)
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


def faults(file: MirrorFile, least: Least) -> tuple[str, ...]:
    """A sentence for each fault, a few of each kind; reads the whole file."""
    try:
        return tuple(_faults(file, least))
    except MirrorDamaged as damaged:
        return (damaged.sentences[0],)


def _faults(file: MirrorFile, least: Least) -> Iterator[str]:
    for (said,) in file.rows("PRAGMA quick_check(5)"):
        if said != "ok":
            yield f"SQLite finds damage: {said}"
    for name, kept, counted in file.rows(_VETOES):
        yield f"vetoes of the photo {name}: {kept} are noted, {counted} are there"
    for table, number in file.rows(_ORPHANS):
        if number:
            yield f"{number} row(s) of {table} belong to nothing"
    for (path,) in file.rows(_NEEDLESS):
        yield f"the keyword {path} is held and refused by no photo"
    yield from _set_faults(file, least)
    yield from _plane_faults(file)


class _Few:
    """Sentences, no more than `FEW` of each kind."""

    FEW = 5

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()

    def more(self, kind: str) -> bool:
        self._told[kind] += 1
        return self._told[kind] <= self.FEW


def _set_faults(file: MirrorFile, least: Least) -> Iterator[str]:
    """Makes every set of photos anew, chunk by chunk, and compares it with what is kept."""
    few = _Few()
    tree = KeywordTree(file)
    tree.load()
    deepest = sorted(tree.nodes.values(), key=lambda node: -node.depth)
    wanted = {node.id for node in deepest if wants_branch(node, least)}
    photos: Counter[int] = Counter()
    below: Counter[int] = Counter()
    lost = 0

    def name(keyword: int) -> str:
        if keyword < 0:
            return f"the letters {start_letters(keyword)}"
        return f"the keyword {tree.nodes[keyword].path}"

    for chunk in chunks(file):
        sets = chunk_sets(file, chunk)
        for keyword in sets.photos.keys() - tree.nodes.keys():
            lost += len(sets.photos.pop(keyword))
        for photo, kept, counted in sets.miscounted:
            if few.more("links"):
                yield f"keywords of the photo {photo}: {kept} are noted, {counted} are there"
        for keyword, offsets in sets.photos.items():
            photos[keyword] += len(offsets)
        branches, whole = sets.branches(deepest, wanted)
        below.update(whole)
        for table, made in (("posting", sets.postings()), ("branch", branches)):
            stands = {
                row[0]: row[2:]
                for row in file.rows(f"SELECT * FROM {table} WHERE chunk = ?", (chunk,))
            }
            for keyword in sorted(made.keys() | stands.keys()):
                one, other = made.get(keyword), stands.get(keyword)
                if one != other and not _alike(one, other) and few.more(table):
                    known = keyword < 0 or keyword in tree.nodes
                    yield (
                        f"the {table} of {name(keyword) if known else keyword}, chunk {chunk},"
                        " does not name the photos that have it"
                    )
    last = chunks(file).stop
    for table in ("posting", "branch"):
        number = file.number(f"SELECT count(*) FROM {table} WHERE chunk >= ?", (last,))
        if number:
            yield f"{number} row(s) of {table} are of photos that are not there"
    if lost:
        yield f"{lost} link(s) of photos lead to no keyword"
    for node in deepest:
        for kind, kept, counted in (
            ("of", node.photos, photos[node.id]),
            ("below", node.below, below[node.id]),
        ):
            if kept != counted and few.more(kind):
                yield (
                    f"photos {kind} the keyword {node.path}: {kept} are noted, {counted} are there"
                )


def _alike(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> bool:
    """Whether two rows of `branch` hold the same photos: zlibs differ in what they make."""
    if one is None or other is None or len(one) > 1:
        return False
    try:
        return set_bits(one[0]) == set_bits(other[0])
    except (sqlite3.DatabaseError, TypeError, IndexError):
        return False


def _plane_faults(file: MirrorFile) -> Iterator[str]:
    """Makes every bit plane anew and compares it with what is kept."""
    few = _Few()
    for chunk in chunks(file):
        made = chunk_planes(file, chunk)
        stands = {
            (field, bit): bits
            for field, bit, bits in file.rows(
                "SELECT field, bit, bits FROM plane WHERE chunk = ?", (chunk,)
            )
        }
        for field, bit in sorted(made.keys() | stands.keys()):
            if made.get((field, bit)) != stands.get((field, bit)) and few.more("plane"):
                yield f"bit {bit} of the plane {field}, chunk {chunk}, is not what the photos say"
    number = file.number("SELECT count(*) FROM plane WHERE chunk >= ?", (chunks(file).stop,))
    if number:
        yield f"{number} plane(s) are of photos that are not there"
