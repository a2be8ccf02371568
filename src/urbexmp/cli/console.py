"""The console: coloured lines, progress, and the ways of showing a run.

The only file that knows `rich`, and it is imported only when a progress bar appears, which is
half a second into a run: a short command never pays for it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TextIO

import click

from urbexmp.model.errors import InternalProblem, Problem
from urbexmp.rules.render import Line, Span, Style, counted, plain, printable, relative
from urbexmp.rules.render_summary import duration, summary_lines

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from urbexmp.cli.options import Choices
    from urbexmp.model.change import Change
    from urbexmp.model.report import Report

Detail = Literal["diff", "short", "none"]

_LOOKS: dict[Style, dict[str, object]] = {
    Style.PATH: {"bold": True},
    Style.ADD: {"fg": "green"},
    Style.REMOVE: {"fg": "red"},
    Style.HELD: {"fg": "yellow"},
    Style.LEARNED: {"fg": "magenta"},
    Style.KEPT: {"dim": True},
    Style.DIM: {"dim": True},
    Style.PROBLEM: {"fg": "red", "bold": True},
    Style.GOOD: {"fg": "green", "bold": True},
}

BAR_AFTER = 0.5
"""Seconds until the progress bar appears."""
BAR_EVERY = 0.1
"""Seconds between two redraws: a run over a hundred thousand known photos must not wait for it."""
LINE_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""


class Console:
    """Standard output and error, with colours where they can be seen."""

    def __init__(
        self, *, color: bool | None = None, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        wanted = color is not False and not os.environ.get("NO_COLOR")
        self.color = wanted and (bool(color) or _shows_color(self.out))
        self.err_color = wanted and (bool(color) or _shows_color(self.err))

    def lines(self, lines: Iterable[Line]) -> None:
        """Print lines on standard output."""
        for one in lines:
            print(self.styled(one), file=self.out)

    def trouble(self, problem: Problem) -> None:
        """Print a problem on standard error."""
        line = problem_line(problem, problem.subject)
        print(ansi(line) if self.err_color else plain(line), file=self.err)

    def styled(self, one: Line) -> str:
        """A line with its colours, or without."""
        return ansi(one) if self.color else plain(one)


def ansi(one: Line) -> str:
    """A line with the terminal's colours."""
    return "".join(
        click.style(span.text, **_LOOKS[span.style]) if span.style in _LOOKS else span.text  # type: ignore[arg-type]
        for span in one
    )


def problem_line(problem: Problem, subject: str) -> Line:
    """A problem under the name by which its subject is shown, safe to print."""
    said = str(problem).removeprefix(problem.subject)
    safe = "\n".join(printable(part) for part in said.split("\n"))
    return Span(printable(subject), Style.PROBLEM), Span(safe)


