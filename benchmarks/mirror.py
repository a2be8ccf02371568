"""The mirror of a million photos: its size, writing and reading at once, queries (goals 7, 8, 12).

    python benchmarks/mirror.py [PHOTOS]

Makes the mirror that `million.py` describes, asks it what `queries.py` asks, and runs the whole
command beside `sqlite-utils query`, `exiftool -ver` and a bare `import click`. A first page is 100
photos with their paths; p95 is over the questions of one kind, in CPU milliseconds of the thread.

Unchanged rows are what a sync puts for photos whose packets it read and found as they were. While
a writer commits changed rows a hundred at a time, a reader asks for first pages; its p99 is by the
clock, less the time in which it could run and the machine had no core free for it (Linux tells).
The same without a writer stands beside it.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import million
import queries
import timing
from timing import Goal, goals, in_turn, machine, needs, scratch, table

from urbexmp.adapters.db.ask import Asker
from urbexmp.adapters.db.mirror import SqliteMirror
from urbexmp.adapters.dirs import library_state
from urbexmp.rules.query_parse import parse_query

AGAIN = 20_000
"""Photos that are put a second time, unchanged."""
SECONDS = 8
"""Of reading beside a writer."""
ROUNDS = 15


def unchanged(mirror: SqliteMirror, photos: int) -> float:
    """Keyword rows a core-second that are put and found to be as they stand."""
    rows = list(itertools.islice(million.photos(photos, million.KEYWORDS), min(AGAIN, photos)))
    keywords = sum(len(row.keywords) for row in rows)
    began = time.process_time()
    changed = sum(mirror.put(rows[n : n + 1000]) for n in range(0, len(rows), 1000))
    used = time.process_time() - began
    assert changed == 0, changed
    return keywords / used


def write_on(path: Path, photos: int) -> None:
    """Commit changed rows, a hundred at a time, until killed."""
    rows = list(itertools.islice(million.photos(photos, million.KEYWORDS), 2000))
    with SqliteMirror(path) as mirror:
        print("ready", flush=True)
        for turn in itertools.count():
            for n in range(0, len(rows), 100):
                mirror.put(
                    dataclasses.replace(row, version=f"{turn}", description=f"turn {turn}")
                    for row in rows[n : n + 100]
                )


def waited_for_a_core() -> float:
    """Seconds that this thread could run and did not; 0 where the system does not say."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def p99(questions: Sequence[Callable[[], object]]) -> float:
    """Milliseconds by the clock, less those without a core."""
    taken = []
    until = time.perf_counter() + SECONDS
    for question in itertools.cycle(questions):
        idle, began = waited_for_a_core(), time.perf_counter()
        question()
        now = time.perf_counter()
        taken.append((now - began - (waited_for_a_core() - idle)) * 1e3)
        if now > until:
            break
    return sorted(taken)[int(len(taken) * 0.99)]


def beside_a_writer(path: Path, photos: int) -> tuple[float, float]:
    """p99 of a reader alone, and while a writer commits."""
    connection = sqlite3.connect(path)
    names = [row[0] for row in connection.execute("SELECT path FROM keyword WHERE photos > 50")]
    connection.close()
    random.Random(3).shuffle(names)
    with Asker(path) as asker:
        asked = [parse_query(f'is:"{name}"') for name in names[:500]]
        questions = [lambda q=q: asker.paths(asker.ids(q, limit=100)) for q in asked]  # type: ignore[misc]
        for question in questions:
            question()
        alone = p99(questions)
        writer = subprocess.Popen(
            [sys.executable, __file__, "--write", str(path), str(photos)],
            stdout=subprocess.PIPE,
            env=timing.environment(),
        )
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            return alone, p99(questions)
        finally:
            writer.kill()
            writer.communicate()


def p95(questions: Sequence[Callable[[], object]]) -> tuple[float, float]:
    """p50 and p95 of CPU milliseconds, after a round that nobody counts."""
    for question in questions:
        question()
    times = []
    for question in questions:
        began = time.thread_time()
        question()
        times.append((time.thread_time() - began) * 1e3)
    times.sort()
    return times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.95))]


def asked(path: Path) -> list[Goal]:
    """Ask all kinds of questions; the slowest first page and the slowest count."""
    rows: list[tuple[str, ...]] = []
    worst: dict[float, tuple[float, str]] = {}
    with Asker(path) as asker:
        for name, questions, goal in queries.kinds(asker, path):
            if not questions:  # a small library has no common keywords
                continue
            middle, high = p95(questions)
            told = "" if goal is None else f"{goal:g}"
            met = "" if goal is None else "met" if high <= goal else f"{high / goal:.1f}x"
            rows.append((name, str(len(questions)), f"{middle:.2f}", f"{high:.2f}", told, met))
            if goal is not None:
                worst[goal] = max(worst.get(goal, (0.0, "")), (high, name))
    table("Questions", ("", "questions", "p50 ms", "p95 ms", "asked ms", ""), rows)
    return [
        Goal(f"8: slowest of what is asked in {goal:g} ms ({name}), p95", high, goal, False, " ms")
        for goal, (high, name) in sorted(worst.items())
    ]


