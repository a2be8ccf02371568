"""The cheap questions about files: one `stat` call each."""

from __future__ import annotations

import os
from pathlib import Path

from urbexmp.model.errors import FileUnreadable
from urbexmp.model.photo import FileStat


class LocalDisk:
    """Asks the operating system."""

    def stat(self, path: Path) -> FileStat | None:
        """None when there is no such file. Raises `FileUnreadable` when it cannot be known."""
        try:
            found = os.stat(path)  # noqa: PTH116  (half the cost of Path.stat, a call a file)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as failure:
            raise FileUnreadable(path, detail=failure.strerror or str(failure)) from failure
        return FileStat(found.st_size, found.st_mtime_ns, found.st_ino)

    def obstacle(self, path: Path) -> str | None:
        """What the file system has against a file being replaced; None: nothing."""
        from urbexmp.adapters.files.obstacle import obstacle

        against = obstacle(path)
        return against[0] if against is not None else None
