"""Look at one photo: its id, its facts, and what each stage says, from the ledger where known."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from urbexmp.model.errors import Problem
from urbexmp.model.ledger import Ledger
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    Preview,
    StageInput,
    StageLook,
    View,
)
from urbexmp.model.photo import Carrier, FileKind, FileStat, Photo, PhotoFile, PhotoId
from urbexmp.model.ports import Inspector, Places, Stage, Stopwatch
from urbexmp.model.record import from_plain, to_plain
from urbexmp.model.stage_errors import StageFailed, StageMissing, StageStopped
from urbexmp.rules.vectors import without_vectors
from urbexmp.rules.when import ALWAYS, IDLE, MANUAL, NOW, UNSURE, when_of

PREVIEW_LONG_SIDE = 768
"""Pixels; what the largest stage of a profile needs."""

MOST_REASON = 160
"""Letters of a reason that are shown."""

FACTS = "facts@4"
"""The capture facts are kept in the ledger like a look: a new plan need not open the photo."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """A stage that failed at one photo, which was dealt with nevertheless."""

    stage: str
    reason: str
    instead: str | None
    """The stage that looked instead; None: none did."""

    def __str__(self) -> str:
        then = f"{self.instead} looked instead" if self.instead else "went on without it"
        return f"{self.stage} failed ({self.reason}); {then}"


@dataclass(frozen=True, slots=True)
class Crew:
    """The stages that look at a photo, and what is done when one of them cannot."""

    stages: tuple[Stage, ...]
    stand_ins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Stages that look only where another one failed: name to that one's name."""
    absent: Mapping[str, Problem] = field(default_factory=lambda: MappingProxyType({}))
    """Stages that cannot run now; what they said earlier still counts."""
    skips: bool = False
    """Whether a photo is dealt with though a stage failed at it and none stood in."""

    def stand_in_of(self, stage: str) -> str | None:
        """The name of a stage that can look instead."""
        for name, other in self.stand_ins.items():
            if other == stage and name not in self.absent:
                return name
        return None


@dataclass(frozen=True, slots=True)
class Examined:
    """Everything that a plan needs to know of one photo's picture."""

    photo: Photo
    photo_id: PhotoId
    looks: tuple[StageLook, ...]
    ran: tuple[str, ...]
    """Names of the stages that looked now; the others were known, or told from a kept vector."""
    fresh: tuple[tuple[str, StageLook], ...] = ()
    """What the ledger does not hold yet: digest of the inputs, and the look."""
    facts: CaptureFacts | None = None
    context: Context | None = None
    """Facts and place that the stages were shown; the mirror keeps them."""
    fallen: tuple[Fallen, ...] = ()
    """Stages that failed."""
    put_off: tuple[str, ...] = ()
    """Stages that look when a watch has nothing else to do."""


LocationReader = Callable[[Carrier, bytes | None], Mapping[str, str]]
"""City, State, Country, Location (Lightroom's Sublocation) of a sidecar, as far as it has them;
with its packet where that was read already."""


_NO_PACKETS: Mapping[Path, bytes] = {}


def facts_key(stat: FileStat) -> str:
    """What the capture facts of a file are kept under: another stat may mean another location."""
    return f"{stat.size}:{stat.mtime_ns}"


