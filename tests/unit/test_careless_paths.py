"""Paths that a person mistypes, reaches through a link, or names in the place of something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run
from watch_process import jpeg

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("clean_home")


@pytest.fixture
def library(tmp_path: Path, capsys: Capture) -> Path:
    """A library with one photo of a hospital, synced once; `link` leads to its folder."""
    folder = tmp_path / "photos" / "Old Hospital"
    folder.mkdir(parents=True)
    put(folder, 1)
    try:
        (folder.parent / "link").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    said(capsys, folder.parent, "sync", folder.parent, "--stages", "place")
    return folder.parent


def put(folder: Path, number: int) -> None:
    path = folder / f"{number}.JPG"
    path.write_bytes(jpeg(number))
    os.utime(path, (1e9, 1e9))


def said(capsys: Capture, library: Path, *words: object) -> tuple[int, str]:
    code = run([*map(str, words), "--state", str(library.parent / "state")])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out + err


def test_a_folder_reached_through_a_link_is_that_folder(library: Path, capsys: Capture) -> None:
    code, out = said(capsys, library, "sync", library / "link", "--stages", "place")
    assert (code, "1 photo: 1 unchanged" in out) == (0, True)
    photo = library / "link" / "1.JPG"
    assert said(capsys, library, "keyword", "add", "Mine", photo)[0] == 0
    code, out = said(capsys, library, "query", "keyword:Mine", "--in", library, "--format", "paths")
    assert out.splitlines() == [str(library / "Old Hospital" / "1.JPG")]
    code, out = said(capsys, library, "mirror", "check", library)
    assert (code, "No difference found" in out) == (0, True)


def test_a_folder_of_links_brings_no_photo_twice(library: Path, capsys: Capture) -> None:
    best = library / "Best of"
    best.mkdir()
    (best / "hospital").symlink_to(library / "Old Hospital", target_is_directory=True)
    put(best, 2)
    code, out = said(capsys, library, "sync", best, "--stages", "place")
    assert (code, "2 photos:" in out) == (0, True)
    code, out = said(capsys, library, "query", "--in", library, "--format", "paths")
    assert sorted(Path(line).name for line in out.splitlines()) == ["1.JPG", "2.JPG"]
    code, out = said(capsys, library, "mirror", "check", library)
    assert (code, "No difference found" in out) == (0, True)


def test_what_is_left_out_of_a_library_is_left_out_of_its_folders_too(
    library: Path, capsys: Capture
) -> None:
    private = library / "Archive" / "Private Hospital"
    private.mkdir(parents=True)
    put(private, 3)
    given = ("--stages", "place", "--set", "ignore=Archive/Private Hospital")
    for folder in (library, library / "Archive"):
        assert said(capsys, library, "sync", folder, *given)[0] == 0
        assert [path.name for path in private.iterdir()] == ["3.JPG"]


def test_undo_of_a_folder_says_how_to_name_it(library: Path, capsys: Capture) -> None:
    code, out = said(capsys, library, "undo", library / "Old Hospital", "--yes")
    assert code == 2
    assert "is a folder, and no run" in out
    assert "urbexmp undo --in '" in out
    assert (library / "Old Hospital" / "1.JPG.xmp").exists()


def test_undo_of_a_run_beside_a_folder_of_its_name(
    library: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = said(capsys, library, "runs", library)[1]
    name = out.splitlines()[1].split()[0]
    reports = library.parent / "reports"
    (reports / name).mkdir(parents=True)
    monkeypatch.chdir(reports)
    assert said(capsys, library, "undo", name, "--in", library, "--yes")[0] == 0
    assert not (library / "Old Hospital" / "1.JPG.xmp").exists()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("status", "fotos"),
        ("mirror check", "fotos"),
        ("text list", "fotos"),
        ("text list", "photos/Old Hospitl"),
        ("mirror check", "photos/Old Hospitl"),
        ("runs", "fotos"),
        ("runs", "photos/Old Hospitl"),
        ("backup list", "fotos"),
        ("stats", "photos/Old Hospitl"),
        ("query rust --in", "fotos"),
        ("query rust --in", "photos/Old Hospitl"),
    ],
)
def test_a_mistyped_folder_is_no_library_without_findings(
    library: Path, capsys: Capture, command: str, name: str
) -> None:
    code, out = said(capsys, library, *command.split(), library.parent / name)
    assert (code, "is not there" in out) == (11, True)


@pytest.mark.parametrize("command", ["runs", "backup list", "query hospital --in", "stats"])
def test_a_library_whose_volume_went_away_is_still_told_of(
    library: Path, capsys: Capture, command: str
) -> None:
    library.rename(library.parent / "unmounted")
    code, out = said(capsys, library, *command.split(), library)
    assert (code, "is not there" in out) == (0, False)
    assert "hospital" in out.lower() or "sync" in out


def test_reports_that_are_not_there_were_not_skipped(library: Path, capsys: Capture) -> None:
    where = library.parent / "nowhere"
    code, out = said(capsys, library, "report", "compare", "--in", where, "camera", "pixels")
    assert code == 2
    assert "does not exist" in out
