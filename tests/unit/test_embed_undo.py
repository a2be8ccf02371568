"""Taking back what was written into image files, where more than bytes have to be put back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import embed_files
from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run
from urbexmp.model.change import PacketEdit
from urbexmp.model.photo import Carrier, CarrierKind, fingerprint_of
from urbexmp.model.profile import Profile
from urbexmp.rules.fields import found_keywords
from urbexmp.wiring import open_carriers

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("clean_home")

HOSPITAL = "Urbex|Building|Healthcare|Hospital"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG whose folder says what it shows."""
    folder = tmp_path / "library" / "Old Hospital"
    folder.mkdir(parents=True)
    path = folder / "IMG_1.jpg"
    path.write_bytes(embed_files.jpeg(embed_files.exif(), embed_files.xmp(embed_files.packet())))
    return path


def library(photo: Path) -> str:
    return str(photo.parent.parent)


def carriers(photo: Path) -> tuple[Carrier, Carrier]:
    sidecar = photo.with_name(f"{photo.name}.xmp")
    return Carrier(CarrierKind.SIDECAR, sidecar), Carrier(CarrierKind.EMBEDDED, photo)


def keywords(carrier: Carrier) -> set[str]:
    store, codec = open_carriers(Profile())
    packet = store.read(carrier)
    assert packet is not None
    return set(map(str, found_keywords(codec.read(packet, carrier.path).fields)))


def edit(carrier: Carrier, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    """As another program does it that keeps our block."""
    store, codec = open_carriers(Profile())
    packet = store.read(carrier)
    assert packet is not None
    words = PacketEdit(
        flat_add=tuple(path.rpartition("|")[2] for path in add),
        flat_remove=tuple(path.rpartition("|")[2] for path in remove),
        hierarchical_add=add,
        hierarchical_remove=remove,
    )
    store.replace(carrier, codec.edit(packet, words, carrier.path), fingerprint_of(packet))


def end(capsys: Capture, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    code = run([*words, "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code in (0, 3), lines
    return next(line for line in lines if line["event"] == "end")


def undone(photo: Path, capsys: Capture, command: str) -> bool:
    capsys.readouterr()
    assert run(["runs", library(photo), "--json"]) == 0
    runs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return bool(next(each["undone"] for each in runs if each.get("command") == command))


def test_a_run_stays_undoable_where_the_files_contradict_each_other(
    photo: Path, capsys: Capture, tmp_path: Path
) -> None:
    assert run(["sync", library(photo), "--quiet"]) == 0
    earlier = tmp_path / "earlier.jpg"
    shutil.copy2(photo, earlier)
    assert run(["keyword", "add", "Mine|Attic", str(photo), "--quiet"]) == 0
    sidecar, image = carriers(photo)
    assert "Mine|Attic" in keywords(image) & keywords(sidecar)
    # Taken out here by somebody who saw it, typed there by somebody who did not.
    edit(sidecar, remove=("Mine|Attic",))
    shutil.copy2(earlier, photo)
    edit(image, add=("Mine|Attic",))
    before = photo.read_bytes(), sidecar.path.read_bytes()

    told = end(capsys, "undo", "--in", library(photo), "--yes")
    assert (told["changed"], told["undecided"]) == (0, 1)
    assert before == (photo.read_bytes(), sidecar.path.read_bytes())
    assert not undone(photo, capsys, "keyword add")
    assert run(["undo", "--in", library(photo), "--yes"]) == 0
    said = capsys.readouterr()
    assert "contradict each other" in said.out + said.err
    assert "is not taken back yet" in said.out + said.err

    # Somebody settles it; the same command then finishes.
    edit(image, remove=("Mine|Attic",))
    assert end(capsys, "undo", "--in", library(photo), "--yes")["undecided"] == 0
    assert undone(photo, capsys, "keyword add")
    assert "Mine|Attic" not in keywords(image) | keywords(sidecar)


def give_up_backups(tmp_path: Path) -> int:
    kept = [path for path in tmp_path.rglob("*.xmp.gz") if "backups" in path.parts]
    for path in kept:
        path.unlink()
    return len(kept)


def test_without_its_backup_a_run_is_taken_back_by_keywords(
    photo: Path, capsys: Capture, tmp_path: Path
) -> None:
    sidecar, image = carriers(photo)
    before = keywords(image)
    picture = photo.read_bytes()[-200:]
    state = tmp_path / "state"
    assert run(["sync", library(photo), "--quiet", "--state", str(state)]) == 0
    assert HOSPITAL in keywords(image)
    assert give_up_backups(state) == 1
    capsys.readouterr()
    assert run(["undo", "--in", library(photo), "--yes", "--state", str(state)]) == 0
    said = capsys.readouterr()
    assert "only the keywords of that run are taken out" in said.out + said.err
    assert keywords(image) == before
    assert not any(word.startswith("Urbex|") for word in keywords(sidecar))
    assert photo.read_bytes()[-200:] == picture
