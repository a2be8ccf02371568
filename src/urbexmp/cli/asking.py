"""What the commands that ask the mirror share.

They start in the time that Python and click take, so nothing here imports more than `sqlite3`
and pure modules: no profile, no taxonomy, no console.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from urbexmp.cli.choices import Choices

if TYPE_CHECKING:
    from urbexmp.adapters.db.ask import Asker, KeywordOf, PhotoRow

MIRROR_FILE = "mirror.sqlite3"


def in_library(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option `--in`, as its argument `folder`."""
    import click

    return click.option(
        "--in",
        "folder",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="The library. Default: the one of the folder you stand in.",
    )(command)


def open_asker(choices: Choices, folder: Path | None) -> tuple[Path, Asker]:
    """The root of the library, and its mirror to ask. Raises `MirrorAbsent`, `MirrorDamaged`."""
    from urbexmp.adapters.db.ask import Asker
    from urbexmp.adapters.dirs import state_file, state_folder
    from urbexmp.model.errors import LibraryGone, MirrorAbsent

    base = (choices.state or state_folder(os.environ)).absolute()
    root, mirror = state_file(folder or Path(), base, MIRROR_FILE)
    if folder is not None and not folder.exists() and (root.is_dir() or not mirror.exists()):
        raise LibraryGone(folder.absolute(), detail="is not there")
    if not mirror.exists():
        raise MirrorAbsent(root, "there is no mirror of this library yet")
    return root, Asker(mirror)


def safe(text: str) -> str:
    """`text` without anything that could act on a terminal."""
    if text.isprintable():
        return text
    from urbexmp.rules.render import printable

    return printable(text)


def columns_of(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from urbexmp.rules.render import width

    return width(text)


def clipped(text: str, room: int) -> str:
    """`text`, cut to so many columns; what was cut off becomes an ellipsis."""
    if columns_of(text) <= room:
        return text
    kept = text[: max(room - 1, 0)]
    while kept and columns_of(kept) > room - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def shows_color(choices: Choices, stream: TextIO) -> bool:
    """Whether colours are wanted and can be seen."""
    plain = choices.color is False or os.environ.get("NO_COLOR")
    return not plain and stream.isatty() and os.environ.get("TERM") != "dumb"


def dim(text: str, choices: Choices) -> str:
    """Less important text."""
    if not shows_color(choices, sys.stdout):
        return text
    import click

    return click.style(text, dim=True)


def terminal_width() -> int | None:
    """Columns of the terminal; None where lines go to a file or a program."""
    if not sys.stdout.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return 80


PHOTO_HEAD = ("photo", "taken", "view", "quality", "keywords")


def photo_table(
    rows: Sequence[PhotoRow], keywords: dict[int, list[KeywordOf]], width: int | None
) -> Iterable[str]:
    """Photos as the lines of a table: its head first, the keywords by their last names."""
    table = [
        (
            safe(row.path),
            safe((row.taken_at or "")[:16].replace("T", " ")),
            safe(row.view or ""),
            "" if row.quality is None else f"{row.quality:.0f}",
            ", ".join(safe(one.keyword.rpartition("|")[2]) for one in keywords[row.id]),
        )
        for row in rows
    ]
    widths = [max(columns_of(row[n]) for row in (PHOTO_HEAD, *table)) for n in range(4)]
    if width is not None:
        # A long path gives way to the keywords, down to half of the line.
        widths[0] = min(widths[0], max(width // 2, width - sum(widths[1:]) - 8 - 24))
    for row in (PHOTO_HEAD, *table):
        path = _tail(row[0], widths[0])
        cells = [path, *row[1:4]]
        spaces = [" " * (widths[n] - columns_of(cells[n])) for n in range(4)]
        line = "  ".join(
            (
                cells[0] + spaces[0],
                cells[1] + spaces[1],
                cells[2] + spaces[2],
                spaces[3] + cells[3],
                row[4],
            )
        ).rstrip()
        yield line if width is None else clipped(line, width)


def _tail(path: str, room: int) -> str:
    """The end of a path: the file's name says more than the folders above it."""
    if columns_of(path) <= room:
        return path
    kept = path[-(room - 1) :]
    while columns_of(kept) > room - 1:
        kept = kept[1:]
    return "…" + kept


def photo_data(row: PhotoRow, keywords: Sequence[KeywordOf]) -> dict[str, Any]:
    """One photo for a program; scores from 0 to 1 as everywhere in JSON."""
    data: dict[str, Any] = {"event": "photo", **row._asdict()}
    del data["id"]
    data["view_score"] = None if row.view_score is None else row.view_score / 100
    data["keywords"] = [
        {
            "keyword": one.keyword,
            "source": one.source,
            "score": None if one.score is None else one.score / 100,
            "stage": one.stage,
        }
        for one in keywords
    ]
    return data
