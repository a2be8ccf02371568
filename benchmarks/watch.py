"""A watch: how soon, how fast, how idle, how lean, and whether it misses anything (goal 9).

    python benchmarks/watch.py [--quick] [latency] [drop] [idle] [stopped]

Drives the real `urbexmp watch`. Photos are small, so that finding, settling and writing are
measured and not the decoding of pixels. Linux only: figures come from /proc.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import statistics
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from material import archive
from resync import settle
from timing import Goal, goals, in_turn, machine, scratch, table, urbexmp
from watched import Watch, count, files, small_jpeg, small_raw, until

from urbexmp.app import state_paths
from urbexmp.model.profile import Profile

SETTLE = Profile().settle_seconds
BARE = ("--set", "stages=camera,pixels,place")
"""Reading signs takes half a second a photo, in a process of its own: measured apart, for it says
nothing about how soon a photo is found."""

AFTER_FIRST = 35.0
"""Seconds: what the first photo sets off is over then, looks at folders too."""

ALONE = (*BARE, "--set", "embed=never", "--set", "companion_seconds=0")
"""For photos that come as single JPEGs, and are not to wait for a raw file."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    singles: int = 100
    drop: int = 5_000
    stopped: int = 20_000
    tree: int = 100_000
    idle_seconds: float = 60.0


QUICK = Size(singles=8, drop=100, stopped=200, tree=2_000, idle_seconds=8.0)


