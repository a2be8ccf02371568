"""Runs compared: what the lines of a history say, side by side and added up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from urbexmp.rules.metrics import Latencies
from urbexmp.rules.reply_metrics import Replies, ReplyFigures, replies_from
from urbexmp.rules.run_metrics import FORMAT


@dataclass(frozen=True, slots=True)
class PastStage:
    """One stage in one run."""

    cached: int
    latencies: Latencies


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run, as its line in the history tells it."""

    run: str
    started: str
    root: str
    command: str
    dry_run: bool
    profile: str
    profile_digest: str
    taxonomy_digest: str
    photos: int
    looked_at: int
    written: int
    held: int
    failed: int
    added: int
    seconds: float
    photos_a_minute: float | None
    stages: Mapping[str, PastStage]
    """By stage id."""
    replies: Replies = field(default_factory=dict)
    """By model and prompt; runs from before they were counted have none."""


def read_history(lines: Iterable[str]) -> tuple[tuple[PastRun, ...], int]:
    """Runs in the order they ended, and how many lines could not be read: torn by a power cut,
    or of a newer urbexmp."""
    runs: list[PastRun] = []
    strange = 0
    for text in lines:
        if not text.strip():
            continue
        try:
            runs.append(_past_run(json.loads(text)))
        except (ValueError, TypeError, KeyError, AttributeError):
            strange += 1
    return tuple(runs), strange


def _past_run(data: Mapping[str, Any]) -> PastRun:
    if data["format"] != FORMAT:
        raise ValueError(data["format"])
    named = {
        name: data[name]
        for name in PastRun.__dataclass_fields__
        if name not in ("stages", "photos_a_minute", "replies")
    }
    for name, kind in PastRun.__annotations__.items():
        if name in named and not isinstance(named[name], _KINDS[kind]):
            raise TypeError(name)
    rate = data["photos_a_minute"]
    stages = {
        str(stage): PastStage(int(its["cached"]), Latencies.from_data(its))
        for stage, its in data["stages"].items()
    }
    return PastRun(
        **named,
        photos_a_minute=None if rate is None else float(rate),
        stages=stages,
        replies=replies_from(data.get("replies", ())),
    )


def by_model(runs: Iterable[PastRun]) -> Replies:
    """The replies of all runs, added up by model and prompt."""
    sums: Replies = {}
    for run in runs:
        for asked, its in run.replies.items():
            sums.setdefault(asked, ReplyFigures()).add_all(its)
    return sums


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (int, float),
}


@dataclass(slots=True)
class ProfileSum:
    """All runs of a history under one profile with one taxonomy: the same choices throughout."""

    profile: str
    profile_digest: str
    taxonomy_digest: str
    runs: int = 0
    looked_at: int = 0
    written: int = 0
    failed: int = 0
    added: int = 0
    seconds: float = 0.0
    """Of the runs in which a stage looked."""
    stages: dict[str, tuple[int, Latencies]] = field(default_factory=dict)
    """By stage id: photos of which it was known what it says, and the looks."""

    @property
    def photos_a_minute(self) -> float | None:
        """Photos a minute at which a stage looked, over all runs in which one did."""
        return self.looked_at / self.seconds * 60 if self.seconds and self.looked_at else None


def by_profile(runs: Iterable[PastRun]) -> tuple[ProfileSum, ...]:
    """Runs added up under each profile, in the order in which the profiles first ran."""
    sums: dict[tuple[str, str, str], ProfileSum] = {}
    for run in runs:
        key = (run.profile, run.profile_digest, run.taxonomy_digest)
        its = sums.setdefault(key, ProfileSum(*key))
        its.runs += 1
        its.looked_at += run.looked_at
        its.written += run.written
        its.failed += run.failed
        its.added += run.added
        if run.looked_at:
            its.seconds += run.seconds
        for stage, past in run.stages.items():
            cached, latencies = its.stages.setdefault(stage, (0, Latencies()))
            latencies.add_all(past.latencies)
            its.stages[stage] = (cached + past.cached, latencies)
    return tuple(sums.values())
