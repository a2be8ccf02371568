"""What exposure, flash, distance and a flying camera say about a picture: plain arithmetic.

Every figure was measured on 464 photographs of 235 cameras, taken 1996-2025 and labelled by eye;
374 of them (189 cameras, 38.5 % interiors) decide between inside and outside. Cross-validated
with whole cameras held out, ten-fold, twenty repeats:

| model | accuracy | AUC | decided outside the unsure zone | of these right: interior, exterior |
|---|---|---|---|---|
| exposure alone | .846 [.81-.88] | .907 | 57 % (.15-.85) | .91, .96 |
| exposure and pixels | .894 [.85-.92] | .961 | 75 % (.15-.85) | .96, .97 |
| pixels alone | .826 [.78-.87] | .920 | 59 % (.15-.85) | .94, .98 |

Known biases: one labeller, one pass; only 58 photographs of abandoned places, 42 of them by one
telephone in daylight; two drone flights; 30 pictures at dusk or night; no tripod HDR, no light
painting, no bunker. Interiors lit by the sun, shop fronts at night, flash on things outdoors,
and dark rooms (taken for night) are where it fails. Thresholds were chosen after looking at
this data, so new photographs will do somewhat worse.

What decides is who chose the exposure: exposure value alone has an AUC of .963 where the camera
did and of .66 where a person did. Never used, because measured useless or misleading: the hour
of the day (unset clocks), the focal length ("wide means interior" held for one collection only),
SceneCaptureType, whether there is a GPS position.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urbexmp.model.observation import CaptureFacts

VERSION = "1"
"""Counts up with every change to what this file says; part of the stages' ids."""

EVEN = 0.5
"""Share of interiors that is assumed beforehand; urban exploration sets ran 45-57 %."""


@dataclass(frozen=True, slots=True)
class PixelMeasures:
    """Four measures of a picture (`adapters.stages.pixels` defines and takes them), 0..1."""

    sky: float
    """Share of the top third that is smooth and blue or white, at most .6."""
    green: float
    """Share of the picture that is green."""
    warm: float
    """Mean of (R-B)/(R+B+.05), -1..1: how warm the light is."""
    topdark: float
    """Share of the top third that is nearly black."""


@dataclass(frozen=True, slots=True)
class InsideOut:
    """Whether a picture was taken inside, and whether that is sure enough to say."""

    p_interior: float
    """0..1; a prior for later stages wherever nothing is decided."""
    view: str | None
    """`interior`, `exterior`, or None in the unsure zone."""
    confidence: float | None
    """Of `view`, capped at what was seen to be right."""
    basis: str
    """`EXIF exposure`, `EXIF exposure and pixels`, `pixels`, ..."""


def flash_fired(facts: CaptureFacts) -> bool:
    """Bit 0 of EXIF Flash. A camera that does not say is taken not to have fired."""
    return facts.flash is not None and bool(facts.flash & 1)


def chose_itself(facts: CaptureFacts) -> bool:
    """Whether the camera chose the exposure: not manual, no flash, time, aperture and ISO known.

    CAMERA.md calls this `auto`. Only then does the exposure value say much about the light.
    """
    return (
        facts.ev100 is not None
        and facts.iso is not None
        and facts.exposure_program != 1
        and not flash_fired(facts)
    )


def _logistic(logit: float, prior: float) -> float:
    """Probability for a share `prior` of interiors, where the model was fitted to one half."""
    return 1.0 / (1.0 + exp(-(logit + log(prior / (1.0 - prior)))))


def _z(ev: float | None) -> float:
    return 0.0 if ev is None else min(max(ev, -2.0), 15.0) - 9.0


def p_from_exposure(facts: CaptureFacts, prior: float = EVEN) -> float:
    """Probability of an interior from EXIF alone (first model of CAMERA.md 3)."""
    ev, auto = facts.ev100, chose_itself(facts)
    z = _z(ev)
    logit = -0.02 + 1.76 * flash_fired(facts)
    if auto:
        logit -= 0.82 * z
    else:
        logit -= 0.40 * z + 1.30 * max(0.0, 4.0 - (z + 9.0))
    return _logistic(logit, prior)


def p_from_both(facts: CaptureFacts, pixels: PixelMeasures, prior: float = EVEN) -> float:
    """Probability of an interior from EXIF and pixels together (second model)."""
    slope = 0.71 if chose_itself(facts) else 0.25
    logit = (
        1.39
        - slope * _z(facts.ev100)
        + 1.31 * flash_fired(facts)
        - 5.04 * pixels.sky
        - 13.02 * pixels.green
        + 4.80 * pixels.warm
        - 3.85 * pixels.topdark
    )
    return _logistic(logit, prior)


def p_from_pixels(pixels: PixelMeasures, prior: float = EVEN) -> float:
    """Probability of an interior from pixels alone, where there is no EXIF (third model)."""
    logit = (
        1.27 - 6.11 * pixels.sky - 14.18 * pixels.green + 7.31 * pixels.warm - 2.18 * pixels.topdark
    )
    return _logistic(logit, prior)


