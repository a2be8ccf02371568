"""Stages by name. A stage's module is imported only when a profile names it."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from urbexmp.model.errors import ConfigProblem
from urbexmp.model.ports import Stage
from urbexmp.model.profile import Profile
from urbexmp.rules import standing_in
from urbexmp.rules.when import WHEN

if TYPE_CHECKING:
    from urbexmp.model.weights import Weights
    from urbexmp.rules.taxonomy import Taxonomy

STAGES: Mapping[str, str] = MappingProxyType(
    {
        "camera": "urbexmp.adapters.stages.camera:CameraStage",
        "pixels": "urbexmp.adapters.stages.pixels:PixelsStage",
        "place": "urbexmp.adapters.stages.place:PlaceStage",
        "ocr": "urbexmp.adapters.stages.ocr:OcrStage",
        "siglip": "urbexmp.adapters.stages.siglip:SiglipStage",
        "florence": "urbexmp.adapters.stages.florence:FlorenceStage",
        "ram": "urbexmp.adapters.stages.ram:RamStage",
        "vlm": "urbexmp.adapters.stages.vlm:VlmStage",
        "google_vision": "urbexmp.adapters.stages.google_vision:GoogleVisionStage",
    }
)
"""Stage name to `module:class`."""

NEEDS_TAXONOMY = frozenset({"place", "ocr", "siglip", "florence", "ram", "vlm", "google_vision"})
"""Stages that look for the taxonomy's own words; it is their first argument."""

NEEDS_WEIGHTS = frozenset({"siglip", "florence", "ram"})
"""Stages that load a model's weights; these come next."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What one setting of a stage may be."""

    kind: type
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    empty: bool = False
    """Text that may be empty."""

    def fault(self, value: object) -> str | None:
        """What is wrong with a value; None: nothing."""
        if self.choices:
            return None if value in self.choices else f"must be one of {', '.join(self.choices)}"
        if self.kind is str:
            return None if isinstance(value, str) and (value or self.empty) else "must be text"
        if self.kind is bool:
            return None if isinstance(value, bool) else "must be true or false"
        number = isinstance(value, int if self.kind is int else int | float)
        if not number or isinstance(value, bool):
            return "must be a whole number" if self.kind is int else "must be a number"
        assert isinstance(value, int | float)
        if not self.low <= value <= self.high:
            return f"must lie between {self.low:g} and {self.high:g}"
        return None


REMOTE = "remote"
"""No stage, but the table that says which of them look on another machine (`rules.elsewhere`)."""

SHARE = Setting(float, 0, 1)
NAME = Setting(str)
MAYBE = Setting(str, empty=True)

SETTINGS: Mapping[str, Mapping[str, Setting]] = MappingProxyType(
    {
        "camera": {"prior": Setting(float, 0.01, 0.99)},
        "pixels": {"prior": Setting(float, 0.01, 0.99)},
        "ocr": {"least": SHARE, "where": Setting(str, choices=("useful", "always"))},
        REMOTE: {
            "url": NAME,
            "stages": NAME,
            "token_env": NAME,
            "timeout": Setting(float, 0.1, 86400),
            "fallback": Setting(bool),
            "prefer": Setting(str, choices=("server", "local")),
            "allow_upload": Setting(bool),
            "quality": Setting(int, 50, 100),
            "at_once": Setting(int, 1, 256),
        },
        "vlm": {
            "model": NAME,
            "url": NAME,
            "prompt": NAME,
            "size": Setting(int, 64, 768),
            "max_tokens": Setting(int, 16, 16384),
            "temperature": Setting(float, 0, 2),
            "when": Setting(str, choices=WHEN),
            "allow_upload": Setting(bool),
            "timeout": Setting(float, 0.1, 86400),
            "in_flight": Setting(int, 1, 256),
            "per_minute": Setting(float, 0, 1e6),
            "budget_requests": Setting(int, 0, 10**9),
            "budget_tokens": Setting(int, 0, 10**12),
            "budget_money": Setting(float, 0, 1e9),
            "price_in": Setting(float, 0, 1e6),
            "price_out": Setting(float, 0, 1e6),
            "api_key_env": NAME,
            "unscored": SHARE,
            **dict.fromkeys(("caption", "description", "keyword"), MAYBE),
        },
        "google_vision": {
            "url": NAME,
            "labels": Setting(int, 0, 100),
            "text": Setting(bool),
            "least": SHARE,
            "size": Setting(int, 64, 768),
            "when": Setting(str, choices=WHEN),
            "allow_upload": Setting(bool),
            "timeout": Setting(float, 0.1, 86400),
            "in_flight": Setting(int, 1, 256),
            "pictures": Setting(int, 1, 16),
            "per_minute": Setting(float, 0, 1e6),
            "budget_pictures": Setting(int, 0, 10**9),
            "budget_money": Setting(float, 0, 1e9),
            "price_labels": Setting(float, 0, 1e6),
            "price_text": Setting(float, 0, 1e6),
            "api_key_env": NAME,
            "credentials": NAME,
        },
    }
)
"""Settings that a stage takes from the profile's table `[stage.NAME]`. One that is not here takes
what its constructor has a keyword for, and raises `ValueError` for what makes no sense."""

