"""Image files that are not written into: named, and taken up again once nothing is in the way."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import embed_cases
import embed_files
from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("clean_home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two JPEGs that can be written into, and nothing that was changed a moment ago."""
    folder = tmp_path / "library" / "Old Hospital"
    folder.mkdir(parents=True)
    for number in (1, 2):
        data = embed_files.jpeg(embed_files.exif(), trailer=bytes([number]))
        (folder / f"IMG_{number}.jpg").write_bytes(data)
    age(folder)
    return folder


def age(folder: Path) -> None:
    """Files of yesterday: their folder can be remembered as a whole."""
    for path in folder.iterdir():
        status = path.stat()
        long_ago = status.st_mtime_ns - 86_400 * 10**9
        os.utime(path, ns=(status.st_atime_ns, long_ago))


def sync(folder: Path, capsys: Capture) -> dict[str, Any]:
    capsys.readouterr()
    run(["sync", str(folder.parent), "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {**lines[-1], "total": lines[0]["total"]}


def hard_link(path: Path) -> Callable[[], None]:
    other = path.parent.parent.parent / "another name"
    os.link(path, other)
    return other.unlink


def read_only(path: Path) -> Callable[[], None]:
    path.chmod(0o444)
    return lambda: path.chmod(0o644)


@pytest.mark.parametrize(
    ("obstruct", "reason"), [(read_only, "read-only"), (hard_link, "hard-linked")]
)
def test_a_file_that_can_be_written_again_is_taken_up_by_the_next_run(
    folder: Path, capsys: Capture, obstruct: Callable[[Path], Callable[[], None]], reason: str
) -> None:
    path = folder / "IMG_1.jpg"
    before = path.read_bytes()
    free = obstruct(path)
    first = sync(folder, capsys)
    assert first["spared"] == {reason: 1}
    assert path.read_bytes() == before
    for _ in range(3):  # also once the folder would be remembered as a whole
        age(folder)
        sync(folder, capsys)
    assert sync(folder, capsys)["total"] == 0, "what is still in the way is not looked at again"
    free()
    after = sync(folder, capsys)
    assert (after["total"], after["changed"]) == (1, 1)
    assert b"Hospital" in path.read_bytes()
    assert sync(folder, capsys)["total"] == 0


def test_doctor_names_what_is_not_written_into_and_why(folder: Path, capsys: Capture) -> None:
    signed = [each for each in embed_cases.cases() if each.signed][:1]
    for number in range(7):
        (folder / f"SIGNED_{number}.jpg").write_bytes(signed[0].data + bytes([number]))
    read_only(folder / "IMG_1.jpg")
    sync(folder, capsys)
    run(["doctor", str(folder.parent)])
    said = capsys.readouterr().out
    assert "7 photos with keywords in the sidecar alone: they carry Content Credentials" in said
    assert "Old Hospital/SIGNED_4.jpg" in said
    assert "SIGNED_5" not in said
    assert "and 2 more" in said
    assert "1 photo with keywords in the sidecar alone: they are read-only" in said
    run(["doctor", str(folder.parent), "--json"])
    checks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    listed = [each["paths"] for each in checks if each["name"] == "not embedded"]
    assert sorted(map(len, listed)) == [1, 7]
    shutil.rmtree(folder)
