"""Whether a variant of a SigLIP tower says what full precision says, on this machine.

Each tower is asked about a few generated pictures (or sentences) before it is first used, and held
against full precision, or, where that is not on this machine, against itself (`checked`); the log
says where only this was done.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from urbexmp.adapters.stages.checked import PICTURES, Agreement, agreement, drawn, once
from urbexmp.adapters.stages.onnx_run import CPU, OnnxModel, runtime
from urbexmp.adapters.stages.siglip_files import Tower
from urbexmp.adapters.stages.siglip_pixels import Recipe, prepare
from urbexmp.adapters.stages.siglip_text import Vectors, pooled_name
from urbexmp.model.stage_errors import StageMissing

VERSION = "1"
NOTES = "siglip-checks.json"

SENTENCES = (
    "a photo of an empty room",
    "an aerial photo of a factory",
    "a rusty machine",
    "a church with a broken roof and an overgrown graveyard",
)

_log = logging.getLogger("urbexmp.stages")


def generated_pictures(recipe: Recipe) -> NDArray[np.float32]:
    """Six generated pictures, as the picture tower takes them."""
    return prepare([drawn(one) for one in range(PICTURES)], recipe)


def check(
    used: Tower,
    path: Path,
    loaded: OnnxModel,
    given: tuple[str, NDArray[np.generic]],
    right: tuple[Tower, Path] | None,
    notes: Path | None,
    stage: str = "siglip",
) -> None:
    """Hold the tower `loaded` from `path` against `right`, or itself. Raises `StageMissing`.

    `given`: name and value of its input. Computes nothing where the result is known.
    """
    if right is None and used.variant == "fp32" and loaded.provider == CPU:
        return  # full precision as it is: there is nothing to hold it against
    against = "itself" if right is None else right[0].file.sha256
    key = "|".join((VERSION, used.file.sha256, against, runtime(), loaded.provider))

    def compare() -> Agreement:
        result = agreement(
            _vectors(loaded, path, given, stage),
            _right_vectors(path if right is None else right[1], given, stage, own=right is None),
        )
        if right is None and result.fits(used.variant):
            _log.warning(
                "%s: %s was checked against itself only, because the full-precision model is not"
                " on this machine",
                stage,
                path.name,
            )
        return result

    result = once(notes, NOTES, key, compare)
    if not result.fits(used.variant):
        raise StageMissing(
            path,
            stage=stage,
            detail=f"the {used.variant} variant of {used.model} disagrees with"
            f" {'itself, computed without optimisations' if right is None else 'full precision'}"
            f" ({result.told(used.variant)})",
            advice='Choose another with `variant = "fp32"` in [stage.siglip]',
        )


def _vectors(
    model: OnnxModel, path: Path, given: tuple[str, NDArray[np.generic]], stage: str
) -> Vectors:
    name, value = given
    if model.types.get(name) == "tensor(float16)":
        value = value.astype(np.float16)
    output = pooled_name(model.outputs, path, stage)
    rows = [model.run({name: value[at : at + 1]}, [output])[output] for at in range(len(value))]
    return np.concatenate(rows).astype(np.float32)


def _right_vectors(
    path: Path, given: tuple[str, NDArray[np.generic]], stage: str, *, own: bool
) -> Vectors:
    """One picture at a time and dropped at once: memory holds two towers for a moment only."""
    model = OnnxModel(path, providers=(CPU,), stage=stage, optimise=not own)
    return _vectors(model, path, given, stage)
