"""What a description may say: no year and no name that nobody told and nobody can read. Pure.

A vision-language model writes "built in 1923 by the architect Meyer" as fluently as "a tiled hall".
A picture shows neither, and a description goes into the packet under the person's own name. So
every sentence with a year, or a name, that the place's context does not hold, and that was not
read in the picture, is left out; the others stay as they are.

What this cannot see: a name of one word at the start of a sentence, and names at all in languages
that write every noun with a capital; there, years alone are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from urbexmp.model.observation import Context
from urbexmp.rules.spelling import word_key
from urbexmp.rules.terms import Taxonomy

YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d(?:s|er)?\b|\b\d{1,2}(?:st|nd|rd|th)[ -]century\b", re.I)
_ENDS = re.compile(r"(?<=[.!?\u2026])[\"\u201d\u00bb)]*\s+(?=\W*[A-Z\u00c0-\u00de0-9])")
_SHORT = re.compile(r"(?:\b[A-Z][a-z]{0,2}|\b(?:Prof|approx|ca|No|vs|e\.g|i\.e))\.\W*$")
"""An abbreviation: the full stop behind it ends no sentence ("St. Mary")."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NOUN_LANGUAGES = frozenset(
    ("der", "die", "das", "und", "ein", "eine", "einer", "eines", "mit", "ist", "dem", "den", "im")
)
"""Words of German that stand in nearly every sentence of it, and in none of English."""
_NO_NAMES = frozenset(("i", "im", "ive", "ill"))


@dataclass(frozen=True, slots=True)
class Told:
    """A text as far as it can be known."""

    text: str | None
    """None: nothing of it is left."""
    left_out: tuple[str, ...] = ()
    """Sentences that say what nobody can know."""


def told_words(context: Context, read: Iterable[str] = ()) -> frozenset[str]:
    """The words that may be said, as keys: of the place's context, and of what was `read`."""
    single = (
        *(context.name, context.place_type, context.era, context.city, context.county),
        *(context.state, context.country, context.sublocation),
    )
    texts = (*single, *context.folders, *context.keywords, *read)
    spelled = (word_key(text.replace("|", " ")) for text in texts if text)
    return frozenset(word for text in spelled for word in text.split())


def only_told(text: str, told: frozenset[str], taxonomy: Taxonomy) -> Told:
    """`text` without the sentences that say a year or a name that is not `told`."""
    checks_names = len(_NOUN_LANGUAGES & set(text.split())) < 2
    kept: list[str] = []
    left_out: list[str] = []
    for sentence in _sentences(text):
        unknown = _year_unknown(sentence, told) or (
            checks_names and _name_unknown(sentence, told, taxonomy)
        )
        (left_out if unknown else kept).append(sentence)
    if not left_out:
        return Told(text)
    return Told(" ".join(kept) or None, tuple(left_out))


def _sentences(text: str) -> list[str]:
    sentences: list[str] = []
    for piece in _split(text):
        if sentences and _SHORT.search(sentences[-1]):
            sentences[-1] += " " + piece
        else:
            sentences.append(piece)
    return sentences


def _split(text: str) -> list[str]:
    pieces, at = [], 0
    for gap in _ENDS.finditer(text):
        pieces.append((text[at : gap.start()] + gap[0].rstrip()).strip())
        at = gap.end()
    return [piece for piece in (*pieces, text[at:].strip()) if piece]


def _year_unknown(sentence: str, told: frozenset[str]) -> bool:
    return any(not told.issuperset(word_key(year[0]).split()) for year in YEAR.finditer(sentence))


def _name_unknown(sentence: str, told: frozenset[str], taxonomy: Taxonomy) -> bool:
    return any(not _is_known(run, told, taxonomy) for run in _names(sentence))


def _names(sentence: str) -> list[list[str]]:
    """Runs of words with a capital, without the word that begins the sentence."""
    runs: list[list[str]] = []
    end = -1
    """Behind the word before, where that had a capital."""
    for number, found in enumerate(_WORD.finditer(sentence)):
        word = found[0]
        if len(word) < 2 or not word[0].isupper() or word.isupper():
            end = -1
            continue
        if end < 0 or sentence[end : found.start()].strip():
            runs.append([])
        if number:
            runs[-1].append(word)
        end = found.end()
    return [run for run in runs if run]


def _is_known(run: list[str], told: frozenset[str], taxonomy: Taxonomy) -> bool:
    words = [word_key(word.removesuffix("'s").removesuffix("\u2019s")) for word in run]
    unknown = [
        place
        for place, word in enumerate(words)
        if word not in _NO_NAMES and not told.issuperset(word.split())
    ]
    return all(_in_term(run, place, taxonomy) for place in unknown)


def _in_term(run: list[str], place: int, taxonomy: Taxonomy) -> bool:
    """Whether a word belongs to a term of the taxonomy, alone or with those beside it: `Gothic`,
    `Art Deco`."""
    return any(
        taxonomy.lookup(phrase) or taxonomy.lookup_senses(phrase)
        for start in range(place + 1)
        for end in range(place + 1, len(run) + 1)
        for phrase in (" ".join(run[start:end]),)
    )
