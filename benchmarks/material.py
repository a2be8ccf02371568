"""Made-up archives for the benchmarks: the same every time, and real in form."""

from __future__ import annotations

import os
import random
import sys
from fractions import Fraction
from pathlib import Path

from timing import REPOSITORY

sys.path[:0] = [str(REPOSITORY / "src"), str(REPOSITORY / "samples")]

from containers import (  # noqa: E402
    BYTE,
    SUB_IFDS,
    Directory,
    Shot,
    TiffWriter,
    bayer,
    describe,
    jpeg,
    jpeg_of,
    long,
    nef,
    short,
    shrink,
    strip_tags,
)
from lightroom import Edited, lightroom  # noqa: E402

LONG_AGO = 1_700_000_000
"""A time of files that nobody wrote a moment ago."""

SHOT = Shot("NIKON CORPORATION", "NIKON Z 6_2", "2024:05:11 10:02:17", Fraction(1, 15), 4.0, 800)


def sidecars(folder: Path, number: int) -> None:
    """Lightroom's sidecars of 7 to 12 KB, with different keywords in each."""
    chance = random.Random(7)
    words = [f"Word {n:03}" for n in range(400)]
    for n in range(number):
        keywords = tuple(
            "|".join(["Archive", *chance.sample(words, chance.randint(1, 3))])
            for _ in range(chance.randint(3, 14))
        )
        edited = Edited(keywords, rating=n % 6, mask=n % 3 == 0, crop=n % 4 == 0)
        name = f"_DSC{n:05}.NEF"
        (folder / name).with_suffix(".xmp").write_bytes(lightroom(name, SHOT, (6048, 4024), edited))


def library_sidecars(folder: Path, number: int, keywords: int = 3000) -> None:
    """Lightroom's sidecars with the keywords of a real library: one vocabulary, used unevenly.

    The vocabulary is a tree of `keywords` terms of up to six levels; few have many photos and many
    have few (Zipf), as in `million.py`, where 8.2 million links at a million photos are 8 a photo.
    Photos of one visit, some 83 in a row, share four of them. The same every time.
    """
    from million import FOLDER_SIZES, library

    chance = random.Random(11)
    drawn_from = library(chance, keywords)
    left, shared = 0, []
    for n in range(number):
        if not left:
            left, shared = chance.randint(*FOLDER_SIZES), drawn_from.draw(chance, 4)
        left -= 1
        held = dict.fromkeys([*shared, *drawn_from.draw(chance, chance.randint(2, 7))])
        said = tuple(str(each) for each in held)
        edited = Edited(said, rating=n % 6, mask=n % 3 == 0, crop=n % 4 == 0)
        name = f"_DSC{n:05}.NEF"
        (folder / name).with_suffix(".xmp").write_bytes(lightroom(name, SHOT, (6048, 4024), edited))


def archive(root: Path, photos: int, each: int = 200, *, linked: bool = False) -> None:
    """Folders with raw files and sidecars that hold next to nothing: for listing only.

    `linked`: those of one folder are names of one file, made in a tenth of the time.
    """
    for start in range(0, photos, each):
        folder = root / f"{2000 + start // (each * 25)}" / f"place-{start // each:04}"
        folder.mkdir(parents=True)
        for n in range(start, min(start + each, photos)):
            for extension, content in (("NEF", b"II*\0"), ("xmp", b"<x/>")):
                path = folder / f"_DSC{n:06}.{extension}"
                if linked and n > start:
                    path.hardlink_to(folder / f"_DSC{start:06}.{extension}")
                    continue
                path.write_bytes(content + str(n).encode())
                os.utime(path, (LONG_AGO, LONG_AGO))


def scene(width: int, height: int, seed: int):  # type: ignore[no-untyped-def]
    """A picture with edges, surfaces and grain, so that it packs as a photograph does."""
    import numpy as np

    chance = np.random.default_rng(seed)
    small = chance.uniform(0, 255, (height // 64 + 2, width // 64 + 2, 3))
    coarse = np.kron(small, np.ones((64, 64, 1)))[:height, :width]
    ramp = np.linspace(0.4, 1.0, width)[None, :, None]
    grain = chance.normal(0, 9, (height, width, 1))
    return np.clip(coarse * ramp + grain, 0, 255).astype(np.uint8)


def photo(path: Path, seed: int, width: int = 6000, height: int = 4000) -> None:
    """A JPEG as cameras make them: 24 megapixels, some megabytes, EXIF."""
    path.write_bytes(jpeg(scene(width, height, seed), SHOT, None))


def raw(path: Path, seed: int) -> None:
    """A raw file in Nikon's layout with a preview of 1620 x 1080."""
    path.write_bytes(nef(scene(1620, 1080, seed), SHOT))


def dng(path: Path, seed: int) -> None:
    """A DNG as Adobe's converter and cameras write it: a small RGB picture first; below it the
    sensor data, a preview of 1024 x 683 (190 KB), and one of 6000 x 4000."""
    full = scene(6000, 4000, seed)
    small = shrink(full, 24)[:166]
    height, width = small.shape[:2]
    first = describe(SHOT)
    first.tags |= {0xFE: long(1), 0xC612: (BYTE, b"\1\4\0\0"), 0xC613: (BYTE, b"\1\3\0\0")}
    first.tags |= strip_tags(width, height, bits=(8, 8, 8), photometric=2, compression=1)
    first.data = small.tobytes()
    previews = []
    for pixels, quality in ((scene(1024, 683, seed), 85), (full, 70)):
        height, width = pixels.shape[:2]
        tags = {0xFE: long(1), 0x212: short(2, 2), 0x213: short(2)}
        tags |= strip_tags(width, height, bits=(8, 8, 8), photometric=6, compression=7)
        previews.append(Directory(tags, data=jpeg_of(pixels, quality)))
    first.below[SUB_IFDS] = [bayer(full), *previews]
    path.write_bytes(TiffWriter().write([first]))
