"""The florence stage on a tiny model of the true architecture, with both backends."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny.florence import build
from tiny.registry import entry_of, weights_of
from unit.words_examples import labels, small, view
from urbexmp.adapters.exporting.florence_onnx import Report, convert
from urbexmp.adapters.stages.florence import FlorenceStage, faults
from urbexmp.adapters.stages.florence_onnx import OnnxFlorence
from urbexmp.adapters.stages.florence_torch import TorchFlorence
from urbexmp.adapters.stages.siglip_pixels import prepare, read_recipe
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    ObservationKind,
    Preview,
    StageInput,
    StageLook,
    View,
)
from urbexmp.model.stage_errors import (
    ExtraMissing,
    StageFailed,
    StageMissing,
    WeightsMissing,
)
from urbexmp.rules.florence_files import find_variant
from urbexmp.rules.florence_tasks import TASKS
from urbexmp.rules.florence_text import Said

PROMPTS = [task.prompt for task in TASKS.values()]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """A tiny model is slower on several threads, far slower where other processes want them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("florence") / "checkpoint")


@pytest.fixture(scope="module")
def report(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return convert(checkpoint, tmp_path_factory.mktemp("converted"))


def preview(seed: int, width: int = 70, height: int = 50) -> Preview:
    chance = np.random.default_rng(seed)
    return Preview(width, height, chance.bytes(width * height * 3), "image")


def seen(seed: int, *earlier: StageLook, context: Context | None = None) -> StageInput:
    return StageInput(View(CaptureFacts(), lambda: preview(seed)), context or Context(), earlier)


def stage(folder: Path, **settings: Any) -> FlorenceStage:
    weights = weights_of(folder, entry_of(folder, id="tiny", stage="florence", role="caption"))
    return FlorenceStage(
        small(), weights, model="tiny", **({"max_tokens": 16, "threads": 1} | settings)
    )


@pytest.fixture(scope="module")
def torch_model(checkpoint: Path) -> TorchFlorence:
    return TorchFlorence(checkpoint, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def pixels(checkpoint: Path) -> np.ndarray:
    recipe = read_recipe(checkpoint / "processor_config.json")
    return prepare([preview(one) for one in range(3)], recipe)


def reference(
    checkpoint: Path, asked: Sequence[tuple[int, str]], beams: int
) -> Iterator[tuple[list[str], list[float]]]:
    """What the library says by itself, one question at a time, from the picture's own bytes."""
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor: Any = AutoProcessor.from_pretrained(checkpoint, local_files_only=True)
    model: Any = AutoModelForImageTextToText.from_pretrained(checkpoint).eval()
    model.generation_config.forced_eos_token_id = None
    model.generation_config.max_length = None
    for at, prompt in asked:
        picture = preview(at)
        image = Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)
        inputs = processor(images=[image], text=[prompt], return_tensors="pt")
        said = model.generate(
            **inputs,
            num_beams=beams,
            max_new_tokens=24,
            do_sample=False,
            early_stopping=beams > 1,
            return_dict_in_generate=True,
            output_scores=True,
        )
        logs = model.compute_transition_scores(
            said.sequences,
            said.scores,
            said.beam_indices if beams > 1 else None,
            normalize_logits=True,
        )
        tokens = processor.tokenizer.convert_ids_to_tokens(said.sequences[0, 1:].tolist())
        yield tokens, logs[0].tolist()


ASKED = [(at, prompt) for at in range(2) for prompt in PROMPTS[1:5]]


def same(said: Said, tokens: list[str], logs: list[float]) -> None:
    assert list(said.tokens) == tokens
    assert said.logs is not None
    assert said.logs == pytest.approx(logs[: len(said.logs)], abs=2e-3)


@pytest.mark.parametrize("beams", [1, 3])
def test_features_once_and_questions_together_change_no_token(
    torch_model: TorchFlorence, checkpoint: Path, pixels: np.ndarray, beams: int
) -> None:
    features = torch_model.features(pixels)
    answers = torch_model.answer(features, ASKED, beams=beams, max_tokens=24)
    for answer, (tokens, logs) in zip(answers, reference(checkpoint, ASKED, beams), strict=True):
        same(answer, tokens, logs)
    assert {answer.ended for answer in answers} == {True, False}


def test_onnx_answers_token_for_token_as_generate(
    report: Report, checkpoint: Path, pixels: np.ndarray
) -> None:
    variant = find_variant([name for name, _ in report.files], "float32")
    assert variant is not None
    model = OnnxFlorence(report.folder, variant)
    answers = model.answer(model.features(pixels), ASKED, beams=1, max_tokens=24)
    for answer, (tokens, logs) in zip(answers, reference(checkpoint, ASKED, 1), strict=True):
        same(answer, tokens, logs)


def test_the_conversion_says_how_near_it_comes(report: Report) -> None:
    parity = dict(report.parity)
    assert dict(report.same_tokens)["fp32"]
    assert all(gap < 1e-3 for name, gap in parity.items() if name.endswith("fp32"))
    assert all(gap > 0 for name, gap in parity.items() if name == "decoder_model_merged int8")
    sizes = dict(report.files)
    part = "onnx/decoder_model_merged"
    assert sizes[f"{part}_quantized.onnx"] < sizes[f"{part}.onnx"]
    assert "tokenizer.json" in sizes
    assert "preprocessor_config.json" in sizes


def test_what_is_no_florence_is_not_converted(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "florence2_original"}')
    with pytest.raises(StageMissing, match="no Florence-2"):
        convert(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_photo_alone_says_what_it_says_among_others(checkpoint: Path) -> None:
    tasks = "caption, detailed_caption, ocr"
    looking = stage(checkpoint, dtype="float32", batch=8, max_tokens=40, tasks=tasks)
    inputs = [seen(one) for one in (0, 2, 5)]
    together = looking.look_many(inputs)
    assert together == tuple(looking.look(one) for one in inputs)
    assert sum(map(len, together)) > 3


def test_from_the_air_only_a_caption_is_asked_for(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tight = _Tight(9)
    monkeypatch.setattr(FlorenceStage, "open", lambda self, folder: tight)
    looking = stage(checkpoint)
    looking.look(seen(1, view("siglip", aerial=0.9)))
    looking.look(seen(1, view("siglip", detail=0.9)))
    assert tight.tried == [1, 2]


def test_int8_files_are_used_where_they_are_asked_for(report: Report) -> None:
    looking = stage(report.folder, dtype="int8", tasks="caption, od")
    assert looking.backend == "onnx"
    assert looking.id != stage(report.folder, tasks="caption, od").id
    for said in looking.look(seen(1)):
        assert said.score is None or 0 <= said.score <= 1


def test_backends_say_the_same(report: Report, checkpoint: Path) -> None:
    how = {"max_tokens": 40, "tasks": "caption, detailed_caption, ocr"}
    by_onnx = stage(report.folder, **how)
    by_torch = stage(checkpoint, dtype="float32", **how)
    assert (by_onnx.backend, by_torch.backend) == ("onnx", "torch")
    for one in (0, 2, 5):
        plain = [
            [(said.kind, said.label, said.region) for said in looking.look(seen(one))]
            for looking in (by_onnx, by_torch)
        ]
        assert plain[0] == plain[1] != []


def test_grounding_locates_and_is_no_evidence(checkpoint: Path) -> None:
    looking = stage(checkpoint, backend="torch", dtype="float32", tasks="caption, ground")
    asked: list[str] = []
    running = looking._load()
    answer = running.model.answer

    def located(features: Any, questions: Sequence[tuple[int, str]], **how: Any) -> list[Said]:
        asked.extend(prompt for _, prompt in questions)
        if "phrases" in asked[-1]:
            return [Said(("<s>", "bench", *(f"<loc_{n}>" for n in (1, 2, 3, 4)), "</s>"))]
        found: list[Said] = answer(features, questions, **how)
        return found

    running.model.answer = located
    context = Context(place_type="clinic")
    said = looking.look(seen(1, labels("siglip", bench=0.9), context=context))
    assert looking.uses_context
    assert asked[-1] == "Locate the phrases in the caption: bench in an abandoned hospital"
    (found,) = [one for one in said if one.source == "grounded"]
    assert found.kind is ObservationKind.PRIOR
    assert found.region == (0.0015, 0.0025, 0.0035, 0.0045)


class _Tight:
    """A model that has memory for some questions only."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []

    def features(self, pixels: np.ndarray) -> np.ndarray:
        return pixels[:, 0, 0, :1]

    def together(self, features: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(features)

    def answer(self, features: np.ndarray, asked: Any, **how: Any) -> list[Said]:
        self.tried.append(len(asked))
        if len(asked) > self.room:
            raise MemoryError("allocating 2 GB")
        return [Said(("<s>", "a", "Ġbench", "</s>")) for _ in asked]

    def release(self) -> None:
        pass


def test_out_of_memory_halves_the_batch_and_goes_on(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tight = _Tight(2)
    monkeypatch.setattr(FlorenceStage, "open", lambda self, folder: tight)
    looking = stage(checkpoint, batch=8, tasks="caption")
    said = looking.look_many([seen(one) for one in range(7)])
    assert [one.value for (one,) in said] == ["a bench"] * 7
    assert tight.tried == [7, 3, 1, 1, 1, 1, 1, 1, 1]
    looking.look_many([seen(one) for one in range(3)])
    assert tight.tried[9:] == [1, 1, 1]


def test_out_of_memory_with_one_photo_fails_that_photo(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FlorenceStage, "open", lambda self, folder: _Tight(0))
    with pytest.raises(StageFailed, match=r"out of memory \(allocating 2 GB\)"):
        stage(checkpoint).look(seen(1))


def test_torchs_own_word_for_it_is_understood(torch_model: TorchFlorence) -> None:
    import torch

    with pytest.raises(MemoryError):
        torch_model.together([torch.zeros(1).expand(2**50)])


def test_missing_weights_and_packages_are_said_before_anything_is_loaded(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage(checkpoint, backend="torch").ready() is None
    copy = tmp_path / "copy"
    shutil.copytree(checkpoint, copy)
    looking = stage(copy, backend="torch")
    (copy / "model.safetensors").unlink()
    problem = looking.ready()
    assert isinstance(problem, WeightsMissing)
    assert "urbexmp models pull tiny" in str(problem)
    with pytest.raises(WeightsMissing):
        looking.look(seen(1))
    for backend, package in (("torch", "transformers"), ("onnx", "onnxruntime")):
        monkeypatch.setattr(
            "importlib.util.find_spec", lambda name, gone=package: None if name == gone else name
        )
        problem = stage(checkpoint, backend=backend).ready()
        assert isinstance(problem, ExtraMissing)
        assert f"pip install 'urbexmp[{backend}]'" in str(problem)


def test_a_folder_in_another_layout_is_refused_without_running_its_code(
    checkpoint: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "remote"
    shutil.copytree(checkpoint, copy)
    config = json.loads((copy / "config.json").read_text())
    config["auto_map"] = {"AutoModelForImageTextToText": "own.Model", "AutoConfig": "own.Config"}
    config["model_type"] = "florence2_own"
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(StageMissing, match="cannot be loaded"):
        stage(copy, backend="torch").look(seen(1))
    assert not (tmp_path / "ran").exists()


def test_settings_are_checked_together() -> None:
    assert faults({}) == []
    wrong = faults({"backend": "onnx", "beams": 3, "tasks": "fly", "batch": True, "device": "tpu"})
    assert [one.partition(":")[0] for one in wrong] == ["device", "batch", "tasks", "beams"]
    assert faults({"backend": "torch", "dtype": "int8"})


def test_a_wrong_setting_is_a_mistake_in_the_profile(checkpoint: Path) -> None:
    with pytest.raises(ConfigProblem, match=r"stage\.florence\.max_tokens"):
        stage(checkpoint, max_tokens=2)


def test_the_id_follows_what_an_answer_depends_on(checkpoint: Path) -> None:
    ids = [
        stage(checkpoint, **settings).id
        for settings in ({}, {"beams": 3}, {"tasks": "od"}, {"max_tokens": 30})
    ]
    assert len(set(ids)) == len(ids)
    assert stage(checkpoint, batch=1, threads=1).id == ids[0]


def test_the_stage_is_light_until_it_looks(checkpoint: Path) -> None:
    code = (
        "import sys; import urbexmp.adapters.stages.florence;"
        "print(sorted({'numpy', 'torch', 'transformers', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_printed_for_programmers(
    checkpoint: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        stage(checkpoint, backend="torch", dtype="float32").look(seen(1))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
