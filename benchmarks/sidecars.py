"""Read and write the keywords of 1,000 sidecars: urbexmp, exiftool and the floor, in one run.

    python benchmarks/sidecars.py [NUMBER]

Prints ratios of CPU time; README.md beside this file tells how they are made. Stops with an error
when two contenders disagree about a keyword.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "samples")]

from containers import Shot  # noqa: E402
from lightroom import Edited, lightroom  # noqa: E402

from urbexmp.adapters.backups import FolderBackups  # noqa: E402
from urbexmp.adapters.xmp.codec import XmpCodec  # noqa: E402
from urbexmp.adapters.xmp.sidecar import SidecarStore  # noqa: E402
from urbexmp.model.change import PacketEdit  # noqa: E402
from urbexmp.model.photo import Carrier, CarrierKind, Fingerprint  # noqa: E402

ROUNDS = 5
PATHS = tuple(f"Urbex|Benchmark|Branch {n}|Leaf {n}" for n in range(6))
FLATS = ("Urbex", "Benchmark", *(f"Branch {n}" for n in range(4)), *(f"Leaf {n}" for n in range(4)))
EDIT = PacketEdit(flat_add=FLATS, hierarchical_add=PATHS)

Keywords = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""File name to the words and the paths in it, sorted."""


@dataclass
class Timing:
    """CPU and wall seconds of each round."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


def make(folder: Path, number: int) -> None:
    """Write the sidecars."""
    chance = random.Random(7)
    words = [f"Word {n:03}" for n in range(400)]
    shot = Shot(
        "NIKON CORPORATION", "NIKON Z 6_2", "2024:05:11 10:02:17", Fraction(1, 15), 4.0, 800
    )
    for n in range(number):
        keywords = tuple(
            "|".join(["Archive", *chance.sample(words, chance.randint(1, 3))])
            for _ in range(chance.randint(3, 14))
        )
        edited = Edited(keywords, rating=n % 6, mask=n % 3 == 0, crop=n % 4 == 0)
        name = f"_DSC{n:05}.NEF"
        (folder / name).with_suffix(".xmp").write_bytes(lightroom(name, shot, (6048, 4024), edited))


def files(folder: Path) -> list[Path]:
    """All sidecars of a folder."""
    return sorted(Path(entry.path) for entry in os.scandir(folder))


def cpu() -> float:
    """User and system seconds of this process and of those it waited for."""
    return sum(
        use.ru_utime + use.ru_stime
        for use in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


# --- Reading ----------------------------------------------------------------------------------


def floor_read(folder: Path) -> None:
    """Open, read and close every file; understand nothing."""
    for path in files(folder):
        path.read_bytes()


def our_read(folder: Path) -> Keywords:
    """Read as `urbexmp` does."""
    codec, store = XmpCodec(), SidecarStore()
    found = {}
    for path in files(folder):
        packet = store.read(Carrier(CarrierKind.SIDECAR, path))
        assert packet is not None
        fields = codec.read(packet, path).fields
        found[path.name] = (
            tuple(sorted(fields.flat or ())),
            tuple(sorted(fields.hierarchical or ())),
        )
    return found


def exiftool_read(folder: Path) -> Keywords:
    """Read with one exiftool process."""
    command = ["exiftool", "-q", "-j", "-XMP-dc:Subject", "-XMP-lr:HierarchicalSubject"]
    said = subprocess.run([*command, "-ext", "xmp", str(folder)], capture_output=True, check=True)

    def listed(value: object) -> tuple[str, ...]:
        return tuple(sorted(map(str, value if isinstance(value, list) else [value])))

    return {
        Path(each["SourceFile"]).name: (
            listed(each.get("Subject", [])),
            listed(each.get("HierarchicalSubject", [])),
        )
        for each in json.loads(said.stdout)
    }


# --- Writing ----------------------------------------------------------------------------------


def floor_write(folder: Path) -> None:
    """Write the same bytes again through a temporary file and a rename; force nothing to disk."""
    for path in files(folder):
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(path.read_bytes())
        temporary.replace(path)


def our_write(folder: Path) -> None:
    """Edit, prove, back up and replace durably: all that the applier does but for the ledger."""
    codec, store = XmpCodec(), SidecarStore()
    backups = FolderBackups(folder.parent / f"{folder.name}-backups")
    for path in files(folder):
        carrier = Carrier(CarrierKind.SIDECAR, path)
        before = store.read(carrier)
        assert before is not None
        after = codec.edit(before, EDIT, path)
        codec.prove(before, after, EDIT, path)
        backups.keep(before)
        store.replace(carrier, after, Fingerprint(hashlib.sha256(before).hexdigest()))


def our_edit(folder: Path) -> None:
    """Edit and prove only, in memory."""
    codec = XmpCodec()
    for path in files(folder):
        before = path.read_bytes()
        codec.prove(before, codec.edit(before, EDIT, path), EDIT, path)


def exiftool_write(folder: Path) -> None:
    """Write with one exiftool process."""
    added = [f"-XMP-dc:Subject+={word}" for word in FLATS]
    added += [f"-XMP-lr:HierarchicalSubject+={path}" for path in PATHS]
    command = ["exiftool", "-q", "-overwrite_original", *added, "-ext", "xmp", str(folder)]
    subprocess.run(command, capture_output=True, check=True)


def timed(work: Callable[[Path], object], folder: Path, timing: Timing) -> object:
    """Do the work once and note how long it took."""
    cpu_before, wall_before = cpu(), time.perf_counter()
    result = work(folder)
    timing.cpu.append(cpu() - cpu_before)
    timing.wall.append(time.perf_counter() - wall_before)
    return result


def compare_reading(folder: Path) -> dict[str, Timing]:
    """Time all readers, turn and turn about, and compare what they read."""
    timings = {name: Timing() for name in ("open and read", "urbexmp", "exiftool")}
    for _ in range(ROUNDS):
        timed(floor_read, folder, timings["open and read"])
        ours = timed(our_read, folder, timings["urbexmp"])
        theirs = timed(exiftool_read, folder, timings["exiftool"])
        if ours != theirs:
            sys.exit("urbexmp and exiftool read different keywords; no figures")
    return timings


def compare_writing(folder: Path) -> dict[str, Timing]:
    """Time all writers on fresh copies, turn and turn about, and compare what they wrote."""
    works: dict[str, Callable[[Path], None]] = {
        "rewrite the same bytes": floor_write,
        "urbexmp, edit and proof only": our_edit,
        "urbexmp, proven, backed up, durable": our_write,
        "exiftool, none of the three": exiftool_write,
    }
    timings = {name: Timing() for name in works}
    for turn in range(ROUNDS):
        results = {}
        for name, work in works.items():
            copy = folder.parent / f"copy-{turn}-{len(results)}"
            shutil.copytree(folder, copy)
            os.sync()
            timed(work, copy, timings[name])
            results[work] = exiftool_read(copy) if turn == 0 else {}
            shutil.rmtree(copy)
        if results[our_write] != results[exiftool_write]:
            sys.exit("urbexmp and exiftool wrote different keywords; no figures")
    return timings


def show(title: str, timings: Mapping[str, Timing], number: int, floor: str, other: str) -> None:
    """Print one table."""
    middle = {name: statistics.median(timing.cpu) for name, timing in timings.items()}
    print(f"\n{title}, {number} sidecars, median of {ROUNDS} rounds")
    print(f"  {'':38}{'x floor':>9}{'exiftool/':>11}{'CPU us/file':>13}{'wall us/file':>14}")
    for name, seconds in middle.items():
        wall = statistics.median(timings[name].wall)
        print(
            f"  {name:38}{seconds / middle[floor]:9.1f}{middle[other] / seconds:11.1f}"
            f"{seconds / number * 1e6:13.0f}{wall / number * 1e6:14.0f}"
        )


def main() -> None:
    """Run both comparisons."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    if not shutil.which("exiftool"):
        sys.exit("exiftool is not installed; there is nothing to compare with")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "sidecars"
        folder.mkdir()
        make(folder, number)
        size = statistics.median(path.stat().st_size for path in files(folder))
        version = subprocess.run(["exiftool", "-ver"], capture_output=True, check=True, text=True)
        print(f"{number} sidecars, median {size / 1000:.1f} kB; exiftool {version.stdout.strip()};"
              f" Python {sys.version.split()[0]}")  # fmt: skip
        show("Reading", compare_reading(folder), number, "open and read", "exiftool")
        show("Writing", compare_writing(folder), number, "rewrite the same bytes",
             "exiftool, none of the three")  # fmt: skip


if __name__ == "__main__":
    main()
