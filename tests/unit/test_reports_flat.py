"""A report on many photos takes no more memory than one on a few, and costs next to nothing."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

from unit.front_examples import ROOT, change
from urbexmp.drivers.reporting import Reporting
from urbexmp.model.change import Change
from urbexmp.model.errors import FileUnreadable, InternalProblem, Problem
from urbexmp.model.observation import StageLook
from urbexmp.model.report import Report
from urbexmp.rules.run_metrics import RunSetting

SETTING = RunSetting(
    ROOT.as_posix(), "2026-11-20T09:00:00Z", "offline", "aa", "urbex", "bb", ("pixels@1",), {}
)


class Quiet:
    """Shows nothing but keeps what went wrong."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def begin(self, report: Report, total: int | None) -> None: ...

    def photo(self, path: Path) -> None: ...

    def note(self, sentence: str) -> None: ...

    def change(self, change: Change, *, applied: bool) -> None: ...

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)

    def end(self, report: Report) -> None: ...


class Counted:
    """Report files that only count, or break at a line."""

    def __init__(self, breaks: bool = False) -> None:
        self.lines = 0
        self.breaks = breaks

    def begin(self, run: str) -> None: ...

    def add(self, line: str) -> None:
        if self.breaks:
            raise RecursionError("our own mistake")
        self.lines += 1

    def finish(self, summary: str, history: str) -> Path:
        return Path("summary.md")


def reporting(files: Counted, show: Quiet) -> tuple[Reporting, Report]:
    made = Reporting(show, files, SETTING, ROOT)
    report = Report(run="r1", command="sync")
    made.begin(report, None)
    return made, report


def unchanged(number: int) -> Change:
    return replace(change(f"Sanatorium/IMG_{number:06}.CR3"), writes=())


def deal(made: Reporting, one: Change) -> None:
    made.looked(one.photo.path, (StageLook("pixels@1", (), 0.25),), ("pixels",))
    made.dealt(one, applied=True)


def grown(photos: int) -> int:
    files = Counted()
    made, report = reporting(files, Quiet())
    deal(made, unchanged(0))
    tracemalloc.start()
    for number in range(1, photos + 1):
        deal(made, unchanged(number))
    # Python itself keeps names of paths a while; here only what the report keeps matters.
    kept = [tracemalloc.Filter(True, f"*{name}") for name in ("reporting.py", "metrics.py")]
    found = tracemalloc.take_snapshot().filter_traces(kept)
    size = sum(each.size for each in found.statistics("filename"))
    tracemalloc.stop()
    made.end(report)
    assert files.lines == photos + 1
    return size


def test_memory_is_flat() -> None:
    assert grown(2000) < grown(200) + 2_000


def test_our_own_mistake_in_a_report_is_one_problem_and_stops_nothing() -> None:
    show = Quiet()
    made, report = reporting(Counted(breaks=True), show)
    for number in range(5):
        deal(made, unchanged(number))
    gone = FileUnreadable(ROOT / "a.jpg", detail="gone")
    made.failed(ROOT / "a.jpg", gone)
    made.problem(gone)
    made.end(report)
    broken = [problem for problem in show.problems if isinstance(problem, InternalProblem)]
    assert len(broken) == 1
    assert "the report: RecursionError" in str(broken[0])
    assert report.problems == broken
