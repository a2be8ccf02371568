"""What a watch counted goes along when it begins anew, and to nobody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from unit.watch_world import World
from urbexmp.cli.anew import SO_FAR, SoFar, so_far
from urbexmp.drivers.watch import Watch

SINCE = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    root = tmp_path / "library"
    (root / "Old Hospital").mkdir(parents=True)
    return World(root, tmp_path / "state")


def test_a_fresh_process_goes_on_where_the_last_one_stopped(world: World) -> None:
    tending = world.tending
    tending.counts.done, tending.counts.failed, tending.counts.written = 40, 2, 31
    tending.counts.add_imported(world.root / "card" / "a.jpg", 0.0)
    environ = {SO_FAR: so_far([tending], SINCE, 7), "OTHER": "x"}
    tending.counts = type(tending.counts)()
    taken = SoFar.taken(environ, 7)
    assert environ == {"OTHER": "x"}, "no process begun by it finds it"
    assert taken.since == SINCE
    assert taken.add_to([tending]) == 40
    counts = tending.counts
    assert (counts.done, counts.failed, counts.written, counts.imported) == (40, 2, 31, 1)
    assert counts.take_imported() == (1, world.root / "card")


@pytest.mark.parametrize(
    "told",
    [
        "",
        "{torn",
        "[]",
        json.dumps({"pid": 8, "since": SINCE.isoformat(), "libraries": {}}),
        json.dumps({"pid": 7, "since": "yesterday", "libraries": {}}),
        json.dumps({"pid": 7, "since": SINCE.isoformat(), "libraries": {"/l": {"done": "x"}}}),
        json.dumps({"pid": 7, "since": SINCE.isoformat(), "libraries": [1]}),
    ],
)
def test_what_this_process_did_not_leave_counts_for_nothing(told: str, world: World) -> None:
    taken = SoFar.taken({SO_FAR: told}, 7)
    assert taken == SoFar()
    assert taken.add_to([world.tending]) == 0
    assert world.tending.counts.done == 0


def test_the_rate_does_not_begin_with_what_was_done_before(world: World) -> None:
    world.tending.counts.done = 5000
    world.watch = Watch([world.tending], world.watch._outside, SINCE)
    world.put(1)
    world.run(60)
    last = world.beats[-1]
    assert (last.done, last.since) == (5001, SINCE)
    assert last.rate_per_minute <= 60
