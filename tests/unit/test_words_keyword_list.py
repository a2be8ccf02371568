"""Lightroom's keyword lists: there and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.words_examples import small, taxonomy, urbex
from urbexmp.model.keyword import Keyword, name_fault
from urbexmp.rules.keyword_list import (
    KeywordList,
    Listed,
    decode_list,
    export_csv,
    export_text,
    import_list,
    import_text,
)
from urbexmp.rules.vocabulary_text import list_as_toml


def paths(listed: KeywordList) -> list[str]:
    return [str(entry.keyword) for entry in listed.entries]


def test_the_text_form_is_tabs_braces_and_brackets() -> None:
    text = (
        '[[term]]\npath = "b"\n[[term]]\npath = "A"\nexport = false\n'
        '[[term]]\npath = "A|Owl"\nsynonyms = ["Strix", "eule"]\n[[term]]\npath = "A|bat"\n'
    )
    assert export_text(taxonomy(text)) == "[A]\n\tbat\n\tOwl\n\t\t{eule}\n\t\t{Strix}\nb\n"


def test_the_shipped_vocabulary_makes_the_round_trip_byte_for_byte() -> None:
    for export in (export_text, export_csv):
        first = export(urbex())
        read = import_list(first)
        assert read.warnings == ()
        assert export(read) == first
        assert len(read.entries) == len(urbex().terms)
    assert not export_text(urbex()).startswith("\ufeff")
    assert "\r" not in export_text(urbex())


def test_a_list_becomes_a_vocabulary_with_the_same_list() -> None:
    first = export_text(small())
    assert export_text(taxonomy(list_as_toml(import_text(first)))) == first


def test_what_programs_and_people_write_is_read() -> None:
    text = "Animals\r\n\tBirds,\r\n\t\t\tOwl ;\r\n\t\t\t\t{Eule}\r\r[Lists]\n\n\tTo check\n"
    read = import_text("\ufeff" + text)
    assert paths(read) == [
        "Animals",
        "Animals|Birds",
        "Animals|Birds|Owl",
        "Lists",
        "Lists|To check",
    ]
    owl = read.entries[2]
    assert owl.synonyms == ("Eule",)
    assert not read.entries[3].export
    assert read.warnings == ("line 3: 'Owl' is 3 levels deep, 2 used",)


def test_odd_lines_are_told_and_do_no_harm() -> None:
    read = import_text("{lost}\nA\n\tB\nA\n\tC\n\tbad|name\n\t\t{x}\n~D\n")
    assert paths(read) == ["A", "A|B", "A|C", "~D"]
    assert read.warnings == (
        "line 1: synonym 'lost' belongs to no keyword, left out",
        "line 4: A stands a second time",
        "line 6: 'bad|name' contains a vertical bar, left out",
        "line 7: synonym 'x' belongs to no keyword, left out",
        "line 8: '~D' begins with ~, taken as part of the name",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_unicode_encoding_is_read(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    text, warnings = decode_list(mark + "Schloß\n\tKüche\n".encode(encoding))
    assert paths(import_list(text)) == ["Schloß", "Schloß|Küche"]
    assert warnings == ()


def test_windows_text_is_read_with_a_warning() -> None:
    text, warnings = decode_list("Küche\n".encode("cp1252"))
    assert paths(import_list(text)) == ["Küche"]
    assert "Windows-1252" in warnings[0]


def test_the_csv_form_is_known_by_its_header_and_keeps_its_flags() -> None:
    text = (
        "Include On Export,Export Containing Keywords,Export Synonyms,Person Type Keyword,\n"
        "N,Y,Y,N,People\n"
        'Y,N,Y,Y,"\tAda ""the"" First"\n'
        ",,,,\t\t{Countess}\n"
        "broken\n"
    )
    read = import_list(text)
    people, ada = read.entries
    assert (people.export, people.containing, people.person) == (False, True, False)
    assert (str(ada.keyword), ada.synonyms) == ('People|Ada "the" First', ("Countess",))
    assert (ada.export, ada.containing, ada.export_synonyms, ada.person) == (
        *(True, False, True, True),
    )
    assert read.warnings == ("line 5: has 1 columns instead of 5, left out",)
    assert import_list(export_csv(read)).entries == read.entries


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"]), max_size=12
).filter(
    lambda name: (
        name_fault(name) is None
        and not (name.startswith("{") and name.endswith("}"))
        and not (name.startswith("[") and name.endswith("]"))
        and not name.startswith(("~", "\ufeff", "Include On Export"))
        and name == name.strip().rstrip(",;").strip()
    )
)


@st.composite
def lists(draw: st.DrawFn) -> KeywordList:
    found: dict[Keyword, Listed] = {}
    for path in draw(st.lists(st.lists(NAMES, min_size=1, max_size=4).map(tuple), max_size=8)):
        for depth in range(1, len(path) + 1):
            keyword = Keyword(path[:depth])
            if depth > 1:
                above = found[Keyword(path[: depth - 1])].keyword
                keyword = Keyword((*above.path, path[depth - 1]))
            if keyword not in found:
                flags = draw(st.tuples(*[st.booleans()] * 4))
                synonyms = tuple(draw(st.lists(NAMES, max_size=2, unique=True)))
                found[keyword] = Listed(keyword, synonyms, *flags)
    return KeywordList(tuple(found.values()))


@settings(max_examples=120, deadline=None)
@given(lists())
def test_every_list_makes_the_round_trip(listed: KeywordList) -> None:
    by_csv = import_list(export_csv(listed))
    assert by_csv.warnings == ()
    assert export_csv(import_list(export_csv(by_csv))) == export_csv(by_csv)
    assert {entry.keyword for entry in by_csv.entries} == {
        entry.keyword for entry in listed.entries
    }
    text = export_text(by_csv)
    read = import_text(text)
    assert read.warnings == ()
    assert export_text(read) == text


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error_and_then_settles(text: str) -> None:
    read = import_list(text)
    once = export_text(import_text(export_text(read)))
    assert export_text(import_text(once)) == once
