"""Stages by name. A stage's module is imported only when a profile names it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from urbexmp.model.errors import ConfigProblem
from urbexmp.model.ports import Stage
from urbexmp.model.profile import Profile

if TYPE_CHECKING:
    from urbexmp.rules.taxonomy import Taxonomy

STAGES: Mapping[str, str] = MappingProxyType(
    {
        "camera": "urbexmp.adapters.stages.camera:CameraStage",
        "pixels": "urbexmp.adapters.stages.pixels:PixelsStage",
        "place": "urbexmp.adapters.stages.place:PlaceStage",
        "ocr": "urbexmp.adapters.stages.ocr:OcrStage",
    }
)
"""Stage name to `module:class`."""

NEEDS_TAXONOMY = frozenset({"place", "ocr"})
"""Stages that look for the taxonomy's own words."""

SETTINGS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "camera": frozenset({"prior"}),
        "pixels": frozenset({"prior"}),
        "ocr": frozenset({"least", "where"}),
    }
)
"""Settings that a stage takes from the profile's table `[stage.NAME]`."""


def make_stages(profile: Profile, taxonomy: Taxonomy) -> tuple[Stage, ...]:
    """Build the profile's stages, in its order.

    Raises `ConfigProblem` with every mistake: an unknown stage, one named twice, an unknown or
    senseless setting.
    """
    mistakes = _mistakes(profile)
    if mistakes:
        raise ConfigProblem(f"profile {profile.name}", tuple(mistakes))
    return tuple(_make(name, profile, taxonomy) for name in profile.stages)


def _make(name: str, profile: Profile, taxonomy: Taxonomy) -> Stage:
    module, _, kind = STAGES[name].partition(":")
    build: Any = getattr(importlib.import_module(module), kind)
    settings = dict(profile.stage_settings.get(name, {}))
    stage: Stage = build(taxonomy, **settings) if name in NEEDS_TAXONOMY else build(**settings)
    return stage


def _mistakes(profile: Profile) -> list[str]:
    mistakes: list[str] = []
    known = ", ".join(sorted(STAGES))
    for position, name in enumerate(profile.stages):
        if name not in STAGES:
            mistakes.append(f"stages: unknown stage {name!r}; known are {known}")
        elif name in profile.stages[:position]:
            mistakes.append(f"stages: {name!r} is named twice")
    for name, settings in profile.stage_settings.items():
        if name not in STAGES:
            mistakes.append(f"stage.{name}: unknown stage; known are {known}")
            continue
        for key, value in settings.items():
            if key not in SETTINGS.get(name, frozenset()):
                mistakes.append(f"stage.{name}.{key}: unknown setting")
            elif key == "prior" and not _is_share(value):
                mistakes.append(f"stage.{name}.prior: must lie between 0.01 and 0.99")
    return mistakes


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.01 <= value <= 0.99
