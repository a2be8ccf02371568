"""Read the keywords of Lightroom sidecars, beside exiftool and open-and-read (goal 1).

    python benchmarks/read.py [SIDECARS] [ROUNDS] [--odd]

Every reader is a process of its own, and prints a digest of what it read: where two disagree about
one keyword, there are no figures. The golden corpus is compared first. The sidecars have the
keywords of a library, one vocabulary used unevenly; `--odd`: nearly every path is new.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import timing
from reading import Keywords, digest
from timing import REPOSITORY, Goal, goals, in_turn, machine, needs, scratch, table

EXIFTOOL = ("exiftool", "-q", "-r", "-j", "-XMP-dc:Subject", "-XMP-lr:HierarchicalSubject")


def theirs(said: bytes | str) -> Keywords:
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


def golden() -> tuple[int, int, list[str]]:
    """Compare every packet of the golden corpus.

    How many are read alike, how many differ for a reason that is written down, and those that
    differ for none.
    """
    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.model.errors import PacketRefused

    folder = REPOSITORY / "tests" / "golden"
    explained = json.loads((folder / "exiftool_differs.json").read_text("utf-8"))
    said = subprocess.run([*EXIFTOOL, "-m", "-ext", "xmp", folder], capture_output=True).stdout
    read = {Path(each["SourceFile"]): theirs(json.dumps([each])) for each in json.loads(said)}
    codec, same, known, different = XmpCodec(), 0, 0, []
    for path in sorted(folder.glob("*/*.xmp")):
        try:
            fields = codec.read(path.read_bytes(), path).fields
        except PacketRefused:
            continue
        flat, paths = next(iter(read[path].values())) if path in read else ((), ())
        mine = fields.flat or (), fields.hierarchical or ()
        if [sorted(filter(None, each)) for each in mine] == [
            sorted(filter(None, each)) for each in (flat, paths)
        ]:
            same += 1
        elif path.parent.name in explained:
            known += 1
        else:
            different.append(f"{path.parent.name}/{path.name}")
    return same, known, different


def main() -> None:
    """Measure."""
    odd = "--odd" in sys.argv
    if odd:
        sys.argv.remove("--odd")
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    needs("exiftool")
    from material import library_sidecars, sidecars  # numpy and Pillow: not in the contenders

    same, known, different = golden()
    if different:
        raise SystemExit(f"unlike exiftool, and for no known reason: {', '.join(different)}")
    print(f"golden corpus: {same} packets read alike, {known} not, each for a reason that")
    print("tests/golden/exiftool_differs.json gives")
    with scratch("read") as folder:
        folder = folder / "sidecars"
        folder.mkdir()
        (sidecars if odd else library_sidecars)(folder, number)
        me = [sys.executable, str(Path(__file__).with_name("reading.py"))]
        empty = folder.parent / "empty"
        empty.mkdir()
        found = in_turn(
            {
                "open and read": [*me, "floor", folder],
                "urbexmp": [*me, "ours", folder],
                "start of ours": [*me, "ours", empty],
                "start of the floor": [*me, "floor", empty],
                "exiftool -r -j": [*EXIFTOOL, folder],
            },
            rounds,
        )
        ours_said = timing.run([*me, "ours", folder, "digest"]).output.decode().strip()
        if digest(theirs(found["exiftool -r -j"].output)) != ours_said:
            raise SystemExit("urbexmp and exiftool read different keywords; no figures")
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


if __name__ == "__main__":
    main()
