"""A tagger's closed list: its tags, the score at which each of them counts, and what to keep.

Calibration. RAM++ was tuned so that each tag has a threshold of its own: a score of 0.7 is a clear
yes for `stool` (0.54) and a no for `wall` (0.9). A profile knows one number. So a score p of a tag
with the threshold t becomes

    sigmoid(logit p - logit t)  =  p (1 - t) / (p (1 - t) + t (1 - p)),

which is 0.5 where p = t, rises with p, keeps 0 and 1, and is what a change of the odds of "yes"
alone does to a probability (Saerens, Latinne and Decaestecker, Neural Computation 14:21-41, 2002,
10.1162/089976602753284446): the last layer's bias moves, and nothing else. It is not a measured
probability: no labelled photographs of abandoned places were at hand to fit one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from urbexmp.model.observation import Observation, ObservationKind

TAG = "tag"
"""Source of an observation that is a word of a tagger's closed list."""


class TagListError(ValueError):
    """The list of tags or of thresholds is not what the model was made with."""


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags of a model, in the order of its scores."""

    tags: tuple[str, ...]
    thresholds: tuple[float, ...]
    """Least score, above 0; 1 means that the tag is switched off."""


def read_tags(tags: str, thresholds: str, count: int | None) -> TagList:
    """Read both lists, one entry a line. Raises `TagListError` that names the first mistake.

    `count` is how many tags the model has; None: as many as the list names.
    """
    names = [line.strip() for line in tags.strip().splitlines()]
    least = [line.strip() for line in thresholds.strip().splitlines()]
    wanted = len(names) if count is None else count
    for what, lines in (("tags", names), ("thresholds", least)):
        if len(lines) != wanted or not lines:
            raise TagListError(f"{len(lines)} {what} instead of {wanted}")
    first: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name:
            raise TagListError(f"line {number}: there is no tag")
        if name in first:
            raise TagListError(f"line {number}: {name!r} stands in line {first[name]} already")
        first[name] = number
    return TagList(tuple(names), tuple(_threshold(one, n) for n, one in enumerate(least, 1)))


def calibrated(score: float, threshold: float) -> float:
    """Return `score` (0..1) moved so that `threshold` (0..1] lands on 0.5; see above.

    Nothing reaches a threshold of 1, and what is no number is no.
    """
    if not isfinite(score) or threshold >= 1.0:
        return 0.0
    score = min(1.0, max(0.0, score))
    yes = score * (1.0 - threshold)
    no = threshold * (1.0 - score)
    return yes / (yes + no)


def keep(
    scores: Sequence[float], known: TagList, floor: float, most: int
) -> tuple[Observation, ...]:
    """What a tagger's `scores` (0..1, one a tag) say: the strongest first, at most `most`.

    Everything from the low `floor` (calibrated) up is kept, far below any profile's threshold, so
    that another threshold needs no new look. Raises `TagListError` for a wrong number of scores.
    """
    if len(scores) != len(known.tags):
        raise TagListError(f"{len(scores)} scores for {len(known.tags)} tags")
    found = [
        (round(moved, 4), tag)
        for score, tag, threshold in zip(scores, known.tags, known.thresholds, strict=True)
        if (moved := calibrated(score, threshold)) >= floor
    ]
    found.sort(key=lambda one: (-one[0], one[1]))
    return tuple(
        Observation(ObservationKind.LABEL, tag, score, source=TAG) for score, tag in found[:most]
    )


def _threshold(text: str, number: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value <= 1.0:
        raise TagListError(f"line {number}: {text!r} is no threshold above 0 and up to 1")
    return value
