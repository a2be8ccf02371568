"""The ports of a report on a run: who is told of every photo, and where the report is kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from urbexmp.model.change import Change
    from urbexmp.model.errors import Problem
    from urbexmp.model.observation import StageLook
    from urbexmp.model.proposal import Proposal


class Recorder(Protocol):
    """Is told of every photo of a run, changed or not, once each; `Show` is told what people read.

    Raises nothing: a run must not fail because somebody takes notes.
    """

    def looked(self, path: Path, looks: Sequence[StageLook], ran: Collection[str]) -> None:
        """A photo was looked at; `ran` names the stages that looked now."""
        ...

    def proposed(self, path: Path, proposal: Proposal) -> None:
        """What would be seen in a photo's keywords, of what was seen of it."""
        ...

    def dealt(self, change: Change, *, applied: bool) -> None:
        """A photo was dealt with, whether or not anything had to be written."""
        ...

    def failed(self, path: Path, problem: Problem) -> None:
        """A photo could not be dealt with; `Show` is told of the problem by itself."""
        ...


class NoRecorder:
    """Implements `Recorder` for a run of which nobody takes notes."""

    def looked(self, path: Path, looks: Sequence[StageLook], ran: Collection[str]) -> None:
        """Do nothing."""

    def proposed(self, path: Path, proposal: Proposal) -> None:
        """Do nothing."""

    def dealt(self, change: Change, *, applied: bool) -> None:
        """Do nothing."""

    def failed(self, path: Path, problem: Problem) -> None:
        """Do nothing."""


class ReportFiles(Protocol):
    """Keeps the reports of many runs, a folder each, and one history of them all.

    Every method raises `ReportUnwritable`; then nothing of this run's report is left behind.
    """

    def begin(self, run: str) -> None:
        """Begin the report of a run. It is not a report before `finish`."""
        ...

    def add(self, line: str) -> None:
        """Append one line, without its end, to the changes."""
        ...

    def reply(self, line: str) -> None:
        """Append one line, without its end, to the replies."""
        ...

    def picture(self, name: str, content: bytes) -> str:
        """Keep a small picture; return how the summary links to it."""
        ...

    def finish(self, summary: str, history: str) -> Path:
        """Complete the report with its summary, append one line to the history; return where
        the summary is."""
        ...
