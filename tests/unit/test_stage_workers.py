"""Stages in processes of their own: what they are shown, and what happens when one breaks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import worker_stages
from urbexmp.adapters.stages import room
from urbexmp.adapters.stages.workers import CRASHES, Limits, WorkerStage
from urbexmp.model.errors import Undecodable
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
from urbexmp.model.stage_errors import ExtraMissing, StageFailed, StageStopped, StageTimeout
from worker_stages import Doing, Steady, Together

Make = Callable[..., WorkerStage]

USUAL = Limits()


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[WorkerStage] = []

    def build(kind: type[Steady], limits: Limits = USUAL, **settings: object) -> WorkerStage:
        recipe = {"class": f"{worker_stages.__name__}:{kind.__name__}", "settings": settings}
        made.append(WorkerStage(kind(**settings), recipe, limits))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for stage in made:
        stage.close()


def seen(place: str = "", *earlier: StageLook) -> StageInput:
    picture = Preview(2, 1, bytes((1, 2, 3, 4, 5, 6)), "image")
    facts = CaptureFacts(make="Ricoh", subject_distance=float("inf"))
    return StageInput(View(facts, lambda: picture), Context(name=place), earlier)


def values(said: tuple[Observation, ...]) -> dict[str, str | float | None]:
    return {one.label: one.value for one in said}


def alive(process: object) -> bool:
    try:
        os.kill(int(str(process).partition(".")[0]), 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_is_shown_all_that_a_stage_may_use_and_stays(make: Make) -> None:
    stage = make(Steady)
    region = (0.1, 0.2, 0.3, 0.4)
    before = StageLook(
        "camera@1", (Observation(ObservationKind.VIEW, "interior", 0.9, region=region),)
    )
    first = stage.look(seen("Mill", before))
    told = values(first)
    assert told["picture"] == "2x1 010203"
    assert (told["place"], told["camera"], told["looks"]) == ("Mill", "Ricoh", 1)
    assert first[-1] == before.observations[0]
    second = values(stage.look(seen("Mill")))
    assert (second["process"], second["looks"]) == (told["process"], 2)
    assert second["process"] != os.getpid()


def test_it_ends_with_its_stage(make: Make) -> None:
    stage = make(Steady)
    process = values(stage.look(seen()))["process"]
    assert alive(process)
    stage.close()
    assert not alive(process)


def test_a_picture_that_cannot_be_decoded_costs_no_process(make: Make) -> None:
    def broken() -> Preview:
        raise Undecodable("x.jpg", detail="cut short")

    stage = make(Steady)
    with pytest.raises(Undecodable):
        stage.look(StageInput(View(CaptureFacts(), broken), Context()))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("crash", "SIGSEGV (about to touch what is not there)"),
        ("exit", "exit code 7"),
        ("killed", "SIGKILL, most likely for want of memory"),
    ],
)
def test_a_crash_is_that_photos_failure_with_its_reason(make: Make, what: str, said: str) -> None:
    stage = make(Doing)
    with pytest.raises(StageFailed) as failure:
        stage.look(seen(what))
    assert said in str(failure.value)
    assert values(stage.look(seen()))["looks"] == 1


def test_a_crash_is_tried_again_in_a_fresh_process(make: Make, tmp_path: Path) -> None:
    stage = make(Doing, marker=str(tmp_path / "crashed"))
    assert values(stage.look(seen("crash once")))["looks"] == 1
    assert (tmp_path / "crashed").exists()


def test_a_stage_that_keeps_crashing_rests(make: Make, tmp_path: Path) -> None:
    stage = make(Doing)
    for _ in range(CRASHES):
        with pytest.raises(StageFailed):
            stage.look(seen("exit"))
    with pytest.raises(StageFailed, match="so it rests"):
        stage.look(seen())


def test_a_look_that_takes_too_long_is_ended(make: Make) -> None:
    stage = make(Doing, Limits(seconds=0.3, load_seconds=30))
    process = values(stage.look(seen()))["process"]
    with pytest.raises(StageTimeout, match=r"no answer within 0\.3 s"):
        stage.look(seen("sleep"))
    assert not alive(process)
    assert values(stage.look(seen()))["looks"] == 1


def test_an_error_in_a_model_is_a_failure_and_the_process_stays(make: Make) -> None:
    stage = make(Doing)
    process = values(stage.look(seen()))["process"]
    with pytest.raises(StageFailed, match="RuntimeError: CUDA out of memory"):
        stage.look(seen("raise"))
    assert values(stage.look(seen()))["process"] == process


def test_a_problem_comes_across_as_what_it_is(make: Make) -> None:
    with pytest.raises(ExtraMissing) as failure:
        make(Doing).look(seen("missing"))
    assert "pip install 'urbexmp[torch]'" in str(failure.value)


def test_a_stage_that_cannot_be_built_there_says_why(make: Make) -> None:
    stage = make(worker_stages.Unbuildable, here=os.getpid())
    with pytest.raises(StageFailed, match="no such device"):
        stage.look(seen())


def test_another_stage_than_expected_gives_no_answer() -> None:
    recipe = {"class": "worker_stages:Steady", "settings": {"version": "2"}}
    stage = WorkerStage(Steady(version="1"), recipe)
    with pytest.raises(StageFailed, match="changed meanwhile"):
        stage.look(seen())
    stage.close()


def test_a_process_is_replaced_after_so_many_looks(make: Make) -> None:
    stage = make(Doing, Limits(recycle_photos=2))
    looks = [values(stage.look(seen()))["looks"] for _ in range(5)]
    assert looks == [1, 2, 1, 2, 1]


def test_a_process_that_grows_is_replaced(make: Make) -> None:
    stage = make(Doing, Limits(recycle_megabytes=60))
    stage.look(seen())
    looks = [values(stage.look(seen("leak")))["looks"] for _ in range(3)]
    assert looks == [2, 3, 1]


def test_threads_share_processes(make: Make) -> None:
    stage = make(Steady, Limits(processes=2))
    told = in_threads(8, lambda number: stage.look(seen(f"place {number}")))
    assert [values(one)["place"] for one in told] == [f"place {number}" for number in range(8)]
    assert len({values(one)["process"] for one in told}) <= 2


def many_looks(stage: WorkerStage, threads: int = 6, looks: int = 12) -> set[object]:
    """The processes in which a crowd of photos was looked at."""
    found: list[object] = []

    def look(_: int) -> tuple[Observation, ...]:
        for _ in range(looks):
            found.append(values(stage.look(seen()))["process"])
        return ()

    in_threads(threads, look)
    assert len(found) == threads * looks
    return set(found)


@pytest.mark.parametrize(
    ("kind", "free", "cores", "processes"),
    [
        (Steady, 2**50, 2, 2),
        (Steady, 2**50, 1, 1),
        (Steady, 1, 4, 1),
        (Steady, None, 4, 1),
        (worker_stages.OnCard, 2**50, 4, 1),
    ],
)
def test_another_process_is_begun_where_photos_queue_up_and_it_fits(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Steady],
    free: int | None,
    cores: int,
    processes: int,
) -> None:
    monkeypatch.setattr(room, "available_bytes", lambda: free)
    monkeypatch.setattr(room, "cores", lambda: cores)
    monkeypatch.setattr("urbexmp.rules.pacing_workers.WORTH", 1000.0)
    assert len(many_looks(make(kind))) == processes


def test_a_process_that_is_no_gain_is_ended(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "available_bytes", lambda: 2**50)
    monkeypatch.setattr(room, "cores", lambda: 2)
    monkeypatch.setattr("urbexmp.rules.pacing_workers.WORTH", 0.0)
    monkeypatch.setattr("urbexmp.rules.pacing_workers.WINDOW", 3)
    # Looks of a millisecond tell of the machine, which may be busy now and free then.
    monkeypatch.setattr("urbexmp.rules.pacing_workers.EASED", 0.0)
    stage = make(Steady)
    told = many_looks(stage, looks=120)
    assert len(told) == 2
    assert sum(map(alive, told)) == 1
    assert alive(values(stage.look(seen()))["process"])


def test_photos_that_wait_are_looked_at_together(make: Make) -> None:
    stage = make(Together)
    told = in_threads(6, lambda number: stage.look(seen(f"place {number}")))
    assert [values(one)["place"] for one in told] == [f"place {number}" for number in range(6)]
    assert any(values(one).get("together", 0) for one in told)


def test_what_fails_together_is_looked_at_one_by_one(make: Make) -> None:
    stage = make(Together)
    told = in_threads(5, lambda _: stage.look(seen("alone")))
    assert [values(one)["place"] for one in told] == ["alone"] * 5
    assert not any("together" in values(one) for one in told)


def test_a_look_is_broken_off_soon_after_a_person_asked(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urbexmp.adapters.stages.child.STOP_SECONDS", 0.1)
    stage = make(Doing)
    process = values(stage.look(seen()))["process"]
    asked = threading.Event()
    stage.stopping = asked.is_set
    timer = threading.Timer(0.1, asked.set)
    timer.start()
    with pytest.raises(StageStopped):
        stage.look(seen("sleep"))
    timer.join()
    assert not alive(process)
    with pytest.raises(StageStopped):
        stage.look(seen())


@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
def test_a_terminals_ctrl_c_does_not_reach_a_process(make: Make) -> None:
    stage = make(Steady)
    process = int(float(str(values(stage.look(seen()))["process"])))
    assert os.getpgid(process) != os.getpgrp()
    os.kill(process, signal.SIGINT)
    assert values(stage.look(seen()))["process"] == process


PARENT = """
import sys, worker_stages
from urbexmp.adapters.stages.workers import WorkerStage
from urbexmp.model.observation import CaptureFacts, Context, StageInput, View
recipe = {"class": "worker_stages:Doing", "settings": {}}
stage = WorkerStage(worker_stages.Doing(), recipe)
seen = lambda place: StageInput(View(CaptureFacts(), None), Context(name=place))
print(int(stage.look(seen(""))[0].value), flush=True)
stage.look(seen("sleep"))
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_a_process_ends_with_its_parent_in_the_middle_of_a_look() -> None:
    path = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        (sys.executable, "-c", PARENT),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    ) as parent:
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        until = time.monotonic() + 20
        while _runs(process) and time.monotonic() < until:
            os.sched_yield()
        assert not _runs(process)


def _runs(process: int) -> bool:
    """Whether a process that is not our child is there, and not only waiting to be collected."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return Path("/proc/self").exists() is False and alive(process)
    return state != "Z"


def in_threads(
    number: int, look: Callable[[int], tuple[Observation, ...]]
) -> list[tuple[Observation, ...]]:
    told: dict[int, tuple[Observation, ...]] = {}
    threads = [
        threading.Thread(target=lambda at=at: told.update({at: look(at)})) for at in range(number)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [told[at] for at in range(number)]
