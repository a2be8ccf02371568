"""A stage that looks on another machine, by `urbexmp serve`, and on this one where that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from urbexmp.model.stage_errors import ServerAway

if TYPE_CHECKING:
    from urbexmp.adapters.stages.remote_server import Server
    from urbexmp.model.errors import Problem
    from urbexmp.model.observation import Observation, StageInput
    from urbexmp.model.pacing import HeardPace
    from urbexmp.model.ports import Stage


class RemoteStage:
    """A stage (`ports.Stage`) of the same name and needs as `here`, which looks on the server.

    Thresholds, agreement and the ledger go by a stage's name and id, so each stage of a server is
    a stage of its own here, and carries the id that it has there: what a server said is kept
    until its weights or settings change, whatever its address is.
    """

    in_worker = False

    def __init__(self, here: Stage, server: Server) -> None:
        self.name = here.name
        self.uses_preview = here.uses_preview
        self.uses_context = here.uses_context
        self.when: str | None = getattr(here, "when", None)
        """When a stage that is told so looks at a photo (`rules.when`); None: at every photo."""
        self._here = here
        self._server = server

    @property
    def id(self) -> str:
        """The id on the server, as last heard; the local one where it was never heard."""
        return self._server.id_of(self.name) or self._here.id

    @property
    def stopping(self) -> Callable[[], bool]:
        """Whether a person asked to stop."""
        return self._server.stopping

    @stopping.setter
    def stopping(self, asked: Callable[[], bool]) -> None:
        self._server.stopping = asked
        if hasattr(self._here, "stopping"):
            self._here.stopping = asked

    @property
    def on_pace(self) -> HeardPace:
        """Who is told how much is done at a time, there and here."""
        return self._server.on_pace

    @on_pace.setter
    def on_pace(self, heard: HeardPace) -> None:
        self._server.on_pace = heard
        if hasattr(self._here, "on_pace"):
            self._here.on_pace = heard

    def ready(self) -> Problem | None:
        """Nothing that is known without asking the server, which a run with no work does not."""
        return None

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """What `look_as` says, without whose word it is."""
        return self.look_as(seen)[1]

    def look_as(self, seen: StageInput) -> tuple[str, tuple[Observation, ...]]:
        """What is seen, and the id of the stage that saw it: the server's, or this machine's.

        Raises `ServerAway` and other `StageFailed`, `StageStopped`, and `Undecodable` through the
        view.
        """
        try:
            told_by, look = self._server.look(self._here, seen)
        except ServerAway as away:
            if not self._server.settings.fallback or self._unready() is not None:
                raise
            self._server.tell_away(self.name, away)
            return self._here.id, self._here.look(seen)
        self._server.tell_back(self.name)
        return told_by, look.observations

    def close(self) -> None:
        """End what the local stage holds."""
        close: Callable[[], None] | None = getattr(self._here, "close", None)
        if close is not None:
            close()

    def _unready(self) -> Problem | None:
        ready: Callable[[], Problem | None] | None = getattr(self._here, "ready", None)
        return ready() if ready is not None else None
