"""When a stage that is slow or paid looks at a photo: the profile says it, a place may. Pure."""

from __future__ import annotations

ALWAYS, IDLE, MANUAL, UNSURE, NOW = "always", "idle", "manual", "unsure", "now"
WHEN = (ALWAYS, IDLE, MANUAL, UNSURE, NOW)
"""At every photo; while a watch has nothing else to do; only where a person names it; where earlier
stages left a question open; at every photo, whatever its place says."""

OF_A_PLACE = (ALWAYS, IDLE, MANUAL, UNSURE)
"""What a `location.toml` may say."""


def when_of(own: str, place: str | None) -> str:
    """When a stage looks at a photo: `own` is the profile's word, `place` that of its place."""
    return NOW if NOW in (own, place) else place or own


def with_when(plain: dict[str, object], when: str) -> dict[str, object]:
    """What an answer depends on, with when the stage looks: where it looks at some photos only,
    having nothing to say means something else."""
    return {**plain, "when": UNSURE} if when == UNSURE else plain
