"""Write keywords into Lightroom sidecars: ours against exiftool and a plain rewrite (goal 4).

    python benchmarks/write.py [SIDECARS] [ROUNDS]

Ours is the applier as `sync` uses it, in batches: read, compare, edit, prove with a second parser,
intent in the ledger, backup, durable replacement, receipt. exiftool writes a temporary file and
renames it, and does none of the rest. What both wrote is compared, keyword by keyword.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import timing
from timing import Goal, goals, in_turn, machine, needs, run, scratch, table

PATHS = tuple(f"Urbex|Benchmark|Branch {n}|Leaf {n}" for n in range(6))
FLATS = ("Urbex", "Benchmark", *(f"Branch {n}" for n in range(4)), *(f"Leaf {n}" for n in range(4)))
BATCH = 200
SYNCS = ("fsync", "fdatasync", "syncfs", "sync", "msync", "sync_file_range")


def floor(folder: Path) -> None:
    """The same bytes again, through a temporary file and a rename; nothing forced to disk."""
    for entry in list(os.scandir(folder)):
        path = Path(entry.path)
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(path.read_bytes())
        temporary.replace(path)


def ours(folder: Path, state: Path, *, block: bool) -> None:
    """Carry prepared changes out; print the CPU seconds of that alone."""
    from urbexmp.adapters.backups import FolderBackups
    from urbexmp.adapters.clock import SystemClock
    from urbexmp.adapters.db.ledger import SqliteLedger
    from urbexmp.adapters.files.volume import sync_volume
    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.adapters.xmp.sidecar import SidecarStore
    from urbexmp.model import change as changes
    from urbexmp.model import photo as photos
    from urbexmp.model.keyword import Keyword
    from urbexmp.pipeline.applier import Applier

    store, clock, keywords = SidecarStore(), SystemClock(), tuple(map(Keyword.parse, PATHS))
    state.mkdir()
    at, work = "2026-11-20T09:00:00Z", []
    for number, path in enumerate(sorted(folder.iterdir())):
        carrier = photos.Carrier(photos.CarrierKind.SIDECAR, path)
        mark = clock.fresh("w")
        entries = tuple(
            photos.BlockEntry(keyword, 0.87, "pixels@1f2e3d4c", "offline", at)
            for keyword in keywords
        )
        said = photos.Block(mark, entries, (), FLATS, (("view", "interior"),)) if block else None
        edit = changes.PacketEdit(FLATS, (), PATHS, (), said, at if block else None)
        stat = photos.FileStat(1, 1, number)
        photo = photos.Photo(path.with_suffix(".NEF"), photos.FileKind.RAW, stat, (), (carrier,))
        agreed = frozenset(keywords)
        work.append(
            changes.Change(
                photo,
                photos.PhotoId(f"{number:064x}"),
                "offline",
                changes.MergeBase(),
                changes.MergeBase(agreed, {"offline": agreed}),
                tuple(changes.Edit(changes.EditKind.ADD, keyword) for keyword in keywords),
                writes=(
                    changes.CarrierWrite(carrier, photos.fingerprint_of(path.read_bytes()), edit),
                ),
                mark=mark,
            )
        )
    began = time.process_time()
    with SqliteLedger(state / "ledger.sqlite3") as ledger:
        backups = FolderBackups(state / "backups", sync_volume)
        applier = Applier(store, XmpCodec(), ledger, backups, clock)
        for start in range(0, len(work), BATCH):
            for outcome in applier.apply_batch(work[start : start + BATCH], "r1"):
                assert isinstance(outcome, changes.Receipt), outcome
    print(json.dumps(time.process_time() - began))


def exiftool(folder: Path) -> list[str | Path]:
    """One exiftool process for all files."""
    added = [f"-XMP-dc:Subject+={word}" for word in FLATS]
    added += [f"-XMP-lr:HierarchicalSubject+={path}" for path in PATHS]
    return ["exiftool", "-q", "-overwrite_original", *added, "-ext", "xmp", folder]


def keywords_of(folder: Path) -> object:
    """All keywords of all files, as exiftool reads them."""
    said = run(
        ["exiftool", "-q", "-j", "-XMP-dc:Subject", "-XMP-lr:HierarchicalSubject", folder]
    ).output
    return {
        Path(each["SourceFile"]).name: (
            sorted(each["Subject"]),
            sorted(each["HierarchicalSubject"]),
        )
        for each in json.loads(said)
    }


def diff_lines(before: Path, after: Path) -> float:
    """Lines that differ, a file."""
    lines, files = 0, 0
    for path in sorted(before.iterdir())[:100]:
        old, new = path.read_text().splitlines(), (after / path.name).read_text().splitlines()
        lines += sum(line[:1] in "+-" for line in list(difflib.unified_diff(old, new, n=0))[2:])
        files += 1
    return lines / files


def syncs(command: list[str | Path], number: int) -> float | None:
    """Sync calls a file, by strace."""
    if shutil.which("strace") is None:
        return None
    traced = ["strace", "-f", "-c", "-e", f"trace={','.join(SYNCS)}", *command]
    said = subprocess.run(traced, capture_output=True, env=timing.environment(), check=True)
    rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s.*?(\w+)$", said.stderr.decode(), re.M)
    return sum(int(calls) for calls, name in rows if name in SYNCS) / number


def main() -> None:
    """Measure; or, started by itself, be one of the contenders."""
    if sys.argv[1:2] == ["--floor"]:
        floor(Path(sys.argv[2]))
        return
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]), Path(sys.argv[3]), block=len(sys.argv) <= 4)
        return
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    needs("exiftool")
    from material import sidecars  # numpy and Pillow: not in the contenders

    me = [sys.executable, str(Path(__file__))]
    with scratch("write") as folder:
        given = folder / "given"
        given.mkdir()
        sidecars(given, number)
        copies = {name: folder / name for name in ("floor", "ours", "bare", "exiftool")}

        def fresh(name: str) -> None:
            for path in (copies[name], folder / f"{name}-state"):
                shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(given, copies[name])
            os.sync()

        commands: dict[str, list[str | Path]] = {
            "floor": [*me, "--floor", copies["floor"]],
            "ours": [*me, "--ours", copies["ours"], folder / "ours-state"],
            "bare": [*me, "--ours", copies["bare"], folder / "bare-state", "bare"],
            "exiftool": exiftool(copies["exiftool"]),
        }
        found = in_turn(commands, rounds, before=fresh)
        alone = {name: float(found[name].output) for name in ("ours", "bare")}
        if (
            not keywords_of(copies["ours"])
            == keywords_of(copies["bare"])
            == keywords_of(copies["exiftool"])
        ):
            raise SystemExit("urbexmp and exiftool wrote different keywords; no figures")
        ours_lines, their_lines = (diff_lines(given, copies[one]) for one in ("bare", "exiftool"))
        with_block = diff_lines(given, copies["ours"])
        fresh("ours")
        synced = syncs(commands["ours"], number)
        theirs, plain, each = found["exiftool"].median, found["floor"].median, 1e3 / number
        print(f"{number} sidecars; {machine()}")
        rows = [
            ("rewrite the same bytes, no sync (floor)", plain, 0.0),
            ("urbexmp, keywords and our block", found["ours"].median, with_block),
            ("urbexmp, keywords alone", found["bare"].median, ours_lines),
            ("exiftool -overwrite_original", theirs, their_lines),
        ]
        table(
            "Writing 10 words and 6 paths into each, whole processes",
            ("", "CPU ms a file", "x floor", "exiftool / this", "lines of diff a file"),
            [
                (
                    name,
                    f"{cpu * each:.2f}",
                    f"{cpu / plain:.1f}",
                    f"{theirs / cpu:.1f}",
                    f"{lines:.0f}",
                )
                for name, cpu, lines in rows
            ],
        )
        print(
            "The applier alone, without start-up and the making of the changes, CPU ms a file:"
            f" {alone['ours'] * each:.2f} with our block, {alone['bare'] * each:.2f} without"
        )
        met = [
            Goal(
                "4: sidecar write with our block, exiftool / ours", theirs / found["ours"].median, 8
            ),
            Goal("4: sidecar write of keywords alone", theirs / found["bare"].median, 8),
            Goal("4: x rewriting the same bytes", found["bare"].median / plain, 1.6, False),
            Goal("4: lines of diff, keywords and our block", with_block, 20, False, ""),
        ]
        if synced is not None:
            met.append(Goal("4: sync calls a file", synced, 0.03, False, ""))
        goals(met)


if __name__ == "__main__":
    main()
