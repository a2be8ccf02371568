"""Servers that speak OpenAI's protocol, and how they differ: who it is, and how it is asked. Pure.

Told apart by what they answer, never by their port: `/v1/models` (the owner of a model), the
header `Server`, `/api/version` (Ollama), `/props` (llama.cpp), `/version` (vLLM).
What goes wrong is in `rules.server_faults`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

from urbexmp.model.asking import Answer


class Kind(Enum):
    """Servers that are known to differ."""

    OLLAMA = "Ollama"
    VLLM = "vLLM"
    LLAMACPP = "llama.cpp"
    LMSTUDIO = "LM Studio"
    LMDEPLOY = "LMDeploy"
    TRANSFORMERS = "transformers serve"
    OPENAI = "OpenAI"
    OTHER = "unknown"


JSON_SCHEMA, JSON_OBJECT, TEXT = "json_schema", "json_object", "text"

LADDERS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.LMSTUDIO: (JSON_SCHEMA, TEXT),  # refuses json_object
        Kind.TRANSFORMERS: (TEXT,),  # ignores all of it
    }
)
"""How a server is asked for structure, the strictest first; others take `LADDER`."""

LADDER = (JSON_SCHEMA, JSON_OBJECT, TEXT)

_LOGPROBS = frozenset({Kind.OLLAMA, Kind.VLLM, Kind.LLAMACPP, Kind.OPENAI})
"""These give log-probabilities for the asking."""

PROBES = ("/api/version", "/props", "/version")
"""Asked in this order where `/v1/models` does not tell."""

_OWNERS = MappingProxyType(
    {
        "library": Kind.OLLAMA,
        "vllm": Kind.VLLM,
        "llamacpp": Kind.LLAMACPP,
        "organization_owner": Kind.LMSTUDIO,
        "lmdeploy": Kind.LMDEPLOY,
    }
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a server answered to one request."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, UnicodeDecodeError):
            return None

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait; None: it does not say."""
        value = self.headers.get("retry-after", "").strip()
        return float(value) if re.fullmatch(r"\d{1,6}(\.\d+)?", value) else None


def kind_by_models(models: Heard, host: str) -> Kind | None:
    """Who answers `/v1/models` so; None: that cannot be told."""
    if host.lower().partition(":")[0] == "api.openai.com":
        return Kind.OPENAI
    server = models.headers.get("server", "").lower()
    if "llama.cpp" in server:
        return Kind.LLAMACPP
    for model in _listed(models):
        owner = _OWNERS.get(str(model.get("owned_by", "")).lower())
        if owner is not None:
            return owner
    return None


def kind_by_probe(path: str, heard: Heard) -> Kind | None:
    """Who answers one of `PROBES` so."""
    said = heard.json if heard.status == 200 else None
    if not isinstance(said, dict):
        return None
    if path == "/api/version" and "version" in said:
        return Kind.OLLAMA
    if path == "/props" and {"default_generation_settings", "model_path"} & said.keys():
        return Kind.LLAMACPP
    if path == "/version" and "version" in said:
        return Kind.VLLM
    return None


def kind_by_refusal(heard: Heard) -> Kind:
    """Who it is that knew none of `PROBES`."""
    said = heard.json
    plain = isinstance(said, dict) and set(said) == {"detail"}
    by = heard.headers.get("server", "").strip().lower()
    return Kind.TRANSFORMERS if plain and by == "uvicorn" else Kind.OTHER


def model_names(models: Heard) -> tuple[str, ...]:
    """Names that `/v1/models` lists."""
    return tuple(str(one["id"]) for one in _listed(models) if one.get("id"))


def context_size(models: Heard, model: str, props: Heard | None = None) -> int | None:
    """Tokens that fit into one request, where the server says so."""
    for one in _listed(models):
        if one.get("id") != model and len(_listed(models)) > 1:
            continue
        meta = one.get("meta")
        places = (one, meta if isinstance(meta, dict) else {})
        for name in ("max_model_len", "n_ctx", "context_length", "max_context_length"):
            for place in places:
                if isinstance(place.get(name), int) and place[name] > 0:
                    return int(place[name])
    said = props.json if props is not None and props.status == 200 else None
    inner = said.get("default_generation_settings") if isinstance(said, dict) else None
    size = inner.get("n_ctx") if isinstance(inner, dict) else None
    return size if isinstance(size, int) and size > 0 else None


def _listed(models: Heard) -> list[Mapping[str, Any]]:
    said = models.json if models.status == 200 else None
    listed = said.get("data") if isinstance(said, dict) else said
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


