"""The stage `vlm`: a vision-language model on a server, asked about the photo and its place.

Light: the prompt is a small file, and the server is first spoken to on the first look. The stage
itself only fills, shows and hears; what comes from outside (the prompt's file, the server, the
folder of replies, the encoder of pictures) is handed to it by `connect`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from urbexmp.adapters.stages.asking import QUALITY, AskingStage, Outside
from urbexmp.model.stage_errors import StageFailed
from urbexmp.rules.stage_ids import stage_id
from urbexmp.rules.vlm_roles import Part, for_id
from urbexmp.rules.vlm_settings import VlmSettings, vlm_settings

if TYPE_CHECKING:
    from urbexmp.model.asking import Answer, Filled, Question, Server
    from urbexmp.model.observation import Observation, StageInput
    from urbexmp.rules.prompts import Prompt
    from urbexmp.rules.terms import Taxonomy
    from urbexmp.rules.vlm_question import Offering
    from urbexmp.rules.vlm_reply import Reply, Unheard

VERSION = "1"

NO_SCHEMA = frozenset({"empty", "thoughts only", "a loop"})
"""After these the second question asks for plain text: servers are known to lose the answer, or
to run in circles, where they must keep to a schema."""


class Replies(Protocol):
    """Keeps what models said."""

    def keep(self, text: str) -> Path | None:
        """Keep a raw reply; where it is."""
        ...

    def record(self, entry: Mapping[str, Any]) -> None:
        """Add a line to the journal."""
        ...


class Connection(Outside, Protocol):
    """What comes from outside."""

    @property
    def prompt(self) -> Prompt:
        """The prompt that the settings name."""
        ...

    @property
    def parts(self) -> tuple[Part, ...]:
        """The questions about a photo, one for each model."""
        ...

    def server(self, part: Part) -> Server:
        """The server of a question; nothing is asked by making it."""
        ...

    @property
    def replies(self) -> Replies:
        """Where replies are kept."""
        ...


def _nobody(_: Mapping[str, Any]) -> None:
    """Nobody takes notes."""


class VlmStage(AskingStage[VlmSettings, Connection]):
    """Describes a photo by what a model on a server sees in it (`ports.Stage`)."""

    name = "vlm"
    extra = "vlm"
    uses_context = True

    def __init__(self, taxonomy: Taxonomy, **settings: Any) -> None:
        """Raises `ValueError` with every mistake in the settings."""
        super().__init__(taxonomy, vlm_settings(settings))
        self._offering: Offering | None = None
        self.on_reply: Callable[[Mapping[str, Any]], None] = _nobody
        """Is told of each reply, from the thread that looks."""

    @property
    def id(self) -> str:
        """Changes with the prompt's template, the model and what else the answer depends on."""
        connection = self._connection
        if connection is None:
            plain = {**self.settings.for_id, "prompt": self.settings.prompt}
            return stage_id(self.name, VERSION, plain)
        plain = for_id(self.settings, connection.parts)
        return stage_id(self.name, VERSION, {**plain, "prompt": connection.prompt.id})

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        """Ask about one photo.

        Raises `ServerAway`, `StageTimeout`, `BudgetSpent`, `StageStopped`, and `StageFailed` where
        nothing can be made of the reply, also when asked once more; `Undecodable` through the view.
        """
        from urbexmp.rules.vlm_question import Offering, question
        from urbexmp.rules.vlm_words import observations

        if not self._wanted(seen):
            return ()
        if self._offering is None:
            self._offering = Offering(self._taxonomy)
        connection = self._outside()
        asked = question(seen.context, seen.earlier, self._taxonomy, self._offering)
        said: list[Observation] = []
        for part in connection.parts:
            reply, answer = self._heard_out(part, asked, seen)
            heard = observations(reply, seen.context, self._taxonomy, answer.tokens, asked.read)
            for one in heard:
                named = replace(one, model=part.settings.model)
                said.append(named if len(connection.parts) > 1 else one)
        return tuple(said)

    def _heard_out(self, part: Part, asked: Question, seen: StageInput) -> tuple[Reply, Answer]:
        from urbexmp.rules.prompts import fill
        from urbexmp.rules.vlm_reply import Unheard, hear
        from urbexmp.rules.vlm_schema import schema

        connection = self._outside()
        if not {"labels", "free"} & set(part.answers):
            asked = replace(asked, terms=())
        filled = fill(connection.prompt, asked, part.answers)
        picture = connection.encode(seen.view.preview(), QUALITY, part.settings.size)
        form: dict[str, Any] | None = schema(filled.fields, asked.terms)
        room = part.settings.max_tokens
        first: Unheard | None = None
        while True:
            answer = connection.server(part).ask(filled, picture, form, room)
            heard = hear(answer)
            self._record(part, seen.photo, filled, picture, answer, heard, room)
            if not isinstance(heard, Unheard):
                return heard, answer
            if first is not None:
                raise self._unheard(part, heard, answer)
            first = heard
            room *= 2
            if heard.reason in NO_SCHEMA and not heard.more_room:
                form = None

    def _unheard(self, part: Part, heard: Unheard, answer: Answer) -> StageFailed:
        connection = self._outside()
        raw = "\n\n".join(filter(None, (answer.text, answer.reasoning)))
        kept = connection.replies.keep(raw) if raw.strip() else None
        detail = f"nothing can be made of the reply of {part.settings.model}: {heard.reason}"
        if kept is not None:
            detail += f"; it is kept in {kept}"
        return StageFailed(f"stage {self.name}", stage=self.name, detail=detail)

    def _record(
        self,
        part: Part,
        photo: str,
        filled: Filled,
        picture: bytes,
        answer: Answer,
        heard: Reply | Unheard,
        room: int,
    ) -> None:
        from urbexmp.rules.vlm_reply import Unheard

        connection = self._outside()
        entry: dict[str, Any] = {
            "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "photo": photo,
            "stage": self.id,
            "prompt": filled.id,
            "server": part.settings.server,
            "model": part.settings.model,
            "answered": answer.model,
            "picture": hashlib.sha256(picture).hexdigest()[:16],
            "seconds": round(answer.seconds, 3),
            "tokens_in": answer.tokens_in,
            "tokens_out": answer.tokens_out,
            "most_tokens": room,
            "finish": answer.finish,
        }
        if isinstance(heard, Unheard):
            entry |= {"outcome": heard.reason, "reply": answer.text, "reasoning": answer.reasoning}
        else:
            entry |= {
                "outcome": "heard",
                "description": heard.description,
                "labels": [one.word for one in heard.labels],
                "dropped": list(heard.dropped),
            }
        connection.replies.record(entry)
        self.on_reply(entry)
