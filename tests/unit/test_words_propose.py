"""From what stages say to a proposal: rules by example, laws by property."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.words_examples import labels, small, taxonomy, urbex, view
from urbexmp.model.keyword import Keyword
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.model.profile import Profile
from urbexmp.model.proposal import Proposal
from urbexmp.rules.propose import propose
from urbexmp.rules.stage_ids import PLACE_KEYWORD

PROFILE = Profile()


def proposed(*looks: StageLook, profile: Profile = PROFILE) -> Proposal:
    return propose(looks, small(), profile)


def written(proposal: Proposal) -> dict[str, float]:
    return {str(one.keyword)[6:]: one.confidence for one in proposal.suggestions}


def asked(proposal: Proposal) -> list[str]:
    return [str(one.keyword)[6:] for one in proposal.unsure]


def said(kind: ObservationKind, label: str, **given: object) -> StageLook:
    return StageLook("pixels@1", (Observation(kind, label, **given),))  # type: ignore[arg-type]


def test_thresholds_write_ask_and_drop() -> None:
    proposal = proposed(labels("ram", bench=0.5, corridor=0.35, shelf=0.34))
    assert written(proposal) == {"Object|Bench": 0.5}
    assert asked(proposal) == ["Room|Corridor"]


def test_the_term_goes_before_the_stage_and_the_stage_before_the_profile() -> None:
    profile = Profile(thresholds=MappingProxyType({"ram": 0.8}))
    proposal = proposed(
        labels("ram", bench=0.7, peel=0.6), labels("vlm", shelf=0.5), profile=profile
    )
    assert written(proposal) == {"Decay|Peeling Paint": 0.6, "Object|Shelf": 0.5}
    assert asked(proposal) == ["Object|Bench"]


def test_agreement_of_stages_raises_confidence_and_one_stage_cannot_agree_with_itself() -> None:
    both = proposed(labels("ram", bench=0.45), labels("siglip", bench=0.4))
    assert written(both) == {"Object|Bench": pytest.approx(0.67)}
    alone = proposed(labels("ram", bench=0.45, benches=0.44))
    assert asked(alone) == ["Object|Bench"]
    sure = proposed(labels("ram", bench=0.9), labels("siglip", bench=0.9))
    assert written(sure) == {"Object|Bench": 0.98}
    surer = proposed(labels("ram", bench=0.99), labels("siglip", bench=0.9))
    assert written(surer) == {"Object|Bench": 0.99}


def test_noise_does_not_add_up() -> None:
    looks = [labels(f"stage{number}", bench=0.3) for number in range(30)]
    assert proposed(*looks) == Proposal()


def test_what_rests_on_exif_is_one_witness() -> None:
    both = [
        StageLook(stage, (Observation(ObservationKind.LABEL, "bench", 0.4, None, source),))
        for stage, source in (("camera@1", "EXIF exposure"), ("pixels@1", "EXIF and pixels"))
    ]
    assert asked(proposed(*both)) == ["Object|Bench"]


def test_a_label_without_a_score_counts_as_the_profile_says() -> None:
    assert written(proposed(labels("florence", bench=None))) == {"Object|Bench": 0.5}
    trusting = MappingProxyType({"florence": MappingProxyType({"unscored": 0.4})})
    proposal = proposed(labels("florence", bench=None), profile=Profile(stage_settings=trusting))
    assert asked(proposal) == ["Object|Bench"]
    assert proposal.unsure[0].reasons[0].score is None


def test_reasons_name_stage_and_label_strongest_first() -> None:
    proposal = proposed(labels("ram", bench=0.6), labels("siglip", old_bench=0.8))
    told = [(one.stage, one.label, one.score) for one in proposal.suggestions[0].reasons]
    assert told == [("siglip@0a1b2c3d", "old bench", 0.8), ("ram@0a1b2c3d", "bench", 0.6)]


def test_what_is_implied_follows_with_the_same_confidence() -> None:
    proposal = proposed(labels("ram", ward=0.7, hospital=0.4))
    assert written(proposal) == {"Building|Hospital": 0.7, "Room|Ward": 0.7}
    reasons = {str(one.keyword): one.reasons for one in proposal.suggestions}
    assert reasons["Urbex|Building|Hospital"][0].note == "implied by Urbex|Room|Ward"


def test_the_longer_path_says_it_already() -> None:
    proposal = proposed(labels("ram", decay=0.9, peel=0.7))
    assert written(proposal) == {"Decay|Peeling Paint": 0.7}


def test_of_exclusive_terms_the_surest_stays_and_a_tie_decides_nothing() -> None:
    assert written(proposed(labels("ram", indoor=0.6, outdoor=0.7))) == {"View|Exterior": 0.7}
    tie = proposed(labels("ram", indoor=0.6, outdoor=0.6))
    assert written(tie) == {}
    assert asked(tie) == ["View|Exterior", "View|Interior"]


def test_a_term_below_an_exclusive_one_goes_with_it() -> None:
    proposal = proposed(view("camera", aerial=0.97), labels("vlm", straight_down=0.8))
    assert written(proposal) == {"View|Aerial|Straight Down": 0.8}
    assert "View|Interior" not in written(
        proposed(view("camera", aerial=0.97), labels("vlm", straight_down=0.8, indoor=0.99))
    )


def test_a_later_stage_decides_the_view() -> None:
    proposal = proposed(view("camera", interior=0.9), view("pixels", exterior=0.86))
    assert (proposal.view, proposal.view_score) == ("exterior", 0.86)
    assert written(proposal) == {"View|Exterior": 0.86}


def test_inside_or_outside_does_not_take_back_what_was_seen_from_the_air() -> None:
    proposal = proposed(view("camera", aerial=0.97, exterior=0.98), view("pixels", exterior=0.98))
    assert written(proposal) == {"View|Aerial": 0.97}
    assert proposed(view("camera", detail=0.85), view("siglip", interior=0.6)).view == "detail"
    assert proposed(view("camera", detail=0.85), view("siglip", interior=0.95)).view == "interior"


def test_a_tagger_does_not_overrule_the_view() -> None:
    proposal = proposed(view("pixels", exterior=0.86), labels("ram", indoor=0.99))
    assert written(proposal) == {"View|Exterior": 0.86}


def test_a_prior_a_caption_and_a_text_are_no_keywords() -> None:
    prior = said(ObservationKind.PRIOR, "interior", score=0.99)
    caption = said(ObservationKind.CAPTION, "caption", value="a bench in a hospital")
    text = said(ObservationKind.TEXT, "text", score=1.0, value="Kilroy was here")
    assert proposed(prior, caption, text) == Proposal(text="Kilroy was here")


def test_facts_become_technique() -> None:
    fact = said(ObservationKind.FACT, "long exposure", source="EXIF exposure time")
    assert written(proposed(fact)) == {"Technique|Long Exposure": 1.0}
    assert proposed(said(ObservationKind.FACT, "flash colour")).unmapped == ()


def test_people_and_cameras_are_dropped_without_a_word() -> None:
    assert proposed(labels("ram", person=1.0, photo=1.0, area=1.0)) == Proposal()


def test_a_word_that_nobody_knows_is_listed_and_never_written() -> None:
    proposal = proposed(labels("ram", xyzzy=0.9, plugh=0.1), labels("florence", frotz=None))
    assert proposal.suggestions == ()
    assert proposal.unmapped == (("florence@0a1b2c3d", "frotz"), ("ram@0a1b2c3d", "xyzzy"))


def test_an_ambiguous_word_takes_the_meaning_of_its_company() -> None:
    assert written(proposed(labels("ram", bar=0.9, prison=0.8))) == {
        "Object|Bars": 0.9,
        "Building|Prison": 0.8,
    }
    assert "Building|Café" in written(proposed(labels("ram", bar=0.9, bench=0.8)))
    torn = proposed(labels("ram", bar=0.9, bench=0.8, prison=0.8))
    assert set(written(torn)) == {"Object|Bench", "Building|Prison"}
    alone = proposed(labels("ram", bar=0.9))
    assert alone.suggestions == ()
    assert alone.unmapped == (("ram@0a1b2c3d", "bar"),)


def test_another_building_than_the_known_place_is_only_asked_about() -> None:
    place = labels("place", hospital=0.9)
    proposal = proposed(place, labels("ram", prison=0.95, hospital=0.6))
    assert written(proposal) == {"Building|Hospital": 0.96}
    assert asked(proposal) == ["Building|Prison"]
    assert written(proposed(labels("ram", prison=0.95))) == {"Building|Prison": 0.95}


def test_what_the_view_cannot_show_is_only_asked_about() -> None:
    proposal = proposed(view("camera", aerial=0.97), labels("ram", corridor=0.9, courtyard=0.8))
    assert set(written(proposal)) == {"View|Aerial", "Room|Courtyard"}
    assert asked(proposal) == ["Room|Corridor"]


def test_a_keyword_of_location_toml_is_taken_as_it_stands() -> None:
    own = Observation(ObservationKind.LABEL, "Places|Volterra", 1.0, None, PLACE_KEYWORD)
    proposal = proposed(StageLook("place@1", (own,)))
    assert [str(one.keyword) for one in proposal.suggestions] == ["Places|Volterra"]
    forged = proposed(StageLook("vlm@1", (own,)))
    assert forged.suggestions == ()


def test_the_surest_keywords_stay_when_there_are_too_many() -> None:
    look = labels("ram", bench=0.9, ward=0.8, shelf=0.7, corridor=0.6)
    assert set(written(proposed(look, profile=Profile(max_keywords=3)))) == {
        *("Object|Bench", "Building|Hospital", "Room|Ward"),
    }
    assert set(written(proposed(look, profile=Profile(max_keywords=2)))) == {
        *("Object|Bench", "Building|Hospital"),
    }
    # What implies another needs room for both.
    ward = labels("ram", ward=0.9)
    assert set(written(proposed(ward, profile=Profile(max_keywords=1)))) == {"Building|Hospital"}


def test_the_condition_score_multiplies_what_is_left() -> None:
    assert proposed(labels("ram", bench=0.9)).condition is None
    assert proposed(labels("ram", peel=1.0)).condition == 90.0
    assert proposed(labels("ram", peel=1.0, collapse=0.5)).condition == 67.5
    measured = said(ObservationKind.MEASURE, "condition", value=12.0)
    assert proposed(labels("ram", peel=1.0), measured).condition == 12.0


def test_the_era_is_a_persons_word_or_the_surest_hint() -> None:
    assert proposed(labels("vlm", victorian=0.8, **{"1970s": 0.6})).era == "Victorian"
    assert proposed(labels("vlm", victorian=0.8, **{"1970s": 0.8})).era is None
    person = StageLook("place@1", (Observation(ObservationKind.MEASURE, "era", value="c. 1911"),))
    assert proposed(person, labels("vlm", victorian=0.8)).era == "c. 1911"


def test_quality_is_the_last_measure() -> None:
    measure = ObservationKind.MEASURE
    assert proposed(said(measure, "quality", value=61.5)).quality == 61.5
    assert proposed(said(measure, "quality", value=250.0)).quality == 100.0


WORDS = (
    *("hospital", "clinic", "prison", "corridor", "ward", "courtyard", "bench", "shelf", "peel"),
    *("decay", "collapse", "indoor", "outdoor", "detail", "straight down", "wooden bench", "bar"),
    *("victorian", "1970s", "person", "nikon", "area", "xyzzy", "café", "Urbex|Room|Ward"),
)
STAGES = ("ram@1", "florence@2", "siglip@3", "place@4", "vlm@5")
SCORES = st.none() | st.sampled_from([0.0, 0.2, 0.35, 0.5, 0.6, 0.8, 0.95, 1.0])
OBSERVATIONS = st.builds(
    Observation,
    kind=st.sampled_from([ObservationKind.LABEL] * 6 + [ObservationKind.FACT]),
    label=st.sampled_from(WORDS),
    score=SCORES,
) | st.builds(
    Observation,
    kind=st.just(ObservationKind.VIEW),
    label=st.sampled_from(["interior", "exterior", "aerial", "detail"]),
    score=SCORES,
)
LOOKS = st.lists(
    st.builds(StageLook, st.sampled_from(STAGES), st.lists(OBSERVATIONS, max_size=8).map(tuple)),
    max_size=5,
    unique_by=lambda look: look.stage,
)
PROFILES = st.builds(
    Profile,
    threshold=st.sampled_from([0.3, 0.5, 0.8]),
    ask_from=st.sampled_from([0.1, 0.3]),
    max_keywords=st.sampled_from([1, 2, 3, 25]),
)
MANY = settings(max_examples=150, deadline=None)


@MANY
@given(LOOKS, PROFILES)
def test_nothing_from_nowhere_and_everything_with_a_reason(
    looks: list[StageLook], profile: Profile
) -> None:
    proposal = propose(looks, small(), profile)
    heard = {(look.stage, one.label) for look in looks for one in look.observations}
    for one in (*proposal.suggestions, *proposal.unsure):
        assert one.keyword in small().terms
        assert one.keyword not in small().unlisted
        assert 0.0 <= one.confidence <= 1.0
        assert one.reasons
        assert {(reason.stage, reason.label) for reason in one.reasons} <= heard
    assert set(proposal.unmapped) <= heard


@MANY
@given(LOOKS, PROFILES)
def test_one_of_each_group_no_ancestors_and_no_more_than_allowed(
    looks: list[StageLook], profile: Profile
) -> None:
    proposal = propose(looks, small(), profile)
    keywords = [one.keyword for one in proposal.suggestions]
    views = [keyword for keyword in keywords if keyword in small().groups]
    assert len(views) <= 1
    for one in keywords:
        assert not any(one != other and other.is_under(one) for other in keywords)
    assert len(keywords) + len(proposal.unsure) <= profile.max_keywords
    assert not set(keywords) & {one.keyword for one in proposal.unsure}


@MANY
@given(LOOKS, PROFILES)
def test_implications_are_closed(looks: list[StageLook], profile: Profile) -> None:
    keywords = {one.keyword for one in propose(looks, small(), profile).suggestions}
    for keyword in keywords:
        for other in small().implied.get(keyword, frozenset()):
            assert any(one.is_under(other) for one in keywords)


@MANY
@given(LOOKS, PROFILES, st.randoms(use_true_random=False))
def test_the_order_within_a_look_and_of_the_taxonomy_does_not_matter(
    looks: list[StageLook], profile: Profile, random: object
) -> None:
    first = propose(looks, small(), profile)
    shuffled = []
    for look in looks:
        observations = list(look.observations)
        random.shuffle(observations)  # type: ignore[attr-defined]
        shuffled.append(StageLook(look.stage, tuple(observations)))
    again = propose(shuffled, taxonomy(), profile)
    assert again.suggestions == first.suggestions
    assert (again.unsure, again.unmapped) == (first.unsure, first.unmapped)
    assert (again.view, again.condition, again.era) == (first.view, first.condition, first.era)


@MANY
@given(LOOKS)
def test_a_higher_threshold_never_writes_more(looks: list[StageLook]) -> None:
    easy = propose(looks, small(), Profile(threshold=0.3, ask_from=0.3))
    strict = propose(looks, small(), Profile(threshold=0.8, ask_from=0.8))
    closure = {
        keyword for one in easy.suggestions for keyword in (one.keyword, *one.keyword.ancestors())
    }
    open_questions = {one.keyword for one in easy.unsure}
    for one in strict.suggestions:
        known = one.keyword in closure or one.keyword in open_questions
        assert known or one.keyword in small().groups or _waits_for_company(looks)


def _waits_for_company(looks: list[StageLook]) -> bool:
    """More company can make an ambiguous word say nothing."""
    return any(one.label == "bar" for look in looks for one in look.observations)


def test_the_shipped_vocabulary_goes_through_the_same_road() -> None:
    looks = [
        labels("place", state_hospital=0.9),
        view("pixels", interior=0.9),
        labels("ram", hallway=0.8, peel=0.65, wheelchair=0.9, person=0.9, prison=0.9),
    ]
    proposal = propose(looks, urbex(), PROFILE)
    assert {one.keyword.leaf for one in proposal.suggestions} == {
        *("Asylum", "Interior", "Corridor", "Peeling Paint", "Wheelchair"),
    }
    assert [one.keyword for one in proposal.unsure] == [
        Keyword.parse("Urbex|Building|Justice|Prison")
    ]
    assert proposal.condition == pytest.approx(92.2)
