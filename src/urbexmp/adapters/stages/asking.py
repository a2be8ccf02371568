"""What stages have in common that ask a server in our own process.

Light: what comes from outside (the server, the encoder of pictures) is handed over by `connect`,
and the server is first spoken to on the first look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from urbexmp.model.pacing import HeardPace, nobody
from urbexmp.model.stage_errors import ExtraMissing
from urbexmp.rules.stopping import Stopping, never
from urbexmp.rules.when import UNSURE, when_of

if TYPE_CHECKING:
    from urbexmp.model.errors import Problem
    from urbexmp.model.observation import Preview, StageInput
    from urbexmp.rules.terms import Taxonomy

QUALITY = 85
"""Of the JPEG that is sent."""


class Timed(Protocol):
    """Settings that say when a stage looks."""

    @property
    def when(self) -> str:
        """One of `rules.when`."""
        ...


class Outside(Protocol):
    """What comes from outside, of any such stage."""

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


Settings = TypeVar("Settings", bound=Timed)
Connection = TypeVar("Connection", bound=Outside)


class AskingStage(Generic[Settings, Connection]):
    """A stage (`ports.Stage`) that only waits for the network."""

    name: str
    extra: str
    """What `pip install urbexmp[...]` brings what it lacks with."""
    uses_preview = True
    in_worker = False

    def __init__(self, taxonomy: Taxonomy, settings: Settings) -> None:
        self.settings = settings
        self._taxonomy = taxonomy
        self._connection: Connection | None = None
        self.stopping: Stopping = never
        """Whether a person asked to stop."""
        self.on_pace: HeardPace = nobody
        """Is told how many requests go at a time, from the thread that looks."""

    def connect(self, connection: Connection) -> None:
        """Give it what it needs from outside. Opens and asks nothing."""
        self._connection = connection

    @property
    def when(self) -> str:
        """When it looks at a photo (`rules.when`), where the photo's place does not say."""
        return self.settings.when

    def ready(self) -> Problem | None:
        """What is missing here. Whether the server answers a run finds out by asking it."""
        if self._connection is None or not (package := self._connection.lacks()):
            return None
        about = f"stage {self.name}"
        return ExtraMissing(about, stage=self.name, package=package, extra=self.extra)

    def close(self) -> None:
        """Give connections back."""
        if self._connection is not None:
            self._connection.close()

    def _outside(self) -> Connection:
        connection = self._connection
        assert connection is not None, "a stage is connected before it looks"
        return connection

    def _wanted(self, seen: StageInput) -> bool:
        """Whether there is a question about the photo. Raises `ExtraMissing`."""
        from urbexmp.rules.vlm_question import unsure

        wanted = when_of(self.settings.when, seen.context.when)
        if wanted == UNSURE and not unsure(seen.earlier, self._taxonomy):
            return False
        missing = self.ready()
        if missing is not None:
            raise missing
        return True
