"""A disk that can be taken away."""

from __future__ import annotations

import shutil
import subprocess
import time
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
            # A file that is open keeps it for a moment; a disk that is pulled out asks nobody.
            for force in (*([] for _ in range(20)), ["-l"]):
                ran = subprocess.run(
                    ["umount", *force, str(self.root)], capture_output=True, check=False
                )
                if ran.returncode == 0:
                    return
                time.sleep(0.1)
            raise SystemExit(f"umount: {ran.stderr.decode().strip()}")
        self.root.rename(self.behind)
        self.root.mkdir()

    def give(self) -> None:
        """It comes back as it was."""
        if self.mounts:
            assert self._mount()
        else:
            self.root.rmdir()
            self.behind.rename(self.root)
