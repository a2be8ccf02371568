"""Quantised taggers: used where they agree with full precision, refused where they do not."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny import florence as tiny_florence
from tiny import ram as tiny_ram
from tiny.registry import entry_of, weights_of
from unit.words_examples import small, urbex
from urbexmp.adapters.exporting import florence_onnx, ram_onnx
from urbexmp.adapters.stages import tagger_check
from urbexmp.adapters.stages.florence import FlorenceStage
from urbexmp.adapters.stages.ram import RamStage
from urbexmp.adapters.weights import LocalWeights
from urbexmp.model.observation import CaptureFacts, Context, Preview, StageInput, View
from urbexmp.model.stage_errors import StageMissing


def picture() -> StageInput:
    preview = Preview(70, 50, np.random.default_rng(2).bytes(70 * 50 * 3), "image")
    return StageInput(View(CaptureFacts(), lambda: preview), Context())


@pytest.fixture(scope="module")
def ram_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`whole` and `int8`, each a folder of one model."""
    folder = tmp_path_factory.mktemp("ram-check")
    made = folder / "whole"
    ram_onnx.convert(
        tiny_ram.build_checkpoint(folder / "built"),
        made,
        ("fp32", "int8"),
        side=tiny_ram.SIDE,
        tags=len(tiny_ram.WORDS),
    )
    (folder / "int8").mkdir()
    (made / "ram_plus_int8.onnx").rename(folder / "int8" / "ram_plus_int8.onnx")
    for name in ("whole", "int8"):
        tiny_ram.build_lists(folder / name)
    shutil.rmtree(folder / "built")
    return folder


@pytest.fixture(scope="module")
def florence_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("florence-check")
    made = folder / "whole"
    florence_onnx.convert(tiny_florence.build(folder / "built"), made)
    shutil.rmtree(folder / "built")
    shutil.copytree(made, folder / "int8")
    for name, mark in (("whole", True), ("int8", False)):
        for path in (folder / name / "onnx").iterdir():
            if ("quantized" in path.name) == mark:
                path.unlink()
    return folder


@pytest.fixture(params=["ram", "florence"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def files(kind: str, ram_files: Path, florence_files: Path, tmp_path: Path) -> Path:
    return shutil.copytree({"ram": ram_files, "florence": florence_files}[kind], tmp_path / kind)


def weights(kind: str, folder: Path, *, reference: bool = True) -> LocalWeights:
    settings: dict[str, Any] = {"variant": "int8", "reference": "whole"}
    if kind == "ram":
        settings |= tiny_ram.SETTINGS | ram_onnx.SETTINGS
    whole = entry_of(folder / "whole", id="whole", stage=kind, settings=settings)
    whole = replace(whole, settings={**settings, "variant": "fp32", "reference": ""})
    used = entry_of(folder / "int8", id="int8", stage=kind, settings=settings)
    if not reference:
        shutil.rmtree(folder / "whole")
    return weights_of(folder, whole, used)


def stage(kind: str, known: LocalWeights) -> RamStage | FlorenceStage:
    if kind == "ram":
        return RamStage(urbex(), known, model="int8", floor=0.0)
    return FlorenceStage(small(), known, model="int8", max_tokens=12, threads=1)


def wrong(kind: str, folder: Path) -> None:
    """The scales of its weights mixed up: a legal graph that computes something else."""
    from onnx import load, numpy_helper, save

    names = {"ram": "ram_plus_int8.onnx", "florence": "onnx/decoder_model_merged_quantized.onnx"}
    path = folder / "int8" / names[kind]
    graph = load(path)
    chance = np.random.default_rng(0)
    for one in graph.graph.initializer:
        if one.name.endswith("scale"):
            value = numpy_helper.to_array(one)
            mixed = (value * chance.choice([-1.0, 6.0], value.shape)).astype(value.dtype)
            one.CopyFrom(numpy_helper.from_array(mixed, one.name))
    save(graph, path)


def test_what_agrees_is_used_and_checked_once(
    kind: str, files: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    known = weights(kind, files)
    said = stage(kind, known).look(picture())
    assert "itself" not in caplog.text
    kept = json.loads((known.own / tagger_check.NOTES).read_bytes())
    assert [cosine > 0.95 for cosine, _ in kept.values()] == [True]

    def never(*_: object) -> None:
        raise AssertionError("checked again")

    monkeypatch.setattr(tagger_check, f"{kind}_agreement", never)
    assert stage(kind, known).look(picture()) == said


def test_what_was_quantised_wrongly_is_refused_and_stays_refused(kind: str, files: Path) -> None:
    wrong(kind, files)
    known = weights(kind, files)
    for _ in range(2):
        with pytest.raises(StageMissing, match="disagrees with full precision") as caught:
            stage(kind, known).look(picture())
        assert f"[stage.{kind}]" in str(caught.value)


def test_without_full_precision_it_is_held_against_itself_and_that_is_said(
    kind: str, files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "urbexmp.stages"):
        stage(kind, weights(kind, files, reference=False)).look(picture())
    assert "checked against itself only" in caplog.text


def test_full_precision_is_not_checked(
    kind: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("checked")

    monkeypatch.setattr(tagger_check, f"{kind}_agreement", never)
    known = weights(kind, files)
    looking = (
        RamStage(urbex(), known, model="whole", floor=0.0)
        if kind == "ram"
        else FlorenceStage(small(), known, model="whole", max_tokens=12, threads=1)
    )
    looking.look(picture())
    assert not (known.own / tagger_check.NOTES).exists()
