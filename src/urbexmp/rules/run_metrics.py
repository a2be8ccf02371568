"""One run in figures: what its report says, and the line that it leaves in the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from urbexmp.model.change import Change, EditKind
from urbexmp.model.keyword import Keyword
from urbexmp.model.observation import StageLook
from urbexmp.model.report import Report
from urbexmp.rules.metrics import Latencies
from urbexmp.rules.render import stage_name
from urbexmp.rules.render_pace import pace_data
from urbexmp.rules.reply_metrics import Replies, count_reply, replies_data

FORMAT = 1
"""Of a line of the history; raised when a field changes its meaning."""


@dataclass(frozen=True, slots=True)
class RunSetting:
    """Under what a run was made: with this the figures of two runs can be compared."""

    root: str
    started: str
    """ISO 8601, UTC."""
    profile: str
    profile_digest: str
    taxonomy: str
    taxonomy_digest: str
    stages: tuple[str, ...]
    """Ids of the profile's stages, in their order."""
    versions: Mapping[str, str]
    """Versions of this program and of what it rests on, by name."""


@dataclass(slots=True)
class StageFigures:
    """How often one stage looked, and how long that took."""

    cached: int = 0
    """Photos of which it was known what the stage says."""
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def share_cached(self) -> float | None:
        """Share (0..1) of the photos for which the stage did not have to look."""
        of = self.cached + self.latencies.count
        return self.cached / of if of else None


@dataclass(slots=True)
class RunFigures:
    """Counters that a report holds beside those of `Report`. Flat memory: by stage and keyword."""

    stages: dict[str, StageFigures] = field(default_factory=dict)
    """By stage id."""
    looked_at: int = 0
    """Photos at which at least one stage looked now."""
    written: int = 0
    """Photos written, or that would be."""
    unchanged: int = 0
    """Photos that were taken up and needed no write."""
    failed: int = 0
    """Photos that could not be dealt with."""
    added: Counter[Keyword] = field(default_factory=Counter)
    removed: Counter[Keyword] = field(default_factory=Counter)
    held: Counter[Keyword] = field(default_factory=Counter)
    replies: Replies = field(default_factory=dict)
    """Of models on servers, by model and prompt."""

    @property
    def taken_up(self) -> int:
        """Photos that were dealt with or failed; the others did not change and stayed closed."""
        return self.written + self.unchanged + self.failed

    def looked(self, looks: Sequence[StageLook], ran: Collection[str]) -> None:
        """Count the looks at one photo; `ran` names the stages that looked now."""
        self.looked_at += bool(ran)
        for look in looks:
            figures = self.stages.setdefault(look.stage, StageFigures())
            if stage_name(look.stage) in ran:
                figures.latencies.add(look.seconds)
            else:
                figures.cached += 1

    def replied(self, reply: Mapping[str, Any]) -> None:
        """Count one reply of a model."""
        count_reply(self.replies, reply)

    def dealt(self, change: Change) -> None:
        """Count the keywords of one change."""
        if change.writes:
            self.written += 1
        else:
            self.unchanged += 1
        for edit in change.edits:
            (self.added if edit.kind is EditKind.ADD else self.removed)[edit.keyword] += 1
        self.held.update(edit.keyword for edit in change.held)


def photos_a_minute(figures: RunFigures, seconds: float) -> float | None:
    """Photos a minute at which a stage looked: the others cost next to nothing."""
    return figures.looked_at / seconds * 60 if seconds > 0 and figures.looked_at else None


def history_data(report: Report, figures: RunFigures, setting: RunSetting) -> dict[str, Any]:
    """One line of the history. Fields are only ever added."""
    rate = photos_a_minute(figures, report.seconds)
    return {
        "format": FORMAT,
        "run": report.run,
        "started": setting.started,
        "root": setting.root,
        "command": report.command,
        "dry_run": report.dry,
        "interrupted": report.interrupted,
        "profile": setting.profile,
        "profile_digest": setting.profile_digest,
        "taxonomy": setting.taxonomy,
        "taxonomy_digest": setting.taxonomy_digest,
        "versions": dict(setting.versions),
        "photos": report.photos,
        "taken_up": figures.taken_up,
        "looked_at": figures.looked_at,
        "written": figures.written,
        "unchanged": figures.unchanged,
        "held": report.held,
        "failed": figures.failed,
        "problems": len(report.problems),
        "added": report.added,
        "removed": report.removed,
        "learned": report.learned,
        "unmapped": sum(report.unmapped.values()),
        "seconds": round(report.seconds, 3),
        "photos_a_minute": None if rate is None else round(rate, 1),
        "stages": {
            stage: {"cached": its.cached, **its.latencies.data()}
            for stage, its in stage_figures(figures, setting)
        },
        "replies": replies_data(figures.replies),
        "at_a_time": pace_data(report),
    }


def stage_figures(figures: RunFigures, setting: RunSetting) -> list[tuple[str, StageFigures]]:
    """Every stage of the profile, in its order, also where it never looked."""
    named = dict.fromkeys((*setting.stages, *figures.stages))
    return [(stage, figures.stages.get(stage, StageFigures())) for stage in named]
