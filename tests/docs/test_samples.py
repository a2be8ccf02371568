"""The sample photos are what their script makes, and what other programs take them for."""

from __future__ import annotations

import importlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from docs.pages import ROOT

PHOTOS = ROOT / "samples" / "photos"
MILL = "2024-05-11 Riverside Paper Mill"
HOSPITAL = "2024-09-02 St Agnes Hospital"


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    """What the script makes now, by relative path."""
    sys.path.insert(0, str(ROOT / "samples"))
    try:
        return dict(importlib.import_module("make_samples").contents())
    finally:
        sys.path.remove(str(ROOT / "samples"))


@pytest.fixture(scope="module")
def facts() -> Mapping[str, Mapping[str, Any]]:
    """What exiftool reads in each sample, by relative path."""
    if not shutil.which("exiftool"):
        if os.environ.get("CI"):
            pytest.fail("exiftool is not installed, and it is required here")
        pytest.skip("exiftool is not installed")
    done = subprocess.run(
        ["exiftool", "-r", "-j", "-n", "-a", "-ext", "*", "."],
        cwd=PHOTOS, capture_output=True, check=False,
    )  # fmt: skip
    return {Path(each["SourceFile"]).as_posix(): each for each in json.loads(done.stdout)}


def test_the_folder_holds_what_the_script_makes(made: Mapping[str, bytes]) -> None:
    kept = {p.relative_to(PHOTOS).as_posix() for p in PHOTOS.rglob("*") if p.is_file()}
    assert kept == set(made)
    assert len([name for name in kept if not name.endswith((".xmp", ".toml"))]) >= 14
    assert sum(map(len, made.values())) < 3_000_000


def test_every_sample_is_made_again(made: Mapping[str, bytes]) -> None:
    """Byte for byte; where another Pillow or processor compresses a picture differently, the
    same but for traces in the pixels."""
    for name, content in made.items():
        kept = (PHOTOS / name).read_bytes()
        if kept == content:
            continue
        assert name.lower().endswith((".jpg", ".nef", ".cr2", ".arw")), name
        for before, after in zip(jpegs(kept), jpegs(content), strict=True):
            assert before.shape == after.shape, name
            assert np.abs(before - after).mean() < 3, name


def jpegs(content: bytes) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Every JPEG picture inside a file, decoded."""
    found, at = [], content.find(b"\xff\xd8\xff")
    while at >= 0:
        picture = Image.open(io.BytesIO(content[at:])).convert("RGB")
        found.append(np.asarray(picture, dtype=np.float64))
        at = content.find(b"\xff\xd8\xff", at + 3)
    return found


def test_exiftool_has_nothing_to_complain(facts: Mapping[str, Mapping[str, Any]]) -> None:
    complaints = {
        name: [value for key, value in read.items() if key in ("Error", "Warning")]
        for name, read in facts.items()
        if "Error" in read or "Warning" in read
    }
    assert complaints == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"{MILL}/_DSC0412.NEF", {"FileType": "NEF", "ISO": 800, "ExposureTime": 1 / 15}),
        (f"{HOSPITAL}/IMG_1021.CR2", {"FileType": "CR2", "Model": "Canon EOS 5D Mark IV"}),
        ("Loose/DSC09981.ARW", {"FileType": "ARW", "Make": "SONY"}),
        (f"{MILL}/DJI_0031.JPG", {"Model": "FC7303", "GimbalPitchDegree": -62.4,
                                  "RelativeAltitude": 46.3}),
        ("Loose/DJI_0107.JPG", {"Make": "DJI", "Model": "DJI Pocket"}),
        (f"{MILL}/_DSC0415.JPG", {"SubjectDistance": 0.4}),
        (f"{HOSPITAL}/IMG_1055.JPG", {"ExposureTime": 25, "ExposureProgram": 1}),
        (f"{HOSPITAL}/IMG_1027.JPG", {"Flash": 9}),
        (f"{MILL}/_DSC0412.xmp", {"HierarchicalSubject": [
            "People|Mara Ellison", "Places|United States|Massachusetts|Millbrook", "Portfolio",
            "Trips|2024|Spring"], "RegionName": "Mara Ellison", "Rating": 4}),
        (f"{HOSPITAL}/IMG_1034.CR2.xmp", {"HierarchicalSubject": [
            "places|Millbrook", "darktable|format|cr2"]}),
    ],
)  # fmt: skip
def test_samples_say_what_they_stand_for(
    facts: Mapping[str, Mapping[str, Any]], name: str, expected: Mapping[str, object]
) -> None:
    for key, value in expected.items():
        said = facts[name].get(key)
        if isinstance(value, int | float):
            assert float(str(said)) == pytest.approx(value), key
        else:
            assert said == value, key


@pytest.mark.parametrize("name", sorted(p.name for p in PHOTOS.rglob("*.[NCA][ER][FW2]")))
def test_raw_files_carry_a_preview(name: str) -> None:
    (path,) = PHOTOS.rglob(name)
    largest = max(picture.shape[0] * picture.shape[1] for picture in jpegs(path.read_bytes()))
    assert largest >= 760 * 560
