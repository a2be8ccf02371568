"""Which photos hold a keyword, chunk by chunk, kept as the photos change.

Three kinds of sets, in the forms of `posting_codes`:

- `posting`: the photos that hold a keyword itself, as text, with their scores;
- `branch`: the photos of a keyword's subtree, where they are many and more than hold the keyword
  itself, or very many: AND, OR, NOT and counts over a million photos are then operations on a few
  integers;
- `branch` with a number below zero: the photos with a keyword one of whose words begins with two
  letters (`start_code`), because 2 letters name a thousand keywords.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from urbexmp.adapters.db.link_codes import Link
from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.mirror_schema import LEAF_LEAST, PLAIN_LEAST, POSTING_LEAST
from urbexmp.adapters.db.mirror_tree import KeywordTree, Node
from urbexmp.adapters.db.plane_codes import CHUNK
from urbexmp.adapters.db.posting_codes import (
    LISTED,
    as_numbers,
    offsets_bits,
    offsets_text,
    opened_set,
    packed_list,
    packed_set,
    set_bits,
    text_offsets,
)

_PUT_POSTING = "INSERT OR REPLACE INTO posting (keyword, chunk, photos, scores) VALUES (?, ?, ?, ?)"
_PUT_BRANCH = "INSERT OR REPLACE INTO branch (keyword, chunk, photos) VALUES (?, ?, ?)"
_GONE = -1
"""In place of a score: the photo no longer holds the keyword."""


class Postings:
    """Keeps the sets as the photos change: just the keywords with enough photos have a branch."""

    def __init__(self, file: MirrorFile, tree: KeywordTree, least: Least) -> None:
        self._file = file
        self._tree = tree
        self._least = least
        file.on_rollback.append(self.forget)
        self.forget()

    def forget(self) -> None:
        """Drop what is in memory."""
        self._branches: set[int] | None = None
        self._clear()

    def _clear(self) -> None:
        self._links: dict[tuple[int, int], dict[int, int]] = {}
        self._changes: dict[tuple[int, int], dict[int, bool]] = {}

    def load(self) -> None:
        """Learn which keywords have a branch, unless that is known."""
        if self._branches is None:
            rows = self._file.rows("SELECT DISTINCT keyword FROM branch WHERE keyword > 0")
            self._branches = {row[0] for row in rows}

    def link(self, photo: int, old: dict[int, Link], new: dict[int, Link]) -> None:
        """A photo holds other keywords itself, or with other scores."""
        chunk, offset = divmod(photo, CHUNK)
        for keyword in old.keys() - new.keys():
            self._links.setdefault((keyword, chunk), {})[offset] = _GONE
        for keyword, link in new.items():
            before = old.get(keyword)
            if before is None or before[1] != link[1]:
                score = 0 if link[1] is None else link[1] + 1
                self._links.setdefault((keyword, chunk), {})[offset] = score

    def change(self, photo: int, keywords: Collection[int], *, there: bool) -> None:
        """A photo comes into these subtrees, or sets by letters, or leaves them."""
        assert self._branches is not None
        chunk, offset = divmod(photo, CHUNK)
        for keyword in keywords:
            if keyword < 0 or keyword in self._branches:
                self._changes.setdefault((keyword, chunk), {})[offset] = there

    def flush(self, counted: dict[int, int]) -> None:
        """Write what changed. `counted`: keywords whose counts did; the photos are written."""
        assert self._branches is not None
        for (keyword, chunk), photos in self._links.items():
            self._patch_posting(keyword, chunk, photos)
        nodes = self._tree.nodes
        wanted = {
            number
            for number in counted
            if number in nodes and wants_branch(nodes[number], self._least)
        }
        for keyword in (self._branches & counted.keys()) - wanted:
            self._file.do("DELETE FROM branch WHERE keyword = ?", (keyword,))
            self._branches.discard(keyword)
        for (keyword, chunk), changes in self._changes.items():
            if keyword < 0 or keyword in self._branches:
                self._patch_branch(keyword, chunk, changes)
        self._clear()
        # Deepest first: each is made of the postings of its small parts and the bits of its big.
        for keyword in sorted(wanted - self._branches, key=lambda each: -nodes[each].depth):
            self._make_branch(nodes[keyword])

    def _patch_posting(self, keyword: int, chunk: int, changes: dict[int, int]) -> None:
        row = self._file.row(
            "SELECT photos, scores FROM posting WHERE keyword = ? AND chunk = ?", (keyword, chunk)
        )
        offsets: list[int] = []
        scores = bytearray()
        if row is not None:
            offsets = [each - 1 for each in text_offsets(row[0])]
            scores = bytearray(row[1] or bytes(len(offsets)))
        for offset, score in changes.items():
            at = bisect_left(offsets, offset)
            there = at < len(offsets) and offsets[at] == offset
            if score == _GONE:
                if there:
                    del offsets[at], scores[at]
            elif there:
                scores[at] = score
            else:
                offsets.insert(at, offset)
                scores.insert(at, score)
        if offsets:
            kept = bytes(scores) if any(scores) else None
            self._file.do(_PUT_POSTING, (keyword, chunk, offsets_text(offsets), kept))
        else:
            self._file.do("DELETE FROM posting WHERE keyword = ? AND chunk = ?", (keyword, chunk))

    def _patch_branch(self, keyword: int, chunk: int, changes: dict[int, bool]) -> None:
        come = [offset + 1 for offset, there in changes.items() if there]
        gone = [offset + 1 for offset, there in changes.items() if not there]
        row = self._file.row(
            "SELECT photos FROM branch WHERE keyword = ? AND chunk = ?", (keyword, chunk)
        )
        before = b"" if row is None else row[0]
        plain = keyword > 0 and is_plain(self._tree.nodes[keyword])
        with self._file.guard():
            opened = opened_set(before)
        if isinstance(opened, bytes):
            bits = int.from_bytes(opened, "little") | offsets_bits(come, raised=1)
            packed = packed_set(bits & ~offsets_bits(gone, raised=1), plain=plain)
        else:
            # Few photos stay a list: a bitmap would be made of it, and a list of that again.
            places = sorted((set(opened) | set(come)).difference(gone))
            if len(places) < LISTED:
                packed = packed_list(places)
            else:
                packed = packed_set(offsets_bits(places, raised=1), plain=plain)
        if packed != before:
            self._put_branch(keyword, chunk, packed)

    def _put_branch(self, keyword: int, chunk: int, packed: bytes) -> None:
        if packed:
            self._file.do(_PUT_BRANCH, (keyword, chunk, packed))
        else:
            self._file.do("DELETE FROM branch WHERE keyword = ? AND chunk = ?", (keyword, chunk))

    def _make_branch(self, top: Node) -> None:
        assert self._branches is not None
        found: dict[int, int] = defaultdict(int)
        waiting = [top]
        while waiting:
            node = waiting.pop()
            if node.id in self._branches:
                for chunk, photos in self._file.rows(
                    "SELECT chunk, photos FROM branch WHERE keyword = ?", (node.id,)
                ):
                    found[chunk] |= set_bits(photos)
                continue
            waiting.extend(node.children.values())
            for chunk, photos in self._file.rows(
                "SELECT chunk, photos FROM posting WHERE keyword = ?", (node.id,)
            ):
                found[chunk] |= offsets_bits(text_offsets(photos), raised=1)
        for chunk, bits in found.items():
            self._put_branch(top.id, chunk, packed_set(bits, plain=is_plain(top)))
        self._branches.add(top.id)

    # all at once

    def remake(self) -> None:
        """Make all sets from the photos: the end of a mirror's building."""
        self._file.do("DELETE FROM posting")
        self._file.do("DELETE FROM branch")
        self._clear()
        nodes = self._tree.nodes
        deepest = sorted(nodes.values(), key=lambda node: -node.depth)
        wanted = {node.id for node in deepest if wants_branch(node, self._least)}
        # Made chunk by chunk, kept keyword by keyword: sorted once, pages are full and in order.
        for table in ("posting", "branch"):
            self._file.do(f"CREATE TEMP TABLE new_{table} AS SELECT * FROM {table}")
        for chunk in chunks(self._file):
            sets = chunk_sets(self._file, chunk)
            self._file.many(
                "INSERT INTO new_posting VALUES (?, ?, ?, ?)",
                [(keyword, chunk, *said) for keyword, said in sets.postings().items()],
            )
            branches, _ = sets.branches(deepest, wanted)
            self._file.many(
                "INSERT INTO new_branch VALUES (?, ?, ?)",
                [(keyword, chunk, *packed) for keyword, packed in branches.items()],
            )
        for table in ("posting", "branch"):
            self._file.do(f"INSERT INTO {table} SELECT * FROM new_{table} ORDER BY keyword, chunk")
            self._file.do(f"DROP TABLE new_{table}")
        self._branches = wanted


