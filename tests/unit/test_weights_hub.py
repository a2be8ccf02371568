"""Bringing weights from a hub: whole, gone on with, refused, and told of in plain words."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_server import HubServer, random_model, running, served
from urbexmp.adapters import hub as hub_module
from urbexmp.adapters.hub import Hub
from urbexmp.adapters.hub_files import part_of
from urbexmp.adapters.weights import LocalWeights, snapshot
from urbexmp.model.stage_errors import (
    NoRoom,
    NotOnHub,
    PullFailed,
    WeightsUnpinned,
    WrongWeights,
)
from urbexmp.model.weights import ModelEntry

SIZES = {"config.json": 40, "onnx/vision_model.onnx": 300_000, "tokenizer.json": 5_000}


class Told:
    """What a transfer told."""

    def __init__(self) -> None:
        self.arrived = 0
        self.here = 0
        self.size = 0
        self.ended: list[str] = []
        self.lock = threading.Lock()

    def begin(self, model: str, size: int, here: int) -> None:
        self.size, self.here = size, here

    def moved(self, size: int) -> None:
        with self.lock:
            self.arrived += size

    def checking(self, file: str) -> None:
        pass

    def end(self, model: str) -> None:
        self.ended.append(model)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits a second before it goes on with what broke off; the pieces are small."""
    import huggingface_hub.file_download

    monkeypatch.setattr(hub_module, "CHUNK", 10_000)
    monkeypatch.setattr(huggingface_hub.file_download.time, "sleep", lambda seconds: None)


@pytest.fixture
def made(tmp_path: Path) -> tuple[HubServer, ModelEntry]:
    return served(random_model(tmp_path / "made", SIZES))


@pytest.fixture
def hub(made: tuple[HubServer, ModelEntry]) -> Iterator[HubServer]:
    with running(made[0]) as server:
        yield server


@pytest.fixture
def entry(made: tuple[HubServer, ModelEntry]) -> ModelEntry:
    return made[1]


def client(hub: HubServer, tmp_path: Path) -> Hub:
    return Hub(tmp_path / "cache", hub.address)


def weights(entry: ModelEntry, tmp_path: Path) -> LocalWeights:
    return LocalWeights({entry.id: entry}, tmp_path / "cache", tmp_path / "own")


