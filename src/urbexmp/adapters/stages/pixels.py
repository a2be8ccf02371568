"""The `pixels` stage: four measures of the picture beside EXIF, quality, tone. Numpy only.

Its judgement on inside and outside is the second model of `rules.exposure`: accuracy .894, AUC
.961, 75 % of photographs decided, "interior" right in .96 and "exterior" in .97 of them
(374 photographs of 189 cameras, one labeller; 58 of abandoned places). Without exposure data
the third: .826, .920; on other people's pictures its cut shifts, so its unsure zone is wider.

A monochrome picture has no sky, green or warmth to measure, so EXIF alone is asked there.

Quality (0..100) is our own combination of published measures; no person's judgement was
fitted, so it orders pictures, and its number means nothing else:
- sharpness: variance of the Laplacian (Pech-Pacheco et al., ICPR 2000; LAP4 in Pertuz, Puig and
  Garcia, Pattern Recognition 46:1415-1432, 2013, 10.1016/j.patcog.2012.11.011) on a picture of
  512 pixels, in the sharpest tenth of 8 x 6 tiles, so that a sharp subject before a soft
  background counts as sharp; divided by the tile's brightness variance, so that it measures
  detail and not contrast. A preview of this size shows gross blur and shake, not pixel sharpness.
- exposure: share of pixels that are clipped (at or below 2 or at or above 253 of 255).
- contrast: RMS contrast (Peli, JOSA A 7:2032-2040, 1990, 10.1364/JOSAA.7.002032).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from urbexmp.rules import exposure
from urbexmp.rules.stage_ids import stage_id

if TYPE_CHECKING:
    from urbexmp.model.observation import Observation, StageInput

VERSION = f"1.{exposure.VERSION}"


class PixelsStage:
    """Says inside or outside with EXIF and pixels together, quality, and tone.

    What it says about inside and outside replaces the camera stage's word, because it used the
    same EXIF: the last `interior` prior is the one to go by. `prior` as for the camera stage.
    """

    name = "pixels"
    uses_preview = True
    uses_context = False

    def __init__(self, prior: float = exposure.EVEN) -> None:
        self._prior = prior
        self.id = stage_id(self.name, VERSION, {"prior": prior})

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Decode the picture and measure it. Raises `Undecodable` through the view."""
        from urbexmp.adapters.stages.measures import (
            as_array,
            measure,
            measure_quality,
            measure_tone,
        )
        from urbexmp.model.observation import Observation, ObservationKind

        facts = seen.view.facts
        picture = as_array(seen.view.preview())
        tone = measure_tone(picture)
        measured = None if tone.monochrome else measure(picture)
        judged = exposure.inside_or_out(facts, measured, self._prior)
        said: list[Observation] = []
        if judged.view is not None:
            said.append(
                Observation(
                    ObservationKind.VIEW, judged.view, judged.confidence, None, judged.basis
                )
            )
        said.append(
            Observation(ObservationKind.PRIOR, "interior", judged.p_interior, None, judged.basis)
        )
        night = exposure.dusk_or_night(facts, outdoors=judged.view == "exterior")
        if night is not None and night >= 0.5:
            kind = ObservationKind.LABEL if night > 0.8 else ObservationKind.PRIOR
            said.append(Observation(kind, "dusk or night", night, None, "EXIF exposure and pixels"))
        for label, is_so in (
            ("monochrome", tone.monochrome),
            ("low key", tone.low_key),
            ("high key", tone.high_key),
        ):
            if is_so:
                said.append(Observation(ObservationKind.FACT, label, 1.0, None, "pixels"))
        quality = measure_quality(picture)
        for label, value in (
            ("quality", quality.score),
            ("sharpness", quality.sharpness),
            ("exposure", quality.exposure),
            ("contrast", quality.contrast),
        ):
            said.append(
                Observation(ObservationKind.MEASURE, label, None, round(value, 1), "pixels")
            )
        return tuple(said)
