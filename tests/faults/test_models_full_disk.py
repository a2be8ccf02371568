"""A disk that fills up while weights are brought: said so, and gone on with later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.full_disk import SmallDisk, small_disk
from hub_server import HubServer, random_model, running, served
from urbexmp.adapters import hub as hub_module
from urbexmp.adapters.hub import Hub
from urbexmp.adapters.model_transfer import import_model
from urbexmp.adapters.weights import LocalWeights
from urbexmp.model.stage_errors import NoRoom
from urbexmp.model.weights import ModelEntry


class Counted:
    """Counts what arrives."""

    def __init__(self) -> None:
        self.here = self.arrived = 0

    def begin(self, model: str, size: int, here: int) -> None:
        self.here = here

    def moved(self, size: int) -> None:
        self.arrived += size

    def checking(self, file: str) -> None:
        """Nothing to keep."""

    def end(self, model: str) -> None:
        """Nothing to keep."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as small:
        yield small


@pytest.fixture
def made(tmp_path: Path) -> tuple[HubServer, ModelEntry]:
    return served(random_model(tmp_path / "made", {"a.onnx": 500_000, "config.json": 20}))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "CHUNK", 10_000)


def test_a_download_into_a_full_disk_is_gone_on_with(
    disk: SmallDisk, made: tuple[HubServer, ModelEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, entry = made
    # As if the room had gone after it was looked at.
    monkeypatch.setattr(hub_module, "SPARE", -(10**9))
    with running(server):
        hub = Hub(disk.folder / "hub", server.address)
        with disk.full(200_000), pytest.raises(NoRoom) as caught:
            hub.pull(entry, Counted())
        assert "there is too little room on the disk" in str(caught.value)
        assert "What arrived is kept" in str(caught.value)
        told = Counted()
        hub.pull(entry, told)
    assert told.here > 0
    assert told.here + told.arrived == entry.size
    assert LocalWeights({"tiny": entry}, disk.folder / "hub").folder("tiny").is_dir()


def test_a_disk_without_the_room_is_not_even_begun_with(
    disk: SmallDisk, made: tuple[HubServer, ModelEntry]
) -> None:
    if not disk.mounted:
        pytest.skip("a limit on the size of files is no smaller disk")
    server, entry = made
    with running(server), pytest.raises(NoRoom, match="Nothing was downloaded"):
        Hub(disk.folder / "hub", server.address).pull(entry, Counted())
    assert server.asked == []


def test_an_import_into_a_full_disk_leaves_nothing(
    disk: SmallDisk, made: tuple[HubServer, ModelEntry], tmp_path: Path
) -> None:
    _, entry = made
    own = disk.folder / "models"
    with disk.full(200_000), pytest.raises(NoRoom):
        import_model(entry, tmp_path / "made", own, Counted())
    assert list(own.iterdir()) == []
    place = import_model(entry, tmp_path / "made", own, Counted())
    assert (place / "a.onnx").stat().st_size == 500_000
