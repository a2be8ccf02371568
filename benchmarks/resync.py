"""A run over an archive where nothing changed, beside `find -printf` (goal 3).

    python benchmarks/resync.py [PHOTOS] [ROUNDS]

Makes an archive of raw files with sidecars, lets the ledger know them as a first `sync` would leave
it, and measures the second run and those after it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import timing
from material import archive
from timing import Goal, goals, in_turn, machine, needs, run, scratch, table, urbexmp

from urbexmp.app import open_house
from urbexmp.cli.options import Choices, load
from urbexmp.drivers.scan import Found, no_trouble, tasks
from urbexmp.model.ledger import KnownFile
from urbexmp.model.mirror import MirrorRow
from urbexmp.model.photo import PhotoId


def settle(root: Path, state: Path) -> int:
    """Make every photo known to ledger and mirror, as a run does that had nothing to write."""
    done, rows = 0, []
    known: list[KnownFile] = []
    with open_house(root, load(Choices()), state=state, writing=True) as house:
        with house.ledger.batch():
            for task in tasks(house, (root,), Found(), no_trouble):
                photo, photo_id = task.photo, PhotoId(f"{done:064x}")
                known.append(KnownFile(photo.path, photo.stat, photo_id, task.around, task.policy))
                path = photo.path.relative_to(root)
                rows.append(MirrorRow(path, photo_id, photo.kind, photo.stat, version="1"))
                done += 1
            # At once: a statement for many rows costs a third of one for each.
            house.ledger.settle(known)
        assert house.mirror is not None
        house.mirror.put(rows)
        house.mirror.complete()
    return done


def calls(command: list[str | Path], root: Path) -> dict[str, int]:
    """How many files of the archive are opened and statted, by strace."""
    traced = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=open,openat,newfstatat,stat,lstat,statx",
        *command,
    ]
    said = subprocess.run(traced, capture_output=True, env=timing.environment(), check=True).stderr
    opened = re.findall(rb'open(?:at)?\([^"]*"([^"]+)"[^)]*\) = (\d+)', said)
    files = [path for path, _ in opened if path.endswith((b".NEF", b".xmp"))]
    statted = re.findall(rb'(?:stat|lstat|newfstatat|statx)\([^"]*"([^"]*\.(?:NEF|xmp))"', said)
    return {"opened": len(files), "statted": len(statted)}


def main() -> None:
    """Measure."""
    photos = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    needs("find")
    with scratch("resync") as folder:
        root, state = folder / "archive", folder / "state"
        archive(root, photos)
        assert settle(root, state) == photos
        sync = urbexmp("sync", root, "--state", state)
        first = run(sync)
        found = in_turn(
            {
                "find": ["find", root, "-printf", "%s %T@ %i %p\n"],
                "urbexmp": sync,
                "start": urbexmp("sync", state, "--state", state / "other"),
            },
            rounds,
        )
        assert f"{photos:,} unchanged".encode() in found["urbexmp"].output, found["urbexmp"].output
        floor = found["find"].median
        print(f"{photos:,} raw files and {photos:,} sidecars; {machine()}")
        table(
            "A run that finds nothing to do",
            ("", "CPU s", "x find", "MB"),
            [
                ("`find -printf`", f"{floor:.3f}", "1", f"{found['find'].peak:.0f}"),
                ("urbexmp sync", f"{found['urbexmp'].median:.3f}",
                 f"{found['urbexmp'].median / floor:.2f}", f"{found['urbexmp'].peak:.0f}"),
                ("of which start (an empty folder)", f"{found['start'].median:.3f}",
                 f"{found['start'].median / floor:.2f}", f"{found['start'].peak:.0f}"),
                ("the run before, which compares every photo", f"{first.cpu:.3f}",
                 f"{first.cpu / floor:.2f}", f"{first.peak_mb:.0f}"),
            ],
        )  # fmt: skip
        met = [
            Goal(
                "3: nothing changed, CPU of `find -printf`",
                found["urbexmp"].median / floor,
                1.7,
                False,
            ),
            Goal("3: memory", found["urbexmp"].peak, 40, False, " MB"),
        ]
        if shutil.which("strace"):
            counted = calls(sync, root)
            met += [
                Goal("3: files opened", counted["opened"], 0, False, ""),
                Goal("3: stats a file", counted["statted"] / (2 * photos), 1, False, ""),
            ]
        goals(met)


if __name__ == "__main__":
    main()
