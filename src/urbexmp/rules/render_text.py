"""A change as lines of text, one keyword a line, with its score, stages and labels."""

from __future__ import annotations

from pathlib import Path, PurePath

from urbexmp.model.change import Change
from urbexmp.model.proposal import Reason
from urbexmp.rules.render import (
    Line,
    Row,
    Sign,
    Span,
    Style,
    TextRow,
    action,
    counted,
    printable,
    relative,
    rows,
    stage_name,
    text_rows,
    width,
)

STYLES = {
    Sign.ADD: Style.ADD,
    Sign.REMOVE: Style.REMOVE,
    Sign.CHANGE: Style.ADD,
    Sign.HELD_ADD: Style.HELD,
    Sign.HELD_REMOVE: Style.HELD,
    Sign.LEARNED: Style.LEARNED,
    Sign.KEEP: Style.KEPT,
}

_HELD = (Sign.HELD_ADD, Sign.HELD_REMOVE)
_WIDEST = 56
"""Keywords are padded to one column, up to this width."""

_ACTIONS = {
    "new": ("new", "new"),
    "edit": ("would be written", "written"),
    "restore": ("would get its former bytes back", "got its former bytes back"),
    "remove": ("would be removed again", "removed again"),
}


def diff_lines(change: Change, root: Path | PurePath, *, applied: bool = False) -> tuple[Line, ...]:
    """The whole change: the photo, its carriers, every keyword, and the notes."""
    table = rows(change)
    column = min(max((width(printable(str(row.keyword))) for row in table), default=0), _WIDEST)
    lines = [_head(change, root, applied=applied)]
    lines += [_keyword_line(row, column) for row in table]
    lines += [_text_line(row) for row in text_rows(change)]
    lines += [(Span(f"  note: {printable(note)}", Style.DIM),) for note in change.notes]
    return tuple(lines)


def short_line(change: Change, root: Path | PurePath, *, applied: bool) -> Line:
    """The change in one line: the photo and how many keywords."""
    table = rows(change)
    spans = [Span(printable(relative(change.photo.path, root)), Style.PATH), Span(":")]
    for signs, style, words in (
        ((Sign.ADD,), Style.ADD, "added"),
        ((Sign.REMOVE,), Style.REMOVE, "removed"),
        ((Sign.HELD_ADD, Sign.HELD_REMOVE), Style.HELD, "held for you"),
        ((Sign.LEARNED,), Style.LEARNED, "learned as unwanted"),
    ):
        number = sum(row.sign in signs for row in table)
        if number:
            comma = "," if len(spans) > 2 else ""
            spans.append(Span(f"{comma} "))
            spans.append(Span(f"{number} {words}", style))
    texts = text_rows(change)
    for signs, style, words in (
        ((Sign.ADD, Sign.CHANGE), Style.ADD, "written"),
        ((Sign.REMOVE,), Style.REMOVE, "taken out"),
        (_HELD, Style.HELD, "held for you"),
    ):
        number = sum(row.sign in signs for row in texts)
        if number:
            spans.append(Span(", " if len(spans) > 2 else " "))
            spans.append(Span(f"{counted(number, 'text')} {words}", style))
    restored = any(write.restore is not None for write in change.writes)
    if restored:
        spans.append(Span(f" {_carriers(change, root, applied=applied)}", Style.DIM))
    elif len(spans) == 2:
        several = len(change.photo.carriers) > 1
        told = " its files were brought in step" if several else " no keyword changes"
        spans.append(Span(told, Style.DIM))
    return tuple(spans)


def _head(change: Change, root: Path | PurePath, *, applied: bool) -> Line:
    path = Span(printable(relative(change.photo.path, root)), Style.PATH)
    told = _carriers(change, root, applied=applied)
    return (path, Span(f"  {told}", Style.DIM)) if told else (path,)


def _carriers(change: Change, root: Path | PurePath, *, applied: bool) -> str:
    """`-> IMG_1.xmp (new)`: which files are written, named from the photo's own folder."""
    folder = change.photo.path.parent
    told = []
    for write in change.writes:
        near = write.carrier.path.parent == folder
        name = write.carrier.path.name if near else relative(write.carrier.path, root)
        told.append(f"{printable(name)} ({_ACTIONS[action(write)][applied]})")
    return "-> " + ", ".join(told) if told else ""


def _keyword_line(row: Row, column: int) -> Line:
    name = printable(str(row.keyword))
    style = STYLES[row.sign]
    spans = [Span(f"  {row.sign.value:<2} {name}", style)]
    why = reasons_text(row)
    if row.confidence is not None or why:
        score = f"{row.confidence:.2f}" if row.confidence is not None else "    "
        spans.append(Span(" " * max(1, column - width(name) + 2)))
        spans.append(Span(score, style if row.confidence is not None else Style.PLAIN))
        if why:
            spans.append(Span(f"  {why}", Style.DIM))
    return tuple(spans)


def _text_line(row: TextRow) -> Line:
    style = STYLES[row.sign]
    spans = [Span(f"  {row.sign.value:<2} {row.called}: {row.before} -> {row.after}", style)]
    why = "; ".join(filter(None, (printable(row.stage), row.remark)))
    return (*spans, Span(f"  {why}", Style.DIM)) if why else tuple(spans)


def reasons_text(row: Row) -> str:
    """`place: "hospital" (folder name)`, several joined by `; `, then the remark."""
    many = len(row.reasons) > 1
    told = [reason_text(reason, with_score=many) for reason in row.reasons]
    if row.remark:
        told.append(printable(row.remark))
    return "; ".join(told)


def reason_text(reason: Reason, *, with_score: bool, with_stage: bool = True) -> str:
    """One reason: the stage, the stage's own word, its score, and what it rests on."""
    told = f'"{printable(reason.label)}"' if reason.label else ""
    if with_stage:
        stage = printable(stage_name(reason.stage))
        told = f"{stage}: {told}" if told else stage
    if with_score and reason.score is not None:
        told += f" {reason.score:.2f}"
    return (told + (f" ({printable(reason.note)})" if reason.note else "")).strip()


def changes_total(changes: int, *, root: Path | PurePath) -> Line:
    """The line under a diff."""
    if not changes:
        return (Span("Nothing to do.", Style.GOOD),)
    return (Span(f"{counted(changes, 'photo')} in {printable(root.as_posix())}", Style.DIM),)
