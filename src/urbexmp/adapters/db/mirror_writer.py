"""Puts rows into the mirror: each photo is compared with what stands there, and only what
differs is written. Everything that follows from a photo's keywords (counts, postings, full text)
is changed by the difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from urbexmp.adapters.db.link_codes import Link, Odd, packed_links, unpacked_links
from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.mirror_planes import rebuild, refresh
from urbexmp.adapters.db.mirror_postings import Least, Postings
from urbexmp.adapters.db.mirror_standing import Standing, all_stand, is_same, standing
from urbexmp.adapters.db.mirror_tree import KeywordTree, Where
from urbexmp.adapters.db.mirror_values import (
    COLUMNS,
    LINKS,
    LOCATION,
    NAMES,
    VETOES,
    Numbers,
    moment,
    photo_values,
    spelled_name,
    texts_of,
)
from urbexmp.adapters.db.posting_codes import as_text
from urbexmp.model.keyword import fold
from urbexmp.model.mirror import MirrorRow

_SELECT = f"SELECT id, {COLUMNS} FROM photo WHERE folder = ? AND name = ?"
_INSERT = f"INSERT INTO photo (id, {COLUMNS}) VALUES ({', '.join('?' * (len(NAMES) + 1))})"
_UPDATE = f"UPDATE photo SET ({COLUMNS}) = ({', '.join('?' * len(NAMES))}) WHERE id = ?"
_TEXT_OUT = (
    "INSERT INTO photo_text (photo_text, rowid, name, description, text)"
    " VALUES ('delete', ?, ?, ?, ?)"
)
_TEXT_IN = "INSERT INTO photo_text (rowid, name, description, text) VALUES (?, ?, ?, ?)"

_PLAIN: Link = (1, None, None, None)
"""A person's keyword of which there is no more to say."""


