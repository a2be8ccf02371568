"""The JSON schema of an answer, in the part of JSON Schema that all servers enforce.

No bounds of numbers (llama.cpp's grammars do not keep them, and some servers refuse the key), no
patterns; every field required and nothing beside, as strict modes want it. Enumerations stay
below `MOST_TERMS`, or grammars become slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

MOST_TERMS = 300

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_MAYBE = {"type": ["string", "null"]}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


ANSWERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "description": _TEXT,
        "alt_text": _TEXT,
        "style": _MAYBE,
        "condition": _object({"value": {"type": ["number", "null"]}, "severity": _MAYBE}),
        "decay": _TEXTS,
        "text": _TEXTS,
        "equipment": _TEXTS,
        "era": _MAYBE,
        "abandoned_since": _MAYBE,
        "spatial": _MAYBE,
        "labels": {
            "type": "array",
            "items": _object({"term": _TEXT, "confidence": {"type": "number"}}),
        },
        "free": _TEXTS,
    }
)
"""Fields that an answer may hold: a description, a short text for who cannot see the picture,
architectural style, condition (0 ruined to 100 sound, and in a word how severe), signs of decay,
text that can be read, equipment, hints at the era, how long ago it was given up, where things are,
labels with confidence, and further words."""


def schema(answers: Sequence[str], terms: Sequence[str] = ()) -> dict[str, Any]:
    """The schema of an answer with these fields; labels are of `terms` where there are any.

    Further words go into `free`: a model that must choose a listed word invents one.
    """
    properties = {name: ANSWERS[name] for name in answers}
    if "labels" in properties and 0 < len(terms) <= MOST_TERMS:
        one = _object({"term": {"type": "string", "enum": list(terms)}, "confidence": _NUMBER})
        properties["labels"] = {"type": "array", "items": one}
    return _object(properties)


_NUMBER = {"type": "number"}
