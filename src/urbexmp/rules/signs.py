"""What is written on signs and walls, and what it means for the keywords. Pure.

A reader of texts gives lines. A sign of two lines (NO / TRESPASSING) is one text, so lines that
stand below each other are joined before they are understood. What a sign says about itself is
certain (`keep out` on a board makes it that board); the name of a building on it is only a hint:
a board may point to a hospital down the road.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from urbexmp.model.keyword import Keyword
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.rules.place import places_in
from urbexmp.rules.spelling import word_key
from urbexmp.rules.terms import Taxonomy

Region = tuple[float, float, float, float]

NAMED_ON_A_SIGN = 0.45
"""Share of a reading's score that the sort of building it names gets: worth a question, and a
keyword together with another witness."""

LEAST_LETTERS = 3
"""Letters and digits of a text that is kept: shorter ones are mostly cracks and pipes. A line of
a longer text may be short: NO / TRESPASSING, WARD / 7."""

SEEN_AT_ALL = 0.1
"""Least score at which an earlier stage's word for a sign is a reason to read."""

SEERS = frozenset({"siglip", "florence", "ram", "remote"})
"""Stages that would have seen a sign."""

_NOT_WORDS = re.compile(r"[^\w\s'\u2019-]+")
_NUMBER = re.compile(r"(?:\d+\w?|[a-z]\d*|[ivx]+)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in a picture."""

    text: str
    score: float
    region: Region
    """Left, top, right, bottom as shares of width and height."""


@dataclass(frozen=True, slots=True)
class SignMeaning:
    """What a text says in favour of one keyword."""

    keyword: Keyword
    words: str
    """The words of the taxonomy that were found."""
    score: float | None
    note: str


def texts_of(lines: Sequence[Line], least: float) -> tuple[Observation, ...]:
    """The texts that these lines make, from the top left, as observations with their regions.

    Lines read with less than `least`, or too short to be words, are left out. A text is as sure
    as its weakest line.
    """
    kept = [line for line in lines if line.score >= least and any(map(str.isalnum, line.text))]
    said = []
    for block in _blocks(sorted(kept, key=lambda line: (line.region[1], line.region[0]))):
        boxes = [line.region for line in block]
        region = (
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )
        text = "\n".join(" ".join(line.text.split()) for line in block)
        if sum(map(str.isalnum, text)) < LEAST_LETTERS:
            continue
        score = min(line.score for line in block)
        said.append(
            Observation(ObservationKind.TEXT, "text", score, text, source="read", region=region)
        )
    return tuple(said)


def read_signs(text: str, score: float | None, taxonomy: Taxonomy) -> Iterator[SignMeaning]:
    """Yield what a text that was read means; nothing for most texts."""
    shown = " ".join(text.split())
    note = f"sign {shown!r}" if len(shown) <= 60 else f"sign {shown[:57]!r}..."
    told: set[Keyword] = set()
    for words, keyword in _phrases(text, taxonomy):
        if keyword not in told:
            told.add(keyword)
            yield SignMeaning(keyword, words, score, note)
    if score is not None:
        for words, keyword in places_in(shown.title() if shown.isupper() else shown, taxonomy):
            if keyword not in told:
                told.add(keyword)
                yield SignMeaning(keyword, words, score * NAMED_ON_A_SIGN, note)


def worth_reading(earlier: Sequence[StageLook], taxonomy: Taxonomy) -> bool:
    """Whether a photo is worth the second that reading costs.

    From the air nothing is legible. Where a stage that knows signs has looked, and saw none, an
    interior is not read; exteriors and details are, because signs there are small.
    """
    views = [
        (-1.0 if one.score is None else -one.score, one.label)
        for look in earlier
        for one in look.observations
        if one.kind is ObservationKind.VIEW
    ]
    view = min(views)[1] if views else None
    if view == "aerial":
        return False
    if view != "interior" or not any(_name(look) in SEERS for look in earlier):
        return True
    lettered = [term.keyword for term in taxonomy.terms.values() if term.signs]
    for look in earlier:
        for one in look.observations:
            if one.kind is not ObservationKind.LABEL:
                continue
            if one.score is not None and one.score < SEEN_AT_ALL:
                continue
            for meaning in taxonomy.lookup(one.label):
                seen = meaning.keyword
                if any(seen.is_under(sign) or sign.is_under(seen) for sign in lettered):
                    return True
    return False


def _name(look: StageLook) -> str:
    return look.stage.partition("@")[0]


def _blocks(lines: Sequence[Line]) -> list[list[Line]]:
    """Group lines of like height that stand below each other."""
    blocks: list[list[Line]] = []
    for line in lines:
        for block in blocks:
            if _continues(block[-1].region, line.region):
                block.append(line)
                break
        else:
            blocks.append([line])
    return blocks


def _continues(above: Region, below: Region) -> bool:
    tall, height = above[3] - above[1], below[3] - below[1]
    gap = below[1] - above[3]
    shared = min(above[2], below[2]) - max(above[0], below[0])
    narrow = min(above[2] - above[0], below[2] - below[0])
    alike = max(tall, height) <= 2.5 * min(tall, height)
    # Leaning letters make boxes overlap a little.
    return alike and -0.5 * height <= gap <= 0.9 * max(tall, height) and shared > 0.5 * narrow


def _phrases(text: str, taxonomy: Taxonomy) -> Iterator[tuple[str, Keyword]]:
    words = word_key(_NOT_WORDS.sub(" ", text)).split()
    place = 0
    while place < len(words):
        for phrase, keyword in taxonomy.sign_words.get(words[place], ()):
            ahead = words[place : place + len(phrase)]
            if len(ahead) == len(phrase) and all(map(_fits, phrase, ahead)):
                yield " ".join(ahead), keyword
                place += len(phrase) - 1
                break
        place += 1


def _fits(wanted: str, found: str) -> bool:
    return found == wanted or (wanted == "#" and _NUMBER.match(found) is not None)
