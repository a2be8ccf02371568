"""An ONNX file made from the authors' checkpoint of RAM++, with a report of parity.

By torch's exporter on `torch.export` (`dynamo=True`), for one picture at a time. Full precision is
1.3 GB without its table of descriptions, 1.8 GB with it, so weights go into a file beside it where
they could pass the 2 GB of one protobuf file.
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbexmp.model.stage_errors import ExtraMissing, StageMissing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STAGE = "ram"
NAMES = {"fp32": "ram_plus.onnx", "int8": "ram_plus_int8.onnx"}
"""Variants, and what their files are called."""
LISTS = ("ram_tag_list.txt", "ram_tag_list_threshold.txt")
NEEDED = ("torch", "onnx", "onnxscript", "onnxruntime")
SETTINGS = {"output": "logits", "gives": "logits"}
"""What a registry entry says of these files, beside `size` and `tags` where they are unusual."""
LARGEST = 1_500_000_000
"""Bytes of weights up to which one file holds everything."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How near one file comes to torch, over a few pictures of noise."""

    file: str
    largest: float
    """Largest difference of one tag's score (0..1)."""
    flipped: float
    """Share of tags that change sides of 0.5."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What was made."""

    files: tuple[str, ...]
    """Names of all files in the folder."""
    parity: tuple[Parity, ...]


def missing_packages() -> tuple[str, ...]:
    """Packages that are needed and not installed."""
    return tuple(name for name in NEEDED if importlib.util.find_spec(name) is None)


def convert(
    folder: Path,
    out: Path,
    variants: Sequence[str] = ("fp32",),
    said: Callable[[str], None] = lambda text: None,
    *,
    side: int = 384,
    tags: int = 4585,
) -> Converted:
    """Make ONNX files of the one `.pth` checkpoint in `folder` below `out`, compared with torch.

    The checkpoint is read as numbers only; whoever calls this has checked its hash. The lists of
    tags and thresholds are copied where `folder` has them. `side`: pixels of the picture. `said`
    hears each step. Raises `ExtraMissing`, `StageMissing` where there is not one checkpoint,
    `StageFailed` where it is none of RAM++.
    """
    lacking = missing_packages()
    if lacking:
        package = ", ".join(lacking)
        raise ExtraMissing("models convert", stage=STAGE, package=package, extra="export")
    found = sorted(folder.glob("*.pth"))
    if len(found) != 1:
        raise StageMissing(
            folder,
            stage=STAGE,
            detail=f"{len(found)} .pth files are there, not one",
            advice="Give the folder of the checkpoint: urbexmp models pull ram-plus-torch",
        )
    from urbexmp.adapters.stages.ram_torch import load

    said(f"reading {found[0].name}")
    model = load(found[0], side, tags)
    out.mkdir(parents=True, exist_ok=True)
    whole = out / NAMES["fp32"]
    parity = []
    with _quiet():
        said(f"exporting {whole.name}")
        export(model, whole, side)
        for variant in dict.fromkeys(("fp32", *variants)):
            path = out / NAMES[variant]
            if variant == "int8":
                said(f"making {path.name}")
                reduce(whole, path)
            said(f"comparing {path.name} with torch")
            parity.append(compare(model, path, side))
    for name in LISTS:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, out / name)
    files = sorted(path.name for path in out.iterdir() if path.is_file())
    return Converted(tuple(files), tuple(parity))


def export(model: Any, path: Path, side: int) -> None:
    """Write `model` (a `RamPlus`) as ONNX: input `image` 1 x 3 x side x side, output `logits`."""
    import torch

    size = sum(one.numel() * one.element_size() for one in model.parameters())
    torch.onnx.export(
        model,
        (torch.zeros(1, 3, side, side),),
        str(path),
        input_names=["image"],
        output_names=["logits"],
        external_data=size > LARGEST,
        dynamo=True,
        verbose=False,
    )


def reduce(whole: Path, path: Path) -> None:
    """Make the products of matrices 8-bit (dynamic, by channel): a third of the size.

    The convolution of the patches stays as it is, and so does the product that weighs the
    descriptions: its weights are the model's knowledge of the tags, and it costs little.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        whole,
        path,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=_descriptions(whole),
        use_external_data_format=whole.with_name(whole.name + ".data").is_file(),
    )


def compare(model: Any, path: Path, side: int) -> Parity:
    """Hold a file against torch, on three pictures of coloured noise."""
    import numpy as np
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    pictures = torch.randn(3, 1, 3, side, side, generator=torch.Generator().manual_seed(0))
    largest, flipped = 0.0, []
    for picture in pictures:
        with torch.inference_mode():
            right = model(picture).sigmoid().numpy()
        (found,) = session.run(["logits"], {"image": picture.numpy()})
        scores: NDArray[np.float32] = 1 / (1 + np.exp(-found))
        largest = max(largest, float(np.abs(scores - right).max()))
        flipped.append(float(((scores >= 0.5) != (right >= 0.5)).mean()))
    return Parity(path.name, largest, sum(flipped) / len(flipped))


def _descriptions(whole: Path) -> list[str]:
    """Names of the products with the table of descriptions."""
    import onnx

    graph = onnx.load(whole, load_external_data=False).graph
    made: set[str] = {one.name for one in graph.initializer if "label_embed" in one.name}
    found = []
    for node in graph.node:  # in the order they are computed
        if not made.intersection(node.input):
            continue
        if node.op_type == "MatMul":
            found.append(node.name)
        else:
            made.update(node.output)
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporters and quantisers print advice to their own developers."""
    names = ("", "torch.onnx", "onnxscript", "onnx_ir")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
