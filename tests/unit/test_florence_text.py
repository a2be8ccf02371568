"""Answers of Florence-2 taken apart: a corpus of the forms that its answers have."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urbexmp.model.observation import Observation, ObservationKind
from urbexmp.rules.florence_says import located, observations
from urbexmp.rules.florence_tasks import TASKS
from urbexmp.rules.florence_text import (
    MOST_OF_ONE,
    Said,
    probability,
    read_caption,
    read_entries,
    without_loops,
)

_SPLIT = re.compile(r"(</?[a-z]+_?\d*>|\s?[^\s<]+|\s+|<)")


def spelled(text: str) -> str:
    """A piece of text as a byte-level vocabulary spells it."""
    printing = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printing]
    return "".join(
        chr(byte) if byte in printing else chr(256 + others.index(byte)) for byte in text.encode()
    )


def answer(text: str, *, ended: bool = True, log: float | None = -0.1) -> Said:
    """What a model would have written to say `text`: a token for each mark and each word."""
    marks = re.compile(r"<loc_\d+>|</?s>|</?od>|<sep>|</?poly>")
    tokens = [
        piece if marks.fullmatch(piece) else spelled(piece)
        for piece in _SPLIT.findall(f"<s>{text}")
    ]
    if ended:
        tokens.append("</s>")
    return Said(tuple(tokens), None if log is None else (log,) * len(tokens))


def boxes(said: Said, corners: int = 2) -> list[tuple[str, tuple[float, ...]]]:
    return [
        (entry.words.text, region)
        for entry in read_entries(said, corners)
        for region in entry.regions
    ]


def place(*bins: int) -> str:
    return "".join(f"<loc_{one}>" for one in bins)


def share(*bins: int) -> tuple[float, ...]:
    return tuple(round((one + 0.5) / 1000, 4) for one in bins)


def test_labels_with_one_and_with_several_boxes() -> None:
    text = f"window{place(52, 332, 932, 774)}{place(10, 20, 30, 40)}door{place(0, 0, 999, 999)}"
    assert boxes(answer(text)) == [
        ("window", share(52, 332, 932, 774)),
        ("window", share(10, 20, 30, 40)),
        ("door", share(0, 0, 999, 999)),
    ]


def test_a_quadrangle_is_the_box_around_it() -> None:
    said = answer(f"NO ENTRY{place(100, 120, 300, 90, 310, 200, 110, 220)}")
    assert boxes(said, 4) == [("NO ENTRY", share(100, 90, 310, 220))]


def test_a_polygon_is_the_box_around_it() -> None:
    said = answer(f"roof<poly>{place(5, 10, 20, 8, 30, 25, 18, 40, 2, 22)}</poly>")
    assert boxes(said, 0) == [("roof", share(2, 8, 30, 40))]


@pytest.mark.parametrize(
    "word", ["Köln", "szpital święty", "H\u00f4pital", "病院", "Größe", "naïve café", "🏚"]
)
def test_letters_outside_ascii_stay(word: str) -> None:
    assert boxes(answer(f"{word}{place(1, 2, 3, 4)}")) == [(word, share(1, 2, 3, 4))]
    assert read_caption(answer(word)).text == word


def test_control_characters_and_half_letters_are_dropped() -> None:
    half = spelled("ö")[0]
    said = Said(("<s>", "a", spelled("\x1b[2J"), spelled("\u202e"), half, spelled("\nb"), "</s>"))
    words = read_caption(said)
    assert words.text == "a[2J b"
    assert len(words.origin) == len(words.text)


def test_a_letter_in_two_tokens_is_one_letter() -> None:
    first, second = spelled("ö")
    said = Said(("<s>", "K", first, second, "ln", "</s>"), (0.0, -1.0, -1.0, -3.0, -1.0, 0.0))
    words = read_caption(said)
    assert words.text == "Köln"
    assert words.origin == (1, 3, 4, 4)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"window{place(1, 2, 3)}", []),
        (f"window{place(1, 2, 3, 4, 5, 6)}", [("window", share(1, 2, 3, 4))]),
        (f"window{place(1, 2, 3, 4)}door", [("window", share(1, 2, 3, 4))]),
        (place(1, 2, 3, 4), []),
        (f"{place(1, 2, 3, 4)}door{place(5, 6, 7, 8)}", [("door", share(5, 6, 7, 8))]),
        (f"window{place(7, 7, 7, 7)}", []),
        (f"window{place(9, 8, 3, 4)}", [("window", share(3, 4, 9, 8))]),
        ("", []),
        ("</s>", []),
        (f"a < b{place(1, 2, 3, 4)}", [("a < b", share(1, 2, 3, 4))]),
        (f"<od>window{place(1, 2, 3, 4)}</od>", [("window", share(1, 2, 3, 4))]),
    ],
)
def test_malformed_answers(text: str, wanted: list[object]) -> None:
    assert boxes(answer(text)) == wanted


def test_the_same_twice_is_said_once_and_one_label_not_without_end() -> None:
    said = answer("".join(f"chair{place(n, n, n + 5, n + 5)}" * 2 for n in range(90)))
    found = boxes(said)
    assert len(found) == len(set(found)) == MOST_OF_ONE


def test_a_loop_is_cut_and_what_stands_before_it_kept() -> None:
    said = answer("A red door and" + " a wall and" * 20, ended=False)
    assert read_caption(said).text == "A red door and a wall"
    assert without_loops(said).ended
    plain = answer("A red door and a wall and a wall")
    assert without_loops(plain) == plain


def test_what_was_cut_off_ends_with_a_whole_sentence_or_word() -> None:
    assert read_caption(answer("A room. It has two wind", ended=False)).text == "A room."
    assert read_caption(answer("A room with two wind", ended=False)).text == "A room with two"
    assert read_caption(answer("Room", ended=False)).text == ""
    assert read_caption(answer("A room with two windows")).text == "A room with two windows"


def test_a_span_is_as_probable_as_its_tokens_on_the_geometric_mean() -> None:
    said = Said(
        ("<s>", "an", "Ġold", "Ġdoor", "</s>"), (0.0, math.log(0.5), math.log(0.9), -0.1, 0.0)
    )
    words = read_caption(said)
    assert probability(words.cut(3, 6), said) == 0.9
    assert probability(words.cut(0, 6), said) == pytest.approx(math.sqrt(0.45), abs=1e-4)
    assert probability(words.cut(0, 0), said) is None
    assert probability(words, Said(said.tokens)) is None


def test_regions_become_labels_of_the_models_own_words() -> None:
    text = f"wheelchair{place(1, 2, 3, 4)}12{place(1, 2, 3, 4)}"
    (found,) = observations(TASKS["od"], answer(text, log=math.log(0.8)))
    assert found == Observation(
        ObservationKind.LABEL, "wheelchair", 0.8, None, "region", share(1, 2, 3, 4)
    )
    (unscored,) = observations(TASKS["od"], answer(text, log=None))
    assert unscored.score is None


def test_lines_below_each_other_are_one_text() -> None:
    sign = (
        f"KEEP{place(100, 100, 300, 100, 300, 150, 100, 150)}"
        f"OUT{place(100, 160, 300, 160, 300, 210, 100, 210)}"
        f"7{place(900, 900, 950, 900, 950, 950, 900, 950)}"
    )
    (found,) = observations(TASKS["ocr_with_region"], answer(sign))
    assert found.kind is ObservationKind.TEXT
    assert found.value == "KEEP\nOUT"
    assert found.region == share(100, 100, 300, 210)
    assert found.score == pytest.approx(math.exp(-0.1), abs=1e-3)
    (plain,) = observations(TASKS["ocr"], answer("WARD 7 KÖLN", log=None))
    assert (plain.value, plain.region, plain.score) == ("WARD 7 KÖLN", None, None)


def test_an_empty_or_senseless_answer_says_nothing() -> None:
    for text in ("", " ", "...", "1", place(1, 2), "<sep>"):
        for task in TASKS.values():
            assert observations(task, answer(text)) == (), (text, task)


def test_located_phrases_are_priors_and_only_those_asked_for() -> None:
    text = f"Graffiti{place(1, 2, 3, 4)}a ghost{place(1, 2, 3, 4)}"
    (found,) = located(answer(text), ("graffiti", "door"))
    assert found.kind is ObservationKind.PRIOR
    assert (found.label, found.score, found.source) == ("graffiti", None, "grounded")
    assert found.region == share(1, 2, 3, 4)


_TOKENS = st.one_of(
    st.integers(0, 999).map(lambda number: f"<loc_{number}>"),
    st.sampled_from(["<s>", "</s>", "<pad>", "<od>", "<poly>", "</poly>", "<sep>", "<image>"]),
    st.text(min_size=1, max_size=6).map(spelled),
    st.text(min_size=1, max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_TOKENS, max_size=60), st.booleans())
def test_no_answer_breaks_the_reader(tokens: list[str], scored: bool) -> None:
    said = Said(tuple(tokens), (-0.5,) * len(tokens) if scored else None)
    for task in TASKS.values():
        for one in observations(task, said):
            assert one.score is None or 0 <= one.score <= 1
            if one.region is not None:
                left, top, right, bottom = one.region
                assert 0 <= left < right <= 1
                assert 0 <= top < bottom <= 1
    words = read_caption(said)
    assert len(words.text) == len(words.origin)
    assert all(0 <= origin < len(tokens) + 1 for origin in words.origin)
