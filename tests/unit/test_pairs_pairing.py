"""Which carriers a photo has, by the profile's `embed` and `pairs`."""

from __future__ import annotations

from pathlib import Path

import pytest

from urbexmp.model.photo import CarrierKind, FileStat, Photo, PhotoFile
from urbexmp.model.ports import FolderListing
from urbexmp.model.profile import Profile
from urbexmp.rules import sight
from urbexmp.rules.formats import KINDS, extension
from urbexmp.rules.pairing import pair

FOLDER = Path("/library")
STAT = FileStat(1, 2, 3)


def photos(
    names: str, embed: str = "auto", pairs: str = "raw", naming: str = "lightroom"
) -> list[Photo]:
    listing = FolderListing(
        FOLDER,
        tuple(
            PhotoFile(FOLDER / name, KINDS[extension(name)], STAT)
            for name in names.split()
            if extension(name) in KINDS
        ),
        {name: STAT for name in names.split() if extension(name) == "xmp"},
    )
    found, problems = pair(listing, naming, lambda _path: None, embed=embed, pairs=pairs)
    assert problems == ()
    return list(found)


def told(photo: Photo) -> tuple[str, str, str]:
    """Carriers, what is only read, what is spared; an embedded one in brackets."""
    carriers = [
        f"[{each.path.name}]" if each.kind is CarrierKind.EMBEDDED else each.path.name
        for each in photo.carriers
    ]
    read = [path.name for path in photo.also_read]
    spared = [f"{each.path.name}:{each.reason}" for each in photo.spared]
    return " ".join(carriers), " ".join(read), " ".join(spared)


@pytest.mark.parametrize(
    ("names", "embed", "pairs", "expected"),
    [
        ("a.jpg", "auto", "raw", ("a.jpg.xmp [a.jpg]", "", "")),
        ("a.JPE", "auto", "raw", ("a.JPE.xmp [a.JPE]", "", "")),
        ("a.tif", "auto", "raw", ("a.tif.xmp [a.tif]", "", "")),
        ("a.dng", "auto", "raw", ("a.dng.xmp [a.dng]", "", "")),
        ("a.dng a.xmp", "auto", "raw", ("a.dng.xmp [a.dng]", "a.xmp", "")),
        ("a.heic", "auto", "raw", ("a.heic.xmp", "", "")),
        ("a.png", "auto", "both", ("a.png.xmp", "", "")),
        ("a.CR3", "auto", "both", ("a.xmp", "", "")),
        ("a.jpg", "never", "raw", ("a.jpg.xmp", "a.jpg", "a.jpg:never")),
        ("a.tiff", "never", "both", ("a.tiff.xmp", "a.tiff", "a.tiff:never")),
        ("a.CR3 a.JPG", "auto", "raw", ("a.xmp", "", "a.JPG:raw")),
        ("a.CR3 a.JPG", "never", "raw", ("a.xmp", "", "a.JPG:raw")),
        ("a.CR3 a.JPG", "auto", "both", ("a.xmp a.JPG.xmp [a.JPG]", "", "")),
        ("a.CR3 a.JPG a.JPG.xmp", "auto", "both", ("a.xmp a.JPG.xmp [a.JPG]", "", "")),
        ("a.CR3 a.JPG", "never", "both", ("a.xmp a.JPG.xmp", "a.JPG", "a.JPG:never")),
        ("a.CR3 a.CR3.xmp a.JPG", "auto", "both", ("a.xmp a.JPG.xmp [a.JPG]", "a.CR3.xmp", "")),
        ("a.dng a.JPG", "auto", "raw", ("a.dng.xmp [a.dng]", "", "a.JPG:raw")),
        ("a.dng a.JPG", "auto", "both", ("a.dng.xmp [a.dng] a.JPG.xmp [a.JPG]", "", "")),
    ],
)
def test_the_carriers_of_a_photo(
    names: str, embed: str, pairs: str, expected: tuple[str, str, str]
) -> None:
    (photo,) = photos(names, embed, pairs)
    assert told(photo) == expected


def test_a_jpeg_beside_two_raws_is_written_as_a_photo_of_its_own() -> None:
    found = photos("a.CR3 a.NEF a.JPG a.xmp", naming="darktable")
    assert [told(photo)[0] for photo in found] == ["a.CR3.xmp", "a.JPG.xmp [a.JPG]", "a.NEF.xmp"]


@pytest.mark.parametrize(
    ("names", "embed", "naming", "why"),
    [
        ("a.jpg", "auto", "lightroom", None),
        ("a.jpg", "never", "lightroom", "never"),
        ("a.dng", "never", "lightroom", "never"),
        ("a.CR3", "never", "lightroom", None),
        ("a.CR3 a.jpg", "never", "lightroom", None),
        ("A.CR3 a.XMP", "auto", "lightroom", None),
        ("a.CR3", "auto", "darktable", "sidecar-name"),
        ("a.heic", "auto", "lightroom", "format"),
        ("a.psd", "never", "darktable", "format"),
    ],
)
def test_what_lightroom_will_not_see(names: str, embed: str, naming: str, why: str | None) -> None:
    (photo,) = photos(names, embed, naming=naming)
    assert sight.blind(photo) == why


def test_each_choice_that_hides_keywords_is_told() -> None:
    settings = {setting for _, setting, _ in sight.hidden(Profile())}
    assert settings == {'pairs = "both"', "adopt_iptc = true", "break_c2pa = true"}
    (never,) = [
        (text, usual) for text, setting, usual in sight.hidden(Profile(embed="never", pairs="both"))
    ]
    assert "Lightroom does not read" in never[0]
    assert not never[1]
    assert sight.hidden(Profile(pairs="both", adopt_iptc=True, break_c2pa=True)) == ()
    assert any(
        "darktable" in text for text, _, _ in sight.hidden(Profile(sidecar_name="darktable"))
    )