def _shows_color(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def console_for(choices: Choices) -> Console:
    """The console that the shared options ask for."""
    return Console(color=choices.color)


def make_show(
    choices: Choices,
    root: Path,
    *,
    detail: Detail,
    check: bool = False,
    console: Console | None = None,
) -> TextShow | JsonShow:
    """The way of showing a run that the shared options and the terminal ask for.

    `detail` is how much is said of each change. A show prints nothing after `end`.
    """
    console = console or console_for(choices)
    if choices.json:
        return JsonShow(console, root, check=check)
    if choices.quiet:
        return TextShow(console, root, detail="none", summary=False, progress=None)
    return TextShow(
        console,
        root,
        detail="diff" if choices.verbose else detail,
        progress=progress_for(console),
        verbose=choices.verbose,
    )


def progress_for(console: Console) -> Bar | Ticker:
    """A bar on a terminal, else a line now and then."""
    return Bar() if _shows_color(console.err) else Ticker(console.err)


class Closing:
    """A show in a `with` block: leaving it takes away what stands on the screen."""

    def close(self) -> None:
        """Nothing stands there."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class TextShow(Closing):
    """For a person: changes and the summary on standard output, trouble on standard error."""

    def __init__(
        self,
        console: Console,
        root: Path,
        *,
        detail: Detail,
        progress: Bar | Ticker | None,
        summary: bool = True,
        verbose: bool = False,
    ) -> None:
        self.console = console
        self.root = root
        self.detail = detail
        self.summary = summary
        self.verbose = verbose
        self.progress = progress
        self.shown = 0

    def begin(self, report: Report, total: int | None) -> None:
        """Start the clock of the progress."""
        if self.progress:
            self.progress.start(total)

    def photo(self, path: Path) -> None:
        """Count one photo."""
        if self.progress:
            self.progress.step(path.name)

    def note(self, sentence: str) -> None:
        """Say it, unless asked to be quiet."""
        if self.summary:
            self._print((Span(printable(sentence), Style.DIM),))

    def change(self, change: Change, *, applied: bool) -> None:
        """Show a change as a diff, or in one line."""
        if self.detail == "none":
            return
        from urbexmp.rules.render_text import diff_lines, short_line

        if self.detail == "short":
            self._print(short_line(change, self.root, applied=applied))
            return
        lines = diff_lines(change, self.root, applied=applied)
        if self.shown:
            self._print(())
        self.shown += 1
        for one in lines:
            self._print(one)

    def problem(self, problem: Problem) -> None:
        """Say what is wrong; our own mistakes go to the log with all their details."""
        if isinstance(problem, InternalProblem) and problem.__cause__ is not None:
            from urbexmp.cli.log import keep_traceback

            keep_traceback(problem.__cause__)
        line = problem_line(problem, relative(Path(problem.subject), self.root))
        console = self.console
        if not (self.progress and self.progress.above(ansi(line))):
            print(ansi(line) if console.err_color else plain(line), file=console.err)

    def end(self, report: Report) -> None:
        """Take the bar away and print the summary."""
        if self.progress:
            self.progress.stop()
        if self.summary:
            if self.shown:
                self._print(())
            self.console.lines(summary_lines(report, verbose=self.verbose))

    def close(self) -> None:
        """Take the bar away, whatever happened."""
        if self.progress:
            self.progress.stop()

    def _print(self, one: Line) -> None:
        if not (self.progress and self.console.out.isatty() and self.progress.above(ansi(one))):
            print(self.console.styled(one), file=self.console.out)


class JsonShow(Closing):
    """For a program: one JSON object a line on standard output, and nothing else."""

    def __init__(self, console: Console, root: Path, *, check: bool) -> None:
        from urbexmp.rules import render_json

        self.console = console
        self.data = render_json
        self.root = root
        self.check = check

    def _say(self, data: dict[str, object]) -> None:
        told = self.data.line(self.data.of_library(data, self.root))
        print(told, file=self.console.out, flush=True)

    def begin(self, report: Report, total: int | None) -> None:
        """Say what begins."""
        self._say(self.data.begin_data(report, self.root, total))

    def photo(self, path: Path) -> None:
        """Say nothing: a photo without a change or a problem is only counted."""

    def note(self, sentence: str) -> None:
        """Say it."""
        self._say(self.data.note_data(sentence))

    def change(self, change: Change, *, applied: bool) -> None:
        """Say the whole change."""
        self._say(self.data.change_data(change, self.root, applied=applied))

    def problem(self, problem: Problem) -> None:
        """Say what is wrong."""
        if isinstance(problem, InternalProblem) and problem.__cause__ is not None:
            from urbexmp.cli.log import keep_traceback

            keep_traceback(problem.__cause__)
        self._say(self.data.problem_data(problem, self.root))

    def end(self, report: Report) -> None:
        """Say all counters."""
        self._say(self.data.end_data(report, self.root, check=self.check))


class Bar:
    """A progress bar with rate and time left, for a terminal. Drawn on standard error."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._began = self._drawn = time.monotonic()

    def start(self, total: int | None) -> None:
        """Begin to count; nothing is drawn yet."""
        self.total = total
        self._began = self._drawn = time.monotonic()

    def step(self, name: str) -> None:
        """One photo more."""
        self.done += 1
        now = time.monotonic()
        if now - self._drawn < BAR_EVERY or now - self._began < BAR_AFTER:
            return
        self._drawn = now
        if self._bar is None:
            self._bar = self._make()
        if self._task is not None:
            rate = self.done / max(now - self._began, 1e-9)
            self._bar.update(
                self._task, completed=self.done, rate=f"{rate:,.1f}/s", name=printable(name)
            )

    def _make(self) -> Progress:
        from rich.console import Console as RichConsole
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.table import Column

        bar = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("photos"),
            TextColumn("{task.fields[rate]}", style="cyan"),
            TimeRemainingColumn(),
            TextColumn("left"),
            TextColumn(
                "{task.fields[name]}",
                style="dim",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis"),
            ),
            console=RichConsole(stderr=True, highlight=False),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.start()
        self._task = bar.add_task("", total=self.total, rate="", name="")
        return bar

    def above(self, text: str) -> bool:
        """Print a line above the bar; False when no bar stands there."""
        if self._bar is None:
            return False
        from rich.text import Text

        self._bar.console.print(Text.from_ansi(text), soft_wrap=True)
        return True

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class Ticker:
    """Progress where there is no terminal: a plain line now and then on standard error."""

    def __init__(self, err: TextIO) -> None:
        self.err = err
        self.total: int | None = None
        self.done = 0
        self._began = self._said = time.monotonic()

    def start(self, total: int | None) -> None:
        """Begin to count."""
        self.total = total
        self._began = self._said = time.monotonic()

    def step(self, name: str) -> None:
        """One photo more."""
        self.done += 1
        now = time.monotonic()
        if now - self._said >= LINE_EVERY:
            self._said = now
            print(
                progress_text(self.done, self.total, now - self._began), file=self.err, flush=True
            )

    def above(self, text: str) -> bool:
        """There is no bar to print above."""
        return False

    def stop(self) -> None:
        """Nothing to take away."""


def progress_text(done: int, total: int | None, seconds: float) -> str:
    """`1,200 of 5,000 photos, 40.0/s, about 1 min 35 s left`."""
    rate = done / seconds if seconds > 0 else 0.0
    if total is None:
        return f"{counted(done, 'photo')}, {rate:.1f}/s"
    told = f"{done:,} of {counted(total, 'photo')}, {rate:.1f}/s"
    return (
        f"{told}, about {duration((total - done) / rate)} left" if rate and done < total else told
    )
