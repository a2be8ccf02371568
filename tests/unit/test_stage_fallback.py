"""What happens at a photo when one of its stages fails: who looks instead, and what is kept."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

from urbexmp.adapters.memory_ledger import MemoryLedger
from urbexmp.model.errors import Problem, Undecodable
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    Preview,
    StageInput,
)
from urbexmp.model.photo import FileKind, FileStat, Photo, PhotoId
from urbexmp.model.stage_errors import (
    ExtraMissing,
    StageFailed,
    StageStopped,
    StageTimeout,
    WeightsMissing,
)
from urbexmp.pipeline.look import Crew, Examined, Looker
from urbexmp.rules.vectors import vector_said

PHOTO = Photo(Path("/p/a.jpg"), FileKind.JPEG, FileStat(1, 2, 3), (), ())
ID = PhotoId("a" * 64)


class Inspector:
    def together(self) -> nullcontext[None]:
        return nullcontext()

    def facts(self, path: Path) -> CaptureFacts:
        return CaptureFacts(make="Ricoh")

    def preview(self, photo: Photo, long_side: int) -> Preview:
        return Preview(1, 1, b"rgb", "image")


class Places:
    def context(self, photo: Photo, root: Path, facts: CaptureFacts) -> Context:
        return Context()


class Model:
    """Says its own name, or raises."""

    uses_preview = False
    uses_context = False

    def __init__(self, name: str, failure: Problem | None = None) -> None:
        self.name, self.id, self.failure = name, f"{name}@1", failure
        self.looks = 0
        self.seen: StageInput | None = None

    def look(self, seen: StageInput) -> tuple[Observation, ...]:
        self.looks += 1
        self.seen = seen
        if self.failure is not None:
            raise self.failure
        return (Observation(ObservationKind.LABEL, self.name), vector_said(self.name, b"12"))


class World:
    def __init__(self, *stages: Model, **crew: Any) -> None:
        self.ledger = MemoryLedger()
        self.looker = Looker(
            cast(Any, Inspector()),
            cast(Any, Places()),
            Crew(stages, **crew),
            self.ledger,
            lambda carrier, packet: {},
            Path("/p"),
            lambda: 0.0,
        )

    def examine(self) -> Examined:
        examined = self.looker.examine(PHOTO, ID)
        for inputs, look in examined.fresh:
            self.ledger.remember(ID, inputs, look)
        return examined


def failed(detail: str = "out of memory") -> StageFailed:
    return StageFailed("stage florence", stage="florence", detail=detail)


def names(examined: Examined) -> list[str]:
    return [look.stage.partition("@")[0] for look in examined.looks]


FALLBACK = {"ram": "florence"}


def test_who_stands_in_looks_only_where_the_other_one_failed() -> None:
    florence, ram = Model("florence"), Model("ram")
    world = World(florence, ram, stand_ins=FALLBACK)
    assert names(world.examine()) == ["florence"]
    assert ram.looks == 0
    florence.failure = failed()
    world = World(Model("pixels"), florence, ram, stand_ins=FALLBACK)
    examined = world.examine()
    assert (names(examined), examined.ran) == (["pixels", "ram"], ("pixels", "ram"))
    told = "florence failed (out of memory); ram looked instead"
    assert [str(each) for each in examined.fallen] == [told]


@pytest.mark.parametrize(
    "failure",
    [
        failed(),
        StageTimeout("x", stage="florence", seconds="120"),
        ExtraMissing("x", stage="florence", package="torch", extra="torch"),
    ],
)
def test_every_failure_at_run_time_has_the_other_one_look(failure: Problem) -> None:
    examined = World(Model("florence", failure), Model("ram"), stand_ins=FALLBACK).examine()
    assert names(examined) == ["ram"]
    assert "\n" not in str(examined.fallen[0])


def test_a_look_that_failed_is_not_kept_so_it_is_tried_again() -> None:
    florence, ram = Model("florence", failed()), Model("ram")
    world = World(florence, ram, stand_ins=FALLBACK)
    world.examine()
    florence.failure = None
    examined = world.examine()
    assert (names(examined), examined.ran, examined.fallen) == (["florence"], ("florence",), ())


def test_without_anyone_to_stand_in_the_photo_fails() -> None:
    with pytest.raises(StageFailed) as failure:
        World(Model("pixels"), Model("florence", failed())).examine()
    assert str(failure.value).startswith("/p/a.jpg: stage florence failed: out of memory")
    ram = Model("ram", StageFailed("x", stage="ram", detail="too"))
    with pytest.raises(StageFailed, match="ram"):
        World(Model("florence", failed()), ram, stand_ins=FALLBACK).examine()


def test_where_the_profile_skips_the_photo_goes_on_without() -> None:
    examined = World(Model("pixels"), Model("florence", failed()), skips=True).examine()
    assert names(examined) == ["pixels"]
    assert [str(each) for each in examined.fallen] == [
        "florence failed (out of memory); went on without it"
    ]


def test_a_stage_that_cannot_run_is_not_asked_and_what_it_said_once_counts() -> None:
    missing = WeightsMissing("x", stage="florence", model="m", size="1 GB")
    florence = Model("florence")
    world = World(florence)
    world.examine()
    again = World(florence, absent={"florence": missing})
    assert names(again.examine()) == []
    again.ledger = world.ledger
    again.looker._ledger = world.ledger
    assert names(again.examine()) == ["florence"]
    assert florence.looks == 1


def test_a_stage_that_cannot_run_keeps_nothing_of_the_photos_it_did_not_look_at() -> None:
    """Raised again and again, one problem would hold the frames of every photo of a run."""
    missing = WeightsMissing("x", stage="florence", model="m", size="1 GB")
    world = World(Model("florence"), absent={"florence": missing})
    for _ in range(3):
        world.examine()
    assert missing.__traceback__ is None


def test_what_stands_in_but_cannot_run_saves_no_photo() -> None:
    missing = WeightsMissing("x", stage="ram", model="m", size="1 GB")
    world = World(
        Model("florence", failed()), Model("ram"), stand_ins=FALLBACK, absent={"ram": missing}
    )
    with pytest.raises(StageFailed):
        world.examine()


@pytest.mark.parametrize(
    "failure", [Undecodable("x", detail="cut short"), StageStopped("x", stage="florence")]
)
def test_a_broken_picture_or_a_stop_is_nobodys_to_stand_in_for(failure: Problem) -> None:
    world = World(Model("florence", failure), Model("ram"), stand_ins=FALLBACK, skips=True)
    with pytest.raises(type(failure)):
        world.examine()


def test_vectors_are_for_the_ledger_alone() -> None:
    florence, last = Model("florence"), Model("last")
    world = World(florence, last)
    first = world.examine()
    assert world.examine().looks == first.looks
    assert all(
        one.kind is not ObservationKind.EMBEDDING
        for look in first.looks
        for one in look.observations
    )
    assert last.seen is not None
    assert last.seen.earlier == first.looks[:1]
    assert world.ledger.vector(ID, "florence") == b"12"


def test_a_picture_is_decoded_once_for_all_stages_and_not_for_those_that_know() -> None:
    class Seeing(Model):
        def look(self, seen: StageInput) -> tuple[Observation, ...]:
            assert seen.view.preview() is seen.view.preview()
            return super().look(seen)

    world = World(Seeing("pixels"), Seeing("siglip"), Seeing("ocr"))
    decoded = []

    def preview(photo: Photo, long_side: int) -> Preview:
        decoded.append(long_side)
        return Preview(1, 1, b"rgb", "image")

    world.looker._inspector.preview = preview  # type: ignore[method-assign]
    assert world.examine().ran == ("pixels", "siglip", "ocr")
    assert len(decoded) == 1
    assert world.examine().ran == ()
    assert len(decoded) == 1
