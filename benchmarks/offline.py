"""Photos a minute through the whole offline profile, beside the floor: decoding the same pictures.

    python benchmarks/offline.py [PICTURES] [ROUNDS]

Half are 24-megapixel JPEGs, half raw files with a preview. The floor decodes the same previews in
as many threads, and does nothing with them. The run is `urbexmp sync` as a whole: it looks,
proposes, and writes proven, backed-up, durable sidecars.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import timing
from timing import Goal, goals, in_turn, machine, scratch, table, urbexmp

LONG_SIDE = 768


def floor(folder: Path) -> None:
    """Decode every preview, in one thread a core."""
    from urbexmp.adapters.inspect import FileInspector
    from urbexmp.model.photo import FileKind, FileStat, Photo
    from urbexmp.rules.formats import KINDS, extension

    inspector = FileInspector()

    def decode(path: Path) -> int:
        kind: FileKind = KINDS[extension(path.name)]
        return inspector.preview(Photo(path, kind, FileStat(0, 0, 0), (), ()), LONG_SIDE).width

    photos = [path for path in folder.iterdir() if extension(path.name) in KINDS]
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        assert all(workers.map(decode, photos))


def main() -> None:
    """Measure; or, started by itself, be the floor."""
    if sys.argv[1:2] == ["--floor"]:
        floor(Path(sys.argv[2]))
        return
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    from material import photo, raw  # numpy and Pillow: not in the contenders

    me = [sys.executable, str(Path(__file__))]
    rows, shares = [], []
    for kind, make in (("JPEG", photo), ("NEF", raw)):
        with scratch("offline") as folder:
            pictures = folder / "pictures"
            pictures.mkdir()
            for n in range(number):
                make(pictures / f"_DSC{n:04}.{kind}", n)
            wall: dict[str, list[float]] = {"floor": [], "sync": []}
            began = 0.0

            def fresh(name: str, pictures: Path = pictures, folder: Path = folder) -> None:
                nonlocal began
                shutil.rmtree(folder / "state", ignore_errors=True)
                for sidecar in pictures.glob("*.xmp"):
                    sidecar.unlink()

            found = in_turn(
                {
                    "floor": [*me, "--floor", pictures],
                    "sync": urbexmp("sync", pictures, "--state", folder / "state", "-q"),
                },
                rounds,
                before=fresh,
            )
            for name, command in (
                ("floor", [*me, "--floor", pictures]),
                ("sync", urbexmp("sync", pictures, "--state", folder / "state", "-q")),
            ):
                fresh(name)
                began = time.perf_counter()
                timing.run(command)
                wall[name].append(time.perf_counter() - began)
            for name, called in (
                ("floor", "decode the previews (floor)"),
                ("sync", "urbexmp sync, offline profile"),
            ):
                cpu = found[name].median / number
                rows.append(
                    (
                        kind,
                        called,
                        f"{1e3 * cpu:.0f}",
                        f"{60 / cpu:,.0f}",
                        f"{60 * number / min(wall[name]):,.0f}",
                    )
                )
            shares.append((kind, found["sync"].median / found["floor"].median))
    print(f"{number} of each; {machine()}")
    table(
        "The whole offline profile",
        ("", "", "CPU ms a photo", "photos a core-minute", "photos a minute here, by the clock"),
        rows,
    )
    goals(
        [
            Goal(f"offline profile, {kind}: x decoding alone", share, 1.5, False)
            for kind, share in shares
        ]
    )


if __name__ == "__main__":
    main()
