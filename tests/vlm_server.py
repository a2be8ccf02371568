"""A double of an OpenAI-compatible server on loopback: real HTTP, and every misbehaviour by name.

For behaviour only: what it says comes from the test, never from a picture.
"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from PIL import Image

GOOD = {
    "description": "A long corridor with peeling paint and a wheelchair.",
    "alt_text": "Corridor with a wheelchair.",
    "condition": {"value": 30, "severity": "heavy"},
    "decay": ["peeling paint"],
    "text": ["WARD 7"],
    "labels": [
        {"term": "corridor", "confidence": 0.9},
        {"term": "wheelchair", "confidence": 0.8},
    ],
    "free": ["dust"],
}

Reply = tuple[int, Mapping[str, str], bytes]


def said(content: str | None, **more: Any) -> Reply:
    """A chat completion; `more` goes into its message, but for `model`, `finish`, `logprobs`."""
    choice = {
        "index": 0,
        "finish_reason": more.pop("finish", "stop"),
        "logprobs": more.pop("logprobs", None),
    }
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": more.pop("model", "eyes"),
        "usage": {"prompt_tokens": 700, "completion_tokens": 50, "total_tokens": 750},
        "choices": [{**choice, "message": {"role": "assistant", "content": content, **more}}],
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


def refused(status: int, body: object, **headers: str) -> Reply:
    """An error: a dict or list as JSON, a text as it is."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, str):
        return status, named, body.encode()
    return status, {"Content-Type": "application/json", **named}, json.dumps(body).encode()


GOOD_REPLY = said(json.dumps(GOOD))
CUT, SLOW, BROKEN = "cut", "slow", "broken"


class VlmDouble:
    """The server. Use it in a `with` block.

    `answers` is asked for each chat completion: the request's JSON and its number from 0. It
    returns a reply, or `CUT` (the connection closes without a word), `BROKEN` (the body breaks
    off), `SLOW` (nothing comes until the end of the test).
    """

    def __init__(
        self,
        answers: Callable[[dict[str, Any], int], Reply | str] = lambda *_: GOOD_REPLY,
        paths: Mapping[str, Reply] | None = None,
        server: str = "double",
        port: int = 0,
    ) -> None:
        self.answers = answers
        self.paths = dict(paths or {})
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.asked: list[str] = []
        self.most_at_once = 0
        self.closing: list[Callable[[], None]] = []
        self._at_once = 0
        self._alone = threading.Lock()
        self._over = threading.Event()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version, sys_version = server, ""
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                double.asked.append(self.path)
                usual = refused(404, {"error": {"message": "not found"}})
                self._send(double.paths.get(self.path, usual))

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                request = json.loads(self.rfile.read(length))
                with double._alone:
                    number = len(double.requests)
                    double.requests.append(request)
                    double.keys.append(self.headers.get("authorization", ""))
                    double._at_once += 1
                    double.most_at_once = max(double.most_at_once, double._at_once)
                try:
                    reply = double.answers(request, number)
                    if reply == SLOW:
                        double._over.wait(60)
                        reply = CUT
                finally:
                    with double._alone:
                        double._at_once -= 1
                if isinstance(reply, str):
                    self.close_connection = True
                    if reply == BROKEN:
                        self.send_response(200)
                        self.send_header("Content-Type", "application/json")
                        self.send_header("Content-Length", "5000")
                        self.end_headers()
                        self.wfile.write(b'{"choices": [{"mess')
                        self.wfile.flush()
                    return
                self._send(reply)

            def _send(self, reply: Reply) -> None:
                status, headers, body = reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Threads(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: object) -> None:
                pass  # a client that hung up is part of many tests

        self._http = Threads(("127.0.0.1", port), Handler)
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for close in self.closing:
            close()
        self._over.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def picture_of(request: Mapping[str, Any]) -> bytes:
    """The JPEG of a request."""
    for message in request["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "image_url":
                head, _, data = part["image_url"]["url"].partition(",")
                assert head == "data:image/jpeg;base64"
                return base64.b64decode(data)
    raise AssertionError("no picture was sent")


def shown(request: Mapping[str, Any]) -> Image.Image:
    """The picture of a request, decoded."""
    return Image.open(io.BytesIO(picture_of(request)))


def words_of(request: Mapping[str, Any]) -> str:
    """All words of a request."""
    words = []
    for message in request["messages"]:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        words += [part["text"] for part in parts if part["type"] == "text"]
    return "\n".join(words)
