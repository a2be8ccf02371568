"""Photos a minute through the whole offline profile, beside the floor: decoding the same pictures.

    python benchmarks/offline.py [PICTURES] [ROUNDS]

24-megapixel JPEGs, and raw files with a preview. The floor decodes the same previews in as many
threads, and does nothing with them. The run is `urbexmp sync` as a whole: it looks, proposes, and
writes proven, backed-up, durable sidecars.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from timing import Goal, Runs, goals, in_turn, machine, scratch, table, urbexmp

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


SYNC = ("sync", "-q")
PLAIN = "camera,pixels,place"
"""The stages without a model. Reading signs costs several times as much as all the rest."""


def compared(
    kind: str, make: Callable[[Path, int], None], number: int, rounds: int
) -> dict[str, Runs]:
    """Decode, and sync, pictures of one kind."""
    with scratch("offline") as folder:
        pictures = folder / "pictures"
        pictures.mkdir()
        for n in range(number):
            make(pictures / f"_DSC{n:04}.{kind}", n)

        def fresh(_name: str) -> None:
            shutil.rmtree(folder / "state", ignore_errors=True)
            for sidecar in pictures.glob("*.xmp"):
                sidecar.unlink()

        commands: dict[str, list[str | Path]] = {
            "floor": [sys.executable, __file__, "--floor", pictures],
            "sync": urbexmp(*SYNC, pictures, "--state", folder / "state", "--stages", PLAIN),
            "ocr": urbexmp(*SYNC, pictures, "--state", folder / "state"),
        }
        return in_turn(commands, rounds, before=fresh)


def main() -> None:
    """Measure; or, started by itself, be the floor."""
    if sys.argv[1:2] == ["--floor"]:
        floor(Path(sys.argv[2]))
        return
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    from material import photo, raw  # numpy and Pillow: not in the contenders

    rows, shares = [], []
    for kind, make in (("JPEG", photo), ("NEF", raw)):
        found = compared(kind, make, number, rounds)
        for name, called in (
            ("floor", "decode the previews (floor)"),
            ("sync", f"urbexmp sync, {PLAIN}"),
            ("ocr", "urbexmp sync, reading signs too, as the offline profile does with rapidocr"),
        ):
            cpu, wall = found[name].median / number, min(found[name].wall) / number
            told = f"{1e3 * cpu:.0f}", f"{60 / cpu:,.0f}", f"{60 / wall:,.0f}"
            rows.append((kind, called, *told))
        shares.append((kind, found["sync"].median / found["floor"].median))
    print(f"{number} of each; {machine()}")
    table(
        "The whole offline profile",
        ("", "", "CPU ms a photo", "photos a core-minute", "photos a minute here, by the clock"),
        rows,
    )
    goals([Goal(f"{PLAIN}, {kind}: x decoding alone", share, 1.5, False) for kind, share in shares])


if __name__ == "__main__":
    main()
