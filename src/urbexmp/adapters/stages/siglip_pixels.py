"""A preview made into what a SigLIP picture tower takes, to the bit as the library makes it.

Squashed to the model's size without cropping, by the filter that `preprocessor_config.json` names
(bicubic for SigLIP, bilinear for SigLIP 2), then scaled and shifted. A byte has 256 values, so the
arithmetic is done 256 times and looked up; that also makes it equal to the library's, which
multiplies in double and shifts in single precision.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from urbexmp.model.observation import Preview
from urbexmp.model.stage_errors import StageMissing

FILE = "preprocessor_config.json"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model wants its pictures."""

    height: int
    """Pixels."""
    width: int
    resample: int
    """Pillow's number of a filter: 2 bilinear, 3 bicubic."""
    factor: float
    """Of a byte, mostly 1/255."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def read_recipe(path: Path, stage: str = "siglip") -> Recipe:
    """Read `preprocessor_config.json`. Raises `StageMissing` for what is not a plain squash."""
    try:
        said = json.loads(path.read_bytes())
        # `processor_config.json` holds it as a table.
        return _recipe(said.get("image_processor", said))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StageMissing(
            path,
            stage=stage,
            detail=f"{FILE} does not say how the model wants its pictures ({error!r})",
            advice="Bring the file again with `urbexmp models pull`, or choose another model",
        ) from error


def _recipe(said: Any) -> Recipe:
    """Raises `ValueError` and others for what cannot be followed."""
    for step in ("do_resize", "do_rescale", "do_normalize"):
        if not said.get(step, True):
            raise ValueError(f"{step} is off")
    for step in ("do_center_crop", "do_pad"):
        if said.get(step):
            raise ValueError(f"{step} is on")
    red, green, blue = (float(one) for one in said["image_mean"])
    red_std, green_std, blue_std = (float(one) for one in said["image_std"])
    recipe = Recipe(
        height=int(said["size"]["height"]),
        width=int(said["size"]["width"]),
        resample=Image.Resampling(int(said["resample"])).value,
        factor=float(said.get("rescale_factor", 1 / 255)),
        mean=(red, green, blue),
        std=(red_std, green_std, blue_std),
    )
    if min(recipe.height, recipe.width) < 1 or min(recipe.std) <= 0:
        raise ValueError("a size or deviation is not above 0")
    return recipe


def prepare(previews: Sequence[Preview], recipe: Recipe) -> NDArray[np.float32]:
    """Pictures x RGB x height x width, float32."""
    steps = _steps(recipe)
    made = np.empty((len(previews), 3, recipe.height, recipe.width), dtype=np.float32)
    for row, preview in enumerate(previews):
        picture = Image.frombuffer(
            "RGB", (preview.width, preview.height), preview.rgb, "raw", "RGB", 0, 1
        )
        small = np.asarray(
            picture.resize((recipe.width, recipe.height), Image.Resampling(recipe.resample))
        )
        for channel in range(3):
            np.take(steps[channel], small[:, :, channel], out=made[row, channel])
    return made


def _steps(recipe: Recipe) -> NDArray[np.float32]:
    """3 x 256: the number that each byte becomes."""
    scaled = (np.arange(256).astype(np.float64) * recipe.factor).astype(np.float32)
    mean = np.array(recipe.mean, dtype=np.float32)[:, None]
    std = np.array(recipe.std, dtype=np.float32)[:, None]
    steps: NDArray[np.float32] = (scaled[None, :] - mean) / std
    return steps
