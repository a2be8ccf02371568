"""What a description may say: nothing that nobody told and nobody can read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.words_examples import urbex
from urbexmp.model.observation import Context, ObservationKind
from urbexmp.model.text import TextField
from urbexmp.rules.said_texts import texts_said
from urbexmp.rules.terms import Taxonomy
from urbexmp.rules.told_texts import only_told, told_words
from urbexmp.rules.vlm_reply import Reply
from urbexmp.rules.vlm_words import observations

PLACE = Context(
    name="Beelitz-Heilstätten",
    place_type="hospital",
    era="1930s",
    city="Beelitz",
    country="Germany",
)


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return urbex()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("A tiled hall with a collapsed ceiling.", "A tiled hall with a collapsed ceiling."),
        (
            "A tiled hall. It was built in 1923. Ferns grow inside.",
            "A tiled hall. Ferns grow inside.",
        ),
        ("Built in the 1930s, a ward of Beelitz-Heilstätten.",) * 2,
        ("A ward in Beelitz, Germany.",) * 2,
        ("Germany's oldest ward. A bed.", "Germany's oldest ward. A bed."),
        ("The theatre of Architect Karl Meyer stands empty.", None),
        ("This is Pripyat. A pool.", "A pool."),
        ("A hall after St. Mary Magdalene. Two beds.", "Two beds."),
        ("An Art Deco stair with Gothic windows and a TV.",) * 2,
        ("A 19th-century hall. It is wet!", "It is wet!"),
        ('A sign says "Ward 7". I see Paris. No roof?', 'A sign says "Ward 7". No roof?'),
        ("Ein Saal mit Fliesen und ein Bett. Erbaut 1923.", "Ein Saal mit Fliesen und ein Bett."),
    ],
)
def test_sentences_with_what_nobody_told_are_left_out(
    text: str, kept: str | None, taxonomy: Taxonomy
) -> None:
    checked = only_told(text, told_words(PLACE, ("WARD 7",)), taxonomy)
    assert checked.text == kept
    assert bool(checked.left_out) == (text != kept)


@given(st.text(alphabet="abc déß,;:'\"()\n-", max_size=80))
def test_without_capitals_and_figures_a_text_stays_as_it_is(text: str) -> None:
    checked = only_told(text, frozenset(), urbex())
    assert checked.text == text
    assert checked.left_out == ()


@given(
    st.lists(
        st.sampled_from(
            ("It rained.", "Moss grows here!", "Built in 1901.", "We saw Old Tom there.", "Why?")
        ),
        max_size=6,
    )
)
def test_what_stays_and_what_goes_make_up_the_text(sentences: list[str]) -> None:
    checked = only_told(" ".join(sentences), frozenset(), urbex())
    gone = [each for each in sentences if "1901" in each or "Tom" in each]
    assert list(checked.left_out) == gone
    assert (checked.text or "") == " ".join(each for each in sentences if each not in gone)


def test_what_the_model_or_a_stage_before_it_read_may_be_said(taxonomy: Taxonomy) -> None:
    reply = Reply(
        description="A hall of Kodak. Opened 1911. Run by Agfa.",
        alt_text="The gate of Zeiss",
        texts=("KODAK",),
    )
    found = observations(reply, Context(), taxonomy, read=("erbaut 1911",))
    captions = {one.label: one.value for one in found if one.kind is ObservationKind.CAPTION}
    assert captions == {
        "description": "A hall of Kodak. Opened 1911.",
        "left out of the description": "Run by Agfa.",
        "left out of the alt text": "The gate of Zeiss",
    }
    from urbexmp.model.observation import StageLook

    assert texts_said((StageLook("vlm@12345678", found),)) == (
        (TextField.DESCRIPTION, "A hall of Kodak. Opened 1911.", "vlm@12345678"),
    )
