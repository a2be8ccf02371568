"""The settings as a person reads them: key, value, origin."""

from __future__ import annotations

from urbexmp.model.profile import Settings
from urbexmp.rules.profile_keys import KEYS, as_toml


def shown_values(settings: Settings) -> tuple[tuple[str, str, str], ...]:
    """Each key with its value as TOML and where it came from, in the order of the key table."""
    profile, origins = settings.profile, settings.origins
    rows: list[tuple[str, str, str]] = []
    for key in KEYS:
        if key.name != "thresholds":
            value = getattr(profile, key.name)
            rows.append((key.name, as_toml(value), origins[key.name]))
            continue
        for stage, number in profile.thresholds.items():
            name = f"thresholds.{stage}"
            rows.append((name, as_toml(number), origins[name]))
    for stage, settings_of in profile.stage_settings.items():
        for setting, value in settings_of.items():
            name = f"stage.{stage}.{setting}"
            rows.append((name, as_toml(value), origins[name]))
    return tuple(rows)
