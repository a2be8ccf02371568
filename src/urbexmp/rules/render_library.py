"""Libraries that are known, and what goes with the state of one, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from urbexmp.model.library import KnownLibrary, Losses
from urbexmp.rules.render import Line, counted
from urbexmp.rules.render_backup import size_text
from urbexmp.rules.render_list import columns


def library_lines(found: Sequence[KnownLibrary], gone: frozenset[str]) -> tuple[Line, ...]:
    """Libraries as a table; `gone` are the names of state folders whose root is not there."""
    head = ("library", "photos", "last run (UTC)", "state", "")
    table = [
        (
            str(each.root) if each.root else f"? ({each.folder.name})",
            f"{each.photos:,}" if not each.trouble else "?",
            each.last.started.replace("T", " ").removesuffix("Z") if each.last else "never",
            size_text(each.size),
            "cannot be read" if each.trouble else "not there" if each.folder.name in gone else "",
        )
        for each in found
    ]
    return columns(head, table, right=(1, 3))


def library_data(each: KnownLibrary, *, there: bool) -> dict[str, Any]:
    """One library, for a program."""
    return {
        "event": "library",
        "root": each.root.as_posix() if each.root else None,
        "there": there,
        "photos": each.photos,
        "last_run": each.last.run if each.last else None,
        "last_started": each.last.started if each.last else None,
        "state": each.folder.as_posix(),
        "bytes": each.size,
        "trouble": each.trouble,
    }


def losses_lines(losses: Losses) -> tuple[str, ...]:
    """What can then no longer be had, a sentence each."""
    told = []
    if losses.unfinished:
        told.append(
            f"A killed run left {counted(losses.unfinished, 'photo')} in the middle of a write;"
            " `urbexmp sync` would put that right first."
        )
    if losses.runs:
        told.append(f"{counted(losses.runs, 'run')} could no longer be taken back.")
    if losses.vetoes:
        told.append(
            f"{counted(losses.vetoes, 'keyword')} that you took away or refused would be"
            " suggested again: no packet tells of it."
        )
    if losses.held:
        told.append(f"{counted(losses.held, 'suggestion')} waiting for you would be dropped.")
    told.append("Every photo would be looked at again, and what you judged is no longer counted.")
    return tuple(told)


def forgotten_data(
    each: KnownLibrary, losses: Losses | None, *, moved: str | None, deleted: bool, done: bool
) -> dict[str, Any]:
    """A library that was given up, or would be."""
    lost = losses or Losses()
    return {
        "event": "forgotten",
        "root": each.root.as_posix() if each.root else None,
        "done": done,
        "moved_to": moved,
        "deleted": deleted,
        "runs": lost.runs,
        "vetoes": lost.vetoes,
        "held": lost.held,
        "unfinished": lost.unfinished,
    }
