"""What goes wrong where folders are listed, as problems that a person understands."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from urbexmp.model.errors import FileUnreadable, FileVanished, LibraryGone, LinkLoop, Problem


def check_root(root: Path) -> None:
    """Raise `LibraryGone` when a root is missing or cannot be listed."""
    try:
        numbers = root.stat()
    except FileNotFoundError:
        raise LibraryGone(printable(root), detail="is not there") from None
    except OSError as trouble:
        detail = f"cannot be read ({trouble.strerror})"
        raise LibraryGone(printable(root), detail=detail) from None
    if stat.S_ISDIR(numbers.st_mode) and not os.access(root, os.R_OK | os.X_OK):
        raise LibraryGone(printable(root), detail="cannot be read (no permission)")


def problem_of(path: Path, trouble: OSError) -> Problem:
    """The problem that an operating system error stands for."""
    if trouble.errno == errno.ELOOP:
        return LinkLoop(path, target="itself")
    if isinstance(trouble, FileNotFoundError):
        if path.is_symlink():
            return FileUnreadable(path, detail="it is a link to something that is gone")
        return FileVanished(path)
    return FileUnreadable(path, detail=trouble.strerror or type(trouble).__name__)


def is_text(name: str) -> bool:
    """Whether a name is valid Unicode, which names on a disk need not be."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(path: Path) -> str:
    """A path as it can be shown, bytes that are no text spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
