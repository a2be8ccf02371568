"""Two reports, or what two models said, compared over the same photos. Pure.

A report tells of each photo what was suggested and by which stages, and of each reply of a model
how it went. One side of a comparison is a whole report, or of one or many reports what rests on one
model, one prompt or one stage.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from urbexmp.model.keyword import Keyword
from urbexmp.rules.reply_metrics import HEARD

NOTHING: frozenset[Keyword] = frozenset()


@dataclass(frozen=True, slots=True)
class Told:
    """What one report tells of one photo."""

    photo_id: str
    outcome: str
    suggested: Mapping[Keyword, tuple[str, ...]]
    """What would be written, each with the ids of the stages behind it."""
    seconds: Mapping[str, float]
    """How long the stages that looked took, by stage id."""
    stages: tuple[str, ...]
    """All stages whose looks counted, by id."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of a model."""

    photo: str
    stage: str
    model: str
    answered: str
    prompt: str
    outcome: str
    seconds: float
    tokens_in: int | None
    tokens_out: int | None


@dataclass(slots=True)
class Side:
    """One of the two that are compared; what it tells of a photo is what was told last."""

    name: str
    photos: dict[str, Told] = field(default_factory=dict)
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    """By photo."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a photo holds now."""

    keywords: frozenset[Keyword]
    own: frozenset[Keyword]
    """Those of them that a person wrote, added or took over."""
    refused: frozenset[Keyword]

    @property
    def seen(self) -> bool:
        """Whether a person's hand shows: of other photos nobody knows whether they were looked
        at, and what stands there says nothing."""
        return bool(self.own or self.refused)


# --- Reading ----------------------------------------------------------------------------------


def read_changes(lines: Iterable[str]) -> Iterator[tuple[str, Told]]:
    """Photos of a report by path. Lines that cannot be read, or tell of no photo, are left out."""
    for data in _objects(lines, "photo"):
        try:
            yield str(data["path"]), _told(data)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue


def _told(data: Mapping[str, Any]) -> Told:
    # Reports from before suggestions were told have what was to be done about them.
    said = data.get("suggested") or [
        {"keyword": edit["keyword"], "stages": [why["stage"] for why in edit["reasons"]]}
        for edit in data["edits"]
        if edit["kind"] == "add"
    ]
    return Told(
        str(data["photo_id"]),
        str(data["outcome"]),
        {Keyword.parse(each["keyword"]): tuple(map(str, each["stages"])) for each in said},
        {
            str(look["stage"]): float(look["seconds"])
            for look in data["looks"]
            if look["seconds"] is not None
        },
        tuple(str(look["stage"]) for look in data["looks"]),
    )


def read_replies(lines: Iterable[str]) -> Iterator[Reply]:
    """Replies of a report, in their order. Lines that cannot be read are left out."""
    for data in _objects(lines, "reply"):
        try:
            yield Reply(
                str(data["photo"]),
                str(data["stage"]),
                str(data["model"]),
                str(data["answered"] or ""),
                str(data["prompt"]),
                str(data["outcome"]),
                float(data["seconds"]),
                _number(data["tokens_in"]),
                _number(data["tokens_out"]),
            )
        except (KeyError, TypeError, ValueError):
            continue


def _number(told: Any) -> int | None:
    return None if told is None else int(told)


def _objects(lines: Iterable[str], event: str) -> Iterator[Mapping[str, Any]]:
    for text in lines:
        try:
            data = json.loads(text)
        except ValueError:
            continue
        if isinstance(data, dict) and data.get("event") == event:
            yield data


def add_report(side: Side, changes: Iterable[str], replies: Iterable[str]) -> None:
    """Add all that a report tells."""
    side.photos.update(read_changes(changes))
    for reply in read_replies(replies):
        side.replies.setdefault(reply.photo, []).append(reply)


def add_said(side: Side, changes: Iterable[str], replies: Iterable[str]) -> None:
    """Add what in a report rests on the model, prompt or stage that the side is named after.

    A photo counts where it replied or its look counted; of what was suggested there, what it
    said by itself or with others.
    """
    name = side.name
    of_it: dict[str, list[Reply]] = {}
    for reply in read_replies(replies):
        if name in (reply.model, reply.answered, reply.prompt) or _is_stage(reply.stage, name):
            of_it.setdefault(reply.photo, []).append(reply)
    for path, told in read_changes(changes):
        replied = of_it.pop(path, [])
        stages = {stage for stage in told.stages if _is_stage(stage, name)}
        stages.update(reply.stage for reply in replied)
        if not stages:
            continue
        suggested = {
            keyword: behind
            for keyword, behind in told.suggested.items()
            if not stages.isdisjoint(behind)
        }
        seconds = {stage: took for stage, took in told.seconds.items() if stage in stages}
        side.photos[path] = Told(
            told.photo_id, told.outcome, suggested, seconds, tuple(sorted(stages))
        )
        if replied:
            side.replies[path] = replied
    # A photo that failed for want of a reply has its line; one of a run that was killed has none.
    for path, replied in of_it.items():
        side.replies.setdefault(path, []).extend(replied)


