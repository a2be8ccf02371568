"""The drawn scenes of the samples: arrays of 8-bit RGB, the same on every run.

They stand in for photographs of abandoned places. Light and colour follow what cameras see
there: interiors are warm and dim, exteriors have blue sky and greenery, because the `pixels`
stage measures just that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float64]
Colour = tuple[int, int, int]
Point = tuple[float, float]

WIDTH, HEIGHT = 840, 560


def clouds(seed: int, cells: int, octaves: int = 4) -> Plane:
    """Smooth noise in -1..1: grids of random numbers, each twice as fine and half as strong."""
    chance = np.random.Generator(np.random.PCG64(seed))
    total = np.zeros((HEIGHT, WIDTH))
    for octave in range(octaves):
        rows, columns = cells * 2**octave, cells * 2**octave * 3 // 2
        grid = chance.random((rows + 1, columns + 1)) * 2 - 1
        picture = Image.fromarray(((grid + 1) * 127.5).astype(np.uint8))
        smooth = picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        total += (np.asarray(smooth, dtype=np.float64) / 127.5 - 1) / 2**octave
    return total / 2


def finish(picture: Image.Image, seed: int, grain: float, light: Plane | None = None) -> Pixels:
    """Add stains, grain and falling light to a flat drawing."""
    values = np.asarray(picture.convert("RGB"), dtype=np.float64)
    values = values * (1 + grain * clouds(seed, 6, 5)[:, :, None])
    if light is not None:
        values = values * light[:, :, None]
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def glow(x: float, y: float, reach: float, least: float) -> Plane:
    """Light that falls off around a point given as shares of width and height."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    distance = np.hypot((columns / WIDTH - x) * 1.5, rows / HEIGHT - y)
    return least + (1 - least) * np.exp(-((distance / reach) ** 2))


