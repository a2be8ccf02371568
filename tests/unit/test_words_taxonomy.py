"""Reading a vocabulary: what it knows afterwards, and how it complains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.words_examples import SMALL, small, taxonomy
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.keyword import Keyword
from urbexmp.rules.spelling import plural_key, word_key
from urbexmp.rules.terms import Guard


def meant(label: str) -> list[str]:
    return [str(meaning.keyword) for meaning in small().lookup(label)]


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigProblem) as caught:
        taxonomy(text)
    return list(caught.value.mistakes)


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ("hospital", "Urbex|Building|Hospital"),
        ("HOSPITAL", "Urbex|Building|Hospital"),
        ("infirmary", "Urbex|Building|Hospital"),
        ("Hopital", "Urbex|Building|Hospital"),
        ("clinic", "Urbex|Building|Hospital"),
        ("clinics", "Urbex|Building|Hospital"),
        ("peeling_paint", "Urbex|Decay|Peeling Paint"),
        ("peeling-paint", "Urbex|Decay|Peeling Paint"),
        ("benches", "Urbex|Object|Bench"),
        ("shelves", "Urbex|Object|Shelf"),
        ("old shelf", "Urbex|Object|Shelf"),
        ("Urbex|Object|Shelf", "Urbex|Object|Shelf"),
        ("urbex|object|shelf", "Urbex|Object|Shelf"),
        ("coffee shops", "Urbex|Building|Café"),
    ],
)
def test_a_label_is_found_in_every_spelling(label: str, path: str) -> None:
    assert meant(label) == [path]


@pytest.mark.parametrize(
    "label", ["glasses", "hospita", "hospitalss", "building", "room", "", "|", "old", "xyz", "bar"]
)
def test_a_word_that_is_not_known_is_not_guessed(label: str) -> None:
    assert meant(label) == []


def test_an_adjective_adds_its_own_term() -> None:
    assert meant("old wooden bench") == ["Urbex|Object|Bench", "Urbex|Wood"]
    assert meant("wooden spoon") == []


def test_an_ambiguous_word_has_senses_and_no_meaning() -> None:
    senses = small().lookup_senses("old bars")
    assert senses == ()  # the plural is a name of its own
    assert [sense.keyword.leaf for sense in small().lookup_senses("bar")] == ["Café", "Bars"]


def test_guards_know_why() -> None:
    assert small().guard("men") is None  # no lexicon entry: never cut, never guessed
    assert small().guard("persons") is Guard.PEOPLE
    assert small().guard("Nikon") is Guard.CAMERA
    assert small().guard("area") is Guard.IGNORED
    assert small().guard("bench") is None


def test_grouping_nodes_are_unlisted_and_all_spellings_are_given() -> None:
    assert Keyword.parse("Urbex|Building") in small().unlisted
    assert Keyword.parse("Urbex") not in small().unlisted
    assert small().spellings == frozenset(small().terms)


def test_the_digest_follows_the_content() -> None:
    assert taxonomy().digest == small().digest
    assert taxonomy(SMALL.replace('"clinic"', '"clinics"')).digest != small().digest
    assert taxonomy(SMALL + "\n# a comment\n").digest == small().digest


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    text = """
[[term]]
path = "A"
colour = "red"

[[term]]
path = "A|B"
synonyms = ["x, y", "same"]

[[term]]
path = "a|b"

[[term]]
path = "A|C"
labels = ["Same"]
implies = ["A|D"]

[[term]]
path = "A|E|F"
thresholds = { ram = 1.5 }
severity = 9

[[term]]
path = "A|G"
exclusive = "alone"
export = "no"

