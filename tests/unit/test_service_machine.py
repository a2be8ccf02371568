"""Power, hours, priority and memory, as a watch asks for them."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from urbexmp.adapters.background.conditions import MachineConditions
from urbexmp.adapters.background.power import _said_by_pmset, discharging, on_battery
from urbexmp.adapters.background.priority import (
    THREAD_VARIABLES,
    limit_threads,
    resident_bytes,
)
from urbexmp.model.profile import Profile
from urbexmp.rules.recycling import why_recycle

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def supply(folder: Path, name: str, **values: str) -> None:
    (folder / name).mkdir()
    for key, value in values.items():
        (folder / name / key).write_text(value + "\n")


def test_a_laptop_without_its_plug_is_on_battery(tmp_path: Path) -> None:
    supply(tmp_path, "AC", type="Mains", online="0")
    supply(tmp_path, "BAT0", type="Battery", status="Discharging", scope="System")
    assert discharging(tmp_path)


@pytest.mark.parametrize("feeder", ["Mains", "USB"])
def test_with_its_plug_it_is_not(tmp_path: Path, feeder: str) -> None:
    supply(tmp_path, "BAT0", type="Battery", status="Discharging")
    supply(tmp_path, "feeder", type=feeder, online="1")
    assert not discharging(tmp_path)


def test_the_battery_of_a_mouse_is_not_the_machines(tmp_path: Path) -> None:
    supply(tmp_path, "hid-mouse", type="Battery", status="Discharging", scope="Device")
    assert not discharging(tmp_path)


def test_a_full_battery_and_a_machine_without_any_count_as_mains(tmp_path: Path) -> None:
    assert not discharging(tmp_path)
    supply(tmp_path, "BAT0", type="Battery", status="Full")
    assert not discharging(tmp_path)
    assert not discharging(tmp_path / "none")


def test_what_macos_says() -> None:
    drawing = "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t87%; discharging\n"
    assert _said_by_pmset(drawing)
    assert not _said_by_pmset(drawing.replace("Battery Power", "AC Power"))
    assert not _said_by_pmset("")


def test_this_machine_answers() -> None:
    assert on_battery() in (True, False)


def conditions(battery: bool = False, **choices: object) -> MachineConditions:
    profile = dataclasses.replace(Profile(), **choices)  # type: ignore[arg-type]
    return MachineConditions(lambda: profile, lambda: battery, lambda now: now)


def test_the_reason_to_pause_is_told() -> None:
    nightly = conditions(work_hours="22:00-06:00", on_battery="pause", battery=True)
    assert nightly.may_work(NOON) == "outside working hours 22:00-06:00"
    assert nightly.may_work(NOON.replace(hour=23)) == "on battery"
    assert conditions(battery=True).may_work(NOON) is None
    assert conditions(on_battery="pause").may_work(NOON) is None


def test_hours_are_meant_by_the_clock_on_the_wall() -> None:
    there = timezone(timedelta(hours=11))
    profile = dataclasses.replace(Profile(), work_hours="22:00-06:00")
    here = MachineConditions(lambda: profile, bool, lambda now: now.astimezone(there))
    assert here.may_work(NOON) is None


def test_a_plug_pulled_is_seen_within_seconds_and_not_asked_for_at_every_photo() -> None:
    asked: list[bool] = []

    def battery() -> bool:
        asked.append(True)
        return len(asked) > 1

    profile = dataclasses.replace(Profile(), on_battery="pause")
    machine = MachineConditions(lambda: profile, battery, lambda now: now)
    told = [machine.may_work(NOON + timedelta(seconds=n)) for n in range(30)]
    assert told[0] is None
    assert told[-1] == "on battery"
    assert len(asked) == 2
    assert machine.may_work(NOON - timedelta(days=1)) == "on battery"
    assert len(asked) == 3


def test_a_profile_that_was_read_again_counts_at_once() -> None:
    hours = [""]
    machine = MachineConditions(
        lambda: dataclasses.replace(Profile(), work_hours=hours[0]), bool, lambda now: now
    )
    assert machine.may_work(NOON) is None
    hours[0] = "22:00-06:00"
    assert machine.may_work(NOON) == "outside working hours 22:00-06:00"
    hours[0] = " "
    assert machine.may_work(NOON) is None


@pytest.mark.parametrize(
    ("photos", "megabytes", "why"),
    [
        (1000, 2048, "it holds 2,048 MB"),
        (1000, 1023, None),
        (100, 2048, None),  # it would never get on
        (5000, 10, "after 5,000 photos"),
        (1000, None, None),
    ],
)
def test_a_watch_begins_anew_when_it_has_grown(
    photos: int, megabytes: int | None, why: str | None
) -> None:
    profile = dataclasses.replace(Profile(), recycle_photos=5000, recycle_megabytes=1024)
    held = None if megabytes is None else megabytes * 2**20
    assert why_recycle(profile, photos, held) == why
    never = dataclasses.replace(profile, recycle_photos=0, recycle_megabytes=0)
    assert why_recycle(never, photos, held) is None


PROBE = """
import json, os, subprocess, sys
from urbexmp.adapters.background.priority import stand_back
failed = stand_back(int(sys.argv[1]))
again = stand_back(int(sys.argv[1]))
said = subprocess.run(["ionice", "-p", str(os.getpid())], capture_output=True, text=True).stdout
print(json.dumps([failed, os.nice(0), said.strip()]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ionice is Linux's")
@pytest.mark.parametrize(("nice", "disk"), [(10, "idle"), (0, "none: prio 0")])
def test_it_stands_back(nice: int, disk: str) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, str(nice)], capture_output=True, env=environ, check=True
    )
    failed, found, said = json.loads(ran.stdout)
    assert failed == []
    assert found == max(nice, os.nice(0))
    assert said == disk or nice == 0


def test_a_thread_limit_is_set_where_nobody_said_otherwise() -> None:
    environ = {"OMP_NUM_THREADS": "7"}
    limit_threads(2, environ)
    assert environ["OMP_NUM_THREADS"] == "7"
    assert {environ[name] for name in THREAD_VARIABLES} == {"7", "2"}
    untouched: dict[str, str] = {}
    limit_threads(0, untouched)
    assert untouched == {}


@pytest.mark.skipif(sys.platform == "win32", reason="not known there")
def test_memory_that_is_taken_is_seen() -> None:
    before = resident_bytes()
    held = bytearray(os.urandom(1)) * 64_000_000
    after = resident_bytes()
    assert before is not None
    assert after is not None
    assert after - before > 32_000_000
    assert len(held) == 64_000_000
