"""Asks Google Vision for labels and text, with the package google-cloud-vision.

By REST, not by gRPC: a proxy lets it through, and the answer to a mistake has all its reasons. Its
own retries are off, because it would ask again without regard to what a person allows; so are
redirects, because a key and a photo must not go where nobody meant them to go.
"""

from __future__ import annotations

import importlib.util
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from urbexmp.rules.google_answers import Annotated, Refusal, refusal_of

PACKAGE = "google-cloud-vision"
EXTRA = "google"

LARGEST = 16 * 2**20
"""Bytes of an answer."""

SCOPE = "https://www.googleapis.com/auth/cloud-vision"

SERVICE_ACCOUNT, USER = "service_account", "authorized_user"


def installed() -> bool:
    """Whether the package is here. Loads next to nothing."""
    try:
        return importlib.util.find_spec("google.cloud.vision") is not None
    except ModuleNotFoundError:
        return False


class Unreached(Exception):  # noqa: N818  (the house's word for what the network does)
    """No answer; the text says why, to stand in brackets."""

    def __init__(self, why: str, *, slow: bool = False) -> None:
        """`slow`: it took longer than the limit."""
        super().__init__(why)
        self.slow = slow


class Refused(Exception):  # noqa: N818  (an answer, and none that helps)
    """The request was answered with an error."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Access:
    """How Google is to know who asks. Neither: a server of your own that asks for nothing."""

    key: str = ""
    file: Path | None = None
    """Of a service account, or of `gcloud auth application-default login`."""

    def __repr__(self) -> str:
        """Without the key."""
        return f"Access(key={'***' if self.key else ''!r}, file={self.file})"


class GoogleClient:
    """One server. Thread-safe; opened when it is first asked."""

    def __init__(
        self,
        url: str,
        access: Access,
        timeout: float,
        *,
        labels: int,
        text: bool,
        proxies: bool,
    ) -> None:
        """`labels` of a picture at most; `timeout`: seconds. `proxies`: use those of the
        environment."""
        self._url = url
        self._access = access
        self._timeout = timeout
        self._labels = labels
        self._text = text
        self._proxies = proxies
        self._client: Any = None
        self._alone = threading.Lock()

    def annotate(self, pictures: Sequence[bytes]) -> tuple[Annotated, ...]:
        """Have JPEGs looked at in one request. Raises `Unreached`, `Refused`."""
        import requests
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.cloud import vision

        kinds = vision.Feature.Type
        features = []
        if self._labels:
            features.append({"type_": kinds.LABEL_DETECTION, "max_results": self._labels})
        if self._text:
            features.append({"type_": kinds.TEXT_DETECTION})
        asked = [{"image": {"content": one}, "features": features} for one in pictures]
        try:
            said = self._opened().batch_annotate_images(
                requests=asked, retry=None, timeout=self._timeout
            )
        except GoogleAPICallError as failure:
            raise Refused(_refusal(failure)) from None
        except TransportError as failure:
            raise Unreached(_why(failure)) from None
        except (GoogleAuthError, ValueError, OSError) as failure:
            if isinstance(failure, requests.exceptions.RequestException):
                raise _unreached(failure) from None
            if isinstance(failure, (GoogleAuthError, _AccessError)):
                raise Refused(Refusal(401, _why(failure))) from None
            raise Unreached("its answer is cut off, or none of Google Vision") from None
        except Exception as failure:
            # The package's own decoder of JSON raises errors of its own making.
            if type(failure).__module__.startswith("google.protobuf"):
                raise Unreached("its answer is cut off, or none of Google Vision") from None
            raise
        answers = tuple(_annotated(one) for one in said.responses)
        if len(answers) != len(pictures):
            raise Unreached(f"{len(pictures)} pictures were sent, and {len(answers)} answered")
        return answers

    def close(self) -> None:
        """Give the connections back."""
        with self._alone:
            if self._client is not None:
                self._client.transport.close()
                self._client = None

    def _opened(self) -> Any:
        with self._alone:
            if self._client is None:
                from google.cloud import vision

                client = vision.ImageAnnotatorClient(
                    credentials=_credentials(self._access),
                    transport="rest",
                    client_options={"api_endpoint": self._url},
                )
                session = client.transport._session
                session.max_redirects = 0
                session.trust_env = self._proxies
                # The limit of the package is one for each piece: an answer that drips never ends.
                session.stream = True
                session.hooks["response"].append(partial(_read, seconds=self._timeout))
                self._client = client
            return self._client


class _AccessError(ValueError):
    """The file of credentials is not what it should be."""


def _credentials(access: Access) -> Any:
    if access.key:
        from google.auth.api_key import Credentials as Key

        return Key(access.key)
    if access.file is None:
        from google.auth.credentials import AnonymousCredentials

        return AnonymousCredentials()
    try:
        said = json.loads(access.file.read_text(encoding="utf-8"))
        kind = said.get("type")
    except (OSError, ValueError, AttributeError) as failure:
        raise _AccessError(f"{access.file} cannot be read") from failure
    try:
        if kind == SERVICE_ACCOUNT:
            from google.oauth2 import service_account

            return service_account.Credentials.from_service_account_info(said, scopes=[SCOPE])
        if kind == USER:
            from google.oauth2.credentials import Credentials

            return Credentials.from_authorized_user_info(said)
    except (ValueError, KeyError) as failure:  # it names a part of the file, maybe with its content
        raise _AccessError(f"{access.file} is damaged") from failure
    told = f"{access.file} holds neither a service account nor the credentials of gcloud"
    raise _AccessError(told)


def _read(response: Any, *_: object, seconds: float, **__: object) -> None:
    """Read an answer whole, within so many seconds."""
    import requests

    until = time.monotonic() + seconds
    body = bytearray()
    while piece := _piece(response):
        body += piece
        if time.monotonic() > until:
            response.close()
            raise requests.exceptions.ReadTimeout
        if len(body) > LARGEST:
            response.close()
            raise requests.exceptions.ConnectionError("its answer does not end")
    response._content, response._content_consumed = bytes(body), True


def _piece(response: Any) -> bytes:
    import requests

    try:
        piece: bytes = response.raw.read1(1 << 16, decode_content=True)
    except Exception as failure:  # of urllib3, which requests turns into its own when it reads
        response.close()
        slow = "Timeout" in type(failure).__name__
        kinds = requests.exceptions
        raise (kinds.ReadTimeout if slow else kinds.ConnectionError)("it was cut") from failure
    return piece


def _annotated(said: Any) -> Annotated:
    texts = said.text_annotations
    return Annotated(
        tuple((one.description, float(one.score)) for one in said.label_annotations),
        texts[0].description if texts else "",
        int(said.error.code),
        said.error.message,
    )


def _refusal(failure: Any) -> Refusal:
    response: Any = getattr(failure, "response", None)
    headers = getattr(response, "headers", {})
    after = headers.get("Retry-After", "")
    try:
        body = response.json()
    except (AttributeError, ValueError):
        body = None
    status = getattr(response, "status_code", None) or int(failure.code or 500)
    return refusal_of(status, body, float(after) if after.isdigit() else None)


def _unreached(failure: Any) -> Unreached:
    import requests

    if isinstance(failure, requests.exceptions.ConnectTimeout):
        return Unreached("no connection in time")
    if isinstance(failure, requests.exceptions.Timeout):
        return Unreached("it took too long", slow=True)
    if isinstance(failure, requests.exceptions.TooManyRedirects):
        return Unreached("it sends elsewhere, and no photo goes there")
    if isinstance(failure, requests.exceptions.JSONDecodeError):
        return Unreached("its answer is cut off, or none of Google Vision")
    return Unreached(_why(failure))


def _why(failure: BaseException) -> str:
    """The innermost reason, which is the system's own word, without any address."""
    inner = failure
    while inner.__cause__ is not None or inner.__context__ is not None:
        deeper = inner.__cause__ or inner.__context__
        assert deeper is not None
        inner = deeper
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    if isinstance(inner, ConnectionError):
        return "the connection was cut"
    if isinstance(failure, _AccessError):
        return str(failure)
    return " ".join(str(failure).split())[:120] or type(failure).__name__
