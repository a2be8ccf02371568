"""From what a model said to observations, without what it cannot know. Pure.

A model's own confidence is a rank, no probability: it is kept below `OWN_CAP`. Where the server
gives the probabilities of the words themselves, these are used instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from urbexmp.model.observation import Context, Observation, ObservationKind
from urbexmp.rules.spelling import word_key
from urbexmp.rules.terms import Taxonomy
from urbexmp.rules.told_texts import YEAR, only_told, told_words
from urbexmp.rules.vlm_reply import Label, Reply

OWN_CAP = 0.9
"""No confidence that a model gives itself counts for more."""

_BETWEEN = re.compile(r"[;,:(]")
_NAMED = re.compile(r"\b[A-Z][a-z\u00df-\u00ff]+")


def observations(
    reply: Reply,
    context: Context,
    taxonomy: Taxonomy,
    tokens: Sequence[tuple[str, float]] = (),
    read: Sequence[str] = (),
) -> tuple[Observation, ...]:
    """What the reply says, as observations; labels that it cannot know are left out.

    So are the sentences of texts for people that say such things, unless they were `read`.
    """
    label, said = ObservationKind.LABEL, list[Observation]()
    for one in reply.labels:
        if not unknowable(one.word, context, taxonomy):
            score, source = _confidence(one, tokens)
            said.append(Observation(label, one.word, score, source=source))
    for source, words in (
        ("style", _pieces(reply.style)),
        ("severity", _pieces(reply.severity)),
        ("decay", reply.decay),
        ("equipment", reply.equipment),
        ("era", _pieces(reply.era)),
    ):
        for word in words:
            if taxonomy.lookup(word) and not unknowable(word, context, taxonomy):
                said.append(Observation(label, word, source=source))
    if reply.condition is not None:
        said.append(Observation(ObservationKind.MEASURE, "condition", value=reply.condition))
    for text in reply.texts:
        said.append(Observation(ObservationKind.TEXT, "text", value=text, source="read"))
    may = told_words(context, (*read, *reply.texts))
    for name, written in (("description", reply.description), ("alt text", reply.alt_text)):
        checked = only_told(written or "", may, taxonomy)
        if checked.text:
            said.append(Observation(ObservationKind.CAPTION, name, value=checked.text))
        for sentence in checked.left_out:
            said.append(
                Observation(ObservationKind.CAPTION, f"left out of the {name}", value=sentence)
            )
    for name, value in (
        ("spatial", reply.spatial),
        ("severity", reply.severity),
        ("era hint", reply.era),
        ("abandoned since", reply.abandoned_since),
    ):
        if value:
            said.append(Observation(ObservationKind.CAPTION, name, value=value))
    return tuple(said)


def _pieces(text: str | None) -> tuple[str, ...]:
    """An answer whole, and its beginning: "Art Deco; the railings" names a style and a reason."""
    if not text:
        return ()
    pieces = (piece.strip(" .") for piece in (text, _BETWEEN.split(text)[0]))
    return tuple(dict.fromkeys(piece for piece in pieces if piece))


def unknowable(word: str, context: Context, taxonomy: Taxonomy) -> bool:
    """Whether a picture cannot show what a label says: a year, the name of a place or a person.

    What the context holds was told, and may be said. A capital letter alone makes no name: words
    that the taxonomy knows are no names.
    """
    told = told_words(context)
    if YEAR.search(word):
        return not all(told.issuperset(word_key(y[0]).split()) for y in YEAR.finditer(word))
    if taxonomy.lookup(word) or taxonomy.lookup_senses(word):
        return False
    return any(
        word_key(name) not in told and not taxonomy.lookup(name)
        for name in _NAMED.findall(word)
        if word != word.title() or len(word.split()) > 1
    )


def _confidence(one: Label, tokens: Sequence[tuple[str, float]]) -> tuple[float | None, str]:
    probability = span_probability(one.word, tokens)
    if probability is not None:
        return probability, "token probability"
    if one.confidence is None:
        return None, "named"
    return round(min(OWN_CAP, one.confidence), 4), "own confidence"


def span_probability(word: str, tokens: Sequence[tuple[str, float]]) -> float | None:
    """Geometric mean of the probabilities of the tokens that spell `word`; None: not found.

    The first place where the word stands between quotes counts, as it does in JSON.
    """
    if not tokens:
        return None
    text = "".join(piece for piece, _ in tokens)
    at = text.find(f'"{word}"')
    if at < 0:
        return None
    begin, end, place = at + 1, at + 1 + len(word), 0
    found: list[float] = []
    for piece, logarithm in tokens:
        if place < end and place + len(piece) > begin and math.isfinite(logarithm):
            found.append(logarithm)
        place += len(piece)
    if not found:
        return None
    return round(min(1.0, math.exp(sum(found) / len(found))), 4)
