"""What is kept of replaced bytes, as lines and as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from urbexmp.model.change import RunRecord
from urbexmp.rules.render import Line, Span, Style, counted, printable, relative


def size_text(size: int) -> str:
    """`812 bytes`, `3.4 KB`, `12.0 MB`, `1.2 GB`."""
    if size < 1000:
        return counted(size, "byte")
    number = float(size)
    for unit in ("KB", "MB", "GB"):
        number /= 1000
        if number < 1000:
            return f"{number:,.1f} {unit}"
    return f"{number / 1000:,.1f} TB"


def run_line(run: str, at: str) -> Line:
    """The run above what is kept from before it."""
    return Span(run, Style.PATH), Span(f"  {at}", Style.DIM)


def kept_line(
    carrier: Path, root: Path | PurePath, *, absent: bool, size: int | None, copy_size: int | None
) -> Line:
    """One carrier as it was before a run."""
    if absent:
        told, style = "was not there", Style.DIM
    elif size is None:
        told, style = "given up", Style.HELD
    else:
        told, style = size_text(size), Style.PLAIN
    if copy_size is not None:
        told += f", and the whole file ({size_text(copy_size)})"
    return Span(f"  {printable(relative(carrier, root))}  "), Span(told, style)


def total_line(files: int, size: int, copies: int, copies_size: int) -> Line:
    """How much is kept together."""
    told = f"{counted(files, 'backup')}, {size_text(size)}"
    if copies:
        told += f"; {counted(copies, 'whole file')}, {size_text(copies_size)}"
    return (Span(told, Style.DIM),)


def kept_data(
    run: str,
    at: str,
    photo: str,
    carrier: str,
    kind: str,
    version: str,
    size: int | None,
    copy_size: int | None,
) -> dict[str, Any]:
    """One carrier as it was before a run, for a program."""
    return {
        "event": "backup",
        "run": run,
        "at": at,
        "path": photo,
        "carrier": carrier,
        "kind": kind,
        "version": version,
        "size": size,
        "copy_size": copy_size,
    }


def pruning_lines(
    kept_runs: int,
    backups: int,
    copies: int,
    free: int,
    lost: Sequence[tuple[RunRecord, int]],
    *,
    done: bool,
) -> tuple[Line, ...]:
    """What is given up, and which runs can then not be taken back."""
    told = f"{counted(backups, 'backup')}"
    if copies:
        told += f" and {counted(copies, 'whole file')}"
    verb = "given up" if done else "would be given up"
    lines: list[Line] = [
        (Span(f"{told} {verb}, {size_text(free)}; {counted(kept_runs, 'run')} kept."),)
    ]
    if lost:
        could = "can no longer" if done else "could no longer"
        lines.append((Span(f"These runs {could} be taken back byte for byte:", Style.HELD),))
        lines += [
            (
                Span(f"  {run.run}", Style.PATH),
                Span(f"  {run.started}  {run.command}, {counted(photos, 'photo')}"),
            )
            for run, photos in lost
        ]
    return tuple(lines)
