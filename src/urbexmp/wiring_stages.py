"""The stages of a profile, wired: their vocabulary, their weights, and processes to look in."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from urbexmp.adapters.late import Late
from urbexmp.model.errors import Problem
from urbexmp.model.stage_errors import StagesMissing

if TYPE_CHECKING:
    from urbexmp.adapters.db.ledger import SqliteLedger
    from urbexmp.model.pacing import Paced
    from urbexmp.model.ports import Stage
    from urbexmp.model.profile import Profile
    from urbexmp.model.weights import Weights
    from urbexmp.pipeline.look import Crew
    from urbexmp.rules.taxonomy import Taxonomy

SKIP = "skip"
"""Value of the profile's `without`: a run goes on without a stage that cannot run."""

MOST_PACES = 10_000
"""Changes that are kept for who counts them, or a run without end would keep them all."""


# --- Vocabulary and weights -------------------------------------------------------------------


def taxonomy_path(profile: Profile) -> Path:
    """The file of the taxonomy that a profile names. Raises `ConfigProblem`."""
    named = profile.taxonomy
    if named.endswith(".toml"):
        return Path(named)
    from urbexmp.adapters.shipped import shipped

    return shipped("taxonomy", named)


def read_taxonomy(path: Path) -> Taxonomy:
    """Load a taxonomy. Raises `ConfigProblem`, `FileUnreadable`."""
    from urbexmp.adapters.toml import read_toml
    from urbexmp.rules.taxonomy import load_taxonomy

    document = read_toml(path)
    return load_taxonomy(document.values, document.line_of, path)


def open_taxonomy(profile: Profile) -> Taxonomy:
    """Load the taxonomy that a profile names. Raises `ConfigProblem`, `FileUnreadable`."""
    return read_taxonomy(taxonomy_path(profile))


def vocabulary(
    profile: Profile, ledger: SqliteLedger, load: Callable[[], Taxonomy], *, keep: bool
) -> tuple[Taxonomy, str]:
    """The profile's taxonomy and its digest; of a file that was read before, the digest alone."""
    from urbexmp import __version__

    try:
        content = taxonomy_path(profile).read_bytes()
    except OSError:
        return load(), load().digest  # raises, and says what is wrong
    file = hashlib.sha256(__version__.encode() + b"\0" + content).hexdigest()
    known = ledger.vocabulary(file)
    if known is not None:
        return cast("Taxonomy", Late(load, digest=known)), known
    if keep:
        ledger.keep_vocabulary(file, load().digest)
    return load(), load().digest


def open_weights(state: Path | None = None) -> Weights:
    """The weights on this machine; the registry is read when something of it is asked for."""

    def read() -> Weights:
        from urbexmp.adapters.model_registry import local_weights

        return local_weights(os.environ, state)

    return cast("Weights", Late(read))


# --- Stages ------------------------------------------------------------------------------------


def open_stages(
    profile: Profile,
    taxonomy: Taxonomy,
    state: Path | None = None,
) -> tuple[Stage, ...]:
    """The profile's stages. Nothing is loaded; those that load a model look in a process of
    their own, begun on its first look. Close them with `close_stages`. Raises `ConfigProblem`.
    """
    from urbexmp.adapters.stages.registry import make_stages

    made = make_stages(profile, taxonomy, open_weights(state), partial(_apart, profile, state))
    if any(stage.name == "vlm" for stage in made):
        from urbexmp.wiring_vlm import connect

        connect(made, state)
    if any(stage.name == "google_vision" for stage in made):
        from urbexmp import wiring_google

        wiring_google.connect(made)
    if "remote" not in profile.stage_settings:
        return made
    from urbexmp.wiring_remote import sent_elsewhere

    return sent_elsewhere(profile, made, state)


def close_stages(stages: tuple[Stage, ...]) -> None:
    """End the processes of stages."""
    for stage in stages:
        close = getattr(stage, "close", None)
        if close is not None:
            close()


def stop_on(stages: tuple[Stage, ...], stopping: Callable[[], bool]) -> None:
    """Have looks broken off soon after `stopping` says so."""
    for stage in stages:
        if hasattr(stage, "stopping"):
            stage.stopping = stopping