class Looker:
    """Examines photos. Holds nothing that can write, not even to the ledger. Thread-safe."""

    def __init__(
        self,
        inspector: Inspector,
        places: Places,
        stages: Sequence[Stage] | Crew,
        ledger: Ledger,
        location: LocationReader,
        root: Path,
        stopwatch: Stopwatch,
    ) -> None:
        self._inspector = inspector
        self._places = places
        self._crew = stages if isinstance(stages, Crew) else Crew(tuple(stages))
        self._ledger = ledger
        self._location = location
        self._root = root
        self._stopwatch = stopwatch

    def examine(
        self,
        photo: Photo,
        known_id: PhotoId | None = None,
        retag: frozenset[str] = frozenset(),
        now: frozenset[str] = frozenset(),
    ) -> Examined:
        """Look at a photo with every stage whose answer the ledger does not hold.

        `known_id` is given when the file's stat is the one that the ledger remembers: then the
        file is opened only for a stage that has to look. `retag` names stages that look again,
        `*` for all; `now` those that look though they wait for a better moment, where nothing is
        known of what they would say, and `rules.when.IDLE` those that wait for a quiet moment
        alone. A stage that failed is left out of the looks, and so of the
        ledger, where another stands in for it or the crew may go on without. Raises `Problem`
        when the file cannot be read or decoded, `StageFailed` and `StageMissing` where a look is
        missing.
        """
        fresh: list[tuple[str, StageLook]] = []
        with self._inspector.together():
            photo_id = self.identify(photo, known_id)
            facts, context = self._surroundings(
                photo, photo_id, fresh, _NO_PACKETS, again=bool(retag)
            )
        view = View(facts, functools.cache(lambda: self._preview(photo)))
        looks: list[StageLook] = []
        ran: list[str] = []
        failed: dict[str, Problem] = {}
        stood_in: dict[str, str] = {}
        put_off: list[str] = []
        for stage in self._crew.stages:
            stands_for = self._crew.stand_ins.get(stage.name)
            if stands_for is not None and stands_for not in failed:
                continue
            inputs = context.digest if stage.uses_context else ""
            look = None
            if "*" not in retag and stage.name not in retag:
                look = self._ledger.look(photo_id, stage.id, inputs)
                if look is None:
                    look = self._rescored(stage, photo_id)
                    if look is not None:
                        fresh.append((inputs, look))
            own: str | None = getattr(stage, "when", None)
            wanted = ALWAYS if own is None else when_of(own, context.when)
            named = stage.name in now
            if look is not None and not look.observations and own is not None:
                # It was sure that there was no question; a person wants it asked nevertheless.
                look = None if named or (own, wanted) == (UNSURE, ALWAYS) else look
            quiet = wanted == IDLE and IDLE in now
            if look is None and not (named or quiet) and stage.name not in retag:
                if wanted == IDLE and stage.name not in self._crew.absent:
                    put_off.append(stage.name)
                if wanted in (IDLE, MANUAL):
                    # What it said earlier counts until it is asked, though more is known now.
                    said = self._ledger.look(photo_id, stage.id, None)
                    looks += [] if said is None else [said]
                    continue
            if look is None:
                shown = replace(context, when=NOW) if named else context
                try:
                    seen = StageInput(view, shown, tuple(looks), self._named(photo))
                    look = self._look(stage, seen)
                except StageStopped:
                    raise
                except (StageFailed, StageMissing) as problem:
                    self._bear(photo, stage.name, problem)
                    failed[stage.name] = problem
                    continue
                ran.append(stage.name)
                fresh.append((inputs, look))
            looks.append(without_vectors(look)[0])
            if stands_for is not None:
                stood_in[stands_for] = stage.name
        fallen = tuple(
            Fallen(name, _reason(problem), stood_in.get(name))
            for name, problem in failed.items()
            if name not in self._crew.absent or name in stood_in
        )
        return Examined(
            *(photo, photo_id, tuple(looks), tuple(ran), tuple(fresh), facts, context, fallen),
            put_off=tuple(put_off),
        )

    def _named(self, photo: Photo) -> str:
        path = photo.path
        return (
            path.relative_to(self._root) if path.is_relative_to(self._root) else path
        ).as_posix()

    def _look(self, stage: Stage, seen: StageInput) -> StageLook:
        absent = self._crew.absent.get(stage.name)
        if absent is not None:
            # Made anew: a problem that is raised once more keeps every frame it came through, and
            # with them each photo and its picture.
            raise type(absent)(absent.subject, **absent.fields)
        began = self._stopwatch()
        # A stage that may look on another machine says who it was that looked.
        look_as = getattr(stage, "look_as", None)
        told_by, observations = look_as(seen) if look_as else (stage.id, stage.look(seen))
        return StageLook(told_by, observations, self._stopwatch() - began)

    def _rescored(self, stage: Stage, photo_id: PhotoId) -> StageLook | None:
        """What a stage says of a picture whose vector the ledger holds; None: it has to look.

        After a change of words or limits the picture is still the same, so it is not decoded,
        and no model is asked about it. Raises `StageStopped`.
        """
        picture: str | None = getattr(stage, "picture_id", None)
        rescore: Callable[[bytes], tuple[Observation, ...]] | None
        rescore = getattr(stage, "rescore", None)
        if picture is None or rescore is None or stage.name in self._crew.absent:
            return None
        vector = self._ledger.vector(photo_id, picture)
        if vector is None:
            return None
        began = self._stopwatch()
        try:
            said = rescore(vector)
        except StageStopped:
            raise
        except (StageFailed, StageMissing):
            return None  # a look says what is wrong, or does better: the vector may be damaged
        return StageLook(stage.id, said, self._stopwatch() - began)

    def _bear(self, photo: Photo, stage: str, problem: Problem) -> None:
        """Go on after a stage failed, where that may be; else raise it as the photo's problem."""
        crew = self._crew
        if crew.skips or stage in crew.absent or crew.stand_in_of(stage) is not None:
            return
        raise type(problem)(photo.path, **problem.fields) from problem

    def recognise(
        self,
        photo: Photo,
        known_id: PhotoId | None = None,
        packets: Mapping[Path, bytes] = _NO_PACKETS,
    ) -> Examined:
        """What is known of a photo without any stage: its id, facts and place.

        Facts that the ledger holds are used while the file's stat is the one they were read
        with. `packets` spares a second reading of sidecars. Raises `Problem`.
        """
        fresh: list[tuple[str, StageLook]] = []
        with self._inspector.together():
            photo_id = self.identify(photo, known_id)
            facts, context = self._surroundings(photo, photo_id, fresh, packets, again=False)
        return Examined(photo, photo_id, (), (), tuple(fresh), facts, context)

    def identify(self, photo: Photo, known_id: PhotoId | None = None) -> PhotoId:
        """The photo's id, read from the file unless known. Raises `Problem`."""
        if known_id is not None:
            return known_id
        files = (PhotoFile(photo.path, photo.kind, photo.stat), *photo.companions)
        for file in files:
            self._inspector.verify(file)
        return self._inspector.photo_id(photo.path)

    def _surroundings(
        self,
        photo: Photo,
        photo_id: PhotoId,
        fresh: list[tuple[str, StageLook]],
        packets: Mapping[Path, bytes],
        *,
        again: bool,
    ) -> tuple[CaptureFacts, Context]:
        facts = self._located(photo, self._facts(photo, photo_id, fresh, again=again), packets)
        return facts, self._places.context(photo, self._root, facts)

    def _preview(self, photo: Photo) -> Preview:
        return self._inspector.preview(photo, PREVIEW_LONG_SIDE)

    def _located(
        self, photo: Photo, facts: CaptureFacts, packets: Mapping[Path, bytes]
    ) -> CaptureFacts:
        """The facts with the location that a person gave in the photo's sidecars, if any."""
        said: dict[str, str] = {}
        for carrier in photo.carriers:
            said |= self._location(carrier, packets.get(carrier.path))
        if not said:
            return facts
        return replace(
            facts,
            city=said.get("City", facts.city),
            state=said.get("State", facts.state),
            country=said.get("Country", facts.country),
            sublocation=said.get("Location", facts.sublocation),
        )

    def _facts(
        self,
        photo: Photo,
        photo_id: PhotoId,
        fresh: list[tuple[str, StageLook]],
        *,
        again: bool,
    ) -> CaptureFacts:
        # Location in the facts can be edited from outside (IPTC, embedded XMP), so the cache is
        # used only while the file is the one that the facts were read from.
        key = facts_key(photo.stat)
        known = None if again else self._ledger.look(photo_id, FACTS, key)
        if known is not None:
            value = known.observations[0].value
            if isinstance(value, str):
                return from_plain(CaptureFacts, json.loads(value))
        facts = self._inspector.facts(photo.path)
        silent = facts.make is None and facts.exposure_time is None
        if photo.kind is FileKind.RAW and silent and photo.companions:
            facts = self._inspector.facts(photo.companions[0].path)
        text = json.dumps(to_plain(facts))
        kept = Observation(ObservationKind.FACT, "capture facts", value=text)
        fresh.append((key, StageLook(FACTS, (kept,))))
        return facts


def _reason(problem: Problem) -> str:
    """Why a stage failed, in few words."""
    text = str(problem.fields.get("detail") or problem.sentences[0]).partition("\n")[0]
    return text if len(text) <= MOST_REASON else f"{text[: MOST_REASON - 3]}..."
