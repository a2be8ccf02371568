"""`urbexmp models convert ram`, from a checkpoint to a model that the stage loads."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tiny import ram as tiny
from unit.words_examples import urbex
from urbexmp.adapters.stages.ram import RamStage
from urbexmp.adapters.weights import LocalWeights
from urbexmp.cli.main import run
from urbexmp.model.observation import CaptureFacts, Context, Preview, StageInput, View
from urbexmp.rules.model_list import load_models


def picture() -> StageInput:
    preview = Preview(8, 6, bytes(range(144)), "image")
    return StageInput(View(CaptureFacts(), lambda: preview), Context())


def test_a_checkpoint_becomes_a_model_that_the_stage_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny.build_checkpoint(tmp_path / "checkpoint")
    out = tmp_path / "own" / "mine"
    out.parent.mkdir()
    sizes = ("--size", str(tiny.SIDE), "--tags", str(len(tiny.WORDS)))
    words = ["models", "convert", "ram", str(folder), str(out)]
    assert run([*words, *sizes, "--id", "Mine", "--json"]) == 0
    said = capsys.readouterr().out.splitlines()
    converted, entry = (json.loads(one) for one in said)
    assert converted["file"] == "ram_plus.onnx"
    assert converted["largest"] < 1e-5
    known = load_models(tomllib.loads(entry["toml"]), lambda *_: 0, "printed")
    stage = RamStage(urbex(), LocalWeights(known, tmp_path, out.parent), model="mine")
    assert stage.ready() is None
    assert stage.look(picture())
    assert run([*words, *sizes]) == 2
    assert "not empty" in capsys.readouterr().err


def test_a_folder_without_a_checkpoint_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert run(["models", "convert", "ram", str(tmp_path / "empty"), str(tmp_path / "out")]) == 17
    said = capsys.readouterr().err
    assert "0 .pth files" in said
    assert "urbexmp models pull ram-plus-torch" in said