def _is_stage(stage: str, name: str) -> bool:
    return name in (stage, stage.partition("@")[0])


def names_in(replies: Iterable[str]) -> Iterator[str]:
    """Names of models that replied."""
    yield from dict.fromkeys(reply.model for reply in read_replies(replies))


# --- Comparing --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figures:
    """One side in figures, over the photos that both tell of."""

    photos: int
    """All that it tells of."""
    outcomes: Mapping[str, int]
    """Of the photos."""
    replies: int
    heard: int
    reply_outcomes: Mapping[str, int]
    seconds: tuple[float, ...]
    """Of the replies, the shortest first."""
    stages: Mapping[str, tuple[float, ...]]
    """Of the looks, by stage id, the shortest first."""
    tokens_in: float | None
    """A reply, on average; None: no server told."""
    tokens_out: float | None
    suggested: int
    """Keywords of photos."""
    stand: int = 0
    """Suggested, and standing in photos where a person's hand shows."""
    taken_over: int = 0
    """Of these, those that a person wrote or took over."""
    refused: int = 0
    """Suggested, and refused or taken away."""
    own: int = 0
    """All keywords of persons in those photos, suggested or not."""

    @property
    def agreement(self) -> float | None:
        """Share (0..1) of what it suggested, and a person judged, that a person kept."""
        of = self.stand + self.refused
        return self.stand / of if of else None


@dataclass(frozen=True, slots=True)
class Compared:
    """What two sides say of the same photos."""

    names: tuple[str, str]
    both: int
    """Photos."""
    other_pictures: int
    """Photos of one path that are not the same picture; left out."""
    figures: tuple[Figures, Figures]
    together: int
    """Keywords of photos that both suggest."""
    only: tuple[Counter[Keyword], Counter[Keyword]]
    judged: int | None
    """Photos in which a person's hand shows; None: not known what the photos hold now."""


def compare(one: Side, other: Side, now: Mapping[str, Standing] | None) -> Compared:
    """Compare over the photos that both tell of; `now`: what these hold, as far as known."""
    paths = one.photos.keys() & other.photos.keys()
    same = {path for path in paths if _same(one.photos[path], other.photos[path])}
    together, only = 0, (Counter[Keyword](), Counter[Keyword]())
    for path in same:
        first, second = (frozenset(side.photos[path].suggested) for side in (one, other))
        together += len(first & second)
        only[0].update(first - second)
        only[1].update(second - first)
    judged = {path: its for path, its in (now or {}).items() if path in same and its.seen}
    return Compared(
        (one.name, other.name),
        len(same),
        len(paths) - len(same),
        (_figures(one, same, judged), _figures(other, same, judged)),
        together,
        only,
        None if now is None else len(judged),
    )


def _same(one: Told, other: Told) -> bool:
    # A photo that failed has no id in its line.
    return not one.photo_id or not other.photo_id or one.photo_id == other.photo_id


def _figures(side: Side, paths: Iterable[str], judged: Mapping[str, Standing]) -> Figures:
    paths = sorted(paths)
    photos = [side.photos[path] for path in paths]
    replies = [reply for path in paths for reply in side.replies.get(path, ())]
    outcomes = Counter(reply.outcome for reply in replies)
    stages: dict[str, list[float]] = {}
    for told in photos:
        for stage, took in told.seconds.items():
            stages.setdefault(stage, []).append(took)
    suggested = {path: frozenset(side.photos[path].suggested) for path in judged}
    return Figures(
        photos=len(side.photos),
        outcomes=Counter(told.outcome for told in photos),
        replies=len(replies),
        heard=outcomes[HEARD],
        reply_outcomes=outcomes,
        seconds=tuple(sorted(reply.seconds for reply in replies)),
        stages={stage: tuple(sorted(took)) for stage, took in sorted(stages.items())},
        tokens_in=_mean([r.tokens_in for r in replies if r.tokens_in is not None]),
        tokens_out=_mean([r.tokens_out for r in replies if r.tokens_out is not None]),
        suggested=sum(len(told.suggested) for told in photos),
        stand=sum(len(suggested[path] & its.keywords) for path, its in judged.items()),
        taken_over=sum(len(suggested[path] & its.own) for path, its in judged.items()),
        refused=sum(len(suggested[path] & its.refused) for path, its in judged.items()),
        own=sum(len(its.own) for its in judged.values()),
    )


def _mean(numbers: list[int]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def quantile(ordered: tuple[float, ...], share: float) -> float | None:
    """The value that `share` (0..1) of all are no larger than, by nearest rank; None for none."""
    if not ordered:
        return None
    return ordered[max(1, ceil(share * len(ordered))) - 1]
