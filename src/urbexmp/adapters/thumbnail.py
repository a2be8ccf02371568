"""Small pictures for the HTML diff."""

from __future__ import annotations

import base64
import io

from urbexmp.model.observation import Preview

LONG_SIDE = 480
"""Pixels: twice the width at which the page shows them, for dense screens."""


def data_uri(preview: Preview, long_side: int = LONG_SIDE) -> str:
    """The preview as a JPEG in a `data:` URI, at most `long_side` pixels."""
    from PIL import Image

    picture = Image.frombytes("RGB", (preview.width, preview.height), preview.rgb)
    picture.thumbnail((long_side, long_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=72, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode("ascii")
