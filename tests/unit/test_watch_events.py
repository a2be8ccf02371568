"""Hints from real folders, and what is said where none come."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from urbexmp.adapters.events import FolderEvents
from urbexmp.model.watching import Hint, Lost, Sign


def never() -> bool:
    return False


def heard(events: FolderEvents, path: Path) -> list[Sign]:
    """All signs until one names a path."""
    signs: list[Sign] = []
    until = time.monotonic() + 30
    while Hint(path) not in signs:
        assert time.monotonic() < until, signs
        signs += events.wait(0.2)
    return signs


def test_a_new_file_and_a_new_folder_are_hinted_at(tmp_path: Path) -> None:
    events = FolderEvents(never)
    assert events.watch([tmp_path]) == ()
    assert not events.deaf(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"a")
    heard(events, tmp_path / "a.jpg")
    (tmp_path / "new").mkdir()
    heard(events, tmp_path / "new")
    (tmp_path / "a.jpg").unlink()
    heard(events, tmp_path / "a.jpg")
    events.close()
    assert list(tmp_path.iterdir()) == [tmp_path / "new"]


def test_two_roots_are_both_heard(tmp_path: Path) -> None:
    roots = [tmp_path / "a", tmp_path / "b"]
    for root in roots:
        root.mkdir()
    events = FolderEvents(never)
    assert events.watch(roots) == ()
    for root in roots:
        (root / "x.jpg").write_bytes(b"x")
    wanted = {Hint(root / "x.jpg") for root in roots}
    signs: set[Sign] = set()
    until = time.monotonic() + 30
    while not wanted <= signs:
        assert time.monotonic() < until
        signs |= set(events.wait(0.2))
    events.close()


def test_polling_listens_to_nothing(tmp_path: Path) -> None:
    events = FolderEvents(never, poll=True)
    assert events.watch([tmp_path]) == ()
    assert events.deaf(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"a")
    assert events.wait(0.01) == []


def test_a_wait_ends_early_when_asked_to_stop(tmp_path: Path) -> None:
    for poll in (True, False):
        events = FolderEvents(lambda: True, poll=poll)
        events.watch([tmp_path])
        began = time.monotonic()
        events.wait(60)
        assert time.monotonic() - began < 30
        events.close()


def test_a_canary_of_a_killed_watch_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / ".urbexmp-canary-1").touch()
    events = FolderEvents(never)
    events.watch([tmp_path])
    assert list(tmp_path.iterdir()) == []
    events.close()


class Ear:
    """What watchfiles would be on a mount without events."""

    def __init__(self, *args: object) -> None:
        self.failure: Exception | None = None

    def watch(self, *args: object) -> object:
        if self.failure is not None:
            raise self.failure
        return "timeout"

    def close(self) -> None:
        """Nothing to close."""


def test_a_mount_without_events_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchfiles._rust_notify.RustNotify", Ear)
    monkeypatch.setattr("urbexmp.adapters.events.CANARY_SECONDS", 0.01)
    events = FolderEvents(never)
    (said,) = events.watch([tmp_path])
    assert "does not tell of changes" in said
    assert events.deaf(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_library_that_listens_the_root_is_left_to_sweeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles._rust_notify", None)
    events = FolderEvents(never)
    (said,) = events.watch([tmp_path])
    assert "changes cannot be listened to" in said
    assert "found by sweeps only" in said
    assert events.deaf(tmp_path)
    assert list(events.wait(0.0)) == []


def test_the_limit_of_watches_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> Ear:
        raise OSError("OS file watch limit reached.")

    monkeypatch.setattr("watchfiles._rust_notify.RustNotify", refuse)
    events = FolderEvents(never)
    (said,) = events.watch([tmp_path])
    assert "sysctl fs.inotify.max_user_watches" in said
    assert events.deaf(tmp_path)


def test_a_root_that_cannot_be_written_is_swept_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    events = FolderEvents(never)
    (said,) = events.watch([tmp_path])
    assert "cannot be written" in said
    assert events.deaf(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"a")
    heard(events, tmp_path / "a.jpg")
    events.close()


def test_an_ear_that_dies_is_a_sign_of_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchfiles._rust_notify.RustNotify", Ear)
    monkeypatch.setattr("urbexmp.adapters.events.CANARY_SECONDS", 0.01)
    events = FolderEvents(never)
    events.watch([tmp_path])
    events._ears[0][1].failure = RuntimeError("thread died")  # type: ignore[attr-defined]
    (sign,) = events.wait(0.01)
    assert isinstance(sign, Lost)
    assert "thread died" in sign.why
    assert events.wait(0.01) == []
