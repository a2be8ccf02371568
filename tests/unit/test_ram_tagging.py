"""A tagger's closed list: how its lists are read, and how its scores are moved and kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.model.observation import ObservationKind
from urbexmp.rules.tagging import TAG, TagList, TagListError, calibrated, keep, read_tags

shares = st.floats(0.0, 1.0)
thresholds = st.floats(0.001, 0.999)


@given(thresholds)
def test_a_tags_own_threshold_lands_on_the_profiles(threshold: float) -> None:
    assert calibrated(threshold, threshold) == pytest.approx(0.5)


@given(shares, shares, thresholds)
def test_a_higher_score_never_counts_less(one: float, other: float, threshold: float) -> None:
    low, high = sorted((one, other))
    assert calibrated(low, threshold) <= calibrated(high, threshold)


@given(shares, thresholds, thresholds)
def test_a_higher_threshold_never_counts_more(score: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert calibrated(score, high) <= calibrated(score, low) + 1e-12


@given(st.floats(), st.floats(0.001, 1.0))
def test_what_comes_out_is_a_share(score: float, threshold: float) -> None:
    assert 0.0 <= calibrated(score, threshold) <= 1.0


@given(thresholds)
def test_certainties_stay(threshold: float) -> None:
    assert calibrated(0.0, threshold) == 0.0
    assert calibrated(1.0, threshold) == 1.0


@given(shares)
def test_a_threshold_of_a_half_changes_nothing(score: float) -> None:
    assert calibrated(score, 0.5) == pytest.approx(score)


def test_a_tag_that_is_switched_off_is_never_said() -> None:
    known = TagList(("wall", "rust"), (1.0, 0.7))
    assert [one.label for one in keep([1.0, 1.0], known, 0.2, 10)] == ["rust"]


def test_the_strongest_are_kept_first_and_weak_ones_for_another_threshold() -> None:
    known = TagList(("chair", "rust", "pew", "sea"), (0.77, 0.65, 0.5, 0.5))
    said = keep([0.77, 0.9, 0.3, 0.1], known, 0.2, 10)
    assert [(one.label, one.score) for one in said] == [
        ("rust", pytest.approx(0.8289)),
        ("chair", 0.5),
        ("pew", 0.3),
    ]
    assert {one.kind for one in said} == {ObservationKind.LABEL}
    assert {one.source for one in said} == {TAG}
    assert [one.label for one in keep([0.77, 0.9, 0.3, 0.1], known, 0.2, 2)] == ["rust", "chair"]


@given(st.lists(shares, min_size=5, max_size=5), shares, shares)
def test_a_lower_floor_only_adds(scores: list[float], one: float, other: float) -> None:
    known = TagList(tuple("abcde"), (0.5, 0.6, 0.7, 0.8, 1.0))
    low, high = sorted((one, other))
    assert set(keep(scores, known, high, 99)) <= set(keep(scores, known, low, 99))


def test_scores_for_another_number_of_tags_are_refused() -> None:
    with pytest.raises(TagListError, match="2 scores for 1 tags"):
        keep([0.5, 0.5], TagList(("rust",), (0.5,)), 0.2, 9)


def test_both_lists_are_read() -> None:
    known = read_tags("rust\n ivy \nbar stool\n", "0.65\n0.8\r\n1\n", 3)
    assert known == TagList(("rust", "ivy", "bar stool"), (0.65, 0.8, 1.0))


@pytest.mark.parametrize(
    ("tags", "least", "count", "said"),
    [
        ("rust\nivy", "0.5\n0.5", 3, "2 tags instead of 3"),
        ("rust\nivy", "0.5", 2, "1 thresholds instead of 2"),
        ("rust\nivy", "0.5", None, "1 thresholds instead of 2"),
        ("", "", None, "0 tags"),
        ("rust\nrust", "0.5\n0.5", 2, "'rust' stands in line 1 already"),
        ("rust\n\nivy", "0.5\n0.5\n0.5", 3, "line 2: there is no tag"),
        ("rust\nivy", "0.5\nhigh", 2, "line 2: 'high'"),
        ("rust\nivy", "0.5\n0", 2, "line 2: '0'"),
        ("rust\nivy", "nan\n0.5", 2, "line 1: 'nan'"),
        ("rust\nivy", "0.5\n65", 2, "line 2: '65'"),
    ],
)
def test_lists_that_cannot_be_right_are_refused(
    tags: str, least: str, count: int | None, said: str
) -> None:
    with pytest.raises(TagListError, match=said):
        read_tags(tags, least, count)
