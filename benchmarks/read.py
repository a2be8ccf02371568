"""Read the keywords of Lightroom sidecars, beside exiftool and open-and-read (goal 1).

    python benchmarks/read.py [SIDECARS] [ROUNDS]

Every reader is a process of its own, and prints a digest of what it read: where two disagree about
one keyword, there are no figures. The golden corpus is compared first.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import timing
from timing import REPOSITORY, Goal, goals, in_turn, machine, needs, scratch, table

EXIFTOOL = ("exiftool", "-q", "-r", "-j", "-XMP-dc:Subject", "-XMP-lr:HierarchicalSubject")
Keywords = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]


def floor(folder: Path) -> None:
    """Open, read, close."""
    for entry in os.scandir(folder):
        handle = os.open(entry.path, os.O_RDONLY)
        os.read(handle, 32768)
        os.close(handle)


def ours(folder: Path) -> Keywords:
    """Read as urbexmp does."""
    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.adapters.xmp.sidecar import SidecarStore
    from urbexmp.model.photo import Carrier, CarrierKind

    codec, store, found = XmpCodec(), SidecarStore(), {}
    for entry in os.scandir(folder):
        path = Path(entry.path)
        packet = store.read(Carrier(CarrierKind.SIDECAR, path))
        assert packet is not None
        fields = codec.read(packet, path).fields
        found[entry.name] = fields.flat or (), fields.hierarchical or ()
    return found


def digest(found: Keywords) -> str:
    """One digest of all keywords of all files."""
    text = json.dumps(sorted((name, sorted(a), sorted(b)) for name, (a, b) in found.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def theirs(said: bytes) -> Keywords:
    """What exiftool printed."""

    def listed(value: object) -> tuple[str, ...]:
        return tuple(map(str, value if isinstance(value, list) else [value]))

    return {
        Path(each["SourceFile"]).name: (
            listed(each.get("Subject", [])),
            listed(each.get("HierarchicalSubject", [])),
        )
        for each in json.loads(said)
    }


def golden() -> tuple[int, list[str]]:
    """Compare every packet of the golden corpus; how many, and where the two differ."""
    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.model.errors import PacketRefused

    codec, same, different = XmpCodec(), 0, []
    for path in sorted((REPOSITORY / "tests" / "golden").glob("*/*.xmp")):
        try:
            fields = codec.read(path.read_bytes(), path).fields
        except PacketRefused:
            continue
        said = subprocess.run([*EXIFTOOL, "-m", path], capture_output=True, check=False).stdout
        if not said.strip():
            continue
        flat, paths = next(iter(theirs(said).values()))
        mine = (
            sorted(filter(None, fields.flat or ())),
            sorted(filter(None, fields.hierarchical or ())),
        )
        if mine == (sorted(filter(None, flat)), sorted(filter(None, paths))):
            same += 1
        else:
            different.append(f"{path.parent.name}/{path.name}")
    return same, different


def main() -> None:
    """Measure; or, started by itself, be one of the contenders."""
    if sys.argv[1:2] == ["--floor"]:
        floor(Path(sys.argv[2]))
        return
    if sys.argv[1:2] == ["--ours"]:
        found = ours(Path(sys.argv[2]))
        if len(sys.argv) > 3:
            print(digest(found))
        return
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    needs("exiftool")
    from material import sidecars  # numpy and Pillow: not in the contenders

    same, different = golden()
    print(f"golden corpus: {same} packets read alike, {len(different)} not: {_listed(different)}")
    with scratch("read") as folder:
        folder = folder / "sidecars"
        folder.mkdir()
        sidecars(folder, number)
        me = [sys.executable, str(Path(__file__))]
        theirs_said = timing.run([*EXIFTOOL, folder]).output
        ours_said = timing.run([*me, "--ours", folder, "digest"]).output.decode().strip()
        if digest(theirs(theirs_said)) != ours_said:
            raise SystemExit("urbexmp and exiftool read different keywords; no figures")
        empty = folder.parent / "empty"
        empty.mkdir()
        found = in_turn(
            {
                "open and read": [*me, "--floor", folder],
                "urbexmp": [*me, "--ours", folder],
                "start of ours": [*me, "--ours", empty],
                "start of the floor": [*me, "--floor", empty],
                "exiftool -r -j": [*EXIFTOOL, folder],
            },
            rounds,
        )
        exiftool = found["exiftool -r -j"].median
        reading = found["urbexmp"].median
        work = reading - found["start of ours"].median
        least = found["open and read"].median - found["start of the floor"].median
        each = 1e6 / number
        print(f"{number} sidecars; {machine()}")
        table(
            "Reading keywords",
            ("", "CPU us a file", "exiftool / this"),
            [
                (
                    "open and read (without Python's start)",
                    f"{least * each:.1f}",
                    f"{exiftool / least:.0f}",
                ),
                ("urbexmp, without its start", f"{work * each:.1f}", f"{exiftool / work:.0f}"),
                ("urbexmp, whole process", f"{reading * each:.1f}", f"{exiftool / reading:.0f}"),
                ("exiftool -r -j, two fields, whole process", f"{exiftool * each:.0f}", "1"),
            ],
        )
        goals(
            [
                Goal("1: reading keywords, whole process", exiftool / reading, 100),
                Goal("1: reading keywords, work alone", exiftool / work, 100),
                Goal("1: reading keywords, work / open and read", work / least, 3.5, False),
            ]
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


if __name__ == "__main__":
    main()