class Writer:
    """Holds what one transaction gathers; `forget` drops it with what was cached."""

    def __init__(self, file: MirrorFile, least: Least, *, postings_later: bool) -> None:
        self._file = file
        self._tree = KeywordTree(file)
        self._postings = Postings(file, self._tree, least)
        self._numbers = Numbers(file)
        self._later = postings_later
        file.on_rollback.append(self.forget)
        self.forget()

    def forget(self) -> None:
        """Drop what is in memory."""
        self._next = 0
        self._holding: set[int] | None = None
        self._folder = 0
        self._names: set[str | bytes] | None = None
        self._clear()

    def _clear(self) -> None:
        self._inserts: list[tuple[Any, ...]] = []
        self._updates: list[tuple[Any, ...]] = []
        self._deletes: list[tuple[int]] = []
        self._odd_out: list[tuple[int]] = []
        self._odd_in: list[tuple[Any, ...]] = []
        self._vetoes_out: list[tuple[int, int]] = []
        self._vetoes_in: list[tuple[Any, ...]] = []
        self._texts_out: list[tuple[Any, ...]] = []
        self._texts_in: list[tuple[Any, ...]] = []
        self._touched: set[int] = set()
        self._left_locations: set[int] = set()
        self._left_folders: set[int] = set()

    def _begin(self) -> None:
        self._tree.load()
        if not self._later:
            self._postings.load()
        self._next = self._file.number("SELECT max(id) FROM photo") + 1
        self._load_holding()

    def _load_holding(self) -> set[int]:
        if self._holding is None:
            self._holding = {row[0] for row in self._file.rows("SELECT photo FROM held")}
        return self._holding

    def put(self, rows: Iterable[MirrorRow]) -> int:
        """Make the rows stand; return how many photos differed. Inside a transaction."""
        # The last one counts, should a photo come twice.
        wanted = {str(row.path): row for row in rows}
        numbered = [
            (row, self._numbers.folder(row.path), spelled_name(row.path)) for row in wanted.values()
        ]
        stands = {} if self._later else standing(self._file, numbered)
        if all_stand(numbered, stands, self._load_holding()):
            return 0  # the tree of keywords, half a second of a large library, is not even read
        self._begin()
        changed = sum([self._put(*each, stands) for each in numbered])
        self._flush()
        return changed

    def remove(self, paths: Iterable[Path]) -> int:
        """Take photos out; return how many there were. Inside a transaction."""
        self._begin()
        removed = sum([self._remove(path) for path in dict.fromkeys(paths)])
        self._flush()
        return removed

    # one photo

    def _put(self, row: MirrorRow, folder: int, name: str | bytes, stands: Standing) -> bool:
        before = None
        known = stands.get((folder, name))
        if known is not None:
            if is_same(row, known):
                return self._hold(known[0], row)
            before = self._file.row(_SELECT, (folder, name))
        elif self._later and self._met(folder, name):
            before = self._file.row(_SELECT, (folder, name))
        if before is None and not row.vetoed and self._put_plain(row, folder, name):
            return True
        links = self._links(row)
        vetoes = dict([self._tree.find(keyword) for keyword in row.vetoed]) if row.vetoed else {}
        columns, odd = packed_links(links)
        values = photo_values(row, folder, name, self._numbers, columns, len(vetoes), len(odd))
        old_links: dict[int, Link] = {}
        old_vetoes: dict[int, int | None] = {}
        if before is None:
            photo = self._next
            self._next += 1
            self._inserts.append((photo, *values))
            changed = True
        else:
            photo = before[0]
            old_links, old_vetoes = self.stored(before)
            changed = before[1:] != values or old_links != links or old_vetoes != vetoes
            if before[1:] != values:
                self._updates.append((*values, photo))
                if before[LOCATION] != values[LOCATION - 1] and before[LOCATION]:
                    self._left_locations.add(before[LOCATION])
        held = self._hold(photo, row)
        if not changed:
            return held
        self._touched.add(photo)
        self._difference(photo, old_links, links, old_vetoes, vetoes)
        self._odd(photo, before is not None and before[-1] > 0, odd)
        same = old_links.keys() == links.keys()
        if not self._later:
            self._postings.link(photo, old_links, links)
        if not same:
            closures = self._tree.closure(old_links), self._tree.closure(links)
            self._count(photo, old_links.keys(), links.keys(), *closures)
        if before is None:
            self._texts_in.append(_text(photo, name, *texts_of((photo, *values))))
        elif texts_of(before) != texts_of((photo, *values)):
            self._texts_out.append(_text(photo, name, *texts_of(before)))
            self._texts_in.append(_text(photo, name, *texts_of((photo, *values))))
        return True

    def _put_plain(self, row: MirrorRow, folder: int, name: str | bytes) -> bool:
        """A new photo whose keywords are all a person's, as usually spelled: most of an index.

        Whether it was one; else nothing was done.
        """
        plain = self._tree.plain
        try:
            numbers = {plain[id(each)][1] for each in row.keywords}
        except KeyError:
            numbers = set()
            for each in row.keywords:
                number = self._tree.plainly(each)
                if number is None:
                    return False
                numbers.add(number)
        if len(numbers) != len(row.keywords):
            return False
        photo = self._next
        self._next += 1
        ordered = sorted(numbers)
        columns = (as_text(ordered), "", "", None)
        values = photo_values(row, folder, name, self._numbers, columns, 0, 0)
        self._inserts.append((photo, *values))
        if row.held:
            self._hold(photo, row)
        self._touched.add(photo)
        closure = self._tree.closure(ordered)
        self._tree.count_plain(ordered, closure)
        if not self._later:
            self._postings.link(photo, {}, dict.fromkeys(ordered, _PLAIN))
            self._postings.change(photo, closure | self._tree.starts(closure), there=True)
        self._texts_in.append(_text(photo, name, *texts_of((photo, *values))))
        return True

    def _met(self, folder: int, name: str | bytes) -> bool:
        """Whether a photo may stand there already, where a mirror is built folder by folder."""
        if folder != self._folder:
            self._folder = folder
            self._names = set() if self._numbers.is_new(folder) else None
        if self._names is None or name in self._names:
            return True
        self._names.add(name)
        return False

    def _remove(self, path: Path) -> bool:
        folder, name = self._numbers.folder(path, new=False), spelled_name(path)
        before = self._file.row(_SELECT, (folder, name))
        if before is None:
            return False
        photo = before[0]
        links, vetoes = self.stored(before)
        self._difference(photo, links, {}, vetoes, {})
        self._odd(photo, before[-1] > 0, {})
        if not self._later:
            self._postings.link(photo, links, {})
        closure = self._tree.closure(links)
        self._count(photo, links.keys(), set(), closure, set())
        self._texts_out.append(_text(photo, name, *texts_of(before)))
        self._deletes.append((photo,))
        self._touched.add(photo)
        self._left_folders.add(folder)
        if before[LOCATION]:
            self._left_locations.add(before[LOCATION])
        assert self._holding is not None
        if photo in self._holding:
            self._holding.discard(photo)
            self._file.do("DELETE FROM held WHERE photo = ?", (photo,))
        return True

    def stored(self, before: tuple[Any, ...]) -> tuple[dict[int, Link], dict[int, int | None]]:
        """Links and vetoes of a photo as they stand."""
        odd: Odd = {}
        if before[-1]:
            odd = {
                keyword: (at, spelling)
                for keyword, at, spelling in self._file.rows(
                    "SELECT keyword, at, spelling FROM odd_link WHERE photo = ?", (before[0],)
                )
            }
        links = unpacked_links(before[LINKS : LINKS + 4], odd)
        vetoes: dict[int, int | None] = {}
        if before[VETOES]:
            vetoes = dict(
                self._file.rows("SELECT keyword, spelling FROM veto WHERE photo = ?", (before[0],))
            )
        return links, vetoes

    def _links(self, row: MirrorRow) -> dict[int, Link]:
        links: dict[int, Link] = {}
        where, find = self._tree.where, self._tree.find
        for each in row.keywords:
            number, spelling = where.get(each.keyword.path) or find(each.keyword)
            if each.stage or each.source != "person" or each.profile or each.at:
                origin = self._numbers.origin(each.source, each.stage, each.model, each.profile)
                links[number] = (origin, each.score, moment(each.at), spelling)
            else:
                links[number] = (1, each.score, None, spelling)
        return links

    def _difference(
        self,
        photo: int,
        old_links: dict[int, Link],
        links: dict[int, Link],
        old_vetoes: dict[int, int | None],
        vetoes: dict[int, int | None],
    ) -> None:
        use = self._tree.use
        if not old_links and not old_vetoes and not vetoes:  # most of an index: a shorter way
            self._tree.use_all([(number, new[3]) for number, new in links.items()])
            return
        for number, old in old_links.items():
            new = links.get(number)
            if new is None or new[3] != old[3]:
                use((number, old[3]), -1)
        for number, new in links.items():
            stood = old_links.get(number)
            if stood is None or stood[3] != new[3]:
                use((number, new[3]), 1)
        if old_vetoes == vetoes:
            return
        for where in old_vetoes.items() - vetoes.items():
            self._vetoes_out.append((photo, where[0]))
            use(where, -1)
        for where in vetoes.items() - old_vetoes.items():
            self._vetoes_in.append((photo, *where))
            use(where, 1)

    def _odd(self, photo: int, stood: bool, odd: Odd) -> None:
        if stood:
            self._odd_out.append((photo,))
        self._odd_in += [(photo, keyword, *each) for keyword, each in odd.items()]

    def _count(
        self,
        photo: int,
        old: AbstractSet[int],
        new: AbstractSet[int],
        old_closure: set[int],
        closure: set[int],
    ) -> None:
        tree = self._tree
        come, gone = closure - old_closure, old_closure - closure
        tree.count(new - old, come, 1)
        tree.count(old - new, gone, -1)
        if not self._later:
            letters, old_letters = tree.starts(closure), tree.starts(old_closure)
            self._postings.change(photo, come | letters - old_letters, there=True)
            self._postings.change(photo, gone | old_letters - letters, there=False)

    def _hold(self, photo: int, row: MirrorRow) -> bool:
        assert self._holding is not None
        if not row.held and photo not in self._holding:
            return False
        wanted = sorted((str(each.keyword), each.confidence, each.reason) for each in row.held)
        stands = self._file.rows(
            "SELECT keyword_path, confidence, reason FROM held WHERE photo = ?"
            " ORDER BY keyword_path",
            (photo,),
        )
        if wanted == stands:
            return False
        self._touched.add(photo)
        self._file.do("DELETE FROM held WHERE photo = ?", (photo,))
        self._file.many(
            "INSERT OR REPLACE INTO held (photo, keyword_path, confidence, reason)"
            " VALUES (?, ?, ?, ?)",
            [(photo, *each) for each in wanted],
        )
        (self._holding.add if wanted else self._holding.discard)(photo)
        return True

    # all together

    def _flush(self) -> None:
        file = self._file
        # Who builds a whole mirror writes the tree once, at the end.
        below = {} if self._later else self._tree.flush()
        file.many("DELETE FROM photo WHERE id = ?", self._deletes)
        file.many(_INSERT, self._inserts)
        file.many(_UPDATE, self._updates)
        file.many("DELETE FROM odd_link WHERE photo = ?", self._odd_out)
        file.many(
            "INSERT INTO odd_link (photo, keyword, at, spelling) VALUES (?, ?, ?, ?)", self._odd_in
        )
        file.many("DELETE FROM veto WHERE photo = ? AND keyword = ?", self._vetoes_out)
        file.many(
            "INSERT OR REPLACE INTO veto (photo, keyword, spelling) VALUES (?, ?, ?)",
            self._vetoes_in,
        )
        file.many(_TEXT_OUT, self._texts_out)
        file.many(_TEXT_IN, self._texts_in)
        if not self._later:
            self._postings.flush(below)
            refresh(file, self._touched)
        self._numbers.leave(self._left_folders, self._left_locations)
        self._clear()

    def write_tree(self) -> None:
        """The end of building: all keywords at once. Inside a transaction."""
        self._tree.load()
        self._tree.flush()

    def remake_postings(self) -> None:
        """After that, when the indexes stand: all postings and planes. Inside a transaction."""
        self._tree.load()
        self._postings.remake()
        rebuild(self._file)

    def spelled(self, where: Where) -> tuple[str, ...]:
        """The path as one link spells it."""
        self._tree.load()
        return self._tree.spelled(where)


def _text(photo: int, name: str | bytes, description: str, text: str) -> tuple[Any, ...]:
    """What the full-text index has of a photo."""
    shown = name if isinstance(name, str) else name.decode("utf-8", "replace")
    return photo, fold(shown), description and fold(description), text and fold(text)
