"""Descriptions and alt texts that wait for a person, as lines and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

from urbexmp.model.text import TextChange
from urbexmp.rules.photo_texts import CALLED
from urbexmp.rules.render import Line, Span, Style, printable, relative, stage_name
from urbexmp.rules.render_json import text_data


def held_text_lines(
    held: Sequence[tuple[Path, TextChange]], root: Path | PurePath
) -> Iterator[Line]:
    """For each photo its texts: why they wait, what stands there, what the stage says."""
    last: Path | None = None
    for path, text in held:
        if path != last:
            yield (Span(printable(relative(path, root)), Style.PATH),)
            last = path
        why = Span(f"  {printable(text.hold or '')}", Style.DIM)
        yield (Span(f"  ? {CALLED[text.field]}", Style.HELD), why)
        yield (Span(f"      stands there: {_quoted(text.before)}"),)
        stage = Span(f"  {printable(stage_name(text.stage))}", Style.DIM)
        yield (Span(f"      the stage:    {_quoted(said(text))}"), stage)


def held_text_data(path: str, text: TextChange) -> dict[str, Any]:
    """One text that waits, for a program: `after` is what the stage says."""
    return {"event": "held_text", "path": path, **text_data(text), "after": said(text)}


def said(text: TextChange) -> str | None:
    """What the stage says."""
    return text.after if text.after is not None else text.said or None


def _quoted(text: str | None) -> str:
    return "(nothing)" if text is None else f'"{printable(text)}"'
