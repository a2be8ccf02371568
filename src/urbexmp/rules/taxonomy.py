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
from urbexmp.model.keyword import Keyword
from urbexmp.rules.spelling import plural_key, word_key, word_keys
from urbexmp.rules.terms import Guard, Meaning, PlaceWords, Sense, Taxonomy, Term
from urbexmp.rules.vocabulary_links import Links
from urbexmp.rules.vocabulary_terms import TermReading, hint

__all__ = ["Taxonomy", "Term", "load_taxonomy"]

TABLES = ("term", "ambiguous", "plurals", "qualifiers", "guards")


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


class _Loading(TermReading):
    """One reading of one file: its terms, and the words that mean them."""

    def __init__(self, values: Mapping[str, Any], line_of: Callable[..., int]) -> None:
        super().__init__(values, line_of)
        self.words: dict[str, Meaning] = {}
        self.senses: dict[str, tuple[Sense, ...]] = {}
        self.guards: dict[str, Guard] = {}
        self.qualifiers: dict[str, Keyword | None] = {}
        self.plurals: dict[str, str] = {}

    def build(self) -> Taxonomy | None:
        """Read everything; None when there was a mistake."""
        for name in self.values:
            if name not in TABLES:
                self.fault((name,), f"unknown table `{name}`{hint(name, TABLES)}")
        self.read_terms()
        self._read_plurals()
        links = Links(self.terms, self.where)
        self._read_ambiguous()
        self._index_words()
        self._read_qualifiers()
        self._read_guards()
        place_words = self._index_places()
        sign_words = self._index_signs()
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
            sign_words=MappingProxyType(sign_words),
            implied=MappingProxyType(links.implied()),
            blind_views=MappingProxyType(links.blind_views()),
            groups=MappingProxyType(links.groups()),
            deciding=tuple(key for key, term in ordered.items() if term.place_decides),
            unlisted=frozenset(k for k, term in self.terms.items() if not term.export),
        )

    def _line(self, keyword: Keyword) -> int:
        return self.line_of("term", self.where[keyword]) if keyword in self.where else 1

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
        self.fault(keys, f"{called} {text!r} is not a term{hint(text, spelled)}")
        return None

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
        for place, table in self.tables("ambiguous"):
            here = ("ambiguous", place)
            for key in table:
                if key not in ("word", "means"):
                    self.fault((*here, key), f"unknown key `{key}`{hint(key, ('word', 'means'))}")
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
                self.fault(keys, f"unknown guard `{name}`{hint(name, known)}")
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
        for key, keyword in list(last.items()):
            plural = plural_key(key, self.plurals)
            if plural:
                last.setdefault(plural, keyword)
        return PlaceWords(MappingProxyType(last), MappingProxyType(first), MappingProxyType(ending))

    def _index_signs(self) -> dict[str, tuple[tuple[tuple[str, ...], Keyword], ...]]:
        meant: dict[tuple[str, ...], Keyword] = {}
        for keyword, term in self.terms.items():
            for sign in term.signs:
                for key in word_keys(sign):
                    words = tuple(key.split())
                    known = meant.setdefault(words, keyword)
                    keys = ("term", self.where[keyword], "signs")
                    if known != keyword:
                        self.fault(keys, f"sign {sign!r} already means {known}")
                    elif words[0] == "#":
                        self.fault(keys, f"sign {sign!r} must begin with a word")
        found: dict[str, list[tuple[tuple[str, ...], Keyword]]] = {}
        for words, keyword in meant.items():
            found.setdefault(words[0], []).append((words, keyword))
            if len(words) > 1 and "#" not in words:
                # Readers drop blanks: KEEPOUT.
                joined = "".join(words)
                found.setdefault(joined, []).append(((joined,), keyword))
        return {
            first: tuple(sorted(them, key=lambda one: (-len(one[0]), one[0])))
            for first, them in found.items()
        }
