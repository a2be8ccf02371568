"""A real watch in a process of its own, and photos to put before it. Nothing here sleeps for a
result: a test waits for what the process says, with a deadline."""

from __future__ import annotations

import io
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from PIL import Image

DEADLINE = 60.0
"""Seconds; the machine may be busy. Nothing passes by waiting longer."""

FAST = (
    *("--set", "settle_seconds=0.1", "--set", "companion_seconds=0.3"),
    *("--set", "settle_longest_seconds=3", "--set", "quiet_seconds=0", "--set", "nice=0"),
    *("--stages", "place", "--embed", "never"),
)
"""Short times, and one stage that needs no picture."""


def jpeg(number: int, size: int = 16) -> bytes:
    """A small JPEG that no other number gives."""
    out = io.BytesIO()
    image = Image.new("RGB", (size, size), (number % 256, number // 256 % 256, number // 65536))
    image.putpixel((3, 3), (255 - number % 256, 17, 90))
    image.save(out, "JPEG", quality=95)
    # Small blocks of one colour may come out alike: the restart-free scan is what tells apart,
    # so the number is drawn as black and white blocks of eight pixels too.
    bits = Image.new("L", (8 * 20, 8))
    for bit in range(20):
        if number >> bit & 1:
            bits.paste(255, (8 * bit, 0, 8 * bit + 8, 8))
    out = io.BytesIO()
    bits.convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()


def environment(home: Path) -> dict[str, str]:
    """A user who has settings of no kind."""
    here = Path(__file__).parents[1] / "src"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("URBEXMP_")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join((str(here), *sys.path)),
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
    }


class Watching:
    """`urbexmp watch` as a process."""

    def __init__(self, library: Path, home: Path, *options: str, fast: bool = True) -> None:
        self.library = library
        self.home = home
        self.lines: list[str] = []
        command = [sys.executable, "-m", "urbexmp", "watch", str(library)]
        self.process = subprocess.Popen(
            [*command, "--state", str(home / "st"), *(FAST if fast else ()), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(home),
            cwd=home,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self._ear = selectors.DefaultSelector()
        self._ear.register(self.process.stdout, selectors.EVENT_READ)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self._ear.close()
        self.process.stdout.close()

    def hear(self, seconds: float) -> None:
        """Read what it says, for the first of which it is waited so long at most."""
        assert self.process.stdout is not None
        if not self._ear.select(seconds):
            return
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data and self.process.poll() is None:
            self.process.wait(DEADLINE)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode("utf-8", "replace") for line in lines]

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert time.monotonic() < deadline, f"{what}\n" + "\n".join(self.lines[-40:])
            assert self.process.poll() is None, f"it ended: {what}\n" + "\n".join(self.lines[-40:])
            self.hear(0.05)

    def says(self, text: str, times: int = 1) -> None:
        """Wait until it has said a text so often."""
        self.until(lambda: sum(text in line for line in self.lines) >= times, f"no {text!r}")

    def ready(self) -> None:
        """Wait until it listens, and has looked everything over once."""
        self.until(lambda: self.health().get("last_sweep") is not None, "no first sweep")
        self.until(lambda: self.health().get("phase") == "watching", "not watching")

    def health(self) -> dict[str, Any]:
        """What its health file says."""
        for path in (self.home / "st").glob("*/health.json"):
            return dict(json.loads(path.read_bytes()))
        return {}

    def keyworded(self, *names: str) -> None:
        """Wait until photos have sidecars."""
        self.until(
            lambda: all((self.library / f"{name}.xmp").exists() for name in names),
            f"not all of {names[:5]} have keywords",
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; returns its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE)
        self.hear(0)
        return code

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Another command beside it."""
        return subprocess.run(
            [sys.executable, "-m", "urbexmp", *args, "--state", str(self.home / "st")],
            capture_output=True,
            text=True,
            env=environment(self.home),
            cwd=self.home,
            timeout=DEADLINE,
            check=False,
        )
