"""`urbexmp models convert siglip`: ONNX files from a checkpoint, and the entry that names them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from siglip_models import VOCABULARY, checkpoint, labels, picture, seen
from urbexmp.adapters.exporting import siglip_onnx
from urbexmp.adapters.stages.siglip import SiglipStage
from urbexmp.adapters.weights import LocalWeights
from urbexmp.cli.main import run
from urbexmp.rules.model_list import load_models


@pytest.fixture
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.getbasetemp(), "v2")


def test_what_is_made_looks_at_pictures_under_the_entry_that_is_printed(
    source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "models" / "mine"
    assert (
        run(["models", "convert", "siglip", str(source), str(out), "--id", "Mine", "--json"]) == 0
    )
    told = [json.loads(one) for one in capfd.readouterr().out.splitlines()]
    parity = {one["file"]: one for one in told if one["event"] == "converted"}
    assert set(parity) == {
        f"onnx/{tower}_model{suffix}.onnx"
        for tower in ("vision", "text")
        for suffix in ("", "_quantized")
    }
    for name, one in parity.items():
        assert one["cosine"] > (0.99 if "quantized" in name else 0.99999)
        assert "quantized" in name or one["largest"] <= 1e-5
    entry = told[-1]
    assert entry["scale"] == pytest.approx(112.5, rel=1e-5)
    assert entry["bias"] == pytest.approx(-12.5)
    models = load_models(tomllib.loads(entry["toml"]), lambda *_: 0, "printed")
    weights = LocalWeights(models, tmp_path / "no-cache", tmp_path / "models")
    said = SiglipStage(VOCABULARY, weights, model="mine", least=0.0).look(seen(picture()))
    assert len(labels(said)) == 3


def test_a_folder_with_something_in_it_is_left_alone(
    source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    assert run(["models", "convert", "siglip", str(source), str(tmp_path)]) == 2
    assert "is not empty" in capfd.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize(
    ("change", "told"),
    [("other", "model_type 'siglip2'"), ("gone", "model.safetensors is not there")],
)
def test_a_checkpoint_that_cannot_be_converted_is_told_in_words(
    source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], change: str, told: str
) -> None:
    folder = tmp_path / "from"
    folder.mkdir()
    for name in (*siglip_onnx.COPIED, "model.safetensors"):
        if name != "model.safetensors" or change != "gone":
            (folder / name).write_bytes((source / name).read_bytes())
    if change == "other":
        config = json.loads((folder / "config.json").read_bytes())
        (folder / "config.json").write_text(json.dumps({**config, "model_type": "siglip2"}))
    assert run(["models", "convert", "siglip", str(folder), str(tmp_path / "out")]) == 17
    assert told in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_missing_packages_are_named_with_the_command(
    source: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(siglip_onnx, "missing_packages", lambda: ("torch", "onnxscript"))
    assert run(["models", "convert", "siglip", str(source), str(tmp_path / "out")]) == 52
    said = capfd.readouterr().err
    assert "torch, onnxscript" in said
    assert "pip install" in said
