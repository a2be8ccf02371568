"""Signs of life for supervisors, and words on the desktop."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from urbexmp.adapters.background.health import (
    HealthFile,
    Pulses,
    SystemdPulse,
    read_health,
)
from urbexmp.adapters.background.notify import DesktopNotifier, desktop_command
from urbexmp.model.background import WatchState

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
STATE = WatchState(4711, NOW, NOW, "working", (Path("/photos"),), queued=1200, done=34)


def later(seconds: float, **changes: object) -> WatchState:
    return dataclasses.replace(STATE, at=NOW + timedelta(seconds=seconds), **changes)  # type: ignore[arg-type]


def test_the_health_file_says_how_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "state" / "health.json"
    HealthFile(path).beat(STATE)
    assert read_health(path) == STATE
    HealthFile(path).beat(later(5))
    assert read_health(path) == later(5)
    assert [entry.name for entry in path.parent.iterdir()] == ["health.json"]


def test_a_reader_never_meets_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    pulse = HealthFile(path)
    pulse.beat(STATE)
    with path.open("rb") as held:
        pulse.beat(later(1, roots=()))
        assert held.read().endswith(b"}\n")
    assert read_health(path) == later(1, roots=())


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_where_it_cannot_be_written_the_watch_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    HealthFile(blocked / "health.json").beat(STATE)
    assert read_health(blocked / "health.json") is None
    (tmp_path / "health.json").mkdir()
    HealthFile(tmp_path / "health.json").beat(STATE)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "health.json"]


def test_junk_in_its_place_is_no_state(tmp_path: Path) -> None:
    for number, junk in enumerate((b"", b"{", b"[]", b'{"pid": "x"}', b"\xff")):
        path = tmp_path / str(number)
        path.write_bytes(junk)
        assert read_health(path) is None


# --- systemd ----------------------------------------------------------------------------------


@pytest.fixture(params=["path", "abstract"])
def systemd(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    """A socket as systemd has it: its address, and what came since the last look."""
    if request.param == "abstract" and sys.platform != "linux":
        pytest.skip("abstract sockets are Linux's")
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("no such sockets here")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        if request.param == "path":
            folder = Path("/tmp") / f"urbexmp-test-{os.getpid()}"  # a socket's path is short
            folder.mkdir()
            address = str(folder / "notify")
            listening.bind(address)
        else:
            address = f"@urbexmp-test-{os.getpid()}"
            listening.bind("\0" + address[1:])
        listening.setblocking(False)

        def came() -> list[str]:
            found = []
            try:
                while True:
                    found.append(listening.recv(4096).decode())
            except BlockingIOError:
                return found

        yield address, came
    if request.param == "path":
        shutil.rmtree(folder)


def test_systemd_hears_ready_once_and_then_that_it_lives(
    systemd: tuple[str, Callable[[], list[str]]],
) -> None:
    address, came = systemd
    environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "300000000"}
    pulse = SystemdPulse({**environ, "WATCHDOG_PID": str(os.getpid())})
    pulse.beat(STATE)
    assert came() == ["READY=1\nSTATUS=working; 1,200 waiting; 34 done\nWATCHDOG=1"]
    pulse.beat(later(1))
    assert came() == ["WATCHDOG=1"]
    pulse.beat(later(2, paused_for="on battery", settling=2, failed=1))
    told = "paused: on battery; 1,200 waiting; 2 not complete yet; 34 done; 1 failed"
    assert came() == [f"STATUS={told}\nWATCHDOG=1"]
    pulse.beat(later(3, phase="stopping"))
    assert came()[0].startswith("STATUS=stopping;")


def test_the_watchdog_of_another_process_is_not_ours(
    systemd: tuple[str, Callable[[], list[str]]],
) -> None:
    address, came = systemd
    pulse = SystemdPulse({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"})
    pulse.beat(STATE)
    pulse.beat(later(1))
    assert came() == ["READY=1\nSTATUS=working; 1,200 waiting; 34 done"]


def test_reading_the_profile_again_is_told_as_such(
    systemd: tuple[str, Callable[[], list[str]]],
) -> None:
    address, came = systemd
    pulse = SystemdPulse({"NOTIFY_SOCKET": address})
    pulse.beat(STATE)
    pulse.reloading(123456)
    pulse.beat(later(1))
    assert came()[1:] == ["RELOADING=1\nMONOTONIC_USEC=123456", "READY=1"]


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "vsock:2:1", "relative"])
def test_without_a_listener_nothing_happens(address: str) -> None:
    pulse = SystemdPulse({"NOTIFY_SOCKET": address})
    pulse.beat(STATE)
    pulse.reloading(1)
    assert SystemdPulse({}).beat(STATE) is None


def test_a_beat_after_every_photo_writes_once_a_second(tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    both = Pulses(HealthFile(path), SystemdPulse({}))
    both.beat(STATE)
    both.beat(later(0.5, done=99))
    assert read_health(path) == STATE
    both.beat(later(0.6, phase="paused"))
    assert read_health(path) == later(0.6, phase="paused")
    both.beat(later(1.7, phase="paused", done=100))
    assert read_health(path) == later(1.7, phase="paused", done=100)
    both.beat(later(-3600, phase="paused"))  # a clock set back
    assert read_health(path) == later(-3600, phase="paused")


# --- The desktop ------------------------------------------------------------------------------

SCRIPT = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word"; done > "{kept}"
exit {code}
"""


def program(folder: Path, name: str, code: int = 0) -> Path:
    kept = folder / f"{name}.said"
    path = folder / name
    path.write_text(SCRIPT.format(kept=kept, code=code))
    path.chmod(0o755)
    return kept


@pytest.mark.skipif(os.name == "nt", reason="shell scripts play the programs")
def test_an_import_is_told_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = program(tmp_path, "notify-send")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    troubles: list[str] = []
    notifier = DesktopNotifier(troubles.append, "linux")
    notifier.imported(1200, Path("/photos/<Mill> & \x1b[2J"), "In Lightroom: Metadata > Read.")
    said = kept.read_text().splitlines()
    assert said[:3] == ["--app-name=urbexmp", "--", "urbexmp"]
    assert said[3] == (
        r"1,200 photos in &lt;Mill&gt; &amp; \x1b[2J done. In Lightroom: Metadata &gt; Read."
    )
    assert troubles == []


@pytest.mark.skipif(os.name == "nt", reason="shell scripts play the programs")
def test_a_desktop_that_fails_is_told_of_and_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "notify-send", code=1)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    troubles: list[str] = []
    DesktopNotifier(troubles.append, "linux").imported(1, Path("/photos"), "")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    DesktopNotifier(troubles.append, "linux").imported(1, Path("/photos"), "")
    DesktopNotifier(troubles.append, "darwin").imported(1, Path("/photos"), "")
    assert len(troubles) == 3
    assert "could not be notified" in troubles[0]
    assert "notify-send" in troubles[1]


def test_words_never_become_a_script() -> None:
    evil = '"; do shell script "rm" $(rm) \'x\' `rm`'
    mac = desktop_command("darwin", "urbexmp", evil)
    windows = desktop_command("win32", "urbexmp", evil)
    assert mac is not None
    assert mac[-1] == evil
    assert not any("rm" in part for part in mac[:-1])
    assert windows is not None
    assert not any("rm" in part.split() for part in windows)
    gdbus = desktop_command(
        "linux", "urbexmp", evil, lambda name: name if name == "gdbus" else None
    )
    assert gdbus is not None
    assert gdbus[11] == '"\\"; do shell script \\"rm\\" $(rm) \'x\' `rm`"'
