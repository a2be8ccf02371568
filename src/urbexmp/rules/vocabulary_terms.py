"""Read the `[[term]]` tables of a vocabulary, and note what is wrong with each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from urbexmp.model.keyword import Keyword, name_fault
from urbexmp.rules.terms import Term

VIEWS = ("interior", "exterior", "aerial", "detail")
_TEXT_LISTS = ("synonyms", "labels", "place", "signs", "prompts", "implies", "not_in_view")
_KEYS = frozenset(
    {"path", "thresholds", "exclusive", "export", "severity", "condition", "era", "place_decides"}
).union(_TEXT_LISTS)
_NONE: tuple[str, ...] = ()
_NO_THRESHOLDS: Mapping[str, float] = MappingProxyType({})


class TermReading:
    """One reading of one file: its terms, and the mistakes met so far."""

    def __init__(self, values: Mapping[str, Any], line_of: Callable[..., int]) -> None:
        self.values = values
        self.line_of = line_of
        self.mistakes: list[tuple[int, str]] = []
        self.terms: dict[Keyword, Term] = {}
        self.where: dict[Keyword, int] = {}
        """Place of each term among the tables."""
        self.lenient: set[Keyword] = set()
        """Terms whose own table is faulty: what follows from that is not reported again."""

    def fault(self, keys: tuple[str | int, ...], said: str) -> None:
        """Note a mistake at a key of the file."""
        self.mistakes.append((self.line_of(*keys), said))

    def listed(self) -> tuple[str, ...]:
        """All mistakes as text, by line."""
        return tuple(f"line {line}: {said}" for line, said in sorted(set(self.mistakes)))

    def tables(self, name: str) -> list[tuple[int, Mapping[str, Any]]]:
        """The tables `[[name]]` of the file, each with its place."""
        tables = self.values.get(name, [])
        if not isinstance(tables, list):
            self.fault((name,), f"`{name}` must be written [[{name}]]")
            return []
        good = []
        for place, table in enumerate(tables):
            if isinstance(table, Mapping):
                good.append((place, table))
            else:
                self.fault((name,), f"`{name}` must be written [[{name}]]")
        return good

    def read_terms(self) -> None:
        """Read every term; check that the one above it exists."""
        if not self.values.get("term"):
            self.mistakes.append((1, "there is no [[term]]"))
        for place, table in self.tables("term"):
            self._read_term(place, table)
        for keyword in self.terms:
            if len(keyword.path) > 1:
                self._check_parent(keyword)

    def _check_parent(self, keyword: Keyword) -> None:
        above = Keyword.of(keyword.path[:-1])
        parent = self.terms.get(above)
        keys = ("term", self.where[keyword], "path")
        if parent is None:
            spelled = [str(known) for known in self.terms]
            near = hint(str(above), spelled)
            self.fault(keys, f"the term above it, {above}, is missing{near}")
        elif parent.keyword.path != above.path:
            self.fault(keys, f"{above} is spelled {parent.keyword} where it is defined")

    def _read_term(self, place: int, table: Mapping[str, Any]) -> None:
        before = len(self.mistakes)
        here = ("term", place)
        for key in table:
            if key not in _KEYS:
                self.fault((*here, key), f"unknown key `{key}`{hint(key, _KEYS)}")
        keyword = self._read_path(here, table.get("path"))
        if keyword is None:
            return
        if keyword in self.terms:
            first = self.line_of("term", self.where[keyword])
            self.fault((*here, "path"), f"{keyword} is defined a second time (first: line {first})")
            return
        lists = {key: self._texts(here, table, key) for key in _TEXT_LISTS if key in table}
        for name in lists.get("synonyms", _NONE):
            self._check_name(name, (*here, "synonyms"), "synonym")
        for view in lists.get("not_in_view", _NONE):
            if view not in VIEWS:
                self.fault((*here, "not_in_view"), f"{view!r} is no view{hint(view, VIEWS)}")
        self.where[keyword] = place
        self.terms[keyword] = Term(
            keyword=keyword,
            synonyms=lists.get("synonyms", _NONE),
            labels=lists.get("labels", _NONE),
            place=lists.get("place"),
            signs=lists.get("signs", _NONE),
            prompts=lists.get("prompts", _NONE),
            thresholds=self._thresholds(here, table),
            implies=self._paths(here, lists.get("implies", _NONE)),
            exclusive=self._scalar(here, table, "exclusive", str, None),
            export=self._scalar(here, table, "export", bool, True),
            severity=self._number(here, table, "severity", 1, 4, whole=True),
            condition=self._number(here, table, "condition", 0, 100),
            era=self._scalar(here, table, "era", str, None),
            place_decides=self._scalar(here, table, "place_decides", bool, False),
            not_in_view=lists.get("not_in_view"),
        )
        if len(self.mistakes) > before:
            self.lenient.add(keyword)

    def _read_path(self, here: tuple[str | int, ...], path: object) -> Keyword | None:
        if not isinstance(path, str) or not path:
            self.fault((*here, "path"), "a term needs a `path` like A|B|C")
            return None
        names = tuple(path.split("|"))
        if not all(names):
            self.fault((*here, "path"), f"path {path!r} has an empty name")
            return None
        # The names above are those of the parents, and checked there.
        if not self._check_name(names[-1], (*here, "path"), "name"):
            return None
        return Keyword.of(names)

    def _paths(self, here: tuple[str | int, ...], paths: tuple[str, ...]) -> tuple[Keyword, ...]:
        for path in paths:
            if not all(path.split("|")):
                self.fault((*here, "implies"), f"path {path!r} has an empty name")
        return tuple(Keyword.parse(path) for path in paths if all(path.split("|")))

    def _texts(
        self, here: tuple[str | int, ...], table: Mapping[str, Any], key: str
    ) -> tuple[str, ...]:
        found = table[key]
        if isinstance(found, list) and all(isinstance(one, str) and one.strip() for one in found):
            return tuple(found)
        self.fault((*here, key), f'`{key}` must be a list of texts, ["a", "b"]')
        return ()

    def _scalar(
        self, here: tuple[str | int, ...], table: Mapping[str, Any], key: str, kind: type, none: Any
    ) -> Any:
        found = table.get(key, none)
        if key in table and not isinstance(found, kind):
            wanted = "true or false" if kind is bool else "a text"
            self.fault((*here, key), f"`{key}` must be {wanted}, found {found!r}")
            return none
        return found

    def _number(
        self,
        here: tuple[str | int, ...],
        table: Mapping[str, Any],
        key: str,
        low: int,
        high: int,
        *,
        whole: bool = False,
    ) -> Any:
        if key not in table:
            return None
        found = table[key]
        kinds = int if whole else (int, float)
        fits = isinstance(found, kinds) and not isinstance(found, bool)
        if not fits or not low <= found <= high:
            a_number = "a whole number" if whole else "a number"
            said = f"`{key}` must be {a_number} from {low} to {high}, found {found!r}"
            self.fault((*here, key), said)
            return None
        return found if whole else float(found)

    def _thresholds(
        self, here: tuple[str | int, ...], table: Mapping[str, Any]
    ) -> Mapping[str, float]:
        found = table.get("thresholds")
        if found is None:
            return _NO_THRESHOLDS
        keys = (*here, "thresholds")
        if not isinstance(found, Mapping):
            self.fault(keys, "`thresholds` must be a table, { ram = 0.6 }")
            return _NO_THRESHOLDS
        good = {}
        for stage, score in found.items():
            number = isinstance(score, int | float) and not isinstance(score, bool)
            if number and 0 <= score <= 1:
                good[stage] = float(score)
            else:
                said = f"threshold of `{stage}` must be a number from 0 to 1, found {score!r}"
                self.fault((*keys, stage), said)
        return MappingProxyType(good)

    def _check_name(self, name: str, keys: tuple[str | int, ...], called: str) -> bool:
        fault = _name_fault(name)
        if fault:
            self.fault(keys, f"{called} {name!r} {fault}: Lightroom would not take it")
        return not fault


def _name_fault(name: str) -> str | None:
    """`name_fault`, quick for the names that are right, and what keyword lists cannot hold."""
    if name[:1] in "{[~":
        return f"begins with {name[:1]}, which has a meaning of its own in keyword lists"
    # `isprintable` is False for every character that `name_fault` refuses, and for some more.
    simple = name.isprintable() and len(name) <= 16 and name == name.strip()
    if simple and not any(bad in name for bad in ",;|*"):
        return None
    return name_fault(name)


def hint(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean ...?)` where a known word is near, else nothing."""
    from difflib import get_close_matches  # only needed once something is wrong

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""
