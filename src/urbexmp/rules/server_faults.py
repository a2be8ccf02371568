"""What a server's refusal means, and what a person can do about it. Pure.

Errors come as `{"error": {"message": ...}}`, `{"error": "..."}`, `{"detail": ...}`,
`{"message": ...}`, a list, plain text, HTML of a proxy, or nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from urbexmp.rules.servers import Heard, Kind

LONGEST = 200
"""Letters of a server's own words in a message."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: it stands behind the server's name in a message."""

    detail: str
    advice: str = ""
    again: bool = False
    """Asking once more may help."""
    every: bool = False
    """Every other photo would meet the same."""
    busy: bool = False
    """It wants fewer requests."""
    parameter: str = ""
    """The parameter of the request that it does not take."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the request was, as far as a fault depends on it."""

    kind: Kind
    model: str
    key_env: str
    has_key: bool = False


_FORMAT = re.compile(
    r"response_format|json_schema|json_object|structured.?output|guided|grammar|json mode"
    r"|\bschema\b",
    re.IGNORECASE,
)
_LONG = re.compile(
    r"exceed_context|context.?length|context size|context window|maximum context|n_ctx"
    r"|max_model_len|prompt is too long|too many tokens|input is too long",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model.{0,120}?(?:not found|does not exist|not exist|not loaded|unknown|not available)"
    r"|(?:no|unknown|invalid|unable to find|couldn't find|cannot find).{0,20}\bmodels?\b"
    r"|try pulling it",
    re.IGNORECASE | re.DOTALL,
)
_NO_VISION = re.compile(
    r"(?:image|vision|multi-?modal|picture).{0,60}?(?:not support|unsupported|not available"
    r"|no such|must provide the mmproj|not enabled|disabled)"
    r"|(?:not support|unsupported|cannot|can't|unable to|does not).{0,40}?"
    r"(?:image|vision|multi-?modal)|mmproj|at most 0 image|not a multimodal",
    re.IGNORECASE | re.DOTALL,
)
_PARAMETERS = ("logprobs", "max_tokens", "temperature")

_SPENT = re.compile(r"insufficient_quota|quota|billing|credit", re.IGNORECASE)

_BRING: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.OLLAMA: "Bring it with: ollama pull {model}",
        Kind.VLLM: "Start it with: vllm serve {model}",
        Kind.LLAMACPP: "Start it with: llama-server -m MODEL.gguf --mmproj MMPROJ.gguf",
        Kind.LMSTUDIO: "Bring it with: lms get {model}",
        Kind.LMDEPLOY: "Start it with: lmdeploy serve api_server {model}",
        Kind.TRANSFORMERS: "Start it with: transformers serve {model}",
    }
)
_LONGER: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.OLLAMA: "Start Ollama with OLLAMA_CONTEXT_LENGTH=8192",
        Kind.VLLM: "Start vLLM with a larger --max-model-len",
        Kind.LLAMACPP: "Start llama-server with a larger -c; it is shared by the -np requests",
        Kind.LMSTUDIO: "Load the model with a longer context in LM Studio",
    }
)
_SEEING: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.OLLAMA: "Choose a model that sees: ollama pull qwen3-vl:8b-instruct",
        Kind.LLAMACPP: "Start llama-server with the model's --mmproj file",
    }
)


def words_of(heard: Heard) -> str:
    """A server's own words about what went wrong, on one line."""
    said = heard.json
    text = _told(said) if said is not None else heard.body[:4000].decode("utf-8", "replace")
    if "<html" in text.lower() or "<!doctype" in text.lower():
        text = ""  # a proxy's page
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _told(said: object) -> str:
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        return "; ".join(filter(None, (_told(one) for one in said[:3])))
    if not isinstance(said, Mapping):
        return ""
    parts: list[str] = []
    for key in ("error", "detail", "message", "msg", "type", "code", "param", "loc"):
        told = _told(said.get(key))
        if told and told not in " ".join(parts):
            parts.append(told)
    return "; ".join(parts)


def fault_of(heard: Heard, asked: Asked) -> Fault:
    """What an answer that is no chat completion means."""
    status, words = heard.status, words_of(heard)
    said = f" ({status}: {words})" if words else f" ({status})"
    if status in (401, 403):
        return _key(asked, said)
    if status == 402 or (status == 429 and _SPENT.search(words)):
        advice = "Top up the account, or choose another server with stage.vlm.url"
        return Fault(f"wants money{said}", advice, every=True)
    if status == 404 or (status in (400, 422, 500) and _NO_MODEL.search(words)):
        return _missing(asked, said, words)
    if status == 413:
        return Fault(f"finds the picture too large{said}", "Lower stage.vlm.size")
    if 300 <= status < 400:
        return Fault(
            f"sends elsewhere{said}", "Correct stage.vlm.url; no photo goes to another", every=True
        )
    if status in (408, 425, 429):
        return Fault(
            f"is too busy{said}", "Lower stage.vlm.in_flight or per_minute", again=True, busy=True
        )
    if status in (400, 422, 500, 501):
        known = _request(asked, said, words, status)
        if known is not None:
            return known
    if status >= 500:
        return Fault(
            f"fails{said}", "Look into its log", again=status != 501, busy=status in (503, 529)
        )
    if 200 <= status < 300:
        advice = "Correct stage.vlm.url; it mostly ends in /v1"
        told = f"answers with an error ({words})" if words else "answers what is no chat completion"
        return Fault(told, "" if words else advice, every=not words)
    return Fault(f"refuses the request{said}", "Look into its log")


def _key(asked: Asked, said: str) -> Fault:
    if asked.has_key:
        return Fault(f"refuses the key{said}", f"Set {asked.key_env} to a valid key", every=True)
    return Fault(f"wants a key{said}", f"Set {asked.key_env} to one", every=True)


def _missing(asked: Asked, said: str, words: str) -> Fault:
    if words and not re.search("model", words, re.IGNORECASE):
        advice = "Correct stage.vlm.url; it mostly ends in /v1"
        return Fault(f"has no chat completions there{said}", advice, every=True)
    return Fault(f"has no model {asked.model}{said}", bring(asked.kind, asked.model), every=True)


def bring(kind: Kind, model: str) -> str:
    """The line that brings a model to a server."""
    usual = "Correct stage.vlm.model; `urbexmp doctor` names the models that the server has"
    return _BRING.get(kind, usual).format(model=model)


def longer(kind: Kind) -> str:
    """What gives a server a longer context."""
    usual = "Give the model a longer context on the server, or lower stage.vlm.size"
    return _LONGER.get(kind, usual)


def seeing(kind: Kind) -> str:
    """What gives a server a model that sees pictures."""
    return _SEEING.get(kind, "Choose a model that sees pictures, as Qwen3-VL")


def _request(asked: Asked, said: str, words: str, status: int) -> Fault | None:
    if _LONG.search(words):
        advice = longer(asked.kind)
        return Fault(f"finds the question too long{said}", advice)
    if status in (400, 422):
        for name in _PARAMETERS:
            if name in words:
                return Fault(f"refuses {name}{said}", "Look into its log", parameter=name)
    if _NO_VISION.search(words):
        return Fault(f"shows no pictures to {asked.model}{said}", seeing(asked.kind), every=True)
    if status in (400, 422) and _FORMAT.search(words):
        return Fault(f"refuses the schema{said}", "Look into its log", parameter="response_format")
    return None
