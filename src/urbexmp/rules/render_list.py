"""Lists a person asks for: keywords with their source, runs, what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from urbexmp.model.background import WatchState
from urbexmp.model.change import Edit, EditKind, RunRecord
from urbexmp.model.keyword import Keyword
from urbexmp.model.ledger import WaitingWork
from urbexmp.rules.render import Line, Span, Style, printable, relative, stage_name, width
from urbexmp.rules.render_json import edit_data

SILENT_SECONDS = 180
"""A watch says how it goes every ten seconds; one photo rarely takes minutes."""

_SOURCES: Mapping[str, tuple[str, Style, str]] = {
    "person": (" ", Style.PLAIN, "yours"),
    "ai": ("+", Style.ADD, "written by us"),
    "both": ("+", Style.PLAIN, "yours, and suggested too"),
    "vetoed": ("x", Style.LEARNED, "not suggested again"),
    "held": ("?", Style.HELD, "waits for you"),
}


def photo_line(path: Path, root: Path | PurePath) -> Line:
    """The photo above its keywords."""
    return (Span(printable(relative(path, root)), Style.PATH),)


def keyword_line(keyword: Keyword, source: str, score: float | None, stage: str) -> Line:
    """One keyword, where it comes from, its score and stage."""
    sign, style, words = _SOURCES.get(source, (" ", Style.PLAIN, source))
    name = printable(str(keyword))
    told = words
    if score is not None:
        told += f" {score:.2f}"
    if stage:
        told += f" {printable(stage_name(stage))}"
    padding = " " * max(2, 50 - width(name))
    return (Span(f"  {sign} {name}", style), Span(f"{padding}{told}", Style.DIM))


def keyword_data(
    path: str, keyword: Keyword, source: str, score: float | None, stage: str, profile: str, at: str
) -> dict[str, Any]:
    """One keyword of one photo, for a program."""
    return {
        "event": "keyword",
        "path": path,
        "keyword": str(keyword),
        "source": source,
        "score": score,
        "stage": stage,
        "profile": profile,
        "at": at,
    }


def run_state(run: RunRecord) -> str:
    """`done`, `taken back`, `running or stopped`."""
    if run.undone:
        return "taken back"
    return "done" if run.ended else "running, or was killed"


def run_data(run: RunRecord) -> dict[str, Any]:
    """One run, for a program."""
    return {
        "event": "run",
        "run": run.run,
        "command": run.command,
        "profile": run.profile,
        "started": run.started,
        "ended": run.ended,
        "changed": run.changed,
        "failed": run.failed,
        "undone": run.undone,
    }


def run_lines(runs: Sequence[RunRecord]) -> tuple[Line, ...]:
    """Runs as a table."""
    head = ("run", "started (UTC)", "command", "profile", "changed", "failed", "state")
    table = [
        (
            run.run,
            run.started.replace("T", " ").removesuffix("Z"),
            run.command,
            run.profile,
            f"{run.changed:,}",
            f"{run.failed:,}",
            run_state(run),
        )
        for run in runs
    ]
    return columns(head, table, right=(4, 5))


def columns(
    head: Sequence[str], table: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> tuple[Line, ...]:
    """A table as lines, each column as wide as its widest cell."""
    safe = [[printable(cell) for cell in row] for row in table]
    widths = [max(width(row[n]) for row in (head, *safe)) for n in range(len(head))]

    def laid_out(row: Sequence[str]) -> str:
        cells = []
        for n, cell in enumerate(row):
            space = " " * (widths[n] - width(cell))
            cells.append(space + cell if n in right else cell + space)
        return "  ".join(cells).rstrip()

    return (
        (Span(laid_out(head), Style.DIM),),
        *((Span(laid_out(row)),) for row in safe),
    )


def held_lines(held: Sequence[tuple[Path, Edit]], root: Path | PurePath) -> tuple[Line, ...]:
    """Suggestions that wait for a person, by photo."""
    lines: list[Line] = []
    last: Path | None = None
    for path, edit in held:
        if path != last:
            lines.append(photo_line(path, root))
            last = path
        verb = "add" if edit.kind is EditKind.ADD else "remove"
        score = f" {edit.confidence:.2f}" if edit.confidence is not None else ""
        name = printable(str(edit.keyword))
        why = f"  {printable(edit.hold)}" if edit.hold else ""
        lines.append((Span(f"  ? {verb} {name}", Style.HELD), Span(f"{score}{why}", Style.DIM)))
    return tuple(lines)


def held_data(path: str, edit: Edit) -> dict[str, Any]:
    """One suggestion that waits, for a program."""
    return {"event": "held", "path": path, **edit_data(edit), "why": edit.hold or ""}


def reason_of(work: WaitingWork, root: Path | PurePath) -> str:
    """Why a photo waits, without its own name, so that many may wait for one reason.

    A file that still changes is named: the reason is its own.
    """
    if "still changes" in work.last_error:
        return work.last_error.replace(f"{root}/", "")
    return work.last_error.removeprefix(f"{work.path}: ").removeprefix(f"{root}: ")


def waiting_lines(waiting: Sequence[WaitingWork], root: Path | PurePath) -> tuple[Line, ...]:
    """Photos that are tried again, with what went wrong."""
    lines: list[Line] = []
    for work in waiting:
        tries = "1 try" if work.attempts == 1 else f"{work.attempts} tries"
        # What is due in a hundred years waits for its files to change, or for a person.
        parked = work.next_try > "2100"
        again = (
            "when it changes, or `urbexmp sync --again` asks"
            if parked
            else printable(work.next_try)
        )
        lines.append(photo_line(work.path, root))
        error = work.last_error.removeprefix(f"{work.path}: ").replace(f"{root}/", "")
        lines.append(
            (
                Span(f"  {printable(error)}", Style.PROBLEM),
                Span(f"  {tries}, next {again}", Style.DIM),
            )
        )
    return tuple(lines)


def watch_lines(state: WatchState, now: datetime) -> tuple[Line, ...]:
    """How a watch goes."""
    phase = f"paused: {state.paused_for}" if state.paused_for else state.phase
    silent = (now - state.at).total_seconds()
    if silent > SILENT_SECONDS:
        phase += f", and has said nothing for {silent / 60:.0f} min"
    numbers = [f"{state.done:,} done", f"{state.queued:,} waiting", f"{state.settling:,} settling"]
    if state.failed:
        numbers.append(f"{state.failed:,} failed")
    if state.rate_per_minute:
        numbers.append(f"{state.rate_per_minute:g} a minute")
    swept = f"{state.last_sweep:%Y-%m-%dT%H:%M:%SZ}" if state.last_sweep else "not yet"
    return (
        (),
        (Span(f"A watch runs (process {state.pid}): {phase}.", Style.GOOD),),
        (Span(f"  {', '.join(numbers)}; last sweep {swept}"),),
    )


def waiting_data(path: str, work: WaitingWork) -> dict[str, Any]:
    """One photo that waits, for a program."""
    return {
        "event": "waiting",
        "path": path,
        "attempts": work.attempts,
        "next_try": work.next_try,
        "last_error": work.last_error,
    }
