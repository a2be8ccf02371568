"""Make the mirror of a library of a million photos, for benchmarks and for looking at.

    python benchmarks/million.py FILE [PHOTOS]

The same numbers give the same library: everything follows from `SEED`. Like a real archive:

- 20,000 keywords in a tree of up to six levels, below eleven roots;
- some 12,000 folders, one for each visit to a place, in folders by year. Photos of one folder
  share a few keywords; the others are drawn so that few keywords have many photos and many have
  few (Zipf): with a million photos some 8.2 million links;
- a third of the links are a person's, the others ours, with score, stage and time;
- cameras, lenses, dates, views, scores, places, descriptions, text read and vetoes as they come.

It says nothing about pictures: there are no files behind it.
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from urbexmp.adapters.db.mirror import SqliteMirror  # noqa: E402
from urbexmp.model.keyword import Keyword  # noqa: E402
from urbexmp.model.mirror import MirrorKeyword, MirrorRow  # noqa: E402
from urbexmp.model.observation import CaptureFacts, Context  # noqa: E402
from urbexmp.model.photo import FileKind, FileStat  # noqa: E402

SEED = 20_240_511
KEYWORDS = 20_000
LEVELS = 6
PHOTOS = 1_000_000
FOLDER_SIZES = (20, 146)
BATCH = 1000

_STARTS = tuple("b br c ch d dr f fl g gr h j k l m n p pr qu r s sh st t tr v w".split(" "))  # noqa: SIM905
_VOWELS = tuple("a e i o u ai ea ou".split(" "))  # noqa: SIM905
_ENDS = tuple("b ck d ft g l ll m n nd ng p r rk s st t th x".split(" "))  # noqa: SIM905
ROOTS = (
    "Urbex", "Nature", "People", "Light", "Weather", "Detail", "Art", "Industry", "Travel", "Mood",
    "Archive",
)  # fmt: skip
_CAMERAS = (
    ("NIKON CORPORATION", "NIKON Z 6_2", ("NIKKOR Z 14-30mm f/4 S", "NIKKOR Z 24-70mm f/4 S")),
    ("NIKON CORPORATION", "NIKON D750", ("14.0-24.0 mm f/2.8", "50.0 mm f/1.8")),
    ("Canon", "Canon EOS 5D Mark IV", ("EF16-35mm f/4L IS USM", "EF24-105mm f/4L IS USM")),
    ("Canon", "Canon EOS R6", ("RF15-35mm F2.8 L IS USM",)),
    ("SONY", "ILCE-7RM4", ("FE 16-35mm F2.8 GM", "FE 55mm F1.8 ZA")),
    ("FUJIFILM", "X-T4", ("XF10-24mmF4 R OIS",)),
    ("DJI", "FC3582", ("24.0 mm f/1.7",)),
    ("Apple", "iPhone 13 Pro", ("iPhone 13 Pro back triple camera 5.7mm f/1.5",)),
)
_VIEWS = ("interior", "exterior", "detail", "aerial")
_ERAS = ("pre-1900", "1900s", "1930s", "1950s", "1970s")
_STAGES = (("camera", "1f2e3d4c"), ("pixels", "9a8b7c6d"), ("place", "5e4f3a2b"))
_COUNTRIES = (("Pennsylvania", "USA"), ("Ohio", "USA"), ("Sachsen", "Germany"), ("Kent", "UK"))


def word(chance: random.Random) -> str:
    """A name that can be spoken."""
    syllables = chance.choice((1, 2, 2, 3))
    made = "".join(chance.choice(_STARTS) + chance.choice(_VOWELS) for _ in range(syllables))
    return (made + chance.choice(_ENDS)).capitalize()


def keyword_tree(chance: random.Random, number: int = KEYWORDS) -> list[Keyword]:
    """The keywords, every parent before its children; some names have two words."""
    paths: list[tuple[str, ...]] = [(root,) for root in ROOTS]
    taken = {tuple(name.lower() for name in path) for path in paths}
    while len(paths) < number:
        parent = paths[int(len(paths) * chance.random() ** 1.5)]
        if len(parent) == LEVELS:
            continue
        name = word(chance) if chance.random() < 0.8 else f"{word(chance)} {word(chance).lower()}"
        path = (*parent, name)
        key = tuple(part.lower() for part in path)
        if key not in taken:
            taken.add(key)
            paths.append(path)
    return [Keyword(path) for path in paths]


@dataclass(frozen=True)
class Library:
    """What the photos are drawn from."""

    keywords: list[Keyword]
    weights: list[float]
    """Cumulative, for drawing a keyword."""

    def draw(self, chance: random.Random, number: int) -> list[Keyword]:
        """Some keywords, the frequent ones more often."""
        top = self.weights[-1]
        return [
            self.keywords[bisect_left(self.weights, chance.random() * top)] for _ in range(number)
        ]


def library(chance: random.Random, number: int = KEYWORDS) -> Library:
    """The tree, and how often each keyword is drawn."""
    keywords = keyword_tree(chance, number)
    order = list(range(len(keywords)))
    chance.shuffle(order)
    weights = [1 / (rank + 60) ** 0.85 for rank in order]
    return Library(keywords, list(itertools.accumulate(weights)))


def photos(number: int = PHOTOS, keywords: int = KEYWORDS) -> Iterator[MirrorRow]:
    """The rows, folder by folder in the order of their paths, files by name."""
    chance = random.Random(SEED)
    drawn_from = library(chance, keywords)
    day = datetime(2006, 1, 7, 9, 30)  # noqa: DTZ001  (cameras know no time zone)
    step = timedelta(days=20 * 365 / max(1, number / 83))
    left = number
    for visit in itertools.count():
        if not left:
            return
        size = min(left, chance.randint(*FOLDER_SIZES))
        left -= size
        yield from _visit(chance, drawn_from, day + step * visit, visit, size)


def _visit(
    chance: random.Random, drawn_from: Library, when: datetime, visit: int, size: int
) -> Iterator[MirrorRow]:
    """One folder."""
    place = f"{word(chance)} {chance.choice(('Mill', 'Hospital', 'Works', 'School', 'Mine'))}"
    folder = Path(f"{when:%Y}", f"{when:%Y-%m-%d} {place} {visit}")
    state, country = chance.choice(_COUNTRIES)
    context = (
        Context(name=place, city=f"{word(chance)}ville", state=state, country=country)
        if chance.random() < 0.7
        else None
    )
    era = chance.choice(_ERAS) if chance.random() < 0.4 else None
    make, camera, lenses = chance.choice(_CAMERAS)
    shared = drawn_from.draw(chance, 4)
    at = f"{when + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
    first = chance.randrange(9000)
    for n in range(size):
        tagged = chance.random() >= 0.004
        held = {*shared, *drawn_from.draw(chance, chance.randint(2, 7))} if tagged else ()
        view = chance.choice(_VIEWS) if chance.random() < 0.8 else None
        taken = when + timedelta(seconds=40 * n)
        gps = camera in ("FC3582", "iPhone 13 Pro")
        raw = make not in ("DJI", "Apple")
        prefix = "DJI_" if make == "DJI" else "IMG_" if make in ("Apple", "Canon") else "_DSC"
        yield MirrorRow(
            path=folder / f"{prefix}{(first + n) % 10000:04}.{'NEF' if raw else 'JPG'}",
            photo_id=f"{visit:016x}{n:016x}",
            kind=FileKind.RAW if raw else FileKind.JPEG,
            stat=FileStat(20_000_000 + n, int(taken.timestamp()) * 1_000_000_000, visit * 1000 + n),
            facts=CaptureFacts(
                make=make,
                model=camera,
                lens=chance.choice(lenses),
                taken_at=f"{taken:%Y-%m-%dT%H:%M:%S}",
                width=6048,
                height=4024,
                latitude=40.0 + visit / 1000 if gps else None,
                longitude=-75.0 - visit / 1000 if gps else None,
            ),
            context=context,
            view=view,
            view_score=chance.randint(50, 99) / 100 if view else None,
            quality=float(min(100, max(0, int(chance.gauss(62, 16))))),
            condition=float(chance.randint(0, 100)) if chance.random() < 0.3 else None,
            era=era,
            status="completed",
            description=f"{word(chance)} in the {word(chance)}" if chance.random() < 0.1 else None,
            text=f"NO {word(chance)}" if chance.random() < 0.05 else None,
            keywords=tuple(_held(chance, keyword, at) for keyword in held),
            vetoed=tuple(drawn_from.draw(chance, 1)) if chance.random() < 0.01 else (),
            version=f"{visit:08x}{n:08x}",
        )


def _held(chance: random.Random, keyword: Keyword, at: str) -> MirrorKeyword:
    if chance.random() < 1 / 3:
        return MirrorKeyword(keyword, "person")
    stage, model = chance.choice(_STAGES)
    source = "ai" if chance.random() < 0.95 else "both"
    return MirrorKeyword(keyword, source, chance.randint(50, 99), stage, model, "offline", at)


def build(target: Path, number: int = PHOTOS, *, keywords: int = KEYWORDS) -> None:
    """Make the mirror as `urbexmp mirror rebuild` does, from rows instead of files."""
    with SqliteMirror(target) as mirror, mirror.anew() as new:
        rows = photos(number, keywords)
        while batch := list(itertools.islice(rows, BATCH)):
            new.put(batch)


def main() -> None:
    """Make the file."""
    target = Path(sys.argv[1])
    number = int(sys.argv[2]) if len(sys.argv) > 2 else PHOTOS
    began, used = time.perf_counter(), time.process_time()
    build(target, number)
    print(
        f"{target}: {number:,} photos, {target.stat().st_size / 1e6:,.0f} MB,"
        f" {time.process_time() - used:.0f} CPU seconds, {time.perf_counter() - began:.0f} seconds"
    )


if __name__ == "__main__":
    main()
