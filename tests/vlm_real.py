"""A real `transformers serve` in a process of its own. Nothing here sleeps for a result."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

SECONDS = 180.0
"""Until it listens: it loads torch, on a machine that may be busy."""


class RealServer:
    """The server, on loopback. Use it in a `with` block."""

    def __init__(self, home: Path, port: int = 0) -> None:
        home.mkdir(parents=True, exist_ok=True)
        (home / "hub").mkdir(exist_ok=True)
        code = "from transformers.cli.transformers import main; main()"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", code, "serve", "--host", "127.0.0.1"),
                *("--port", str(port), "--device", "cpu", "--log-level", "info"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "HF_HUB_OFFLINE": "1",
                "HF_HUB_CACHE": str(home / "hub"),
                "OMP_NUM_THREADS": "1",
                "PYTHONWARNINGS": "ignore",
            },
            cwd=home,
        )
        self.said = b""
        self.port = 0

    def __enter__(self) -> Self:
        try:
            self.port = int(self._hear(rb"running on http://127\.0\.0\.1:(\d+)"))
        except BaseException:
            self.__exit__()
            raise
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def kill(self) -> None:
        """As a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.__exit__()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        stream = self.process.stdout
        assert stream is not None
        if not stream.closed:
            with stream:
                self.said += stream.read() or b""
        self.process.wait(SECONDS)

    def _hear(self, wanted: bytes) -> bytes:
        stream = self.process.stdout
        assert stream is not None
        until = time.monotonic() + SECONDS
        with selectors.DefaultSelector() as ear:
            ear.register(stream, selectors.EVENT_READ)
            while not (found := re.search(wanted, self.said)):
                assert ear.select(max(0.0, until - time.monotonic())), self.said
                piece = os.read(stream.fileno(), 4096)
                assert piece, self.said
                self.said += piece
        return found[1]
