"""Logs that rotate, with several writers, and on a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from urbexmp.cli.log import Log, append


def clock() -> datetime:
    return datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_a_line_has_time_and_process(tmp_path: Path) -> None:
    log = Log(tmp_path / "state" / "log.txt", now=clock)
    log("started")
    log("IMG.CR3: cannot be read\nwhy it could not")
    assert lines(log.path) == [
        f"2026-11-20T09:30:00Z {os.getpid()} started",
        f"2026-11-20T09:30:00Z {os.getpid()} IMG.CR3: cannot be read",
        "    why it could not",
    ]


def test_a_failure_keeps_its_traceback(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.txt", now=clock)
    with pytest.raises(ValueError, match="a mistake") as caught:
        int_of("a mistake")
    log.failure("IMG.CR3: an internal error", caught.value)
    found = log.path.read_text()
    assert "IMG.CR3: an internal error\n    Traceback (most recent call last):" in found
    assert found.endswith("    ValueError: a mistake\n")


def int_of(text: str) -> int:
    raise ValueError(text)


def test_old_lines_are_kept_for_some_generations_only(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.txt", largest=500, kept=2, now=clock)
    for number in range(100):
        log(f"photo {number:03}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "log.txt",
        "log.txt.1",
        "log.txt.2",
    ]
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert max(sizes) <= 500
    kept = [
        line.split()[-1]
        for name in ("log.txt.2", "log.txt.1", "log.txt")
        for line in lines(tmp_path / name)
    ]
    assert kept == [f"{number:03}" for number in range(100 - len(kept), 100)]
    assert len(kept) > 20


def test_an_entry_larger_than_a_log_is_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    append(path, "x" * 900 + "\n", largest=500)
    append(path, "y" * 900 + "\n", largest=500)
    assert path.read_text() == "y" * 900 + "\n"
    assert (tmp_path / "log.txt.1").read_text() == "x" * 900 + "\n"


WRITER = """
import sys
from pathlib import Path
from urbexmp.cli.log import Log
log = Log(Path(sys.argv[1]), largest=20_000, kept=50)
for number in range(500):
    log(f"{sys.argv[2]} {number:04} " + "." * 100)
"""


@pytest.mark.skipif(os.name == "nt", reason="no lock there")
def test_several_processes_lose_no_line_and_break_none(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], env=environ)
        for name in "ABCD"
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    logs = sorted(tmp_path.iterdir())
    assert len(logs) > 10
    found = [line.split() for log in logs for line in lines(log)]
    assert sorted((name, number) for _, _, name, number, _ in found) == [
        (name, f"{number:04}") for name in "ABCD" for number in range(500)
    ]
    assert all(log.stat().st_size <= 20_000 for log in logs)


def test_a_full_disk_loses_lines_and_says_so_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path / "log.txt", now=clock)
    log("before")
    real = os.write
    room = {"left": 10}

    def write(handle: int, data: bytes) -> int:
        if room["left"] <= 0:
            raise OSError(28, "No space left on device")
        written = real(handle, data[: room["left"]])
        room["left"] -= written
        return written

    monkeypatch.setattr(os, "write", write)
    log("half of this fits")
    log("nothing of this fits")
    assert lines(log.path) == [f"2026-11-20T09:30:00Z {os.getpid()} before"]
    monkeypatch.undo()
    log("after")
    assert [line.split(" ", 2)[2] for line in lines(log.path)] == [
        "before",
        "2 lines before this were lost: no room",
        "after",
    ]


def test_a_log_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    log = Log(tmp_path / "file" / "log.txt")
    log("nobody reads this")
    assert (tmp_path / "file").read_text() == "no folder"
