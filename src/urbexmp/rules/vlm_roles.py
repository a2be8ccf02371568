"""Roles: which model is asked for which part of an answer. Pure.

A profile may name an entry of `models.toml` for each role: `stage.vlm.description = "large"`. What
no role is given to goes to the stage's own model. Roles of one model are one question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from urbexmp.model.weights import ModelEntry
from urbexmp.rules.vlm_settings import KEY_VARIABLE, VlmSettings, server_mistakes

CAPTION, DESCRIPTION, KEYWORD = "caption", "description", "keyword"
ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        KEYWORD: (
            *("style", "condition", "decay", "text", "equipment", "era", "abandoned_since"),
            *("labels", "free"),
        ),
        DESCRIPTION: ("description", "spatial"),
        CAPTION: ("alt_text",),
    }
)
"""Role to the fields of an answer (`vlm_schema.ANSWERS`) that belong to it."""

OF_A_MODEL = frozenset(
    (
        *("size", "max_tokens", "temperature", "timeout", "in_flight", "per_minute"),
        *("price_in", "price_out", "api_key_env"),
    )
)
"""What an entry's `settings` may say. Whether photos may leave this machine is none of it: that
stands in the profile alone."""

_KINDS = {one.name: type(getattr(VlmSettings(), one.name)) for one in fields(VlmSettings)}


@dataclass(frozen=True, slots=True)
class Part:
    """One question of those that are asked about a photo."""

    settings: VlmSettings
    """Of the model that it goes to."""
    answers: tuple[str, ...]
    """Fields that it asks for, in the order of the prompt."""


def has_roles(settings: VlmSettings) -> bool:
    """Whether any role goes to a model of its own."""
    return bool(settings.caption or settings.description or settings.keyword)


def parts(
    settings: VlmSettings, answers: Sequence[str], entries: Mapping[str, ModelEntry]
) -> tuple[Part, ...]:
    """The questions of a prompt with these answers. Raises `ValueError` with every mistake."""
    asked: dict[VlmSettings, list[str]] = {}
    mistakes: list[str] = []
    of_role = {name: role for role, names in ROLES.items() for name in names}
    resolved: dict[str, VlmSettings] = {}
    for role in ROLES:
        wanted = str(getattr(settings, role))
        resolved[role] = settings
        if not wanted:
            continue
        entry = entries.get(wanted)
        if entry is None or not entry.model:
            known = ", ".join(sorted(name for name, one in entries.items() if one.model))
            mistakes.append(
                f"{role}: models.toml has no model {wanted!r} of a server; it has {known}"
            )
            continue
        resolved[role] = _of_entry(settings, entry)
        mistakes += [f"{role}: {wrong}" for wrong in server_mistakes(resolved[role])]
    if mistakes:
        raise ValueError("; ".join(mistakes))
    for name in answers:
        asked.setdefault(resolved[of_role[name]], []).append(name)
    return tuple(Part(one, tuple(names)) for one, names in asked.items())


def for_id(settings: VlmSettings, split: Sequence[Part]) -> dict[str, object]:
    """What an answer depends on; of a single model the same as if no role was named."""
    if len(split) == 1:
        return {**settings.for_id, **split[0].settings.for_id}
    told = [[list(part.answers), part.settings.for_id] for part in split]
    return {**settings.for_id, "parts": told}


def setting_mistakes(given: Mapping[str, Any]) -> list[str]:
    """What is wrong with an entry's `settings`."""
    found = []
    for name, value in given.items():
        if name not in OF_A_MODEL:
            known = ", ".join(sorted(OF_A_MODEL))
            found.append(f"settings.{name}: there is no such setting of a model; there are {known}")
        elif isinstance(value, bool) or not isinstance(
            value, int | float if _KINDS[name] is float else _KINDS[name]
        ):
            found.append(f"settings.{name} must be {_WORDS[_KINDS[name]]}")
    return found


_WORDS = {str: "text", int: "a whole number", float: "a number"}


def _of_entry(settings: VlmSettings, entry: ModelEntry) -> VlmSettings:
    more: dict[str, Any] = dict(entry.settings)
    one = replace(settings, model=entry.model, caption="", description="", keyword="", **more)
    if not entry.server:
        return one
    one = replace(one, url=entry.server)
    if "api_key_env" not in entry.settings and one.server != settings.server:
        # The key of one server is no business of another.
        one = replace(one, api_key_env=key_variable(entry.id))
    return one


def key_variable(model: str) -> str:
    """The variable of an entry's own key: `URBEXMP_VLM_KEY_MY_MODEL`."""
    return f"{KEY_VARIABLE}_{re.sub('[^A-Z0-9]', '_', model.upper())}"
