"""RAW+JPEG pairs, with exiftool in the part of Lightroom editing either side between runs.

`URBEXMP_LAWS=deep` takes 300 pairs.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from laws.effort import DEEP
from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run
from urbexmp.model.photo import Carrier, CarrierKind
from urbexmp.model.profile import Profile
from urbexmp.rules.fields import found_keywords
from urbexmp.wiring import open_carriers

pytestmark = [
    pytest.mark.usefixtures("clean_home"),
    pytest.mark.skipif(
        not shutil.which("exiftool") and not os.environ.get("CI"),
        reason="exiftool is not installed",
    ),
]

PAIRS = 300 if os.environ.get("URBEXMP_LAWS") == "deep" else 300 // DEEP
ROUNDS = 4
OWN = ("Mine|Attic", "Mine|Cellar", "People|Mara", "Trips|2024|Spring")
FOLDERS = ("Old Hospital", "Paper Mill", "St Agnes Church")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    raw = Path(__file__).parents[2] / (
        "samples/photos/2024-05-11 Riverside Paper Mill/_DSC0413.NEF"
    )
    dice = random.Random(1)
    for number in range(PAIRS):
        folder = tmp_path / "library" / FOLDERS[number % len(FOLDERS)]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(raw, folder / f"IMG_{number:04}.NEF")
        grey = dice.randrange(40, 200)
        picture = Image.radial_gradient("L").point([min(255, (v + grey) // 2) for v in range(256)])
        picture.convert("RGB").save(folder / f"IMG_{number:04}.JPG")
    return tmp_path / "library"


def carriers(raw: Path) -> tuple[Path, Path, Path]:
    jpeg = raw.with_suffix(".JPG")
    return raw.with_suffix(".xmp"), jpeg.with_name(f"{jpeg.name}.xmp"), jpeg


def keywords(path: Path) -> set[str]:
    store, codec = open_carriers(Profile())
    kind = CarrierKind.SIDECAR if path.suffix == ".xmp" else CarrierKind.EMBEDDED
    packet = store.read(Carrier(kind, path))
    assert packet is not None
    return set(map(str, found_keywords(codec.read(packet, path).fields)))


def lightroom(edits: list[tuple[Path, set[str]]]) -> None:
    """Give each file exactly these keywords, as Lightroom writes them; all else stays."""
    lines: list[str] = []
    for path, wanted in edits:
        lines += ["-overwrite_original", "-q", "-XMP-dc:Subject=", "-XMP-lr:HierarchicalSubject="]
        words = sorted({word for keyword in wanted for word in keyword.split("|")})
        lines += [f"-XMP-dc:Subject={word}" for word in words]
        lines += [f"-XMP-lr:HierarchicalSubject={keyword}" for keyword in sorted(wanted)]
        lines += [str(path), "-execute"]
    text = "\n".join(lines)
    done = subprocess.run(
        ["exiftool", "-@", "-"], input=text, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def pixels(library: Path) -> dict[str, bytes]:
    return {path.name: Image.open(path).tobytes() for path in library.rglob("*.JPG")}


def test_either_side_is_edited_between_runs(library: Path) -> None:
    raws = sorted(library.rglob("*.NEF"))
    shown = pixels(library)
    before = {path: path.read_bytes() for path in library.rglob("*.*")}
    sync = ["sync", str(library), "--quiet", "--pairs", "both"]
    assert run(sync) == 0
    stands = {raw: keywords(carriers(raw)[0]) for raw in raws}
    assert all(stands.values())
    refused: dict[Path, set[str]] = {raw: set() for raw in raws}
    theirs: dict[Path, set[str]] = {raw: set() for raw in raws}
    dice = random.Random(2)
    for _ in range(ROUNDS):
        edits = []
        for raw in raws:
            if dice.random() < 0.3:
                continue
            now = set(stands[raw])
            if len(now) > 1 and dice.random() < 0.6:
                gone = dice.choice(sorted(now))
                now.remove(gone)
                refused[raw].add(gone)
                theirs[raw].discard(gone)
            else:
                came = dice.choice([*OWN, *sorted(refused[raw])])
                now.add(came)
                refused[raw].discard(came)
                theirs[raw].add(came)
            # Lightroom reads the raw's sidecar, or the JPEG where it treats them as two photos.
            side = dice.choice((carriers(raw)[0], carriers(raw)[2]))
            edits.append((side, now))
            stands[raw] = now
        lightroom(edits)
        assert run(sync) == 0
        for raw in raws:
            sidecar, of_jpeg, jpeg = (keywords(path) for path in carriers(raw))
            assert sidecar == of_jpeg == jpeg == stands[raw], raw
            assert theirs[raw] <= sidecar
            assert not refused[raw] & sidecar
        assert run([*sync, "--retag", "--check"]) == 0, "nothing comes back"
    assert pixels(library) == shown
    for raw in raws:
        assert raw.read_bytes() == before[raw]


def test_what_was_not_edited_is_undone_to_the_byte_and_the_rest_keeps_their_work(
    library: Path,
) -> None:
    before = {path: path.read_bytes() for path in library.rglob("*.*")}
    assert run(["sync", str(library), "--quiet", "--pairs", "both"]) == 0
    raws = sorted(library.rglob("*.NEF"))
    edited = raws[::3]
    lightroom(
        [
            (carriers(raw)[2 if number % 2 else 0], keywords(carriers(raw)[0]) | {"Mine|Attic"})
            for number, raw in enumerate(edited)
        ]
    )
    assert run(["undo", "--in", str(library), "--yes", "--quiet", "--pairs", "both"]) == 0
    for raw in raws:
        if raw in edited:
            assert "Mine|Attic" in keywords(carriers(raw)[0]) | keywords(carriers(raw)[2])
            for path in carriers(raw):
                assert not any(word.startswith("Urbex") for word in keywords(path)), path
        else:
            sidecar, of_jpeg, jpeg = carriers(raw)
            assert jpeg.read_bytes() == before[jpeg]
            assert not sidecar.exists()
            assert not of_jpeg.exists()
