"""The `ram` stage on a tiny model of the true architecture, as ONNX and in torch."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny import ram as tiny
from tiny.registry import entry_of, weights_of
from unit.words_examples import CHECKOUT, urbex
from urbexmp.adapters.exporting.ram_onnx import SETTINGS, convert
from urbexmp.adapters.stages import ram as stages_ram
from urbexmp.adapters.stages.ram import RamStage
from urbexmp.adapters.stages.ram_onnx import RamOnnx
from urbexmp.adapters.weights import LocalWeights
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    Preview,
    StageInput,
    StageLook,
    View,
)
from urbexmp.model.profile import Profile
from urbexmp.model.stage_errors import (
    StageFailed,
    StageMissing,
    WeightsDamaged,
    WeightsMissing,
    WeightsUnpinned,
)
from urbexmp.rules.propose import propose


def picture(seed: int, width: int = 96, height: int = 60) -> StageInput:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    noise[: height // 2] //= 1 + seed
    preview = Preview(width, height, noise.tobytes(), "image")
    return StageInput(View(CaptureFacts(), lambda: preview), Context())


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> LocalWeights:
    """`ram-plus` as ONNX with its lists, `ram-plus-torch` without any, `ram-lists`."""
    folder = tmp_path_factory.mktemp("ram")
    checkpoint = tiny.build_checkpoint(folder / "built")
    made = convert(
        checkpoint, folder / "ram-plus", ("fp32", "int8"), side=tiny.SIDE, tags=len(tiny.WORDS)
    )
    whole, small = made.parity
    assert whole.largest < 1e-5
    assert whole.flipped == 0.0
    assert small.largest < 0.1
    (folder / "ram-plus-int8").mkdir()
    (folder / "ram-plus" / "ram_plus_int8.onnx").rename(folder / "ram-plus-int8" / "x_int8.onnx")
    (folder / "ram-plus-torch").mkdir()
    shutil.copy(checkpoint / tiny.CHECKPOINT, folder / "ram-plus-torch")
    tiny.build_lists(folder / "ram-lists")
    elsewhere = {**tiny.SETTINGS, "lists": "ram-lists"}
    told: dict[str, dict[str, Any]] = {
        "ram-plus": {**tiny.SETTINGS, **SETTINGS},
        "ram-plus-int8": {**elsewhere, **SETTINGS},
        "ram-plus-torch": elsewhere,
        "ram-lists": dict(tiny.SETTINGS),
    }
    entries = [
        entry_of(folder / name, id=name, stage="ram", settings=settings)
        for name, settings in told.items()
    ]
    return weights_of(folder, *entries)


def labels(said: Sequence[Observation]) -> dict[str, float]:
    return {one.label: one.score or 0.0 for one in said}


def test_every_tag_above_the_floor_is_said_with_its_score(models: LocalWeights) -> None:
    stage = RamStage(urbex(), models, floor=0.2)
    assert stage.ready() is None
    said = stage.look(picture(0))
    assert {one.kind for one in said} == {ObservationKind.LABEL}
    assert {one.source for one in said} == {"tag"}
    scores = [one.score or 0.0 for one in said]
    assert scores == sorted(scores, reverse=True)
    assert 3 < len(said) < len(tiny.WORDS)
    assert min(scores) >= 0.2
    assert set(labels(said)) < set(tiny.WORDS) - {"wall"}
    assert (
        labels(RamStage(urbex(), models, floor=0.0).look(picture(0))).items()
        >= labels(said).items()
    )
    assert RamStage(urbex(), models, floor=0.2, most=2).look(picture(0)) == said[:2]


def test_another_picture_gets_other_scores(models: LocalWeights) -> None:
    stage = RamStage(urbex(), models, floor=0.0)
    first, second = labels(stage.look(picture(0))), labels(stage.look(picture(3)))
    assert max(abs(first[tag] - second[tag]) for tag in first) > 0.01


def test_both_forms_say_the_same(models: LocalWeights) -> None:
    onnx = RamStage(urbex(), models, floor=0.0)
    torch = RamStage(urbex(), models, floor=0.0, backend="torch", device="cpu")
    assert onnx.id != torch.id
    for seed in range(3):
        one, other = labels(onnx.look(picture(seed))), labels(torch.look(picture(seed)))
        assert one.keys() == other.keys()
        assert max(abs(one[tag] - other[tag]) for tag in one) < 2e-4


def test_eight_bits_come_near(models: LocalWeights) -> None:
    whole = labels(RamStage(urbex(), models, floor=0.0).look(picture(1)))
    stage = RamStage(urbex(), models, model="ram-plus-int8", floor=0.0)
    small = labels(stage.look(picture(1)))
    assert max(abs(whole[tag] - small[tag]) for tag in whole) < 0.15


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_several_pictures_together_get_what_each_gets_alone(
    models: LocalWeights, backend: str
) -> None:
    stage = RamStage(urbex(), models, backend=backend, device="cpu", floor=0.0)
    seen = [picture(seed, 60 + seed, 90) for seed in range(3)]
    for together, one in zip(stage.look_many(seen), seen, strict=True):
        alone = labels(stage.look(one))
        assert max(abs(labels(together)[tag] - alone[tag]) for tag in alone) < 2e-4


def test_too_many_pictures_for_the_memory_are_looked_at_in_halves(
    models: LocalWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = RamStage(urbex(), models, floor=0.0)
    alone = [stage.look(picture(seed)) for seed in range(5)]
    asked: list[int] = []
    real = RamOnnx.scores

    def narrow(self: RamOnnx, pictures: Sequence[Any]) -> list[Any]:
        asked.append(len(pictures))
        if len(pictures) > 1:
            raise MemoryError
        return real(self, pictures)

    monkeypatch.setattr(RamOnnx, "scores", narrow)
    assert list(stage.look_many([picture(seed) for seed in range(5)])) == alone
    assert max(asked) == 5

    def none(self: RamOnnx, pictures: Sequence[Any]) -> list[Any]:
        raise MemoryError

    monkeypatch.setattr(RamOnnx, "scores", none)
    with pytest.raises(MemoryError):
        stage.look(picture(0))


def test_torch_takes_over_where_it_alone_could_run(models: LocalWeights, tmp_path: Path) -> None:
    assert models.own is not None
    partly = tmp_path / "own"
    partly.mkdir()
    for name in ("ram-plus-torch", "ram-lists"):
        (partly / name).symlink_to(models.own / name)
    weights = LocalWeights(models.entries, tmp_path / "none", partly)
    taken = RamStage(urbex(), weights)
    assert taken.id == RamStage(urbex(), weights, backend="torch").id
    assert taken.ready() is None
    fixed = RamStage(urbex(), weights, backend="onnx")
    problem = fixed.ready()
    assert isinstance(problem, WeightsMissing)
    assert "urbexmp models pull ram-plus" in str(problem)
    with pytest.raises(WeightsMissing):
        fixed.look(picture(0))
    (partly / "ram-lists").unlink()
    problem = RamStage(urbex(), weights, backend="torch").ready()
    assert isinstance(problem, WeightsMissing)
    assert "urbexmp models pull ram-lists" in str(problem)


def test_a_model_that_is_not_pinned_is_not_loaded(models: LocalWeights) -> None:
    from dataclasses import replace

    entry = replace(models.entry("ram-plus"), repository="someone/ram", revision="")
    weights = LocalWeights({"ram-plus": entry}, models.cache, models.own)
    assert isinstance(RamStage(urbex(), weights).ready(), WeightsUnpinned)


def changed(models: LocalWeights, tmp_path: Path, name: str, held: bytes) -> LocalWeights:
    """`ram-plus` with one other file, and a registry that knows its hash."""
    assert models.own is not None
    folder = tmp_path / "changed"
    shutil.copytree(models.own / "ram-plus", folder)
    (folder / name).write_bytes(held)
    settings = models.entry("ram-plus").settings
    return weights_of(folder, entry_of(folder, id="ram-plus", stage="ram", settings=settings))


def test_a_flipped_byte_in_the_checkpoint_is_found_before_it_is_loaded(
    models: LocalWeights, tmp_path: Path
) -> None:
    assert models.own is not None
    folder = tmp_path / "own"
    shutil.copytree(models.own / "ram-lists", folder / "ram-lists")
    shutil.copytree(models.own / "ram-plus-torch", folder / "ram-plus-torch")
    path = folder / "ram-plus-torch" / tiny.CHECKPOINT
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    stage = RamStage(urbex(), LocalWeights(models.entries, folder, folder), backend="torch")
    with pytest.raises(WeightsDamaged, match="SHA-256"):
        stage.look(picture(0))


def test_lists_of_another_model_are_refused(models: LocalWeights, tmp_path: Path) -> None:
    weights = changed(models, tmp_path, "ram_tag_list.txt", b"rust\nivy\n")
    stage = RamStage(urbex(), weights)
    with pytest.raises(WeightsDamaged, match=f"2 tags instead of {len(tiny.WORDS)}"):
        stage.look(picture(0))


def test_an_onnx_file_that_is_none_is_said(models: LocalWeights, tmp_path: Path) -> None:
    stage = RamStage(urbex(), changed(models, tmp_path, tiny.ONNX, b"no model"))
    with pytest.raises(StageMissing, match="cannot load the model"):
        stage.look(picture(0))


def test_a_model_for_another_size_is_said(models: LocalWeights) -> None:
    path = models.folder("ram-plus") / tiny.ONNX
    with pytest.raises(StageFailed, match="not one picture of 384 x 384"):
        RamOnnx(path, 384)
    with pytest.raises(StageFailed, match="no output 'tags'; it has logits"):
        RamOnnx(path, tiny.SIDE, output="tags")


def test_what_a_file_gives_is_told_by_its_numbers(models: LocalWeights) -> None:
    path = models.folder("ram-plus") / tiny.ONNX
    given = np.zeros((3, tiny.SIDE, tiny.SIDE), dtype=np.float32)
    (told,) = RamOnnx(path, tiny.SIDE, gives="logits").scores([given])
    (found,) = RamOnnx(path, tiny.SIDE).scores([given])
    assert np.array_equal(told, found)
    assert 0.0 <= float(told.min()) < float(told.max()) <= 1.0
    with pytest.raises(StageFailed, match="not within 0 and 1"):
        RamOnnx(path, tiny.SIDE, gives="scores").scores([given])


def test_the_id_tells_models_and_settings_apart(models: LocalWeights) -> None:
    ids = {
        RamStage(urbex(), models).id,
        RamStage(urbex(), models, floor=0.3).id,
        RamStage(urbex(), models, most=50).id,
        RamStage(urbex(), models, model="ram-plus-int8").id,
        RamStage(urbex(), models, backend="torch").id,
    }
    assert len(ids) == 5
    assert all(one.startswith("ram@") for one in ids)
    assert RamStage(urbex(), models).id == RamStage(urbex(), models, threads=2).id


@pytest.mark.parametrize(
    "settings", [{"backend": "tf"}, {"floor": 2.0}, {"most": 0}, {"threads": 0}]
)
def test_senseless_settings_are_refused(models: LocalWeights, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        RamStage(urbex(), models, **settings)


def test_a_model_that_is_unknown_or_has_no_file_is_refused(models: LocalWeights) -> None:
    with pytest.raises(ConfigProblem, match="ram-pluss"):
        RamStage(urbex(), models, model="ram-pluss")
    with pytest.raises(ConfigProblem, match=r"one \.onnx or \.pth"):
        RamStage(urbex(), models, model="ram-lists")


def test_tags_become_keywords_and_a_higher_threshold_needs_no_new_look(
    models: LocalWeights,
) -> None:
    stage = RamStage(urbex(), models)
    look = StageLook(stage.id, stage.look(picture(0)))
    counts = [
        len(propose((look,), urbex(), Profile(threshold=one, ask_from=0.2)).suggestions)
        for one in (0.25, 0.5, 0.75)
    ]
    assert counts[0] > counts[1] >= counts[2]
    for one in propose((look,), urbex(), Profile(threshold=0.25)).suggestions:
        assert one.keyword.leaf not in ("Person", "Man", "Photo", "Sit")


def test_conversion_copies_the_lists_and_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StageMissing, match=r"0 \.pth files"):
        convert(tmp_path / "empty", tmp_path / "out")


def test_making_the_stage_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from urbexmp.adapters.stages.ram import RamStage\n"
        "from urbexmp.model.weights import ModelEntry, WeightFile\n"
        "class There:\n"
        "    def entry(self, model):\n"
        "        return ModelEntry(model, '', 'ram', '', '', '', (WeightFile('a.onnx', 1, 'b'),))\n"
        "    def missing(self, model):\n"
        "        return ()\n"
        "stage = RamStage(None, There())\n"
        "print(stage.id, stage.ready())\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(CHECKOUT / "src"), "PATH": ""},
    )
    said, names = run.stdout.splitlines()
    assert said.startswith("ram@")
    assert said.endswith("None")
    heavy = {"numpy", "onnxruntime", "torch", "transformers", "PIL", "onnx"}
    assert not heavy & set(names.split())


def test_the_tiny_lists_are_as_large_as_the_registry_says(models: LocalWeights) -> None:
    folder = models.folder(stages_ram.MODEL)
    held = (folder / stages_ram.TAGS).read_bytes()
    files = {one.name: one.sha256 for one in models.entry(stages_ram.MODEL).files}
    assert files[stages_ram.TAGS] == hashlib.sha256(held).hexdigest()
