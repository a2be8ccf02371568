"""Hours and the other choices of when a watch works."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.model.errors import ConfigProblem
from urbexmp.model.profile import Profile, Settings
from urbexmp.rules.profile import load_settings
from urbexmp.rules.working_hours import DAYS, parse_hours

MONDAY = datetime(2026, 11, 16)  # noqa: DTZ001  (a local time has no zone here)


def at(day: str, clock: str) -> datetime:
    hour, minute = clock.split(":")
    number = next(n for n, name in enumerate(DAYS) if name.startswith(day))
    return MONDAY + timedelta(days=number, hours=int(hour), minutes=int(minute))


def settings(**values: Any) -> Settings:
    return load_settings(values, lambda *keys: 1, "mine.toml", {}, {})


@pytest.mark.parametrize(
    ("hours", "day", "clock", "open_"),
    [
        ("", "Mon", "12:00", True),
        ("22:00-06:00", "Mon", "21:59", False),
        ("22:00-06:00", "Mon", "22:00", True),
        ("22:00-06:00", "Mon", "05:59", True),
        ("22:00-06:00", "Mon", "06:00", False),
        ("9:00-17:30", "Wed", "17:29", True),
        ("9:00-17:30", "Wed", "17:30", False),
        ("00:00-24:00", "Sun", "23:59", True),
        ("22:00-24:00", "Sun", "00:00", False),
        ("Mon-Fri 22:00-06:00", "Fri", "23:00", True),
        ("Mon-Fri 22:00-06:00", "Sat", "05:00", True),  # Friday's night
        ("Mon-Fri 22:00-06:00", "Mon", "05:00", False),  # Sunday's night
        ("Mon-Fri 22:00-06:00", "Sat", "22:00", False),
        ("Sun 22:00-06:00", "Mon", "05:00", True),
        ("Sat-Mon 08:00-09:00", "Sun", "08:30", True),
        ("Sat-Mon 08:00-09:00", "Tue", "08:30", False),
        ("sat, Sunday 00:00-24:00; 12:00 - 13:00", "Sun", "03:00", True),
        ("sat, Sunday 00:00-24:00; 12:00 - 13:00", "Thu", "12:30", True),
        ("sat, Sunday 00:00-24:00; 12:00 - 13:00", "Thu", "13:00", False),
    ],
)
def test_open_or_shut(hours: str, day: str, clock: str, open_: bool) -> None:
    assert parse_hours(hours).cover(at(day, clock)) is open_


@given(st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1), st.integers(0, 7 * 24 * 60 - 1))
def test_a_span_and_the_one_from_its_end_to_its_start_share_the_day(
    start: int, end: int, moment: int
) -> None:
    if start == end:
        return
    one, other = (f"{n // 60:02}:{n % 60:02}" for n in (start, end))
    when = MONDAY + timedelta(minutes=moment)
    here = parse_hours(f"{one}-{other}").cover(when)
    there = parse_hours(f"{other}-{one}").cover(when)
    assert here != there


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at night", "is not hours such as"),
        ("night", "is not hours such as"),
        ("22-6", "is not a time from 00:00 to 24:00"),
        ("25:00-06:00", "'25:00' is not a time"),
        ("22:60-06:00", "'22:60' is not a time"),
        ("24:01-06:00", "'24:01' is not a time"),
        ("24:00-06:00", "the next day starts at 00:00"),
        ("06:00-06:00", "a whole day is 00:00-24:00"),
        ("Foo 22:00-06:00", "'Foo' is not a day"),
        ("Mo 22:00-06:00", "'Mo' is not a day"),
    ],
)
def test_a_mistake_in_a_profile_is_told_in_a_sentence(text: str, told: str) -> None:
    with pytest.raises(ConfigProblem) as caught:
        settings(work_hours=text)
    assert "work_hours" in str(caught.value)
    assert told in str(caught.value)


def test_a_settling_time_above_its_longest_is_refused() -> None:
    with pytest.raises(ConfigProblem, match="no file would ever be complete"):
        settings(settle_seconds=30, settle_longest_seconds=10.0)


def test_when_a_watch_works_plans_no_library_anew() -> None:
    nightly = settings(
        work_hours="22:00-06:00", on_battery="pause", nice=19, notify=True, sweep_minutes=1
    )
    assert nightly.profile.work_hours == "22:00-06:00"
    assert nightly.profile.digest == Profile(name="mine").digest
    assert settings(threshold=0.6).profile.digest != nightly.profile.digest
