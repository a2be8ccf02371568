"""How a person's wish to stop is heard in the middle of work and of pauses. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Stopping = Callable[[], bool]
"""Whether a person asked to stop."""

STEP_SECONDS = 0.25
"""A pause is cut into such steps, so that a person who asks to stop need not wait for its end."""


def never() -> bool:
    """Nobody asks."""
    return False


def steps(seconds: float) -> Iterator[float]:
    """The steps of a pause."""
    left = seconds
    while left > 0:
        yield min(left, STEP_SECONDS)
        left -= STEP_SECONDS
