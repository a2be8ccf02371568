"""Previews: the right one, the right way up, and a reason where there is none."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image, ImageFile

from look_files import (
    cr3,
    crw,
    jpeg_bytes,
    noise,
    quadrants,
    raf,
    tiff_raw,
    written,
)
from urbexmp.adapters.inspect import FileInspector, preview
from urbexmp.model.errors import FileVanished, Undecodable
from urbexmp.model.observation import Preview
from urbexmp.model.photo import Carrier, CarrierKind, FileStat, Photo, PhotoFile
from urbexmp.rules.formats import KINDS, extension

LOOK = FileInspector()
STAT = FileStat(0, 0, 0)
COLOURS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
UPRIGHT = ("red", "lime", "blue", "white")
# What the camera stores so that turning it by the orientation gives UPRIGHT.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def stored(orientation: int, width: int = 320, height: int = 240) -> Image.Image:
    image = quadrants(width, height)
    return image.transpose(STORED[orientation]) if orientation in STORED else image


def photo(path: Path, *companions: Path) -> Photo:
    def kind(one: Path):  # type: ignore[no-untyped-def]
        return KINDS[extension(one.name)]

    return Photo(
        path,
        kind(path),
        STAT,
        tuple(PhotoFile(one, kind(one), STAT) for one in companions),
        (Carrier(CarrierKind.SIDECAR, path.with_suffix(".xmp")),),
    )


def corners(seen: Preview) -> tuple[str, ...]:
    """The colour names of the four quarters, from the top left."""
    names = []
    for n in range(4):
        x = seen.width * (1 + n % 2 * 2) // 4
        y = seen.height * (1 + n // 2 * 2) // 4
        at = (y * seen.width + x) * 3
        pixel = seen.rgb[at : at + 3]
        names.append(
            min(
                COLOURS,
                key=lambda name: sum(abs(a - b) for a, b in zip(COLOURS[name], pixel, strict=True)),
            )
        )
    assert len(seen.rgb) == seen.width * seen.height * 3
    return tuple(names)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_stands_upright(tmp_path: Path, orientation: int) -> None:
    data = jpeg_bytes(stored(orientation), ifd0={0x0112: orientation})
    seen = LOOK.preview(photo(written(tmp_path / "a.jpg", data)), 160)
    assert (seen.width, seen.height, seen.source) == (160, 120, "image")
    assert corners(seen) == UPRIGHT


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.nef", "a.dng", "a.cr3"])
def test_an_embedded_preview_is_turned_by_the_raw_files_orientation(
    tmp_path: Path, orientation: int, name: str
) -> None:
    inside = jpeg_bytes(stored(orientation))
    size = stored(orientation).size
    data = {
        "a.nef": tiff_raw([inside], orientation=orientation, order=">", size=size),
        "a.dng": tiff_raw([inside], orientation=orientation, dng=True, size=size),
        "a.cr3": cr3(inside, orientation=orientation),
    }[name]
    seen = LOOK.preview(photo(written(tmp_path / name, data)), 160)
    assert (seen.width, seen.height, seen.source) == (160, 120, "embedded preview")
    assert corners(seen) == UPRIGHT


@pytest.mark.parametrize(("degrees", "orientation"), [(0, 1), (90, 6), (180, 3), (270, 8)])
def test_a_crw_turns_by_degrees(tmp_path: Path, degrees: int, orientation: int) -> None:
    data = crw(jpeg_bytes(stored(orientation)), degrees=degrees)
    seen = LOOK.preview(photo(written(tmp_path / "a.crw", data)), 160)
    assert corners(seen) == UPRIGHT


def test_a_raf_goes_by_its_previews_own_exif(tmp_path: Path) -> None:
    data = raf(jpeg_bytes(stored(8), ifd0={0x0112: 8}))
    seen = LOOK.preview(photo(written(tmp_path / "a.raf", data)), 160)
    assert corners(seen) == UPRIGHT


def test_a_preview_that_was_turned_already_is_not_turned_again(tmp_path: Path) -> None:
    data = tiff_raw([jpeg_bytes(quadrants(240, 320))], orientation=6, size=(320, 240))
    seen = LOOK.preview(photo(written(tmp_path / "a.nef", data)), 160)
    assert (seen.width, seen.height) == (120, 160)
    assert corners(seen) == UPRIGHT


def test_the_smallest_preview_that_is_large_enough_is_taken(tmp_path: Path) -> None:
    def plain(colour: str, size: int) -> bytes:
        return jpeg_bytes(Image.new("RGB", (size, size * 3 // 4), colour))

    raw = written(
        tmp_path / "a.nef", tiff_raw([plain("red", 1600), plain("lime", 200), plain("blue", 640)])
    )
    for wanted, colour, width in ((160, "lime", 160), (512, "blue", 512), (1024, "red", 1024)):
        seen = LOOK.preview(photo(raw), wanted)
        assert corners(seen) == (colour,) * 4
        assert seen.width == width
    assert LOOK.preview(photo(raw), 4000).width == 1600


def test_a_companion_stands_in_for_a_preview_that_is_too_small(tmp_path: Path) -> None:
    raw = written(tmp_path / "a.nef", tiff_raw([jpeg_bytes(quadrants(160, 120))]))
    jpeg = written(tmp_path / "a.jpg", jpeg_bytes(quadrants(800, 600)))
    seen = LOOK.preview(photo(raw, jpeg), 512)
    assert (seen.width, seen.source) == (512, "companion")
    broken = written(tmp_path / "b.jpg", jpeg.read_bytes()[:900])
    seen = LOOK.preview(photo(raw, broken), 512)
    assert (seen.width, seen.source) == (160, "embedded preview")


def test_a_jpeg_in_a_raw_of_unknown_form_is_searched_for(tmp_path: Path) -> None:
    data = b"\0MRM" + b"\x42" * 3000 + jpeg_bytes(quadrants(320, 240)) + b"\x42" * 3000
    seen = LOOK.preview(photo(written(tmp_path / "a.mrw", data)), 160)
    assert (seen.source, corners(seen)) == ("embedded preview", UPRIGHT)


def test_a_tiff_named_dng_or_tif_is_read_as_what_it_is(tmp_path: Path) -> None:
    out = io.BytesIO()
    quadrants(320, 240).save(out, "TIFF")
    seen = LOOK.preview(photo(written(tmp_path / "a.tif", out.getvalue())), 160)
    assert (seen.source, corners(seen)) == ("image", UPRIGHT)
    dng = tiff_raw([jpeg_bytes(quadrants(320, 240))], dng=True)
    seen = LOOK.preview(photo(written(tmp_path / "b.tif", dng)), 160)
    assert (seen.source, corners(seen)) == ("embedded preview", UPRIGHT)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "RGBA", "LA", "I;16", "I", "F"])
def test_pictures_of_every_mode_become_rgb(tmp_path: Path, mode: str) -> None:
    steps = Image.linear_gradient("L").resize((256, 256))
    if mode in ("I;16", "I"):
        image = Image.new(mode, (256, 256))
        image.putdata([value * 257 for value in steps.tobytes()])
    elif mode == "F":
        image = steps.convert("F").point(lambda value: value / 255)
    else:
        image = steps.convert("RGB").convert(mode) if mode != "LA" else steps.convert("LA")
    path = tmp_path / "a.tif"
    image.save(path)
    seen = LOOK.preview(photo(path), 512)
    assert (seen.width, seen.height) == (256, 256)
    row = [seen.rgb[y * 256 * 3 + 128 * 3] for y in (8, 247)]
    assert row[0] < 80
    assert row[1] > 175


def test_png_webp_psd_and_transparency(tmp_path: Path) -> None:
    clear = quadrants(64, 48).convert("RGBA")
    clear.putalpha(0)
    clear.save(tmp_path / "a.png")
    assert corners(LOOK.preview(photo(tmp_path / "a.png"), 64)) == ("white",) * 4
    quadrants(64, 48).save(tmp_path / "a.webp", lossless=True)
    assert corners(LOOK.preview(photo(tmp_path / "a.webp"), 64)) == UPRIGHT


def test_a_small_picture_is_not_blown_up(tmp_path: Path) -> None:
    seen = LOOK.preview(photo(written(tmp_path / "a.jpg", jpeg_bytes(quadrants(64, 48)))), 512)
    assert (seen.width, seen.height) == (64, 48)


# What cannot be decoded.
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg_is_no_grey_picture(tmp_path: Path, progressive: bool) -> None:
    data = jpeg_bytes(noise(400, 300), progressive=progressive)
    path = written(tmp_path / "a.jpg", data[: len(data) // 2])
    for wanted in (64, 1024):
        with pytest.raises(Undecodable) as caught:
            LOOK.preview(photo(path), wanted)
        assert "truncated" in str(caught.value)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.jpg", jpeg_bytes(noise(200, 200)))
    assert Image.MAX_IMAGE_PIXELS is not None
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    with pytest.raises(Undecodable) as caught:
        LOOK.preview(photo(path), 64)
    assert "more pixels than is safe" in str(caught.value)


def test_a_heic_without_a_decoder_names_the_package(tmp_path: Path) -> None:
    path = written(tmp_path / "a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64)
    with pytest.raises(Undecodable) as caught:
        LOOK.preview(photo(path), 64)
    if importlib.util.find_spec("pillow_heif") is None:
        assert "pillow-heif" in str(caught.value)


def test_a_raw_without_a_preview_says_what_libraw_says(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nef", tiff_raw())
    with pytest.raises(Undecodable) as caught:
        LOOK.preview(photo(path), 64)
    assert "preview inside" in str(caught.value)
    assert "LibRaw" in str(caught.value)


def test_a_damaged_preview_is_not_the_end(tmp_path: Path) -> None:
    good = jpeg_bytes(noise(400, 300))
    damaged = good[:-800]
    raw = written(tmp_path / "a.nef", tiff_raw([damaged]))
    jpeg = written(tmp_path / "a.jpg", jpeg_bytes(quadrants(320, 240)))
    assert LOOK.preview(photo(raw, jpeg), 200).source == "companion"
    with pytest.raises(Undecodable):
        LOOK.preview(photo(raw), 200)


def test_junk_and_vanished_files_are_problems(tmp_path: Path) -> None:
    with pytest.raises(Undecodable) as caught:
        LOOK.preview(
            photo(written(tmp_path / "a.tif", b"II*\0" + b"\x08\0\0\0" + b"junk" * 20)), 64
        )
    assert str(tmp_path / "a.tif") in str(caught.value)
    with pytest.raises(FileVanished):
        LOOK.preview(photo(tmp_path / "gone.jpg"), 64)


def test_damaged_exif_costs_neither_the_picture_nor_a_warning(tmp_path: Path) -> None:
    data = bytearray(jpeg_bytes(quadrants(64, 48), exif={0x8827: 100}))
    at = data.index(b"Exif\0\0") + 10
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    path = written(tmp_path / "a.jpg", bytes(data))
    script = (
        "import sys; from pathlib import Path; from urbexmp.adapters.inspect import preview;"
        "print(len(preview.decode(Path(sys.argv[1]), 64, 'image').rgb))"
    )
    run = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    assert (run.stdout.strip(), run.stderr, run.returncode) == (str(64 * 48 * 3), "", 0)


def test_threads_may_share_an_inspector(tmp_path: Path) -> None:
    files = [
        photo(written(tmp_path / "a.jpg", jpeg_bytes(quadrants(640, 480)))),
        photo(written(tmp_path / "a.nef", tiff_raw([jpeg_bytes(quadrants(320, 240))]))),
        photo(written(tmp_path / "a.crw", crw(jpeg_bytes(quadrants(320, 240))))),
    ]
    expected = [(LOOK.preview(one, 160), LOOK.facts(one.path)) for one in files]
    results: list[bool] = []

    def work() -> None:
        for _ in range(4):
            seen = [(LOOK.preview(one, 160), LOOK.facts(one.path)) for one in files]
            results.append(seen == expected)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 16


def test_pixels_of_the_wrong_length_are_a_problem() -> None:
    with pytest.raises(Undecodable):
        preview.from_pixels(Path("a.nef"), 10, 10, b"abc", 64, "demosaic")


@pytest.mark.parametrize("dng", [True, False])
def test_little_is_read_beside_the_preview_however_far_apart_the_directories_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dng: bool
) -> None:
    far = b"\x55" * 300_000
    small, wanted, full = (
        jpeg_bytes(Image.new("RGB", size, "lime"))
        for size in ((320, 214), (1024, 683), (3000, 2000))
    )
    file = tmp_path / ("a.dng" if dng else "a.nef")
    written(file, tiff_raw([small, wanted + far, full + far], sensor=far, dng=dng))
    reading, read = os.read, 0

    def counted(descriptor: int, length: int) -> bytes:
        nonlocal read
        part = reading(descriptor, length)
        read += len(part)
        return part

    taken = photo(file)
    with monkeypatch.context() as patch:
        patch.setattr(os, "read", counted)
        seen = LOOK.preview(taken, 768)
    assert (seen.width, seen.source) == (768, "embedded preview")
    assert len(wanted + far) < read < len(wanted + far) + 128 * 1024
