"""What a `Server` needs of the world: somebody who asks, and a memory between runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Reply(Protocol):
    """What a server answered."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def body(self) -> bytes:
        """All of it."""
        ...

    @property
    def retry_after(self) -> float | None:
        """Seconds that it asks to wait."""
        ...


class Client(Protocol):
    """Asks the server."""

    def ask(self, method: str, path: str, body: bytes | None, timeout: float) -> Reply:
        """Raises what the server is constructed with as `unreachable`."""
        ...


class Known(Protocol):
    """Remembers the ids of the server's stages between runs."""

    def load(self) -> Mapping[str, str]:
        """By stage name; nothing where it was never asked."""
        ...

    def keep(self, ids: Mapping[str, str]) -> None:
        """Remember them."""
        ...
