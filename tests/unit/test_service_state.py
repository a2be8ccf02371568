"""The state of a watch as supervisors and `status` read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.model.background import WatchState

NOW = datetime(2026, 11, 20, 9, 30, 15, 250_000, tzinfo=UTC)

times = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
counts = st.integers(0, 10**6)
states = st.builds(
    WatchState,
    pid=counts,
    since=times,
    at=times,
    phase=st.sampled_from(("scanning", "watching", "paused")),
    roots=st.lists(st.sampled_from((Path("/photos"), Path("/a b/ä"))), max_size=3).map(tuple),
    queued=counts,
    settling=counts,
    done=counts,
    failed=counts,
    rate_per_minute=st.floats(0, 1e6),
    last_sweep=st.none() | times,
    next_sweep=st.none() | times,
    paused_for=st.none() | st.text(max_size=20),
)


@given(states)
def test_comes_back_from_json(state: WatchState) -> None:
    assert WatchState.from_plain(json.loads(json.dumps(state.to_plain()))) == state


def test_times_are_utc_text_whatever_the_zone() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=-5)))
    plain = WatchState(1, there, there, "watching").to_plain()
    assert plain["at"] == "2026-11-20T09:30:15.250000Z"


def test_a_newer_version_may_say_more() -> None:
    plain = WatchState(1, NOW, NOW, "watching").to_plain() | {"mood": "fine"}
    assert WatchState.from_plain(plain).pid == 1


@pytest.mark.parametrize(
    "junk", [None, [], "x", {}, {"pid": 1}, {"pid": 1, "since": 3, "at": 3, "phase": "x"}]
)
def test_junk_is_told_as_junk(junk: object) -> None:
    with pytest.raises(ValueError, match="not the state"):
        WatchState.from_plain(junk)
