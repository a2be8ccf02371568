"""Stages over HTTP. The only file that uses fastapi and uvicorn.

Requests are read and checked by `rules.serving`, pictures are looked at by `desk`. Nothing that
is sent is written anywhere, and the token appears in no answer and no log.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from urbexmp import __version__
from urbexmp.adapters.desk import Desk
from urbexmp.rules.serving import (
    API,
    Bucket,
    Limits,
    Refused,
    answer,
    check_host,
    check_token,
    parse_request,
)
from urbexmp.rules.serving_openapi import HEALTH_RESPONSES, REQUEST, TAG_RESPONSES

DRAIN_SECONDS = 10.0

STOP_SECONDS = 2
"""Requests that are under way may go on for so long when the server is stopped."""


class Note(Protocol):
    """Is told of each request: method, path, status, seconds; and of what went wrong with us."""

    def __call__(self, line: str, *, bad: bool) -> None:
        """One line."""
        ...


class Service:
    """The state of one server: who is being served, and since when."""

    def __init__(self, desk: Desk, limits: Limits, token: str | None, note: Note) -> None:
        self.desk = desk
        self.limits = limits
        self.began = time.monotonic()
        self.requests = 0
        self._token = token
        self._note = note
        self._bucket = Bucket(limits.per_minute, float(limits.per_minute), self.began)

    async def guarded(
        self, request: Request, work: Callable[[Request], Awaitable[tuple[int, Any]]]
    ) -> JSONResponse:
        """Answer a request, whatever happens on the way."""
        began = time.perf_counter()
        headers: dict[str, str] = {}
        body: Any
        try:
            if self._token is None:
                check_host(request.headers.get("host"))
            else:
                check_token(request.headers.get("authorization"), self._token)
            status, body = await work(request)
        except Refused as refused:
            status, body, headers = refused.status, refused.plain, refused.headers
            headers["Connection"] = "close"
            await self._drain(request)
        except Exception as failure:
            told = f"The server made a mistake ({type(failure).__name__})."
            status, body = 500, Refused(500, "internal", told).plain
            self._note(f"INTERNAL ERROR: {type(failure).__name__}: {failure}", bad=True)
        seconds = time.perf_counter() - began
        line = f"{request.method} {request.url.path} {status} {seconds:.2f} s"
        self._note(line.encode("ascii", "backslashreplace").decode(), bad=False)
        return JSONResponse(body, status, headers)

    async def health(self, request: Request) -> tuple[int, dict[str, Any]]:
        """What there is, and how busy it is."""
        stages = []
        for stage in self.desk.stages.values():
            obstacle = self.desk.obstacle(stage)
            stages.append(
                {
                    "name": stage.name,
                    "id": stage.id,
                    "ready": obstacle is None,
                    "told": "" if obstacle is None else f"{obstacle.sentences[0]}.",
                    "uses_preview": stage.uses_preview,
                    "uses_context": stage.uses_context,
                }
            )
        limits = self.limits
        return 200, {
            "status": "ok" if all(stage["ready"] for stage in stages) else "not ready",
            "api": API,
            "version": __version__,
            "uptime_seconds": round(time.monotonic() - self.began, 1),
            "queue": {
                "requests": self.requests,
                "looking": self.desk.looking,
                "waiting": self.desk.waiting,
            },
            "limits": {
                "body_bytes": limits.body,
                "pixels": limits.pixels,
                "pictures": limits.pictures,
                "requests": limits.in_flight,
                "pictures_a_minute": limits.per_minute,
                "seconds_a_look": limits.seconds,
            },
            "stages": stages,
        }

    async def tag(self, request: Request) -> tuple[int, dict[str, Any]]:
        """Look at the pictures of a request."""
        began = time.perf_counter()
        if self.requests >= self.limits.in_flight:
            told = f"{self.requests} requests are under way, which is as many as are taken."
            raise Refused(429, "too-busy", told, retry_after=1)
        self.requests += 1
        try:
            body = await self._body(request)
            asked = parse_request(body, self.limits, tuple(self.desk.stages))
            del body
            self._bucket, wait = self._bucket.take(len(asked.pictures), time.monotonic())
            if wait > 0:
                told = f"More than {self.limits.per_minute} pictures a minute are not taken."
                raise Refused(429, "too-often", told, retry_after=wait)
            answers = await self.desk.answer(asked)
        finally:
            self.requests -= 1
        return answer(asked, answers, __version__, time.perf_counter() - began)

    async def _body(self, request: Request) -> bytes:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            # A page in a browser can send other types to any server without being asked first.
            raise Refused(415, "not-json", "Send application/json.")
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > self.limits.body:
            raise self._too_large()
        try:
            return await asyncio.wait_for(self._read(request), self.limits.body_seconds)
        except TimeoutError:
            told = f"The request did not arrive within {self.limits.body_seconds:g} s."
            raise Refused(408, "too-slow", told) from None

    async def _read(self, request: Request) -> bytes:
        read = bytearray()
        async for piece in _pieces(request):
            read += piece
            if len(read) > self.limits.body:
                raise self._too_large()
        return bytes(read)

    async def _drain(self, request: Request) -> None:
        """Take in what is left of a refused request, as far as that is decent.

        Who is still sending when the connection closes hears a broken pipe and not the answer.
        """

        async def read() -> None:
            left = 2 * self.limits.body
            async for piece in _pieces(request):
                left -= len(piece)
                if left < 0:
                    return

        with suppress(TimeoutError, Refused):
            await asyncio.wait_for(read(), DRAIN_SECONDS)

    def _too_large(self) -> Refused:
        told = f"The request is larger than {self.limits.body >> 20} MiB."
        return Refused(413, "too-large", told)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """What is left of a request. Raises `Refused` when the sender has gone."""
    while not getattr(request.state, "whole", False):
        message = await request.receive()
        if message["type"] != "http.request":
            raise Refused(400, "cut-off", "The request was cut off.")
        request.state.whole = not message.get("more_body", False)
        yield message.get("body", b"")


def create_app(service: Service) -> FastAPI:
    """The server's paths. `/openapi.json` describes them; pages that load scripts from elsewhere
    are not offered."""
    app = FastAPI(
        title="urbexmp serve",
        version=__version__,
        description="Stages that look at photographs, for urbexmp on another machine.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )

    @app.get("/health", responses=HEALTH_RESPONSES, summary="What is offered, and how busy it is")
    async def health(request: Request) -> JSONResponse:
        return await service.guarded(request, service.health)

    @app.post(
        "/tag",
        responses=TAG_RESPONSES,
        openapi_extra={"requestBody": REQUEST},
        summary="Look at pictures",
    )
    async def tag(request: Request) -> JSONResponse:
        return await service.guarded(request, service.tag)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> JSONResponse:
        async def described(_: Request) -> tuple[int, dict[str, Any]]:
            return 200, app.openapi()

        return await service.guarded(request, described)

    async def absent(request: Request, _: Exception) -> JSONResponse:
        async def refused(_: Request) -> tuple[int, Any]:
            raise Refused(404, "no-such-path", "There are GET /health, POST /tag, /openapi.json.")

        return await service.guarded(request, refused)

    async def wrong_method(request: Request, _: Exception) -> JSONResponse:
        async def refused(_: Request) -> tuple[int, Any]:
            raise Refused(405, "wrong-method", "There are GET /health, POST /tag, /openapi.json.")

        return await service.guarded(request, refused)

    app.add_exception_handler(404, absent)
    app.add_exception_handler(405, wrong_method)
    return app


class HttpServer:
    """A server in a thread of its own, so that signals stay with who started it."""

    def __init__(
        self,
        make_desk: Callable[[], Desk],
        limits: Limits,
        token: str | None,
        listening: socket.socket,
        note: Note,
    ) -> None:
        # Uvicorn's own words, with tracebacks among them, are for developers.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        self._desk = make_desk()
        config = uvicorn.Config(
            create_app(Service(self._desk, limits, token, note)),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._listening = listening
        self._thread = threading.Thread(target=self._run, daemon=True, name="serve")

    def _run(self) -> None:
        self._server.run(sockets=[self._listening])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def runs(self, seconds: float) -> bool:
        """Wait for so long; whether it still answers then."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def stop(self) -> None:
        """Let what is under way end, for `STOP_SECONDS` at most."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS + 1)
        self._desk.close()
