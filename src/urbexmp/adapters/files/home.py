"""Where a folder is that can be reached through links."""

from __future__ import annotations

import os
from pathlib import Path


def home_of(folder: Path, root: Path) -> Path:
    """The folder itself; where links lead to another place in `root`, that place."""
    real, real_root = os.path.realpath(folder), os.path.realpath(root)
    if real == real_root:
        return root
    if real.startswith(real_root.rstrip(os.sep) + os.sep):
        return root / os.path.relpath(real, real_root)
    return folder
