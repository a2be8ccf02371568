"""Which photos a folder holds and which sidecar each has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urbexmp.model.errors import (
    DngSidecar,
    FileUnreadable,
    Problem,
    SidecarOfAnother,
    SidecarUnclear,
    TwoCandidates,
)
from urbexmp.model.photo import FileStat, Photo, PhotoFile
from urbexmp.model.ports import FolderListing
from urbexmp.rules.formats import KINDS, extension, stem
from urbexmp.rules.pairing import pair

FOLDER = Path("/library")
STAT = FileStat(1, 2, 3)


def paired(
    names: Iterable[str],
    owners: Mapping[str, str | None] | None = None,
    sidecar_name: str = "lightroom",
) -> tuple[dict[str, Photo], dict[str, Problem]]:
    """Photos and problems by file name. A sidecar missing in `owners` must not be opened."""
    names = list(names)
    listing = FolderListing(
        folder=FOLDER,
        photos=tuple(
            PhotoFile(FOLDER / n, KINDS[extension(n)], STAT) for n in names if extension(n) in KINDS
        ),
        sidecars={n: STAT for n in names if extension(n) == "xmp"},
    )
    photos, problems = pair(listing, sidecar_name, lambda path: (owners or {})[path.name])
    return (
        {photo.path.name: photo for photo in photos},
        {Path(problem.subject).name: problem for problem in problems},
    )


def carrier(photo: Photo) -> str:
    (only,) = photo.carriers
    return only.path.name


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.CR3"], "a.xmp"),
        (["a.CR3", "a.xmp"], "a.xmp"),
        (["a.CR3", "A.XMP"], "A.XMP"),
        (["a.jpg"], "a.jpg.xmp"),
        (["a.jpg", "a.jpg.xmp"], "a.jpg.xmp"),
        (["a.JPG", "A.jpg.XMP"], "A.jpg.XMP"),
        (["a.jpg", "a.xmp"], "a.jpg.xmp"),
        (["a.tif"], "a.tif.xmp"),
        (["a.dng"], "a.dng.xmp"),
        (["a.heic"], "a.heic.xmp"),
        (["a.png"], "a.png.xmp"),
        (["caf\u00e9.nef", "cafe\u0301.xmp"], "cafe\u0301.xmp"),
    ],
)
def test_one_photo_and_its_sidecar(names: list[str], expected: str) -> None:
    photos, problems = paired(names, {"a.xmp": None})
    assert [carrier(photo) for photo in photos.values()] == [expected]
    assert problems == {}


def test_the_longer_name_is_read_for_a_raw() -> None:
    photos, _ = paired(["a.CR3", "a.xmp", "a.CR3.xmp"])
    assert carrier(photos["a.CR3"]) == "a.xmp"
    assert photos["a.CR3"].also_read == (FOLDER / "a.CR3.xmp",)


def test_darktable_names_make_the_longer_one_the_carrier() -> None:
    photos, _ = paired(["a.CR3", "a.xmp", "b.NEF"], sidecar_name="darktable")
    assert carrier(photos["a.CR3"]) == "a.CR3.xmp"
    assert photos["a.CR3"].also_read == (FOLDER / "a.xmp",)
    assert carrier(photos["b.NEF"]) == "b.NEF.xmp"


def test_two_spellings_of_one_sidecar_are_refused() -> None:
    photos, problems = paired(["a.CR3", "a.xmp", "a.XMP", "b.CR3"])
    assert list(photos) == ["b.CR3"]
    assert isinstance(problems["a.CR3"], TwoCandidates)
    assert "a.XMP and a.xmp" in str(problems["a.CR3"])


def test_two_photos_that_differ_in_case_keep_their_own_sidecars() -> None:
    photos, problems = paired(["a.jpg", "A.JPG", "a.jpg.xmp", "A.JPG.xmp"])
    assert {name: carrier(photo) for name, photo in photos.items()} == {
        "a.jpg": "a.jpg.xmp",
        "A.JPG": "A.JPG.xmp",
    }
    assert problems == {}


def test_a_photo_that_differs_in_case_does_not_take_the_others_sidecar() -> None:
    photos, problems = paired(["a.jpg", "A.JPG", "a.jpg.XMP"])
    assert {name: carrier(photo) for name, photo in photos.items()} == {
        "a.jpg": "a.jpg.XMP",
        "A.JPG": "A.JPG.xmp",
    }
    assert problems == {}


def test_raw_and_jpeg_are_one_photo() -> None:
    photos, problems = paired(["a.CR3", "a.JPG", "a.xmp", "b.jpg"])
    assert list(photos) == ["a.CR3", "b.jpg"]
    assert [file.path.name for file in photos["a.CR3"].companions] == ["a.JPG"]
    assert carrier(photos["a.CR3"]) == "a.xmp"
    assert problems == {}


def test_dng_and_jpeg_are_one_photo_with_the_dngs_sidecar() -> None:
    photos, _ = paired(["a.dng", "a.jpg"])
    assert list(photos) == ["a.dng"]
    assert [file.path.name for file in photos["a.dng"].companions] == ["a.jpg"]
    assert carrier(photos["a.dng"]) == "a.dng.xmp"


def test_a_converted_dng_beside_its_raw_is_a_photo_of_its_own() -> None:
    photos, problems = paired(["a.CR3", "a.dng", "a.jpg"])
    assert sorted(photos) == ["a.CR3", "a.dng"]
    assert [file.path.name for file in photos["a.CR3"].companions] == ["a.jpg"]
    assert (carrier(photos["a.CR3"]), carrier(photos["a.dng"])) == ("a.xmp", "a.dng.xmp")
    assert problems == {}


def test_the_sidecar_says_which_of_two_raws_has_it() -> None:
    photos, problems = paired(["a.CR3", "a.NEF", "a.xmp"], {"a.xmp": "CR3"})
    assert carrier(photos["a.CR3"]) == "a.xmp"
    assert "a.NEF" not in photos
    assert isinstance(problems["a.NEF"], SidecarOfAnother)
    assert "a.xmp belongs to a.CR3" in str(problems["a.NEF"])


@pytest.mark.parametrize("owner", [None, "ARW"])
def test_a_sidecar_that_names_none_of_two_raws_is_nobodys(owner: str | None) -> None:
    photos, problems = paired(["a.CR3", "a.NEF", "a.xmp"], {"a.xmp": owner})
    assert photos == {}
    assert {type(problem) for problem in problems.values()} == {SidecarUnclear}
    assert "a.CR3 or a.NEF" in str(problems["a.CR3"])


def test_two_raws_without_a_sidecar_are_refused_unless_named_as_darktable_does() -> None:
    photos, problems = paired(["a.CR3", "a.NEF"])
    assert photos == {}
    assert set(problems) == {"a.CR3", "a.NEF"}
    photos, problems = paired(["a.CR3", "a.NEF"], sidecar_name="darktable")
    assert [carrier(photo) for photo in photos.values()] == ["a.CR3.xmp", "a.NEF.xmp"]
    assert problems == {}


def test_darktable_reads_the_short_name_only_for_its_owner() -> None:
    photos, _ = paired(["a.CR3", "a.NEF", "a.xmp"], {"a.xmp": "NEF"}, "darktable")
    assert photos["a.CR3"].also_read == ()
    assert photos["a.NEF"].also_read == (FOLDER / "a.xmp",)


def test_a_jpeg_beside_two_raws_is_a_photo_of_its_own() -> None:
    photos, _ = paired(["a.CR3", "a.NEF", "a.JPG"])
    assert list(photos) == ["a.JPG"]
    assert carrier(photos["a.JPG"]) == "a.JPG.xmp"


def test_a_dng_with_a_sidecar_of_its_own_is_refused() -> None:
    photos, problems = paired(["a.dng", "a.xmp"], {"a.xmp": "DNG"})
    assert photos == {}
    assert isinstance(problems["a.dng"], DngSidecar)


def test_a_dng_reads_a_sidecar_that_names_nobody() -> None:
    photos, _ = paired(["a.dng", "a.xmp"], {"a.xmp": None})
    assert photos["a.dng"].also_read == (FOLDER / "a.xmp", FOLDER / "a.dng")


def test_a_dngs_sidecar_is_not_its_raws() -> None:
    photos, problems = paired(["a.CR3", "a.dng", "a.xmp"], {"a.xmp": "DNG"})
    assert photos == {}
    assert isinstance(problems["a.CR3"], SidecarOfAnother)
    assert isinstance(problems["a.dng"], DngSidecar)


def test_a_raws_sidecar_is_not_its_dngs() -> None:
    photos, _ = paired(["a.CR3", "a.dng", "a.xmp"], {"a.xmp": "CR3"})
    assert carrier(photos["a.CR3"]) == "a.xmp"
    assert photos["a.dng"].also_read == (FOLDER / "a.dng",)


def test_trouble_with_the_sidecar_stands_for_its_photos() -> None:
    listing = FolderListing(
        FOLDER,
        tuple(PhotoFile(FOLDER / n, KINDS[extension(n)], STAT) for n in ("a.CR3", "a.NEF")),
        {"a.xmp": STAT},
    )

    def broken(path: Path) -> str | None:
        raise FileUnreadable(path, detail="Input/output error")

    photos, problems = pair(listing, "lightroom", broken)
    assert photos == ()
    assert [type(problem) for problem in problems] == [FileUnreadable, FileUnreadable]


@pytest.mark.parametrize(
    ("name", "ext", "base"),
    [
        ("a.JPG", "jpg", "a"),
        ("a.JPG.xmp", "xmp", "a.JPG"),
        ("a", "", "a"),
        (".jpg", "", ".jpg"),
        ("a.", "", "a"),
        ("a..jpg", "jpg", "a."),
    ],
)
def test_names_are_cut_at_the_last_dot(name: str, ext: str, base: str) -> None:
    assert (extension(name), stem(name)) == (ext, base)


FILES = st.sets(
    st.builds(
        "{}.{}".format,
        st.sampled_from(["a", "A", "b"]),
        st.sampled_from(["CR3", "NEF", "dng", "JPG", "jpg", "tif", "xmp", "XMP", "CR3.xmp"]),
    )
)


@settings(max_examples=400)
@given(FILES, st.sampled_from([None, "CR3", "DNG", "ARW"]), st.booleans())
def test_every_file_is_in_one_photo_or_one_problem(
    names: set[str], owner: str | None, darktable: bool
) -> None:
    owners = dict.fromkeys(names, owner)
    photos, problems = paired(names, owners, "darktable" if darktable else "lightroom")
    files = [name for name in names if extension(name) in KINDS]
    seen = [*photos, *(c.path.name for photo in photos.values() for c in photo.companions)]
    assert len(seen) == len(set(seen))
    refused = {stem(name).lower() for name in problems}
    assert all(name in seen or stem(name).lower() in refused for name in files)
    carriers = [carrier(photo).lower() for photo in photos.values()]
    spelled = [carrier(photo) for photo in photos.values()]
    assert len(set(spelled)) == len(spelled), "two photos never share a carrier"
    assert all(c.endswith(".xmp") for c in carriers)
