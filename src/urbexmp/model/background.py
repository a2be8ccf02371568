"""What a watch in the background needs beside photos: leave to work, a sign of life, a word to you.

Ports of the watch, and the value that says how it goes, which supervisors and `status` read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class WatchState:
    """How a watch goes at one moment. Times are aware."""

    pid: int
    since: datetime
    """When it started."""
    at: datetime
    """When this was said: a watch that has been silent for minutes is stuck or gone."""
    phase: str
    """One word for what it does: `starting`, `scanning`, `working`, `watching`, `paused`,
    `stopping`, `stopped`."""
    roots: tuple[Path, ...] = ()
    queued: int = 0
    """Photos that wait for their turn."""
    settling: int = 0
    """Files that are not complete yet."""
    done: int = 0
    """Photos dealt with since it started."""
    failed: int = 0
    """Photos of these that failed."""
    rate_per_minute: float = 0.0
    """Photos a minute, of late."""
    last_sweep: datetime | None = None
    next_sweep: datetime | None = None
    paused_for: str | None = None
    """Why it pauses: `on battery`, `outside working hours 22:00-06:00`."""

    def to_plain(self) -> dict[str, Any]:
        """As plain JSON data: times as UTC text, paths as POSIX text."""
        return {field.name: _plain(getattr(self, field.name)) for field in _fields()}

    @classmethod
    def from_plain(cls, plain: object) -> WatchState:
        """Build one from what `to_plain` gave.

        Fields that are missing take their default; those of another version are passed over,
        because this is only ever shown, never acted on. Raises `ValueError` for anything else.
        """
        if not isinstance(plain, Mapping):
            raise ValueError("not the state of a watch")  # noqa: TRY004  (one kind to catch)
        try:
            return cls(
                **{
                    field.name: _BUILT[field.name](plain[field.name])
                    for field in _fields()
                    if field.name in plain
                }
            )
        except (TypeError, AttributeError) as failure:
            raise ValueError(f"not the state of a watch ({failure})") from failure


def _fields() -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(WatchState)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(_FORM)
    return [path.as_posix() for path in value] if isinstance(value, tuple) else value


def _time(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)


def _maybe_time(text: str | None) -> datetime | None:
    return None if text is None else _time(text)


def _paths(texts: list[str]) -> tuple[Path, ...]:
    return tuple(Path(text) for text in texts)


def _words(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not text")
    return text


def _maybe_words(text: object) -> str | None:
    return None if text is None else _words(text)


_BUILT: Mapping[str, Any] = {
    "pid": int,
    "since": _time,
    "at": _time,
    "phase": _words,
    "roots": _paths,
    "queued": int,
    "settling": int,
    "done": int,
    "failed": int,
    "rate_per_minute": float,
    "last_sweep": _maybe_time,
    "next_sweep": _maybe_time,
    "paused_for": _maybe_words,
}


class Conditions(Protocol):
    """Whether the machine and its owner let us work now."""

    def may_work(self, now: datetime) -> str | None:
        """None: go; else the reason to pause, such as `on battery` or
        `outside working hours 22:00-06:00`. `now` is aware. Never raises."""


class Pulse(Protocol):
    """Tells supervisors that the watch lives."""

    def beat(self, state: WatchState) -> None:
        """Say how it goes. Cheap enough for every second; never raises."""


class Notifier(Protocol):
    """A word on the desktop."""

    def imported(self, photos: int, folder: Path, next_step: str) -> None:
        """Say that an import is done, and what to do next in Lightroom. Never raises."""
