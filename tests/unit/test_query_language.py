"""The query language: what each form means, and one clear sentence where it makes no sense."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.rules.query import (
    And,
    Everything,
    HasTerm,
    KeywordTerm,
    Not,
    NumberTerm,
    Or,
    Query,
    TextTerm,
    WordTerm,
    terms,
)
from urbexmp.rules.query_fields import ALIASES, FIELDS
from urbexmp.rules.query_parse import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, QueryMistake, parse_query


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


A, B, C = (KeywordTerm((name,)) for name in "ABC")

MEANT = {
    "": Everything(),
    "   ": Everything(),
    "Hospital": KeywordTerm(("Hospital",)),
    "under:Hospital": KeywordTerm(("Hospital",)),
    '"Urbex|Building|Healthcare"': KeywordTerm(("Urbex", "Building", "Healthcare")),
    "Urbex|Building": KeywordTerm(("Urbex", "Building")),
    '"St Agnes"': KeywordTerm(("St Agnes",)),
    'Urbex|"St Agnes"': KeywordTerm(("Urbex", "St Agnes")),
    "is:Building": KeywordTerm(("Building",), below=False),
    'is:"A|B"': KeywordTerm(("A", "B"), below=False),
    "veto:Hospital": KeywordTerm(("Hospital",), vetoed=True),
    "Hosp*": KeywordTerm(("Hosp",), prefix=True),
    '"Old Ho"*': KeywordTerm(("Old Ho",), prefix=True),
    '"Hosp*"': KeywordTerm(("Hosp*",)),
    "Hospital@>=80": KeywordTerm(("Hospital",), low=80),
    "Hospital@<80": KeywordTerm(("Hospital",), high=79),
    '"St Agnes"@=75': KeywordTerm(("St Agnes",), low=75, high=75),
    "Hosp*@:60..80": KeywordTerm(("Hosp",), prefix=True, low=60, high=80),
    '"a@>=80"': KeywordTerm(("a@>=80",)),
    '"AND"': KeywordTerm(("AND",)),
    '"taken:2024"': KeywordTerm(("taken:2024",)),
    '"say \\"hi\\" \\\\"': KeywordTerm(('say "hi" \\',)),
    "A B": And((A, B)),
    "A AND B": And((A, B)),
    "A OR B AND C": Or((A, And((B, C)))),
    "(A OR B) C": And((Or((A, B)), C)),
    "NOT A": Not(A),
    "NOT NOT A": Not(Not(A)),
    "A NOT B": And((A, Not(B))),
    "A(B)": And((A, B)),
    "taken:2024": NumberTerm("taken", day("2024-01-01"), day("2024-12-31")),
    "date:2024-02": NumberTerm("taken", day("2024-02-01"), day("2024-02-29")),
    "taken:2024-05..2024-09": NumberTerm("taken", day("2024-05-01"), day("2024-09-30")),
    "taken>=2024-05-01": NumberTerm("taken", day("2024-05-01"), day("9999-12-31")),
    "taken<2024": NumberTerm("taken", 1, day("2023-12-31")),
    "taken:..2010": NumberTerm("taken", 1, day("2010-12-31")),
    "taken:2010..": NumberTerm("taken", day("2010-01-01"), day("9999-12-31")),
    "TAKEN:2024-05-11": NumberTerm("taken", day("2024-05-11"), day("2024-05-11")),
    "quality>=70": NumberTerm("quality", 70, 100),
    "score:60..80": NumberTerm("score", 60, 80),
    "viewscore>90": NumberTerm("viewscore", 91, 100),
    "condition<0": NumberTerm("condition", 1, 0),
    'camera:"NIKON Z 6_2"': WordTerm("camera", "NIKON Z 6_2"),
    "lens:*24-70*": WordTerm("lens", "24-70", True, True),
    "make:Can*": WordTerm("make", "Can", False, True),
    "kind:RAW": WordTerm("kind", "raw"),
    "source:both": WordTerm("source", "both"),
    'folder:"2024/A b"': WordTerm("folder", "2024/A b"),
    "folder:2024/": WordTerm("folder", "2024"),
    "folder:/": WordTerm("folder", ""),
    "name:_DSC*": WordTerm("name", "_DSC", False, True),
    "has:gps": HasTerm("gps"),
    "has:vetoes": HasTerm("veto"),
    "untagged": Not(HasTerm("keywords")),
    '"untagged"': KeywordTerm(("untagged",)),
    'text:"no entry"': TextTerm(("no", "entry")),
    "text:dang*": TextTerm(("dang",), prefix=True),
}


@pytest.mark.parametrize("text", MEANT)
def test_an_expression_means(text: str) -> None:
    assert parse_query(text) == MEANT[text]


WRONG = {
    "(A": (1, "never closed"),
    "A (B": (3, "never closed"),
    "A)": (2, "without a ("),
    '"A': (1, "never closed"),
    'A ""': (3, "nothing between"),
    "A AND": (6, "after AND"),
    "OR A": (1, "at the beginning"),
    "A OR OR B": (6, "after OR"),
    "NOT": (4, "after NOT"),
    "()": (2, "after ("),
    "A and B": (3, "AND in capitals"),
    "camra:X": (1, "did you mean camera:"),
    "zzz:X": (1, "wants quotes"),
    "camera:": (1, "value after camera:"),
    "camera>=X": (1, "cannot compare camera"),
    "quality>=high": (10, "whole number from 0 to 100"),
    "quality>=101": (10, "whole number from 0 to 100"),
    "quality>=-1": (10, "whole number from 0 to 100"),
    "taken:2024-13": (7, "calendar"),
    "taken:2024-02-30": (7, "calendar"),
    "taken:0000": (7, "calendar"),
    "taken:24": (7, "2024-05-11"),
    "taken:yesterday": (7, "2024-05-11"),
    "kind:film": (6, "jpeg"),
    "has:luck": (5, "keywords"),
    "source:robot": (8, "person"),
    "A|": (1, "empty name"),
    "|A": (1, "empty name"),
    "A||B": (1, "empty name"),
    "*": (1, "empty name"),
    "H*": (1, "two letters"),
    "H*pital": (2, "not at the end"),
    "Hospital@80": (9, "comparison after @"),
    "Hospital@>=x": (9, "whole number"),
    "veto:A@>=3": (7, "no scores for vetoes"),
    "name:*x": (6, "cannot begin a name"),
    "camera:*": (8, "more than *"),
    "text:!!": (6, "letters or digits"),
    "A\0": (2, "no keyword can hold"),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_is_told_in_one_sentence_with_its_column(text: str) -> None:
    column, words = WRONG[text]
    with pytest.raises(QueryMistake) as caught:
        parse_query(text)
    assert caught.value.column == column
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.code == 2


def test_what_no_person_writes_is_refused_and_not_recursed_into() -> None:
    for text, words in (
        ("(" * 4000 + "A" + ")" * 4000, "nests deeper"),
        ("NOT " * 2000 + "A", "nests deeper"),
        ("A" * (MAX_LENGTH + 1), "longer than"),
        ("A " * (MAX_TERMS + 1), "terms"),
    ):
        with pytest.raises(QueryMistake) as caught:
            parse_query(text)
        assert words in str(caught.value)
        assert len(str(caught.value)) < 400
    deep = "(" * MAX_DEPTH + "A" + ")" * MAX_DEPTH
    assert parse_query(deep) == A


@given(
    st.text(
        alphabet=st.sampled_from(list('ab "\\()|*@:<>=.-_ANDORNT0123456789äß\0\n')), max_size=40
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = parse_query(text)
    except QueryMistake as mistake:
        assert 1 <= mistake.column <= len(text) + 1  # noqa: PT017
    else:
        assert list(terms(read))


names = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="|\0"), min_size=1, max_size=8
).filter(lambda name: name == name.strip() and bool(name))


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(query: Query) -> str:
    """A tree as an expression."""
    match query:
        case And(parts):
            return "(" + " AND ".join(map(written, parts)) + ")"
        case Or(parts):
            return "(" + " OR ".join(map(written, parts)) + ")"
        case Not(part):
            return f"NOT ({written(part)})"
        case KeywordTerm():
            field = "veto:" if query.vetoed else "" if query.below else "is:"
            return field + quoted("|".join(query.names))
        case NumberTerm(field, low, high):
            return f"{field}:{low}..{high}"
        case HasTerm(what):
            return f"has:{what}"
        case WordTerm(field, text):
            return f"{field}:{quoted(text)}"
    raise AssertionError(query)


trees = st.recursive(
    st.one_of(
        st.builds(
            lambda path, below: KeywordTerm(tuple(path), below=below),
            st.lists(names, min_size=1, max_size=3),
            st.booleans(),
        ),
        st.builds(lambda path: KeywordTerm(tuple(path), vetoed=True), st.lists(names, min_size=1)),
        st.tuples(st.integers(0, 50), st.integers(50, 100)).map(
            lambda span: NumberTerm("quality", *span)
        ),
        st.sampled_from(FIELDS["has"].choices).map(HasTerm),
        st.builds(
            lambda field, text: WordTerm(field, text),
            st.sampled_from(("camera", "lens", "name", "city")),
            names,
        ),
    ),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=6,
)


@given(trees)
def test_a_tree_written_down_is_read_back(query: Query) -> None:
    assert parse_query(written(query)) == query


def test_every_field_can_be_asked() -> None:
    values = {"day": "2024", "number": "50", "has": "gps", "keyword": "A"}
    for name in (*FIELDS, *ALIASES):
        field = FIELDS[ALIASES.get(name, name)]
        value = values.get(field.kind) or (field.choices[0] if field.choices else "x1")
        assert parse_query(f"{name}:{value}")
