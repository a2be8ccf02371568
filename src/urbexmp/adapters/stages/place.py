"""The `place` stage: what folder names and `location.toml` say, in the taxonomy's own words."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from urbexmp.rules.stage_ids import PLACE_STAGE

if TYPE_CHECKING:
    from urbexmp.model.observation import Observation, StageInput
    from urbexmp.rules.terms import Taxonomy

_VERSION = "1"
"""Counts up when the same context would give other observations."""


class PlaceStage:
    """Looks at no picture: only at what people wrote about the place."""

    name = PLACE_STAGE
    uses_preview = False
    uses_context = True

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        digest = hashlib.sha256(f"{_VERSION} {taxonomy.digest}".encode()).hexdigest()
        self.id = f"{self.name}@{digest[:8]}"

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Say what the context says. Cities and countries never become keywords."""
        from urbexmp.rules.place import place_observations

        return place_observations(seen.context, self._taxonomy)
