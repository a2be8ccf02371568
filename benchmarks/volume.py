"""A disk that can be taken away."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class Volume:
    """A disk that can be taken away: a bind mount, or a folder that is renamed."""

    def __init__(self, root: Path, behind: Path) -> None:
        behind.mkdir()
        root.mkdir()
        self.root, self.behind = root, behind
        self.mounts = self._mount()
        if not self.mounts:
            root.rmdir()
            behind.rename(root)

    def _mount(self) -> bool:
        command = ["mount", "--bind", str(self.behind), str(self.root)]
        return (
            shutil.which("mount") is not None
            and subprocess.run(command, capture_output=True, check=False).returncode == 0
        )

    def take(self) -> None:
        """The mount point stays, empty."""
        if self.mounts:
            subprocess.run(["umount", str(self.root)], check=True)
        else:
            self.root.rename(self.behind)
            self.root.mkdir()

    def give(self) -> None:
        """It comes back as it was."""
        if self.mounts:
            assert self._mount()
        else:
            self.root.rmdir()
            self.behind.rename(self.root)
