"""Asks an HTTP server, with the standard library.

Follows no redirect: a token and a photo must not go where nobody meant them to go.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LARGEST = 64 * 2**20
"""Bytes of an answer."""


class Unreachable(Exception):  # noqa: N818  (the house's word for what the network does)
    """No answer; the text says why, to stand in brackets."""

    def __init__(self, why: str, *, again: bool = True) -> None:
        """`again`: whether asking once more may help. Of what takes too long it would not."""
        super().__init__(why)
        self.again = again


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait; None: it does not say."""
        value = self.headers.get("retry-after", "")
        return float(value) if value.isdigit() else None


class HttpClient:
    """One server. Thread-safe: every question has a connection of its own."""

    def __init__(self, url: str, token: str | None, *, proxies: bool) -> None:
        """`proxies`: whether those that the environment names are used."""
        self._url = url.rstrip("/")
        self._token = token
        self._proxies = proxies
        self._opener: Any = None

    def ask(self, method: str, path: str, body: bytes | None, timeout: float) -> Reply:
        """Ask, within `timeout` seconds for everything. Raises `Unreachable`."""
        import http.client
        import urllib.error
        import urllib.request

        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._url + path, body, headers, method=method)
        if self._opener is None:
            self._opener = _opener(proxies=self._proxies)
        until = time.monotonic() + timeout
        try:
            try:
                answer = self._opener.open(request, timeout=timeout)
            except urllib.error.HTTPError as failure:
                answer = failure
            with answer:
                read = _read(answer, until)
                names = {name.lower(): value for name, value in answer.headers.items()}
                return Reply(int(answer.status), names, read)
        except urllib.error.URLError as failure:
            raise _unreachable(failure.reason) from failure
        except (OSError, http.client.HTTPException, ValueError) as failure:
            raise _unreachable(failure) from failure


def _opener(*, proxies: bool) -> Any:
    import urllib.request

    class Straight(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *given: Any) -> None:
            return None

    proxy = urllib.request.ProxyHandler(None if proxies else {})
    return urllib.request.build_opener(proxy, Straight())


def _read(answer: Any, until: float) -> bytes:
    read = bytearray()
    while piece := answer.read1(1 << 16):
        read += piece
        if len(read) > LARGEST:
            raise OSError("its answer does not end")
        if time.monotonic() > until:
            raise TimeoutError("timed out")
    length = answer.headers.get("content-length", "")
    if length.isdigit() and len(read) < int(length):
        raise OSError("its answer was cut off")
    return bytes(read)


def _unreachable(failure: object) -> Unreachable:
    if isinstance(failure, TimeoutError):
        return Unreachable("it took too long", again=False)
    if isinstance(failure, OSError) and failure.strerror:
        return Unreachable(failure.strerror)
    return Unreachable(str(failure) or type(failure).__name__)
