"""`urbexmp models convert florence`, from a checkpoint to models that the stage loads."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tiny.florence import build
from unit.words_examples import small
from urbexmp.adapters.exporting.florence_onnx import Report
from urbexmp.adapters.stages.florence import FlorenceStage
from urbexmp.adapters.weights import LocalWeights
from urbexmp.cli.main import run
from urbexmp.model.observation import CaptureFacts, Context, Preview, StageInput, View
from urbexmp.rules.model_list import load_models


def picture(seed: int) -> StageInput:
    preview = Preview(70, 50, np.random.default_rng(seed).bytes(70 * 50 * 3), "image")
    return StageInput(View(CaptureFacts(), lambda: preview), Context())


def test_a_checkpoint_becomes_models_that_the_stage_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = build(tmp_path / "checkpoint")
    out = tmp_path / "models" / "mine"
    out.parent.mkdir()
    words = ["models", "convert", "florence", str(folder), str(out), "--int8", "--id", "Mine"]
    assert run([*words, "--json"]) == 0
    told = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    gaps = {one["part"]: one["difference"] for one in told if one["event"] == "converted"}
    assert len(gaps) == 8
    assert all(gap < 1e-4 for part, gap in gaps.items() if part.endswith("fp32"))
    assert told[-2]["same"]["fp32"] is True
    known = load_models(tomllib.loads(told[-1]["toml"]), lambda *_: 0, "printed")
    (tmp_path / "models" / "mine-int8").symlink_to(out, target_is_directory=True)
    weights = LocalWeights(known, tmp_path / "none", out.parent)
    tasks = "caption, detailed_caption, ocr"
    stage = FlorenceStage(small(), weights, model="mine", tasks=tasks, max_tokens=40, threads=1)
    assert stage.ready() is None
    assert any(stage.look_many([picture(seed) for seed in (0, 2, 5)]))
    other = weights.entry("mine-int8")
    assert other.settings["reference"] == "mine"
    assert [file.name for file in other.files if file.name.endswith("_quantized.onnx")]
    assert run(words) == 2
    assert "not empty" in capsys.readouterr().err


def test_the_parity_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from urbexmp.adapters.exporting import florence_onnx

    def made(folder: Path, out: Path, variants: Sequence[str]) -> Report:
        assert variants == ("fp32",)
        out.mkdir()
        (out / "encoder_model.onnx").write_bytes(b"graph")
        (out / "encoder_model.onnx_data").write_bytes(b"weights")
        (out / "encoder_model_quantized.onnx").write_bytes(b"small")
        files = tuple((one.name, one.stat().st_size) for one in sorted(out.iterdir()))
        return Report(
            out, files, (("encoder_model fp32", 2e-6),), (("fp32", True), ("int8", False))
        )

    monkeypatch.setattr(florence_onnx, "convert", made)
    (tmp_path / "small one").mkdir()
    words = ["models", "convert", "florence", str(tmp_path / "small one"), str(tmp_path / "out")]
    assert run(words) == 0
    said = capsys.readouterr().out
    assert "encoder_model fp32  2.0e-06" in said
    assert "fp32: the words of an answer are the same as torch's" in said
    assert "int8: the words of an answer are not the same as torch's" in said
    known = tomllib.loads(said[said.index("[model.") :])["model"]
    whole = [one["name"] for one in known["small-one-own"]["files"]]
    assert whole == ["encoder_model.onnx", "encoder_model.onnx_data"]
    assert known["small-one-own-int8"]["settings"]["reference"] == "small-one-own"


def test_a_folder_without_a_checkpoint_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    words = ["models", "convert", "florence", str(tmp_path / "empty"), str(tmp_path / "out")]
    assert run(words) == 17
    assert "no Florence-2" in capsys.readouterr().err
