"""How many processes a stage looks in: laws of the rule, and what is free on this machine."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from urbexmp.adapters.stages import room
from urbexmp.model.pacing import MEMORY, NO_GAIN, QUEUE
from urbexmp.rules.pacing_workers import (
    HEADROOM,
    LONGEST,
    REST_SECONDS,
    WINDOW,
    Crowd,
    has_room,
    is_tight,
)

steps = st.lists(
    st.tuples(
        st.floats(0, 1000),
        st.floats(0, 100),
        st.integers(1, 40),
        st.integers(0, 9),
        st.booleans(),
        st.booleans(),
    ),
    max_size=60,
)


@given(st.integers(1, 8), steps)
def test_never_above_the_limit_never_none_and_never_more_without_a_queue_and_room(
    most: int, walk: list[tuple[float, float, int, int, bool, bool]]
) -> None:
    crowd, now = Crowd(most), 0.0
    for wait, seconds, photos, busy, waiting, free in walk:
        now += wait
        # Mostly all are at work, else nothing is ever learned.
        at_work = crowd.number if busy > 2 else busy
        after = crowd.looked(now, seconds, photos, busy=at_work, waiting=waiting, room=free)
        assert 1 <= after.number <= most
        assert abs(after.number - crowd.number) <= 1
        if after.number > crowd.number:
            assert waiting
            assert free
        if at_work != crowd.number:
            assert after == crowd
        crowd = after


def run(
    crowd: Crowd, costs: list[float], now: float, looks: int, *, free: bool = True
) -> tuple[Crowd, float, list[int]]:
    """Looks one after the other where a photo takes `costs[number - 1]` seconds of a process."""
    numbers = []
    for _ in range(looks):
        seconds = costs[crowd.number - 1]
        now += seconds / crowd.number
        crowd = crowd.looked(now, seconds, 1, busy=crowd.number, waiting=True, room=free)
        numbers.append(crowd.number)
    return crowd, now, numbers


@given(st.lists(st.floats(0.01, 0.05), min_size=1, max_size=6))
def test_it_settles_where_nothing_changes(costs: list[float]) -> None:
    crowd, _, numbers = run(Crowd(len(costs)), costs, 0.0, 40 * WINDOW * len(costs))
    settled = numbers[-20 * WINDOW :]
    assert set(settled) == {crowd.number}
    # Each one that stayed was a gain over one fewer.
    shares = [cost / number for number, cost in enumerate(costs, 1)]
    assert all(shares[at] < shares[at - 1] for at in range(1, crowd.number))


def test_cores_that_add_up_are_all_used_and_one_that_is_shared_is_not() -> None:
    assert run(Crowd(4), [1.0, 1.0, 1.0, 1.0], 0.0, 200)[0].number == 4
    assert run(Crowd(4), [1.0, 2.0, 3.0, 4.0], 0.0, 200)[0].number == 1
    assert run(Crowd(4), [1.0, 1.1, 2.5, 9.0], 0.0, 200)[0].number == 2
    assert run(Crowd(4), [1.0, 1.0, 1.0, 1.0], 0.0, 200, free=False)[0].number == 1


def test_what_was_no_gain_is_tried_again_later_and_each_time_later_still() -> None:
    crowd, now, _ = run(Crowd(2), [1.0, 2.0], 0.0, 3 * WINDOW)
    rests = []
    for _ in range(9):
        given_up = crowd.given[2]
        rests.append(given_up.times)
        crowd, now, numbers = run(crowd, [1.0, 2.0], given_up.until - 2 * WINDOW, WINDOW)
        assert set(numbers) == {1}
        crowd, now, numbers = run(crowd, [1.0, 2.0], given_up.until, 3 * WINDOW)
        assert 2 in numbers
        assert crowd.number == 1
    assert rests == [1, 2, 4, 8, 16, 32, 64, 64, 64]
    assert crowd.given[2].until <= now + LONGEST * REST_SECONDS


def test_larger_photos_cost_one_process_at_most() -> None:
    crowd, now, _ = run(Crowd(4), [1.0, 1.0, 1.0, 1.0], 0.0, 200)
    _, _, numbers = run(crowd, [3.0, 3.0, 3.0, 3.0], now, 20 * WINDOW)
    assert min(numbers) == 3


def test_a_lower_limit_holds_at_once() -> None:
    crowd = run(Crowd(4), [1.0, 1.0, 1.0, 1.0], 0.0, 200)[0]
    assert crowd.limited(1).number == 1
    assert crowd.limited(0).most == 1
    assert crowd.limited(4) is crowd


def test_room_is_what_is_known_to_be_free() -> None:
    assert has_room(1500, 1000)
    assert not has_room(int(1000 * HEADROOM) - 1, 1000)
    assert not has_room(None, 1000)
    assert not has_room(10**12, 0)


def test_free_memory_is_read_and_a_container_has_less(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    assert room.available_bytes(meminfo, tmp_path) is None
    meminfo.write_text("MemTotal: 4000 kB\nMemAvailable:    2000 kB\nHugePages_Total: 0\n")
    assert room.available_bytes(meminfo, tmp_path) == 2000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("900000\n")
    assert room.available_bytes(meminfo, tmp_path) == 2000 * 1024
    (tmp_path / "memory.max").write_text("1000000\n")
    assert room.available_bytes(meminfo, tmp_path) == 100_000
    (tmp_path / "memory.stat").write_text("anon 600000\ninactive_file 300000\n")
    assert room.available_bytes(meminfo, tmp_path) == 400_000
    (tmp_path / "memory.max").write_text("1000\n")
    assert room.available_bytes(meminfo, tmp_path) == 0


def test_memory_that_runs_short_costs_one_process_at_once_and_it_comes_back_with_the_memory() -> (
    None
):
    crowd, now, _ = run(Crowd(3), [1.0, 1.0, 1.0], 0.0, 200)
    less = crowd.looked(now, 1.0, 1, busy=1, waiting=True, room=False, tight=True)
    assert (less.number, less.why) == (2, MEMORY)
    less, now, numbers = run(less, [1.0, 1.0, 1.0], now, 4 * WINDOW * 2, free=False)
    assert set(numbers) == {2}
    assert run(less, [1.0, 1.0, 1.0], now, WINDOW * 2)[0].number == 3
    alone = Crowd(3).looked(0.0, 1.0, 1, busy=1, waiting=True, room=False, tight=True)
    assert alone.number == 1


def test_a_machine_that_has_become_free_again_is_noticed_before_the_rest_is_over() -> None:
    crowd, now, _ = run(Crowd(3), [1.0, 1.0, 1.0], 0.0, 200)
    crowd, now, numbers = run(crowd, [2.0, 2.0, 2.0], now, 4 * WINDOW * 3)
    assert (min(numbers), crowd.number, crowd.why) == (2, 2, NO_GAIN)
    crowd, later, numbers = run(crowd, [1.0, 1.0, 1.0], now, 5 * WINDOW * 2)
    assert max(numbers) == 3
    assert crowd.why == QUEUE
    assert later < now + REST_SECONDS


def test_short_memory_is_less_than_ending_one_gives_back() -> None:
    assert is_tight(249, 1000)
    assert not is_tight(250, 1000)
    assert not is_tight(None, 1000)
    assert not is_tight(0, 0)
    assert not has_room(249 + 1000, 1000)
