"""ONNX files made from a SigLIP checkpoint in the hub's own layout, with a report of parity.

The exporter is torch's own on `torch.export` (`dynamo=True`): 2e-6 from torch at base size. The
graph optimiser of onnxruntime.transformers is not used, it turns the tanh-GELU into another one.
"""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from urbexmp.model.stage_errors import ExtraMissing, StageMissing

VARIANTS = {"fp32": "", "fp16": "_fp16", "int8": "_quantized"}
"""Variants, and what the hub's files call them."""

COPIED = (
    "config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json",
)  # fmt: skip
NEEDED = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")
STAGE = "siglip"


@dataclass(frozen=True, slots=True)
class Parity:
    """How near one file comes to torch."""

    file: str
    largest: float
    """Largest difference of one number of a vector, in units of the vectors' own spread."""
    cosine: float
    """Least cosine of a vector to the right one."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What was made."""

    files: tuple[str, ...]
    """Names of all files below the folder, with `/`."""
    parity: tuple[Parity, ...]
    scale: float
    """e to the power of the checkpoint's `logit_scale`."""
    bias: float


def missing_packages() -> tuple[str, ...]:
    """Packages that are needed and not installed."""
    import importlib.util

    return tuple(name for name in NEEDED if importlib.util.find_spec(name) is None)


def convert(
    folder: Path,
    out: Path,
    variants: Sequence[str] = ("fp32", "int8"),
    said: Callable[[str], None] = lambda text: None,
) -> Converted:
    """Make the ONNX files of the checkpoint in `folder` below `out`, and compare them with torch.

    `folder` holds `config.json`, `model.safetensors` and the tokenizer; nothing is downloaded and
    no code of the checkpoint is run. `said` hears each step. Raises `ExtraMissing`, and
    `StageMissing` where the checkpoint is incomplete or no SigLIP.
    """
    lacking = missing_packages()
    if lacking:
        package = ", ".join(lacking)
        raise ExtraMissing("models convert", stage=STAGE, package=package, extra="export")
    model = _load(folder)
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        shutil.copyfile(folder / name, out / name)
    parity = []
    with _quiet():
        for tower in _towers(model):
            whole = out / "onnx" / f"{tower.name}.onnx"
            said(f"exporting {whole.name}")
            _export(tower, whole)
            for variant in ("fp32", *(one for one in variants if one != "fp32")):
                path = whole.with_name(f"{tower.name}{VARIANTS[variant]}.onnx")
                if variant != "fp32":
                    said(f"making {path.name}")
                    _reduce(whole, path, variant)
                parity.append(_compare(tower, path, out))
    scale = math.exp(float(model.logit_scale.detach().reshape(-1)[0]))
    bias = float(model.logit_bias.detach().reshape(-1)[0])
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    return Converted(tuple(names), tuple(parity), scale, bias)


@dataclass(frozen=True, slots=True)
class _Tower:
    name: str
    module: Any
    input_name: str
    example: Any
    outputs: tuple[str, str] = ("last_hidden_state", "pooler_output")


def _load(folder: Path) -> Any:
    from transformers import SiglipModel
    from transformers.utils import logging as its_log

    lacking = [name for name in (*COPIED, "model.safetensors") if not (folder / name).is_file()]
    detail = f"{', '.join(lacking)} is not there" if lacking else ""
    if not detail:
        kind = json.loads((folder / "config.json").read_bytes()).get("model_type")
        if kind != "siglip":
            detail = f"config.json says model_type {kind!r}, not 'siglip'"
    if detail:
        raise StageMissing(
            folder,
            stage=STAGE,
            detail=f"the checkpoint cannot be converted: {detail}",
            advice="Give the folder of a SigLIP or SigLIP 2 checkpoint of fixed size",
        )
    its_log_untyped: Any = its_log
    its_log_untyped.disable_progress_bar()
    with _quiet():
        model: Any = SiglipModel.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, attn_implementation="sdpa"
        )
        return model.eval().float()


def _towers(model: Any) -> Iterator[_Tower]:
    import torch

    class Pictures(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower = model.vision_model

        def forward(self, pixel_values: Any) -> Any:
            found = self.tower(pixel_values=pixel_values)
            return found.last_hidden_state, found.pooler_output

    class Sentences(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower = model.text_model

        def forward(self, input_ids: Any) -> Any:
            found = self.tower(input_ids=input_ids)
            return found.last_hidden_state, found.pooler_output

    pictures: Any = Pictures()
    sentences: Any = Sentences()
    chance = torch.Generator().manual_seed(0)
    vision, text = model.config.vision_config, model.config.text_config
    shape = (3, vision.num_channels, vision.image_size, vision.image_size)
    yield _Tower(
        "vision_model",
        pictures.eval(),
        "pixel_values",
        torch.rand(shape, generator=chance) * 2 - 1,
    )
    ids = torch.randint(0, text.vocab_size, (3, text.max_position_embeddings), generator=chance)
    yield _Tower("text_model", sentences.eval(), "input_ids", ids)


def _export(tower: _Tower, path: Path) -> None:
    import torch

    batch = torch.export.Dim("batch", min=1, max=4096)
    large = sum(one.numel() * 4 for one in tower.module.parameters()) > 1_900_000_000
    torch.onnx.export(
        tower.module,
        (tower.example,),
        str(path),
        input_names=[tower.input_name],
        output_names=list(tower.outputs),
        dynamic_shapes=({0: batch},),
        external_data=large,  # a protobuf file holds 2 GB at most
        dynamo=True,
        verbose=False,
    )


def _reduce(whole: Path, path: Path, variant: str) -> None:
    import onnx

    graph = onnx.load(whole)
    # The exporter's notes on shapes name transposed weights as they were: a checker trips over it.
    del graph.graph.value_info[:]
    if variant == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        # The patch convolution stays as it is: 18 pictures/s instead of 15, and nearer to fp32.
        quantize_dynamic(
            graph,
            path,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
        return
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(graph, keep_io_types=True), path)


def _compare(tower: _Tower, path: Path, out: Path) -> Parity:
    import numpy as np
    import onnxruntime
    import torch

    with torch.no_grad():
        right = tower.module(tower.example)[1].numpy()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found = session.run(["pooler_output"], {tower.input_name: tower.example.numpy()})[0]
    lengths = np.linalg.norm(right, axis=1) * np.linalg.norm(found, axis=1)
    cosine = float(((right * found).sum(axis=1) / lengths).min())
    spread = float(np.abs(right).max())
    return Parity(
        path.relative_to(out).as_posix(), float(np.abs(found - right).max()) / spread, cosine
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporters and quantisers print advice to their own developers."""
    import logging

    names = ("torch.onnx", "onnxscript", "onnx_ir", "transformers")
    before = {name: logging.getLogger(name).level for name in names}
    root = logging.getLogger().level
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger().setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.getLogger().setLevel(root)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
