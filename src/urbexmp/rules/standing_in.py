"""Which stages look at every photo, and which only where another one failed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from urbexmp.model.profile import Profile

FALLBACK, BESIDE, ALONE = "fallback", "beside", "alone"
MODES = (FALLBACK, BESIDE, ALONE)
"""How a stage goes with the one that its setting `instead_of` names: it looks where that one
failed, looks at every photo as that one does, or looks and that one does not."""


def listed(profile: Profile) -> tuple[str, ...]:
    """The profile's stages in their order, without those that another looks instead of."""
    left_out = {other for name, other in _pairs(profile) if mode_of(profile, name) == ALONE}
    return tuple(name for name in profile.stages if name not in left_out)


def stand_ins(profile: Profile) -> Mapping[str, str]:
    """Stages that look only where another failed, each with that other one.

    Where the other one is not listed at all (`sync --stages ram`) there is nothing to stand in
    for, and the stage looks at every photo.
    """
    return {name: other for name, other in _pairs(profile) if mode_of(profile, name) == FALLBACK}


def mode_of(profile: Profile, stage: str) -> str:
    """`fallback` where a stage says whom it stands in for and nothing else."""
    settings = profile.stage_settings.get(stage, {})
    return str(settings.get("mode", FALLBACK if settings.get("instead_of") else BESIDE))


def mistakes(profile: Profile, known: Sequence[str]) -> list[str]:
    """What makes no sense about who stands in for whom, a sentence each."""
    found: list[str] = []
    for name, settings in profile.stage_settings.items():
        mode, other = mode_of(profile, name), settings.get("instead_of")
        if mode not in MODES:
            found.append(f"stage.{name}.mode: must be one of {', '.join(MODES)}")
        if mode != BESIDE and not other:
            found.append(f"stage.{name}.mode: {mode} needs instead_of, the stage it stands for")
        if other is None:
            continue
        if other not in known or other == name:
            found.append(f"stage.{name}.instead_of: must be the name of another stage")
    order = {name: place for place, name in enumerate(profile.stages)}
    chained = stand_ins(profile)
    for name, other in chained.items():
        if order[other] > order[name]:
            found.append(f"stages: {name} stands in for {other}, so it must come after it")
    return found


def _pairs(profile: Profile) -> list[tuple[str, str]]:
    pairs = []
    for name in profile.stages:
        other = profile.stage_settings.get(name, {}).get("instead_of")
        if isinstance(other, str) and other in profile.stages and other != name:
            pairs.append((name, other))
    return pairs
