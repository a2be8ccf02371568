"""Tasks by view, the taxonomy's words in captions, and what is located."""

from __future__ import annotations

import pytest

from unit.words_examples import labels, small, taxonomy, urbex, view
from urbexmp.model.observation import Context, Observation, ObservationKind, StageLook
from urbexmp.rules.captions import WORD_SCORES, spoken, taxonomy_words, words_of
from urbexmp.rules.florence_tasks import (
    MOST_PHRASES,
    caption_to_ground,
    choose,
    parse_tasks,
    phrases_to_locate,
)
from urbexmp.rules.normalise import normalise


def found_in(text: str) -> list[str]:
    spans = words_of(text)
    return [text[spans[first][0] : spans[last][1]] for first, last in taxonomy_words(text, small())]


def caption(text: str, scores: str = "") -> tuple[Observation, ...]:
    said = Observation(ObservationKind.CAPTION, "caption", 0.9, text, source="caption")
    if not scores:
        return (said,)
    prior = Observation(ObservationKind.PRIOR, WORD_SCORES, None, scores, source="caption")
    return (said, prior)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The image shows a hallway with wooden benches.", ["hallway", "wooden benches"]),
        ("An old bench stands in a state.", ["old bench"]),
        ("Peeling paint in a Coffee-Shop", ["Peeling paint", "Coffee-Shop"]),
        ("the paint is peeling, glass", ["glass"]),
        ("un h\u00f4pital abandonn\u00e9, ein Krankenhaus", ["h\u00f4pital", "Krankenhaus"]),
        ("There are no benches and no glass, but a shelf", ["shelf"]),
        ("a ward without a single bench", ["ward"]),
        ("It looks like a hospital", []),
        ("There is no door. Benches stand there", ["Benches"]),
        ("It has not fallen down, shelves", ["shelves"]),
        ("a benchmark and hospitality", []),
        ("peeling. Paint", []),
        ("a bar", ["bar"]),
        ("", []),
    ],
)
def test_the_longest_words_of_the_taxonomy_are_found(text: str, words: list[str]) -> None:
    assert found_in(text) == words


def test_a_captions_words_become_evidence_with_their_own_probability() -> None:
    text = "a wooden bench in a hospital, a bench"
    look = StageLook("florence@1", caption(text, "100 81 100 100 100 64 100 90"))
    heard = normalise((look,), small())
    assert {
        (str(one.keyword).rpartition("|")[2], one.label, one.score) for one in heard.evidence
    } == {
        ("Bench", "wooden bench", 0.9),
        ("Wood", "wooden bench", 0.9),
        ("Hospital", "hospital", 0.64),
        ("Bench", "bench", 0.9),
    }
    assert heard.unknown == ()


def test_scores_that_do_not_fit_the_words_leave_them_unscored() -> None:
    for scores in ("", "100", "100 90 80 70"):
        said = [*spoken(caption("a long bench", scores), small())]
        (label,) = [one for one in said if one.kind is ObservationKind.LABEL]
        assert (label.label, label.score) == ("bench", None)


def test_a_changed_vocabulary_finds_its_words_in_the_same_look() -> None:
    look = StageLook("florence@1", caption("a rusty wheelchair"))
    assert normalise((look,), small()).evidence == ()
    more = taxonomy('[[term]]\npath = "Wheelchair"\n')
    (one,) = normalise((look,), more).evidence
    assert one.label == "wheelchair"


def test_captions_of_other_sources_are_left_to_their_stage() -> None:
    said = Observation(ObservationKind.CAPTION, "caption", None, "a bench", source="vlm")
    assert [*spoken((said,), small())] == [said]


def test_a_regions_label_is_whole_where_it_is_known() -> None:
    def region(label: str) -> Observation:
        box = (0.1, 0.1, 0.2, 0.2)
        return Observation(ObservationKind.LABEL, label, 0.7, None, "region", box)

    said = (region("coffee shop"), region("broken hallway bench"), region("zeppelin"))
    assert [one.label for one in spoken(said, small())] == [
        *("coffee shop", "hallway", "bench", "zeppelin"),
    ]
    assert all(one.region == (0.1, 0.1, 0.2, 0.2) for one in spoken(said, small()))
    heard = normalise((StageLook("florence@1", said),), small())
    assert [label for _, label, _ in heard.unknown] == ["zeppelin"]


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        ("aerial", ["detailed_caption"]),
        ("detail", ["detailed_caption", "ocr_with_region"]),
        ("interior", ["detailed_caption", "od"]),
        ("exterior", ["detailed_caption", "od"]),
        ("", ["detailed_caption", "od"]),
    ],
)
def test_the_view_chooses_the_tasks(seen: str, names: list[str]) -> None:
    earlier = (view("siglip", **{seen: 0.95}),) if seen else ()
    assert [task.name for task in choose(("auto",), earlier, small())] == names


def test_lettering_that_a_reader_has_read_is_not_read_again_unless_named() -> None:
    earlier = (view("siglip", detail=0.95), StageLook("ocr@1", ()))
    assert [task.name for task in choose(("auto",), earlier, small())] == ["detailed_caption"]
    named = choose(("ocr_with_region", "od"), earlier, small())
    assert [task.name for task in named] == ["ocr_with_region", "od"]


def test_tasks_are_checked() -> None:
    assert parse_tasks("auto, ground") == ("auto", "ground")
    assert parse_tasks("OD, od,caption") == ("od", "caption")
    for wrong in ("", "ground", "flying", "od, tags"):
        with pytest.raises(ValueError, match="task"):
            parse_tasks(wrong)


def test_only_supported_things_without_a_place_are_located() -> None:
    box = (0.1, 0.1, 0.2, 0.2)
    own = (
        *caption("a shelf and a bench in a hospital ward", "100 70 100 100 60 100 100 100 90"),
        Observation(ObservationKind.LABEL, "bench", 0.9, None, "region", box),
    )
    earlier = (
        labels("siglip", **{"peeling paint": 0.8, "glass": 0.2}),
        labels("place", wood=1.0),
        view("siglip", interior=0.9),
    )
    assert phrases_to_locate(own, earlier, small()) == ("ward", "peeling paint", "shelf")
    assert phrases_to_locate((), (), small()) == ()
    many = labels("ram", **{term.keyword.path[-1]: 0.9 for term in urbex().terms.values()})
    assert len(phrases_to_locate((), (many,), urbex())) == MOST_PHRASES


def test_the_place_frames_the_caption_only_in_the_taxonomys_words() -> None:
    for kind, said in (
        ("Krankenhaus", "abandoned hospital"),
        ("space station", "abandoned building"),
        (None, "abandoned building"),
    ):
        context = Context(name="St Agnes", place_type=kind)
        framed = caption_to_ground(("shelf", "peeling paint"), context, small())
        assert framed == f"shelf, peeling paint in an {said}"
