"""What the file system has against a file being replaced, told before anybody tries."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def obstacle(path: Path) -> tuple[str, str] | None:
    """A stable word (`hard-linked`, `read-only`) and what is the matter; None: nothing.

    Of the file alone: a folder that cannot be written concerns its sidecars as well, and shows
    when these are written. A file that cannot be asked is left to who reads it.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    if found.st_nlink > 1:
        return "hard-linked", f"it has {found.st_nlink} names on this disk (hard links)"
    if not found.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        return "read-only", "it is read-only"
    return None