def leftovers(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache").rglob("*.urbexmp-*"))


def test_all_files_arrive_and_are_what_the_registry_names(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    told = Told()
    folder = client(hub, tmp_path).pull(entry, told)
    assert weights(entry, tmp_path).folder("tiny") == folder
    assert told.arrived == entry.size == told.size
    assert told.ended == ["tiny"]
    assert leftovers(tmp_path) == []


def test_the_hubs_own_client_finds_them_and_asks_nothing(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    import huggingface_hub

    client(hub, tmp_path).pull(entry, Told())
    hub.asked.clear()
    for file in entry.files:
        path = huggingface_hub.hf_hub_download(
            entry.repository,
            file.name,
            revision=entry.revision,
            cache_dir=tmp_path / "cache",
            endpoint=hub.address,
        )
        assert Path(path).stat().st_size == file.size
    assert hub.asked == []


def test_a_second_pull_asks_nothing(hub: HubServer, entry: ModelEntry, tmp_path: Path) -> None:
    client(hub, tmp_path).pull(entry, Told())
    hub.asked.clear()
    told = Told()
    client(hub, tmp_path).pull(entry, told)
    assert hub.asked == []
    assert (told.arrived, told.here) == (0, entry.size)


def test_only_what_lacks_is_brought(hub: HubServer, entry: ModelEntry, tmp_path: Path) -> None:
    folder = client(hub, tmp_path).pull(entry, Told())
    (folder / "config.json").unlink()
    hub.asked.clear()
    client(hub, tmp_path).pull(entry, Told())
    assert {path.rpartition("/")[2] for _, path, _ in hub.asked} == {"config.json"}
    assert weights(entry, tmp_path).missing("tiny") == ()


def test_a_cut_connection_is_taken_up_where_it_broke(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    hub.cut_after["onnx/vision_model.onnx"] = [100_000, 50_000]
    told = Told()
    client(hub, tmp_path).pull(entry, told)
    asked = hub.ranges("vision_model.onnx")
    assert asked[0] == ""
    assert all(one.startswith("bytes=") for one in asked[1:])
    assert len(asked) == 3
    assert told.arrived == entry.size
    assert weights(entry, tmp_path).folder("tiny").is_dir()


def test_another_run_goes_on_with_what_arrived(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    hub.cut_after["onnx/vision_model.onnx"] = [120_000] + [0] * 40
    with pytest.raises(PullFailed) as caught:
        client(hub, tmp_path).pull(entry, Told())
    assert "the connection broke" in str(caught.value)
    assert "goes on where it stopped" in str(caught.value)
    hub.cut_after.clear()
    hub.asked.clear()
    told = Told()
    client(hub, tmp_path).pull(entry, told)
    (began,) = hub.ranges("vision_model.onnx")
    kept = int(began.removeprefix("bytes=").rstrip("-"))
    assert 0 < kept <= 120_000
    assert told.here >= kept
    assert told.here + told.arrived == entry.size
    assert weights(entry, tmp_path).folder("tiny").is_dir()


def test_wrong_bytes_never_get_a_name(hub: HubServer, entry: ModelEntry, tmp_path: Path) -> None:
    true = hub.files["onnx/vision_model.onnx"]
    hub.lies["onnx/vision_model.onnx"] = bytes([true[0] ^ 1]) + true[1:]
    with pytest.raises(WrongWeights) as caught:
        client(hub, tmp_path).pull(entry, Told())
    assert "onnx/vision_model.onnx" in str(caught.value)
    assert "It was deleted" in str(caught.value)
    assert not (snapshot(tmp_path / "cache", entry) / "onnx" / "vision_model.onnx").exists()
    assert [file.name for file in weights(entry, tmp_path).missing("tiny")] != []
    large = next(file for file in entry.files if file.size == 300_000)
    assert not any(name.startswith(large.sha256) for name in leftovers(tmp_path))


def test_a_file_of_another_size_is_not_even_begun(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    hub.lies["onnx/vision_model.onnx"] = b"x" * 200_000
    with pytest.raises(WrongWeights, match="200,000 bytes, not 300,000"):
        client(hub, tmp_path).pull(entry, Told())
    assert hub.ranges("vision_model.onnx") == []


def test_a_damaged_beginning_is_thrown_away_and_brought_anew(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    here = client(hub, tmp_path)
    large = next(file for file in entry.files if file.size == 300_000)
    part = part_of(here.cache, entry, large)
    part.parent.mkdir(parents=True)
    part.write_bytes(b"\0" * 1000)
    told = Told()
    here.pull(entry, told)
    assert hub.ranges("vision_model.onnx") == ["bytes=1000-", ""]
    assert told.here + told.arrived == entry.size
    assert weights(entry, tmp_path).folder("tiny").is_dir()


def test_files_travel_at_once(tmp_path: Path) -> None:
    sizes = {f"part-{n}.safetensors": 20_000 for n in range(4)}
    server, entry = served(random_model(tmp_path / "made", sizes))
    server.gate = threading.Barrier(4)
    with running(server):
        client(server, tmp_path).pull(entry, Told())
    assert weights(entry, tmp_path).folder("tiny").is_dir()


def test_two_files_of_the_same_bytes_share_them(tmp_path: Path) -> None:
    folder = random_model(tmp_path / "made", {"a.onnx": 9_000})
    (folder / "b.onnx").write_bytes((folder / "a.onnx").read_bytes())
    server, entry = served(folder)
    with running(server):
        client(server, tmp_path).pull(entry, Told())
    assert weights(entry, tmp_path).folder("tiny").is_dir()


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_the_offline_switch_forbids_every_request(
    hub: HubServer, entry: ModelEntry, tmp_path: Path, variable: str
) -> None:
    environ = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path), variable: "1"}
    with pytest.raises(PullFailed) as caught:
        Hub.of(environ).pull(entry, Told())
    assert variable in str(caught.value)
    assert "urbexmp models import" in str(caught.value)
    assert hub.asked == []


def test_offline_is_no_trouble_when_everything_is_here(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    environ = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path)}
    folder = Hub.of(environ).pull(entry, Told())
    assert Hub.of(environ | {"HF_HUB_OFFLINE": "1"}).pull(entry, Told()) == folder


@pytest.mark.parametrize(
    ("status", "code", "kind", "said"),
    [
        (401, "", NotOnHub, "does not give you org/tiny (HTTP 401)"),
        (403, "GatedRepo", NotOnHub, "only to people who accepted its terms"),
        (404, "RepoNotFound", NotOnHub, "has no org/tiny, or shows it to others only"),
        (404, "RevisionNotFound", NotOnHub, "has no commit 0123456789ab of org/tiny"),
        (404, "EntryNotFound", NotOnHub, "lacks a file of org/tiny"),
        (429, "", PullFailed, "it gets too many requests"),
        (503, "", PullFailed, "it answers with HTTP 503"),
    ],
)
def test_every_refusal_is_one_clear_sentence(
    hub: HubServer,
    entry: ModelEntry,
    tmp_path: Path,
    status: int,
    code: str,
    kind: type[Exception],
    said: str,
) -> None:
    hub.status, hub.code = status, code
    with pytest.raises(kind) as caught:
        client(hub, tmp_path).pull(entry, Told())
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_server_is_one_clear_sentence(entry: ModelEntry, tmp_path: Path) -> None:
    with pytest.raises(PullFailed) as caught:
        Hub(tmp_path / "cache", "http://127.0.0.1:9").pull(entry, Told())
    assert str(caught.value).startswith("tiny: cannot be downloaded from 127.0.0.1:9 (")
    assert "Check the network and the proxy" in str(caught.value)


def test_a_disk_that_is_too_small_is_said_before_a_byte_is_brought(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    vast = dataclasses.replace(
        entry, files=tuple(dataclasses.replace(f, size=10**15) for f in entry.files)
    )
    with pytest.raises(NoRoom, match=r"tiny needs 3,?000\.0 TB"):
        client(hub, tmp_path).pull(vast, Told())
    assert hub.asked == []


def test_what_is_not_pinned_is_refused(hub: HubServer, entry: ModelEntry, tmp_path: Path) -> None:
    with pytest.raises(WeightsUnpinned, match="no commit is known"):
        client(hub, tmp_path).pull(dataclasses.replace(entry, revision=""), Told())
    assert hub.asked == []


def test_nothing_is_told_about_us(hub: HubServer, entry: ModelEntry, tmp_path: Path) -> None:
    client(hub, tmp_path).pull(entry, Told())
    assert {path.partition("/resolve/")[0] for _, path, _ in hub.asked} == {"/org/tiny"}
    assert not any("torch" in agent for agent in hub.agents)


def test_a_token_is_shown_to_the_hub_and_to_nobody_else(
    hub: HubServer, entry: ModelEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    other, _ = served(tmp_path / "made")
    # Another name of this machine: what the client compares is the name, not the address.
    with running(other):
        hub.elsewhere = other.address.replace("127.0.0.1", "localhost")
        client(hub, tmp_path).pull(entry, Told())
    assert set(hub.tokens) == {"Bearer hf_secret"}
    assert other.ranges("vision_model.onnx") == [""]
    assert set(other.tokens) == {""}


def test_one_failure_ends_the_other_downloads(tmp_path: Path) -> None:
    sizes = {"a.onnx": 400_000, "b.onnx": 300_000}
    server, entry = served(random_model(tmp_path / "made", sizes))
    server.files.pop("b.onnx")
    server.cut_after["a.onnx"] = [20_000] * 99
    with running(server), pytest.raises(NotOnHub):
        client(server, tmp_path).pull(entry, Told())
    assert len(server.ranges("a.onnx")) < 20


def unpinned(entry: ModelEntry) -> ModelEntry:
    files = tuple(dataclasses.replace(file, size=0, sha256="") for file in entry.files)
    return dataclasses.replace(entry, revision="", files=files)


def test_pinning_finds_commit_sizes_and_hashes(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    assert client(hub, tmp_path).pin(unpinned(entry), Told()) == entry
    assert weights(entry, tmp_path).folder("tiny").is_dir()


def test_pinning_keeps_to_a_hash_that_is_known(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    large = next(file for file in entry.files if file.size == 300_000)
    wrong = dataclasses.replace(large, sha256="0" * 64)
    files = tuple(wrong if file == large else file for file in entry.files)
    with pytest.raises(WrongWeights):
        client(hub, tmp_path).pin(dataclasses.replace(entry, revision="", files=files), Told())


def test_a_name_with_a_star_takes_what_there_is(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    hub.files["onnx/vision_model.onnx_data"] = os.urandom(2000)
    hub.files["onnx/vision_model.py"] = b"print('no')"
    names = ("onnx/vision_model*", "vocab.json*")
    files = tuple(dataclasses.replace(entry.files[0], name=n, size=0, sha256="") for n in names)
    pinned = client(hub, tmp_path).pin(dataclasses.replace(entry, revision="", files=files), Told())
    assert [file.name for file in pinned.files] == [
        "onnx/vision_model.onnx",
        "onnx/vision_model.onnx_data",
    ]
    assert pinned.pinned


def test_pinning_takes_no_other_commit_than_the_one_that_is_known(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    known = dataclasses.replace(unpinned(entry), revision=entry.revision)
    hub.claims = "f" * 40
    with pytest.raises(NotOnHub, match="which nobody asked for"):
        client(hub, tmp_path).pin(known, Told())


def test_pinning_says_which_file_the_hub_lacks(
    hub: HubServer, entry: ModelEntry, tmp_path: Path
) -> None:
    hub.files.pop("tokenizer.json")
    with pytest.raises(NotOnHub, match=r"has no tokenizer\.json in org/tiny"):
        client(hub, tmp_path).pin(unpinned(entry), Told())
