"""How many requests go at a time: as many as help, fewer when a server says so."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.rules.pacing import RESTS, STEP, Pace, Rate
from urbexmp.rules.spending import Budget, Spent


def settled(most: int, seconds_of: Callable[[int], float], replies: int = 1200) -> float:
    """The usual number for a server that needs `seconds_of(n)` with n requests under way."""
    pace, late = Pace(most), []
    for number in range(replies):
        under_way = pace.allowed
        pace = pace.answered(seconds_of(under_way), under_way)
        if number > replies // 2:
            late.append(under_way)
    return median(late)


def scattered(seed: int) -> Callable[[], float]:
    """Replies of different length: a third of them takes twice as long or half."""
    chance = Random(seed)
    return lambda: chance.lognormvariate(0, 0.4)


@pytest.mark.parametrize("seed", range(5))
def test_a_server_that_does_all_at_once_gets_all(seed: int) -> None:
    length = scattered(seed)
    assert settled(16, lambda n: 2.0 * length()) >= 12


@pytest.mark.parametrize("seed", range(5))
def test_a_server_that_does_one_after_the_other_gets_few(seed: int) -> None:
    length = scattered(seed)
    assert settled(16, lambda n: 2.0 * n * length()) <= 5


@pytest.mark.parametrize("most", [8, 32])
def test_a_server_that_does_four_at_once_gets_about_so_many(most: int) -> None:
    assert 4 <= settled(most, lambda n: 2.0 * max(1.0, n / 4)) <= 7


@given(
    st.integers(1, 64),
    st.lists(st.one_of(st.none(), st.floats(0, 1e4, allow_nan=False)), max_size=80),
)
def test_it_always_lets_one_go_and_never_more_than_allowed(
    most: int, replies: list[float | None]
) -> None:
    pace = Pace(most)
    for seconds in replies:
        before = pace.allowed
        if seconds is None:
            pace = pace.refused()
            assert pace.allowed <= before
        else:
            pace = pace.answered(seconds, pace.allowed)
            assert pace.allowed <= max(before + 1, STEP * before)
        assert 1 <= pace.allowed <= most


@given(st.floats(0.01, 100), st.integers(2, 32))
def test_refusals_bring_it_down_to_one_soon(seconds: float, most: int) -> None:
    pace = Pace(most)
    for _ in range(300):
        pace = pace.answered(seconds, pace.allowed)
    for _ in range(6):
        pace = pace.refused()
    assert pace.allowed == 1
    for _ in range(600):
        pace = pace.answered(seconds, pace.allowed)
    assert pace.allowed > 1  # and it comes back when the server does


def resting(seconds: float) -> Pace:
    """In the middle of a rest at four requests, of a server that answers so fast."""
    pace = Pace(8, number=4, rests=RESTS)
    for _ in range(3 * 8):
        pace = pace.answered(seconds, pace.allowed)
    assert (pace.allowed, pace.rests) == (4, RESTS - 3)
    return pace


@pytest.mark.parametrize(("factor", "tried"), [(2.0, 2), (0.5, 6), (1.5, 4), (0.7, 4)])
def test_a_server_that_becomes_slow_or_quick_in_a_rest_is_tried_at_once(
    factor: float, tried: int
) -> None:
    pace = resting(3.0)
    for _ in range(8):
        pace = pace.answered(3.0 * factor, pace.allowed)
    assert pace.allowed == tried


def test_a_server_that_has_become_slow_keeps_the_fewer_only_where_as_many_answers_come() -> None:
    for slow, kept in ((lambda n: 1.5 * n, 2), (lambda n: 6.0, 4)):
        pace = resting(3.0)
        for _ in range(8 + 6):
            pace = pace.answered(slow(pace.allowed), pace.allowed)
        assert pace.allowed == kept


def test_requests_that_leave_room_tell_nothing_about_more() -> None:
    pace = Pace(8, number=4)
    for _ in range(99):
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
