"""How many requests go at a time: as many as help, fewer when a server says so."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.rules.pacing import Pace, Rate
from urbexmp.rules.spending import Budget, Spent


def settled(most: int, seconds_of: object, rounds: int = 400) -> Pace:
    """A pace after many replies of a server that needs `seconds_of(n)` with n requests."""
    pace = Pace(most, number=1.0)
    for _ in range(rounds):
        under_way = pace.allowed
        pace = pace.answered(seconds_of(under_way), under_way)  # type: ignore[operator]
    return pace


def test_a_server_that_does_all_at_once_gets_all() -> None:
    assert settled(16, lambda n: 2.0).allowed == 16


def test_a_server_that_does_one_after_the_other_gets_few() -> None:
    assert settled(16, lambda n: 2.0 * n).allowed <= 3


def test_a_server_that_does_four_at_once_gets_about_so_many() -> None:
    assert 4 <= settled(32, lambda n: 2.0 * max(1.0, n / 4)).allowed <= 7


@given(
    st.integers(1, 64),
    st.lists(st.one_of(st.none(), st.floats(0, 1e4, allow_nan=False)), max_size=80),
)
def test_it_always_lets_one_go_and_never_more_than_allowed(
    most: int, replies: list[float | None]
) -> None:
    pace = Pace(most, number=min(2.0, most))
    for seconds in replies:
        before = pace.number
        if seconds is None:
            pace = pace.refused()
            assert pace.number <= before
        else:
            pace = pace.answered(seconds, pace.allowed)
            assert pace.number <= before + 1.0
        assert 1 <= pace.allowed <= most


@given(st.floats(0.01, 100), st.integers(2, 32))
def test_refusals_bring_it_down_to_one_soon(seconds: float, most: int) -> None:
    pace = settled(most, lambda n: seconds)
    for _ in range(6):
        pace = pace.refused()
    assert pace.allowed == 1


def test_requests_that_leave_room_tell_nothing_about_more() -> None:
    pace = Pace(8, number=4.0)
    for _ in range(50):
        pace = pace.answered(1.0, 1)
    assert pace.allowed == 4


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 30), min_size=1, max_size=40))
def test_a_rate_is_kept_over_any_minute(per_minute: float, gaps: list[float]) -> None:
    rate, now, gone = Rate(per_minute), 0.0, []
    for gap in gaps:
        now += gap
        wait, rate = rate.taken(now)
        assert wait >= 0
        gone.append(now + wait)
    spacing = 60 / per_minute
    assert all(later - earlier >= spacing * 0.999 for earlier, later in pairwise(gone))


def test_no_rate_is_no_wait() -> None:
    assert Rate(0).taken(5.0)[0] == 0.0


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 500)), max_size=30))
def test_spending_adds_up_and_a_reached_limit_stays_reached(used: list[tuple[int, int]]) -> None:
    budget = Budget(10, 20_000, 0.05, 2.0, 8.0)
    spent, over = Spent(), False
    for tokens_in, tokens_out in used:
        spent = spent.asked().answered(tokens_in, tokens_out)
        assert not over or spent.over(budget)
        over = spent.over(budget) is not None
    assert spent.requests == len(used)
    cost = sum(2.0 * first + 8.0 * second for first, second in used) / 1e6
    assert spent.money(budget) == pytest.approx(cost)
    assert Spent(10**6, 10**9, 10**9).over(Budget()) is None
