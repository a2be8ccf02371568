"""The stage `google_vision`: labels, and text if you like, by Google's Cloud Vision.

Light: nothing of Google's is loaded before the first look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from urbexmp.adapters.stages.asking import QUALITY, AskingStage, Outside
from urbexmp.rules.google_settings import STAGE, GoogleSettings, google_settings
from urbexmp.rules.stage_ids import stage_id

if TYPE_CHECKING:
    from urbexmp.model.observation import Observation, StageInput
    from urbexmp.rules.google_answers import Annotated
    from urbexmp.rules.terms import Taxonomy

VERSION = "1"


class Vision(Protocol):
    """Looks at pictures."""

    def ask(self, picture: bytes) -> Annotated:
        """Raises `ServerAway`, `StageTimeout`, `StageFailed`, `BudgetSpent`, `StageStopped`."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


class Connection(Outside, Protocol):
    """What comes from outside."""

    @property
    def vision(self) -> Vision:
        """The server; nothing is asked by making it."""
        ...


class GoogleVisionStage(AskingStage[GoogleSettings, Connection]):
    """Labels a photo by what Google sees in it (`ports.Stage`)."""

    name = STAGE
    extra = "google"
    uses_context = False
    """Nothing of the place is sent."""

    def __init__(self, taxonomy: Taxonomy, **settings: Any) -> None:
        """Raises `ValueError` with every mistake in the settings."""
        super().__init__(taxonomy, google_settings(settings))

    @property
    def id(self) -> str:
        """Changes with what the answer depends on; not with address, prices or budgets."""
        return stage_id(self.name, VERSION, self.settings.for_id)

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Have one photo looked at. Raises what `Vision.ask` does; `Undecodable` by the view."""
        from urbexmp.rules.google_answers import observations

        if not self._wanted(seen):
            return ()
        connection = self._outside()
        picture = connection.encode(seen.view.preview(), QUALITY, self.settings.size)
        return observations(connection.vision.ask(picture), self.settings)