class Least(NamedTuple):
    """With how many photos a keyword has a branch."""

    subtree: int = POSTING_LEAST
    leaf: int = LEAF_LEAST
    """Where no more photos are below it than hold it themselves."""


def wants_branch(node: Node, least: Least) -> bool:
    """Whether a keyword has a branch."""
    return node.below >= (least.subtree if node.below > node.photos else least.leaf)


def is_plain(node: Node) -> bool:
    """Whether the bitmaps of a keyword's branch stay as they are."""
    return node.below == node.photos or node.below >= PLAIN_LEAST


def chunks(file: MirrorFile) -> range:
    """The chunks that have photos."""
    return range(file.number("SELECT max(id) FROM photo") // CHUNK + 1)


class ChunkSets(NamedTuple):
    """All sets of one chunk, made from the photos."""

    photos: dict[int, list[int]]
    """Offsets of the photos that hold a keyword themselves."""
    scores: dict[int, str]
    """As the photos have them: one character for each of the offsets."""
    miscounted: list[tuple[str, int, int]]
    """Name of a photo, how many keywords its row notes, how many it has."""

    def postings(self) -> dict[int, tuple[str, bytes | None]]:
        """Rows of `posting`, by keyword, without keyword and chunk."""
        rows = {}
        for keyword, offsets in self.photos.items():
            said = self.scores[keyword].encode("ascii").translate(_LOWERED)
            rows[keyword] = (offsets_text(offsets), said if any(said) else None)
        return rows

    def branches(
        self, deepest: Iterable[Node], wanted: set[int]
    ) -> tuple[dict[int, tuple[bytes]], dict[int, int]]:
        """Rows of `branch`, and how many photos the subtree of each keyword has.

        `deepest`: all keywords, none before those below it.
        """
        below: dict[int, int] = defaultdict(int)
        for keyword, offsets in self.photos.items():
            below[keyword] = offsets_bits(offsets)
        starts: dict[int, int] = defaultdict(int)
        packed: dict[int, tuple[bytes]] = {}
        counts: dict[int, int] = {}
        for node in deepest:
            bits = below.pop(node.id, 0)
            if not bits:
                continue
            counts[node.id] = bits.bit_count()
            if node.parent is not None:
                below[node.parent.id] |= bits
            if node.id in wanted:
                packed[node.id] = (packed_set(bits, plain=is_plain(node)),)
            for start in node.starts:
                starts[start] |= bits
        return packed | {start: (packed_set(bits),) for start, bits in starts.items()}, counts


_LOWERED = bytes([0, *range(255)])
"""A score's character, which is 2 and more, as the byte in a posting: 1 less."""


def chunk_sets(file: MirrorFile, chunk: int) -> ChunkSets:
    """Read the photos of a chunk."""
    photos: dict[str, list[int]] = defaultdict(list)
    scored: dict[str, list[str]] = defaultdict(list)
    miscounted: list[tuple[str, int, int]] = []
    first = chunk * CHUNK
    for photo, name, keywords, links, scores in file.rows(
        "SELECT id, name, keywords, links, scores FROM photo WHERE id BETWEEN ? AND ?"
        " AND (keywords > 0 OR links <> '') ORDER BY id",
        (first, first + CHUNK - 1),
    ):
        offset = photo - first
        if len(links) != keywords or (scores and len(scores) != keywords):
            miscounted.append((name, keywords, len(links)))
        for keyword, score in zip(links, scores or "\1" * len(links), strict=False):
            photos[keyword].append(offset)
            scored[keyword].append(score)
    return ChunkSets(
        {as_numbers(keyword)[0]: offsets for keyword, offsets in photos.items()},
        {as_numbers(keyword)[0]: "".join(scores) for keyword, scores in scored.items()},
        miscounted,
    )
