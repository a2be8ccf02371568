"""Beside `app`: single stages, without a library, its state or its lock."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.model.errors import Problem, UsageProblem
from urbexmp.model.observation import StageInput, StageLook, View
from urbexmp.wiring import owner_of
from urbexmp.wiring_stages import close_stages, open_stages, open_taxonomy, stop_on, unready

if TYPE_CHECKING:
    from urbexmp.model.photo import Photo
    from urbexmp.model.ports import Stage
    from urbexmp.model.profile import Profile
    from urbexmp.rules.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What one stage saw in one file."""

    path: Path
    look: StageLook | None
    """Its `seconds` are without decoding the picture; None: it failed."""
    problem: Problem | None
    decoding: float
    """Seconds that decoding took."""


@dataclass(frozen=True, slots=True)
class StageState:
    """One stage that is known here."""

    name: str
    id: str
    """"" where it cannot be told."""
    listed: bool
    """Whether the profile has it."""
    problem: Problem | None
    """What keeps it from looking."""


def stage_states(profile: Profile, state: Path | None) -> Iterator[StageState]:
    """Every stage, those of the profile first and in its order. Nothing is loaded.

    Raises `ConfigProblem`, `FileUnreadable` for the taxonomy.
    """
    from urbexmp.adapters.stages.registry import STAGES

    taxonomy = open_taxonomy(profile)
    others = [name for name in STAGES if name not in profile.stages]
    for name in (*profile.stages, *others):
        listed = name in profile.stages
        try:
            with opened_stage(name, profile, taxonomy, state) as stage:
                yield StageState(name, stage.id, listed, unready(stage))
        except Problem as problem:
            yield StageState(name, "", listed, problem)


def told_of_places(profile: Profile, state: Path | None) -> tuple[str, ...]:
    """Names of the profile's stages that look again when more is known of a place.

    Nothing is loaded. Raises `ConfigProblem`, `FileUnreadable`.
    """
    stages = open_stages(profile, open_taxonomy(profile), state)
    try:
        return tuple(stage.name for stage in stages if stage.uses_context)
    finally:
        close_stages(stages)


@contextmanager
def opened_stage(
    name: str, profile: Profile, taxonomy: Taxonomy, state: Path | None
) -> Iterator[Stage]:
    """One stage alone, with the settings that a profile gives it. Raises `ConfigProblem`."""
    alone = dataclasses.replace(profile, stages=(name,))
    stages = open_stages(alone, taxonomy, state)
    try:
        yield stages[0]
    finally:
        close_stages(stages)


def look_alone(
    name: str,
    files: Sequence[Path],
    profile: Profile,
    state: Path | None,
    stopping: Callable[[], bool],
) -> Iterator[LookedAt]:
    """Have one stage look at files, one after the other; it is told of nothing that others saw.

    A RAW+JPEG pair is looked at as its one photo. Raises `ConfigProblem`, `StageMissing`, and
    `UsageProblem` for what is no photo.
    """
    from urbexmp.adapters.inspect import FileInspector
    from urbexmp.adapters.places import FolderPlaces
    from urbexmp.pipeline.look import PREVIEW_LONG_SIDE

    photos = [_photo(path, profile) for path in files]
    inspector = FileInspector()
    taxonomy = open_taxonomy(profile)
    places = FolderPlaces(taxonomy)
    with opened_stage(name, profile, taxonomy, state) as stage:
        missing = unready(stage)
        if missing is not None:
            raise missing
        stop_on((stage,), stopping)
        for photo in photos:
            if stopping():
                return
            decoding = 0.0
            try:
                began = time.perf_counter()
                facts = inspector.facts(photo.path)
                context = places.context(photo, photo.path.parent, facts)
                preview = functools.partial(inspector.preview, photo, PREVIEW_LONG_SIDE)
                if stage.uses_preview:
                    picture = preview()
                    preview = functools.partial(lambda shown: shown, picture)
                decoding = time.perf_counter() - began
                began = time.perf_counter()
                said = stage.look(StageInput(View(facts, preview), context))
                look = StageLook(stage.id, said, time.perf_counter() - began)
                yield LookedAt(photo.path, look, None, decoding)
            except Problem as problem:
                yield LookedAt(photo.path, None, problem, decoding)


def _photo(path: Path, profile: Profile) -> Photo:
    from urbexmp.adapters.walk import FolderWalker
    from urbexmp.rules.pairing import pair

    path = path.absolute()
    if path.is_file():
        for listing in FolderWalker((), recursive=False).folders((path,)):
            photos, _ = pair(listing, sidecar_name=profile.sidecar_name, owner_of=owner_of)
            for photo in photos:
                return photo
    detail = "is no photo" if path.exists() else "is not there"
    raise UsageProblem(path, detail, "Name photo files, JPEG, TIFF, DNG or raw")