def sqlite_utils() -> list[str] | None:
    """How to start it: as if numpy were not installed, which it would import, and need not have."""
    if "SQLITE_UTILS_TOOL" not in os.environ and find_spec("sqlite_utils"):
        alone = "import sys; sys.modules['numpy'] = sys.modules['pandas'] = None;"
        return [sys.executable, "-c", f"{alone} from sqlite_utils.cli import cli; cli()"]
    tool = timing.tool("sqlite-utils")
    return [tool] if tool else None


def process(path: Path, folder: Path) -> list[Goal]:
    """The whole command beside others."""
    root, state = folder / "photos", folder / "state"
    root.mkdir()
    home = library_state(root, state)
    home.mkdir(parents=True)
    (home / "mirror.sqlite3").symlink_to(path)
    connection = sqlite3.connect(path)
    (name,) = connection.execute(
        "SELECT name FROM keyword WHERE photos > 100 ORDER BY photos DESC LIMIT 1"
    ).fetchone()
    connection.close()
    place = ["--state", state, "--in", root]
    sql = (
        "SELECT path FROM photos WHERE id IN (SELECT photo FROM link WHERE keyword ="
        f" (SELECT id FROM keyword WHERE name = '{name}')) LIMIT 50"
    )
    # What the installed script does.
    ours_is = [sys.executable, "-c", "from urbexmp.cli.start import main; main()", "query"]
    commands: dict[str, list[str | Path]] = {
        "import click": [sys.executable, "-c", "import click"],
        "exiftool -ver": ["exiftool", "-ver"],
        "urbexmp query (a table of 50)": [*ours_is, f'"{name}"', *place],
        "urbexmp query --count": [*ours_is, f'"{name}"', "--count", *place],
        "urbexmp query --debug (read by click)": [*ours_is, f'"{name}"', "--debug", *place],
    }
    if theirs_is := sqlite_utils():
        commands["sqlite-utils query, the same 50 paths"] = [*theirs_is, "query", path, sql]
    found = in_turn(commands, ROUNDS)
    ours = found["urbexmp query (a table of 50)"].median
    table(
        "Whole processes",
        ("", "CPU ms", "this / urbexmp"),
        [
            (f"`{each}`", f"{runs.median * 1e3:.1f}", f"{runs.median / ours:.2f}")
            for each, runs in found.items()
        ],
    )
    met = [
        Goal("12: query, CPU of `import click`", ours / found["import click"].median, 1.3, False),
        Goal("12: query, CPU of `exiftool -ver`", ours / found["exiftool -ver"].median, 0.9, False),
    ]
    if theirs_is:
        theirs = found["sqlite-utils query, the same 50 paths"].median
        met.insert(0, Goal("8: whole query, `sqlite-utils query` / ours", theirs / ours, 4))
    return met


def main() -> None:
    """Measure; or, started by itself, be the writer."""
    if sys.argv[1:2] == ["--write"]:
        write_on(Path(sys.argv[2]), int(sys.argv[3]))
        return
    photos = int(sys.argv[1]) if len(sys.argv) > 1 else million.PHOTOS
    needs("exiftool")
    with scratch("mirror") as folder:
        path = folder / "mirror.sqlite3"
        began = time.process_time()
        million.build(path, photos)
        built = time.process_time() - began
        size = path.stat().st_size / 1e6
        _, keywords, links = queries.sizes(path)
        print(f"{photos:,} photos, {keywords:,} keywords, {links:,} links; {machine()}")
        with SqliteMirror(path) as mirror:
            again = unchanged(mirror, photos)
        met = [
            Goal("7: unchanged keyword rows a core-second", again, 1_000_000, True, ""),
            Goal(f"7: size with {photos / 1e6:g} million photos", size, 350, False, " MB"),
        ]
        table(
            "The mirror",
            ("", ""),
            [
                ("making it (and its rows), photos a core-second", f"{photos / built:,.0f}"),
                ("unchanged keyword rows a core-second", f"{again:,.0f}"),
                ("MB", f"{size:,.0f}"),
            ],
        )
        queried = [*asked(path), *process(path, folder)]
        copy = folder / "written.sqlite3"
        shutil.copyfile(path, copy)
        alone, beside = beside_a_writer(copy, photos)
        table(
            "A reader's first pages, by the clock, less the time without a core",
            ("", "p99 ms"),
            [("alone", f"{alone:.2f}"), ("while a writer commits", f"{beside:.2f}")],
        )
        met.insert(1, Goal("7: reader's p99 beside a writer", beside, 1, False, " ms"))
        goals([*met, *queried])


if __name__ == "__main__":
    main()
