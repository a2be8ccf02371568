"""From the tree of an expression to sets of photos.

Every term is planned by what it costs, `_COST`, so that the cheap ones cut the work of the others.
Nothing of an expression becomes part of a statement: values are bound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

from urbexmp.adapters.db.ask_match import (
    begins,
    begun_by_two,
    full_text,
    in_folder,
    is_word,
    name_test,
    spans,
    spelling,
    text_end,
)
from urbexmp.adapters.db.ask_planes import Coded, Plane, Planes
from urbexmp.adapters.db.ask_sets import (
    All,
    Branches,
    Either,
    Given,
    Listed,
    Posted,
    Scored,
    listed,
)
from urbexmp.adapters.db.mirror_schema import LEAF_LEAST
from urbexmp.adapters.db.plane_codes import EXISTS, LAST_DAY_CODE, STATUSES, day_code
from urbexmp.adapters.db.posting_codes import plain_words, start_code
from urbexmp.model.folding import SEPARATOR, fold
from urbexmp.rules.query import (
    And,
    Everything,
    HasTerm,
    KeywordTerm,
    Not,
    NumberTerm,
    Or,
    Query,
    TextTerm,
    WordTerm,
)
from urbexmp.rules.query_values import text_words

if TYPE_CHECKING:
    from urbexmp.adapters.db.ask_sets import Photos

_NUMBER_WIDTH = 7
_DAY_WIDTH = LAST_DAY_CODE.bit_length()


class Held(NamedTuple):
    """A keyword that the library holds."""

    id: int
    folded: str
    photos: int
    below: int


class Finder:
    """Plans expressions over one mirror."""

    leaf_least = LEAF_LEAST
    """From so many photos on a set of a keyword with nothing below it is looked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.planes = Planes(connection)

    def plan(self, query: Query) -> Photos:
        """The set of photos that an expression means."""
        if isinstance(query, And):
            return self._all(query.parts)
        if isinstance(query, Or):
            return Either([self.plan(part) for part in query.parts])
        if isinstance(query, Not):
            return All([Plane(self.planes, EXISTS)], [self.plan(query.part)])
        if isinstance(query, KeywordTerm):
            return self._keyword(query)
        if isinstance(query, NumberTerm):
            return self._number(query)
        if isinstance(query, WordTerm):
            return self._word(query)
        if isinstance(query, HasTerm):
            return Plane(self.planes, f"has:{query.what}")
        if isinstance(query, TextTerm):
            return self._text(query)
        assert isinstance(query, Everything)
        return Plane(self.planes, EXISTS)

    def _all(self, parts: Sequence[Query]) -> Photos:
        """The cheap parts first, and of these the rare ones: much ends with the first."""
        planned = [(_cost(part), self.plan(part)) for part in parts if not isinstance(part, Not)]
        planned.sort(key=lambda each: (each[0], each[1].expected))
        without = sorted([part.part for part in parts if isinstance(part, Not)], key=_cost)
        return All(
            [part for _, part in planned] or [Plane(self.planes, EXISTS)],
            [self.plan(part) for part in without],
        )

    # --- Keywords ------------------------------------------------------------------------------

    def named(self, names: Sequence[str], *, prefix: bool) -> list[Held]:
        """Keywords whose path ends with a run of names, the last perhaps only begun."""
        folded = [fold(name) for name in names]
        asked = SEPARATOR.join(folded)
        begun = plain_words(folded[-1])

        def fits(path: str) -> bool:
            if not prefix:
                return path == asked or path.endswith(SEPARATOR + asked)
            run = path.split(SEPARATOR)[-len(folded) :]
            return run[:-1] == folded[:-1] and begins(run[-1], folded[-1], begun)

        sql = "SELECT id, folded, photos, below FROM keyword"
        values: tuple[str, ...] = ()
        words = text_words(folded[-1])
        # The index over names splits words as our own splitting does only for plain letters.
        if words and folded[-1].isascii():
            sql += " WHERE id IN (SELECT rowid FROM keyword_name WHERE keyword_name MATCH ?)"
            glued = prefix and folded[-1][-1].isalnum()
            values = (full_text(words, prefix=glued),)
        return [keyword for keyword in self._held(sql, values) if fits(keyword.folded)]

    def _held(self, sql: str, values: Sequence[str]) -> list[Held]:
        return [Held(*row) for row in self.connection.execute(sql, values)]

    def subtree(self, keywords: Iterable[Held], *, whole: bool = False) -> list[int]:
        """Ids of keywords and all below them; unless `whole`, those only that add photos."""
        ids = {keyword.id for keyword in keywords}
        # Where all photos of a subtree hold its root, those below it add none.
        roots = [one.id for one in keywords if whole or one.below > one.photos]
        ids.update(
            row[0]
            for row in self.connection.execute(
                "SELECT keyword.id FROM json_each(?) AS wanted"
                " JOIN keyword AS root ON root.id = wanted.value"
                " JOIN keyword ON keyword.folded > root.folded || '|'"
                " AND keyword.folded < root.folded || '}'",
                (listed(roots),),
            )
        )
        return sorted(ids)

    def _keyword(self, term: KeywordTerm) -> Photos:
        start = begun_by_two(term)
        if start is not None:
            return Branches(self.connection, (start,))
        held = self.named(term.names, prefix=term.prefix)
        if not held or term.low > term.high:
            return Given(())
        if term.vetoed:
            return Vetoed(self.connection, self.subtree(held, whole=True))
        if term.scored:
            ids = self.subtree(held, whole=True) if term.below else [one.id for one in held]
            return Scored(self.planes, self._family(term, held), ids, (term.low, term.high))
        return self._family(term, held)

    def _family(self, term: KeywordTerm, held: Sequence[Held]) -> Photos:
        """All photos with these keywords, whatever the score."""
        if not term.below:
            return self._linked([one.id for one in held], sum(one.photos for one in held))
        return self._subtrees(held)

    def _subtrees(self, held: Sequence[Held]) -> Photos:
        """By the set of the subtree where there is one, the others by their own."""
        paths = {one.folded for one in held}
        tops = [one for one in held if not _within(one.folded, paths)]
        big = {
            row[0]
            for row in self.connection.execute(
                "SELECT value FROM json_each(?)"
                " WHERE EXISTS (SELECT 1 FROM branch WHERE keyword = value)",
                (
                    listed(
                        [
                            one.id
                            for one in tops
                            if one.below > one.photos or one.photos >= self.leaf_least
                        ]
                    ),
                ),
            )
        }
        parts: list[Photos] = []
        if big:
            expected = sum([one.below for one in tops if one.id in big])
            parts.append(Branches(self.connection, sorted(big), expected))
        rest = [one for one in tops if one.id not in big]
        if rest:
            expected = sum(one.below for one in rest)
            parts.append(self._linked(self.subtree(rest), expected))
        return parts[0] if len(parts) == 1 else Either(parts)

    def _linked(self, ids: Sequence[int], expected: int) -> Photos:
        return Posted(self.connection, ids, expected)

    # --- Fields --------------------------------------------------------------------------------

    def _number(self, term: NumberTerm) -> Photos:
        if term.low > term.high:
            return Given(())
        if term.field == "taken":
            span = (day_code(term.low), day_code(term.high))
            return Coded(self.planes, "taken", _DAY_WIDTH, (span,))
        span = (term.low + 1, term.high + 1)
        return Coded(self.planes, term.field, _NUMBER_WIDTH, (span,))

    def _word(self, term: WordTerm) -> Photos:
        if term.field == "folder":
            return self._folder(term)
        if term.field == "name":
            return self._name(term)
        if term.field == "source":
            return Plane(self.planes, f"source:{term.text}")
        if term.field == "stage":
            stages = self.connection.execute("SELECT DISTINCT stage FROM origin WHERE stage <> ''")
            named = [stage for (stage,) in stages if is_word(stage, term)]
            return Either([Plane(self.planes, f"stage:{stage}") for stage in named])
        if term.field == "status":
            # The one field that changes without its photo: it is in no plane, but few are open.
            open_now = (
                "SELECT id FROM photo INDEXED BY photo_open"
                " WHERE id BETWEEN ? AND ? AND status <> 0"
            )
            if term.text == "completed":
                every = Plane(self.planes, EXISTS)
                return All([every], [Listed(self.connection, open_now)])
            return Listed(
                self.connection, f"{open_now} AND status = ?", (STATUSES.get(term.text, -1),)
            )
        rows = self.connection.execute("SELECT code, word FROM word WHERE field = ?", (term.field,))
        return self._coded(term.field, rows, lambda word: is_word(word, term))

    def _folder(self, term: WordTerm) -> Photos:
        """SQL finds the folders; names that are no text, and parts of names, are looked at."""
        wanted = term.text + ("" if term.ends_open or not term.text else "/")
        if term.starts_open or not term.text:
            sql, values = "instr(path || '/', ?)", [wanted]
        else:
            sql = "path >= ? AND path < ? OR path = ?"
            values = [wanted, text_end(wanted), wanted.removesuffix("/")]
        rows = self.connection.execute(
            f"SELECT id, path FROM folder WHERE ({sql}) AND typeof(path) = 'text'", values
        )
        if term.starts_open:
            codes = [code for code, path in rows if in_folder(path, term)]
        else:
            codes = [code for code, _ in rows]
        # In an index every blob stands behind every text.
        rows = self.connection.execute("SELECT id, path FROM folder WHERE path >= x''")
        codes += [code for code, path in rows if in_folder(spelling(path), term)]
        codes.sort()
        highest = self.connection.execute("SELECT max(id) FROM folder").fetchone()[0] or 0
        return Coded(self.planes, "folder", highest.bit_length(), spans(codes))

    def _coded(
        self, field: str, rows: Iterable[tuple[int, str]], fits: Callable[[str], bool]
    ) -> Photos:
        highest, codes = 0, []
        for code, word in rows:
            highest = max(highest, code)
            if fits(word):
                codes.append(code)
        return Coded(self.planes, field, highest.bit_length(), spans(sorted(codes)))

    def _name(self, term: WordTerm) -> Photos:
        """Files by their names: the full-text index narrows them, the names themselves decide."""
        words = text_words(term.text)
        sql = "SELECT id, name FROM photo WHERE id BETWEEN ? AND ?"
        if not term.ends_open:
            # Numbers alone narrow it enough; half of all photos hold the ending.
            words = tuple(word for word in words if not word.isalpha()) or words
        values: tuple[str, ...] = ()
        if words and term.text.isascii():
            glued = term.ends_open and term.text[-1:].isalnum()
            sql += " AND id IN (SELECT rowid FROM photo_text WHERE photo_text MATCH ?)"
            values = (full_text(words, prefix=glued),)
        return Named(self.connection, sql, values, term)

    def _text(self, term: TextTerm) -> Photos:
        """The full-text index has no keywords: every word may also be in the name of one.

        Words that are in none are asked for together, so that the index itself meets them.
        """
        parts: list[Photos] = []
        alone: list[str] = []
        for place, word in enumerate(term.words):
            begun = term.prefix and place == len(term.words) - 1
            asked = full_text((word,), prefix=begun)
            start = start_code(word) if begun and len(word) == 2 else None
            if start is not None:
                named: Photos = Branches(self.connection, (start,))
                parts.append(Either([named, Matching(self.connection, asked)]))
                continue
            held = self._held(
                "SELECT id, folded, photos, below FROM keyword WHERE id IN"
                " (SELECT rowid FROM keyword_name WHERE keyword_name MATCH ?)",
                (asked,),
            )
            if held:
                parts.append(Either([self._subtrees(held), Matching(self.connection, asked)]))
            else:
                alone.append(asked)
        if alone:
            parts.insert(0, Matching(self.connection, " AND ".join(alone)))
        return parts[0] if len(parts) == 1 else All(parts)


