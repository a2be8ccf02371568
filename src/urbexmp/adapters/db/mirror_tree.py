"""The mirror's keyword tree in the writer's memory: numbers, counts, spellings.

Each of its counts changes by what a photo's keywords change by, so none is ever counted anew.

Libraries spell one keyword in two ways. A node is shown as most of the links and vetoes below it
spell it, the first in the alphabet where two are as many: that depends on what the photos hold
and not on the order in which they came, so a mirror built anew shows the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.posting_codes import start_codes
from urbexmp.model.keyword import SEPARATOR, Keyword
from urbexmp.model.mirror import PERSON, MirrorKeyword

MOST_PLAIN = 1 << 16
MOST_GATHERED = 1 << 16

Where = tuple[int, int | None]
"""Number of a keyword; number of the spelling, None for the keyword's first one."""


@dataclass(slots=True, eq=False)
class Node:
    """One keyword of the tree."""

    id: int
    parent: Node | None
    name: str
    folded: str
    depth: int
    """1 for a root."""
    closure: tuple[int, ...]
    """Numbers of the ancestors from the root down, and its own."""
    word: str
    """Folded name: what the full-text index holds, whatever the spelling."""
    photos: int = 0
    below: int = 0
    names: dict[str, int] = field(default_factory=dict)
    """How many links and vetoes at or below it spell its name in each way."""
    children: dict[int, Node] = field(default_factory=dict)
    spellings: list[Spelling] = field(default_factory=list)
    """Of the whole path, in the order they were met; links to the first one are the usual."""
    _starts: frozenset[int] | None = None

    @property
    def path(self) -> str:
        """`A|B|C` as shown."""
        return self.name if self.parent is None else f"{self.parent.path}{SEPARATOR}{self.name}"

    @property
    def starts(self) -> frozenset[int]:
        """Numbers of the sets of photos by how the words of its name begin."""
        if self._starts is None:
            self._starts = start_codes(self.word)
        return self._starts

    @property
    def alive(self) -> bool:
        """Whether anything at or below it is held or refused by a photo."""
        return any(self.names.values())


@dataclass(slots=True, eq=False)
class Spelling:
    """One spelling of a whole path, and how many links and vetoes use it."""

    id: int
    node: Node
    path: tuple[str, ...]
    uses: int = 0


