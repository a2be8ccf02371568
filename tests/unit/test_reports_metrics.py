"""Figures of a run: quantiles that stay true in little memory, and shares with their doubt."""

from __future__ import annotations

import json
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urbexmp.rules.metrics import ACCURACY, SHORTEST, Latencies, wilson

DURATIONS = st.lists(
    st.floats(min_value=SHORTEST, max_value=10_000, allow_nan=False), min_size=1, max_size=200
)
SHARES = st.floats(min_value=0, max_value=1, allow_nan=False)


def counted(durations: list[float]) -> Latencies:
    made = Latencies()
    for seconds in durations:
        made.add(seconds)
    return made


def nearest_rank(durations: list[float], share: float) -> float:
    return sorted(durations)[max(1, ceil(share * len(durations))) - 1]


@given(DURATIONS, SHARES)
@settings(max_examples=200)
def test_a_quantile_is_right_to_one_percent(durations: list[float], share: float) -> None:
    told = counted(durations).quantile(share)
    exact = nearest_rank(durations, share)
    assert told == pytest.approx(exact, rel=ACCURACY * 1.0001)


@given(DURATIONS, DURATIONS, SHARES)
@settings(max_examples=100)
def test_two_runs_add_up_to_one(one: list[float], other: list[float], share: float) -> None:
    both = counted(one)
    both.add_all(counted(other))
    whole = counted(one + other)
    assert (both.count, both.longest) == (whole.count, whole.longest)
    assert both.quantile(share) == whole.quantile(share)
    assert both.seconds == pytest.approx(whole.seconds)


@given(DURATIONS, SHARES)
@settings(max_examples=100)
def test_what_a_history_keeps_is_read_back(durations: list[float], share: float) -> None:
    made = counted(durations)
    back = Latencies.from_data(json.loads(json.dumps(made.data())))
    assert back.count == made.count
    assert back.quantile(share) == pytest.approx(made.quantile(share), rel=1e-5)
    assert back.data() == made.data()


def test_memory_does_not_grow_with_the_number_of_photos() -> None:
    made = Latencies()
    for number in range(200_000):
        made.add((number % 9973 + 1) * 1e-5)
    assert len(made.data()["buckets"]) < 1100


def test_nothing_measured_has_no_quantile() -> None:
    assert Latencies().quantile(0.5) is None
    assert Latencies().data()["p99"] is None


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-12])
def test_too_short_to_measure_counts_as_next_to_nothing(seconds: float) -> None:
    told = counted([seconds]).quantile(0.5)
    assert told is not None
    assert 0 <= told <= SHORTEST * 1.01


@given(st.integers(0, 500), st.integers(1, 500))
@settings(max_examples=200)
def test_the_share_lies_within_its_bounds(right: int, more: int) -> None:
    of = right + more
    low, high = wilson(right, of) or (1.0, 0.0)
    assert 0 <= low <= right / of <= high <= 1
    closer = wilson(right * 10, of * 10)
    assert closer is not None
    assert closer[1] - closer[0] < high - low


def test_known_values_of_wilsons_interval() -> None:
    # Published example (Newcombe 1998, table I): 81 of 263 gives 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 0) is None
    low, high = wilson(3, 3) or (0.0, 0.0)
    assert 0.43 < low < 0.45
    assert high == 1.0
