"""The log: what is needed to find a mistake of ours, and never shown to a person unasked."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from urbexmp import __version__

LARGEST = 1_000_000
"""Bytes; then the log begins anew and the old one is kept beside it as `.1`."""


def log_path() -> Path:
    """Where the log is: in the folder that holds the state of all libraries."""
    from urbexmp.app import state_base

    return state_base(None) / "urbexmp.log"


def keep_traceback(failure: BaseException) -> Path:
    """Append a traceback to the log and return the log's path.

    Where the state folder cannot be written it goes to the folder for temporary files, because
    a log that is lost helps nobody.
    """
    entry = "".join(
        (
            f"\n--- {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} urbexmp {__version__},",
            f" Python {platform.python_version()}, {platform.platform()}\n",
            f"command: {sys.argv[1:]!r}\n",
            *traceback.format_exception(failure),
        )
    )
    try:
        return _append(log_path(), entry)
    except OSError:
        return _append(Path(tempfile.gettempdir()) / "urbexmp.log", entry)


def _append(path: Path, entry: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LARGEST:
        os.replace(path, path.with_name(path.name + ".1"))  # noqa: PTH105
    with path.open("a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(entry)
    return path
