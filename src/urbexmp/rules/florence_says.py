"""From what Florence-2 wrote to observations, in the taxonomy's own words. Pure.

Of a caption only words that the taxonomy knows become labels, the longest that match, as they
stand: exact, synonym, plural. Nothing is stemmed and nothing guessed, so the words of a caption
that mean nothing to the taxonomy do not fill the list of unmapped labels. A label of the model's
own (a detected object) is handed on as it is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

from urbexmp.model.observation import Observation, ObservationKind
from urbexmp.rules.florence_tasks import Answer, Task
from urbexmp.rules.florence_text import (
    Said,
    Words,
    probability,
    read_caption,
    read_entries,
)
from urbexmp.rules.signs import LEAST_LETTERS, Line, texts_of
from urbexmp.rules.spelling import word_key
from urbexmp.rules.terms import Taxonomy

CAPTION, REGION, GROUNDED, READ = "caption", "region", "grounded", "read"
"""Sources of the observations."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_QUALIFIERS = 2
"""Adjectives that may stand before the longest phrase of the taxonomy."""

_DENIED = frozenset(
    (
        *("no", "not", "without", "never", "neither", "nor", "lacks", "lacking"),
        *("isnt", "arent", "wasnt", "werent"),
    )
)
_LIKENED = frozenset(("like", "resembles", "resembling", "resemble", "reminiscent", "similar"))
_REACH = 3
"""Words before a thing among which a denial (`without a single window`) still means it."""


def observations(task: Task, said: Said, taxonomy: Taxonomy) -> tuple[Observation, ...]:
    """All that the answer to one task says; empty for an empty or senseless answer."""
    if task.answer is Answer.CAPTION:
        return _from_caption(said, taxonomy)
    if task.answer is Answer.REGIONS:
        return tuple(_from_regions(said, taxonomy))
    if task.answer is Answer.LETTERING:
        return _from_lettering(said)
    if task.answer is Answer.PLAIN_TEXT:
        return _from_plain_text(said)
    return ()


def located(said: Said, phrases: tuple[str, ...]) -> tuple[Observation, ...]:
    """Where the phrases are that were asked for.

    They are priors, without a score: handed on, and never evidence, because the model finds a
    place for whatever it is asked to find. What it locates unasked is dropped.
    """
    asked = {word_key(phrase): phrase for phrase in phrases}
    found = []
    for entry in read_entries(said, 2):
        phrase = asked.get(word_key(entry.words.text))
        if phrase is None:
            continue
        for region in entry.regions:
            found.append(
                Observation(
                    ObservationKind.PRIOR, phrase, None, None, source=GROUNDED, region=region
                )
            )
    return tuple(found)


def taxonomy_words(words: Words, taxonomy: Taxonomy) -> Iterator[Words]:
    """Yield the words of a text that name terms, the longest match first, from left to right.

    Words that are denied (`no windows`) or only likened (`looks like a church`) are left out.
    A phrase does not reach across punctuation.
    """
    found = list(_WORD.finditer(words.text))
    # Between two words of one phrase stands a blank only.
    joined = [
        words.text[one.end() : other.start()].isspace() for one, other in itertools.pairwise(found)
    ] + [False]
    longest = _longest(taxonomy) + _QUALIFIERS
    place = 0
    while place < len(found):
        reach = 1
        while reach < longest and place + reach < len(found) and joined[place + reach - 1]:
            reach += 1
        for count in range(reach, 0, -1):
            part = words.cut(found[place].start(), found[place + count - 1].end())
            if taxonomy.lookup(part.text) or taxonomy.lookup_senses(part.text):
                if not _denied(found, joined, place):
                    yield part
                place += count - 1
                break
        place += 1


def _denied(found: list[re.Match[str]], joined: list[bool], place: int) -> bool:
    for back in range(1, _REACH + 1):
        before = place - back
        if before < 0 or not joined[before]:
            return False
        word = word_key(found[before][0])
        if word in _DENIED or word in _LIKENED:
            return True
    return False


def _longest(taxonomy: Taxonomy) -> int:
    spellings = (*taxonomy.words, *taxonomy.senses)
    return max((key.count(" ") + 1 for key in spellings), default=1)


def _from_caption(said: Said, taxonomy: Taxonomy) -> tuple[Observation, ...]:
    words = read_caption(said)
    if sum(map(str.isalpha, words.text)) < LEAST_LETTERS:
        return ()
    caption = Observation(
        ObservationKind.CAPTION, CAPTION, probability(words, said), words.text, source=CAPTION
    )
    labels: dict[str, Observation] = {}
    for part in taxonomy_words(words, taxonomy):
        score = probability(part, said)
        label = Observation(ObservationKind.LABEL, part.text, score, None, source=CAPTION)
        key = word_key(part.text)
        known = labels.get(key)
        if known is None or (score or 0.0) > (known.score or 0.0):
            labels[key] = label if known is None else replace(known, score=score)
    return (caption, *labels.values())


def _from_regions(said: Said, taxonomy: Taxonomy) -> Iterator[Observation]:
    for entry in read_entries(said, 2):
        whole = entry.words
        if not any(map(str.isalpha, whole.text)):
            continue
        known = (
            taxonomy.lookup(whole.text)
            or taxonomy.lookup_senses(whole.text)
            or taxonomy.guard(whole.text)
        )
        inside = () if known else tuple(taxonomy_words(whole, taxonomy))
        for part in inside or (whole,):
            score = probability(part, said)
            for region in entry.regions:
                yield Observation(
                    ObservationKind.LABEL, part.text, score, None, source=REGION, region=region
                )


def _from_lettering(said: Said) -> tuple[Observation, ...]:
    lines = []
    unscored = said.logs is None
    for entry in read_entries(said, 4):
        score = probability(entry.words, said)
        for region in entry.regions:
            lines.append(Line(entry.words.text, 1.0 if score is None else score, region))
    texts = texts_of(lines, 0.0)
    return tuple(replace(one, score=None) for one in texts) if unscored else texts


def _from_plain_text(said: Said) -> tuple[Observation, ...]:
    words = read_caption(said)
    if sum(map(str.isalnum, words.text)) < LEAST_LETTERS:
        return ()
    score = probability(words, said)
    return (Observation(ObservationKind.TEXT, "text", score, words.text, source=READ),)
