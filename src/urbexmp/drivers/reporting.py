"""A report on a run, written while it goes: around whatever else shows the run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from urbexmp.model.change import Change
from urbexmp.model.errors import InternalProblem, Problem
from urbexmp.model.observation import StageLook
from urbexmp.model.photo import Photo
from urbexmp.model.ports import Show
from urbexmp.model.proposal import Proposal
from urbexmp.model.recorder import ReportFiles
from urbexmp.model.report import Report
from urbexmp.rules.render_gallery import Pictured, gallery, pictured
from urbexmp.rules.render_json import line, problem_data
from urbexmp.rules.render_report import Looked, failed_data, photo_data, summary_page
from urbexmp.rules.run_metrics import RunFigures, RunSetting, history_data

NOT_LOOKED: Looked = ((), ())

Thumbnail = Callable[[Photo], bytes | None]
"""A small picture of a photo as JPEG, without metadata; None: there is none to be had."""


class Reporting:
    """Implements `Show` and `Recorder`: passes on what is shown, and writes a line a photo.

    Memory stays flat: of a photo only its looks are kept, until it was written. A report that
    cannot be written is one problem; the run goes on as if nobody had asked for it.
    """

    def __init__(
        self,
        show: Show,
        files: ReportFiles,
        setting: RunSetting,
        root: Path,
        pictures: int = 0,
        thumbnail: Thumbnail | None = None,
    ) -> None:
        """The page shows so many `pictures` at most, of photos that something was done with."""
        self._show = show
        self._files = files
        self._setting = setting
        self._root = root
        self._figures = RunFigures()
        self._thumbnail = thumbnail
        self._most = pictures if thumbnail is not None else 0
        self._pictured: list[Pictured] = []
        self._worth = 0
        """Photos that the page would show, had it the room."""
        self._replies: deque[Mapping[str, Any]] = deque()
        """Told by the threads that look, and not yet written by the one that runs."""
        self._proposals: dict[Path, Proposal] = {}
        self._looks: dict[Path, Looked] = {}
        self._report = Report()
        self._told: Problem | None = None
        """The problem of a photo that has its line: it comes by again as something to show."""
        self._whole = True
        """Whether nothing of the report failed so far."""

    # Show

    def begin(self, report: Report, total: int | None) -> None:
        """Begin the report."""
        self._report = report
        self._show.begin(report, total)
        self._do(lambda: self._files.begin(report.run))

    def photo(self, path: Path) -> None:
        """Pass it on."""
        self._show.photo(path)

    def note(self, sentence: str) -> None:
        """Pass it on."""
        self._show.note(sentence)

    def change(self, change: Change, *, applied: bool) -> None:
        """Pass it on; the line comes from `dealt`."""
        self._show.change(change, applied=applied)

    def problem(self, problem: Problem) -> None:
        """Pass it on; trouble with what is no photo gets a line of its own."""
        self._show.problem(problem)
        if problem is not self._told:
            data = problem_data(problem, self._root) | {"event": "trouble"}
            self._do(lambda: self._files.add(line(data)))

    def end(self, report: Report) -> None:
        """Complete the report, then pass it on: what goes wrong here is part of the summary."""
        figures, setting = self._figures, self._setting

        self._write_replies()

        def finish() -> None:
            shown = gallery(self._pictured, self._worth - len(self._pictured))
            page = summary_page(report, figures, setting, shown)
            place = self._files.finish(page, line(history_data(report, figures, setting)))
            self._show.note(f"Report: {place}")

        self._do(finish)
        self._show.end(report)

    # Recorder

    def looked(self, path: Path, looks: Sequence[StageLook], ran: Collection[str]) -> None:
        """Count the looks, and keep them for the photo's line."""
        self._figures.looked(looks, ran)
        self._looks[path] = (looks, ran)
        self._write_replies()

    def proposed(self, path: Path, proposal: Proposal) -> None:
        """Keep it for the photo's line."""
        self._proposals[path] = proposal

    def replied(self, reply: Mapping[str, Any]) -> None:
        """Take note of what a model replied. From any thread; it is written by the run's own."""
        self._replies.append(reply)

    def _write_replies(self) -> None:
        while self._replies:
            reply = self._replies.popleft()

            def write(reply: Mapping[str, Any] = reply) -> None:
                self._figures.replied(reply)
                self._files.reply(line({"event": "reply", **reply}))

            self._do(write)

    def dealt(self, change: Change, *, applied: bool) -> None:
        """Write the line of a photo that was dealt with."""
        self._figures.dealt(change)
        looked = self._looks.pop(change.photo.path, NOT_LOOKED)
        proposal = self._proposals.pop(change.photo.path, None)
        data = photo_data(change, self._root, looked, proposal, applied=applied)
        self._do(lambda: self._files.add(line(data)))
        if change.writes or change.held or looked[1]:
            self._worth += 1
            if len(self._pictured) < self._most:
                self._do(lambda: self._picture(change, looked))

    def _picture(self, change: Change, looked: Looked) -> None:
        """Keep what the page will show of a photo. Only so many: the page is held in memory."""
        assert self._thumbnail is not None
        small = self._thumbnail(change.photo)
        link = None
        if small is not None:
            link = self._files.picture(f"{len(self._pictured) + 1:04}.jpg", small)
        dry = self._report.dry
        self._pictured.append(pictured(change, looked[0], self._root, link, dry=dry))

    def failed(self, path: Path, problem: Problem) -> None:
        """Write the line of a photo that could not be dealt with."""
        self._figures.failed += 1
        self._told = problem
        looked = self._looks.pop(path, NOT_LOOKED)
        self._proposals.pop(path, None)
        self._write_replies()
        self._do(lambda: self._files.add(line(failed_data(path, problem, self._root, looked))))

    def _do(self, act: Callable[[], None]) -> None:
        if not self._whole:
            return
        try:
            act()
        except Problem as problem:
            self._give_up(problem)
        except Exception as failure:
            # Notes are never worth a photo: not even our own mistake may reach the run.
            ours = InternalProblem(
                self._root, detail=f"the report: {type(failure).__name__}: {failure}"
            )
            ours.__cause__ = failure
            self._give_up(ours)

    def _give_up(self, problem: Problem) -> None:
        self._whole = False
        self._report.problems.append(problem)
        self._show.problem(problem)
