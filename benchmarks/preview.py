"""Decode previews of JPEGs and raw files, beside Pillow, simplejpeg and exiftool (goal 10).

    python benchmarks/preview.py [PICTURES] [ROUNDS]

simplejpeg is compared with where it is installed. The goal for raw files was set on a DNG with a
preview of 1024 pixels; a NEF of 1620 pixels is held to the same.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from material import dng, photo, raw
from timing import Goal, goals, machine, needs, scratch, table

SIDE = 384


def ours(path: Path, kind: str) -> Callable[[], object]:
    """The preview as stages get it."""
    from urbexmp.adapters.inspect import FileInspector
    from urbexmp.model.photo import FileKind, FileStat, Photo

    inspector = FileInspector()
    taken = Photo(path, FileKind(kind), FileStat(0, 0, 0), (), ())
    return lambda: inspector.preview(taken, SIDE)


def pillow(path: Path) -> None:
    """Decode all of it, then shrink."""
    from PIL import Image

    with Image.open(path) as image:
        image.convert("RGB").resize((SIDE, SIDE * image.height // image.width))


def simplejpeg(path: Path) -> None:
    """The fastest decoder measured: libjpeg-turbo at an eighth, then Pillow shrinks."""
    import simplejpeg as decoder  # type: ignore[import-not-found]
    from PIL import Image

    pixels = decoder.decode_jpeg(path.read_bytes(), min_width=SIDE, min_height=SIDE * 2 // 3)
    Image.fromarray(pixels).resize((SIDE, SIDE * 2 // 3))


def exiftool(path: Path) -> None:
    """Extract the preview, and decode it."""
    from PIL import Image

    said = subprocess.run(
        ["exiftool", "-b", "-PreviewImage", path], capture_output=True, check=True
    )
    found = (
        said.stdout
        or subprocess.run(
            ["exiftool", "-b", "-JpgFromRaw", path], capture_output=True, check=True
        ).stdout
    )
    with Image.open(io.BytesIO(found)) as image:
        image.draft("RGB", (SIDE, SIDE))
        image.convert("RGB").resize((SIDE, SIDE * image.height // image.width))


def bytes_read(work: Callable[[], object]) -> int:
    """Bytes that are read from files meanwhile, by `os.read`: our reader uses nothing else."""
    real, counted = os.read, 0

    def counting(descriptor: int, length: int) -> bytes:
        nonlocal counted
        part = real(descriptor, length)
        counted += len(part)
        return part

    os.read = counting
    try:
        work()
    finally:
        os.read = real
    return counted


def taken_preview(path: Path) -> bytes:
    """The preview that is decoded, as it lies in the file."""
    from urbexmp.adapters.inspect import embedded, magic
    from urbexmp.adapters.inspect.reader import opened

    with opened(path) as reader:
        best = embedded.find_previews(reader, magic.sniff(reader), SIDE).best(SIDE)
        assert best is not None
        return reader.at(best.offset, best.length)


def floor(data: bytes) -> None:
    """Decode and shrink with Pillow what we decode, from memory: nothing is found or read."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (SIDE, -(-SIDE * image.height // image.width)))
        image.load()
        size = SIDE, round(SIDE * image.height / image.width)
        image.resize(size, Image.Resampling.BICUBIC).tobytes()


def cpu() -> float:
    """CPU seconds of this process and its children."""
    import resource

    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def timed(works: dict[str, list[Callable[[], object]]], rounds: int) -> dict[str, float]:
    """Median CPU milliseconds a picture, in turn."""
    kept: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, each in works.items():
            for work in each:
                began = cpu()
                work()
                if number:
                    kept[name].append(1e3 * (cpu() - began))
    return {name: median(times) for name, times in kept.items()}


def main() -> None:
    """Measure."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    needs("exiftool")
    began = time.perf_counter()
    with scratch("preview") as folder:
        jpegs = [folder / f"{n}.jpg" for n in range(number)]
        dngs = [folder / f"{n}.dng" for n in range(number)]
        raws = [folder / f"{n}.nef" for n in range(number)]
        for n in range(number):
            photo(jpegs[n], n)
            dng(dngs[n], n)
            raw(raws[n], n)
        size = sum(path.stat().st_size for path in jpegs) / number / 1e6
        works: dict[str, list[Callable[[], object]]] = {
            "urbexmp": [ours(path, "jpeg") for path in jpegs],
            "Pillow, all of it": [lambda path=path: pillow(path) for path in jpegs],  # type: ignore[misc]
        }
        if find_spec("simplejpeg"):
            works["simplejpeg"] = [lambda path=path: simplejpeg(path) for path in jpegs]  # type: ignore[misc]
        found = timed(works, rounds)
        kinds = {"a DNG, 1024 pixels": (dngs, "dng"), "a NEF, 1620 pixels": (raws, "raw")}
        # Apart: after a process that filled the processor's caches, a picture takes longer.
        from_raw = timed(
            {name: [ours(path, kind) for path in paths] for name, (paths, kind) in kinds.items()}
            | {
                f"{name}: floor": [partial(floor, taken_preview(path)) for path in paths]
                for name, (paths, _) in kinds.items()
            },
            rounds * 4,
        )
        theirs_raw = timed(
            {
                name: [lambda path=path: exiftool(path) for path in paths]  # type: ignore[misc]
                for name, (paths, _) in kinds.items()
            },
            rounds,
        )
        print(f"JPEGs of 24 megapixels, {size:.1f} MB, and raw files with a preview; {machine()}")
        table(
            f"A preview of {SIDE} pixels",
            ("", "CPU ms", "this / urbexmp"),
            [(name, f"{ms:.1f}", f"{ms / found['urbexmp']:.2f}") for name, ms in found.items()],
        )
        rows, met = [], []
        for named, (paths, kind) in kinds.items():
            ms, theirs = from_raw[named], theirs_raw[named]
            held = median(len(taken_preview(path)) for path in paths)
            beside = max(bytes_read(ours(path, kind)) - len(taken_preview(path)) for path in paths)
            cells = (f"{held / 1e3:,.0f} KB", f"{beside / 1024:.0f} KiB")
            least = from_raw[f"{named}: floor"]
            times = (f"{ms:.1f}", f"{least:.1f}", f"{theirs:.1f}", f"{theirs / ms:.1f}")
            rows.append((named, *cells, *times))
            met += [
                Goal(f"10: raw, {named}", ms, 5, False, " ms"),
                Goal(f"10: raw, {named}, exiftool / ours", theirs / ms, 20),
                Goal(f"10: raw, {named}, read beside it", beside / 1024, 128, False, " KiB"),
            ]
        table(
            f"The same of a raw file ({time.perf_counter() - began:.0f} s in all)",
            (
                *("", "preview", "read beside it", "CPU ms", "Pillow alone (floor)"),
                *("exiftool and Pillow", "/ urbexmp"),
            ),
            rows,
        )
        met.insert(
            0,
            Goal(
                "10: JPEG, Pillow's full decode / ours",
                found["Pillow, all of it"] / found["urbexmp"],
                3,
            ),
        )
        if "simplejpeg" in found:
            met.append(
                Goal(
                    "10: JPEG, ours / simplejpeg",
                    found["urbexmp"] / found["simplejpeg"],
                    1.1,
                    False,
                )
            )
        goals(met)


if __name__ == "__main__":
    main()
