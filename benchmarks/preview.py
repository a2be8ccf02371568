"""Decode previews of JPEGs and raw files, beside Pillow, simplejpeg and exiftool (goal 10).

    python benchmarks/preview.py [PICTURES] [ROUNDS]

simplejpeg is compared with where it is installed.
"""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from material import photo, raw
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
        raws = [folder / f"{n}.nef" for n in range(number)]
        for n in range(number):
            photo(jpegs[n], n)
            raw(raws[n], n)
        size = sum(path.stat().st_size for path in jpegs) / number / 1e6
        works: dict[str, list[Callable[[], object]]] = {
            "urbexmp": [ours(path, "jpeg") for path in jpegs],
            "Pillow, all of it": [lambda path=path: pillow(path) for path in jpegs],  # type: ignore[misc]
        }
        if find_spec("simplejpeg"):
            works["simplejpeg"] = [lambda path=path: simplejpeg(path) for path in jpegs]  # type: ignore[misc]
        found = timed(works, rounds)
        from_raw = timed(
            {
                "urbexmp": [ours(path, "raw") for path in raws],
                "exiftool and Pillow": [lambda path=path: exiftool(path) for path in raws],  # type: ignore[misc]
            },
            rounds,
        )
        print(f"JPEGs of 24 megapixels, {size:.1f} MB, and raw files with a preview; {machine()}")
        table(
            f"A preview of {SIDE} pixels",
            ("", "CPU ms", "this / urbexmp"),
            [(name, f"{ms:.1f}", f"{ms / found['urbexmp']:.2f}") for name, ms in found.items()],
        )
        table(
            f"The same of a raw file ({time.perf_counter() - began:.0f} s in all)",
            ("", "CPU ms", "this / urbexmp"),
            [
                (name, f"{ms:.1f}", f"{ms / from_raw['urbexmp']:.2f}")
                for name, ms in from_raw.items()
            ],
        )
        met = [
            Goal(
                "10: JPEG, Pillow's full decode / ours",
                found["Pillow, all of it"] / found["urbexmp"],
                3,
            ),
            Goal("10: raw", from_raw["urbexmp"], 5, False, " ms"),
            Goal(
                "10: raw, exiftool / ours",
                from_raw["exiftool and Pillow"] / from_raw["urbexmp"],
                20,
            ),
        ]
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
