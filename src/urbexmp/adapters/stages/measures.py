"""What is measured in a picture: the arrays behind the `pixels` stage.

Apart from the stage, because a profile is read, and a run over an archive where nothing changed
is made, without numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from urbexmp.model.observation import Preview
from urbexmp.rules.exposure import PixelMeasures

Image = NDArray[np.float32]
"""Rows x columns x (R, G, B), 0..1; or rows x columns."""

WIDE = (192, 144)
"""Width and height the four measures are defined on; upright pictures use (144, 192)."""
TONE_SIZE = (96, 72)
QUALITY_LONG_SIDE = 512


def as_array(preview: Preview) -> Image:
    """The preview as numbers from 0 to 1."""
    rows = np.frombuffer(preview.rgb, dtype=np.uint8)
    rows = rows.reshape(preview.height, preview.width, 3)
    return rows.astype(np.float32) / np.float32(255.0)


def luma(picture: Image) -> Image:
    """Y = .299 R + .587 G + .114 B."""
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    weighed: Image = picture @ weights
    return weighed


def box_resize(picture: Image, width: int, height: int) -> Image:
    """Mean over the area of each new pixel, with partly covered pixels counted in part.

    Of colours or of brightness alone. Each new pixel is the weighted sum of the few that it
    covers; a product with the matrix of all weights, nearly all zero, costs five times as much.
    """
    rows, columns = picture.shape[:2]
    lower = _shrunk(picture.reshape(rows, -1), height)
    standing = lower.reshape(height, columns, -1).transpose(1, 0, 2)
    across = _shrunk(np.ascontiguousarray(standing).reshape(columns, -1), width)
    shape = (width, height, *picture.shape[2:])
    resized: Image = np.ascontiguousarray(across.reshape(shape).swapaxes(0, 1))
    return resized


def _shrunk(rows: Image, after: int) -> Image:
    """The rows of a matrix, made fewer or more."""
    first, weights = _box_weights(rows.shape[0], after)
    summed: Image = rows[first] * weights[0][:, None]
    last = rows.shape[0] - 1
    for step in range(1, len(weights)):
        summed += rows[np.minimum(first + step, last)] * weights[step][:, None]
    return summed


@cache
def _box_weights(before: int, after: int) -> tuple[NDArray[np.intp], Image]:
    """The first old pixel in each new one, and how much of it and of each next one goes in."""
    edges = np.arange(after + 1) * (before / after)
    first = np.minimum(edges[:-1].astype(np.intp), before - 1)
    reach = int(np.ceil(before / after)) + 1
    pixels = first[None, :] + np.arange(reach)[:, None]
    covered = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    covered = np.clip(covered, 0.0, None) * (pixels < before)
    weights: Image = (covered / covered.sum(axis=0, keepdims=True)).astype(np.float32)
    return first, weights


def measure(picture: Image) -> PixelMeasures:
    """The four measures of CAMERA.md 3, as defined there.

    On a box-resized picture of 192 x 144 (144 x 192 where it is upright): `sky` = min(.6, share
    of the top third that is smooth, the 5 x 5 mean of |dx| + |dy| of Y being below .035, and
    either blue (B > 1.08 R, B >= .98 G, max > .30) or white (max > .72, saturation < .18));
    `green` = share of all pixels with G > 1.02 R, G > 1.08 B, saturation > .12, max > .12;
    `warm` = mean of (R - B) / (R + B + .05). `topdark` = share of the top third with Y < .13,
    always on 192 x 144.
    """
    height, width = picture.shape[:2]
    upright = height > width
    small = box_resize(picture, *(WIDE[::-1] if upright else WIDE))
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    most, least = small.max(axis=2), small.min(axis=2)
    saturation = (most - least) / np.maximum(most, 1e-6)
    third = small.shape[0] // 3
    smooth = _mean_5x5(_steps(luma(small))) < 0.035
    is_blue = (blue > 1.08 * red) & (blue >= 0.98 * green) & (most > 0.30)
    is_white = (most > 0.72) & (saturation < 0.18)
    sky = float((smooth & (is_blue | is_white))[:third].mean())
    is_green = (green > 1.02 * red) & (green > 1.08 * blue) & (saturation > 0.12) & (most > 0.12)
    flat = box_resize(picture, *WIDE) if upright else small
    return PixelMeasures(
        sky=min(0.6, sky),
        green=float(is_green.mean()),
        warm=float(((red - blue) / (red + blue + 0.05)).mean()),
        topdark=float((luma(flat)[: WIDE[1] // 3] < 0.13).mean()),
    )


def _steps(brightness: Image) -> Image:
    """|dx| + |dy|: steps to the right and the lower neighbour; the last ones are repeated."""
    across = np.abs(np.diff(brightness, axis=1))
    down = np.abs(np.diff(brightness, axis=0))
    summed: Image = np.pad(across, ((0, 0), (0, 1)), mode="edge") + np.pad(
        down, ((0, 1), (0, 0)), mode="edge"
    )
    return summed


def _mean_5x5(values: Image) -> Image:
    """Mean over 5 x 5 pixels; the border is repeated outwards."""
    padded = np.pad(values, 2, mode="edge")
    height, width = values.shape
    rows: Image = sum((padded[n : n + height] for n in range(5)), np.zeros((1, 1), np.float32))
    mean: Image = sum((rows[:, n : n + width] for n in range(5)), np.zeros((1, 1), np.float32))
    return mean / np.float32(25.0)


@dataclass(frozen=True, slots=True)
class Tone:
    """How a picture is toned. The limits are ours and not measured on people."""

    monochrome: bool
    """No colour at all, or one tint throughout (sepia)."""
    low_key: bool
    """Three quarters of the picture are darker than .25 of white, and some of it is not."""
    high_key: bool
    """Three quarters are brighter than .75 of white, and some of it is not."""


def measure_tone(picture: Image) -> Tone:
    """Monochrome, low key, high key."""
    small = box_resize(picture, *TONE_SIZE)
    brightness = luma(small)
    dark, bright = float((brightness < 0.25).mean()), float((brightness > 0.75).mean())
    contrast = float(brightness.std())
    return Tone(
        monochrome=_is_monochrome(small, brightness),
        low_key=dark >= 0.75 and float(brightness.mean()) < 0.2 and contrast > 0.02,
        high_key=bright >= 0.75 and float(brightness.mean()) > 0.75 and contrast > 0.02,
    )


def _is_monochrome(small: Image, brightness: Image) -> bool:
    """Grey, or one tint whose strength follows from the brightness.

    Grey: 98 % of pixels have less than .04 between their strongest and weakest colour. One tint:
    all colours have one hue, and R-Y and B-Y are a quadratic of Y within .012 (RMS), which no
    picture in full colour is. There must be some contrast, because a blank wall has one colour
    too; and one hue, because a plain sky over a plain field follows from brightness as well.
    """
    chroma = small.max(axis=2) - small.min(axis=2)
    if float(np.percentile(chroma, 98)) < 0.04:
        return True
    if float(brightness.std()) < 0.05:
        return False
    y = brightness.ravel().astype(np.float64)
    tints = np.stack([small[..., 0].ravel() - y, small[..., 2].ravel() - y], axis=1)
    mean = tints.mean(axis=0)
    hue = mean / max(float(np.hypot(*mean)), 1e-9)
    aside = tints @ np.array([-hue[1], hue[0]])
    if float(np.sqrt((aside**2).mean())) >= 0.012 or np.percentile(tints @ hue, 2) < -0.01:
        return False
    terms = np.stack([np.ones_like(y), y, y * y], axis=1)
    factors, *_ = np.linalg.lstsq(terms, tints, rcond=None)
    return float(np.sqrt(((tints - terms @ factors) ** 2).mean())) < 0.012


@dataclass(frozen=True, slots=True)
class Quality:
    """Four numbers from 0 to 100."""

    score: float
    sharpness: float
    exposure: float
    contrast: float


def measure_quality(picture: Image) -> Quality:
    """Sharpness, exposure and contrast, and their weighted geometric mean (.5, .3, .2).

    Geometric, because a blurred picture is not saved by its contrast.
    """
    height, width = picture.shape[:2]
    longest = max(height, width)
    brightness = luma(picture)
    if longest > QUALITY_LONG_SIDE:
        scale = QUALITY_LONG_SIDE / longest
        size = max(1, round(width * scale)), max(1, round(height * scale))
        brightness = box_resize(brightness, *size)
    sharpness = _sharpness(brightness)
    clipped = float(((brightness <= 2 / 255) | (brightness >= 253 / 255)).mean())
    exposed = 100.0 * max(0.0, 1.0 - clipped / 0.35)
    contrast = 100.0 * min(1.0, float(brightness.std()) / 0.22)
    parts = np.array([sharpness, exposed, contrast], dtype=np.float64)
    weights = np.array([0.5, 0.3, 0.2])
    score = float(np.exp((np.log(np.maximum(parts, 1.0)) * weights).sum()))
    return Quality(score if score > 1.0 else 0.0, sharpness, exposed, contrast)


def _sharpness(brightness: Image) -> float:
    """0..100 from the Laplacian's variance over the brightness variance, by tiles."""
    if min(brightness.shape) < 16:
        return 0.0
    inner = brightness[1:-1, 1:-1]
    laplacian = (
        brightness[:-2, 1:-1]
        + brightness[2:, 1:-1]
        + brightness[1:-1, :-2]
        + brightness[1:-1, 2:]
        - 4.0 * inner
    )
    # 1e-4: a tile with less variance than sensor noise has nothing to be sharp about.
    ratios = _tile_variances(laplacian) / (_tile_variances(inner) + 1e-4)
    best = float(np.percentile(ratios, 90))
    # A logistic in the logarithm: 50 at .08, where a blur of about two pixels ends up.
    return float(100.0 / (1.0 + (0.08 / max(best, 1e-9)) ** 1.2))


def _tile_variances(values: Image) -> NDArray[np.float64]:
    """Variance in each of eight columns by six rows of about equal tiles.

    By sums over all tiles at once: a hundred calls for single tiles cost several times as much.
    """
    rows, columns = (_starts(side, parts) for side, parts in zip(values.shape, (6, 8), strict=True))
    exact = values.astype(np.float64)

    def summed(of: NDArray[np.float64]) -> NDArray[np.float64]:
        across = np.add.reduceat(of, columns, axis=1)
        down: NDArray[np.float64] = np.add.reduceat(across, rows, axis=0)
        return down

    heights = np.diff([*rows, values.shape[0]])[:, None]
    widths = np.diff([*columns, values.shape[1]])[None, :]
    count = heights * widths
    mean = summed(exact) / count
    spread: NDArray[np.float64] = np.maximum(summed(exact * exact) / count - mean * mean, 0.0)
    return spread.ravel()


def _starts(side: int, parts: int) -> list[int]:
    """Where parts of about equal length begin, the longer ones first (as `numpy.array_split`)."""
    length, longer = divmod(side, parts)
    return [part * length + min(part, longer) for part in range(parts)]
