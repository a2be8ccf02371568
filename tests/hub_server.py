"""A small server on this machine that speaks the hub's protocol, and can misbehave.

It answers `api/models/REPO/revision/REV` and `REPO/resolve/REV/FILE` (HEAD and GET, ranges, ETag,
the hashes of large files), which is all that bringing weights needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tiny.registry import REVISION, entry_of
from urbexmp.model.weights import ModelEntry

LARGE = 1000
"""Bytes from which a file is kept as the hub keeps large ones."""


@dataclass
class HubServer:
    """What the server holds, how it misbehaves, and what it was asked."""

    repository: str
    files: dict[str, bytes]
    revision: str = REVISION
    address: str = ""
    cut_after: dict[str, list[int]] = field(default_factory=dict)
    """Bytes after which the next transfers of a file break off, one number for each."""
    lies: dict[str, bytes] = field(default_factory=dict)
    """Other bytes that a file is sent with, under its true hash."""
    status: int = 0
    """Answer everything with this status."""
    code: str = ""
    """The hub's own word for an error (`X-Error-Code`)."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and range of every request."""
    agents: set[str] = field(default_factory=set)
    tokens: list[str] = field(default_factory=list)
    """What requests said of who asks (`Authorization`)."""
    claims: str = ""
    """The commit that it says it has, in place of the true one."""
    beside: tuple[HubServer, ...] = ()
    """Other repositories at the same address."""
    elsewhere: str = ""
    """Another server that has the large files, as the hub's has."""
    gate: threading.Barrier | None = None
    """Transfers wait here for each other, which proves that they run at once."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ranges(self, name: str) -> list[str]:
        """The ranges that transfers of a file asked for; "" is the whole."""
        return [r for method, path, r in self.asked if method == "GET" and path.endswith(name)]

    def of(self, path: str) -> HubServer:
        """The repository that a path is about."""
        return next((one for one in self.beside if f"/{one.repository}/" in f"{path}/"), self)

    def large(self, name: str) -> bool:
        return len(self.files[name]) >= LARGE

    def etag(self, name: str) -> str:
        data = self.files[name]
        if self.large(name):
            return hashlib.sha256(data).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def about(self) -> dict[str, Any]:
        siblings = []
        for name, data in self.files.items():
            one: dict[str, Any] = {
                "rfilename": name, "size": len(data), "blobId": "0" * 40,
            }  # fmt: skip
            if self.large(name):
                sha256 = hashlib.sha256(data).hexdigest()
                one["lfs"] = {"size": len(data), "sha256": sha256, "pointerSize": 130}
            siblings.append(one)
        sha = self.claims or self.revision
        return {"id": self.repository, "modelId": self.repository, "sha": sha,
                "private": False, "tags": [], "downloads": 0, "siblings": siblings}  # fmt: skip


def served(folder: Path, **more: Any) -> tuple[HubServer, ModelEntry]:
    """A server for the files of a folder, and the entry that pins them."""
    entry = entry_of(folder, id="tiny", stage="siglip", repository="org/tiny", **more)
    files = {file.name: (folder / file.name).read_bytes() for file in entry.files}
    return HubServer("org/tiny", files), entry


def random_model(folder: Path, sizes: dict[str, int]) -> Path:
    """Files of random bytes by name and size."""
    for name, size in sizes.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
    return folder


@contextmanager
def running(hub: HubServer) -> Iterator[HubServer]:
    """Serve until the block is left."""

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer

    def log_message(self, *said: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        hub = self.hub.of(path)
        with hub.lock:
            hub.asked.append((self.command, path, self.headers.get("Range", "")))
            hub.agents.add(self.headers.get("User-Agent", ""))
            hub.tokens.append(self.headers.get("Authorization", ""))
        resolve = f"/{hub.repository}/resolve/"
        if hub.status:
            self.empty(hub.status, hub.code)
        elif path.startswith(f"/api/models/{hub.repository}"):
            revision = path.partition("/revision/")[2]
            if revision not in ("", "main", hub.revision):
                return self.empty(404, "RevisionNotFound")
            self.json(hub.about())
        elif path.startswith(resolve):
            revision, _, name = path.removeprefix(resolve).partition("/")
            if revision != hub.revision:
                return self.empty(404, "RevisionNotFound")
            if name not in hub.files:
                return self.empty(404, "EntryNotFound")
            self.file(hub, name)
        else:
            self.empty(404, "RepoNotFound")
        return None

    def empty(self, status: int, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def json(self, data: Any) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def file(self, hub: HubServer, name: str) -> None:
        data = hub.lies.get(name, hub.files[name])
        start = 0
        asked = self.headers.get("Range", "")
        if asked:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
        away = bool(hub.elsewhere) and hub.large(name)
        self.send_response(302 if away else 206 if asked else 200)
        if away:
            self.send_header("Location", hub.elsewhere + self.path)
        self.send_header("X-Repo-Commit", hub.revision)
        self.send_header("ETag", f'"{hub.etag(name)}"')
        if hub.large(name):
            self.send_header("X-Linked-Etag", f'"{hub.etag(name)}"')
            self.send_header("X-Linked-Size", str(len(data)))
        if asked and not away:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", "0" if away else str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD" or away:
            return
        if hub.gate is not None:
            try:
                hub.gate.wait(timeout=60)
            except threading.BrokenBarrierError:
                self.close_connection = True
                return
        cuts = hub.cut_after.get(name)
        if cuts:
            self.wfile.write(data[start : start + cuts.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(data[start:])