def inside_or_out(
    facts: CaptureFacts, pixels: PixelMeasures | None = None, prior: float = EVEN
) -> InsideOut:
    """Judge by the hard rules first, then by the model for what is known.

    Unsure zone: .15-.85 with EXIF and pixels, .10-.90 with one of them alone. EXIF alone decides
    only where the camera chose the exposure: of manual exposures at EV >= 12, which the model
    puts down to .08, 2 of 20 were interiors, and of flash below EV 12, 46 of 53. Both are held
    to .15-.85. Caps on the confidence are the shares seen: .95 and .98 with both, .90 and .96
    from EXIF alone.

    The hard rules, each above its model: a drone's picture is none of an interior; flash with
    EV >= 12 is fill flash in daylight (0 of 9 were interiors: exterior, .85); a long manual
    exposure (EV < 4) is .5, because 1 of 8 were interiors in other collections and 8 of 8 in
    abandoned places, although the model would say "outside" of it.
    """
    ev = facts.ev100
    if facts.drone:
        flying = aerial(facts)
        if flying is not None:
            return InsideOut(0.03, None, None, "drone in the air")
        return InsideOut(0.10, "exterior", 0.90, "drone on or near the ground")
    if ev is not None and ev >= 12.0 and flash_fired(facts):
        return InsideOut(0.15, "exterior", 0.85, "fill flash in daylight")
    if pixels is None:
        return _from_exposure(facts, prior)
    if ev is None:
        p = p_from_pixels(pixels, prior)
        return _decide(p, "pixels", low=0.10, high=0.90, interior_cap=0.95, exterior_cap=0.98)
    p = p_from_both(facts, pixels, prior)
    return _decide(
        p, "EXIF exposure and pixels", low=0.15, high=0.85, interior_cap=0.95, exterior_cap=0.98
    )


def _from_exposure(facts: CaptureFacts, prior: float) -> InsideOut:
    ev, auto = facts.ev100, chose_itself(facts)
    if ev is None:
        return InsideOut(prior, None, None, "no exposure in the EXIF")
    if not auto and not flash_fired(facts) and ev < 4.0:
        return InsideOut(prior, None, None, "EXIF exposure, long and chosen by a person")
    p = p_from_exposure(facts, prior)
    if auto:
        return _decide(
            p, "EXIF exposure", low=0.10, high=0.90, interior_cap=0.90, exterior_cap=0.96
        )
    return InsideOut(min(max(p, 0.15), 0.85), None, None, "EXIF exposure")


def _decide(
    p: float, basis: str, *, low: float, high: float, interior_cap: float, exterior_cap: float
) -> InsideOut:
    if p >= high:
        return InsideOut(p, "interior", min(p, interior_cap), basis)
    if p <= low:
        return InsideOut(p, "exterior", min(1.0 - p, exterior_cap), basis)
    return InsideOut(p, None, None, basis)


def aerial(facts: CaptureFacts) -> float | None:
    """Confidence .97 that a drone took this from the air; None where that is not certain.

    Seen right in 21 of 21 (two flights). The relative altitude is above the place of take-off,
    so a low one proves nothing: of seven pictures of one flight, six say about +1 m and three
    of those look down a valley. A maker's name alone is no drone: a DJI Pocket is held in the
    hand.
    """
    if not facts.drone:
        return None
    high = facts.relative_altitude is not None and facts.relative_altitude >= 5.0
    down = facts.gimbal_pitch is not None and facts.gimbal_pitch <= -30.0
    return 0.97 if high or down else None


def looking_down(facts: CaptureFacts) -> tuple[str, float] | None:
    """`looking down` (pitch -90..-30) or `straight down` (-75 and below), .97 (20 of 20)."""
    pitch = facts.gimbal_pitch
    if not facts.drone or pitch is None or pitch > -30.0:
        return None
    return ("straight down" if pitch <= -75.0 else "looking down"), 0.97


def detail(facts: CaptureFacts) -> float | None:
    """Probability that the picture shows a detail; None where the camera says nothing.

    .85 below 0.7 m, in macro mode, or at SubjectDistanceRange 1 (14 of 15 seen, but only 22 %
    of the 65 details have such a fact); .05 from 3 m on. Telephones hardly ever say.
    """
    distance = facts.subject_distance
    near = distance is not None and 0.0 < distance < 0.7
    if near or facts.macro_mode is True or facts.subject_distance_range == 1:
        return 0.85
    if distance is not None and 3.0 <= distance <= inf:
        return 0.05
    return None


def long_exposure(facts: CaptureFacts) -> bool:
    """Whether the shutter was open for a second or more. No hint at the place (7 in, 7 out).

    In a merged HDR the time is that of one bracket.
    """
    return facts.exposure_time is not None and facts.exposure_time >= 1.0


def dusk_or_night(facts: CaptureFacts, outdoors: bool) -> float | None:
    """Probability of dusk or night for a picture that other evidence puts outdoors.

    .85 below EV 4 (8 of 8, six of them real-estate twilight), .50 at EV 4-8 (9 of 18), .05 from
    EV 10 on (sunsets, the moon); None elsewhere. A three-way model with night in it reached a
    precision of .67 and is left out.
    """
    ev = facts.ev100
    if not outdoors or ev is None:
        return None
    if ev < 4.0:
        return 0.85
    if ev < 8.0:
        return 0.50
    return 0.05 if ev >= 10.0 else None
