"""A process killed while it writes the mirror: what is left is whole, or known not to be."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mirror_examples import dump
from mirror_library import Library

SOURCE = Path(__file__).parents[2] / "src"


def urbexmp(library: Library, *words: str) -> list[str]:
    place = [str(library.root), "--state", str(library.state)]
    return [sys.executable, "-m", "urbexmp", *words, *place]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}


def kill_while_it_writes(library: Library, *words: str, after: float) -> bool:
    """Start a command and kill it some seconds after the mirror's files first change."""
    files = [library.mirror.with_name(library.mirror.name + end) for end in ("", "-wal", ".half")]

    def stats() -> list[tuple[int, int] | None]:
        found: list[tuple[int, int] | None] = []
        for path in files:
            try:
                stat = path.stat()
                found.append((stat.st_size, stat.st_mtime_ns))
            except OSError:
                found.append(None)
        return found

    before = stats()
    running = subprocess.Popen(
        urbexmp(library, *words, "-q"), env=environment(), stderr=subprocess.DEVNULL
    )
    seen: float | None = None
    while running.poll() is None:
        if seen is None and stats() != before:
            seen = time.monotonic()
        if seen is not None and time.monotonic() - seen >= after:
            running.send_signal(signal.SIGKILL)
    running.wait()
    return running.returncode == -signal.SIGKILL


@pytest.mark.parametrize("words", [("sync",), ("mirror", "rebuild")])
def test_what_a_kill_leaves_is_whole_or_made_whole_by_the_next_sync(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "undisturbed").mkdir()
    undisturbed = Library(tmp_path / "undisturbed", 30)
    undisturbed.sync()
    wanted = dump(undisturbed.mirror, ledger=False)
    library = Library(tmp_path, 30)
    if words != ("sync",):
        library.sync()
    dice, killed = random.Random(11), 0
    for _ in range(6):
        killed += kill_while_it_writes(library, *words, after=dice.random() * 0.05)
        looked = subprocess.run(
            [*urbexmp(library, "mirror", "check"), "--json"],
            env=environment(),
            check=False,
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in looked.stderr
        # 0: it is as the files say; 1: photos lack their rows; 2: there is none yet.
        assert looked.returncode in (0, 1, 2), looked.stderr
        if words != ("sync",):
            assert looked.returncode == 0, looked.stdout
        told = [json.loads(line) for line in looked.stdout.splitlines()]
        assert {each.get("what") for each in told if each["event"] == "drift"} <= {
            "missing",
            "stale",
        }
    assert killed
    done = subprocess.run(urbexmp(library, "sync", "-q"), env=environment(), check=False)
    assert done.returncode == 0
    looked = subprocess.run(urbexmp(library, "mirror", "check"), env=environment(), check=False)
    assert looked.returncode == 0
    found = dump(library.mirror, ledger=False)
    for table in ("keyword", "veto", "found", "branch"):
        assert found[table] == wanted[table]
    # Without the time at which each was written.
    assert [row[:-1] for row in found["link"]] == [row[:-1] for row in wanted["link"]]
    assert not list(library.state.rglob("*.half*"))
