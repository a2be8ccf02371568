"""Reports on disk: a folder `DIR/RUN` for each run, and `DIR/history.jsonl`.

In the folder are `changes.jsonl` (a line a photo), `replies.jsonl` (a line a reply of a model, if
any), `summary.md` with its `pictures`, and `run.json`, the line of the history.

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

CHANGES, REPLIES, HISTORY = "changes.jsonl", "replies.jsonl", "history.jsonl"
SUMMARY, RUN, PICTURES = "summary.md", "run.json", "pictures"
PARTIAL = ".partial"


class FolderReportFiles:
    """Implements `ReportFiles` in one folder, which is made when it is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run = ""
        self._growing: Path | None = None
        self._streams: dict[str, BinaryIO] = {}

    def begin(self, run: str) -> None:
        """Make the folder of this run, with an empty list of changes."""
        with self._guarded():
            self._run = run
            growing = self.folder / (run + PARTIAL)
            growing.mkdir(parents=True)
            self._growing = growing
            self._streams[CHANGES] = (growing / CHANGES).open("wb")

    def add(self, line: str) -> None:
        """Append one line to the changes; they reach the disk as the buffer fills."""
        self._write(CHANGES, line)

    def reply(self, line: str) -> None:
        """Append one line to the replies; the file is made for the first."""
        self._write(REPLIES, line)

    def _write(self, name: str, line: str) -> None:
        assert self._growing is not None
        with self._guarded():
            if name not in self._streams:
                self._streams[name] = (self._growing / name).open("wb")
            self._streams[name].write(line.encode("utf-8", "backslashreplace") + b"\n")

    def picture(self, name: str, content: bytes) -> str:
        """Keep a small picture; return how the summary links to it."""
        assert self._growing is not None
        with self._guarded():
            folder = self._growing / PICTURES
            folder.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        return f"{PICTURES}/{name}"

    def finish(self, summary: str, history: str) -> Path:
        """Write the summary, give the folder its name, append to the history."""
        assert self._growing is not None
        with self._guarded():
            while self._streams:
                _, stream = self._streams.popitem()
                with stream:
                    _settle(stream)
            for name, text in ((SUMMARY, summary), (RUN, history + "\n")):
                with (self._growing / name).open("wb") as file:
                    file.write(text.encode("utf-8", "backslashreplace"))
                    _settle(file)
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
        while self._streams:
            _, stream = self._streams.popitem()
            # Closing writes what is buffered, which may fail as everything else did.
            with suppress(OSError):
                stream.close()
        if self._growing is not None:
            shutil.rmtree(self._growing, ignore_errors=True)
            self._growing = None


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


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
    yield from _lines(folder / HISTORY)


def change_lines(report: Path) -> Iterator[str]:
    """The lines of a report, a photo each. Raises `FileUnreadable`."""
    yield from _lines(report / CHANGES)


def reply_lines(report: Path) -> Iterator[str]:
    """The replies of models in a report; none where no model was asked. Raises `FileUnreadable`."""
    path = report / REPLIES
    if path.exists():
        yield from _lines(path)


def run_text(report: Path) -> str:
    """What `run.json` of a report holds; "" where it has none. Raises `FileUnreadable`."""
    path = report / RUN
    return "".join(_lines(path)) if path.exists() else ""


def is_report(folder: Path) -> bool:
    """Whether a folder is the report of one run, and whole."""
    return (folder / SUMMARY).is_file() and (folder / CHANGES).is_file()


def reports_in(folder: Path) -> list[Path]:
    """The whole reports in a folder, the oldest first: runs are named after their time."""
    try:
        return sorted(each for each in folder.iterdir() if is_report(each))
    except OSError as failure:
        raise FileUnreadable(folder, detail=failure.strerror or str(failure)) from failure


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="backslashreplace") as file:
            yield from file
    except OSError as failure:
        raise FileUnreadable(path, detail=failure.strerror or str(failure)) from failure
