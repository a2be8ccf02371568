"""Models of the registry, as lines for a person and as data for a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from urbexmp.model.weights import ModelEntry, WeightFile
from urbexmp.rules.render import Line, Span, Style, printable
from urbexmp.rules.render_backup import size_text
from urbexmp.rules.render_list import columns

Shown = tuple[ModelEntry, tuple[WeightFile, ...], str, bool]
"""A model: what lacks of it, where it is, and whether the entry is the user's own."""


def model_state(entry: ModelEntry, missing: Sequence[WeightFile]) -> str:
    """`here`, `no`, `partly`, `not pinned`; `server` for what a server has."""
    if entry.model:
        return "server"
    if not entry.pinned:
        return "not pinned"
    if not missing:
        return "here"
    return "no" if len(missing) == len(entry.files) else "partly"


def total(entry: ModelEntry) -> str:
    """The size of a model; `?` where not every file's is known."""
    if entry.model:
        return ""
    if all(file.size for file in entry.files):
        return size_text(entry.size)
    return f"> {size_text(entry.size)}" if entry.size else "?"


def model_lines(shown: Sequence[Shown], *, verbose: bool) -> tuple[Line, ...]:
    """The table of all models."""
    table = [
        (
            entry.id + ("*" if own else ""),
            model_state(entry, missing),
            entry.stage,
            entry.role,
            total(entry),
            entry.licence,
            entry.about,
        )
        for entry, missing, _, own in shown
    ]
    head = ("model", "here", "stage", "role", "size", "licence", "about")
    lines = list(columns(head, table, right=(4,)))
    if any(own for *_, own in shown):
        lines.append((Span("* from your own models.toml", Style.DIM),))
    if not verbose:
        return tuple(lines)
    for entry, missing, place, _ in shown:
        lines += ((), (Span(entry.id, Style.PATH), Span(f"  {printable(place)}", Style.DIM)))
        origin = (
            f"{entry.repository} @ {entry.revision or '?'}" if entry.repository else "made here"
        )
        if entry.model:
            origin = f"{entry.model} on {entry.server or 'the server of the profile'}"
        lines.append((Span(f"  {printable(origin)}"),))
        lacking = {file.name for file in missing}
        for file in entry.files:
            size = size_text(file.size) if file.size else "?"
            sign = " " if file.name not in lacking else "-"
            name = printable(file.name)
            lines.append(
                (Span(f"  {sign} {name}  {size}  "), Span(file.sha256 or "no hash", Style.DIM))
            )
    return tuple(lines)


def model_data(
    entry: ModelEntry, missing: Sequence[WeightFile], place: str, own: bool
) -> dict[str, Any]:
    """One model, for a program."""
    return {
        "event": "model",
        "id": entry.id,
        "role": entry.role,
        "stage": entry.stage,
        "state": model_state(entry, missing),
        "pinned": entry.pinned,
        "own": own,
        "repository": entry.repository,
        "revision": entry.revision,
        "licence": entry.licence,
        "size": entry.size,
        "digest": entry.digest,
        "folder": place,
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256} for file in entry.files
        ],
        "server": entry.server,
        "model": entry.model,
        "missing": [file.name for file in missing],
        "about": entry.about,
    }


def pinned_lines(entry: ModelEntry, path: str) -> tuple[Line, ...]:
    """What a first download found, and where it is kept."""
    return (
        (Span(f"{entry.repository} @ {entry.revision}"),),
        *((Span(f"  {f.sha256}  {f.size:>13,}  {printable(f.name)}"),) for f in entry.files),
        (Span(f"These are trusted from now on; they stand in {printable(path)}.", Style.DIM),),
    )
