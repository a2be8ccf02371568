"""Texts that stages read in pictures: joined to signs, understood by the taxonomy's own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.words_examples import labels, urbex, view
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.model.profile import Profile
from urbexmp.rules.propose import propose
from urbexmp.rules.signs import Line, read_signs, texts_of, worth_reading

SIGN = "Urbex|Graffiti and Text|Sign|"


def read(text: str, score: float | None = 0.95) -> StageLook:
    said = Observation(ObservationKind.TEXT, "text", score, text, source="read")
    return StageLook("ocr@1", (said,))


def meant(text: str) -> set[str]:
    return {str(one.keyword) for one in read_signs(text, 0.95, urbex())}


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("NO\nTRESPASSING", "No Trespassing"),
        ("NO TRESPASSING since 1987", "No Trespassing"),
        ("KEEPOUT", "No Trespassing"),
        ("Zutritt verboten!", "No Trespassing"),
        ("DÉFENSE D’ENTRER", "No Trespassing"),
        ("DANGER\nAsbestos", "Asbestos Sign"),
        ("WARD 7", "Ward Sign"),
        ("Ward B", "Ward Sign"),
        ("STATION 12", "Ward Sign"),
        ("Hochspannung Lebensgefahr", "High Voltage Sign"),
        ("NOTAUSGANG", "Exit Sign"),
        ("Einsturzgefahr", "Warning Sign"),
    ],
)
def test_signs_are_known_by_what_they_say(text: str, keyword: str) -> None:
    assert meant(text) == {SIGN + keyword}


@pytest.mark.parametrize("text", ["STATION MASTER", "forward 7", "exits", "Kilroy was here", "7"])
def test_other_texts_mean_nothing(text: str) -> None:
    assert meant(text) == set()


def test_a_building_named_on_a_sign_is_only_asked_about() -> None:
    proposal = propose((read("ST MARY'S SCHOOL"),), urbex(), Profile())
    assert [str(one.keyword) for one in proposal.suggestions] == []
    assert [str(one.keyword) for one in proposal.unsure] == ["Urbex|Building|Education|School"]


def test_a_building_named_on_a_sign_and_seen_by_a_tagger_is_written() -> None:
    looks = (read("ST MARY'S SCHOOL"), labels("ram", school=0.45))
    proposal = propose(looks, urbex(), Profile())
    assert "Urbex|Building|Education|School" in map(
        str, (one.keyword for one in proposal.suggestions)
    )


def test_the_reason_shows_the_sign() -> None:
    proposal = propose((read("KEEP OUT\nGuard dogs"),), urbex(), Profile())
    reason = proposal.suggestions[0].reasons[0]
    assert (reason.stage, reason.label) == ("ocr@1", "keep out")
    assert reason.note == "sign 'KEEP OUT Guard dogs'"


def test_an_unscored_text_counts_as_an_unscored_statement() -> None:
    proposal = propose((read("KEEP OUT", None),), urbex(), Profile(threshold=0.6))
    assert not proposal.suggestions
    assert [str(one.keyword) for one in proposal.unsure] == [SIGN + "No Trespassing"]


def line(text: str, top: float, left: float = 0.2, score: float = 0.9, tall: float = 0.1) -> Line:
    return Line(text, score, (left, top, left + 0.3, top + tall))


def test_lines_below_each_other_are_one_text_and_as_sure_as_the_weakest() -> None:
    texts = texts_of([line("TRESPASSING", 0.32, score=0.85), line("NOT", 0.2)], 0.8)
    assert [one.value for one in texts] == ["NOT\nTRESPASSING"]
    assert texts[0].score == 0.85
    assert texts[0].region == pytest.approx((0.2, 0.2, 0.5, 0.42))


def test_far_or_different_lines_are_texts_of_their_own() -> None:
    beside = line("WARD 8", 0.32, left=0.7)
    small = line("since 1987", 0.31, tall=0.02)
    below = line("OFFICE", 0.7)
    texts = texts_of([line("WARD 7", 0.2), beside, small, below], 0.8)
    assert {one.value for one in texts} == {"WARD 7", "WARD 8", "since 1987", "OFFICE"}


def test_weak_and_short_lines_are_left_out() -> None:
    assert texts_of([line("WARD 7", 0.2, score=0.79), line("//|", 0.5), line("l1", 0.6)], 0.8) == ()


@given(st.lists(st.tuples(st.text(max_size=12), st.floats(0, 1), st.floats(0, 1)), max_size=8))
def test_no_line_is_lost_or_made_up(given_lines: list[tuple[str, float, float]]) -> None:
    lines = [line(text, top * 0.9, left * 0.6, 1.0) for text, top, left in given_lines]
    texts = [str(one.value) for one in texts_of(lines, 0.5)]
    read = sorted(word for text in texts for word in text.split())
    given_words = [
        word for one in lines if any(map(str.isalnum, one.text)) for word in one.text.split()
    ]
    assert not set(read) - set(given_words)
    long = [one for one in lines if sum(map(str.isalnum, one.text)) >= 3]
    for word in (word for one in long for word in one.text.split()):
        assert read.count(word) >= sum(one.text.split().count(word) for one in long)


def test_a_short_line_belongs_to_the_longer_one_below() -> None:
    texts = texts_of([line("NO", 0.2), line("TRESPASSING", 0.32), line("7", 0.8)], 0.8)
    assert [one.value for one in texts] == ["NO\nTRESPASSING"]


def test_the_air_is_not_read_and_an_interior_only_where_a_sign_was_seen() -> None:
    assert worth_reading((), urbex())
    assert worth_reading((view("pixels", interior=0.9),), urbex())
    assert not worth_reading((view("camera", aerial=0.99),), urbex())
    looked = (view("siglip", interior=0.9), labels("siglip", corridor=0.8))
    assert not worth_reading(looked, urbex())
    assert worth_reading((*looked, labels("ram", sign=0.3)), urbex())
    assert worth_reading((view("siglip", exterior=0.9), labels("siglip", tree=0.8)), urbex())
