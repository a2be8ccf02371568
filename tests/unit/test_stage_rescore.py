"""A stage whose words changed tells anew from the vector that is kept, without a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

import worker_stages
from urbexmp.adapters.memory_ledger import MemoryLedger
from urbexmp.adapters.stages.workers import Limits, WorkerStage
from urbexmp.model.errors import Problem
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    Preview,
    StageInput,
    View,
)
from urbexmp.model.photo import FileKind, FileStat, Photo, PhotoId
from urbexmp.model.stage_errors import StageFailed, StageStopped
from urbexmp.pipeline.look import Crew, Examined, Looker
from urbexmp.rules.vectors import vector_said

PHOTO = Photo(Path("/p/a.jpg"), FileKind.JPEG, FileStat(1, 2, 3), (), ())
ID = PhotoId("b" * 64)


class Inspector:
    def __init__(self) -> None:
        self.decoded = 0

    def together(self) -> nullcontext[None]:
        return nullcontext()

    def facts(self, path: Path) -> CaptureFacts:
        return CaptureFacts(make="Ricoh")

    def preview(self, photo: Photo, long_side: int) -> Preview:
        self.decoded += 1
        return Preview(1, 1, b"rgb", "image")


class Places:
    def context(self, photo: Photo, root: Path, facts: CaptureFacts) -> Context:
        return Context()


class Words:
    """Says its word of the picture's first byte."""

    name = "words"
    uses_preview = True
    uses_context = False

    def __init__(self, word: str, picture: str = "picture@1") -> None:
        self.id, self.word, self.picture_id = f"words@{word}", word, picture
        self.failure: Problem | None = None

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        vector = seen.view.preview().rgb[:1]
        return (*self._said(vector), vector_said(self.picture_id, vector))

    def rescore(self, vector: bytes) -> tuple[Observation, ...]:
        if self.failure is not None:
            raise self.failure
        return self._said(vector)

    def _said(self, vector: bytes) -> tuple[Observation, ...]:
        return (Observation(ObservationKind.LABEL, f"{self.word} {vector.decode()}"),)


class World:
    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.inspector = Inspector()

    def examine(self, stage: Words, retag: frozenset[str] = frozenset(), **crew: Any) -> Examined:
        looker = Looker(
            cast(Any, self.inspector),
            cast(Any, Places()),
            Crew((stage,), **crew),
            self.ledger,
            lambda carrier, packet: {},
            Path("/p"),
            lambda: 0.0,
        )
        self.inspector.decoded = 0
        examined = looker.examine(PHOTO, ID, retag)
        for inputs, look in examined.fresh:
            self.ledger.remember(ID, inputs, look)
        return examined


def test_changed_words_need_no_picture_and_say_what_a_look_would() -> None:
    world, other = World(), World()
    world.examine(Words("rust"))
    told = world.examine(Words("moss"))
    assert (world.inspector.decoded, told.ran) == (0, ())
    assert told.looks == other.examine(Words("moss")).looks
    assert other.inspector.decoded == 1
    known = world.examine(Words("moss"))
    assert (known.looks, known.fresh) == (told.looks, ())
    assert world.examine(Words("ivy")).looks[0].observations[0].label == "ivy r"


def test_without_the_vector_of_that_picture_the_stage_looks() -> None:
    world = World()
    assert world.examine(Words("rust")).ran == ("words",)
    examined = world.examine(Words("moss", picture="picture@2"))
    assert (world.inspector.decoded, examined.ran) == (1, ("words",))


def test_who_asks_for_a_new_look_gets_one() -> None:
    world = World()
    world.examine(Words("rust"))
    for retag in ("words", "*"):
        assert world.examine(Words("moss"), frozenset({retag})).ran == ("words",)
        assert world.inspector.decoded == 1


def test_a_vector_that_does_not_fit_is_looked_over_again_and_a_stop_is_a_stop() -> None:
    world, moss = World(), Words("moss")
    world.examine(Words("rust"))
    moss.failure = StageStopped("x", stage="words")
    with pytest.raises(StageStopped):
        world.examine(moss)
    moss.failure = StageFailed("x", stage="words", detail="does not fit")
    assert world.examine(moss).ran == ("words",)
    assert world.inspector.decoded == 1


def test_a_stage_that_cannot_run_tells_of_no_vector() -> None:
    world = World()
    world.examine(Words("rust"))
    missing = StageFailed("x", stage="words", detail="nothing is here")
    assert world.examine(Words("moss"), absent={"words": missing}).looks == ()


# --- In a process of its own -----------------------------------------------------------------


@pytest.fixture
def scoring() -> Iterator[WorkerStage]:
    recipe = {"class": f"{worker_stages.__name__}:Scoring", "settings": {}}
    stage = WorkerStage(worker_stages.Scoring(), recipe, Limits(recycle_megabytes=60))
    yield stage
    stage.close()


def seen(place: str = "") -> StageInput:
    return StageInput(View(CaptureFacts(), lambda: Preview(1, 1, b"rgb", "")), Context(name=place))


def values(said: tuple[Observation, ...]) -> dict[str, str | float | None]:
    return {one.label: one.value for one in said}


def test_a_process_tells_of_a_vector_and_goes_on_looking(scoring: WorkerStage) -> None:
    assert scoring.picture_id == worker_stages.Scoring.picture_id
    told = values(scoring.rescore(b"kept"))
    assert (told["vector"], told["looks"]) == ("kept", 0)
    looked = values(scoring.look(seen()))
    assert (looked["process"], looked["looks"]) == (told["process"], 1)
    assert values(scoring.rescore(b""))["vector"] == ""


def test_what_a_look_loads_after_a_vector_is_no_growth(scoring: WorkerStage) -> None:
    scoring.rescore(b"kept")
    for _ in range(2):
        scoring.look(seen("leak"))
    assert values(scoring.rescore(b"kept"))["looks"] == 2


def test_a_vector_that_breaks_the_process_costs_only_itself(scoring: WorkerStage) -> None:
    with pytest.raises(StageFailed, match="SIGSEGV"):
        scoring.rescore(b"crash")
    with pytest.raises(StageFailed, match="does not fit"):
        scoring.rescore(b"short")
    assert values(scoring.rescore(b"kept"))["vector"] == "kept"


def test_a_stage_without_vectors_offers_none() -> None:
    stage = WorkerStage(worker_stages.Steady(), {"class": "worker_stages:Steady", "settings": {}})
    assert stage.picture_id is None
