"""Weights carried by hand: into one file, and out of a file or a folder."""

from __future__ import annotations

import dataclasses
import io
import os
import tarfile
from pathlib import Path

import pytest

from hub_server import random_model
from tiny.registry import REVISION, entry_of, weights_of
from urbexmp.adapters.model_transfer import (
    archived_entry,
    export_model,
    hashed_entry,
    import_model,
)
from urbexmp.adapters.weights import LocalWeights
from urbexmp.model.errors import FileUnreadable, UsageProblem
from urbexmp.model.stage_errors import WeightsUnpinned, WrongWeights
from urbexmp.model.weights import ModelEntry


class Counted:
    """Counts what is moved."""

    def __init__(self) -> None:
        self.size = 0

    def begin(self, model: str, size: int, here: int) -> None:
        """Nothing to keep."""

    def moved(self, size: int) -> None:
        self.size += size

    def checking(self, file: str) -> None:
        """Nothing to keep."""

    def end(self, model: str) -> None:
        """Nothing to keep."""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    sizes = {"onnx/vision_model.onnx": 70_000, "config.json": 30}
    return random_model(tmp_path / "made", sizes)


@pytest.fixture
def entry(made: Path) -> ModelEntry:
    return entry_of(made, id="tiny", stage="siglip", repository="org/tiny")


@pytest.fixture
def archive(made: Path, entry: ModelEntry, tmp_path: Path) -> Path:
    target = tmp_path / "tiny.tar"
    export_model(weights_of(made, entry), "tiny", target, Counted())
    return target


def test_a_model_goes_into_a_file_and_comes_out_elsewhere(
    archive: Path, entry: ModelEntry, tmp_path: Path
) -> None:
    assert archived_entry(archive) == entry
    own = tmp_path / "elsewhere"
    count = Counted()
    place = import_model(entry, archive, own, count)
    assert count.size == entry.size
    assert LocalWeights({"tiny": entry}, tmp_path / "none", own).folder("tiny") == place
    assert [one.name for one in own.iterdir() if one.name.startswith(".")] == []


def test_the_same_model_makes_the_same_archive(
    made: Path, entry: ModelEntry, archive: Path, tmp_path: Path
) -> None:
    os.utime(made / "config.json", (5, 5))
    export_model(weights_of(made, entry), "tiny", tmp_path / "again.tar", Counted())
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()


def test_files_may_lie_flat_in_a_folder(made: Path, entry: ModelEntry, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    for file in entry.files:
        (stick / Path(file.name).name).write_bytes((made / file.name).read_bytes())
    place = import_model(entry, stick, tmp_path / "own", Counted())
    assert (place / "onnx" / "vision_model.onnx").stat().st_size == 70_000


def test_a_changed_file_is_not_imported(made: Path, entry: ModelEntry, tmp_path: Path) -> None:
    data = bytearray((made / "onnx" / "vision_model.onnx").read_bytes())
    data[-1] ^= 1
    (made / "onnx" / "vision_model.onnx").write_bytes(data)
    with pytest.raises(WrongWeights, match="Nothing was imported"):
        import_model(entry, made, tmp_path / "own", Counted())
    assert list((tmp_path / "own").iterdir()) == []


def test_an_older_import_stays_until_the_new_one_is_whole(
    made: Path, entry: ModelEntry, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    place = import_model(entry, made, own, Counted())
    (made / "config.json").write_bytes(b"x" * 30)
    with pytest.raises(WrongWeights):
        import_model(entry, made, own, Counted())
    assert LocalWeights({"tiny": entry}, tmp_path, own).folder("tiny") == place
    (place / "config.json").unlink()
    (made / "config.json").unlink()
    newer = entry_of(made, id="tiny", stage="siglip", repository="org/tiny")
    assert import_model(newer, made, own, Counted()) == place
    assert {one.name for one in own.iterdir()} == {"tiny", "verified.json"}


def test_what_lacks_is_named(made: Path, entry: ModelEntry, tmp_path: Path) -> None:
    (made / "config.json").unlink()
    with pytest.raises(UsageProblem, match=r"lacks config\.json of tiny"):
        import_model(entry, made, tmp_path / "own", Counted())


def test_a_cut_archive_is_told_as_such(archive: Path, entry: ModelEntry, tmp_path: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:30_000])
    with pytest.raises(FileUnreadable, match="no whole tar archive") as caught:
        import_model(entry, archive, tmp_path / "own", Counted())
    assert str(archive) in str(caught.value)
    assert list((tmp_path / "own").iterdir()) == []


def test_what_is_no_archive_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no archive" * 100)
    with pytest.raises(FileUnreadable, match="is no tar archive"):
        archived_entry(tmp_path / "x.tar")


def test_an_archive_cannot_write_outside(made: Path, entry: ModelEntry, tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar"
    with tarfile.open(evil, "w") as archive:
        for name in ("../../outside.onnx", "/outside.onnx", "files/../../outside.onnx"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("files/config.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(UsageProblem, match="lacks"):
        import_model(entry, evil, tmp_path / "own", Counted())
    assert not list(tmp_path.rglob("outside.onnx"))


def test_only_pinned_models_are_imported(made: Path, entry: ModelEntry, tmp_path: Path) -> None:
    with pytest.raises(WeightsUnpinned):
        import_model(dataclasses.replace(entry, revision=""), made, tmp_path / "own", Counted())


def test_files_that_a_person_trusts_are_hashed_into_an_entry(made: Path, entry: ModelEntry) -> None:
    plain = tuple(dataclasses.replace(file, size=0, sha256="") for file in entry.files)
    first = dataclasses.replace(plain[0], name="onnx/*")
    known = hashed_entry(dataclasses.replace(entry, files=plain), made)
    assert known == entry
    assert known.revision == REVISION
    loose = hashed_entry(dataclasses.replace(entry, revision="", files=(plain[0], first)), made)
    assert loose.pinned
    assert loose.repository == ""
    assert {file.name for file in loose.files} == {"config.json", "onnx/vision_model.onnx"}