RUNNING: Mapping[str, Setting] = MappingProxyType(
    {
        "timeout": Setting(float, 0.1, 86400),
        "load_timeout": Setting(float, 0.1, 86400),
        "workers": Setting(int, 0, 64),
        "recycle_photos": Setting(int, 0, 10_000_000),
        "recycle_megabytes": Setting(int, 0, 1_000_000),
        "mode": Setting(str, choices=standing_in.MODES),
        "instead_of": NAME,
    }
)
"""Settings that say how a model stage is run; the stage itself never sees them."""

IN_PROCESS = frozenset({"camera", "pixels", "place"})
"""Stages that look in our own process, so nothing of `RUNNING` is to be said of them."""

NETWORKED = frozenset({"vlm", "google_vision"})
"""Stages that wait for a server in our own process: of `RUNNING` they take `STANDING_IN` only."""

STANDING_IN = ("mode", "instead_of")

Apart = Callable[[Stage, Mapping[str, Any]], Stage]
"""Has a stage look in a process of its own; takes the stage and its settings."""


def make_stages(
    profile: Profile,
    taxonomy: Taxonomy,
    weights: Weights | None = None,
    apart: Apart | None = None,
) -> tuple[Stage, ...]:
    """Build the profile's stages, in its order. They are light: no model is loaded.

    `apart` is asked for every stage that should look in a process of its own (`in_worker`).
    Raises `ConfigProblem` with every mistake: an unknown stage, one named twice, an unknown or
    senseless setting.
    """
    mistakes = _mistakes(profile)
    if mistakes:
        raise ConfigProblem(f"profile {profile.name}", tuple(mistakes))
    stages = []
    for name in standing_in.listed(profile):
        settings = profile.stage_settings.get(name, {})
        try:
            stage = make_stage(name, settings, taxonomy, weights)
        except (TypeError, ValueError) as mistake:
            where = f"profile {profile.name}"
            raise ConfigProblem(where, (f"stage.{name}: {mistake}",)) from mistake
        if apart is not None and getattr(stage, "in_worker", False):
            stage = apart(stage, settings)
        stages.append(stage)
    return tuple(stages)


def make_stage(
    name: str,
    settings: Mapping[str, Any],
    taxonomy: Taxonomy | None,
    weights: Weights | None,
) -> Stage:
    """Build one stage. Raises `ConfigProblem`, and `ValueError` for a senseless setting."""
    module, _, kind = STAGES[name].partition(":")
    build: Any = getattr(importlib.import_module(module), kind)
    running = STANDING_IN if name in NETWORKED else RUNNING
    own = {key: value for key, value in settings.items() if key not in running}
    needs: tuple[object, ...] = (taxonomy,) if name in NEEDS_TAXONOMY else ()
    if name in NEEDS_WEIGHTS:
        needs = (*needs, weights)
    stage: Stage = build(*needs, **own)
    return stage


def running_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage's settings say about how it is run."""
    return {key: value for key, value in settings.items() if key in RUNNING}


def _mistakes(profile: Profile) -> list[str]:
    mistakes: list[str] = []
    known = ", ".join(sorted(STAGES))
    for position, name in enumerate(profile.stages):
        if name == REMOTE:
            continue
        if name not in STAGES:
            mistakes.append(f"stages: unknown stage {name!r}; known are {known}")
        elif name in profile.stages[:position]:
            mistakes.append(f"stages: {name!r} is named twice")
    for name, settings in profile.stage_settings.items():
        if name not in STAGES and name != REMOTE:
            mistakes.append(f"stage.{name}: unknown stage; known are {known}")
            continue
        for key, value in settings.items():
            setting = _setting(name, key)
            fault = "unknown setting" if setting is None else setting.fault(value)
            if fault and setting is not ANY:
                mistakes.append(f"stage.{name}.{key}: {fault}")
    if not mistakes and (REMOTE in profile.stages or REMOTE in profile.stage_settings):
        from urbexmp.rules import elsewhere

        mistakes = elsewhere.mistakes(profile, tuple(STAGES))
    return mistakes or standing_in.mistakes(profile, tuple(STAGES))


ANY = Setting(object)
"""A setting that the stage itself checks."""


def _setting(stage: str, key: str) -> Setting | None:
    """What a setting may be; None: there is none of that name."""
    if stage == REMOTE:
        return SETTINGS[stage].get(key)
    if key in (STANDING_IN if stage in NETWORKED else RUNNING):
        return None if stage in IN_PROCESS else RUNNING[key]
    if stage in SETTINGS or stage in IN_PROCESS:
        return SETTINGS.get(stage, {}).get(key)
    import inspect

    module, _, kind = STAGES[stage].partition(":")
    taken = inspect.signature(getattr(importlib.import_module(module), kind)).parameters
    return ANY if key in taken and key not in ("taxonomy", "weights", "notes") else None