[other]
x = 1
"""
    told = mistakes(text)
    lines = [int(line.split(":")[0].removeprefix("line ")) for line in told]
    assert lines == [4, 8, 11, 15, 16, 19, 20, 21, 25, 26, 28]
    together = "\n".join(told)
    for part in (
        "unknown key `colour`",
        "synonym 'x, y' contains a comma",
        "a|b is defined a second time (first: line 6)",
        "'Same' means A|C here and A|B in line 6",
        "implies A|D, which is not a term",
        "the term above it, A|E, is missing",
        "threshold of `ram` must be a number from 0 to 1, found 1.5",
        "`severity` must be a whole number from 1 to 4, found 9",
        "`export` must be true or false, found 'no'",
        "unknown table `other`",
    ):
        assert part in together, f"{part!r} not in:\n{together}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no [[term]]"),
        ('[term]\npath = "A"\n', "`term` must be written [[term]]"),
        ('[[term]]\npath = ""\n', "a term needs a `path`"),
        ('[[term]]\npath = "A||B"\n', "has an empty name"),
        ('[[term]]\npath = "A;B"\n', "contains a semicolon"),
        ('[[term]]\npath = "[A]"\n', "begins with ["),
        ('[[term]]\npath = "A*"\n', "ends with an asterisk"),
        ('[[term]]\npath = "A"\nsynonyms = "b"\n', "`synonyms` must be a list of texts"),
        ('[[term]]\npath = "A"\n[guards]\nfolk = ["x"]\n', "unknown guard `folk`"),
        ('[[term]]\npath = "A"\n[guards]\npeople = ["a"]\n', "'a' is guarded, but also means A"),
        ('[[term]]\npath = "A"\n[qualifiers]\nold = "B"\n', "term 'B' is not a term"),
        ('[[term]]\npath = "A"\nimplies = ["A"]\n', "is itself or above it anyway"),
        ('[[term]]\npath = "A"\nexclusive = "g"\n', "exclusive group 'g' has only this term"),
        ('[[term]]\npath = "A"\n[[ambiguous]]\nword = "x"\n', "needs `word` and a list `means`"),
        ('[[term]]\npath = "A"\n[[term]]\npath = "a|B"\n', "a is spelled A where it is defined"),
        (
            '[[term]]\npath = "A"\nimplise = ["B"]\n',
            "unknown key `implise` (did you mean implies?)",
        ),
        ('[[term]]\npath = "A"\nnot_in_view = ["arial"]\n', "no view (did you mean aerial?)"),
    ],
)
def test_a_mistake_is_said_plainly(text: str, said: str) -> None:
    assert said in "\n".join(mistakes(text))


def test_circles_of_implications_are_found_also_through_the_tree() -> None:
    ring = '[[term]]\npath = "A"\nimplies = ["B"]\n[[term]]\npath = "B"\nimplies = ["A"]\n'
    assert "implications run in a circle: A -> B -> A" in "\n".join(mistakes(ring))
    below = (
        '[[term]]\npath = "A"\n[[term]]\npath = "B"\nimplies = ["A|C"]\n'
        '[[term]]\npath = "A|C"\nimplies = ["B|D"]\n[[term]]\npath = "B|D"\n'
    )
    assert "circle" in "\n".join(mistakes(below))


def test_an_exclusive_group_may_not_hold_what_always_goes_together() -> None:
    nested = '[[term]]\npath = "A"\nexclusive = "g"\n[[term]]\npath = "A|B"\nexclusive = "g"\n'
    assert "yet both are in group 'g'" in "\n".join(mistakes(nested))


def test_a_term_implies_what_those_above_it_imply() -> None:
    text = (
        '[[term]]\npath = "A"\nimplies = ["C"]\n[[term]]\npath = "A|B"\n'
        '[[term]]\npath = "C"\nimplies = ["D"]\n[[term]]\npath = "D"\n'
    )
    implied = taxonomy(text).implied[Keyword.parse("A|B")]
    assert sorted(str(one) for one in implied) == ["C", "D"]


@given(st.text(max_size=30))
def test_a_word_key_is_stable(text: str) -> None:
    key = word_key(text)
    assert word_key(key) == key
    assert word_key(text.replace(" ", "_")) == word_key(text.replace("_", " "))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=20))
def test_a_plural_only_ever_adds(text: str) -> None:
    key = word_key(text)
    plural = plural_key(key, {}) if key else None
    assert plural is None or (len(plural) > len(key) and plural[:-1].startswith(key[:-1]))


@given(st.text(max_size=40))
def test_lookup_never_fails_and_only_names_terms(label: str) -> None:
    for meaning in small().lookup(label):
        assert meaning.keyword in small().terms
    assert isinstance(small().lookup_senses(label), tuple)
    assert small().guard(label) in (None, *Guard)
