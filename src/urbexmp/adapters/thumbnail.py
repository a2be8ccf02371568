"""Pictures as JPEG: small ones for the HTML diff, whole previews for another
machine, and a drawing to try a model out with."""

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


def as_jpeg(preview: Preview, quality: int, long_side: int = 0, subsampling: int = 0) -> bytes:
    """The preview as a JPEG that holds the picture and nothing else: no EXIF, no location.

    `long_side` in pixels makes it smaller, never larger; 0 leaves it. `subsampling` as Pillow's:
    0 keeps colour as fine as light, 2 halves it both ways.
    """
    from PIL import Image

    packed = io.BytesIO()
    picture = Image.frombytes("RGB", (preview.width, preview.height), preview.rgb)
    if 0 < long_side < max(picture.size):
        picture.thumbnail((long_side, long_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture.save(packed, "JPEG", quality=quality, subsampling=subsampling)
    return packed.getvalue()


def as_sent(preview: Preview, quality: int, long_side: int) -> bytes:
    """The picture as models on servers get it: colour half as fine, as they see it anyway."""
    return as_jpeg(preview, quality, long_side, subsampling=2)


def red_circle() -> bytes:
    """A picture whose content is known, as JPEG: a red circle on white."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (448, 448), "white")
    ImageDraw.Draw(picture).ellipse((104, 104, 344, 344), fill=(220, 20, 20))
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=90)
    return packed.getvalue()
