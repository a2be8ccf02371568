"""Weights on this machine: found, checked once, and refused when they are not the pinned ones."""

from __future__ import annotations

import dataclasses
import os
import pickle
from pathlib import Path

import pytest

from tiny.registry import REVISION, entry_of, weights_of
from urbexmp.adapters import weights as weights_module
from urbexmp.adapters.lock import FileLock
from urbexmp.adapters.weights import VERIFIED, LocalWeights, hub_cache
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.stage_errors import WeightsDamaged, WeightsMissing, WeightsUnpinned
from urbexmp.model.weights import ModelEntry


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with the files of a model."""
    folder = tmp_path / "made"
    (folder / "onnx").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "onnx" / "vision_model.onnx").write_bytes(bytes(range(256)) * 40)
    return folder


def in_hub_cache(cache: Path, made: Path, entry: ModelEntry) -> Path:
    """Lay the files out as the hub's client does: blobs by their hash, and links to them."""
    top = cache / ("models--" + entry.repository.replace("/", "--"))
    snapshot = top / "snapshots" / entry.revision
    for file in entry.files:
        blob = top / "blobs" / file.sha256
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes((made / file.name).read_bytes())
        link = snapshot / file.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    return snapshot


def counted_hashes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are hashed from now on."""
    hashed: list[Path] = []
    real = weights_module.sha256_of

    def counting(path: Path, *rest: object) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(weights_module, "sha256_of", counting)
    return hashed


def test_a_tiny_model_is_found_by_the_names_of_its_repository(made: Path) -> None:
    entry = entry_of(made, id="tiny", stage="siglip", settings={"size": 32})
    folder = weights_of(made, entry).folder("tiny")
    assert (folder / "onnx" / "vision_model.onnx").read_bytes()[:3] == b"\0\1\2"
    assert (folder / "config.json").is_file()


def test_several_tiny_models_lie_in_folders_of_their_own(made: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    both.mkdir()
    made.rename(both / "one")
    (both / "two").mkdir()
    (both / "two" / "x.json").write_text("2")
    entries = [entry_of(both / name, id=name, stage="ram") for name in ("one", "two")]
    weights = weights_of(both, *entries)
    assert (weights.folder("two") / "x.json").read_text() == "2"
    assert (weights.folder("one") / "config.json").is_file()


def test_files_are_found_in_the_cache_of_the_hub(made: Path, tmp_path: Path) -> None:
    entry = entry_of(made, id="tiny", stage="siglip", repository="org/tiny")
    snapshot = in_hub_cache(tmp_path / "hub", made, entry)
    weights = LocalWeights({"tiny": entry}, tmp_path / "hub", tmp_path / "own")
    assert weights.missing("tiny") == ()
    assert weights.folder("tiny") == snapshot


def test_another_commit_is_not_the_pinned_one(made: Path, tmp_path: Path) -> None:
    entry = entry_of(made, id="tiny", stage="siglip", repository="org/tiny")
    in_hub_cache(tmp_path / "hub", made, entry)
    other = dataclasses.replace(entry, revision=REVISION[::-1])
    weights = LocalWeights({"tiny": other}, tmp_path / "hub", tmp_path / "own")
    assert weights.missing("tiny") == entry.files


def test_missing_weights_are_named_with_their_size_and_the_command(
    made: Path, tmp_path: Path
) -> None:
    entry = entry_of(made, id="tiny", stage="siglip", repository="org/tiny")
    weights = LocalWeights({"tiny": entry}, tmp_path / "hub", tmp_path / "own")
    with pytest.raises(WeightsMissing) as caught:
        weights.folder("tiny")
    assert "siglip needs tiny (10.2 KB)" in str(caught.value)
    assert "urbexmp models pull tiny" in str(caught.value)


def test_of_a_model_that_is_half_here_the_rest_is_asked_for(made: Path) -> None:
    entry = entry_of(made, id="tiny", stage="siglip")
    weights = weights_of(made, entry)
    (made / "config.json").unlink()
    assert [file.name for file in weights.missing("tiny")] == ["config.json"]
    with pytest.raises(WeightsMissing, match=r"2 bytes of 10\.2 KB missing"):
        weights.folder("tiny")


def test_a_flipped_byte_is_refused(made: Path) -> None:
    entry = entry_of(made, id="tiny", stage="siglip")
    weights = weights_of(made, entry)
    data = bytearray((made / "onnx" / "vision_model.onnx").read_bytes())
    data[5000] ^= 1
    (made / "onnx" / "vision_model.onnx").write_bytes(data)
    with pytest.raises(WeightsDamaged) as caught:
        weights.folder("tiny")
    assert "vision_model.onnx" in str(caught.value)
    assert "urbexmp models pull --again tiny" in str(caught.value)


def test_a_file_is_hashed_once(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = entry_of(made, id="tiny", stage="siglip")
    weights = weights_of(made, entry)
    hashed = counted_hashes(monkeypatch)
    weights.folder("tiny")
    weights.folder("tiny")
    assert len(hashed) == 2
    weights.verify("tiny")
    assert len(hashed) == 4


def test_what_two_processes_hash_at_once_is_noted_by_both(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = tmp_path / "both"
    (both / "two").mkdir(parents=True)
    made.rename(both / "one")
    (both / "two" / "x.json").write_text("2")
    entries = [entry_of(both / name, id=name, stage="ram") for name in ("one", "two")]
    weights = weights_of(both, *entries)
    # The second is verified from beginning to end while the first is being hashed.
    weights.verify("one", hashed=lambda file, size: weights.verify("two") and None)
    hashed = counted_hashes(monkeypatch)
    weights.folder("one")
    weights.folder("two")
    assert hashed == []


def test_who_comes_while_another_process_hashes_takes_its_word(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_of(made, id="tiny", stage="siglip")
    first = weights_of(made, entry)
    assert first.own is not None
    hashing = FileLock(first.own / ".hashing-tiny").__enter__()
    hashed = counted_hashes(monkeypatch)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            first.verify("tiny")
            hashing.__exit__()

    monkeypatch.setattr(weights_module.time, "sleep", pause)
    second = LocalWeights(first.entries, first.cache, first.own)
    second.folder("tiny")
    assert (len(pauses), len(hashed)) == (2, 2), "two files, hashed by the first alone"


def test_without_a_note_a_process_hashes_once_and_its_workers_take_its_word(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_of(made, id="tiny", stage="siglip", repository="org/tiny")
    snapshot = in_hub_cache(tmp_path / "hub", made, entry)
    weights = LocalWeights({"tiny": entry}, tmp_path / "hub")
    hashed = counted_hashes(monkeypatch)
    weights.folder("tiny")
    sent = pickle.loads(pickle.dumps(weights))
    sent.folder("tiny")
    assert len(hashed) == 2
    os.utime((snapshot / "config.json").resolve(), ns=(1, 1))
    sent.folder("tiny")
    assert len(hashed) == 3


def test_a_file_that_changed_is_hashed_again(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = entry_of(made, id="tiny", stage="siglip")
    weights = weights_of(made, entry)
    weights.folder("tiny")
    os.utime(made / "config.json", ns=(1, 1))
    hashed = counted_hashes(monkeypatch)
    weights.folder("tiny")
    assert [path.name for path in hashed] == ["config.json"]


@pytest.mark.parametrize("note", [b"", b"[]", b"{not json", b'{"a": 3}', b"\xff\xfe"])
def test_a_damaged_note_of_what_was_hashed_costs_only_time(made: Path, note: bytes) -> None:
    entry = entry_of(made, id="tiny", stage="siglip")
    weights = weights_of(made, entry)
    assert weights.own is not None
    (weights.own / VERIFIED).write_bytes(note)
    assert weights.folder("tiny").is_dir()


def test_a_folder_that_cannot_be_written_costs_only_time(made: Path, tmp_path: Path) -> None:
    entry = entry_of(made, id="tiny", stage="siglip", repository="org/tiny")
    in_hub_cache(tmp_path / "hub", made, entry)
    (tmp_path / "file").write_text("in the way")
    weights = LocalWeights({"tiny": entry}, tmp_path / "hub", tmp_path / "file" / "own")
    assert weights.folder("tiny").is_dir()


def test_what_has_no_hash_is_never_loaded(made: Path) -> None:
    entry = entry_of(made, id="tiny", stage="siglip")
    first, second = entry.files
    open_entry = dataclasses.replace(entry, files=(dataclasses.replace(first, sha256=""), second))
    weights = weights_of(made, open_entry)
    with pytest.raises(WeightsUnpinned, match="no hash is known of 1 of its 2 files") as caught:
        weights.folder("tiny")
    assert "pull --pin tiny" in str(caught.value)
    assert weights.missing("tiny") == open_entry.files


def test_an_unknown_model_is_told_which_was_perhaps_meant(made: Path) -> None:
    weights = weights_of(made, entry_of(made, id="ram-plus", stage="ram"))
    with pytest.raises(ConfigProblem, match="did you mean ram-plus"):
        weights.entry("ram-pluss")


def test_weights_can_be_sent_to_a_worker(made: Path) -> None:
    entry = entry_of(made, id="tiny", stage="siglip", settings={"scale": 117.3})
    sent: LocalWeights = pickle.loads(pickle.dumps(weights_of(made, entry)))
    assert sent.entry("tiny") == entry
    assert sent.entry("tiny").digest == entry.digest
    assert sent.folder("tiny").is_dir()


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, Path("/a")),
        ({"HF_HOME": "/b"}, Path("/b/hub")),
        ({"XDG_CACHE_HOME": "/c"}, Path("/c/huggingface/hub")),
        ({}, Path("~/.cache/huggingface/hub").expanduser()),
    ],
)
def test_the_cache_is_where_the_hubs_client_has_it(environ: dict[str, str], wanted: Path) -> None:
    assert hub_cache(environ) == wanted