def canvas(colour: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an empty picture in one colour, and what draws on it."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), colour)
    return picture, ImageDraw.Draw(picture)


def lettering(draw: ImageDraw.ImageDraw, text: str, middle: Point, size: int, ink: Colour) -> None:
    """Draw a text centred on a point, in the typeface that Pillow itself carries."""
    draw.multiline_text(
        middle,
        text,
        fill=ink,
        font=ImageFont.load_default(size),
        anchor="mm",
        align="center",
        spacing=size // 4,
        stroke_width=max(1, size // 30),
    )


def corridor() -> Pixels:
    """A hospital corridor in one-point perspective, peeling paint, a lit end."""
    picture, draw = canvas((120, 104, 84))
    left, right, top, bottom = 350, 490, 210, 345
    draw.polygon([(0, 0), (WIDTH, 0), (right, top), (left, top)], fill=(112, 100, 82))
    draw.polygon([(0, HEIGHT), (WIDTH, HEIGHT), (right, bottom), (left, bottom)], fill=(74, 60, 46))
    draw.polygon([(0, 0), (left, top), (left, bottom), (0, HEIGHT)], fill=(150, 128, 98))
    draw.polygon([(WIDTH, 0), (right, top), (right, bottom), (WIDTH, HEIGHT)], fill=(138, 116, 90))
    for edge, vanish in ((0, left), (WIDTH, right)):  # the lower half of the walls, once blue
        draw.polygon(
            [(edge, 330), (vanish, 290), (vanish, bottom), (edge, HEIGHT)], fill=(84, 106, 128)
        )
    draw.rectangle((left, top, right, bottom), fill=(206, 182, 140))
    draw.rectangle((left + 40, top + 35, right - 40, bottom), fill=(238, 218, 176))
    for near, far in ((0.06, 0.24), (0.36, 0.50), (0.60, 0.70), (0.78, 0.85)):
        for edge, vanish in ((0, left), (WIDTH, right)):
            x0, x1 = edge + (vanish - edge) * near, edge + (vanish - edge) * far
            tops = [90 + (top - 90) * share + 34 * (1 - share) for share in (near, far)]
            ends = [HEIGHT + (bottom - HEIGHT) * share for share in (near, far)]
            draw.polygon(
                [(x0, tops[0]), (x1, tops[1]), (x1, ends[1]), (x0, ends[0])], fill=(58, 46, 34)
            )
    draw.rounded_rectangle((228, 300, 252, 366), 8, fill=(176, 38, 30))
    for share in (0.1, 0.35, 0.55, 0.7, 0.82):
        y = top * share
        draw.line([(420 - 260 * (1 - share), y), (420 + 260 * (1 - share), y)], (92, 80, 64), 4)
    return finish(picture, 11, 0.5, glow(0.5, 0.5, 0.75, 0.42))


def hall(seed: int = 21) -> Pixels:
    """A machine hall: tall windows on both sides, steel trusses, a strip of light on the floor."""
    picture, draw = canvas((86, 74, 58))
    draw.polygon([(0, 0), (WIDTH, 0), (560, 170), (280, 170)], fill=(52, 44, 36))
    draw.polygon([(0, HEIGHT), (WIDTH, HEIGHT), (560, 350), (280, 350)], fill=(112, 94, 70))
    draw.rectangle((280, 170, 560, 350), fill=(104, 88, 66))
    for n in range(6):
        share = 1 - 0.62**n
        x, y0, y1 = 280 * share, 150 + 70 * share, 420 - 120 * share
        wide = 70 * 0.62**n
        for mirror in (False, True):
            edge = WIDTH - x - wide if mirror else x
            draw.rectangle((edge, y0 + 50, edge + wide * 0.7, y1), fill=(232, 206, 156))
            draw.line([(edge + wide * 0.35, y0 + 50), (edge + wide * 0.35, y1)], (70, 58, 44), 3)
            draw.line(
                [(edge, (y0 + 50 + y1) / 2), (edge + wide * 0.7, (y0 + 50 + y1) / 2)],
                (70, 58, 44),
                3,
            )
        beam = 60 * (1 - share) + 170 * share
        half = 420 * (1 - share) + 140 * share
        draw.line([(420 - half, beam), (420 + half, beam)], (30, 25, 20), 7 - n)
        for step in range(8):
            a = 420 - half + half * step / 4
            draw.line([(a, beam), (a + half / 8, beam - 46 * (1 - share))], (30, 25, 20), 3)
            draw.line(
                [(a + half / 4, beam), (a + half / 8, beam - 46 * (1 - share))], (30, 25, 20), 3
            )
    for x in (150, 330, 520, 700):
        draw.polygon([(x, 430), (x + 60, 430), (x + 90, 540), (x - 20, 540)], fill=(170, 146, 106))
    for x, colour in ((60, (70, 98, 124)), (600, (150, 52, 38)), (250, (78, 92, 116))):
        draw.rectangle((x, 350, x + 150, 470), fill=colour)
        draw.ellipse((x + 20, 330, x + 90, 400), fill=tuple(int(c * 0.7) for c in colour))
    return finish(picture, seed, 0.45, glow(0.5, 0.62, 0.8, 0.5))


def facade() -> Pixels:
    """A brick mill under a blue sky, half grown over."""
    picture, draw = canvas((96, 148, 214))
    for y in range(420):
        draw.line([(0, y), (WIDTH, y)], (86 + y // 8, 140 + y // 9, 212 + y // 16))
    draw.rectangle((110, 150, 730, 460), fill=(150, 88, 66))
    draw.rectangle((600, 40, 650, 150), fill=(138, 80, 60))
    for y in range(150, 460, 9):
        draw.line([(110, y), (730, y)], (128, 72, 54), 1)
    for row in range(4):
        for column in range(11):
            x, y = 130 + column * 55, 170 + row * 70
            broken = (row * 11 + column) % 3 == 0
            draw.rectangle((x, y, x + 32, y + 46), fill=(26, 24, 26) if broken else (104, 120, 130))
            draw.line([(x + 16, y), (x + 16, y + 46)], (60, 50, 44), 2)
            draw.line([(x, y + 23), (x + 32, y + 23)], (60, 50, 44), 2)
    leaves = greenery(31)
    values = finish(picture, 32, 0.12)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    edge = 430 + 40 * clouds(33, 4, 4) - 200 * np.exp(-(((columns / WIDTH) * 9) ** 2))
    return np.where((rows > edge)[:, :, None], leaves, values)


def greenery(seed: int) -> Pixels:
    """A field of leaves."""
    noise = clouds(seed, 24, 3)
    bright = 0.62 + 0.38 * noise
    base = np.stack([0.30 * bright, 0.46 * bright, 0.16 * bright], axis=2)
    return np.clip(np.rint(base * 255), 0, 255).astype(np.uint8)


def aerial() -> Pixels:
    """Roofs of a works from above, with a yard and trees."""
    values = greenery(41)
    mask, draw = canvas((0, 0, 0))
    roofs: list[tuple[tuple[int, int, int, int], Colour]] = [
        ((120, 90, 470, 230), (142, 134, 126)),
        ((120, 260, 300, 480), (120, 96, 84)),
        ((340, 270, 560, 400), (156, 148, 140)),
        ((600, 120, 740, 360), (104, 100, 98)),
    ]
    draw.rectangle((80, 60, 770, 510), fill=(128, 116, 98))
    for box, colour in roofs:
        shade = (box[0] + 10, box[1] + 12, box[2] + 14, box[3] + 16)
        draw.rectangle(shade, fill=(46, 42, 38))
        draw.rectangle(box, fill=colour)
        middle = (box[1] + box[3]) // 2
        draw.rectangle((box[0], middle, box[2], box[3]), fill=tuple(int(c * 0.82) for c in colour))
        for x in range(box[0] + 18, box[2] - 20, 44):
            draw.rectangle((x, box[1] + 14, x + 20, middle - 14), fill=(40, 44, 48))
    draw.ellipse((478, 420, 530, 472), fill=(70, 62, 56), outline=(160, 150, 140), width=6)
    drawn = finish(mask, 42, 0.3)
    inside = np.asarray(mask).sum(axis=2) > 0
    trees = clouds(43, 10, 3) > 0.42
    return np.where((inside & ~trees)[:, :, None], drawn, values)


def rust() -> Pixels:
    """Rust and rivets, close by."""
    noise = clouds(51, 8, 6)
    share = np.clip(noise * 0.9 + 0.5, 0, 1)[:, :, None]
    deep, bright = np.array([70.0, 34.0, 20.0]), np.array([206.0, 116.0, 56.0])
    paint = np.array([96.0, 104.0, 106.0])
    values = deep + (bright - deep) * share
    flakes = (clouds(52, 5, 5) > 0.3)[:, :, None]
    picture = Image.fromarray(np.where(flakes, paint, values).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for x in range(60, WIDTH, 120):
        for y in (90, 470):
            draw.ellipse((x - 20, y - 18, x + 22, y + 24), fill=(44, 24, 16))
            draw.ellipse((x - 20, y - 20, x + 18, y + 18), fill=(150, 84, 48))
            draw.ellipse((x - 12, y - 14, x + 2, y), fill=(210, 150, 104))
    return finish(picture, 53, 0.35)


def night() -> Pixels:
    """A dark facade at night, one lamp, trails of a passing car, stars."""
    picture, draw = canvas((12, 14, 26))
    chance = np.random.Generator(np.random.PCG64(61))
    for x, y in chance.random((90, 2)):
        place = (int(x * WIDTH), int(y * 200))
        draw.point(place, fill=(150, 150, 170))
    draw.rectangle((140, 190, 700, 440), fill=(46, 38, 30))
    for column in range(8):
        for row in range(3):
            x, y = 165 + column * 67, 210 + row * 76
            draw.rectangle((x, y, x + 36, y + 50), fill=(14, 13, 14))
    draw.rectangle((0, 440, WIDTH, HEIGHT), fill=(30, 26, 22))
    for y, colour in ((486, (190, 60, 40)), (492, (210, 80, 50)), (516, (230, 210, 170))):
        draw.line([(0, y), (WIDTH, y - 22)], colour, 3)
    values = finish(picture, 62, 0.25)
    lamp = (1 + 2.6 * (glow(0.72, 0.52, 0.22, 0.0)))[:, :, None]
    return np.clip(values * lamp * np.array([1.0, 0.9, 0.7]), 0, 255).astype(np.uint8)


def stairwell() -> Pixels:
    """A stairwell, black and white."""
    picture, draw = canvas((150, 150, 150))
    draw.rectangle((300, 60, 430, 330), fill=(226, 226, 226))
    for n in range(13):
        x, y = 40 + n * 58, 520 - n * 34
        draw.polygon(
            [(x, y), (x + 62, y), (x + 62, y + 36), (WIDTH, y + 36), (WIDTH, HEIGHT), (x, HEIGHT)],
            fill=(66 + n * 5,) * 3,
        )
        draw.line([(x, y), (x + 62, y)], (210, 210, 210), 3)
        draw.line([(x + 30, y), (x + 30, y - 110)], (28, 28, 28), 4)
    draw.line([(70, 392), (790, -26)], (24, 24, 24), 9)
    grey = finish(picture, 71, 0.4, glow(0.42, 0.35, 0.8, 0.3))
    return np.repeat(grey[:, :, :1], 3, axis=2)


def ward_sign() -> Pixels:
    """A plaster wall above a double door, WARD 7 painted on it."""
    picture, draw = canvas((168, 148, 112))
    draw.rectangle((0, 400, WIDTH, HEIGHT), fill=(96, 112, 92))
    draw.rectangle((250, 250, 590, HEIGHT), fill=(84, 66, 48))
    draw.line([(420, 250), (420, HEIGHT)], (40, 32, 24), 5)
    for x in (285, 455):
        draw.rectangle((x, 300, x + 100, 400), fill=(30, 26, 22))
    draw.rectangle((230, 70, 610, 210), fill=(222, 204, 166))
    lettering(draw, "WARD 7", (420, 140), 88, (52, 36, 28))
    return finish(picture, 81, 0.2, glow(0.5, 0.3, 0.9, 0.5))


def warning_sign() -> Pixels:
    """A yellow warning on the wall of a boiler room."""
    picture, draw = canvas((134, 112, 86))
    for y in (70, 120, 480):
        draw.rectangle((0, y, WIDTH, y + 26), fill=(92, 74, 56))
        draw.line([(0, y + 6), (WIDTH, y + 6)], (146, 122, 92), 3)
    draw.rectangle((190, 180, 650, 440), fill=(224, 184, 44), outline=(24, 22, 20), width=10)
    lettering(draw, "DANGER\nASBESTOS", (420, 308), 78, (24, 22, 20))
    return finish(picture, 91, 0.22, glow(0.5, 0.5, 0.8, 0.45))


def fence_sign() -> Pixels:
    """A white sign on a fence before an overgrown yard, under the sky."""
    picture, draw = canvas((104, 156, 220))
    for y in range(200):
        draw.line([(0, y), (WIDTH, y)], (92 + y // 4, 146 + y // 5, 216 + y // 10))
    values = finish(picture, 101, 0.06)
    rows = np.mgrid[0:HEIGHT, 0:WIDTH][0]
    values = np.where((rows > 210 + 30 * clouds(102, 6, 3))[:, :, None], greenery(103), values)
    picture = Image.fromarray(values)
    draw = ImageDraw.Draw(picture)
    for x in range(-HEIGHT, WIDTH, 34):
        draw.line([(x, 230), (x + 330, HEIGHT)], (150, 152, 150), 2)
        draw.line([(x + 330, 230), (x, HEIGHT)], (150, 152, 150), 2)
    draw.rectangle((0, 222, WIDTH, 232), fill=(120, 120, 116))
    draw.rectangle((170, 270, 670, 470), fill=(236, 234, 226), outline=(150, 30, 26), width=9)
    lettering(draw, "NO\nTRESPASSING", (420, 368), 66, (150, 30, 26))
    return np.asarray(picture)


def dormitory() -> Pixels:
    """Iron beds in a row, lit by a flash."""
    picture, draw = canvas((150, 130, 100))
    draw.rectangle((0, 330, WIDTH, HEIGHT), fill=(104, 82, 60))
    for n, x in enumerate((30, 240, 450, 660)):
        y = 300 + (n % 2) * 30
        draw.rectangle((x, y + 70, x + 170, y + 100), fill=(196, 180, 150))
        blanket = (70, 90, 140) if n % 2 else (150, 50, 44)
        draw.rectangle((x + 60, y + 66, x + 164, y + 112), fill=blanket)
        for post in (x, x + 164):
            draw.rectangle((post, y, post + 7, y + 170), fill=(46, 38, 32))
        for bar in range(x + 20, x + 160, 28):
            draw.line([(bar, y + 10), (bar, y + 70)], (46, 38, 32), 4)
        draw.line([(x, y + 8), (x + 168, y + 8)], (46, 38, 32), 6)
    return finish(picture, 111, 0.3, glow(0.5, 0.6, 0.55, 0.25))


def grey_wall() -> Pixels:
    """A wall that says nothing: neither sky nor green, neither warm nor dark, some old paint."""
    picture, draw = canvas((126, 124, 120))
    for y in range(0, HEIGHT, 70):
        draw.line([(0, y), (WIDTH, y)], (100, 98, 96), 3)
        for x in range((y // 70 % 2) * 60, WIDTH, 120):
            draw.line([(x, y), (x, y + 70)], (100, 98, 96), 3)
    for x, colour in ((90, (150, 70, 64)), (320, (74, 84, 150)), (560, (150, 120, 60))):
        draw.ellipse((x, 210, x + 170, 380), outline=colour, width=22)
        draw.line([(x, 400), (x + 190, 330)], colour, 16)
    return finish(picture.filter(ImageFilter.GaussianBlur(0.8)), 121, 0.28)


SCENES: dict[str, Callable[[], Pixels]] = {
    scene.__name__: scene
    for scene in (
        aerial,
        corridor,
        dormitory,
        facade,
        fence_sign,
        grey_wall,
        hall,
        night,
        rust,
        stairwell,
        ward_sign,
        warning_sign,
    )
}
