"""The `camera` stage: what EXIF and XMP facts say, without looking at the picture.

Its judgement on inside and outside is the first model of `rules.exposure`: 57 % of photographs
decided (with an unsure zone of .15-.85; here .10-.90), "interior" right in .91 and "exterior" in
.96 of them, measured on 374 photographs of 189 cameras by one labeller. It needs no decoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from urbexmp.rules import exposure
from urbexmp.rules.stage_ids import stage_id

if TYPE_CHECKING:
    from urbexmp.model.observation import Observation, StageInput

VERSION = f"1.{exposure.VERSION}"


class CameraStage:
    """Says drone, aerial, detail, long exposure, flash, and inside or outside.

    `prior` is the share of interiors to expect; .5 is what the models were fitted to.
    """

    name = "camera"
    uses_preview = False
    uses_context = False

    def __init__(self, prior: float = exposure.EVEN) -> None:
        self._prior = prior
        self.id = stage_id(self.name, VERSION, {"prior": prior})

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Observations from the capture facts alone."""
        from urbexmp.model.observation import Observation, ObservationKind

        facts = seen.view.facts
        said: list[Observation] = []
        judged = exposure.inside_or_out(facts, prior=self._prior)
        if facts.drone:
            said.append(_fact("drone", 0.99, "drone metadata"))
        flying = exposure.aerial(facts)
        if flying is not None:
            said.append(Observation(ObservationKind.VIEW, "aerial", flying, None, "drone metadata"))
        elif facts.drone:
            said.append(Observation(ObservationKind.PRIOR, "aerial", 0.5, None, "drone metadata"))
        down = exposure.looking_down(facts)
        if down is not None:
            said.append(_fact("looking down", down[1], "gimbal pitch"))
            if down[0] != "looking down":
                said.append(_fact(down[0], down[1], "gimbal pitch"))
        if judged.view is not None:
            said.append(
                Observation(
                    ObservationKind.VIEW, judged.view, judged.confidence, None, judged.basis
                )
            )
        said.append(
            Observation(ObservationKind.PRIOR, "interior", judged.p_interior, None, judged.basis)
        )
        close = exposure.detail(facts)
        if close is not None:
            kind = ObservationKind.VIEW if close > 0.5 else ObservationKind.PRIOR
            said.append(Observation(kind, "detail", close, None, "EXIF distance or macro mode"))
        if exposure.long_exposure(facts):
            said.append(_fact("long exposure", 1.0, "EXIF exposure time"))
        if exposure.flash_fired(facts):
            said.append(_fact("flash", 1.0, "EXIF flash"))
        if facts.drone and exposure.dusk_or_night(facts, outdoors=True) == 0.85:
            said.append(
                Observation(ObservationKind.LABEL, "dusk or night", 0.85, None, "EXIF exposure")
            )
        return tuple(said)


def _fact(label: str, score: float, source: str) -> Observation:
    from urbexmp.model.observation import Observation, ObservationKind

    return Observation(ObservationKind.FACT, label, score, None, source)