def latency(folder: Path, size: Size) -> list[Goal]:
    """From a pair being complete to its sidecar and its row being there, one after the other."""
    rows, goals = [("settling time of the profile", f"{SETTLE:.2f}", "", "", "")], []
    for name, options in (("camera, pixels, place", BARE), ("with ocr", ())):
        place = folder / name.replace(", ", "-").replace(" ", "-")
        root = place / "photos"
        root.mkdir(parents=True)
        pairs = size.singles if options else max(8, size.singles // 4)
        took, shown = [], []
        with Watch(root, place / "state", place / "log.txt", *options) as watch:
            watch.ready(1)
            mirror = state_paths(root, place / "state").mirror
            for number in range(pairs):
                raw = root / f"S{number:05}.NEF"
                raw_bytes, jpeg_bytes = small_raw(100 + number), small_jpeg(50_000 + number)
                raw.with_suffix(".JPG").write_bytes(jpeg_bytes)
                raw.write_bytes(raw_bytes)
                began = time.monotonic()
                took.append(until(raw.with_suffix(".xmp").exists, f"{raw}'s sidecar", 120, 0.002))
                until(
                    lambda mirror=mirror, raw=raw: is_in(mirror, raw.name),
                    f"{raw}'s row",
                    120,
                    0.002,
                )
                shown.append(time.monotonic() - began)
            early = too_early(root) if options else 0
            ended = watch.stop()
        last = {}
        for what, times in (("sidecar", took), ("row in the mirror", shown)):
            ordered = sorted(times)
            p95, p99 = (ordered[min(pairs - 1, int(pairs * part))] for part in (0.95, 0.99))
            told = (f"{statistics.median(times):.3f}", f"{p95:.3f}", f"{p99:.3f}", f"{ended:.2f}")
            rows.append((f"{what}: {name}, {pairs} pairs", *told))
            last[what] = p95 - SETTLE
        if options:
            goals += [
                *(
                    Goal(f"9: {what} beyond the settling time, p95", beyond, 0.15, False, " s")
                    for what, beyond in last.items()
                ),
                Goal("9: files taken before they were complete", early, 0, False, ""),
            ]
        goals.append(Goal(f"9: SIGTERM to the end, {name}", ended, 5, False, " s"))
    table(
        "Seconds from a RAW+JPEG pair being complete to its sidecar, and to its row",
        ("", "median", "95th percentile", "99th percentile", "SIGTERM to the end"),
        rows,
    )
    return goals


def is_in(mirror: Path, name: str) -> bool:
    """Whether a reader of the mirror sees a photo of this name."""
    with closing(sqlite3.connect(f"file:{mirror}?mode=ro", uri=True)) as reader:
        found = reader.execute(
            "SELECT 1 FROM photos WHERE name = ? AND status = 'completed'", [name]
        )
        return found.fetchone() is not None


def too_early(root: Path) -> int:
    """Write photos in parts with pauses below and above the settling time; count those taken."""
    early = 0
    for number, pause in enumerate((0.05, SETTLE * 0.7, SETTLE * 1.5)):
        photo, content = root / f"part{number}.JPG", small_jpeg(90_000 + number)
        sidecar = photo.with_name(photo.name + ".xmp")
        with photo.open("wb", buffering=0) as file:
            for part in range(4):
                file.write(content[part * len(content) // 4 : (part + 1) * len(content) // 4])
                early += sidecar.exists()
                if part < 3:
                    time.sleep(pause)
        until(sidecar.exists, f"{photo}'s sidecar", 180)
    return early


def drop(folder: Path, size: Size) -> list[Goal]:
    """Many photos at once, beside `sync` of the same."""
    waiting, root = folder / "card", folder / "photos"
    for place in (waiting, root):
        place.mkdir()
    for number in range(size.drop):
        (waiting / f"D{number:05}.JPG").write_bytes(small_jpeg(number))
    with Watch(root, folder / "state", folder / "log.txt", *ALONE) as watch:
        watch.ready(1)
        before, start = watch.cpu(), time.monotonic()
        shutil.copytree(waiting, root / "import")
        until(lambda: count(root) >= size.drop or watch.ended(), f"{size.drop} sidecars", 3600, 0.5)
        wall, used = time.monotonic() - start, watch.cpu() - before
        assert not watch.ended(), "watch ended"
        watch.stop()
    # `sync` over the same files, with a state that knows none of them.
    command = urbexmp("sync", waiting, *BARE, "--set", "embed=never", "--state", folder / "other")

    def before_each(name: str) -> None:
        shutil.rmtree(folder / "other", ignore_errors=True)
        for sidecar in list(files(waiting, ".xmp")):
            sidecar.unlink()

    began = time.monotonic()
    found = in_turn({"sync": command}, 1, before=before_each)["sync"]
    sync_wall = (time.monotonic() - began) / 2
    rate, sync_rate = size.drop / wall * 60, size.drop / sync_wall * 60
    table(
        f"{size.drop:,} photos dropped at once",
        ("", "photos a minute", "CPU s"),
        [
            ("watch, from the first byte copied", f"{rate:,.0f}", f"{used:.2f}"),
            ("sync", f"{sync_rate:,.0f}", f"{found.median:.2f}"),
        ],
    )
    return [Goal("watch: CPU of a drop beside `sync`", used / found.median, 1.5, False)]


def idle(folder: Path, size: Size) -> list[Goal]:
    """Nothing happens over a large tree: processor time and memory."""
    empty, root, state = folder / "empty", folder / "archive", folder / "state"
    empty.mkdir()
    archive(root, size.tree, linked=True)
    with Watch(empty, state, folder / "log.txt") as watch:
        watch.ready(1)
        time.sleep(AFTER_FIRST)
        base = watch.resident()
    assert settle(root, state) == size.tree
    rows, shares, memory = [], {}, 0.0
    for name, options in (
        ("watch, a sweep every 5 minutes", ()),
        ("watch --poll: folders every 10 s, all files every minute", ("--poll",)),
    ):
        with Watch(root, state, folder / "log.txt", *options) as watch:
            began = watch.ready(1)
            time.sleep(AFTER_FIRST)
            before, start = watch.cpu(), time.monotonic()
            time.sleep(size.idle_seconds)
            shares[name] = (watch.cpu() - before) / (time.monotonic() - start) * 100
            memory = max(memory, watch.resident() - base)
            rows.append((name, f"{shares[name]:.2f} %", f"{watch.resident():.0f}", f"{began:.1f}"))
            watch.stop()
    table(
        f"Idle over {size.tree:,} photos ({2 * size.tree:,} files); an empty folder: {base:.0f} MB",
        ("", "of a core", "MB", "s until the first photo"),
        rows,
    )
    quiet, polling = shares.values()
    return [
        Goal("9: idle, share of a core", quiet, 0.1, False, " %"),
        Goal("9: polling every 10 s, share of a core", polling, 6, False, " %"),
        Goal("9: memory above an empty folder's", memory, 25, False, " MB"),
    ]


def stopped(folder: Path, size: Size) -> list[Goal]:
    """Photos in new nested folders that come while it cannot listen; memory as it catches up."""
    root = folder / "photos"
    root.mkdir()
    marks = []
    with Watch(root, folder / "state", folder / "log.txt", *ALONE) as watch:
        watch.ready(1)
        first = watch.resident()
        watch.signal(signal.SIGSTOP)
        for number in range(size.stopped):
            place = root / f"{number % 7}" / f"{number // 40:04}" / "deep"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"N{number:06}.JPG").write_bytes(small_jpeg(number))
            (place / f"N{number:06}.NEF").write_bytes(small_raw(number))
        watch.signal(signal.SIGCONT)
        step = max(1, size.stopped // 10)

        def caught_up() -> bool:
            done = count(root)
            while len(marks) < done // step:
                marks.append(watch.resident())
            return done >= size.stopped or watch.ended()

        until(caught_up, f"{size.stopped} sidecars", 7200, 0.5)
        missed = size.stopped - count(root)
        watch.stop()
    rows = [(f"{(n + 1) * step:,}", f"{mark:.0f}") for n, mark in enumerate(marks)]
    table(
        f"{size.stopped:,} RAW+JPEG pairs that came while it was stopped: memory",
        ("pairs done", "MB"),
        [("0", f"{first:.0f}"), *rows],
    )
    growth = marks[-1] - marks[len(marks) // 2 - 1] if len(marks) > 2 else 0.0
    return [
        Goal("9: missed after an overflow, new nested folders", missed, 0, False, ""),
        Goal("watch: growth over the second half", growth, 10, False, " MB"),
    ]


def main() -> None:
    """Measure."""
    size = QUICK if "--quick" in sys.argv else Size()
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")]
    print(machine())
    found: list[Goal] = []
    for part in (latency, drop, idle, stopped):
        if wanted and part.__name__ not in wanted:
            continue
        with scratch(f"watch-{part.__name__}") as folder:
            found += part(folder, size)
    goals(found)


if __name__ == "__main__":
    main()
