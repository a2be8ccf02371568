"""What both kinds of `Events` promise."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from urbexmp.adapters.events import FolderEvents
from urbexmp.adapters.memory import MemoryEvents
from urbexmp.model.watching import Events, Hint


def real() -> Events:
    return FolderEvents(lambda: False)


def double() -> Events:
    return MemoryEvents(lambda _seconds: None)


def put(events: Events, path: Path) -> None:
    """A file comes into being."""
    path.write_bytes(b"x")
    if isinstance(events, MemoryEvents):
        events.coming.append((0.1, Hint(path)))


@pytest.mark.parametrize("make", [real, double])
def test_what_comes_is_hinted_at_once_it_is_listened_to(
    tmp_path: Path, make: Callable[[], Events]
) -> None:
    events = make()
    assert events.watch((tmp_path,)) == ()
    assert not events.deaf(tmp_path)
    put(events, tmp_path / "a.jpg")
    signs = []
    until = time.monotonic() + 30
    while Hint(tmp_path / "a.jpg") not in signs:
        assert time.monotonic() < until
        signs += events.wait(0.2)
    assert Hint(tmp_path / "b.jpg") not in signs
    # Listening anew is allowed, and so is closing twice.
    assert events.watch((tmp_path,)) == ()
    put(events, tmp_path / "b.jpg")
    while Hint(tmp_path / "b.jpg") not in signs:
        assert time.monotonic() < until
        signs += events.wait(0.2)
    events.close()
    events.close()


@pytest.mark.parametrize("make", [real, double])
def test_a_wait_without_signs_ends(tmp_path: Path, make: Callable[[], Events]) -> None:
    events = make()
    events.watch((tmp_path,))
    assert list(events.wait(0.01)) == []
    events.close()
