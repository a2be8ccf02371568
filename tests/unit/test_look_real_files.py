"""Real files of many cameras, from a folder that is not part of this project.

Its path is in URBEXMP_REAL_FILES; without it every test here is skipped by name.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from urbexmp.adapters.inspect import FileInspector
from urbexmp.adapters.stages.camera import CameraStage
from urbexmp.adapters.stages.pixels import PixelsStage
from urbexmp.adapters.walk import FolderWalker
from urbexmp.model.errors import Undecodable
from urbexmp.model.observation import CaptureFacts, Context, ObservationKind, StageInput, View
from urbexmp.model.photo import Photo
from urbexmp.rules.pairing import pair

pytestmark = pytest.mark.real_files
FOLDER = Path(os.environ.get("URBEXMP_REAL_FILES", "/nonexistent"))
LOOK = FileInspector()

EXPECTED: dict[str, CaptureFacts] = {
    "C.jpg": CaptureFacts(),
    "DJI_0018.JPG": CaptureFacts(make="DJI", model="FC300S", iso=100, drone=True),
    "HPIM0005.JPG": CaptureFacts(make="Hewlett-Packard", model="Photosmart M417", iso=100),
    "IMG_8568.JPG": CaptureFacts(make="Apple", model="iPhone 13 Pro", iso=40),
    "P1000239.JPG": CaptureFacts(make="Panasonic", model="PV-SD4090"),
    "_DSC8830.JPG": CaptureFacts(make="SONY", model="SLT-A57", iso=100),
    "_K6A7942.JPG": CaptureFacts(make="Canon", model="Canon EOS 5D Mark III", iso=320),
    "CRW_0101.CRW": CaptureFacts(make="Canon", model="Canon PowerShot S40"),
    "CRW_0304.CRW": CaptureFacts(make="Canon", model="Canon PowerShot G2"),
    "Canon-R6-pruned.CR3": CaptureFacts(make="Canon", model="Canon EOS R6", iso=100),
    "GOPR8513.GPR": CaptureFacts(make="GoPro", model="HERO7 Black", iso=255),
    "P003911.KDC": CaptureFacts(
        make="Eastman Kodak Company", model="Kodak DC120 ZOOM Digital Camera"
    ),
}
SOURCES = {
    "P003911.KDC": "demosaic",
    "CRW_0101.CRW": "embedded preview",
    "CRW_0304.CRW": "embedded preview",
    "Canon-R6-pruned.CR3": "embedded preview",
}


def all_photos() -> dict[str, Photo]:
    found: dict[str, Photo] = {}
    for listing in FolderWalker().folders([FOLDER]):
        photos, problems = pair(listing, "lightroom", lambda _: None)
        assert problems == ()
        found |= {photo.path.name: photo for photo in photos}
    return found


@pytest.fixture
def one(name: str) -> Photo:
    if not FOLDER.is_dir():
        pytest.skip("URBEXMP_REAL_FILES names no folder of real files")
    photos = all_photos()
    if name not in photos:
        pytest.skip(f"{name} is not among the real files")
    return photos[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_its_camera_is_known_and_every_number_sane(one: Photo, name: str) -> None:
    seen, expected = LOOK.facts(one.path), EXPECTED[name]
    assert (seen.make, seen.model, seen.iso) == (expected.make, expected.model, expected.iso)
    assert seen.drone is expected.drone
    assert seen.width is not None
    assert seen.width > 400
    if expected.make is not None:
        assert seen.ev100 is not None
        assert 5 < seen.ev100 < 16


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_its_id_survives_a_copy_under_another_name(one: Photo, name: str, tmp_path: Path) -> None:
    copy = tmp_path / f"other{one.path.suffix}"
    shutil.copyfile(one.path, copy)
    assert LOOK.photo_id(copy) == LOOK.photo_id(one.path)


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"GOPR8513.GPR"}))
def test_its_picture_is_seen_upright_and_judged(one: Photo, name: str) -> None:
    facts, preview = LOOK.facts(one.path), LOOK.preview(one, 512)
    assert max(preview.width, preview.height) == 512
    assert preview.source == SOURCES.get(name, "image")
    stands = preview.height > preview.width
    assert stands is (name == "IMG_8568.JPG")
    seen = StageInput(View(facts, lambda: preview), Context())
    said = {(o.kind, o.label): o for o in (*CameraStage().look(seen), *PixelsStage().look(seen))}
    assert (ObservationKind.MEASURE, "quality") in said
    assert ((ObservationKind.VIEW, "aerial") in said) is (name == "DJI_0018.JPG")


@pytest.mark.parametrize("name", ["GOPR8513.GPR"])
def test_a_raw_that_nothing_decodes_is_named_with_its_reason(one: Photo, name: str) -> None:
    with pytest.raises(Undecodable) as caught:
        LOOK.preview(one, 512)
    assert name in str(caught.value)
    assert "LibRaw" in str(caught.value)


@pytest.mark.parametrize("name", ["_K6A7942.JPG", "CRW_0101.CRW"])
def test_cut_in_half_it_is_undecodable(one: Photo, name: str, tmp_path: Path) -> None:
    half = tmp_path / name
    half.write_bytes(one.path.read_bytes()[: one.stat.size // 2])
    with pytest.raises(Undecodable):
        LOOK.photo_id(half)
