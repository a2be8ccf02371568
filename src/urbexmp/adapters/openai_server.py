"""Asks one server by OpenAI's protocol, with the package openai.

The package makes and sends the request; the answer is read here, byte by byte under one deadline,
and understood by `rules.servers`. Its own retries are off, because it would ask again without
regard to what a person allows; so are redirects, because a key and a photo must not go where
nobody meant them to go.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
import time
from collections.abc import Mapping
from typing import Any

from urbexmp.rules.servers import Heard

PACKAGE = "openai"
EXTRA = "vlm"

CONNECT_SECONDS = 5.0
LARGEST = 16 * 2**20
"""Bytes of an answer."""

NO_KEY = "none"
"""The package insists on a key; servers at home ask for none."""


def installed() -> bool:
    """Whether the package is here. Imports nothing."""
    return importlib.util.find_spec(PACKAGE) is not None


class Unreached(Exception):  # noqa: N818  (the house's word for what the network does)
    """No answer; the text says why, to stand in brackets."""

    def __init__(self, why: str, *, slow: bool = False) -> None:
        """`slow`: it took longer than the limit."""
        super().__init__(why)
        self.slow = slow


class OpenAIClient:
    """One server. Thread-safe; connections are kept and shared."""

    def __init__(self, base: str, key: str | None, timeout: float, *, proxies: bool) -> None:
        """`timeout`: seconds for one answer. `proxies`: use those that the environment names."""
        self._base = base
        self._key = key
        self._timeout = timeout
        self._proxies = proxies
        self._client: Any = None
        self._alone = threading.Lock()

    def complete(self, parameters: Mapping[str, Any]) -> Heard:
        """Ask for one chat completion. Raises `Unreached`; a refusal is an answer."""
        import openai

        http = _http()
        client = self._opened()
        until = time.monotonic() + self._timeout
        try:
            with client.chat.completions.with_streaming_response.create(**parameters) as answer:
                body = bytearray()
                for piece in answer.iter_bytes(1 << 16):
                    body += piece
                    if len(body) > LARGEST:
                        raise Unreached("its answer does not end")
                    if time.monotonic() > until:
                        raise Unreached("it took too long", slow=True)
                return Heard(answer.status_code, _lower(answer.headers), bytes(body))
        except openai.APIStatusError as refusal:
            return Heard(
                refusal.status_code, _lower(refusal.response.headers), refusal.response.content
            )
        except openai.APITimeoutError as late:
            connecting = isinstance(late.__cause__, http.ConnectTimeout)
            why = "no connection within 5 s" if connecting else "it took too long"
            raise Unreached(why, slow=not connecting) from late
        except openai.APIConnectionError as failure:
            raise Unreached(_why(failure.__cause__ or failure)) from failure
        except http.TimeoutException as late:
            raise Unreached("it took too long", slow=True) from late
        except http.HTTPError as failure:
            raise Unreached(_why(failure)) from failure

    def close(self) -> None:
        """Give the connections back."""
        with self._alone:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _opened(self) -> Any:
        with self._alone:
            if self._client is None:
                import openai

                limits = openai.Timeout(self._timeout, connect=CONNECT_SECONDS)
                self._client = openai.OpenAI(
                    base_url=self._base,
                    api_key=self._key or NO_KEY,
                    # Else these would be read from the environment and sent to any server.
                    organization="",
                    project="",
                    timeout=limits,
                    max_retries=0,
                    http_client=openai.DefaultHttpxClient(
                        timeout=limits, follow_redirects=False, trust_env=self._proxies
                    ),
                )
            return self._client


def _http() -> Any:
    """The HTTP library that the package stands on: httpx, or httpx2 of its later versions."""
    import openai

    its_own = openai.DefaultHttpxClient.__mro__[1]
    return importlib.import_module(its_own.__module__.partition(".")[0])


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _why(failure: BaseException) -> str:
    """The innermost reason, which is the system's own word."""
    while failure.__cause__ is not None or failure.__context__ is not None:
        inner = failure.__cause__ or failure.__context__
        assert inner is not None
        failure = inner
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return str(failure) or type(failure).__name__
