"""Inside or outside, aerial, detail: the table of measured figures, and the traps beside it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.adapters.stages.camera import CameraStage
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    Preview,
    StageInput,
    View,
)
from urbexmp.rules import exposure
from urbexmp.rules.exposure import PixelMeasures, inside_or_out

AUTO: dict[str, Any] = {"exposure_program": 2, "flash": 16}
MANUAL: dict[str, Any] = {"exposure_program": 1, "flash": 16}
FLASH: dict[str, Any] = {"exposure_program": 2, "flash": 25}


def at_ev(ev: float, **facts: Any) -> CaptureFacts:
    """Facts of a picture taken at an exposure value: f/4, ISO 100 unless said otherwise."""
    facts = {"iso": 100, **facts}
    iso = facts["iso"] or 100
    return CaptureFacts(f_number=4.0, exposure_time=16 / 2 ** (ev + math.log2(iso / 100)), **facts)


def said(facts: CaptureFacts) -> tuple[Observation, ...]:
    def never() -> Preview:
        raise AssertionError("the camera stage must not decode anything")

    return CameraStage().look(StageInput(View(facts, never), Context()))


def views(facts: CaptureFacts) -> dict[str, float | None]:
    return {o.label: o.score for o in said(facts) if o.kind is ObservationKind.VIEW}


def facts_said(facts: CaptureFacts) -> set[str]:
    return {o.label for o in said(facts) if o.kind is ObservationKind.FACT}


# The lookup table: what each row says at an even prior, as a view or as "unsure".
@pytest.mark.parametrize(
    ("ev", "who", "view", "confidence"),
    [
        (2.0, AUTO, "interior", 0.90),
        (5.0, AUTO, "interior", 0.90),
        (7.0, AUTO, None, None),
        (8.5, AUTO, None, None),
        (9.5, AUTO, None, None),
        (11.0, AUTO, None, None),
        (12.0, AUTO, "exterior", 0.92),
        (14.0, AUTO, "exterior", 0.96),
        (15.0, AUTO, "exterior", 0.96),
        (5.0, FLASH, None, None),
        (9.0, FLASH, None, None),
        (12.0, FLASH, "exterior", 0.85),
        (14.0, FLASH, "exterior", 0.85),
        (6.0, MANUAL, None, None),
        (2.0, MANUAL, None, None),
        (10.0, MANUAL, None, None),
        (13.0, MANUAL, None, None),
        (15.0, MANUAL, None, None),
    ],
)
def test_the_lookup_table_from_exif_alone(
    ev: float, who: dict[str, Any], view: str | None, confidence: float | None
) -> None:
    judged = inside_or_out(at_ev(ev, **who))
    assert judged.view == view
    if confidence is not None:
        assert judged.confidence == pytest.approx(confidence, abs=0.005)


@pytest.mark.parametrize(
    ("ev", "who", "at_most", "at_least"),
    [
        (7.0, AUTO, 0.89, 0.76),
        (8.5, AUTO, 0.76, 0.53),
        (9.5, AUTO, 0.53, 0.33),
        (11.0, AUTO, 0.20, 0.10),
        (13.0, AUTO, 0.05, 0.00),
        (9.0, FLASH, 0.85, 0.70),
        (6.0, MANUAL, 0.85, 0.70),
        (2.0, MANUAL, 0.50, 0.50),
        (-1.0, MANUAL, 0.50, 0.50),
        (13.0, MANUAL, 0.20, 0.15),
    ],
)
def test_the_prior_that_is_passed_on(
    ev: float, who: dict[str, Any], at_most: float, at_least: float
) -> None:
    (prior,) = [
        o
        for o in said(at_ev(ev, **who))
        if o.kind is ObservationKind.PRIOR and o.label == "interior"
    ]
    assert prior.score is not None
    assert at_least <= prior.score <= at_most


def test_iso_missing_is_no_exposure_that_the_camera_chose() -> None:
    assert inside_or_out(at_ev(5.0, **AUTO)).view == "interior"
    assert inside_or_out(at_ev(5.0, **AUTO, iso=None)).view is None
    assert inside_or_out(at_ev(15.0, **AUTO, iso=None)).view is None


def test_a_long_tripod_exposure_is_not_called_outside() -> None:
    facts = CaptureFacts(f_number=8, exposure_time=30, iso=100, exposure_program=1, flash=16)
    judged = inside_or_out(facts)
    assert (judged.view, judged.p_interior) == (None, 0.5)


def test_without_an_exposure_nothing_is_said() -> None:
    judged = inside_or_out(CaptureFacts(make="Canon"))
    assert (judged.view, judged.p_interior) == (None, 0.5)


SKY = PixelMeasures(sky=0.5, green=0.1, warm=0.0, topdark=0.0)
ROOM = PixelMeasures(sky=0.0, green=0.0, warm=0.15, topdark=0.05)
CLEAR_OUT = PixelMeasures(sky=0.6, green=0.2, warm=-0.05, topdark=0.0)


@pytest.mark.parametrize(
    ("facts", "pixels", "view"),
    [
        (at_ev(5.0, **AUTO), ROOM, "interior"),
        (at_ev(8.0, **FLASH), ROOM, "interior"),
        (at_ev(5.0, **MANUAL), ROOM, "interior"),
        (at_ev(11.0, **AUTO), PixelMeasures(0.35, 0.0, 0.0, 0.0), "exterior"),
        (at_ev(11.0, **AUTO), PixelMeasures(0.0, 0.25, 0.0, 0.0), "exterior"),
        (at_ev(13.0, **AUTO), SKY, "exterior"),
        (at_ev(10.0, **AUTO), PixelMeasures(0.0, 0.05, 0.1, 0.1), None),
        (CaptureFacts(), CLEAR_OUT, "exterior"),
        (CaptureFacts(), PixelMeasures(0.0, 0.0, 0.2, 0.0), "interior"),
        (CaptureFacts(), PixelMeasures(0.0, 0.0, 0.05, 0.0), None),
        (at_ev(13.0, **FLASH), ROOM, "exterior"),
    ],
)
def test_exif_and_pixels_together(
    facts: CaptureFacts, pixels: PixelMeasures, view: str | None
) -> None:
    assert inside_or_out(facts, pixels).view == view


def test_the_models_are_the_published_ones() -> None:
    def share(logit: float) -> float:
        return 1 / (1 + math.exp(-logit))

    pixels = PixelMeasures(sky=0.1, green=0.05, warm=0.08, topdark=0.2)
    seen = -5.04 * 0.1 - 13.02 * 0.05 + 4.80 * 0.08 - 3.85 * 0.2
    assert exposure.p_from_exposure(at_ev(7.0, **AUTO)) == pytest.approx(share(-0.02 + 0.82 * 2))
    assert exposure.p_from_exposure(at_ev(7.0, **FLASH)) == pytest.approx(
        share(-0.02 + 0.40 * 2 + 1.76)
    )
    assert exposure.p_from_exposure(at_ev(1.0, **MANUAL)) == pytest.approx(
        share(-0.02 + 0.40 * 8 - 1.30 * 3)
    )
    assert exposure.p_from_both(at_ev(7.0, **AUTO), pixels) == pytest.approx(
        share(1.39 + 0.71 * 2 + seen)
    )
    assert exposure.p_from_both(at_ev(7.0, **FLASH), pixels) == pytest.approx(
        share(1.39 + 0.25 * 2 + 1.31 + seen)
    )
    assert exposure.p_from_pixels(pixels) == pytest.approx(
        share(1.27 - 6.11 * 0.1 - 14.18 * 0.05 + 7.31 * 0.08 - 2.18 * 0.2)
    )
    assert exposure.p_from_exposure(at_ev(9.0, **AUTO), prior=0.8) == pytest.approx(
        share(-0.02 + math.log(4))
    )


measures = st.builds(
    PixelMeasures,
    sky=st.floats(0, 0.6),
    green=st.floats(0, 1),
    warm=st.floats(-1, 1),
    topdark=st.floats(0, 1),
)
any_facts = st.builds(
    CaptureFacts,
    exposure_time=st.none() | st.floats(1e-5, 4000),
    f_number=st.none() | st.floats(0.7, 64),
    iso=st.none() | st.integers(1, 409600),
    exposure_program=st.none() | st.integers(0, 9),
    flash=st.none() | st.integers(0, 127),
    drone=st.booleans(),
    relative_altitude=st.none() | st.floats(-50, 500),
    gimbal_pitch=st.none() | st.floats(-120, 30),
)


@given(any_facts, st.none() | measures)
def test_nothing_is_said_inside_the_unsure_zone_and_caps_hold(
    facts: CaptureFacts, pixels: PixelMeasures | None
) -> None:
    judged = inside_or_out(facts, pixels)
    assert 0.0 <= judged.p_interior <= 1.0
    if judged.view is None:
        assert judged.confidence is None
        return
    assert judged.confidence is not None
    cap = {"interior": 0.95, "exterior": 0.98}[judged.view]
    assert 0.84 <= judged.confidence <= cap
    assert not 0.1501 < judged.p_interior < 0.8499
    if pixels is None and judged.basis == "EXIF exposure":
        assert exposure.chose_itself(facts)
        assert judged.confidence <= {"interior": 0.90, "exterior": 0.96}[judged.view]


# Drones.
@pytest.mark.parametrize(
    ("altitude", "pitch", "view", "facts"),
    [
        (39.8, -89.9, "aerial", {"drone", "looking down", "straight down"}),
        (39.8, 0.0, "aerial", {"drone"}),
        (1.0, -55.0, "aerial", {"drone", "looking down"}),
        (1.0, 0.0, "exterior", {"drone"}),
        (None, -40.0, "aerial", {"drone", "looking down"}),
        (None, None, "exterior", {"drone"}),
        (5.0, None, "aerial", {"drone"}),
    ],
)
def test_drones(altitude: float | None, pitch: float | None, view: str, facts: set[str]) -> None:
    seen = at_ev(5.0, **AUTO, drone=True, relative_altitude=altitude, gimbal_pitch=pitch)
    assert set(views(seen)) == {view}
    assert views(seen)[view] == (0.97 if view == "aerial" else 0.90)
    assert facts_said(seen) == facts


def test_flight_data_without_a_drone_says_nothing() -> None:
    seen = at_ev(9.0, **AUTO, relative_altitude=50.0, gimbal_pitch=-90.0)
    assert views(seen) == {}
    assert facts_said(seen) == set()


# Details, long exposures, night.
@pytest.mark.parametrize(
    ("facts", "p"),
    [
        ({"subject_distance": 0.34}, 0.85),
        ({"subject_distance": 0.7}, None),
        ({"subject_distance": 2.0}, None),
        ({"subject_distance": 3.0}, 0.05),
        ({"subject_distance": math.inf}, 0.05),
        ({"macro_mode": True}, 0.85),
        ({"macro_mode": False}, None),
        ({"subject_distance_range": 1}, 0.85),
        ({"subject_distance_range": 3}, None),
        ({}, None),
    ],
)
def test_details(facts: dict[str, Any], p: float | None) -> None:
    assert exposure.detail(CaptureFacts(**facts)) == p
    assert views(CaptureFacts(**facts)) == ({"detail": 0.85} if p == 0.85 else {})


def test_a_second_is_a_long_exposure() -> None:
    assert "long exposure" in facts_said(CaptureFacts(exposure_time=1.0))
    assert "long exposure" not in facts_said(CaptureFacts(exposure_time=0.99))
    assert "flash" in facts_said(CaptureFacts(flash=25))
    assert "flash" not in facts_said(CaptureFacts(flash=32))


@pytest.mark.parametrize(
    ("ev", "outdoors", "p"),
    [
        (3.0, True, 0.85),
        (6.0, True, 0.50),
        (9.0, True, None),
        (11.0, True, 0.05),
        (3.0, False, None),
    ],
)
def test_dusk_or_night(ev: float, outdoors: bool, p: float | None) -> None:
    assert exposure.dusk_or_night(at_ev(ev, **AUTO), outdoors) == p


def test_the_hour_the_lens_and_the_position_change_nothing() -> None:
    plain = at_ev(7.0, **AUTO)
    dressed = at_ev(
        7.0,
        **AUTO,
        taken_at="2024-05-01T23:30:00",
        focal_length_35mm=14.0,
        latitude=51.0,
        longitude=7.0,
        make="DJI",
        model="DJI Pocket",
    )
    assert said(plain) == said(dressed)


def test_the_stage_id_tells_settings_apart() -> None:
    assert CameraStage().id == CameraStage().id
    assert CameraStage().id.startswith("camera@")
    assert CameraStage(prior=0.6).id != CameraStage().id
