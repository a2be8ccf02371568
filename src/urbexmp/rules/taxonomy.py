"""Read a vocabulary from TOML values and check it as a whole.

The file has one `[[term]]` table a term, `[[ambiguous]]` tables for words with several meanings,
and the tables `[plurals]`, `[qualifiers]` and `[guards]`. Every mistake is reported with its line,
all of them at once: a person who edits a vocabulary of hundreds of terms must not have to run us
once for each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from urbexmp.model.errors import ConfigProblem
from urbexmp.model.keyword import Keyword, name_fault
from urbexmp.rules.spelling import plural_key, word_key, word_keys
from urbexmp.rules.terms import Guard, Meaning, PlaceWords, Sense, Taxonomy, Term
from urbexmp.rules.vocabulary_links import Links

__all__ = ["Taxonomy", "Term", "load_taxonomy"]

VIEWS = ("interior", "exterior", "aerial", "detail")
TABLES = ("term", "ambiguous", "plurals", "qualifiers", "guards")
_TEXT_LISTS = ("synonyms", "labels", "place", "prompts", "implies", "not_in_view")
_KEYS = frozenset(
    {"path", "thresholds", "exclusive", "export", "severity", "condition", "era", "place_decides"}
).union(_TEXT_LISTS)
_NONE: tuple[str, ...] = ()
_NO_THRESHOLDS: Mapping[str, float] = MappingProxyType({})


def load_taxonomy(
    values: Mapping[str, Any], line_of: Callable[..., int], subject: object
) -> Taxonomy:
    """Return the taxonomy that `values` (parsed TOML) describe.

    `line_of("term", 3, "path")` gives the line of a key, `subject` names the file in messages.
    Raises `ConfigProblem` with every mistake, in the order of lines.
    """
    loading = _Loading(values, line_of)
    taxonomy = loading.build()
    if taxonomy is None:
        raise ConfigProblem(subject, loading.listed())
    return taxonomy


class _Loading:
    """One reading of one file: collects terms, words and mistakes."""

    def __init__(self, values: Mapping[str, Any], line_of: Callable[..., int]) -> None:
        self.values = values
        self.line_of = line_of
        self.mistakes: list[tuple[int, str]] = []
        self.terms: dict[Keyword, Term] = {}
        self.where: dict[Keyword, int] = {}
        self.words: dict[str, Meaning] = {}
        self.senses: dict[str, tuple[Sense, ...]] = {}
        self.guards: dict[str, Guard] = {}
        self.qualifiers: dict[str, Keyword | None] = {}
        self.plurals: dict[str, str] = {}
        self.lenient: set[Keyword] = set()
        """Terms whose own table is faulty: what others say about them is not checked."""

    def build(self) -> Taxonomy | None:
        """Read everything; None when there was a mistake."""
        for name in self.values:
            if name not in TABLES:
                self.fault((name,), f"unknown table `{name}`{_hint(name, TABLES)}")
        self._read_terms()
        self._read_plurals()
        links = Links(self.terms, self.where)
        self._read_ambiguous()
        self._index_words()
        self._read_qualifiers()
        self._read_guards()
        place_words = self._index_places()
        for keyword, key, said in links.mistakes(self.lenient):
            self.fault(("term", self.where[keyword], key), said)
        if self.mistakes:
            return None
        content = json.dumps(self.values, sort_keys=True, ensure_ascii=False)
        ordered = {keyword: self.terms[keyword] for keyword in sorted(self.terms)}
        return Taxonomy(
            terms=MappingProxyType(ordered),
            digest=hashlib.sha256(content.encode()).hexdigest()[:16],
            words=MappingProxyType(self.words),
            senses=MappingProxyType(self.senses),
            qualifiers=MappingProxyType(self.qualifiers),
            guards=MappingProxyType(self.guards),
            place_words=place_words,
            implied=MappingProxyType(links.implied()),
            blind_views=MappingProxyType(links.blind_views()),
            groups=MappingProxyType(links.groups()),
            unlisted=frozenset(k for k, term in self.terms.items() if not term.export),
        )

    # --- mistakes -----------------------------------------------------------------------------

    def fault(self, keys: tuple[str | int, ...], said: str) -> None:
        """Note a mistake at a key of the file."""
        self.mistakes.append((self.line_of(*keys), said))

    def listed(self) -> tuple[str, ...]:
        """All mistakes as text, by line."""
        return tuple(f"line {line}: {said}" for line, said in sorted(set(self.mistakes)))

    def _line(self, keyword: Keyword) -> int:
        return self.line_of("term", self.where[keyword]) if keyword in self.where else 1

    def _check_name(self, name: str, keys: tuple[str | int, ...], called: str) -> bool:
        fault = _name_fault(name)
        if fault:
            self.fault(keys, f"{called} {name!r} {fault}: Lightroom would not take it")
        return not fault

    def _known(self, text: str, keys: tuple[str | int, ...], called: str) -> Keyword | None:
        """The term that a path in the file names; a mistake where there is none."""
        try:
            keyword = Keyword.parse(text)
        except ValueError:
            self.fault(keys, f"{called} {text!r} is not a path like A|B|C")
            return None
        if keyword in self.terms:
            return keyword
        spelled = [str(known) for known in self.terms]
        self.fault(keys, f"{called} {text!r} is not a term{_hint(text, spelled)}")
        return None

    # --- terms --------------------------------------------------------------------------------

    def _tables(self, name: str) -> list[tuple[int, Mapping[str, Any]]]:
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

    def _read_terms(self) -> None:
        if not self.values.get("term"):
            self.mistakes.append((1, "there is no [[term]]"))
        for place, table in self._tables("term"):
            self._read_term(place, table)
        for keyword in self.terms:
            if len(keyword.path) > 1:
                self._check_parent(keyword)

    def _check_parent(self, keyword: Keyword) -> None:
        above = Keyword(keyword.path[:-1])
        parent = self.terms.get(above)
        keys = ("term", self.where[keyword], "path")
        if parent is None:
            spelled = [str(known) for known in self.terms]
            hint = _hint(str(above), spelled)
            self.fault(keys, f"the term above it, {above}, is missing{hint}")
        elif parent.keyword.path != above.path:
            self.fault(keys, f"{above} is spelled {parent.keyword} where it is defined")

    def _read_term(self, place: int, table: Mapping[str, Any]) -> None:
        before = len(self.mistakes)
        here = ("term", place)
        for key in table:
            if key not in _KEYS:
                self.fault((*here, key), f"unknown key `{key}`{_hint(key, _KEYS)}")
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
                self.fault((*here, "not_in_view"), f"{view!r} is no view{_hint(view, VIEWS)}")
        self.where[keyword] = place
        self.terms[keyword] = Term(
            keyword=keyword,
            synonyms=lists.get("synonyms", _NONE),
            labels=lists.get("labels", _NONE),
            place=lists.get("place"),
            prompts=lists.get("prompts", _NONE),
            thresholds=self._thresholds(here, table),
            implies=tuple(
                Keyword.parse(path)
                for path in lists.get("implies", _NONE)
                if path and all(path.split("|"))
            ),
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
        return Keyword(names)

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

    # --- words --------------------------------------------------------------------------------

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self.values.get(name, {})
        if isinstance(table, Mapping):
            return table
        self.fault((name,), f"`{name}` must be a table, [{name}]")
        return {}

    def _read_plurals(self) -> None:
        for singular, plural in self._table("plurals").items():
            if isinstance(plural, str) and plural:
                self.plurals[word_key(singular)] = word_key(plural)
            else:
                self.fault(("plurals", singular), f"plural of {singular!r} must be a text")

    def _read_ambiguous(self) -> None:
        for place, table in self._tables("ambiguous"):
            here = ("ambiguous", place)
            for key in table:
                if key not in ("word", "means"):
                    self.fault((*here, key), f"unknown key `{key}`{_hint(key, ('word', 'means'))}")
            word, means = table.get("word"), table.get("means")
            if not isinstance(word, str) or not isinstance(means, list) or not means:
                self.fault(here, "an ambiguous word needs `word` and a list `means`")
                continue
            if word_key(word) in self.senses:
                self.fault((*here, "word"), f"{word!r} is declared ambiguous a second time")
            senses = [self._sense((*here, "means"), one) for one in means]
            self.senses[word_key(word)] = tuple(sense for sense in senses if sense)

    def _sense(self, keys: tuple[str | int, ...], given: object) -> Sense | None:
        if not isinstance(given, Mapping) or set(given) != {"term", "with"}:
            self.fault(keys, "each meaning is written { term = 'A|B', with = ['A|C'] }")
            return None
        company = given["with"]
        if not isinstance(company, list) or not company:
            self.fault(keys, "`with` lists the terms that show which meaning is meant")
            return None
        keyword = self._known(str(given["term"]), keys, "term")
        beside = [self._known(str(one), keys, "company") for one in company]
        return Sense(keyword, tuple(one for one in beside if one)) if keyword else None

    def _index_words(self) -> None:
        for keyword, term in self.terms.items():
            if term.export:
                self._add_word(keyword, keyword.leaf, "name", "path")
            for name in term.synonyms:
                self._add_word(keyword, name, "synonym", "synonyms")
            for label in term.labels:
                self._add_word(keyword, label, "label", "labels")
        for key, meaning in list(self.words.items()):
            plural = plural_key(key, self.plurals)
            if plural and plural not in self.words and plural not in self.senses:
                self.words[plural] = Meaning(meaning.keyword, "plural")

    def _add_word(self, keyword: Keyword, word: str, how: str, source: str) -> None:
        for key in word_keys(word):
            senses = self.senses.get(key)
            if senses is not None:
                if keyword not in {sense.keyword for sense in senses}:
                    keys = ("term", self.where[keyword], source)
                    self.fault(keys, f"{word!r} is ambiguous, but not declared to mean {keyword}")
                continue
            known = self.words.setdefault(key, Meaning(keyword, how))
            if known.keyword != keyword:
                keys = ("term", self.where[keyword], source)
                first = self._line(known.keyword)
                said = (
                    f"{word!r} means {keyword} here and {known.keyword} in line {first}; take it"
                    " out of one of them, or declare it under [[ambiguous]]"
                )
                self.fault(keys, said)

    def _read_qualifiers(self) -> None:
        for word, path in self._table("qualifiers").items():
            keys = ("qualifiers", word)
            if not isinstance(path, str):
                self.fault(keys, f"qualifier {word!r} must name a term, or be an empty text")
            else:
                term = self._known(path, keys, "term") if path else None
                self.qualifiers[word_key(word)] = term

    def _read_guards(self) -> None:
        table = self._table("guards")
        known = tuple(guard.value for guard in Guard)
        for name, words in table.items():
            keys = ("guards", name)
            if name not in known:
                self.fault(keys, f"unknown guard `{name}`{_hint(name, known)}")
            elif not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                self.fault(keys, f"`{name}` must be a list of words")
            else:
                for word in words:
                    self._add_guard(keys, word, Guard(name))

    def _add_guard(self, keys: tuple[str | int, ...], word: str, guard: Guard) -> None:
        key = word_key(word)
        meaning = self.words.get(key)
        if meaning is not None and meaning.how != "plural":
            self.fault(keys, f"{word!r} is guarded, but also means {meaning.keyword}")
        elif key in self.senses:
            self.fault(keys, f"{word!r} is guarded, but also declared ambiguous")
        self.words.pop(key, None)
        self.guards[key] = guard
        plural = plural_key(key, self.plurals)
        if plural and plural not in self.words and plural not in self.senses:
            self.guards.setdefault(plural, guard)

    def _index_places(self) -> PlaceWords:
        last: dict[str, Keyword] = {}
        first: dict[str, Keyword] = {}
        ending: dict[str, Keyword] = {}
        for keyword, term in self.terms.items():
            if term.place is None:
                continue
            for word in (keyword.leaf, *term.synonyms, *term.place):
                index = first if word.endswith(" *") else ending if word.startswith("*") else last
                for key in word_keys(word.strip("* ")):
                    known = index.setdefault(key, keyword)
                    if known != keyword:
                        keys = ("term", self.where[keyword], "place")
                        self.fault(keys, f"place word {word!r} already means {known}")
        for index in (last,):
            for key, keyword in list(index.items()):
                plural = plural_key(key, self.plurals)
                if plural:
                    index.setdefault(plural, keyword)
        return PlaceWords(MappingProxyType(last), MappingProxyType(first), MappingProxyType(ending))


def _name_fault(name: str) -> str | None:
    """`name_fault`, quick for the names that are right, and what keyword lists cannot hold."""
    if name[:1] in "{[~":
        return f"begins with {name[:1]}, which has a meaning of its own in keyword lists"
    # `isprintable` is False for every character that `name_fault` refuses, and for some more.
    simple = name.isprintable() and len(name) <= 16 and name == name.strip()
    if simple and not any(bad in name for bad in ",;|*"):
        return None
    return name_fault(name)


def _hint(word: str, known: Any) -> str:
    from difflib import get_close_matches  # only needed once something is wrong

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""
