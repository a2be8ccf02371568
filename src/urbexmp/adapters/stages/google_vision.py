"""The stage `google_vision`: labels, and text if you like, by Google's Cloud Vision.

Light: nothing of Google's is loaded before the first look. What comes from outside (the server,
the encoder of pictures) is handed to it by `connect`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from urbexmp.model.stage_errors import ExtraMissing
from urbexmp.rules.google_settings import STAGE, GoogleSettings, google_settings
from urbexmp.rules.stage_ids import stage_id
from urbexmp.rules.when import UNSURE, when_of

if TYPE_CHECKING:
    from urbexmp.model.errors import Problem
    from urbexmp.model.observation import Observation, Preview, StageInput
    from urbexmp.rules.google_answers import Annotated
    from urbexmp.rules.terms import Taxonomy

VERSION = "1"
QUALITY = 85
"""Of the JPEG that is sent."""


class Vision(Protocol):
    """Looks at pictures."""

    def ask(self, picture: bytes) -> Annotated:
        """Raises `ServerAway`, `StageTimeout`, `StageFailed`, `BudgetSpent`, `StageStopped`."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


class Connection(Protocol):
    """What comes from outside."""

    @property
    def vision(self) -> Vision:
        """The server; nothing is asked by making it."""
        ...

    @property
    def encode(self) -> Callable[[Preview, int, int], bytes]:
        """Makes a JPEG without metadata: picture, quality, long side."""
        ...

    def lacks(self) -> str:
        """The package that is not installed, or ""."""
        ...

    def close(self) -> None:
        """Give back what was opened."""
        ...


def _never() -> bool:
    return False


class GoogleVisionStage:
    """Labels a photo by what Google sees in it (`ports.Stage`)."""

    name = STAGE
    uses_preview = True
    uses_context = False
    """Nothing of the place is sent."""
    in_worker = False
    """It only waits for the network."""

    def __init__(self, taxonomy: Taxonomy, **settings: Any) -> None:
        """Raises `ValueError` with every mistake in the settings."""
        self.settings: GoogleSettings = google_settings(settings)
        self._taxonomy = taxonomy
        self._connection: Connection | None = None
        self.stopping: Callable[[], bool] = _never
        """Whether a person asked to stop."""

    def connect(self, connection: Connection) -> None:
        """Give it what it needs from outside. Opens and asks nothing."""
        self._connection = connection

    @property
    def id(self) -> str:
        """Changes with what the answer depends on; not with address, prices or budgets."""
        return stage_id(self.name, VERSION, self.settings.for_id)

    @property
    def when(self) -> str:
        """When it looks at a photo (`rules.when`), where the photo's place does not say."""
        return self.settings.when

    def ready(self) -> Problem | None:
        """What is missing here. Whether Google answers a run finds out by asking it."""
        if self._connection is None or not (package := self._connection.lacks()):
            return None
        return ExtraMissing(f"stage {self.name}", stage=self.name, package=package, extra="google")

    def close(self) -> None:
        """Give connections back."""
        if self._connection is not None:
            self._connection.close()

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Have one photo looked at. Raises what `Vision.ask` does; `Undecodable` by the view."""
        from urbexmp.rules.google_answers import observations
        from urbexmp.rules.vlm_question import unsure

        wanted = when_of(self.settings.when, seen.context.when)
        if wanted == UNSURE and not unsure(seen.earlier, self._taxonomy):
            return ()
        missing = self.ready()
        if missing is not None:
            raise missing
        connection = self._connection
        assert connection is not None, "a stage is connected before it looks"
        picture = connection.encode(seen.view.preview(), QUALITY, self.settings.size)
        return observations(connection.vision.ask(picture), self.settings)
