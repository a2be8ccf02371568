"""What a watch asks the disk while no library is open."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from urbexmp.adapters.files.home import home_of
from urbexmp.model.photo import FileStat
from urbexmp.model.watching import RootSeen


class LocalGround:
    """Implements `model.watching.Ground`. `whole` says whether a file is complete."""

    def __init__(self, whole: Callable[[Path], bool]) -> None:
        self._whole = whole

    def root(self, path: Path) -> RootSeen | None:
        """What a root folder is now; None: it is not there, or cannot be listed."""
        try:
            numbers = path.stat()
            with os.scandir(path) as entries:
                empty = next(entries, None) is None
        except OSError:
            return None
        return RootSeen((numbers.st_dev, numbers.st_ino), empty)

    def look(self, path: Path) -> tuple[FileStat, float] | None:
        """A file's stat, and for how many seconds nothing was done to it.

        None when there is no such file, or it is a pipe or the like, or cannot be known. The age
        is that of the inode: copy tools set the time of the content to what they like. Where the
        clocks of two machines differ, it is 0.
        """
        try:
            found = os.stat(path)  # noqa: PTH116  (half the cost of Path.stat, a call a file)
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        age = time.time() - max(found.st_ctime, found.st_mtime)
        return FileStat(found.st_size, found.st_mtime_ns, found.st_ino), max(0.0, age)

    def is_folder(self, path: Path) -> bool | None:
        """None when there is nothing of that name."""
        try:
            return stat.S_ISDIR(path.stat().st_mode)
        except OSError:
            return None

    def folder_time(self, path: Path) -> int | None:
        """When an entry of a folder was added, renamed or taken out last; None: it is gone."""
        try:
            return os.stat(path).st_mtime_ns  # noqa: PTH116  (once a folder, every few seconds)
        except OSError:
            return None

    def home(self, folder: Path, root: Path) -> Path:
        """As `home_of`."""
        return home_of(folder, root)

    def whole(self, path: Path) -> bool:
        """Whether a photo or sidecar is complete as far as its structure tells."""
        return self._whole(path)
