"""What a run did, as counters, and the exit code that follows from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from urbexmp.model.errors import Problem, ReportUnwritable
from urbexmp.model.pacing import Paced, PaceFigures

EXIT_DONE = 0
EXIT_EDITS_FOUND = 1
EXIT_USAGE = 2
EXIT_SOME_FAILED = 3


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One command that wrote, or could have."""

    run: str
    command: str
    profile: str
    started: str
    ended: str | None = None
    """None: still running, or killed."""
    changed: int = 0
    failed: int = 0
    undone: bool = False


@dataclass(slots=True)
class Report:
    """Counters of one run. The only place that knows how an exit code comes about."""

    run: str = ""
    command: str = ""
    dry: bool = False
    photos: int = 0
    changed: int = 0
    """Photos written (or that would be, in a dry run)."""
    unchanged: int = 0
    held: int = 0
    """Photos with at least one edit waiting for a person."""
    added: int = 0
    removed: int = 0
    texts: int = 0
    """Descriptions and alt texts written or taken out."""
    texts_held: int = 0
    """Those that were not written, because a person decides."""
    learned: int = 0
    """Vetoes learned."""
    problems: list[Problem] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """Files left out, by reason: not errors."""
    stage_looks: Counter[str] = field(default_factory=Counter)
    """Stage name to how often it ran (cached looks not counted)."""
    cached_looks: Counter[str] = field(default_factory=Counter)
    absent: dict[str, str] = field(default_factory=dict)
    """Stages that did not look because they cannot run, each with what is missing."""
    fallen: Counter[str] = field(default_factory=Counter)
    """Sentences on stages that failed at photos that were dealt with nevertheless."""
    put_off: Counter[str] = field(default_factory=Counter)
    """Stages that wait for a quiet moment, each with the number of photos."""
    unmapped: Counter[str] = field(default_factory=Counter)
    lightroom_blind: int = 0
    """Photos whose keywords Lightroom will not see, because it reads no sidecar for them."""
    blind: Counter[str] = field(default_factory=Counter)
    """The same by what keeps it from seeing them (`rules.sight`)."""
    spared: Counter[str] = field(default_factory=Counter)
    """Image files of written photos that got no keywords, by reason (`Spared.reason`)."""
    by_keywords: int = 0
    """Photos that an undo took back by keywords alone: the backup of their bytes is gone."""
    undecided: int = 0
    """Photos that an undo left because their files contradict each other."""
    undecided_run: str = ""
    """The run that was to be taken back there, and still can be."""
    paces: dict[tuple[str, str], PaceFigures] = field(default_factory=dict)
    """How much was done at a time, by who did it (`Paced.who`, `Paced.what`)."""
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def failed(self) -> int:
        """How many photos had a problem (and what else is not as it should be around them)."""
        return sum(problem.slug != ReportUnwritable.slug for problem in self.problems)

    def paced(self, paced: Paced) -> None:
        """Count a change of how much is done at a time."""
        self.paces.setdefault((paced.who, paced.what), PaceFigures()).add(paced)

    def exit_code(self, *, check: bool = False) -> int:
        """Exit code of the run: 128+2 interrupted, 3 some failed, N nothing could be done."""
        if self.interrupted:
            return 130
        if self.problems:
            anything = self.changed or self.unchanged or self.held
            codes = {problem.code for problem in self.problems}
            if not anything and len(codes) == 1:
                return codes.pop()
            return EXIT_SOME_FAILED
        if check and self.changed:
            return EXIT_EDITS_FOUND
        return EXIT_DONE
