"""A real `urbexmp serve` in a process of its own, and questions to put to it. Nothing here sleeps
for a result: a test waits for the server's first line, with a deadline."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from PIL import Image

from watch_process import DEADLINE, environment

SAMPLES = Path(__file__).parents[1] / "samples" / "photos"
TOKEN = "a-token-that-nobody-guesses-7261"


def sample(name: str = "IMG_1022.JPG") -> bytes:
    """One of the sample photos."""
    return next(SAMPLES.rglob(name)).read_bytes()


def drawn(kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", size, (90, 120, 60)).save(out, kind)
    return out.getvalue()


def text_of(data: bytes) -> str:
    """A picture as a request holds it."""
    return base64.b64encode(data).decode()


class Serving:
    """`urbexmp serve` as a process. Use it in a `with` block."""

    def __init__(
        self,
        home: Path,
        *options: str,
        port: int = 0,
        token: str = "",
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.scratch = home / "tmp"
        self.scratch.mkdir(exist_ok=True)
        self.token = token
        self.said = b""
        command = [sys.executable, "-m", "urbexmp", "serve", "--port", str(port), "-v"]
        env = environment(home) | {"TMPDIR": str(self.scratch), **(more or {})}
        if token:
            env["URBEXMP_SERVE_TOKEN"] = token
        self.process = subprocess.Popen(
            [*command, "--state", str(home / "st"), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=home,
        )
        self.url = ""

    def __enter__(self) -> Self:
        try:
            first = self._hear(re.compile(rb"Listening on (http://\S+?),"))
        except BaseException:
            self.__exit__()
            raise
        self.url = first.group(1).decode()
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        stream = self.process.stdout
        assert stream is not None
        if not stream.closed:
            with stream:
                self.said += stream.read() or b""
        self.process.wait(DEADLINE)

    def _hear(self, wanted: re.Pattern[bytes]) -> re.Match[bytes]:
        stream = self.process.stdout
        assert stream is not None
        until = time.monotonic() + DEADLINE
        with selectors.DefaultSelector() as ear:
            ear.register(stream, selectors.EVENT_READ)
            while not (found := wanted.search(self.said)):
                assert ear.select(max(0.0, until - time.monotonic())), self.said
                piece = os.read(stream.fileno(), 4096)
                assert piece, self.said
                self.said += piece
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Its exit code, once it has ended by itself; then `said` holds all its words."""
        code = self.process.wait(DEADLINE)
        self.__exit__()
        return code

    def ask(
        self,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body and headers (names in lower case) of an answer."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        token = self.token if token is None else token
        if token:
            sent["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, sent | (headers or {}))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = opener.open(request, timeout=DEADLINE)
        except urllib.error.HTTPError as failure:
            answer = failure
        with answer:
            names = {name.lower(): value for name, value in answer.headers.items()}
            return int(answer.status), json.loads(answer.read()), names

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask how it is until that holds."""
        until = time.monotonic() + DEADLINE
        while True:
            said = self.ask("/health")[1]
            if holds(said):
                return said
            assert time.monotonic() < until, said