# --- How it is asked ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Manners:
    """How one model of one server wants to be asked; learned, and remembered between runs."""

    kind: Kind = Kind.OTHER
    rung: str = JSON_SCHEMA
    logprobs: bool = False
    temperature: bool = True
    length: str = "max_tokens"
    """The parameter that bounds a reply."""

    @property
    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": self.kind.name,
            "rung": self.rung,
            "logprobs": self.logprobs,
            "temperature": self.temperature,
            "length": self.length,
        }


def manners_of(kind: Kind) -> Manners:
    """How a server is asked at first."""
    return Manners(kind, LADDERS.get(kind, LADDER)[0], kind in _LOGPROBS)


def manners_from(plain: object) -> Manners | None:
    """What was remembered; None where it cannot be read."""
    if not isinstance(plain, dict):
        return None
    try:
        found = Manners(
            Kind[str(plain["kind"])],
            str(plain["rung"]),
            plain["logprobs"] is True,
            plain["temperature"] is True,
            str(plain["length"]),
        )
    except KeyError:
        return None
    lengths = ("max_tokens", "max_completion_tokens")
    return found if found.rung in LADDER and found.length in lengths else None


def after_refusal(manners: Manners, parameter: str) -> Manners | None:
    """How to ask instead after `parameter` was refused; None: there is no other way."""
    if parameter == "logprobs" and manners.logprobs:
        return replace(manners, logprobs=False)
    if parameter == "temperature" and manners.temperature:
        return replace(manners, temperature=False)
    if parameter == "max_tokens" and manners.length == "max_tokens":
        return replace(manners, length="max_completion_tokens")
    ladder = LADDERS.get(manners.kind, LADDER)
    if parameter == "response_format" and manners.rung in ladder[:-1]:
        return replace(manners, rung=ladder[ladder.index(manners.rung) + 1])
    return None


def request(
    manners: Manners,
    model: str,
    system: str,
    content: Sequence[Mapping[str, Any]],
    schema: Mapping[str, Any] | None,
    max_tokens: int,
    temperature: float,
) -> dict[str, Any]:
    """The parameters of one chat completion. Without a schema plain text is asked for."""
    messages: list[dict[str, Any]] = []
    if system:
        messages.append({"role": "system", "content": system})
    messages.append({"role": "user", "content": list(content)})
    asked: dict[str, Any] = {"model": model, "messages": messages, manners.length: max_tokens}
    if manners.temperature:
        asked["temperature"] = temperature
    if manners.logprobs:
        asked["logprobs"] = True
    if schema is not None and manners.rung == JSON_SCHEMA:
        named = {"name": "reply", "strict": True, "schema": dict(schema)}
        asked["response_format"] = {"type": JSON_SCHEMA, "json_schema": named}
    elif schema is not None and manners.rung == JSON_OBJECT:
        asked["response_format"] = {"type": JSON_OBJECT}
    return asked


# --- What it answers ----------------------------------------------------------------------------


def answer_of(heard: Heard, seconds: float) -> Answer | None:
    """The answer in a chat completion; None where it is no chat completion."""
    said = heard.json
    choices = said.get("choices") if isinstance(said, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(said, dict) or not isinstance(choice, dict) or not isinstance(message, dict):
        return None
    usage = said.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Answer(
        text=_text(message.get("content")),
        reasoning=_text(message.get("reasoning")) or _text(message.get("reasoning_content")),
        finish=choice["finish_reason"] if isinstance(choice.get("finish_reason"), str) else None,
        tokens=_tokens(choice.get("logprobs")),
        model=str(said.get("model") or ""),
        seconds=seconds,
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
    )


def _text(content: object) -> str | None:
    if isinstance(content, str):
        return content
    if isinstance(content, list):  # parts, as some servers give them
        parts = [one.get("text") for one in content if isinstance(one, dict)]
        return "".join(part for part in parts if isinstance(part, str)) or None
    return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _tokens(found: object) -> tuple[tuple[str, float], ...]:
    pieces = found.get("content") if isinstance(found, dict) else None
    if not isinstance(pieces, list):
        return ()
    return tuple(
        (one["token"], float(one["logprob"]))
        for one in pieces
        if isinstance(one, dict)
        and isinstance(one.get("token"), str)
        and isinstance(one.get("logprob"), int | float)
    )


def same_model(asked: str, answered: str) -> bool:
    """Whether the model that answered is the one that was asked.

    Servers add a revision (`@main`), a tag (`:latest`), a date (`-2026-08-06`), or give the path
    of a file; none of them makes it another one. A server that does not say counts as the same.
    """
    first, second = _bare(asked), _bare(answered)
    if not second or first == second:
        return True
    return re.fullmatch(re.escape(first) + r"-\d{4}-?\d\d-?\d\d", second) is not None


def _bare(name: str) -> str:
    name = name.strip().lower().replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = name.removesuffix(".gguf").partition("@")[0]
    return name.removesuffix(":latest")
