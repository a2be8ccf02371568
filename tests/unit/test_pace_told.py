"""How much was done at a time, as a person is told of it."""

from __future__ import annotations

import threading
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from urbexmp.adapters.stages.places import Places
from urbexmp.model.pacing import (
    BEGUN,
    MEMORY,
    PROCESSES,
    QUEUE,
    REFUSED,
    REQUESTS,
    SET,
    Paced,
    PaceFigures,
)
from urbexmp.model.report import Report
from urbexmp.rules.render import plain
from urbexmp.rules.render_pace import pace_data, pace_sentences
from urbexmp.rules.render_summary import summary_lines


def report(*changes: Paced) -> Report:
    made = Report()
    for change in changes:
        made.paced(change)
    return made


def test_a_number_that_never_changed_is_one_number() -> None:
    one = report(Paced("siglip", PROCESSES, 0, 1, BEGUN))
    assert list(pace_sentences(one)) == ["siglip looked in 1 process at a time"]
    four = report(Paced("ram", PROCESSES, 0, 4, SET))
    assert list(pace_sentences(four)) == ["ram looked in 4 processes at a time"]
    asked = report(Paced("gpu:8765", REQUESTS, 0, 1, BEGUN))
    assert list(pace_sentences(asked)) == ["gpu:8765 was asked with 1 request at a time"]


def test_each_change_has_its_reason_and_is_said_to_who_wants_more() -> None:
    made = report(
        Paced("siglip", PROCESSES, 0, 1, BEGUN),
        Paced("siglip", PROCESSES, 1, 2, QUEUE),
        Paced("siglip", PROCESSES, 2, 1, MEMORY),
        Paced("siglip", PROCESSES, 1, 2, QUEUE),
    )
    (said,) = pace_sentences(made)
    assert said == (
        "siglip looked in 1 to 2 processes at a time, in the end 2: 2 times more (photos queued up,"
        " and there was memory for one more); once fewer (memory was short)"
    )
    assert said not in "".join(plain(line) for line in summary_lines(made))
    assert said in "".join(plain(line) for line in summary_lines(made, verbose=True))
    assert pace_data(made) == [
        {
            "who": "siglip",
            "what": "processes",
            "first": 1,
            "least": 1,
            "most": 2,
            "last": 2,
            "raised": {QUEUE: 2},
            "lowered": {MEMORY: 1},
        }
    ]


@given(st.integers(1, 9), st.lists(st.integers(1, 9), max_size=30))
def test_figures_hold_every_number_and_count_every_change(first: int, walk: list[int]) -> None:
    figures, before = PaceFigures(), 0
    for number in (first, *walk):
        figures.add(Paced("who", REQUESTS, before, number, BEGUN))
        before = number
    assert (figures.first, figures.last) == (first, before)
    assert (figures.least, figures.most) == (min(first, *walk, 9), max(first, *walk, 1))
    steps = sum(a != b for a, b in zip((first, *walk), walk, strict=False))
    assert figures.raised.total() + figures.lowered.total() == steps


def test_requests_that_are_refused_together_halve_the_number_once() -> None:
    told: list[Paced] = []
    places = Places("gpu:8765", 8)
    places._pace = type(places._pace)(8, number=8)
    places.told_by(told.append)
    out, refused = threading.Barrier(8), threading.Barrier(8)

    def ask() -> None:
        with places.one() as place:
            out.wait()
            with suppress(ConnectionError), places.asking(place):
                refused.wait()
                raise ConnectionError
            places.refused(place)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(one.before, one.number, one.why) for one in told] == [
        (0, 8, BEGUN),
        (8, 4, REFUSED),
    ]
    with places.one() as place:
        with places.asking(place):
            pass
        places.refused(place)
    assert told[-1].number == 2
