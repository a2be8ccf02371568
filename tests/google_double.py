"""A double of Google Vision on loopback: `POST /v1/images:annotate` over real HTTP.

For behaviour only: what it says comes from the test, never from a picture.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Picture = dict[str, Any]
Reply = tuple[int, dict[str, str], bytes]

CUT, BROKEN, SLOW, DRIP, SHORT = "cut", "broken", "slow", "drip", "short"


def label(word: str, score: float) -> Picture:
    return {"mid": "/m/0", "description": word, "score": score, "topicality": score}


CORRIDOR: Picture = {
    "labelAnnotations": [label("Hallway", 0.93), label("Wheelchair", 0.81), label("Art", 0.4)],
    "textAnnotations": [
        {"locale": "en", "description": "KEEP OUT\nWARD 7"},
        {"description": "KEEP"},
    ],
}


def said(pictures: list[Picture]) -> Reply:
    body = json.dumps({"responses": pictures}).encode()
    return 200, {"Content-Type": "application/json; charset=UTF-8"}, body


def failed(code: int, message: str) -> Picture:
    """What stands in place of a picture's labels where that picture alone failed."""
    return {"error": {"code": code, "message": message}}


def refused(
    status: int, message: str, grpc: str, reason: str = "", headers: Any = None, **metadata: str
) -> Reply:
    """An error as Google's gateway writes it."""
    error: dict[str, Any] = {"code": status, "message": message, "status": grpc}
    if reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        info = {"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": metadata}
        error["details"] = [info]
    body = json.dumps({"error": error}).encode()
    return status, {"Content-Type": "application/json", **(headers or {})}, body


class GoogleDouble:
    """The server. Use it in a `with` block.

    `answers` is asked for each request: the pictures in it, and its number from 0. It returns a
    reply, or `CUT` (the connection closes without a word), `BROKEN` (the JSON breaks off), `SLOW`
    (nothing comes until the end of the test), `DRIP` (a byte now and then, for ever), `SHORT` (the
    connection closes in the middle of the body).
    """

    def __init__(
        self,
        answers: Callable[[list[bytes], int], Reply | str] = lambda shown, _: said(
            [CORRIDOR] * len(shown)
        ),
    ) -> None:
        self.answers = answers
        self.batches: list[list[bytes]] = []
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._alone = threading.Lock()
        self._over = threading.Event()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                request = json.loads(self.rfile.read(length))
                shown = [base64.b64decode(one["image"]["content"]) for one in request["requests"]]
                with double._alone:
                    number = len(double.batches)
                    double.batches.append(shown)
                    double.requests.append(request)
                    double.headers.append({k.lower(): v for k, v in self.headers.items()})
                    double.paths.append(self.path)
                reply = double.answers(shown, number)
                if reply == SLOW:
                    double._over.wait(60)
                    reply = CUT
                if reply == BROKEN:
                    reply = (200, {"Content-Type": "application/json"}, b'{"responses": [{"label')
                if reply == DRIP:
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", "100000")
                    self.end_headers()
                    while not double._over.wait(0.03):
                        self.wfile.write(b" ")
                if reply == SHORT:
                    self.send_response(200)
                    self.send_header("Content-Length", "5000")
                    self.end_headers()
                    self.wfile.write(b'{"responses": [{"lab')
                if isinstance(reply, str):
                    self.close_connection = True
                    return
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

        self._http = Threads(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    @property
    def pictures(self) -> int:
        return sum(len(one) for one in self.batches)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
