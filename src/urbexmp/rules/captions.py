"""Words of the taxonomy in sentences: captions, and the phrases that describe regions. Pure.

Only words that the taxonomy knows become labels, the longest that match, as they stand: exact,
synonym, plural. Nothing is stemmed and nothing guessed, so the words of a caption that mean
nothing to the taxonomy do not fill the list of unmapped labels.

It is done when observations are read, not when a model looks: a changed taxonomy finds its new
words in the captions that the ledger holds, and no model runs.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from urbexmp.model.observation import Observation, ObservationKind
from urbexmp.rules.spelling import word_key
from urbexmp.rules.terms import Taxonomy

CAPTION, REGION = "caption", "region"
"""Sources of observations whose words are looked up."""

WORD_SCORES = "caption word scores"
"""A prior that may follow a caption: a percentage for each of its words, with blanks between."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_QUALIFIERS = 2
"""Adjectives that may stand before a phrase of the taxonomy."""

_DENIED = frozenset(
    (
        *("no", "not", "without", "never", "neither", "nor", "lacks", "lacking"),
        *("isnt", "arent", "wasnt", "werent"),
    )
)
_LIKENED = frozenset(("like", "resembles", "resembling", "resemble", "reminiscent", "similar"))
_REACH = 3
"""Words before a thing among which a denial (`without a single window`) still means it."""


def spoken(observations: Sequence[Observation], taxonomy: Taxonomy) -> Iterator[Observation]:
    """Yield what a look said, with labels for the taxonomy's words in its captions.

    A region's label that the taxonomy knows, or guards, stays whole; of another the words that it
    knows are taken out, each with the region; one with none of them stays, and is unmapped.
    """
    for place, said in enumerate(observations):
        if said.kind is ObservationKind.LABEL and said.source == REGION:
            yield from _of_region(said, taxonomy)
            continue
        yield said
        if said.kind is ObservationKind.CAPTION and said.source == CAPTION:
            after = observations[place + 1] if place + 1 < len(observations) else None
            scores = after if after is not None and after.label == WORD_SCORES else None
            yield from _of_caption(said, scores, taxonomy)


def words_of(text: str) -> list[tuple[int, int]]:
    """Start and end of each word of a text."""
    return [found.span() for found in _WORD.finditer(text)]


def taxonomy_words(text: str, taxonomy: Taxonomy) -> Iterator[tuple[int, int]]:
    """Yield the words that name terms, as first and last word's number, from left to right.

    The longest match counts. Words that are denied (`no windows`) or only likened (`looks like a
    church`) are left out. A phrase does not reach across punctuation.
    """
    spans = words_of(text)
    # Between two words of one phrase stands a blank only.
    joined = [text[one[1] : other[0]].isspace() for one, other in itertools.pairwise(spans)] + [
        False
    ]
    keys = [word_key(text[start:end]) for start, end in spans]
    openings = _openings(taxonomy)
    place = 0
    while place < len(spans):
        longest = openings.get(keys[place].partition(" ")[0], 0)
        reach = min(1, longest)
        while 0 < reach < longest and place + reach < len(spans) and joined[place + reach - 1]:
            reach += 1
        for count in range(reach, 0, -1):
            part = text[spans[place][0] : spans[place + count - 1][1]]
            if taxonomy.lookup(part) or taxonomy.lookup_senses(part):
                if not _denied(keys, joined, place):
                    yield place, place + count - 1
                place += count - 1
                break
        place += 1


_known: dict[str, Mapping[str, int]] = {}


def _openings(taxonomy: Taxonomy) -> Mapping[str, int]:
    """First words of all that the taxonomy knows, and the most words that may follow from there.

    Most words of a caption open nothing, and are passed over without a look-up.
    """
    if taxonomy.digest not in _known:
        found: dict[str, int] = {}
        for key in (*taxonomy.words, *taxonomy.senses):
            first = key.partition(" ")[0]
            found[first] = max(found.get(first, 0), key.count(" ") + 1)
        longest = max(found.values(), default=0) + _QUALIFIERS
        found |= dict.fromkeys(taxonomy.qualifiers, longest)
        _known.clear()
        _known[taxonomy.digest] = found
    return _known[taxonomy.digest]


def _denied(keys: Sequence[str], joined: Sequence[bool], place: int) -> bool:
    for before in range(place - 1, max(-1, place - 1 - _REACH), -1):
        if not joined[before]:
            return False
        if keys[before] in _DENIED or keys[before] in _LIKENED:
            return True
    return False


def _of_region(said: Observation, taxonomy: Taxonomy) -> Iterator[Observation]:
    whole = said.label
    known = taxonomy.lookup(whole) or taxonomy.lookup_senses(whole) or taxonomy.guard(whole)
    inside = [] if known else list(taxonomy_words(whole, taxonomy))
    if not inside:
        yield said
        return
    spans = words_of(whole)
    for first, last in inside:
        yield replace(said, label=whole[spans[first][0] : spans[last][1]])


def _of_caption(
    said: Observation, scores: Observation | None, taxonomy: Taxonomy
) -> Iterator[Observation]:
    if not isinstance(said.value, str):
        return
    spans = words_of(said.value)
    percents = str(scores.value).split() if scores is not None else []
    labels: dict[str, Observation] = {}
    for first, last in taxonomy_words(said.value, taxonomy):
        score = None
        if len(percents) == len(spans):
            score = _together(percents[first : last + 1])
        text = said.value[spans[first][0] : spans[last][1]]
        label = Observation(ObservationKind.LABEL, text, score, None, source=CAPTION)
        key = word_key(text)
        known = labels.get(key)
        if known is None or (score or 0.0) > (known.score or 0.0):
            labels[key] = label
    yield from labels.values()


def _together(percents: Sequence[str]) -> float:
    """Geometric mean of the words' probabilities."""
    logs = [math.log(max(int(percent), 1) / 100) for percent in percents]
    return round(math.exp(sum(logs) / len(logs)), 4)
