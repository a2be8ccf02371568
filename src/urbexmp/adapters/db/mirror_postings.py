"""Postings: for a keyword with many photos in its subtree, a bitmap of their numbers.

Bit `n % 8` of byte `n // 8` stands for photo `n`, so `int.from_bytes(bits, "little")` has bit `n`
set. AND, OR, NOT and counts over a million photos are then single operations on integers.
"""

from __future__ import annotations

from collections.abc import Iterable

from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.mirror_tree import KeywordTree

SPARE = 1024
"""Bytes that a posting is made longer than it needs to be, and an eighth of its size."""


class Postings:
    """Keeps the postings as the photos change: exactly the keywords with enough photos have one."""

    def __init__(self, file: MirrorFile, tree: KeywordTree, least: int) -> None:
        self._file = file
        self._tree = tree
        self._least = least
        file.on_rollback.append(self.forget)
        self.forget()

    def forget(self) -> None:
        """Drop what is in memory."""
        self._sizes: dict[int, int] | None = None
        self._changes: dict[int, dict[int, bool]] = {}

    def load(self) -> None:
        """Learn which keywords have one, unless that is known."""
        if self._sizes is None:
            self._sizes = dict(self._file.rows("SELECT keyword, length(bits) FROM posting"))

    def change(self, photo: int, keywords: Iterable[int], *, there: bool) -> None:
        """A photo comes into the subtrees of these keywords, or leaves them."""
        assert self._sizes is not None
        for keyword in self._sizes.keys() & keywords:
            self._changes.setdefault(keyword, {})[photo] = there

    def flush(self, below: dict[int, int]) -> None:
        """Write what changed. `below`: photos in the subtrees that changed; links are written."""
        assert self._sizes is not None
        for keyword in self._sizes.keys() & below.keys():
            if below[keyword] < self._least:
                self._file.do("DELETE FROM posting WHERE keyword = ?", (keyword,))
                del self._sizes[keyword]
                self._changes.pop(keyword, None)
        for keyword, changes in self._changes.items():
            self._patch(keyword, changes)
        self._changes = {}
        grown = [
            keyword
            for keyword, photos in below.items()
            if photos >= self._least and keyword not in self._sizes
        ]
        self._make_all(grown)

    def _patch(self, keyword: int, changes: dict[int, bool]) -> None:
        assert self._sizes is not None
        most = max(changes) // 8 + 1
        if most > self._sizes[keyword]:
            row = self._file.row("SELECT bits FROM posting WHERE keyword = ?", (keyword,))
            assert row is not None
            size = most + most // 8 + SPARE
            bits = row[0] + bytes(size - len(row[0]))
            self._file.do("UPDATE posting SET bits = ? WHERE keyword = ?", (bits, keyword))
            self._sizes[keyword] = size
        by_byte: dict[int, tuple[int, int]] = {}
        for photo, there in changes.items():
            keep, add = by_byte.get(photo // 8, (0xFF, 0))
            bit = 1 << photo % 8
            by_byte[photo // 8] = (keep, add | bit) if there else (keep & ~bit, add)
        self._file.patch("posting", "bits", keyword, by_byte)

    def _make_all(self, keywords: Iterable[int]) -> None:
        """Deepest first: each is made of the links of its small parts and the bits of its big."""
        for keyword in sorted(keywords, key=lambda each: -self._tree.nodes[each].depth):
            self._make(keyword)

    def _make(self, keyword: int) -> None:
        assert self._sizes is not None
        most = self._file.number("SELECT max(id) FROM photo") // 8 + 1
        bits = bytearray(most + most // 8 + SPARE)
        waiting = [self._tree.nodes[keyword]]
        parts: list[int] = []
        while waiting:
            node = waiting.pop()
            if node.id in self._sizes and node.id != keyword:
                parts.append(node.id)
                continue
            waiting.extend(node.children.values())
            for (photo,) in self._file.rows("SELECT photo FROM link WHERE keyword = ?", (node.id,)):
                bits[photo >> 3] |= 1 << (photo & 7)
        whole = int.from_bytes(bits, "little")
        for part in parts:
            row = self._file.row("SELECT bits FROM posting WHERE keyword = ?", (part,))
            assert row is not None
            whole |= int.from_bytes(row[0], "little")
        # A part can be longer, by spare bytes that are all zero.
        self._file.do(
            "INSERT OR REPLACE INTO posting (keyword, bits) VALUES (?, ?)",
            (keyword, whole.to_bytes(len(bits), "little")),
        )
        self._sizes[keyword] = len(bits)

    def remake(self) -> None:
        """Make all postings from the links: the end of a mirror's building."""
        self._file.do("DELETE FROM posting")
        self._sizes, self._changes = {}, {}
        big = self._file.rows("SELECT id FROM keyword WHERE below >= ?", (self._least,))
        self._make_all(int(row[0]) for row in big)
