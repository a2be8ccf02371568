"""The `ocr` stage on drawn signs, with the reader and the models that its package carries."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from unit.words_examples import urbex, view
from urbexmp.adapters.stages.ocr import OcrStage
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    ObservationKind,
    Preview,
    StageInput,
    StageLook,
    View,
)
from urbexmp.model.profile import Profile
from urbexmp.rules.propose import propose


def picture(*signs: tuple[str, tuple[int, int]]) -> Preview:
    drawn = Image.new("RGB", (768, 512), (96, 84, 70))
    draw = ImageDraw.Draw(drawn)
    for text, (x, y) in signs:
        font = ImageFont.load_default(44)
        box = draw.multiline_textbbox((x, y), text, font=font)
        draw.rectangle((box[0] - 14, box[1] - 10, box[2] + 14, box[3] + 12), fill=(232, 226, 210))
        draw.multiline_text((x, y), text, fill=(40, 30, 30), font=font)
    return Preview(768, 512, drawn.tobytes(), "image")


def look(stage: OcrStage, preview: Preview, *earlier: StageLook) -> StageLook:
    seen = StageInput(View(CaptureFacts(), lambda: preview), Context(), earlier)
    return StageLook(stage.id, stage.look(seen))


@pytest.fixture(scope="module")
def stage() -> OcrStage:
    return OcrStage(urbex())


def test_signs_in_a_picture_become_keywords(stage: OcrStage) -> None:
    assert stage.ready() is None
    seen = look(stage, picture(("KEEP OUT", (60, 60)), ("WARD 7", (420, 330))))
    assert {one.value for one in seen.observations} == {"KEEP OUT", "WARD 7"}
    for one in seen.observations:
        assert one.kind is ObservationKind.TEXT
        assert one.score is not None
        assert one.score > 0.8
    ward = next(one for one in seen.observations if one.value == "WARD 7")
    assert ward.region is not None
    left, top, right, bottom = ward.region
    assert 0.4 < left < 0.6 < right < 0.95
    assert 0.55 < top < bottom < 0.85
    proposal = propose((seen,), urbex(), Profile())
    assert {str(one.keyword).rsplit("|", 1)[1] for one in proposal.suggestions} >= {
        "No Trespassing",
        "Ward Sign",
    }


def test_an_empty_wall_says_nothing(stage: OcrStage) -> None:
    assert look(stage, picture()).observations == ()


def test_a_view_from_the_air_is_not_even_decoded(stage: OcrStage) -> None:
    def undecoded() -> Preview:
        raise AssertionError("the picture was decoded")

    seen = StageInput(View(CaptureFacts(), undecoded), Context(), (view("camera", aerial=0.99),))
    assert stage.look(seen) == ()
    always = OcrStage(urbex(), where="always")
    assert always.id != stage.id
    with pytest.raises(AssertionError, match="decoded"):
        always.look(seen)