def tell_replies(stages: tuple[Stage, ...], heard: Callable[[Mapping[str, Any]], None]) -> None:
    """Have `heard` told of each reply of a model, from the thread that looks."""
    for stage in stages:
        if hasattr(stage, "on_reply"):
            stage.on_reply = heard


def hear_pace(stages: tuple[Stage, ...]) -> Callable[[], list[Paced]]:
    """Listen to how much is done at a time; gives what was heard since it was last called."""
    heard: deque[Paced] = deque(maxlen=MOST_PACES)
    for stage in stages:
        if hasattr(stage, "on_pace"):
            stage.on_pace = heard.append
    return lambda: [heard.popleft() for _ in range(len(heard))]


def unready(stage: Stage) -> Problem | None:
    """What keeps a stage from looking at all; None: nothing. Cheap: nothing is loaded."""
    ready = getattr(stage, "ready", None)
    problem: Problem | None = ready() if ready is not None else None
    return problem


@dataclass(frozen=True)
class Muster:
    """The stages of a profile, and which of them cannot run now."""

    profile: Profile
    stages: tuple[Stage, ...]
    unready: Mapping[str, Problem]

    @cached_property
    def absent(self) -> dict[str, Problem]:
        """Stages that a run goes without."""
        skips = self.profile.without == SKIP
        return {
            name: problem
            for name, problem in self.unready.items()
            if skips or name in self.profile.optional
        }

    @cached_property
    def told(self) -> dict[str, str]:
        """Of those, the ones to speak of: name, and what is missing."""
        return {
            name: ". ".join(filter(None, (problem.sentences[0], problem.sentences[2])))
            for name, problem in self.absent.items()
            if name not in self.profile.optional
        }

    @cached_property
    def stops(self) -> Problem | None:
        """Why nothing is to be done at all; None: nothing stands against it."""
        missing = [each for name, each in self.unready.items() if name not in self.absent]
        subject = f"profile {self.profile.name}"
        if len(missing) == 1:
            return type(missing[0])(subject, **missing[0].fields)
        if not missing:
            return None
        lines = [
            ". ".join(filter(None, (each.sentences[0], each.sentences[2]))) for each in missing
        ]
        return StagesMissing(
            subject,
            number=len(missing),
            lines="\n".join(f"  {line}" for line in lines),
            advice=f"{self._brought}go on without them: --set without=skip",
        )

    @property
    def _brought(self) -> str:
        """How to have all that is missing, where one command brings it."""
        from urbexmp.model.stage_errors import WeightsMissing

        missing = [each for name, each in self.unready.items() if name not in self.absent]
        if not all(isinstance(each, WeightsMissing) for each in missing):
            return "Or "
        models = " ".join(dict.fromkeys(str(each.fields["model"]) for each in missing))
        return f"Bring them all with: urbexmp models pull {models}; or "

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the stages that look."""
        return tuple(stage.id for stage in self.stages if stage.name not in self.absent)

    def crew(self) -> Crew:
        """What a looker needs to know of them."""
        from urbexmp.pipeline.look import Crew
        from urbexmp.rules.standing_in import stand_ins

        skips = self.profile.without == SKIP
        return Crew(self.stages, stand_ins(self.profile), self.absent, skips=skips)


def muster(profile: Profile, stages: tuple[Stage, ...]) -> Muster:
    """Ask every stage whether it can run."""
    asked = {stage.name: unready(stage) for stage in stages}
    return Muster(profile, stages, {name: each for name, each in asked.items() if each is not None})


def _apart(
    profile: Profile, state: Path | None, stage: Stage, settings: Mapping[str, Any]
) -> Stage:
    from urbexmp.adapters.stages.registry import running_settings
    from urbexmp.adapters.stages.workers import Limits, WorkerStage

    running = running_settings(settings)
    usual = Limits()
    limits = Limits(
        seconds=running.get("timeout", usual.seconds),
        load_seconds=running.get("load_timeout", usual.load_seconds),
        processes=running.get("workers", usual.processes),
        recycle_photos=running.get("recycle_photos", profile.recycle_photos),
        recycle_megabytes=running.get("recycle_megabytes", profile.recycle_megabytes),
    )
    recipe = {
        "stage": stage.name,
        "settings": dict(settings),
        "taxonomy": str(taxonomy_path(profile).absolute()),
        "state": None if state is None else str(state.absolute()),
    }
    return WorkerStage(stage, recipe, limits)
