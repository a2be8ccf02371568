"""Floor 4: a server of stages, put together."""

from __future__ import annotations

import importlib.util
import os
import socket
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from urbexmp.model.errors import FileUnreadable, UsageProblem
from urbexmp.model.stage_errors import ExtraMissing
from urbexmp.rules.serving import TOKEN_VARIABLE, is_loopback, token_mistake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from urbexmp.adapters.serving import HttpServer, Note
    from urbexmp.model.observation import Preview
    from urbexmp.model.ports import Stage
    from urbexmp.model.profile import Profile
    from urbexmp.rules.serving import Limits

NEW_TOKEN = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'


def open_served_stages(profile: Profile, state: Path | None) -> tuple[Stage, ...]:
    """The stages of a profile, on this machine. Raises `ConfigProblem`."""
    from dataclasses import replace

    from urbexmp.rules.elsewhere import TABLE
    from urbexmp.wiring_stages import open_stages, open_taxonomy

    # A server does not ask another server: two that name each other would never come to an end.
    kept = {name: own for name, own in profile.stage_settings.items() if name != TABLE}
    profile = replace(profile, stage_settings=MappingProxyType(kept))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return open_stages(profile, open_taxonomy(profile), state)


def open_server(
    stages: Sequence[Stage],
    host: str,
    port: int,
    limits: Limits,
    token: str | None,
    note: Note,
) -> tuple[HttpServer, str]:
    """A server that listens already and answers once started, and its address.

    Raises `ExtraMissing`, `UsageProblem` (no token where others can reach it, the port taken).
    """
    for package in ("fastapi", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise ExtraMissing("serve", stage="serve", package=package, extra="server")
    if token is None and not is_loopback(host):
        raise UsageProblem(
            f"--host {host}",
            "would let everybody who reaches this machine use it, because there is no token",
            f"Make one with {NEW_TOKEN}, and give it with --token-file FILE or {TOKEN_VARIABLE}",
        )
    listening = _listen(host, port)
    from urbexmp.adapters.desk import Desk
    from urbexmp.adapters.serving import HttpServer

    server = HttpServer(lambda: Desk(stages, _decoded, limits), limits, token, listening, note)
    port = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    return server, f"http://{shown}:{port}"


def read_token(file: Path | None, environ: Mapping[str, str]) -> str | None:
    """The token, from a file or the environment; None: there is none.

    Raises `FileUnreadable`, `UsageProblem` (too short; the token itself is never shown).
    """
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as failure:
            detail = getattr(failure, "strerror", None) or "it is not text"
            raise FileUnreadable(file, detail=detail) from failure
        subject = f"--token-file {file}"
    elif TOKEN_VARIABLE in environ:
        token, subject = environ[TOKEN_VARIABLE].strip(), TOKEN_VARIABLE
    else:
        return None
    mistake = token_mistake(token)
    if mistake:
        raise UsageProblem(subject, f"the token {mistake}", f"Make one with {NEW_TOKEN}")
    return token


def _listen(host: str, port: int) -> socket.socket:
    host = host.strip("[]")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )[0]
        # Named as TCP, so that asyncio turns Nagle's algorithm off: without that the second half
        # of an answer waits 40 ms for the other side to confirm the first.
        listening = socket.socket(family, kind, proto)
        try:
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
        except OSError:
            listening.close()
            raise
    except (OSError, UnicodeError) as failure:
        detail = getattr(failure, "strerror", None) or str(failure)
        raise UsageProblem(
            f"{host}:{port}",
            f"cannot be listened on ({detail})",
            "Choose another with --port or --host, or stop what listens there",
        ) from failure
    return listening


def _decoded(data: bytes) -> Preview:
    from urbexmp.adapters.inspect.preview import decode
    from urbexmp.pipeline.look import PREVIEW_LONG_SIDE

    return decode(Path("picture"), PREVIEW_LONG_SIDE, "image", data)
