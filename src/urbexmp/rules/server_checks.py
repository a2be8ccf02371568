"""What `doctor` tries on a model server, and what follows from what it finds. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from urbexmp.model.asking import Answer, Filled
from urbexmp.rules.google_settings import GoogleSettings
from urbexmp.rules.json_mend import find_objects
from urbexmp.rules.server_faults import bring, longer, seeing
from urbexmp.rules.servers import JSON_SCHEMA, TEXT, Kind, Manners, same_model
from urbexmp.rules.vlm_reply import Unheard, hear

LEAST_CONTEXT = 4096
"""Tokens: a picture of 768 pixels (about 700), a prompt with words of the taxonomy (about 1,500),
a reply, and the same reply asked for again with twice the room."""

SHOWN = "a red circle on white"
"""What the picture of the try holds."""

WORDS = Filled("doctor", "", "Answer with the one word: yes", ())
LOOK = Filled(
    "doctor", "", "What is in this picture? Name its shape and colour in a few words.", ()
)
CHOOSE = Filled("doctor", "", "Which colour has the shape in this picture? Answer in JSON.", ())
COLOURS: Mapping[str, Any] = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["blue", "green", "red", "yellow"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
ROOM = 200
"""Tokens of an answer to these."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One thing that was tried: `ok`, a `note`, or `bad`, and what to do about it."""

    told: str
    level: str = "ok"
    advice: str = ""


def listing(kind: Kind, model: str, names: Sequence[str]) -> Tried:
    """Whether the server has the model."""
    some = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    if not names:
        return Tried("names no models; whether it has this one shows below")
    if any(same_model(model, one) for one in names):
        return Tried(f"has {model}")
    if kind is Kind.LLAMACPP:
        return Tried(f"has {some}, and answers with it whatever model is named", "note")
    if kind is Kind.OPENAI:
        return Tried(f"does not list {model}", "note")
    return Tried(f"has no {model}, but {some}", "bad", bring(kind, model))


def worded(answer: Answer, model: str) -> Tried:
    """Whether it answers at all."""
    took = f"in {answer.seconds:.1f} s"
    if not (answer.text or "").strip() and not (answer.reasoning or "").strip():
        return Tried(f"gives an empty answer {took}", "bad", "Look into its log, or try another")
    if not same_model(model, answer.model):
        return Tried(f"answers {took}, but with {answer.model}", "note", "Correct stage.vlm.model")
    if not (answer.text or "").strip():
        advice = "Choose a model that does not think aloud, as one with -instruct in its name"
        return Tried(f"only thinks within {ROOM} tokens", "note", advice)
    return Tried(f"answers {took}")


def looked(answer: Answer, kind: Kind) -> Tried:
    """Whether it saw the picture."""
    said = " ".join(f"{answer.text or ''} {answer.reasoning or ''}".lower().split())
    if re.search(r"\bred\b", said):
        return Tried(f"sees {SHOWN}")
    short = said if len(said) <= 60 else f"{said[:57]}..."
    told = f"was shown {SHOWN} and says {short!r}: it may see no pictures"
    return Tried(told, "bad", seeing(kind))


def chose(answer: Answer, manners: Manners) -> Tried:
    """Whether its answers keep to a schema."""
    objects, _ = find_objects(answer.text or "")
    kept = any(one.get("colour") in COLOURS["properties"]["colour"]["enum"] for one in objects)
    if kept and manners.rung == JSON_SCHEMA:
        return Tried("keeps to a JSON schema")
    if kept:
        how = "as plain text" if manners.rung == TEXT else "as JSON of any form"
        return Tried(f"takes no JSON schema; it is asked {how}, and answers as it should", "note")
    heard = hear(answer)
    what = heard.reason if isinstance(heard, Unheard) else "of another form"
    advice = "Replies may be refused; choose a larger model, or a server that takes a schema"
    return Tried(f"does not keep to a JSON schema (its answer is {what})", "note", advice)


def spending(settings: GoogleSettings) -> Tried:
    """What a run may cost."""
    limit = settings.budget
    if limit.money:
        told = f"a run spends {limit.money:,.2f} at most, {settings.price:.4f} for each picture"
        return Tried(told)
    if limit.pictures:
        return Tried(f"a run sends {limit.pictures:,} pictures at most")
    told = "a run may send as many pictures as there are, and Google counts each"
    return Tried(told, "note", "Set a limit: stage.google_vision.budget_pictures")


def room(size: int | None, kind: Kind, max_tokens: int) -> Tried:
    """Whether a question and its answer fit."""
    needed = max(LEAST_CONTEXT, 2300 + 2 * max_tokens)
    if size is None:
        told = f"does not say how long its context is; about {needed:,} tokens are needed"
        return Tried(told, "ok" if kind in (Kind.OPENAI, Kind.TRANSFORMERS) else "note")
    if size < needed:
        told = f"has a context of {size:,} tokens, and about {needed:,} are needed"
        return Tried(told, "bad", longer(kind))
    return Tried(f"has a context of {size:,} tokens")
