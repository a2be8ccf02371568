"""When a server is asked again: laws of the circuit and of the pauses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from urbexmp.rules.circuit import (
    FAILURES,
    FIRST_REST,
    LONGEST_ASKED,
    LONGEST_REST,
    PROBE_LAPSES,
    TRIES,
    Circuit,
    pause_before,
)

steps = st.lists(
    st.tuples(st.sampled_from(("ask", "fail", "answer")), st.floats(0, 300)), max_size=40
)


def walked(walk: list[tuple[str, float]]) -> tuple[Circuit, float]:
    """A circuit after some time, and the time."""
    circuit, now = Circuit(), 0.0
    for what, seconds in walk:
        now += seconds
        if what == "ask" and circuit.may_ask(now):
            circuit = circuit.asked(now)
        elif what == "fail":
            circuit = circuit.failed(now)
        elif what == "answer":
            circuit = circuit.answered()
    return circuit, now


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    circuit = Circuit()
    for number in range(FAILURES):
        assert circuit.may_ask(number)
        assert not circuit.is_open
        circuit = circuit.failed(number)
    assert circuit.is_open
    assert not circuit.may_ask(FAILURES - 1 + FIRST_REST / 2)


@given(steps)
def test_an_answer_closes_it(walk: list[tuple[str, float]]) -> None:
    circuit, now = walked(walk)
    closed = circuit.answered()
    assert closed.may_ask(now)
    assert not closed.is_open
    assert not closed.failed(now).is_open  # failures before the answer are forgotten


@given(steps)
def test_while_open_one_probe_goes_and_no_other(walk: list[tuple[str, float]]) -> None:
    circuit, now = walked(walk)
    if not circuit.is_open:
        return
    later = now + circuit.wait(now)
    assert circuit.may_ask(later)
    probing = circuit.asked(later)
    assert not probing.may_ask(later)
    assert not probing.may_ask(later + PROBE_LAPSES / 2)


@given(steps)
def test_it_never_stays_open_for_good(walk: list[tuple[str, float]]) -> None:
    circuit, now = walked(walk)
    assert 0 <= circuit.wait(now) <= max(LONGEST_REST, PROBE_LAPSES)
    assert circuit.may_ask(now + max(LONGEST_REST, PROBE_LAPSES))


@given(steps)
def test_a_failed_probe_rests_longer_up_to_a_limit(walk: list[tuple[str, float]]) -> None:
    circuit, now = walked(walk)
    if not circuit.is_open:
        return
    later = now + circuit.wait(now)
    again = circuit.asked(later).failed(later)
    assert circuit.rest <= again.rest <= LONGEST_REST
    assert again.rest == min(circuit.rest * 2, LONGEST_REST)
    assert not again.may_ask(later)


def test_a_late_failure_of_an_earlier_question_changes_nothing() -> None:
    circuit = Circuit()
    for _ in range(FAILURES):
        circuit = circuit.failed(0.0)
    assert circuit.failed(1.0) == circuit


@given(st.none() | st.floats(0, 1e6))
def test_pauses_grow_are_few_and_heed_the_server(asked: float | None) -> None:
    pauses = [pause_before(again, asked) for again in range(1, TRIES + 3)]
    given_ = [pause for pause in pauses if pause is not None]
    assert len(given_) == TRIES == 3
    assert pauses[TRIES:] == [None, None]
    assert given_ == sorted(given_)
    assert all(pause >= min(asked or 0, LONGEST_ASKED) for pause in given_)
    assert all(pause <= LONGEST_ASKED for pause in given_)
