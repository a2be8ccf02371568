"""The photos on the page of a report: a small picture, what was seen in it, its keywords."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from urbexmp.model.change import Change, Edit, EditKind
from urbexmp.model.observation import ObservationKind, StageLook
from urbexmp.rules.render import counted, relative, stage_name
from urbexmp.rules.render_report import code, prose

MOST_CAPTION = 600
"""Letters of a caption that are shown."""


@dataclass(frozen=True, slots=True)
class Pictured:
    """One photo of the page, as Markdown will tell it."""

    path: str
    link: str | None
    """Of the small picture, relative to the page; None: there is none to be had."""
    lines: tuple[tuple[str, str], ...]
    """What is told, and what of: already Markdown."""


def pictured(
    change: Change,
    looks: Sequence[StageLook],
    root: Path | PurePath,
    link: str | None,
    *,
    dry: bool,
) -> Pictured:
    """What the page tells of a photo that was dealt with."""
    adds = [edit for edit in change.edits if edit.kind is EditKind.ADD]
    removes = [edit for edit in change.edits if edit.kind is EditKind.REMOVE]
    told = (
        *captions(looks),
        ("would be added" if dry else "added", _edits(adds)),
        ("would be removed" if dry else "removed", _edits(removes)),
        ("waits for you", _edits(change.held)),
        ("stays", ", ".join(code(str(keyword)) for keyword in change.keeps)),
    )
    return Pictured(
        relative(change.photo.path, root), link, tuple(each for each in told if each[1])
    )


def captions(looks: Iterable[StageLook]) -> Iterator[tuple[str, str]]:
    """Stage and sentence of what the stages said in words, as Markdown."""
    for look in looks:
        for one in look.observations:
            if one.kind is ObservationKind.CAPTION and isinstance(one.value, str) and one.value:
                said = one.value
                if len(said) > MOST_CAPTION:
                    said = said[: MOST_CAPTION - 3] + "..."
                yield stage_name(look.stage), prose(said)


def _edits(edits: Iterable[Edit]) -> str:
    return ", ".join(
        code(str(edit.keyword)) + (f" {edit.confidence:.0%}" if edit.confidence is not None else "")
        for edit in edits
    )


def gallery(photos: Sequence[Pictured], others: int) -> Iterator[str]:
    """The section of the page; `others`: how many more photos were dealt with."""
    if not photos:
        return
    yield "## Pictures"
    yield ""
    for photo in photos:
        yield f"### {code(photo.path)}"
        yield ""
        if photo.link is not None:
            yield f"![]({photo.link})"
            yield ""
        for name, told in photo.lines:
            yield f"- {name}: {told}"
        if photo.lines:
            yield ""
    if others > 0:
        yield f"And {counted(others, 'photo')} more; `changes.jsonl` has them all."
        yield ""
