"""What is asked of a vision-language model, and what comes back; the port of a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from urbexmp.model.observation import Context


@dataclass(frozen=True, slots=True)
class Question:
    """All that may stand in a prompt. What is not known is None or empty, and is left out."""

    context: Context = field(default_factory=Context)
    view: str | None = None
    """`interior`, `exterior`, `aerial`, `detail`; None: undecided."""
    seen: tuple[str, ...] = ()
    """Labels of earlier stages, the surest first."""
    read: tuple[str, ...] = ()
    """Texts that an earlier stage read in the picture."""
    terms: tuple[str, ...] = ()
    """Words of the taxonomy that fit view and place."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A prompt as it is sent."""

    id: str
    """Name of the prompt, `@`, and a digest of its template."""
    system: str
    user: str
    fields: tuple[str, ...]
    """What the answer is to hold."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent back, before anyone understood it."""

    text: str | None
    reasoning: str | None = None
    """Thoughts that the server keeps apart from the text."""
    finish: str | None = None
    """`stop`, `length`, ... as the server says."""
    tokens: tuple[tuple[str, float], ...] = ()
    """Pieces of the text with their log-probabilities (natural), where the server gives them."""
    model: str = ""
    """The model that answered, by its own word."""
    seconds: float = 0.0
    tokens_in: int | None = None
    tokens_out: int | None = None


class Server(Protocol):
    """A server that shows a picture to a model."""

    def models(self) -> tuple[str, ...]:
        """Names of the models it says it has; empty where it does not say.

        Raises `ServerAway`.
        """
        ...

    def ask(
        self,
        filled: Filled,
        picture: bytes,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
    ) -> Answer:
        """Show one JPEG and return the answer. Raises `ServerAway`, `StageTimeout`."""
        ...
