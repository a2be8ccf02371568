"""Finding photo files: what is listed, what is left out, what trouble is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from urbexmp.adapters.walk import FolderWalker
from urbexmp.model.errors import (
    FileUnreadable,
    LibraryGone,
    LinkLoop,
    NameNotText,
    Problem,
)
from urbexmp.model.photo import FileKind
from urbexmp.model.ports import FolderListing

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def listed(
    *roots: Path, ignore: tuple[str, ...] = (), recursive: bool = True
) -> list[FolderListing]:
    return list(FolderWalker(ignore, recursive).folders(roots))


def names(listings: list[FolderListing], root: Path) -> list[str]:
    return [p.path.relative_to(root).as_posix() for one in listings for p in one.photos]


def problems(listings: list[FolderListing]) -> list[Problem]:
    return [problem for one in listings for problem in one.problems]


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_every_kind_is_found_in_any_case(tmp_path: Path) -> None:
    make(tmp_path, "a.JPG", "b.tiff", "c.dng", "d.CR3", "e.HEIC", "f.png", "g.psd", "h.nef")
    kinds = {p.path.name: p.kind for one in listed(tmp_path) for p in one.photos}
    assert kinds == {
        "a.JPG": FileKind.JPEG,
        "b.tiff": FileKind.TIFF,
        "c.dng": FileKind.DNG,
        "d.CR3": FileKind.RAW,
        "e.HEIC": FileKind.HEIC,
        "f.png": FileKind.OTHER,
        "g.psd": FileKind.OTHER,
        "h.nef": FileKind.RAW,
    }


def test_parents_come_first_and_names_are_sorted(tmp_path: Path) -> None:
    make(tmp_path, "b/2.jpg", "b/1.jpg", "a/x/3.jpg", "0.jpg", "c/4.jpg")
    found = listed(tmp_path)
    assert names(found, tmp_path) == ["0.jpg", "a/x/3.jpg", "b/1.jpg", "b/2.jpg", "c/4.jpg"]
    assert [one.folder.name for one in found] == [tmp_path.name, "a", "x", "b", "c"]


def test_folders_that_are_passed_by_are_not_entered(tmp_path: Path) -> None:
    make(tmp_path, "0.jpg", "a/1.jpg", "a/x/2.jpg", "b/3.jpg")
    (tmp_path / "other").mkdir()
    walker = FolderWalker()
    found = list(walker.folders([tmp_path], past=lambda folder: folder.name == "a"))
    assert names(found, tmp_path) == ["0.jpg", "b/3.jpg"]


def test_sidecars_are_listed_as_spelled(tmp_path: Path) -> None:
    make(tmp_path, "a.cr3", "a.XMP", "b.jpg.xmp", "._a.xmp")
    (one,) = listed(tmp_path)
    assert sorted(one.sidecars) == ["a.XMP", "b.jpg.xmp"]
    assert one.sidecars["a.XMP"].size == 1


@pytest.mark.parametrize(
    "path",
    [
        "._a.jpg",
        ".hidden/a.jpg",
        ".picasaoriginals/a.jpg",
        "@eaDir/a.jpg",
        "Cat Previews.lrdata/a.jpg",
        "Cat.lrcat-data/a.jpg",
        "CaptureOne/Cache/a.jpg",
        "Lib.photoslibrary/a.jpg",
        ".urbexmp-4f2a.xmp",
        "a.jpg.tmp",
        "a.jpg.part",
        "a.jpg.crdownload",
        "a.jpg~",
        "a.acr",
        "Cat.lrcat",
        "notes.txt",
        "a.jpg_original",
    ],
)
def test_what_is_no_photo_of_ours_is_left_out(tmp_path: Path, path: str) -> None:
    make(tmp_path, path)
    found = listed(tmp_path)
    assert names(found, tmp_path) == []
    assert [name for one in found for name in one.sidecars] == []
    assert problems(found) == []


def test_patterns_of_the_profile_leave_out_names_and_paths(tmp_path: Path) -> None:
    make(tmp_path, "keep.jpg", "x_export.JPG", "Exports/a.jpg", "sub/raw/b.jpg", "raw/c.jpg")
    found = listed(tmp_path, ignore=("*_EXPORT.*", "exports", "sub/raw"))
    assert names(found, tmp_path) == ["keep.jpg", "raw/c.jpg"]
    assert sum((one.skipped or {}).get("ignored", 0) for one in found) == 3


def test_not_recursive_lists_one_folder(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "sub/b.jpg")
    assert names(listed(tmp_path, recursive=False), tmp_path) == ["a.jpg"]


def test_a_link_to_a_folder_above_is_told_and_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "sub/a.jpg")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path, target_is_directory=True)
    found = listed(tmp_path)
    assert names(found, tmp_path) == ["sub/a.jpg"]
    (problem,) = problems(found)
    assert isinstance(problem, LinkLoop)
    assert "leads back to" in str(problem)


def test_a_link_to_itself_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "a.jpg")
    make(tmp_path, "b.jpg")
    found = listed(tmp_path)
    assert names(found, tmp_path) == ["b.jpg"]
    assert [type(problem) for problem in problems(found)] == [LinkLoop]


def test_a_folder_is_listed_once_under_its_real_name(tmp_path: Path) -> None:
    make(tmp_path, "z/a.jpg")
    (tmp_path / "a-link").symlink_to(tmp_path / "z", target_is_directory=True)
    assert names(listed(tmp_path), tmp_path) == ["z/a.jpg"]
    assert names(listed(tmp_path, tmp_path / "z"), tmp_path) == ["z/a.jpg"]


def test_a_linked_folder_outside_is_followed(tmp_path: Path) -> None:
    make(tmp_path, "elsewhere/a.jpg", "library/b.jpg")
    library = tmp_path / "library"
    (library / "more").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert names(listed(library), library) == ["b.jpg", "more/a.jpg"]


def test_a_dangling_link_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "notes").symlink_to(tmp_path / "gone")
    found = listed(tmp_path)
    assert [type(problem) for problem in problems(found)] == [FileUnreadable]


@pytest.mark.skipif(AS_ROOT, reason="root may read every folder")
def test_an_unreadable_folder_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    make(tmp_path, "closed/a.jpg", "open/b.jpg")
    (tmp_path / "closed").chmod(0)
    try:
        found = listed(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert names(found, tmp_path) == ["open/b.jpg"]
    assert [type(problem) for problem in problems(found)] == [FileUnreadable]


def test_a_folder_that_goes_away_meanwhile_is_told(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "b/2.jpg", "c/3.jpg")
    walk = FolderWalker().folders([tmp_path])
    found = [next(walk)]
    (tmp_path / "b" / "2.jpg").unlink()
    (tmp_path / "b").rmdir()
    found += walk
    assert names(found, tmp_path) == ["a/1.jpg", "c/3.jpg"]
    (problem,) = problems(found)
    assert str(problem).startswith(str(tmp_path / "b"))


@pytest.mark.skipif(os.name == "nt", reason="file names are text there")
def test_names_that_are_not_utf8_are_told_in_print(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xe9p\xf4t")).mkdir()
    make(tmp_path, "b.jpg")
    found = listed(tmp_path)
    assert names(found, tmp_path) == ["b.jpg"]
    assert [type(problem) for problem in problems(found)] == [NameNotText, NameNotText]
    assert "caf\\xe9.jpg: has a name that is not UTF-8" in str(problems(found)[0])
    assert str(problems(found)[0]).encode("utf-8")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_with_a_photo_name_is_no_photo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    (one,) = listed(tmp_path)
    assert one.photos == ()
    assert one.skipped == {"not a file": 1}


def test_a_missing_root_stops_everything(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    with pytest.raises(LibraryGone) as caught:
        listed(tmp_path, tmp_path / "unmounted")
    assert "is not there" in str(caught.value)


def test_a_file_as_root_gives_its_pair_and_sidecars_only(tmp_path: Path) -> None:
    make(tmp_path, "a.CR3", "a.JPG", "a.xmp", "a.cr3.xmp", "b.CR3", "b.xmp", "a2.jpg", "sub/a.CR3")
    for root in ("a.CR3", "a.JPG", "a.xmp", "a.cr3.xmp"):
        (one,) = listed(tmp_path / root)
        assert [photo.path.name for photo in one.photos] == ["a.CR3", "a.JPG"]
        assert sorted(one.sidecars) == ["a.cr3.xmp", "a.xmp"]


def test_the_same_folder_twice_gives_the_same_listing(tmp_path: Path) -> None:
    make(tmp_path, "c.jpg", "a.jpg", "b/x.cr3", "b/x.xmp")
    assert listed(tmp_path) == listed(tmp_path)
