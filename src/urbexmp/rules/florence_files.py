"""Which files a Florence-2 is made of, and which backend can run them. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from types import MappingProxyType

PARTS = ("vision_encoder", "embed_tokens", "encoder_model", "decoder_model_merged")

SUFFIXES = MappingProxyType(
    {"float32": ("",), "float16": ("_fp16",), "int8": ("_quantized", "_int8")}
)
"""What the hub's files call a precision."""

_FOLDERS = ("onnx/", "")


@dataclass(frozen=True, slots=True)
class Variant:
    """The ONNX files of one precision."""

    precision: str
    files: tuple[str, str, str, str]
    """By name in the model's folder, in the order of `PARTS`."""


def find_variant(names: Collection[str], wanted: str) -> Variant | None:
    """The ONNX files among `names` of the precision `wanted` (`auto`: the most exact there is).

    None where there are none.
    """
    for precision, suffixes in SUFFIXES.items():
        if wanted not in ("auto", precision):
            continue
        for folder in _FOLDERS:
            for suffix in suffixes:
                first, second, third, fourth = (f"{folder}{part}{suffix}.onnx" for part in PARTS)
                if all(name in names for name in (first, second, third, fourth)):
                    return Variant(precision, (first, second, third, fourth))
    return None


def has_checkpoint(names: Collection[str]) -> bool:
    """Whether PyTorch finds weights among `names`."""
    return any(name.endswith(".safetensors") for name in names)
