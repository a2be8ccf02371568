"""Variants of a model: used where they agree with full precision, refused where they do not."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from siglip_models import MODEL, TERMS, VOCABULARY, Model, labels, model, picture, seen, stage
from urbexmp.adapters.stages.checked import agreement
from urbexmp.adapters.stages.siglip import SiglipStage
from urbexmp.model.stage_errors import StageMissing
from urbexmp.model.weights import ModelEntry


@pytest.fixture
def tiny(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Model:
    return model(tmp_path_factory.getbasetemp(), tmp_path)


@pytest.mark.parametrize("variant", ["int8", "fp16"])
def test_a_variant_that_agrees_is_used_and_checked_once(
    tiny: Model, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urbexmp.adapters.stages import siglip_check

    right = labels(stage(tiny, least=0.0).look(seen(picture())))
    said = labels(stage(tiny, variant=variant, least=0.0).look(seen(picture())))
    assert set(said) == set(right)
    assert (tiny.notes / siglip_check.NOTES).is_file()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("checked again")

    monkeypatch.setattr(siglip_check, "agreement", never)
    assert labels(stage(tiny, variant=variant, least=0.0).look(seen(picture()))) == said


def wrongly_quantised(path: Path, name_part: str = "scale") -> None:
    """The scales of its weights mixed up: a legal graph that computes something else."""
    from onnx import load, numpy_helper, save

    graph = load(path)
    chance = np.random.default_rng(0)
    for one in graph.graph.initializer:
        if one.name.endswith(name_part):
            value = numpy_helper.to_array(one)
            wrong = (value * chance.choice([-1.0, 6.0], value.shape)).astype(value.dtype)
            one.CopyFrom(numpy_helper.from_array(wrong, one.name))
    save(graph, path)


def test_a_wrongly_quantised_model_is_refused_and_stays_refused(tiny: Model) -> None:
    wrongly_quantised(tiny.folder / "onnx" / "vision_model_quantized.onnx")
    broken = tiny.again()
    for _ in range(2):
        with pytest.raises(StageMissing, match=r"int8 .* disagrees with full precision") as caught:
            stage(broken, variant="int8").look(seen(picture()))
        assert 'variant = "fp32"' in str(caught.value)
    assert labels(stage(broken, least=0.0).look(seen(picture())))


def test_what_was_refused_is_taken_when_the_file_is_right_again(tiny: Model) -> None:
    path = tiny.folder / "onnx" / "vision_model_quantized.onnx"
    content = path.read_bytes()
    wrongly_quantised(path)
    with pytest.raises(StageMissing, match="disagrees"):
        stage(tiny.again(), variant="int8").look(seen(picture()))
    path.write_bytes(content)
    assert stage(tiny.again(), variant="int8", least=0.0).look(seen(picture()))


def test_a_wrongly_quantised_text_tower_is_refused_too(tiny: Model) -> None:
    wrongly_quantised(tiny.folder / "onnx" / "text_model_quantized.onnx")
    small = tiny.again()
    whole = model_reference(small)
    small = small.again(reference=whole.id).only("vision_model_quantized", "text_model_quantized")
    one = SiglipStage(VOCABULARY, small.weights(whole), model=MODEL, notes=small.notes)
    with pytest.raises(StageMissing, match="disagrees"):
        one.look(seen(picture()))
    assert not list(small.notes.glob("siglip-texts-*"))


def model_reference(tiny: Model) -> ModelEntry:
    """A second entry with the files in full precision, in a folder of its own."""
    entry = tiny.only("vision_model", "text_model").entry
    (tiny.folder.parent / "whole").symlink_to(tiny.folder, target_is_directory=True)
    return replace(entry, id="whole")


def test_the_reference_of_another_entry_is_used_where_it_is_here(tiny: Model) -> None:
    wrongly_quantised(tiny.folder / "onnx" / "vision_model_quantized.onnx")
    fresh = tiny.again()
    whole = model_reference(fresh)
    small = fresh.again(reference="whole").only("vision_model_quantized", "text_model")
    one = SiglipStage(VOCABULARY, small.weights(whole), model=MODEL, notes=small.notes)
    with pytest.raises(StageMissing, match="disagrees with full precision"):
        one.look(seen(picture()))


def test_without_a_reference_a_variant_is_held_against_itself_and_that_is_said(
    tiny: Model, caplog: pytest.LogCaptureFixture
) -> None:
    small = tiny.only("vision_model_quantized", "text_model_quantized")
    with caplog.at_level(logging.WARNING, "urbexmp.stages"):
        said = stage(small, variant="auto", least=0.0).look(seen(picture()))
    assert set(labels(said)) == {path for path, _ in TERMS}
    assert "checked against itself only" in caplog.text


def test_a_runtime_that_computes_a_variant_wrongly_is_found_without_a_reference(
    tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urbexmp.adapters.stages import siglip_check

    right = siglip_check._right_vectors

    def otherwise(*given: object, **named: object) -> np.ndarray:
        return right(*given, **named)[:, ::-1]  # type: ignore[arg-type]

    monkeypatch.setattr(siglip_check, "_right_vectors", otherwise)
    small = tiny.only("vision_model_quantized", "text_model_quantized")
    with pytest.raises(StageMissing, match="disagrees with itself"):
        stage(small, variant="auto").look(seen(picture()))


def test_a_variant_that_gives_no_numbers_is_refused(tiny: Model) -> None:
    good = np.eye(3, dtype=np.float32)
    bad = good.copy()
    bad[0, 0] = np.nan
    assert agreement(good, good).fits("int8")
    assert not agreement(bad, good).fits("int8")
    assert not agreement(good[:, :2], good).fits("int8")


def test_vectors_that_all_became_one_are_refused() -> None:
    """Each lies near the right one, and nothing can be told apart any more."""
    middle = np.ones((4, 16), np.float32)
    right = middle + 0.3 * np.random.default_rng(0).standard_normal((4, 16)).astype(np.float32)
    found = np.tile(right.mean(axis=0), (4, 1))
    result = agreement(found, right)
    assert result.cosine > 0.85
    assert not result.fits("int8")
