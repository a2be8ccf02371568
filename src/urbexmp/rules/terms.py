"""The controlled vocabulary as frozen values, and the ways a word is looked up in it.

How a vocabulary is read and checked is `rules.taxonomy`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from urbexmp.model.keyword import Keyword
from urbexmp.rules.spelling import word_key, word_keys

MOST_LABELS = 1 << 14
"""Labels whose meaning is kept at a time."""


class Guard(Enum):
    """Words that never become a keyword, and why."""

    PEOPLE = "people"
    """Models see people in empty rooms."""
    CAMERA = "camera"
    """Words about the picture or its maker, copied from EXIF or the prompt."""
    IGNORED = "ignored"
    """Words that say nothing for us (`see`, `area`); they are not listed as unmapped either."""


@dataclass(frozen=True, slots=True)
class Term:
    """One node of the vocabulary, as its table in the TOML file says."""

    keyword: Keyword
    synonyms: tuple[str, ...] = ()
    """Other spellings and languages; they go into Lightroom's keyword list."""
    labels: tuple[str, ...] = ()
    """Words of models that mean this term, and that no person would search for."""
    place: tuple[str, ...] | None = None
    """Words that folder names use for it; None: not a sort of place. Name and synonyms count
    as well. `hotel *` may open a name (Hotel Astoria), `*fabrik` may end a compound."""
    signs: tuple[str, ...] = ()
    """What is written on the thing itself: `keep out`; `#` stands for a number or one letter."""
    prompts: tuple[str, ...] = ()
    """Photographic phrases for zero-shot models."""
    thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Least score by stage name (0..1)."""
    implies: tuple[Keyword, ...] = ()
    """Terms that are true whenever this one is, beside those above it."""
    exclusive: str | None = None
    """Name of a group of which one photo can have one term only."""
    export: bool = True
    """False: a grouping node; it is no word of its own, and stays out of `dc:subject`."""
    severity: int | None = None
    """1 cosmetic, 2 moderate, 3 serious, 4 structural."""
    condition: float | None = None
    """Share of soundness (0..100) that this takes away; 0 says "looked at, and sound"."""
    era: str | None = None
    """What the term says about the time of building or use."""
    place_decides: bool = False
    """Where the place is known, other terms below this node are only asked about."""
    not_in_view: tuple[str, ...] | None = None
    """Views in which this term and those below it cannot be seen; an empty list lifts what the
    terms above say, None leaves it."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A term that a word stands for, and how that was found."""

    keyword: Keyword
    how: str
    """`name`, `synonym`, `label`, `plural`, `path`, `place`; `label 'bench'` where
    something stood before it, `the word before 'bench'` for that."""


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of an ambiguous word, and the company that it needs."""

    keyword: Keyword
    company: tuple[Keyword, ...]
    """It is meant where something at or below one of these was found in the same photo."""


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """Words for places, by where they may stand in a name."""

    last: Mapping[str, Keyword]
    first: Mapping[str, Keyword]
    ending: Mapping[str, Keyword]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A checked vocabulary. Made by `rules.taxonomy.load_taxonomy` only."""

    terms: Mapping[Keyword, Term]
    """Every term by its keyword, in the order of paths."""
    digest: str
    """Hex digest of the content."""
    words: Mapping[str, Meaning]
    """By word key."""
    senses: Mapping[str, tuple[Sense, ...]]
    """Ambiguous words by key."""
    qualifiers: Mapping[str, Keyword | None]
    """Adjectives that may stand before a word, and the term that they carry themselves."""
    guards: Mapping[str, Guard]
    place_words: PlaceWords
    sign_words: Mapping[str, tuple[tuple[tuple[str, ...], Keyword], ...]]
    """What signs say, by first word and, where it is several, by all words run together: words
    and term, the longest first."""
    implied: Mapping[Keyword, frozenset[Keyword]]
    """All that a term implies, directly or by others; without itself and those above it."""
    blind_views: Mapping[Keyword, frozenset[str]]
    """Views in which a term cannot be seen; terms without any are left out."""
    groups: Mapping[Keyword, str]
    """Exclusive group of a term, its own or that of a term above it."""
    deciding: tuple[Keyword, ...]
    """Terms with `place_decides`."""
    unlisted: frozenset[Keyword]
    """Grouping nodes, not exported to `dc:subject`."""
    _looked_up: dict[str, tuple[Meaning, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What labels stand for: models say the same ones of thousands of photos."""

    @property
    def spellings(self) -> frozenset[Keyword]:
        """All keywords, as the taxonomy spells them."""
        return frozenset(self.terms)

    def lookup(self, label: str) -> tuple[Meaning, ...]:
        """Return the terms that `label` stands for; empty when none, or when it is ambiguous.

        A whole path, a name, a synonym, a model's label, a plural; in every choice of case,
        accent, blank, hyphen and underscore. Qualifiers before it are taken off one by one, and
        add their own term: `wooden_pews` is pews and wood. A word nobody knows is not guessed.
        """
        known = self._looked_up.get(label)
        if known is None:
            known = self._look_up(label)
            if len(self._looked_up) >= MOST_LABELS:
                self._looked_up.clear()
            self._looked_up[label] = known
        return known

    def _look_up(self, label: str) -> tuple[Meaning, ...]:
        if "|" in label:
            return self._by_path(label)
        key = word_key(label)
        known = self.words.get(key)
        if known is not None:
            return (known,)
        carried, rest = self._unqualified(key)
        if rest == key:
            return ()
        known = self.words.get(rest)
        if known is not None:
            return (Meaning(known.keyword, f"{known.how} {rest!r}"), *carried)
        if rest in self.senses or self.guards.get(rest) is Guard.IGNORED:
            return carried
        return ()

    def lookup_senses(self, label: str) -> tuple[Sense, ...]:
        """Return the meanings of an ambiguous word; empty when it is not declared ambiguous."""
        key = word_key(label)
        found = self.senses.get(key)
        if found is None and key not in self.words:
            found = self.senses.get(self._unqualified(key)[1])
        return found or ()

    def place(self, word: str) -> Keyword | None:
        """Return the term of a sort of place named outright, as in `type = "paper mill"`."""
        for key in word_keys(word):
            for index in (self.place_words.last, self.place_words.first, self.place_words.ending):
                if key in index:
                    return index[key]
        meanings = self.lookup(word)
        if len(meanings) == 1 and self.terms[meanings[0].keyword].place is not None:
            return meanings[0].keyword
        return None

    def guard(self, label: str) -> Guard | None:
        """Return why `label` must never become a keyword, or None."""
        key = word_key(label)
        found = self.guards.get(key)
        if found is None and key not in self.words:
            found = self.guards.get(self._unqualified(key)[1])
        return found

    def closure(self, keyword: Keyword) -> frozenset[Keyword]:
        """Return all that holds where `keyword` does, without itself: implied, or above."""
        implied = self.implied.get(keyword, frozenset())
        above = {node for one in (keyword, *implied) for node in one.ancestors()}
        return frozenset(above | implied)

    def near(self, word: str, limit: int = 3) -> tuple[str, ...]:
        """Return known words that look like `word`, one a term, the likeliest first."""
        from difflib import get_close_matches  # slow to import, and only needed for a question

        near: dict[Keyword, str] = {}
        for found in get_close_matches(word_key(word), self.words, n=limit * 4, cutoff=0.75):
            near.setdefault(self.words[found].keyword, found)
        return tuple(near.values())[:limit]

    def children(self, keyword: Keyword | None) -> Iterator[Keyword]:
        """Yield the terms one level below `keyword` (None: the roots), in the order of names."""
        depth = len(keyword.path) if keyword else 0
        for node in self.terms:
            if len(node.path) == depth + 1 and (keyword is None or node.is_under(keyword)):
                yield node

    def _by_path(self, label: str) -> tuple[Meaning, ...]:
        try:
            asked = Keyword.parse(label)
        except ValueError:
            return ()
        term = self.terms.get(asked)
        return (Meaning(term.keyword, "path"),) if term else ()

    def _unqualified(self, key: str) -> tuple[tuple[Meaning, ...], str]:
        """Take qualifiers off the front as long as the word is not known."""
        carried: list[Meaning] = []
        rest = key
        while rest not in self.words and rest not in self.senses:
            first, _, tail = rest.partition(" ")
            if not tail or first not in self.qualifiers:
                break
            keyword = self.qualifiers[first]
            if keyword is not None:
                carried.append(Meaning(keyword, f"the word before {tail!r}"))
            rest = tail
        return tuple(carried), rest
