"""What stages say in so many words: descriptions, texts read, an era with its reason."""

from __future__ import annotations

import pytest

from unit.words_examples import urbex
from urbexmp.model.observation import Context, Observation, ObservationKind, StageLook
from urbexmp.model.text import TextField
from urbexmp.rules.said_texts import LONGEST_READ, text_read, texts_said
from urbexmp.rules.terms import Taxonomy
from urbexmp.rules.vlm_reply import Reply
from urbexmp.rules.vlm_words import observations


def look(stage: str, *said: tuple[ObservationKind, str, str, float | None]) -> StageLook:
    found = tuple(Observation(kind, label, score, value) for kind, label, value, score in said)
    return StageLook(f"{stage}@12345678", found)


CAPTION, TEXT = ObservationKind.CAPTION, ObservationKind.TEXT


def test_the_last_stage_with_a_description_counts() -> None:
    looks = (
        look("florence", (CAPTION, "caption", "A hall.", None)),
        look("vlm", (CAPTION, "description", "A\n hall\x07.", None), (CAPTION, "spatial", "x", 1)),
        look("other", (CAPTION, "description", "A great hall.", None)),
        look("third", (CAPTION, "alt text", " ", None)),
    )
    assert texts_said(looks[:2]) == ((TextField.DESCRIPTION, "A hall.", "vlm@12345678"),)
    assert texts_said(looks) == ((TextField.DESCRIPTION, "A great hall.", "other@12345678"),)
    assert texts_said(looks[:1]) == ()


def test_what_was_read_is_kept_once_and_short() -> None:
    looks = (
        look("ocr", (TEXT, "text", "WARD 7", 0.9), (TEXT, "text", "lllIl", 0.2)),
        look("vlm", (TEXT, "text", "ward 7", None), (TEXT, "text", "TO WARD 7 & EXIT", None)),
    )
    assert text_read(looks) == "TO WARD 7 & EXIT"
    assert text_read((look("ocr", (TEXT, "text", "WARD 7", 0.9)),)) == "WARD 7"
    assert text_read(()) is None
    many = look("ocr", *((TEXT, "text", f"SIGN {n:03}", 0.9) for n in range(200)))
    read = text_read((many,))
    assert read is not None
    assert LONGEST_READ - 20 < len(read) <= LONGEST_READ


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return urbex()


def test_style_and_era_are_keywords_where_the_taxonomy_knows_them(taxonomy: Taxonomy) -> None:
    reply = Reply(style="Art Deco, with later additions", era="Victorian; by the ironwork")
    found = observations(reply, Context(), taxonomy)
    labels = {(said.label, said.source) for said in found if said.kind is ObservationKind.LABEL}
    assert labels == {("Art Deco", "style"), ("Victorian", "era")}