class Matching(Listed):
    """Photos in whose file name, description or text read the full-text index finds words."""

    def __init__(self, connection: sqlite3.Connection, match: str) -> None:
        super().__init__(
            connection,
            "SELECT rowid FROM photo_text WHERE rowid BETWEEN ? AND ? AND photo_text MATCH ?",
            (match,),
            ordered="rowid",
        )
        self._match = match

    def count(self) -> int:
        """How many photos."""
        sql = "SELECT count(*) FROM photo_text WHERE photo_text MATCH ?"
        return int(self._connection.execute(sql, (self._match,)).fetchone()[0])


class Named(Listed):
    """Photos by the names of their files."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        sql: str,
        values: Sequence[object],
        term: WordTerm,
    ) -> None:
        super().__init__(connection, sql, values, whole=not term.ends_open)
        self._fits = name_test(term)

    def _read(self, first: int, last: int) -> list[int]:
        rows = self._connection.execute(self._sql, (first, last, *self._values))
        return [photo for photo, name in rows if self._fits(spelling(name))]


class Vetoed(Listed):
    """Photos where a keyword is vetoed: there are few, so all vetoes are looked through."""

    def __init__(self, connection: sqlite3.Connection, keywords: Sequence[int]) -> None:
        super().__init__(
            connection, "SELECT photo, keyword FROM veto WHERE photo BETWEEN ? AND ?", whole=True
        )
        self._keywords = frozenset(keywords)

    def _read(self, first: int, last: int) -> list[int]:
        rows = self._connection.execute(self._sql, (first, last))
        return [photo for photo, keyword in rows if keyword in self._keywords]


def _within(folded: str, paths: AbstractSet[str]) -> bool:
    """Whether a path lies below one of these."""
    above = folded.rpartition(SEPARATOR)[0]
    while above:
        if above in paths:
            return True
        above = above.rpartition(SEPARATOR)[0]
    return False


def _cost(query: Query) -> int:
    """How dear a term is: bitmaps first, then links, then what the full-text index must walk."""
    if isinstance(query, Not):
        return _cost(query.part)
    if isinstance(query, And | Or):
        return max((_cost(part) for part in query.parts), default=0)
    if isinstance(query, TextTerm):
        return 4
    if isinstance(query, WordTerm) and query.field == "name":
        return 5
    if isinstance(query, KeywordTerm):
        return 3 if query.scored else 1
    return 2 if isinstance(query, NumberTerm | WordTerm) else 0
