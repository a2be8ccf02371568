"""What taggers say of empty rooms, and what becomes of it with the shipped vocabulary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.words_examples import urbex
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.model.profile import Profile
from urbexmp.model.proposal import Proposal
from urbexmp.rules.propose import AGREEMENT_CAP, propose
from urbexmp.rules.terms import Guard

PEOPLE = (
    *("person", "man", "men", "a woman", "people", "crowd", "police officer", "bride", "musician"),
    *("sit", "stand", "walk", "smile", "construction worker", "business woman", "human body"),
)
CAMERA = ("photo", "video camera", "zoom lens", "film", "logo", "illustration", "screenshot")
SIGHTS = ("Eiffel tower", "big ben", "Disneyland")


def look(stage: str, **scores: float | None) -> StageLook:
    label = ObservationKind.LABEL
    said = (Observation(label, one.replace("_", " "), score) for one, score in scores.items())
    return StageLook(f"{stage}@1", tuple(said))


def leaves(proposal: Proposal) -> dict[str, float]:
    return {one.keyword.leaf: one.confidence for one in proposal.suggestions}


@pytest.mark.parametrize("word", [*PEOPLE, *CAMERA, *SIGHTS])
@pytest.mark.parametrize("stage", ["ram", "siglip", "florence"])
def test_people_cameras_and_sights_are_never_written_nor_listed(word: str, stage: str) -> None:
    proposal = propose([look(stage, **{word: 0.99, "chair": 0.9})], urbex(), Profile())
    assert "Chair" in leaves(proposal)
    asked = (*proposal.suggestions, *proposal.unsure)
    assert not {reason.label for one in asked for reason in one.reasons} & {word}
    assert proposal.unmapped == ()


def test_people_are_told_from_words_that_say_nothing() -> None:
    assert {urbex().guard(one) for one in PEOPLE} == {Guard.PEOPLE}
    assert {urbex().guard(one) for one in CAMERA} == {Guard.CAMERA}


def test_a_building_that_is_not_the_place_is_only_asked_about() -> None:
    place = look("place", hospital=0.9)
    proposal = propose([place, look("ram", prison=0.95, chair=0.8)], urbex(), Profile())
    assert {"Hospital", "Chair"} <= leaves(proposal).keys()
    assert "Prison" not in leaves(proposal)
    assert "Prison" in {one.keyword.leaf for one in proposal.unsure}


@given(
    ram=st.floats(0.35, 1.0),
    siglip=st.floats(0.35, 1.0),
    florence=st.one_of(st.none(), st.floats(0.35, 1.0)),
)
def test_where_three_taggers_agree_confidence_rises(
    ram: float, siglip: float, florence: float | None
) -> None:
    looks = [look("siglip", stool=siglip), look("florence", stool=florence), look("ram", stool=ram)]
    each = [ram, siglip, 0.5 if florence is None else florence]
    proposal = propose(looks, urbex(), Profile(ask_from=0.3))
    found = {one.keyword.leaf: one.confidence for one in (*proposal.suggestions, *proposal.unsure)}
    assert found["Stool"] >= round(max(each), 4)
    combined = 1.0
    for one in each:
        combined *= 1.0 - one
    expected = max(*each, min(AGREEMENT_CAP, 1.0 - combined))
    assert found["Stool"] == pytest.approx(expected, abs=1e-4)
    fewer = propose(looks[:2], urbex(), Profile(ask_from=0.3))
    before = {one.keyword.leaf: one.confidence for one in (*fewer.suggestions, *fewer.unsure)}
    assert found["Stool"] >= before["Stool"]


def test_two_weak_taggers_together_are_written_and_one_is_asked_about() -> None:
    alone = propose([look("ram", stool=0.4)], urbex(), Profile())
    assert "Stool" not in leaves(alone)
    assert {one.keyword.leaf for one in alone.unsure} >= {"Stool"}
    together = propose([look("ram", stool=0.4), look("siglip", stool=0.4)], urbex(), Profile())
    assert leaves(together)["Stool"] == pytest.approx(0.64)


def test_two_words_of_one_tagger_are_one_opinion() -> None:
    once = propose([look("ram", couch=0.6)], urbex(), Profile())
    twice = propose([look("ram", couch=0.6, loveseat=0.55)], urbex(), Profile())
    assert leaves(once)["Sofa"] == leaves(twice)["Sofa"] == 0.6
