"""What every way of showing a change shares: its rows, safe text, and styled spans.

Pure: the console colours spans, the HTML page escapes text; neither decides what is said.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from urbexmp.model.photo import ABSENT

if TYPE_CHECKING:
    from urbexmp.model.change import CarrierWrite, Change, Edit
    from urbexmp.model.keyword import Keyword
    from urbexmp.model.proposal import Reason


class Style(Enum):
    """What a span of text is; how that looks is the console's matter."""

    PLAIN = "plain"
    PATH = "path"
    ADD = "add"
    REMOVE = "remove"
    HELD = "held"
    KEPT = "kept"
    LEARNED = "learned"
    DIM = "dim"
    PROBLEM = "problem"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Span, ...]


class Sign(Enum):
    """What happens to one keyword; the value is its sign in the text diff."""

    ADD = "+"
    REMOVE = "-"
    CHANGE = "~"
    """A text gives way to another."""
    HELD_ADD = "?+"
    HELD_REMOVE = "?-"
    LEARNED = "x"
    KEEP = "="


@dataclass(frozen=True, slots=True)
class Row:
    """One keyword of a change."""

    sign: Sign
    keyword: Keyword
    confidence: float | None = None
    reasons: tuple[Reason, ...] = ()
    remark: str = ""
    """Who wants it, where that is not a stage; why it is held."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages behind it, strongest first."""
        return tuple(dict.fromkeys(stage_name(reason.stage) for reason in self.reasons))


@dataclass(frozen=True, slots=True)
class TextRow:
    """One text of a change, ready to be shown: escaped, and blanks made visible."""

    sign: Sign
    called: str
    """`description`, `alt text`."""
    before: str
    """In quotes; `(empty)` for none."""
    after: str
    stage: str
    """Name of the stage that says it."""
    remark: str = ""


def text_rows(change: Change) -> tuple[TextRow, ...]:
    """All texts of a change: what is written, taken out, and what waits."""
    from urbexmp.rules.photo_texts import CALLED

    found = []
    for text in change.texts:
        gone = text.after is None
        sign = Sign.REMOVE if gone else Sign.ADD if text.before is None else Sign.CHANGE
        if text.hold is not None:
            sign = Sign.HELD_REMOVE if gone else Sign.HELD_ADD
        found.append(
            TextRow(
                sign,
                CALLED[text.field],
                _quoted(text.before),
                _quoted(text.after),
                stage_name(text.stage),
                f"waits for you: {text.hold}" if text.hold else "",
            )
        )
    return tuple(found)


def _quoted(text: str | None) -> str:
    return "(empty)" if text is None else f'"{printable(text)}"'


_AUTHORS = {
    "MODEL": "",
    "PERSON": "your own edit",
    "RESTORE": "put back: it went away with an older state of the file",
    "UNDO": "taken back",
}
"""By the name of the author: the summary of a run without changes needs no changes."""


def rows(change: Change) -> tuple[Row, ...]:
    """All keywords of a change: what is added, removed, held, learned and kept."""
    from urbexmp.model.change import EditKind

    signs = {EditKind.ADD: Sign.ADD, EditKind.REMOVE: Sign.REMOVE}
    held_signs = {EditKind.ADD: Sign.HELD_ADD, EditKind.REMOVE: Sign.HELD_REMOVE}
    edits = sorted(change.edits, key=lambda edit: (edit.kind is EditKind.REMOVE, edit.keyword))
    held = sorted(change.held, key=lambda edit: (edit.kind is EditKind.REMOVE, edit.keyword))
    return (
        *(_row(edit, signs[edit.kind], _AUTHORS[edit.author.name]) for edit in edits),
        *(_row(edit, held_signs[edit.kind], _why_held(edit)) for edit in held),
        *(
            Row(Sign.LEARNED, keyword, remark="unwanted here: never suggested again")
            for keyword in sorted(change.learned)
        ),
        *(Row(Sign.KEEP, keyword) for keyword in sorted(change.keeps)),
    )


def _row(edit: Edit, sign: Sign, remark: str) -> Row:
    # What a person wants needs no other reason; the remark says that they want it.
    reasons = tuple(reason for reason in edit.reasons if reason.stage != "person" or not remark)
    return Row(sign, edit.keyword, edit.confidence, reasons, remark)


def _why_held(edit: Edit) -> str:
    if edit.hold:
        return f"waits for you: {edit.hold}"
    return (
        "waits for you: it stood there before and went missing" if edit.again else "waits for you"
    )


def stage_name(stage_id: str) -> str:
    """`pixels@1f2e3d4c` is stage `pixels`."""
    return stage_id.partition("@")[0]


def action(write: CarrierWrite) -> str:
    """What is done to a carrier: `new`, `edit`, `restore`, `remove`."""
    if write.restore is not None:
        return "remove" if write.restore == ABSENT else "restore"
    return "new" if write.assumes == ABSENT else "edit"


def relative(path: Path | PurePath, root: Path | PurePath) -> str:
    """`path` as seen from the library's root, with `/`; the whole path when it lies elsewhere."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def printable(text: str) -> str:
    r"""`text` with everything escaped that could act on a terminal or hide in a page.

    Control characters, line breaks, direction overrides and other invisible formats become
    `\x1b`, `\u202e`; bytes of a name that is not UTF-8 become `\xff`. Letters stay as they are.
    """
    return "".join(
        _escaped(char) if unicodedata.category(char) in _UNSAFE else char for char in text
    )


_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _escaped(char: str) -> str:
    code = ord(char)
    if char in "\u200c\u200d":
        return char  # joiners: Persian, Indic scripts and emoji are spelled with them
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    return sum(
        0
        if unicodedata.combining(char) or char in "\u200c\u200d\ufe0f"
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )


def plain(line: Line) -> str:
    """A line without its styles."""
    return "".join(span.text for span in line)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 photo`, `2 photos`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
