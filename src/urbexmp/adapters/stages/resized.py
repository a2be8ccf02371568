"""Pictures brought to the size that a model wants: the only file of this room that knows Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from urbexmp.model.observation import Preview


def squeezed(preview: Preview, side: int) -> NDArray[np.uint8]:
    """The picture as `side` x `side` x RGB, its shape not kept (bilinear, over whole areas)."""
    picture = Image.frombytes("RGB", (preview.width, preview.height), preview.rgb)
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))
