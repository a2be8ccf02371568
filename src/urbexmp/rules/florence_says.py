"""From what Florence-2 wrote to observations. Pure.

The model's own words are handed on as they are, with their places: what they mean is the
taxonomy's business, whenever the observations are read (`rules.captions`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from urbexmp.model.observation import Observation, ObservationKind
from urbexmp.rules.captions import CAPTION, REGION, WORD_SCORES, words_of
from urbexmp.rules.florence_tasks import Answer, Task
from urbexmp.rules.florence_text import Said, probability, read_caption, read_entries
from urbexmp.rules.signs import LEAST_LETTERS, Line, texts_of
from urbexmp.rules.spelling import word_key

GROUNDED, READ = "grounded", "read"


def observations(task: Task, said: Said) -> tuple[Observation, ...]:
    """All that the answer to one task says; empty for an empty or senseless answer."""
    if task.answer is Answer.CAPTION:
        return _from_caption(said)
    if task.answer is Answer.REGIONS:
        return tuple(_from_regions(said))
    if task.answer is Answer.LETTERING:
        return _from_lettering(said)
    return _from_plain_text(said)


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


def _from_caption(said: Said) -> tuple[Observation, ...]:
    words = read_caption(said)
    if sum(map(str.isalpha, words.text)) < LEAST_LETTERS:
        return ()
    score = probability(words, said)
    caption = Observation(ObservationKind.CAPTION, CAPTION, score, words.text, source=CAPTION)
    if score is None:
        return (caption,)
    each = [probability(words.cut(*span), said) or 0.0 for span in words_of(words.text)]
    percents = " ".join(str(round(100 * one)) for one in each)
    scores = Observation(ObservationKind.PRIOR, WORD_SCORES, None, percents, source=CAPTION)
    return (caption, scores)


def _from_regions(said: Said) -> Iterator[Observation]:
    for entry in read_entries(said, 2):
        label = entry.words.text
        if not any(map(str.isalpha, label)):
            continue
        score = probability(entry.words, said)
        for region in entry.regions:
            yield Observation(
                ObservationKind.LABEL, label, score, None, source=REGION, region=region
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
