"""Florence-2 from PyTorch to ONNX files, under the names and with the inputs of the hub's own.

`vision_encoder` (pixel_values -> image_features), `embed_tokens` (input_ids -> inputs_embeds),
`encoder_model` (attention_mask, inputs_embeds -> last_hidden_state) and `decoder_model_merged`
(encoder_attention_mask, encoder_hidden_states, inputs_embeds, past_key_values.N.{decoder,encoder}
.{key,value}, use_cache_branch -> logits, present.N...), one token a step.

The text model is written out here in plain tensor arithmetic over the checkpoint's own modules.
Exporting the library's generation code does not work: its cache becomes of a fixed length, 1. Of
a decoder written out, an empty cache is just a length of 0, so the only thing that `merged` has to
choose is where the keys and values of the picture come from: computed at the first step, handed
in from then on.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from urbexmp.model.stage_errors import ExtraMissing, StageMissing

PARTS = ("vision_encoder", "embed_tokens", "encoder_model", "decoder_model_merged")
VARIANTS = {"fp32": "", "int8": "_quantized"}
"""Variants, and what the hub's files call them."""
FOLDER = "onnx"

_NEEDS = {"torch": "torch", "transformers": "torch", "onnxruntime": "onnx"} | dict.fromkeys(
    ("onnx", "onnxscript"), "export"
)
_PLAIN = (
    *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("preprocessor_config.json", "processor_config.json"),
)
"""What stays beside the ONNX files."""

_STEPS = 12
"""Tokens of the parity check."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a conversion."""

    folder: Path
    files: tuple[tuple[str, int], ...]
    """Name below `folder`, bytes."""
    parity: tuple[tuple[str, float], ...]
    """Greatest difference from PyTorch, by part and variant, as a share of the greatest value."""
    same_tokens: tuple[tuple[str, bool], ...]
    """By variant, whether a greedy answer to noise has PyTorch's tokens. int8 may differ."""


def convert(folder: Path, out: Path, variants: Sequence[str] = tuple(VARIANTS)) -> Report:
    """Write the ONNX files of the model in `folder` to `out`, and compare them with PyTorch.

    Raises `ExtraMissing`; `StageMissing` where `folder` holds no Florence-2 of the library's own
    class, or where the float32 files do not answer as PyTorch does (the files are deleted).
    """
    for package, extra in _NEEDS.items():
        if importlib.util.find_spec(package) is None:
            raise ExtraMissing(
                "models convert florence", stage="florence", package=package, extra=extra
            )
    from urbexmp.adapters.exporting.florence_parts import Parts

    try:
        parts = Parts(folder)
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise StageMissing(
            folder,
            stage="florence",
            detail=f"this is no Florence-2 that transformers can load ({first[:200]})",
            advice="Take a native checkpoint, such as florence-community/Florence-2-base-ft",
        ) from error
    into = out / FOLDER
    into.mkdir(parents=True, exist_ok=True)
    parity: list[tuple[str, float]] = []
    same: list[tuple[str, bool]] = []
    paths = {
        variant: {part: into / f"{part}{VARIANTS[variant]}.onnx" for part in PARTS}
        for variant in variants
    }
    parts.write(paths)
    for variant in variants:
        differences, tokens = parts.compare(paths[variant], _STEPS)
        parity.extend((f"{part} {variant}", gap) for part, gap in differences.items())
        same.append((variant, tokens))
        if variant == "fp32" and not tokens:
            for path in into.iterdir():
                path.unlink()
            raise StageMissing(
                folder,
                stage="florence",
                detail="the ONNX files do not answer as PyTorch does, so they were deleted",
                advice="Convert with the versions of torch and transformers that this project pins",
            )
    for name in _PLAIN:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, out / name)
    if not (out / "preprocessor_config.json").exists():
        processor: Any = json.loads((folder / "processor_config.json").read_bytes())
        text = json.dumps(processor["image_processor"], indent=2, sort_keys=True)
        (out / "preprocessor_config.json").write_text(text + "\n", encoding="utf-8")
    files = tuple(
        (path.relative_to(out).as_posix(), path.stat().st_size)
        for path in sorted(out.rglob("*"))
        if path.is_file()
    )
    return Report(out, files, tuple(parity), tuple(same))
