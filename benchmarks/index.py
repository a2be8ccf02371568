"""The first index of Lightroom sidecars, beside `exiftool -j | sqlite-utils insert` (goal 2).

    python benchmarks/index.py [SIDECARS] [ROUNDS] [--odd]

Ours: list, stat, read each sidecar, and put photos, keywords as a tree, links and full-text index
into the mirror. Theirs: the two keyword fields as JSON into one table, without an index. The photos
themselves are not opened by either. Without sqlite-utils, exiftool alone is compared with.

The keywords are those of a library: a vocabulary of 3,000 terms in a tree, used as unevenly as
words are, some eight a photo, photos of one visit sharing four. Always the same. A keyword is
worked out once and then known, so sidecars in which nearly every keyword is new, as in no library,
take longer; `--odd` measures those.

There are no figures unless every photo's keywords in the mirror are those that exiftool reads.
"""

from __future__ import annotations

import gc
import json
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import timing
from timing import Goal, goals, in_turn, machine, needs, scratch, table

BATCH = 200
"""Rows that are put together: of many more, what was just made is no longer at hand."""
EXIFTOOL = "exiftool -q -r -j -XMP-dc:Subject -XMP-lr:HierarchicalSubject"


def ours(folder: Path, mirror: Path) -> None:
    """Everything from the listing to the finished mirror."""
    # As the command starts: what is imported stays, and need not be looked through for garbage.
    gc.disable()
    from urbexmp.adapters.db.mirror import SqliteMirror
    from urbexmp.adapters.walk import FolderWalker
    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.adapters.xmp.sidecar import SidecarStore
    from urbexmp.model.observation import CaptureFacts
    from urbexmp.model.photo import Carrier, CarrierKind, FileKind, fingerprint_of
    from urbexmp.rules.mirrored import mirror_row

    gc.freeze()
    gc.enable()
    codec, store, facts = XmpCodec(), SidecarStore(), CaptureFacts()
    with SqliteMirror(mirror) as stored, stored.anew() as new:
        for listing in FolderWalker().folders((folder,)):
            rows, inside = [], listing.folder.relative_to(folder)
            for name, stat in listing.sidecars.items():
                path = listing.folder / name
                packet = store.read(Carrier(CarrierKind.SIDECAR, path))
                assert packet is not None
                reading = codec.read(packet, path)
                photo = inside / f"{path.stem}.NEF"
                version = fingerprint_of(packet)
                told = {"status": "completed", "version": version}
                kind = FileKind.RAW
                rows.append(
                    mirror_row(photo, version, kind, stat, [reading], [], facts, None, **told)
                )
                if len(rows) == BATCH:
                    new.put(rows)
                    rows.clear()
            new.put(rows)


def stored(mirror: Path) -> Mapping[str, list[str]]:
    """Keywords by photo, as the mirror has them."""
    with closing(sqlite3.connect(mirror)) as connection:
        rows = connection.execute("SELECT name, keywords FROM photos").fetchall()
    return {Path(name).stem: sorted(json.loads(keywords)) for name, keywords in rows}


def read(said: bytes) -> Mapping[str, list[str]]:
    """Keywords by photo, as exiftool prints them, or `sqlite-utils rows` what was inserted."""

    def listed(value: object) -> list[str]:
        if isinstance(value, str) and value.startswith("["):  # as a column has a list
            value = json.loads(value)
        return sorted(map(str, value if isinstance(value, list) else [value]))

    return {
        Path(each["SourceFile"]).stem: listed(each.get("HierarchicalSubject") or [])
        for each in json.loads(said)
    }


def main() -> None:
    """Measure; or, started by itself, be a contender."""
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    odd = "--odd" in sys.argv
    if odd:
        sys.argv.remove("--odd")
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    needs("exiftool")
    from material import library_sidecars, sidecars  # numpy and Pillow: not in the contenders

    tool = timing.tool("sqlite-utils")
    with scratch("index") as folder:
        given = folder / "given"
        given.mkdir()
        (folder / "nothing").mkdir()
        (sidecars if odd else library_sidecars)(given, number)
        into = f" | {tool} insert {folder}/theirs.db files -" if tool else " > /dev/null"
        theirs = ["/bin/sh", "-c", f"{EXIFTOOL} {given}{into}"]

        def fresh(name: str) -> None:
            made = {"urbexmp": "mirror*", "start": "m0*", "theirs": "theirs.db"}[name]
            for path in folder.glob(made):
                path.unlink()

        ours_command = [sys.executable, __file__, "--ours", given, folder / "mirror.sqlite3"]
        found = in_turn(
            {
                "urbexmp": ours_command,
                "start": [sys.executable, __file__, "--ours", folder / "nothing", folder / "m0"],
                "theirs": theirs,
            },
            rounds,
            before=fresh,
        )
        listed = ["/bin/sh", "-c", f"{tool} rows {folder}/theirs.db files"]
        said = timing.run(listed if tool else [*EXIFTOOL.split(), given]).output
        if stored(folder / "mirror.sqlite3") != read(said):
            raise SystemExit("the mirror and exiftool have different keywords; no figures")
        mine, theirs_cpu = found["urbexmp"].median, found["theirs"].median
        work = mine - found["start"].median
        name = "exiftool -j into sqlite-utils insert" if tool else "exiftool -j (no sqlite-utils)"
        kind = "nearly all keywords new" if odd else "a vocabulary of 3,000 keywords"
        print(f"{number} sidecars, {kind}; {machine()}")
        table(
            "First index",
            ("", "CPU us a photo", "photos a core-second", f"{name} / this"),
            [
                (
                    each,
                    f"{1e6 * cpu / number:.0f}",
                    f"{number / cpu:,.0f}",
                    f"{theirs_cpu / cpu:.1f}",
                )
                for each, cpu in (
                    ("urbexmp, whole process", mine),
                    ("urbexmp, without its start", work),
                    (name, theirs_cpu),
                )
            ],
        )
        goals(
            [
                Goal(f"2: first index, {name} / ours", theirs_cpu / mine, 60),
                Goal("2: photos a core-second", number / mine, 12_000, True, ""),
            ]
        )


if __name__ == "__main__":
    main()
