"""What the pixels stage measures, on pictures whose measures are known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from urbexmp.adapters.stages.measures import (
    _tile_variances,
    as_array,
    box_resize,
    measure,
    measure_quality,
    measure_tone,
)
from urbexmp.adapters.stages.pixels import PixelsStage
from urbexmp.adapters.stages.registry import make_stages
from urbexmp.model.errors import ConfigProblem, Undecodable
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    ObservationKind,
    Preview,
    StageInput,
    View,
)
from urbexmp.model.profile import Profile


def preview_of(image: Image.Image) -> Preview:
    return Preview(image.width, image.height, image.convert("RGB").tobytes(), "image")


def picture(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return as_array(preview_of(image))


def landscape(size: tuple[int, int] = (400, 300)) -> Image.Image:
    """A blue sky over a meadow, the border at a third."""
    width, height = size
    image = Image.new("RGB", size, (90, 150, 60))
    image.paste((110, 160, 230), (0, 0, width, height // 3))
    return image


def textured(seed: int = 1, size: tuple[int, int] = (512, 384)) -> Image.Image:
    """Patches of many greys and sizes with hard edges, and coloured tints."""
    rng = np.random.default_rng(seed)
    image = np.zeros((size[1], size[0], 3), np.float32)
    for _ in range(400):
        x, y = rng.integers(0, size[0]), rng.integers(0, size[1])
        w, h = rng.integers(4, 60, 2)
        image[y : y + h, x : x + w] = rng.uniform(20, 230, 3)
    return Image.fromarray(image.astype(np.uint8))


def look(image: Image.Image, facts: CaptureFacts | None = None) -> dict[tuple[str, str], object]:
    seen = StageInput(View(facts or CaptureFacts(), lambda: preview_of(image)), Context())
    return {
        (o.kind.value, o.label): o.score if o.value is None else o.value
        for o in PixelsStage().look(seen)
    }


def test_box_resize_is_the_mean_of_what_each_pixel_covers() -> None:
    small = box_resize(picture(textured()), 128, 96)
    expected = picture(textured().reduce(4))
    assert np.abs(small - expected).max() < 0.005
    # 3 -> 2: each new pixel covers one and a half old ones.
    row = np.array([[[0.0] * 3, [0.3] * 3, [0.9] * 3]], np.float32)
    assert box_resize(row, 2, 1)[0, :, 0] == pytest.approx([0.1, 0.7], abs=1e-6)


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (192, 144), (600, 200), (97, 61)])
def test_sky_and_green_are_found_in_any_shape(size: tuple[int, int]) -> None:
    found = measure(picture(landscape(size)))
    assert found.sky == pytest.approx(0.6)
    assert found.green == pytest.approx(2 / 3, abs=0.02)
    assert found.topdark == 0.0


def test_only_smooth_things_in_the_top_third_are_sky() -> None:
    upside_down = landscape().transpose(Image.Transpose.ROTATE_180)
    assert measure(picture(upside_down)).sky == 0.0
    rough = np.asarray(landscape()).copy()
    rough[::2, ::2] //= 3
    rough = np.repeat(np.repeat(rough[:75, :100], 4, axis=0), 4, axis=1)
    assert measure(picture(Image.fromarray(rough))).sky == 0.0
    white = Image.new("RGB", (400, 300), (235, 235, 240))
    assert measure(picture(white)).sky == pytest.approx(0.6)


def test_warm_and_topdark() -> None:
    lamp = Image.new("RGB", (400, 300), (200, 140, 80))
    found = measure(picture(lamp))
    assert found.warm == pytest.approx(120 / (280 + 0.05 * 255), abs=0.005)
    assert (found.sky, found.green, found.topdark) == (0.0, 0.0, 0.0)
    cellar = Image.new("RGB", (300, 400), (90, 80, 70))
    cellar.paste((10, 10, 10), (0, 0, 300, 400 // 6))
    assert measure(picture(cellar)).topdark == pytest.approx(0.5, abs=0.03)


def test_a_landscape_is_an_exterior_and_a_lamp_lit_room_an_interior() -> None:
    assert look(landscape())["view", "exterior"] == pytest.approx(0.98)
    room = Image.blend(textured(), Image.new("RGB", (512, 384), (190, 120, 60)), 0.7)
    facts = CaptureFacts(exposure_time=1 / 30, f_number=2.0, iso=800, exposure_program=2, flash=16)
    assert look(room, facts)["view", "interior"] == pytest.approx(0.95)


def test_the_unsure_zone_gives_a_prior_and_no_view() -> None:
    facts = CaptureFacts(exposure_time=1 / 125, f_number=4.0, iso=100, exposure_program=2, flash=16)
    # Pale stone: neither sky nor leaves, neither warm nor dark.
    seen = look(Image.blend(textured(), Image.new("RGB", (512, 384), (150, 145, 140)), 0.85), facts)
    assert not any(kind == "view" for kind, _ in seen)
    assert isinstance(seen["prior", "interior"], float)


def test_dusk_is_said_of_an_exterior_with_little_light() -> None:
    dim = CaptureFacts(exposure_time=1.0, f_number=2.8, iso=100, exposure_program=1, flash=16)
    assert look(landscape(), dim)["label", "dusk or night"] == 0.85


@pytest.mark.parametrize("tint", [(255, 255, 255), (255, 230, 190), (200, 220, 255)])
def test_black_and_white_and_toned_pictures_are_monochrome(tint: tuple[int, int, int]) -> None:
    grey = np.asarray(textured().convert("L"), np.float32) / 255
    toned = Image.fromarray((grey[..., None] * np.array(tint)).astype(np.uint8))
    seen = look(toned)
    assert seen["fact", "monochrome"] == 1.0
    # Colours say nothing here, so pixels alone decide nothing.
    assert not any(kind == "view" for kind, _ in seen)


def test_coloured_pictures_and_blank_walls_are_not_monochrome() -> None:
    assert not measure_tone(picture(textured())).monochrome
    assert not measure_tone(picture(landscape())).monochrome
    assert not measure_tone(picture(Image.new("RGB", (200, 150), (150, 60, 40)))).monochrome


def test_low_and_high_key() -> None:
    dark = textured().point(lambda value: value // 6)
    bright = textured().point(lambda value: 255 - value // 6)
    assert (measure_tone(picture(dark)).low_key, measure_tone(picture(dark)).high_key) == (
        True,
        False,
    )
    assert (measure_tone(picture(bright)).low_key, measure_tone(picture(bright)).high_key) == (
        False,
        True,
    )
    plain = measure_tone(picture(textured()))
    assert not plain.low_key
    assert not plain.high_key


def test_blur_costs_quality_step_by_step() -> None:
    scores = [
        measure_quality(picture(textured().filter(ImageFilter.GaussianBlur(radius)))).score
        for radius in (0, 1, 2, 4, 8)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 75
    assert scores[-1] < 35


def test_a_sharp_subject_before_a_soft_background_is_sharp() -> None:
    soft = textured().filter(ImageFilter.GaussianBlur(6))
    soft.paste(textured().crop((180, 120, 340, 260)), (180, 120))
    assert measure_quality(picture(soft)).sharpness > 60


def test_clipping_and_flatness_cost_quality() -> None:
    fine = measure_quality(picture(textured()))
    burnt = measure_quality(picture(textured().point(lambda value: min(255, value * 3))))
    flat = measure_quality(picture(textured().point(lambda value: 110 + value // 10)))
    assert burnt.exposure < fine.exposure
    assert flat.contrast < fine.contrast
    assert max(burnt.score, flat.score) < fine.score


def test_quality_depends_little_on_the_size_of_the_preview() -> None:
    large = textured(size=(1536, 1152)).filter(ImageFilter.GaussianBlur(3))
    small = large.resize((512, 384), Image.Resampling.BICUBIC)
    assert measure_quality(picture(large)).score == pytest.approx(
        measure_quality(picture(small)).score, abs=6
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 400), (400, 1), (20, 20)])
def test_tiny_pictures_are_measured_without_trouble(size: tuple[int, int]) -> None:
    seen = look(Image.new("RGB", size, (1, 2, 3)))
    measured = [value for (kind, _), value in seen.items() if kind == "measure"]
    assert all(isinstance(value, float) and 0.0 <= value <= 100.0 for value in measured)


def test_a_picture_that_cannot_be_decoded_is_the_views_problem() -> None:
    def broken() -> Preview:
        raise Undecodable("a.jpg", detail="cut off")

    with pytest.raises(Undecodable):
        PixelsStage().look(StageInput(View(CaptureFacts(), broken), Context()))


def test_measures_are_named_as_agreed() -> None:
    seen = StageInput(View(CaptureFacts(), lambda: preview_of(textured())), Context())
    labels = {o.label for o in PixelsStage().look(seen) if o.kind is ObservationKind.MEASURE}
    assert labels == {"quality", "sharpness", "exposure", "contrast"}


# The registry: nothing of the taxonomy is looked at for these two stages.
def test_stages_come_in_the_order_of_the_profile() -> None:
    profile = Profile(stages=("pixels", "camera"), stage_settings={"pixels": {"prior": 0.6}})
    stages = make_stages(profile, None)  # type: ignore[arg-type]
    assert [stage.name for stage in stages] == ["pixels", "camera"]
    assert stages[0].id == PixelsStage(prior=0.6).id
    assert [stage.uses_preview for stage in stages] == [True, False]


def test_all_mistakes_about_stages_are_told_at_once() -> None:
    profile = Profile(
        stages=("camera", "camera", "pixel"),
        stage_settings={"camera": {"prior": 2, "size": 5}, "nothing": {"a": 1}},
    )
    with pytest.raises(ConfigProblem) as caught:
        make_stages(profile, None)  # type: ignore[arg-type]
    text = str(caught.value)
    for word in ("'camera' is named twice", "'pixel'", "camera.prior", "camera.size", "nothing"):
        assert word in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((8, 6), (4, 3)),
        ((768, 512), (192, 144)),
        ((100, 75), (96, 72)),
        ((7, 5), (10, 9)),
        ((3, 1), (2, 1)),
    ],
)
def test_a_resized_pixel_is_the_mean_of_what_it_covers(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    def shares(old: int, new: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """How much of each old pixel each new one covers, in hundredths of an old pixel."""
        return np.repeat(np.eye(old), new, axis=0).reshape(new, old, old).mean(axis=1)

    rng = np.random.default_rng(3)
    image = rng.uniform(0, 1, (before[1], before[0], 3)).astype(np.float32)
    wanted = np.einsum("ij,jkc->ikc", shares(before[1], after[1]), image.astype(np.float64))
    wanted = np.einsum("lk,ikc->ilc", shares(before[0], after[0]), wanted)
    assert np.allclose(box_resize(image, *after), wanted, atol=1e-6)
    assert np.allclose(box_resize(image[..., 0], *after), wanted[..., 0], atol=1e-6)


def test_tiles_have_the_variance_that_numpy_finds_in_them() -> None:
    rng = np.random.default_rng(4)
    for height, width in ((16, 16), (341, 512), (50, 31)):
        image = rng.uniform(0, 1, (height, width)).astype(np.float32)
        tiles = [
            float(tile.var())
            for row in np.array_split(image, 6, axis=0)
            for tile in np.array_split(row, 8, axis=1)
        ]
        assert np.allclose(_tile_variances(image), tiles, atol=1e-6)
