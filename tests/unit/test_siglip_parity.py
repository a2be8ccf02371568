"""Our pictures, tokens and vectors against those of the reference implementation."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from siglip_models import checkpoint, onnx_files, picture
from tiny.siglip import SETTINGS, TEXTS
from urbexmp.adapters.stages.onnx_run import OnnxModel
from urbexmp.adapters.stages.siglip_pixels import prepare, read_recipe
from urbexmp.adapters.stages.siglip_text import LENGTH, Sentences, TextTower, unit
from urbexmp.model.stage_errors import StageMissing
from urbexmp.rules.zero_shot import Calibration, z_of

ODD = (
    *TEXTS,
    "A Photo of a DOCTOR'S Chair",
    "two   blanks, a comma; and a dash - here  ",
    "Überdachung und Flur – größer",
    "corridor " * 100,
    "x",
)
KINDS = ("v1", "v2")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(90, 60), (32, 32), (768, 511), (17, 300)])
def test_pictures_are_those_of_the_library(base: Path, kind: str, size: tuple[int, int]) -> None:
    from PIL import Image
    from transformers import AutoImageProcessor

    folder = checkpoint(base, kind)
    processor = AutoImageProcessor.from_pretrained(str(folder), backend="pil")
    preview = picture(1, *size)
    right = processor(
        images=Image.frombytes("RGB", size, preview.rgb), return_tensors="np"
    ).pixel_values
    ours = prepare([preview], read_recipe(folder / "preprocessor_config.json"))
    assert ours.shape == right.shape
    assert np.abs(ours - right).max() <= 2e-7


def test_the_two_models_resample_differently(base: Path) -> None:
    recipes = [read_recipe(checkpoint(base, kind) / "preprocessor_config.json") for kind in KINDS]
    assert [one.resample for one in recipes] == [3, 2]
    bicubic, bilinear = (prepare([picture()], one) for one in recipes)
    assert np.abs(bicubic - bilinear).max() > 0.01


def test_tokens_of_siglip_are_those_of_its_own_tokenizer(base: Path) -> None:
    from transformers import SiglipTokenizer

    folder = checkpoint(base, "v1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        right = SiglipTokenizer(str(folder / "spiece.model"))(
            list(ODD), padding="max_length", max_length=LENGTH, truncation=True
        )["input_ids"]
    ours = Sentences(folder).encode(ODD)
    assert ours.tolist() == right


def test_tokens_of_siglip2_are_those_of_its_tokenizer_on_lower_case(base: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    folder = checkpoint(base, "v2")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        pad_token="<pad>",
        eos_token="<eos>",
        padding_side="right",
    )
    right = tokenizer(
        [text.lower() for text in ODD], padding="max_length", max_length=LENGTH, truncation=True
    )["input_ids"]
    ours = Sentences(folder).encode(ODD)
    assert ours.tolist() == right
    assert ours[0, -1] == 0
    assert (
        Sentences(folder).encode(["A BUILDING"]) == Sentences(folder).encode(["a building"])
    ).all()


def test_the_padding_is_the_one_that_the_model_names(base: Path) -> None:
    """SigLIP's vocabulary has a `<pad>`, number 0, which is not what it pads with."""
    ours = Sentences(checkpoint(base, "v1")).encode(["a photo"])
    assert ours[0, -1] == 1
    assert 0 not in ours


def test_a_model_without_a_named_padding_is_refused(base: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((checkpoint(base, "v1") / name).read_bytes())
    said = json.loads((tmp_path / "tokenizer_config.json").read_bytes())
    del said["pad_token"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(StageMissing, match="padding"):
        Sentences(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"do_resize": False},
        {"do_center_crop": True},
        {"size": {"shortest_edge": 224}},
        {"resample": 9},
    ],
)
def test_a_recipe_that_is_no_plain_squash_is_refused(
    base: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    said = json.loads((checkpoint(base, "v2") / "preprocessor_config.json").read_bytes())
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps({**said, **change}), encoding="utf-8")
    with pytest.raises(StageMissing, match="wants its pictures"):
        read_recipe(path)


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_and_logits_are_those_of_torch(base: Path, kind: str) -> None:
    from transformers import SiglipModel

    folder, made = checkpoint(base, kind), onnx_files(base, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = SiglipModel.from_pretrained(str(folder), local_files_only=True).eval()
    pixels = prepare(
        [picture(one) for one in range(3)], read_recipe(made / "preprocessor_config.json")
    )
    tower = TextTower(made, "onnx/text_model.onnx", threads=1)
    with torch.no_grad():
        right = reference(
            input_ids=torch.from_numpy(tower.sentences.encode(TEXTS)),
            pixel_values=torch.from_numpy(pixels),
        )
    vision = OnnxModel(made / "onnx" / "vision_model.onnx")
    pictures = unit(vision.run({"pixel_values": pixels}, ["pooler_output"])["pooler_output"])
    sentences = tower.vectors(TEXTS)
    assert np.abs(pictures - right.image_embeds.numpy()).max() <= 1e-5
    assert np.abs(sentences - right.text_embeds.numpy()).max() <= 1e-5
    model = Calibration(SETTINGS["scale"], SETTINGS["bias"])
    ours = [[z_of(float(p @ s), model) for s in sentences] for p in pictures]
    assert np.abs(np.array(ours) - right.logits_per_image.numpy()).max() <= 1e-3
