"""Reports on disk: `DIR/RUN/changes.jsonl`, `DIR/RUN/summary.md`, and `DIR/history.jsonl`.

A report grows in `RUN.partial` and takes its name when it is whole, so a folder without that
ending can be trusted. One with it belongs to a run that is under way or was killed.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from urbexmp.model.errors import FileUnreadable, ReportUnwritable

CHANGES, SUMMARY, HISTORY = "changes.jsonl", "summary.md", "history.jsonl"
PARTIAL = ".partial"


class FolderReportFiles:
    """Implements `ReportFiles` in one folder, which is made when it is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run = ""
        self._growing: Path | None = None
        self._changes: BinaryIO | None = None

    def begin(self, run: str) -> None:
        """Make the folder of this run, with an empty list of changes."""
        with self._guarded():
            self._run = run
            growing = self.folder / (run + PARTIAL)
            growing.mkdir(parents=True)
            self._growing = growing
            self._changes = (growing / CHANGES).open("wb")

    def add(self, line: str) -> None:
        """Append one line to the changes; they reach the disk as the buffer fills."""
        assert self._changes is not None
        with self._guarded():
            self._changes.write(line.encode("utf-8", "backslashreplace") + b"\n")

    def finish(self, summary: str, history: str) -> Path:
        """Write the summary, give the folder its name, append to the history."""
        assert self._changes is not None
        assert self._growing is not None
        with self._guarded():
            self._changes.flush()
            os.fsync(self._changes.fileno())
            self._changes.close()
            self._changes = None
            with (self._growing / SUMMARY).open("wb") as file:
                file.write(summary.encode("utf-8", "backslashreplace"))
                file.flush()
                os.fsync(file.fileno())
            # Should the history have no room for its line, the folder goes away by its new name.
            self._growing = self._growing.rename(self.folder / self._run)
            _append(self.folder / HISTORY, history.encode("utf-8", "backslashreplace") + b"\n")
            self._growing = None
        return self.folder / self._run / SUMMARY

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            self._drop()
            detail = failure.strerror or str(failure)
            raise ReportUnwritable(self.folder, detail=detail) from failure

    def _drop(self) -> None:
        """Give the space back that a report which cannot be finished has taken."""
        if self._changes is not None:
            # Closing writes what is buffered, which may fail as everything else did.
            with suppress(OSError):
                self._changes.close()
            self._changes = None
        if self._growing is not None:
            shutil.rmtree(self._growing, ignore_errors=True)
            self._growing = None


def _append(path: Path, line: bytes) -> None:
    """Append a line, all of it or nothing. Two runs may do it at once: a write is one call."""
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        size = os.fstat(number).st_size
        if size and _byte_at(number, size - 1) != b"\n":
            # A power cut tore the last line; ours must not become a part of it.
            line = b"\n" + line
        written = os.write(number, line)
        if written < len(line):
            os.ftruncate(number, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(number)
    finally:
        os.close(number)


def _byte_at(number: int, place: int) -> bytes:
    os.lseek(number, place, os.SEEK_SET)
    return os.read(number, 1)


def history_lines(folder: Path) -> Iterator[str]:
    """The lines of a history, oldest first. Raises `FileUnreadable`."""
    path = folder / HISTORY
    try:
        with path.open(encoding="utf-8", errors="backslashreplace") as file:
            yield from file
    except OSError as failure:
        raise FileUnreadable(path, detail=failure.strerror or str(failure)) from failure
