"""Signs of life: a small file for any supervisor, and systemd's own socket."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from urbexmp.model.background import WatchState


class HealthFile:
    """Implements `background.Pulse` by a JSON file that is replaced whole.

    Its field `at` tells whether the watch lives: a supervisor looks at its age, or at the
    file's own time. It is not synced to disk: after a crash of the machine there is no watch
    that it could speak for. A full disk or a missing folder costs the beat and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def beat(self, state: WatchState) -> None:
        """Replace the file."""
        text = json.dumps(state.to_plain(), ensure_ascii=True) + "\n"
        temp = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temp = tempfile.mkstemp(prefix=".health-", dir=self._path.parent)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
            os.replace(temp, self._path)  # noqa: PTH105
        except OSError:
            if temp is not None:
                with suppress(OSError):
                    Path(temp).unlink()


def read_health(path: Path) -> WatchState | None:
    """What a watch said last; None where there is nothing, or nothing that can be read."""
    try:
        return WatchState.from_plain(json.loads(path.read_bytes()))
    except (OSError, ValueError):
        return None


class SystemdPulse:
    """Implements `background.Pulse` by sd_notify(3): READY, STATUS, WATCHDOG.

    `NOTIFY_SOCKET` names a socket of datagrams; a leading `@` is Linux's abstract namespace.
    Without it, nothing is done. The first beat says READY=1. `WATCHDOG_USEC` is how long systemd
    waits for the next one (it asks for a beat at half of it). STOPPING is not said: systemd would
    go through with it when the watch only begins anew with a fresh process.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        usable = address.startswith(("/", "@")) and hasattr(socket, "AF_UNIX")
        self._address = ("\0" + address[1:] if address.startswith("@") else address) * usable
        self._watched = _watched(environ)
        self._ready = False
        self._said = ""

    def beat(self, state: WatchState) -> None:
        """Say what changed."""
        if not self._address:
            return
        lines = []
        if not self._ready:
            lines.append("READY=1")
        if (status := status_line(state)) != self._said:
            lines.append(f"STATUS={status}")
        if self._watched:
            lines.append("WATCHDOG=1")
        if lines and self._send("\n".join(lines)):
            self._ready, self._said = True, status

    def reloading(self, monotonic_usec: int) -> None:
        """Say that the profile is read again; the next beat says that it is done."""
        if self._address and self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_usec}"):
            self._ready = False

    def _send(self, text: str) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                # A supervisor that does not read must not stop us.
                sender.setblocking(False)
                sender.sendto(text.encode(), self._address)
        except OSError:
            return False
        return True


def _watched(environ: Mapping[str, str]) -> bool:
    """Whether systemd waits for signs of this very process."""
    pid = environ.get("WATCHDOG_PID", "")
    return environ.get("WATCHDOG_USEC", "").isdigit() and pid in ("", str(os.getpid()))


def status_line(state: WatchState) -> str:
    """How it goes, in a line for `systemctl status`."""
    now = f"paused: {state.paused_for}" if state.paused_for else state.phase
    parts = [now, f"{state.queued:,} waiting"]
    if state.settling:
        parts.append(f"{state.settling:,} not complete yet")
    parts.append(f"{state.done:,} done")
    if state.failed:
        parts.append(f"{state.failed:,} failed")
    return "; ".join(parts).replace("\n", " ")


class Pulses:
    """Implements `background.Pulse`: several at once, and no oftener than is of use.

    A beat goes out at once when the phase or the reason to pause changes, else every second: a
    watch may beat after every photo.
    """

    EVERY = timedelta(seconds=1)

    def __init__(self, *pulses: HealthFile | SystemdPulse) -> None:
        self._pulses = pulses
        self._at = datetime.min.replace(tzinfo=UTC)
        self._last: tuple[str, str | None] | None = None

    def beat(self, state: WatchState) -> None:
        """Pass it on."""
        now = (state.phase, state.paused_for)
        early = timedelta() <= state.at - self._at < self.EVERY
        if early and now == self._last:
            return
        self._at, self._last = state.at, now
        for pulse in self._pulses:
            pulse.beat(state)
