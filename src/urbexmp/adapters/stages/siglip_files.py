"""Which files of a SigLIP model are used: towers, variants, and what a variant is held against.

Nothing is opened here but the registry's entries, so a stage knows its id before any model is
loaded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.errors import ConfigProblem
from urbexmp.model.stage_errors import StageMissing
from urbexmp.rules.zero_shot import Calibration

if TYPE_CHECKING:
    from urbexmp.model.weights import ModelEntry, WeightFile, Weights

VISION, TEXT = "vision_model", "text_model"
"""Names of the towers' files, without variant and folder."""

PIXELS_VERSION = "squash|1"
"""Of the way pictures are prepared (`siglip_pixels`)."""

AUTO = "auto"
VARIANTS = ("int8", "fp16", "fp32")
SUFFIXES = {"": "fp32", "_fp16": "fp16", "_quantized": "int8", "_int8": "int8"}
"""What stands between a tower's name and `.onnx`."""

_ON_CPU = ("int8", "fp32", "fp16")
"""The fastest first: 18, 6.4 and 5.5 pictures/s of SigLIP base on one core."""
_ON_GRAPHICS = ("fp16", "fp32", "int8")
_TEXT = ("fp32", "fp16", "int8")
"""The truest first: a text tower runs once, and its vectors are kept."""


@dataclass(frozen=True, slots=True)
class Tower:
    """One tower of a model in one variant."""

    model: str
    """Id of the registry's entry that has the file."""
    file: WeightFile
    variant: str


def variant_of(name: str, tower: str) -> str | None:
    """Variant of the file `name`, None where it is not this tower's, or of no known variant."""
    last = name.rpartition("/")[2]
    if not last.startswith(tower) or not last.endswith(".onnx"):
        return None
    return SUFFIXES.get(last.removeprefix(tower).removesuffix(".onnx"))


def choose(weights: Weights, model: str, variant: str, *, graphics: bool) -> tuple[Tower, Tower]:
    """The picture tower and the text tower to use. Raises `ConfigProblem`.

    `auto` takes what is fastest here of the entry's files; a variant by name may also come from
    the entry that this one names as its `reference`.
    """
    entry = weights.entry(model)
    if entry.stage != "siglip":
        mistake = f"stage.siglip.model: {model!r} is a model of the stage {entry.stage}"
        raise ConfigProblem(model, (mistake,))
    order: tuple[str, ...] = (variant,)
    seen = _towers(entry, VISION)
    if variant == AUTO:
        order = _ON_GRAPHICS if graphics else _ON_CPU
    elif variant not in seen and (other := _reference(weights, entry)) is not None:
        entry = other
        seen |= _towers(entry, VISION)
    texts = _towers(entry, TEXT)
    vision = next((seen[one] for one in order if one in seen), None)
    text = next((texts[one] for one in _TEXT if one in texts), None)
    if vision is None:
        has = ", ".join(seen) or "no picture tower"
        mistake = f"stage.siglip.variant: {variant!r} is not among the files of {model} ({has})"
        raise ConfigProblem(model, (mistake,))
    if text is None:
        raise ConfigProblem(model, (f"model {entry.id}: no file is a text tower ({TEXT}.onnx)",))
    return vision, text


def reference_of(weights: Weights, used: Tower, tower: str) -> Tower | None:
    """The same tower in full precision, as far as it is on this machine; not `used` itself."""
    entry = weights.entry(used.model)
    for one in (entry, _reference(weights, entry)):
        if one is not None and (one is entry or not weights.missing(one.id)):
            found = _towers(one, tower).get("fp32")
            if found is not None and found.file.sha256 != used.file.sha256:
                return found
    return None


def path_of(weights: Weights, tower: Tower) -> Path:
    """The file itself, checked against its hash. Raises `WeightsMissing`, `WeightsDamaged`."""
    return weights.folder(tower.model) / tower.file.name


def calibration_of(entry: ModelEntry, offset: float = 0.0) -> Calibration:
    """Scale and bias of a model, which its ONNX files do not have.

    Raises `StageMissing` where the registry does not know them: any guess would turn all scores
    into inventions.
    """
    settings = entry.settings
    scale, bias = settings.get("scale"), settings.get("bias")
    numbers = all(
        isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one)
        for one in (scale, bias)
    )
    if not numbers or not isinstance(scale, int | float) or scale <= 0:
        raise StageMissing(
            f"stage {entry.stage}",
            stage=entry.stage,
            detail=f"the registry does not know scale and bias of {entry.id}, and without them"
            " a score means nothing",
            advice="Write `settings = { scale = ..., bias = ... }` into its entry: e to the power"
            " of the checkpoint's logit_scale, and its logit_bias; `urbexmp models convert siglip`"
            " shows them",
        )

    def number(name: str, usual: float) -> float:
        said = settings.get(name, usual)
        return float(said) if isinstance(said, int | float) else usual

    plain = Calibration(0, 0)
    return Calibration(
        scale=float(scale),
        bias=number("bias", 0.0),
        offset=offset + number("offset", plain.offset),
        offsets={
            name.removeprefix("offset:"): float(said)
            for name, said in settings.items()
            if name.startswith("offset:") and isinstance(said, int | float)
        },
        temperature=max(number("temperature", plain.temperature), 1e-3),
        view_least=number("view_least", plain.view_least),
        view_margin=number("view_margin", plain.view_margin),
        view_floor=number("view_floor", plain.view_floor),
    )


def _towers(entry: ModelEntry, tower: str) -> dict[str, Tower]:
    """Files of a tower by variant."""
    found: dict[str, Tower] = {}
    for file in entry.files:
        variant = variant_of(file.name, tower)
        if variant is not None:
            found.setdefault(variant, Tower(entry.id, file, variant))
    return found


def _reference(weights: Weights, entry: ModelEntry) -> ModelEntry | None:
    other = entry.settings.get("reference")
    return weights.entry(other) if isinstance(other, str) and other else None
