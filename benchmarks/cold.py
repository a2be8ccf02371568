"""The first `urbexmp query` after the machine was started: nothing of the mirror in memory.

    python benchmarks/million.py /tmp/million.sqlite3
    python benchmarks/cold.py /tmp/million.sqlite3

Before each round the mirror is copied anew, synced, and the kernel is told to drop its pages
(`posix_fadvise` DONTNEED); `cold` says how many of them it had dropped, as far as `mincore` tells.
The program's own files stay in memory. Wall and CPU milliseconds of whole processes, and how many
bytes were read from the disk, medians of 7 rounds, cold and warm in turn.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from urbexmp.adapters.dirs import library_state  # noqa: E402

ROUNDS = 7


def drop(path: Path) -> float:
    """Have the kernel forget a file; return the share of its pages that are no longer there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        pages = (len(mapped) + mmap.PAGESIZE - 1) // mmap.PAGESIZE
        there = (ctypes.c_ubyte * pages)()
        first = ctypes.c_char.from_buffer(mapped)
        failed = ctypes.CDLL(None).mincore(
            ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(len(mapped)), there
        )
        del first
    return float("nan") if failed else 1 - sum(each & 1 for each in there) / pages


def main() -> None:
    """Print the table."""
    source = Path(sys.argv[1])
    connection = sqlite3.connect(source)
    common, rare = (
        connection.execute(
            f"SELECT name FROM keyword WHERE {which} AND name NOT LIKE '% %' ORDER BY id LIMIT 1"
        ).fetchone()[0]
        for which in ("below > 20000", "below BETWEEN 50 AND 200")
    )
    connection.close()
    questions = {
        "nothing but the start: --help": ["--help"],
        "a common keyword, a table of 50": [common],
        "a rare keyword, a table of 50": [rare],
        "how many, two common ones": [f"{common} Urbex", "--count"],
        "a year, how many": ["taken:2015", "--count"],
    }
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        root, state = Path(folder, "photos"), Path(folder, "state")
        root.mkdir()
        home = library_state(root, state)
        home.mkdir(parents=True)
        mirror = home / "mirror.sqlite3"
        environ = dict(os.environ, PYTHONPATH=str(ROOT / "src"), PYTHONPYCACHEPREFIX=f"{folder}/p")
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        script = "from urbexmp.cli.start import main; main()"
        print("| question | cold wall ms | cold CPU ms | read KB | warm wall ms | warm CPU ms |")
        print("|---|---|---|---|---|---|")
        dropped = []
        for name, words in questions.items():
            place = [] if words == ["--help"] else ["--state", str(state), "--in", str(root)]
            command = [sys.executable, "-c", script, "query", *words, *place]
            shutil.copyfile(source, mirror)
            _timed(command, environ)
            rounds = []
            for _ in range(ROUNDS):
                mirror.unlink()
                shutil.copyfile(source, mirror)
                dropped.append(drop(mirror))
                cold = _timed(command, environ)
                rounds.append((*cold, *_timed(command, environ)))
            wall, used, read, warm, warm_used, _ = map(statistics.median, zip(*rounds, strict=True))
            print(
                f"| {name} | {wall:.0f} | {used:.0f} | {read:,.0f} | {warm:.0f}"
                f" | {warm_used:.0f} |",
                flush=True,
            )
        print(f"\ncold: {min(dropped):.1%} of the mirror's pages or more were not in memory")


def _timed(command: list[str], environ: dict[str, str]) -> tuple[float, float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        command, env=environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1e3, used * 1e3, (after.ru_inblock - before.ru_inblock) / 2


if __name__ == "__main__":
    main()
