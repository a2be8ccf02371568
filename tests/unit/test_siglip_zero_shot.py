"""Laws of zero-shot scoring: no certainty out of nothing."""

from __future__ import annotations

from math import exp, isclose

from hypothesis import given
from hypothesis import strategies as st

from urbexmp.rules.zero_shot import (
    VIEW_PROMPTS,
    Calibration,
    decide_view,
    score_terms,
    sigmoid,
    z_at,
)

MODEL = Calibration(scale=117.33, bias=-12.93)
VIEWS = tuple(VIEW_PROMPTS)
cosines = st.floats(-0.3, 0.3)
views = st.fixed_dictionaries(dict.fromkeys(VIEWS, cosines))


def at(interior: float, exterior: float, aerial: float, detail: float) -> dict[str, float]:
    return dict(zip(VIEWS, (interior, exterior, aerial, detail), strict=True))


def test_a_clear_interior_is_decided() -> None:
    said = decide_view(at(0.135, 0.065, 0.03, 0.06), MODEL)
    assert said.view == "interior"
    assert said.probabilities["interior"] > 0.99


def test_where_nothing_fits_nothing_is_decided() -> None:
    """Stretched between least and largest, one of these would be 100 %."""
    assert decide_view(at(0.012, 0.008, -0.005, 0.010), MODEL).view is None
    assert decide_view(at(0.0201, 0.02005, 0.0200, 0.02), MODEL).view is None


def test_a_winner_that_fits_no_better_than_chance_is_not_decided() -> None:
    """The softmax alone would be sure of it: the others fit even less."""
    said = decide_view(at(0.01, -0.2, -0.2, -0.2), MODEL)
    assert said.probabilities["interior"] > 0.99
    assert said.view is None


@given(views, st.floats(-0.2, 0.2))
def test_a_shift_of_all_cosines_makes_no_view_surer(one: dict[str, float], shift: float) -> None:
    plain = decide_view(one, MODEL)
    moved = decide_view({view: cosine + shift for view, cosine in one.items()}, MODEL)
    for view in VIEWS:
        assert isclose(plain.probabilities[view], moved.probabilities[view], abs_tol=1e-6)


@given(cosines, st.sampled_from(VIEWS), st.floats(0, 1e-3))
def test_a_tie_decides_nothing_wherever_it_lies(height: float, ahead: str, lead: float) -> None:
    tied = dict.fromkeys(VIEWS, height) | {ahead: height + lead}
    said = decide_view(tied, MODEL)
    assert said.view is None
    assert set(said.probabilities) == set(VIEWS)


@given(views)
def test_probabilities_add_up_and_a_decided_view_leads(one: dict[str, float]) -> None:
    said = decide_view(one, MODEL)
    assert isclose(sum(said.probabilities.values()), 1.0, abs_tol=1e-9)
    if said.view is not None:
        others = [share for view, share in said.probabilities.items() if view != said.view]
        assert said.probabilities[said.view] >= MODEL.view_least
        assert said.probabilities[said.view] - max(others) >= MODEL.view_margin
        assert said.z >= MODEL.view_floor


@given(views, st.sampled_from(VIEWS), st.floats(0, 0.2))
def test_more_evidence_for_a_view_never_makes_it_less_likely(
    one: dict[str, float], view: str, more: float
) -> None:
    before = decide_view(one, MODEL)
    after = decide_view(one | {view: one[view] + more}, MODEL)
    assert after.probabilities[view] >= before.probabilities[view] - 1e-12
    if before.view == view:
        assert after.view == view
    for other in VIEWS:
        if other != view:
            assert after.probabilities[other] <= before.probabilities[other] + 1e-12


@given(views, st.permutations(VIEWS))
def test_no_view_is_preferred(one: dict[str, float], order: list[str]) -> None:
    plain = decide_view(one, MODEL)
    renamed = decide_view({new: one[old] for new, old in zip(order, VIEWS, strict=True)}, MODEL)
    expected = None if plain.view is None else order[VIEWS.index(plain.view)]
    assert renamed.view == expected


@given(views, st.floats(1, 20))
def test_a_higher_temperature_is_never_surer(one: dict[str, float], heat: float) -> None:
    plain = decide_view(one, MODEL)
    warm = decide_view(one, Calibration(MODEL.scale, MODEL.bias, temperature=heat))
    assert max(warm.probabilities.values()) <= max(plain.probabilities.values()) + 1e-9


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), cosines, min_size=1))
def test_a_term_is_scored_by_the_models_own_sigmoid(one: dict[str, float]) -> None:
    said = {path: score for path, score, _ in score_terms(one, MODEL, least=0.0)}
    for path, cosine in one.items():
        assert isclose(said[path], 1 / (1 + exp(-(117.33 * cosine - 12.93))), rel_tol=1e-9)


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), cosines, min_size=2),
    st.floats(0.001, 0.9),
)
def test_what_other_terms_score_changes_nothing(one: dict[str, float], least: float) -> None:
    together = score_terms(one, MODEL, least)
    alone = [said for path in one for said in score_terms({path: one[path]}, MODEL, least)]
    assert sorted(together) == sorted(alone)
    assert all(score >= least * (1 - 1e-9) for _, score, _ in together)
    assert [z for *_, z in together] == sorted((z for *_, z in together), reverse=True)


def test_offsets_move_all_terms_or_one() -> None:
    same = {"A|B": 0.1, "A|C": 0.1}
    plain = {path: z for path, _, z in score_terms(same, MODEL, 0.0)}
    moved = Calibration(MODEL.scale, MODEL.bias, offset=2.0, offsets={"A|C": 1.0})
    after = {path: z for path, _, z in score_terms(same, moved, 0.0)}
    assert isclose(after["A|B"] - plain["A|B"], 2.0)
    assert isclose(after["A|C"] - plain["A|C"], 3.0)


@given(st.floats(1e-6, 1 - 1e-6))
def test_the_limit_on_z_is_the_limit_on_the_score(score: float) -> None:
    assert isclose(sigmoid(z_at(score)), score, rel_tol=1e-6)


@given(st.floats(-1e6, 1e6))
def test_the_sigmoid_never_leaves_its_range(z: float) -> None:
    assert 0.0 <= sigmoid(z) <= 1.0
    assert isclose(sigmoid(z) + sigmoid(-z), 1.0, abs_tol=1e-12)


def test_unknown_is_never_a_sentence() -> None:
    words = " ".join(prompt for said in VIEW_PROMPTS.values() for prompt in said)
    assert "unknown" not in words
    assert "unsure" not in words
