"""Prompts say what is known and nothing else; answers say nothing that a picture cannot show."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from unit.words_examples import CHECKOUT, urbex
from urbexmp.adapters.toml import parse_toml, read_toml
from urbexmp.model.asking import Question
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.observation import Context, Observation, ObservationKind, StageLook
from urbexmp.model.profile import Profile
from urbexmp.rules.prompts import Prompt, fill, load_prompt
from urbexmp.rules.propose import propose
from urbexmp.rules.vlm_reply import Label, Reply
from urbexmp.rules.vlm_schema import schema
from urbexmp.rules.vlm_words import observations, span_probability, unknowable

SHIPPED = sorted((CHECKOUT / "profiles" / "prompts").glob("*.toml"))
HOSPITAL = Context(name="St Agnes Hospital", place_type="hospital", era="1890s", city="Leeds")


def shipped(name: str) -> Prompt:
    path = CHECKOUT / "profiles" / "prompts" / f"{name}.toml"
    document = read_toml(path)
    return load_prompt(name, document.values, document.line_of, path)


@pytest.mark.parametrize("name", [path.stem for path in SHIPPED])
def test_shipped_prompts_leave_out_what_is_unknown(name: str) -> None:
    filled = fill(shipped(name), Question())
    text = filled.system + filled.user
    assert "{" not in text
    assert "None" not in text
    assert "called" not in filled.user
    known = Question(HOSPITAL, "interior", ("corridor", "bed"), ("WARD 7",), ("ward", "bed"))
    told = fill(shipped(name), known).user
    assert "ward, bed" in told
    assert ("St Agnes" in told) is (name != "social")


def test_the_place_is_named_by_what_is_known() -> None:
    prompt = shipped("urbex")
    assert "an abandoned building." in fill(prompt, Question()).user
    told = fill(prompt, Question(HOSPITAL, "interior")).user
    assert "an abandoned hospital." in told
    assert "called St Agnes Hospital." in told
    assert "in Leeds." in told
    assert "Other programs saw" not in told


def test_an_id_changes_with_the_template_and_not_with_what_is_filled_in() -> None:
    prompt = shipped("urbex")
    assert fill(prompt, Question()).id == fill(prompt, Question(HOSPITAL)).id
    assert replace(prompt, user=prompt.user + "!").id != prompt.id


def test_mistakes_in_a_prompt_are_listed_with_their_lines() -> None:
    text = 'sytem = "a"\nuser = "Look at {who}."\nanswers = ["labels", "lables"]\n'
    document = parse_toml(text, "mine.toml")
    with pytest.raises(ConfigProblem) as caught:
        load_prompt("mine", document.values, document.line_of, "mine.toml")
    said = str(caught.value)
    for part in ("line 1: unknown key `sytem`", "{who} is not known", "line 3: `answers`"):
        assert part in said


def test_a_schema_is_strict_and_lists_terms_only_while_they_are_few() -> None:
    made = schema(("description", "labels"), ("bed", "ward"))
    assert made["required"] == ["description", "labels"]
    assert made["properties"]["labels"]["items"]["properties"]["term"]["enum"] == ["bed", "ward"]
    assert '"minimum"' not in json.dumps(made)
    many = schema(("labels",), tuple(f"term {n}" for n in range(400)))
    assert "enum" not in json.dumps(many)


@pytest.mark.parametrize(
    ("word", "refused"),
    [
        ("corridor", False),
        ("Corridor", False),
        ("1920s hospital", True),
        ("1890s", False),
        ("19th century", True),
        ("Beelitz sanatorium", True),
        ("St Agnes", False),
        ("John Smith", True),
        ("Art Deco", False),
        ("leaning tower", False),
    ],
)
def test_labels_that_a_picture_cannot_show_need_the_context(word: str, refused: bool) -> None:
    assert unknowable(word, HOSPITAL, urbex()) is refused


def keywords(*said: Observation) -> set[str]:
    looks = (StageLook("vlm@1", said),)
    return {one.keyword.leaf for one in propose(looks, urbex(), Profile()).suggestions}


def test_what_a_model_said_becomes_observations() -> None:
    reply = Reply(
        description="A corridor.",
        condition=30.0,
        decay=("peeling paint", "a certain sadness"),
        texts=("KEEP OUT",),
        labels=(Label("corridor", 0.99), Label("wheelchair", 0.2), Label("Beelitz 1902", 0.9)),
    )
    said = observations(reply, Context(), urbex())
    labels = {one.label: one.score for one in said if one.kind is ObservationKind.LABEL}
    assert labels == {"corridor": 0.9, "wheelchair": 0.2, "peeling paint": None}
    assert {one.value for one in said if one.kind is ObservationKind.CAPTION} == {"A corridor."}
    assert keywords(*said) >= {"Corridor", "No Trespassing"}
    assert "Wheelchair" not in keywords(*said)


def test_the_probability_of_the_words_goes_before_what_a_model_says_of_itself() -> None:
    tokens = (
        ('{"', -0.1),
        ("term", 0.0),
        ('": "', 0.0),
        ("wheel", -0.2),
        ("chair", -0.4),
        ('"', 0),
    )
    assert span_probability("wheelchair", tokens) == pytest.approx(0.7408)
    assert span_probability("bed", tokens) is None
    said = observations(Reply(labels=(Label("wheelchair", 1.0),)), Context(), urbex(), tokens)
    assert (said[0].score, said[0].source) == (pytest.approx(0.7408), "token probability")