class KeywordTree:
    """The tree, loaded when it is first needed and dropped with a transaction that fails."""

    def __init__(self, file: MirrorFile) -> None:
        self._file = file
        file.on_rollback.append(self.forget)
        self.forget()

    def forget(self) -> None:
        """Drop all; the next use reads the file again."""
        self.nodes: dict[int, Node] = {}
        self.where: dict[tuple[str, ...], Where] = {}
        self.plain: dict[int, tuple[MirrorKeyword, int]] = {}
        """Numbers of a person's keywords in the first spelling, by the identity of the object:
        photos share them, and to work out what a path is costs more than all else of a link."""
        self._closures: dict[int, tuple[int, ...]] = {}
        self._by_folded: dict[str, Node] = {}
        self._spellings: dict[int, Spelling] = {}
        self._next_node = self._next_spelling = 1
        self._loaded = False
        self._clear()

    def _clear(self) -> None:
        self._uses: Counter[Where] = Counter()
        self._plain: Counter[int] = Counter()
        self._plain_gathered: list[int] = []
        self._below_gathered: list[int] = []
        self._photos: Counter[int] = Counter()
        self._below: Counter[int] = Counter()
        self._new: list[Node] = []
        self._new_spellings: list[Spelling] = []

    def load(self) -> None:
        """Read the tree, unless it is there."""
        if self._loaded:
            return
        self._loaded = True
        for number, parent, name, folded, photos, below in self._file.rows(
            "SELECT id, parent, name, folded, photos, below FROM keyword ORDER BY depth"
        ):
            self._add(number, self.nodes.get(parent), name, folded, photos, below)
        for number, keyword, path, uses in self._file.rows(
            "SELECT id, keyword, path, uses FROM spelling ORDER BY id"
        ):
            spelling = self._spell(number, self.nodes[keyword], tuple(path.split(SEPARATOR)))
            self._use(spelling, uses)
        self._next_node = max(self.nodes, default=0) + 1
        self._next_spelling = max(self._spellings, default=0) + 1

    def _add(
        self, number: int, parent: Node | None, name: str, folded: str, photos: int, below: int
    ) -> Node:
        above = parent.closure if parent is not None else ()
        node = Node(
            number,
            parent,
            name,
            folded,
            len(above) + 1,
            (*above, number),
            folded.rpartition(SEPARATOR)[2],
            photos,
            below,
        )
        self.nodes[number] = node
        self._closures[number] = node.closure
        self._by_folded[folded] = node
        if parent is not None:
            parent.children[number] = node
        return node

    def _spell(self, number: int, node: Node, path: tuple[str, ...]) -> Spelling:
        spelling = Spelling(number, node, path)
        self._spellings[number] = spelling
        node.spellings.append(spelling)
        self.where[path] = (node.id, None if node.spellings[0] is spelling else number)
        return spelling

    def _use(self, spelling: Spelling, more: int) -> None:
        spelling.uses += more
        node: Node | None = spelling.node
        for name in reversed(spelling.path):
            assert node is not None
            node.names[name] = node.names.get(name, 0) + more
            if not node.names[name]:
                del node.names[name]
            node = node.parent

    # asked by the writer

    def find(self, keyword: Keyword) -> Where:
        """Number of a keyword and of its spelling; new ones are given one."""
        known = self.where.get(keyword.path)
        if known is not None:
            return known
        node: Node | None = None
        for depth, name in enumerate(keyword.path, 1):
            folded = SEPARATOR.join(keyword.key[:depth])
            found = self._by_folded.get(folded)
            if found is None:
                found = self._add(self._next_node, node, name, folded, 0, 0)
                self._next_node += 1
                self._new.append(found)
            node = found
        assert node is not None
        spelling = self._spell(self._next_spelling, node, keyword.path)
        self._next_spelling += 1
        self._new_spellings.append(spelling)
        return self.where[keyword.path]

    def spelled(self, where: Where) -> tuple[str, ...]:
        """The path as one link spells it."""
        number, spelling = where
        if spelling is not None:
            return self._spellings[spelling].path
        return self.nodes[number].spellings[0].path

    def closure(self, keywords: Iterable[int]) -> set[int]:
        """The keywords and all that are above them."""
        return set().union(*map(self._closures.__getitem__, keywords))

    def plainly(self, each: MirrorKeyword) -> int | None:
        """Number of a keyword that needs no more to be said of its link than that it is there.

        None: it is not a person's, or another spelling of one that is known.
        """
        known = self.plain.get(id(each))
        if known is not None:
            return known[1]
        if each.source != PERSON or each.score is not None:
            return None
        if each.stage or each.model or each.profile or each.at:
            return None
        number, spelling = self.find(each.keyword)
        if spelling is not None:
            return None
        if len(self.plain) >= MOST_PLAIN:
            self.plain.clear()
        # With the object, so that no other one can get its identity.
        self.plain[id(each)] = (each, number)
        return number

    def count_plain(self, photos: Collection[int], below: Collection[int]) -> None:
        """A photo comes with these keywords, each in its first spelling, and their subtrees."""
        # Counted together when there are many: to begin to count takes longer than to count.
        self._plain_gathered += photos
        self._below_gathered += below
        if len(self._below_gathered) > MOST_GATHERED:
            self._count_gathered()

    def _count_gathered(self) -> None:
        self._plain.update(self._plain_gathered)
        self._below.update(self._below_gathered)
        self._plain_gathered.clear()
        self._below_gathered.clear()

    def count(self, photos: Collection[int], below: Collection[int], by: int) -> None:
        """A photo gets (1) or loses (-1) these keywords itself, and these in its subtrees."""
        if by == 1:
            # Counted in C: most of what an index costs here.
            self._photos.update(photos)
            self._below.update(below)
        elif photos or below:
            self._photos.subtract(photos)
            self._below.subtract(below)

    def use(self, where: Where, by: int) -> None:
        """A link or veto with this spelling comes (1) or goes (-1)."""
        self._uses[where] += by

    def use_all(self, wheres: Iterable[Where]) -> None:
        """Links with these spellings come."""
        self._uses.update(wheres)

    def subtree(self, number: int) -> list[int]:
        """A keyword and all below it."""
        found, waiting = [], [self.nodes[number]]
        while waiting:
            node = waiting.pop()
            found.append(node.id)
            waiting.extend(node.children.values())
        return found

    def starts(self, keywords: Iterable[int]) -> set[int]:
        """How the words of these keywords begin."""
        nodes = self.nodes
        return set().union(*[nodes[number].starts for number in keywords])

    # written

    def flush(self) -> dict[int, int]:
        """Write what changed; return the new `below` of the keywords whose counts changed.

        One that nothing holds or refuses any more is taken out, and has 0.
        """
        self._count_gathered()
        for number, more in self._plain.items():
            self._uses[number, None] += more
            self._photos[number] += more
        touched: dict[int, Node] = {node.id: node for node in self._new}
        changed_spellings: dict[int, Spelling] = {}
        for (number, spelling_number), more in self._uses.items():
            if not more:
                continue
            node = self.nodes[number]
            spelling = (
                node.spellings[0] if spelling_number is None else self._spellings[spelling_number]
            )
            self._use(spelling, more)
            changed_spellings[spelling.id] = spelling
            touched.update((above, self.nodes[above]) for above in node.closure)
        changed: dict[int, Node] = {node.id: node for node in self._new}
        for counts, name in ((self._photos, "photos"), (self._below, "below")):
            for number, more in counts.items():
                if more:
                    node = self.nodes[number]
                    setattr(node, name, getattr(node, name) + more)
                    changed[number] = node
        result = {
            number: self.nodes[number].below
            for counts in (self._below, self._photos)
            for number, by in counts.items()
            if by
        }
        self._rename(touched.values(), changed)
        self._write(touched.values(), changed, changed_spellings)
        self._clear()
        return result

    def _rename(self, touched: Iterable[Node], changed: dict[int, Node]) -> None:
        for node in touched:
            if not node.names:
                continue
            if len(node.names) == 1 and node.name in node.names:
                continue
            best = min(node.names, key=lambda name: (-node.names[name], name))
            if best != node.name:
                node.name = best
                changed.update((below, self.nodes[below]) for below in self.subtree(node.id))

    def _write(
        self,
        touched: Iterable[Node],
        changed: dict[int, Node],
        changed_spellings: dict[int, Spelling],
    ) -> None:
        file = self._file
        new = {node.id for node in self._new}
        dead = [node for node in touched if not node.alive]
        gone = [node.id for node in dead if node.id not in new]
        spelled = {each.node.id: each.node for each in changed_spellings.values()}
        idle = [
            spelling
            for node in spelled.values()
            if not any(each.uses for each in node.spellings)
            for spelling in node.spellings
        ]
        unsaved = {spelling.id for spelling in self._new_spellings}
        for spelling in idle:
            self._drop_spelling(spelling)
        file.many("DELETE FROM spelling WHERE id = ?", [(each.id,) for each in idle])
        file.many("DELETE FROM keyword WHERE id = ?", [(number,) for number in gone])
        file.many(
            "INSERT INTO keyword_name (keyword_name, rowid, name) VALUES ('delete', ?, ?)",
            [(node.id, node.word) for node in dead if node.id not in new],
        )
        for node in dead:
            self._drop(node)
        # In the order of the text indexes, which then grow at their end.
        living = sorted(
            [node for node in self._new if node.id in self.nodes], key=lambda node: node.folded
        )
        file.many(
            "INSERT INTO keyword (id, parent, name, path, folded, depth, photos, below)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(node.id, node.parent.id if node.parent is not None else None),
                    *(node.name, node.path, node.folded, node.depth, node.photos, node.below),
                )
                for node in living
            ],
        )
        file.many(
            "INSERT INTO keyword_name (rowid, name) VALUES (?, ?)",
            # Full text wants its numbers in order.
            sorted([(node.id, node.word) for node in living]),
        )
        file.many(
            "UPDATE keyword SET name = ?, path = ?, photos = ?, below = ? WHERE id = ?",
            [
                (node.name, node.path, node.photos, node.below, node.id)
                for node in changed.values()
                if node.id not in new and node.id in self.nodes
            ],
        )
        file.many(
            "INSERT OR REPLACE INTO spelling (id, keyword, path, uses) VALUES (?, ?, ?, ?)",
            [
                (each.id, each.node.id, SEPARATOR.join(each.path), each.uses)
                for each in {
                    **changed_spellings,
                    **{n: self._spellings[n] for n in unsaved if n in self._spellings},
                }.values()
                if each.id in self._spellings
            ],
        )

    def _drop(self, node: Node) -> None:
        for spelling in list(node.spellings):
            self._drop_spelling(spelling)
        del self.nodes[node.id]
        del self._closures[node.id]
        del self._by_folded[node.folded]
        if node.parent is not None:
            node.parent.children.pop(node.id, None)

    def _drop_spelling(self, spelling: Spelling) -> None:
        self.plain.clear()
        spelling.node.spellings.remove(spelling)
        del self.where[spelling.path]
        del self._spellings[spelling.id]
