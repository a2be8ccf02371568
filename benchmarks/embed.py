"""Keywords inside 24-megapixel JPEGs: ours against exiftool and pyexiv2 (goal 5), and reading them.

    python benchmarks/embed.py [JPEGS] [ROUNDS] [FOLDER]

Ours is the applier as `sync` uses it: envelope, edit, proof, ledger, backup of the packet, the
file written anew beside itself, every byte compared, synced, renamed. exiftool
(`-overwrite_original`) writes a new file and renames it, without a sync, a proof or a backup;
pyexiv2 writes over the original, which a kill cuts short. What ours and exiftool wrote is
compared, keyword by keyword. Of each the time over a single file is taken off, so that starting is
left out on all sides alike.

FOLDER is where the files lie. Without it they lie in the temporary folder, and once more on an XFS
that shares blocks, made in a file, where this machine allows mounting it. Calls that ask the disk
to settle are counted by `strace`, where that is installed.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from timing import Goal, goals, in_turn, machine, needs, run, scratch, table

PATHS = tuple(f"Urbex|Benchmark|Branch {n}|Leaf {n}" for n in range(6))
FLATS = ("Urbex", "Benchmark", *(f"Branch {n}" for n in range(4)), *(f"Leaf {n}" for n in range(4)))
PASSES = 200
WIDTH, HEIGHT = 6000, 4000
XMP = b"http://ns.adobe.com/xap/1.0/\0"


def ours(folder: Path, state: Path) -> None:
    """Carry prepared changes out, in batches of 200."""
    from urbexmp.adapters.backups import FolderBackups
    from urbexmp.adapters.clock import SystemClock
    from urbexmp.adapters.db.ledger import SqliteLedger
    from urbexmp.adapters.files.volume import sync_volume
    from urbexmp.model import change as changes
    from urbexmp.model import photo as photos
    from urbexmp.model.profile import Profile
    from urbexmp.pipeline.applier import Applier
    from urbexmp.wiring import open_carriers

    store, codec = open_carriers(Profile())
    clock = SystemClock()
    state.mkdir()
    work = []
    for number, path in enumerate(sorted(folder.iterdir())):
        carrier = photos.Carrier(photos.CarrierKind.EMBEDDED, path)
        packet = store.read(carrier)
        edit = changes.PacketEdit(FLATS, (), PATHS)
        stat = photos.FileStat(1, 1, number)
        photo = photos.Photo(path, photos.FileKind.JPEG, stat, (), (carrier,))
        write = changes.CarrierWrite(carrier, photos.fingerprint_of(packet), edit)
        work.append(
            changes.Change(
                photo,
                photos.PhotoId(f"{number:064x}"),
                "offline",
                changes.MergeBase(),
                changes.MergeBase(mark=f"m{number}"),
                writes=(write,),
                mark=f"m{number}",
            )
        )
    with SqliteLedger(state / "ledger.sqlite3") as ledger:
        backups = FolderBackups(state / "backups", sync_volume)
        applier = Applier(store, codec, ledger, backups, clock)
        for outcome in applier.apply_batch(work, "r1"):
            assert isinstance(outcome, changes.Receipt), outcome


def pyexiv2(folder: Path) -> None:
    """The whole lists, as it has no way to add to one."""
    import pyexiv2

    pyexiv2.set_log_level(4)
    for path in sorted(folder.iterdir()):
        with pyexiv2.Image(str(path)) as image:
            image.modify_xmp(
                {"Xmp.dc.subject": list(FLATS), "Xmp.lr.hierarchicalSubject": list(PATHS)}
            )


def floor(folder: Path) -> None:
    """The same bytes again, through a temporary file and a rename; nothing forced to disk."""
    for path in sorted(folder.iterdir()):
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(path.read_bytes())
        temporary.replace(path)


def read(folder: Path) -> None:
    """Read the keywords of all files many times over; print the CPU seconds of one pass."""
    from urbexmp.model.keyword import KeywordFields
    from urbexmp.model.photo import Carrier, CarrierKind
    from urbexmp.model.profile import Profile
    from urbexmp.wiring import open_carriers

    store, codec = open_carriers(Profile())
    carriers = [Carrier(CarrierKind.EMBEDDED, path) for path in sorted(folder.iterdir())]
    found = [KeywordFields()] * len(carriers)
    took = []
    for _ in range(PASSES):
        began = time.process_time()
        for number, carrier in enumerate(carriers):
            packet = store.read(carrier)
            assert packet is not None
            found[number] = codec.read(packet, carrier.path).fields
        took.append(time.process_time() - began)
    # Another guest of this machine may slow down a part of the passes.
    used = statistics.median(took)
    told = {
        carrier.path.name: (sorted(fields.flat or ()), sorted(fields.hierarchical or ()))
        for carrier, fields in zip(carriers, found, strict=True)
    }
    print(json.dumps([used, told]))


def keywords_of(folder: Path) -> dict[str, tuple[list[str], list[str]]]:
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


def jpegs(folder: Path, number: int) -> None:
    """Photographs of 7 MB with a packet of 10 KB, 2 KB of it padding.

    A series: names, ids, times, settings and keywords differ from one to the next.
    """
    import io

    from material import SHOT, scene  # isort: skip  (makes the next one importable)
    from lightroom import Edited, lightroom
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(scene(WIDTH, HEIGHT, 3)).save(stream, "JPEG", quality=88)
    picture = stream.getvalue()
    start = picture.index(b"\xff\xdb")
    head = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'.encode()
    blanks = b"\n" + (b" " * 99 + b"\n") * 20
    for n in range(number):
        edited = Edited(
            tuple(f"Archive|Word {word}" for word in range(n % 5, 8 + n % 3)),
            exposure=f"{n % 7 - 3:+}.{n % 100:02}",
            saved=f"2024-05-19T21:{n % 60:02}:08+02:00",
            mask=True,
        )
        sidecar = lightroom(f"_DSC{n:05}.NEF", SHOT, (WIDTH, HEIGHT), edited)
        packet = head + sidecar + blanks + b'<?xpacket end="w"?>'
        segment = XMP + packet
        comment = f"photo {n} ".encode() * (1 + n % 7)
        data = b"".join(
            (
                b"\xff\xd8",
                b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment,
                b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment,
                picture[start:],
            )
        )
        (folder / f"_DSC{n:05}.JPG").write_bytes(data)


def large_tiff(path: Path, megabytes: int) -> None:
    """A TIFF without a packet, of so many megabytes; written a piece at a time."""
    width, rows = 8192, megabytes * 2**20 // (8192 * 3)
    entries = (
        (256, 4, 1, width), (257, 4, 1, rows), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 4096), (277, 3, 1, 3), (278, 4, 1, rows), (279, 4, 1, width * rows * 3),
    )  # fmt: skip
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    with path.open("wb") as file:
        file.write(b"II*\0" + struct.pack("<I", 8) + directory)
        file.write(bytes(4096 - file.tell()))
        row = bytes(range(256)) * (width * 3 // 256)
        for _ in range(rows):
            file.write(row)


CONTENDERS = {"floor": floor, "pyexiv2": pyexiv2, "read": read}
ME: list[str | Path] = [sys.executable, str(Path(__file__))]
TOLD = {
    "floor": "read and write all bytes, no sync (floor)",
    "ours": "urbexmp: proven, backed up, synced, atomic",
    "exiftool": "exiftool -overwrite_original: no sync, atomic",
    "pyexiv2": "pyexiv2: no sync, over the original",
}


def writing(folder: Path, number: int, rounds: int, where: str, times: float = 2) -> list[Goal]:
    """Write into the JPEGs by every contender; `times` exiftool is the goal."""
    given = folder / "given"
    given.mkdir()
    jpegs(given, number)
    size = sum(path.stat().st_size for path in given.iterdir()) / number / 1e6
    copies = {f"{name}{one}": folder / f"{name}{one}" for name in TOLD for one in ("", "-1")}

    def fresh(name: str) -> None:
        for path in (copies[name], folder / f"{name}-state"):
            shutil.rmtree(path, ignore_errors=True)
        copies[name].mkdir()
        for path in sorted(given.iterdir())[: 1 if name.endswith("-1") else None]:
            shutil.copy2(path, copies[name])
        os.sync()

    added = [f"-XMP-dc:Subject+={word}" for word in FLATS]
    added += [f"-XMP-lr:HierarchicalSubject+={path}" for path in PATHS]
    commands: dict[str, list[str | Path]] = {}
    for one in ("", "-1"):
        at = {name: copies[f"{name}{one}"] for name in TOLD}
        commands |= {
            f"floor{one}": [*ME, "--floor", at["floor"]],
            f"ours{one}": [*ME, "--ours", at["ours"], folder / f"ours{one}-state"],
            f"exiftool{one}": ["exiftool", "-q", "-overwrite_original", *added, at["exiftool"]],
            f"pyexiv2{one}": [*ME, "--pyexiv2", at["pyexiv2"]],
        }
    found = in_turn(commands, rounds, before=fresh)
    if keywords_of(copies["ours"]) != keywords_of(copies["exiftool"]):
        raise SystemExit("urbexmp and exiftool wrote different keywords; no figures")
    each = 1e3 / number
    net = {
        name: (found[name].median - found[f"{name}-1"].median) * number / (number - 1)
        for name in TOLD
    }
    kind = filesystem(given)
    print(f"\n{number} JPEGs of {size:.1f} MB on {kind}; {machine()}")
    table(
        f"Writing 10 words and 6 paths into each, without starting ({kind}{where})",
        ("", "CPU ms a file", "exiftool / this", "syncs a file"),
        [
            (
                TOLD[name],
                f"{cpu * each:.2f}",
                f"{net['exiftool'] / cpu:.1f}",
                syncs(commands[name], number, lambda name=name: fresh(name)),
            )
            for name, cpu in net.items()
        ],
    )
    place = f" on {kind}{where}"
    made = [
        Goal(f"5: atomic JPEG write{place}, exiftool / ours", net["exiftool"] / net["ours"], times)
    ]
    if times <= 2:
        ratio = net["pyexiv2"] / net["ours"]
        made.append(Goal(f"5: atomic JPEG write{place}, pyexiv2 / ours", ratio, 1.8))
    return made


def syncs(command: list[str | Path], number: int, before: Callable[[], None]) -> str:
    """Calls that make the disk settle, a file; `?` where they cannot be counted."""
    if shutil.which("strace") is None:
        return "?"
    before()
    with tempfile.NamedTemporaryFile("r") as told:
        names = "fsync,fdatasync,syncfs,sync,sync_file_range,msync"
        run(["strace", "-f", "-qq", "-e", f"trace={names}", "-o", told.name, *command])
        return f"{sum('sync' in line for line in told) / number:.2f}"


def reading(folder: Path, rounds: int) -> list[Goal]:
    """Read the keywords of the same JPEGs."""
    given = folder / "given"
    number = sum(1 for _ in given.iterdir())
    found = in_turn(
        {
            "ours": [*ME, "--read", given],
            "exiftool": ["exiftool", "-q", "-fast2", "-j", "-XMP-dc:Subject",
                         "-XMP-lr:HierarchicalSubject", *[given] * 5],
            "start": ["exiftool", "-ver"],
        },
        rounds,
    )  # fmt: skip
    one_pass, told_by_us = json.loads(found["ours"].output)
    if {name: tuple(both) for name, both in told_by_us.items()} != keywords_of(given):
        raise SystemExit("urbexmp and exiftool read different keywords; no figures")
    theirs = (found["exiftool"].median - found["start"].median) / 5
    each = 1e3 / number
    table(
        "Reading their keywords, without starting",
        ("", "CPU ms a file", "exiftool / this"),
        [
            ("urbexmp", f"{one_pass * each:.3f}", f"{theirs / one_pass:.0f}"),
            ("exiftool -fast2", f"{theirs * each:.3f}", "1"),
        ],
    )
    return [Goal("reading keywords of JPEGs, exiftool / ours", theirs / one_pass, 200)]


def memory(folder: Path) -> list[Goal]:
    """Peak memory of writes into one JPEG, a small TIFF and a large one."""
    one = folder / "one"
    one.mkdir()
    shutil.copy2(min((folder / "given").iterdir()), one)
    base = run([*ME, "--ours", one, folder / "one-state"]).peak_mb
    peaks = {}
    for megabytes in (20, 500):
        tiffs = folder / f"tiff-{megabytes}"
        tiffs.mkdir()
        large_tiff(tiffs / "scan.tif", megabytes)
        peaks[megabytes] = run([*ME, "--ours", tiffs, folder / f"tiff-{megabytes}-state"]).peak_mb
        shutil.rmtree(tiffs)
    rows = [("one JPEG", f"{base:.0f}")]
    rows += [(f"a TIFF of {size} MB", f"{peak:.0f}") for size, peak in peaks.items()]
    table("Peak memory of a write", ("", "MB"), rows)
    return [
        Goal("memory of a 500 MB TIFF above one JPEG", peaks[500] - base, 100, False, " MB"),
        Goal("memory of 500 MB above that of 20 MB", peaks[500] - peaks[20], 10, False, " MB"),
    ]


def filesystem(path: Path) -> str:
    """Its name, as `df` knows it."""
    told = subprocess.run(["df", "--output=fstype", path], capture_output=True, text=True)
    return told.stdout.split()[-1] if told.returncode == 0 else "its volume"


@contextmanager
def shared_volume(folder: Path) -> Iterator[Path | None]:
    """An XFS that shares blocks, in a file; None where that cannot be made or mounted."""
    image, place = folder / "volume", folder / "mounted"
    place.mkdir()
    mounted = False
    if shutil.which("mkfs.xfs") and os.geteuid() == 0:
        with image.open("wb") as file:
            file.truncate(3 * 2**30)
        mounted = all(
            subprocess.run(command, capture_output=True).returncode == 0
            for command in (
                ["mkfs.xfs", "-q", "-m", "reflink=1", image],
                ["mount", "-o", "loop", image, place],
            )
        )
    if not mounted:
        print("\nNo XFS could be made and mounted here: sharing blocks was not measured.")
    try:
        yield place if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", place], check=True)
        image.unlink(missing_ok=True)


def main() -> None:
    """Measure; or, started by itself, be one of the contenders."""
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    if sys.argv[1:2] and sys.argv[1].startswith("--"):
        CONTENDERS[sys.argv[1][2:]](Path(sys.argv[2]))
        return
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    needs("exiftool")
    if len(sys.argv) > 3:
        os.environ["TMPDIR"] = sys.argv[3]
    with scratch("embed") as folder:
        measured = writing(folder, number, rounds, "")
        measured += reading(folder, rounds)
        measured += memory(folder)
        if len(sys.argv) <= 3:
            with shared_volume(folder) as volume:
                if volume is not None:
                    measured += writing(volume, number, rounds, ", sharing blocks", times=15)
    goals(measured)


if __name__ == "__main__":
    main()
