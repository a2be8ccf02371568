"""What folder names and location.toml say, and above all what they do not."""

from __future__ import annotations

import os
from inspect import signature
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.words_examples import small, urbex
from urbexmp.adapters.places import FolderPlaces
from urbexmp.adapters.stages.place import PlaceStage
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    Preview,
    StageInput,
    StageLook,
    View,
)
from urbexmp.model.photo import FileKind, FileStat, Photo
from urbexmp.model.ports import Places, Stage
from urbexmp.model.profile import Profile
from urbexmp.rules.place import places_in
from urbexmp.rules.propose import propose

NOTHING_KNOWN = CaptureFacts()


@pytest.mark.parametrize(
    ("name", "leaves"),
    [
        ("Buffalo State Hospital", ["Asylum"]),
        ("St. Agnes Hospital", ["Hospital"]),
        ("Hospital of St. Agnes", ["Hospital"]),
        ("Hospital (2019-05-03)", ["Hospital"]),
        ("2019-05-03 - Old_Paper_Mill - west side", ["Paper Mill"]),
        ("PaperMill", ["Paper Mill"]),
        ("power-station", ["Power Station"]),
        ("Power Station B", ["Power Station"]),
        ("Schools", ["School"]),
        ("School no. 7", ["School"]),
        ("Hotel Astoria", ["Hotel"]),
        ("Porzellanfabrik Nord", []),
        ("Alte Porzellanfabrik", ["Porcelain Factory"]),
        ("Nordkrankenhaus", ["Hospital"]),
        ("Heilstaette Nord", ["Sanatorium"]),
        ("Hôpital Saint-Paul", ["Hospital"]),
        ("Ospedale psichiatrico di V.", ["Asylum"]),
        ("Palais de Justice", ["Courthouse"]),
        ("Château de la Forêt", ["Castle"]),
        ("Szpital w lesie", ["Hospital"]),
        ("Hospital & Church", ["Hospital", "Church"]),
    ],
)
def test_a_name_that_ends_with_a_sort_of_place_is_one(name: str, leaves: list[str]) -> None:
    assert [term.leaf for _, term in places_in(name, urbex())] == leaves


@pytest.mark.parametrize(
    "name",
    [
        *("Hospital Road", "Church Street", "Mill Lane", "Rue de l'Hôpital", "Near the hospital"),
        *("Behind the school", "Night at the museum", "Church family reunion", "Hotel Street"),
        *("Hamburg", "Salzburg", "Sevilla", "Cambridge", "Bunker Hill", "Home", "2024", "IMG"),
        *("", " - ", "Schoolbus", "Person", "Urbex|Building|Church Hill"),
    ],
)
def test_an_address_an_outing_or_a_town_is_no_place(name: str) -> None:
    assert places_in(name, urbex()) == ()


def test_the_cafe_in_hospital_road_is_a_cafe() -> None:
    assert [term.leaf for _, term in places_in("Hospital Road cafe", urbex())] == ["Café"]


@given(st.text(max_size=60))
def test_no_name_is_too_odd(name: str) -> None:
    for words, term in places_in(name, small()):
        assert small().place(words) == term


def looked(context: Context) -> tuple[Observation, ...]:
    def no_preview() -> Preview:
        raise AssertionError("the place stage looks at no picture")

    return PlaceStage(urbex()).look(StageInput(View(NOTHING_KNOWN, no_preview), context))


def suggested(context: Context) -> dict[str, float]:
    stage = PlaceStage(urbex())
    proposal = propose([StageLook(stage.id, looked(context))], urbex(), Profile())
    return {str(one.keyword): one.confidence for one in proposal.suggestions}


def test_the_nearest_folder_is_surest() -> None:
    context = Context(folders=("Sanatorium", "Hospitals", "Old Brewery", "Chapel"))
    assert suggested(context) == {
        "Urbex|Building|Religious|Chapel": 0.9,
        "Urbex|Building|Industrial|Brewery": 0.75,
        "Urbex|Building|Healthcare|Hospital": 0.6,
        "Urbex|Building|Healthcare|Sanatorium": 0.6,
    }


def test_location_toml_is_certain_and_says_why() -> None:
    context = Context(name="Grand Hotel", place_type="mental hospital", era="Victorian")
    assert suggested(context) == {
        "Urbex|Building|Healthcare|Asylum": 1.0,
        "Urbex|Era|Victorian": 1.0,
        "Urbex|Building|Leisure|Hotel": 0.95,
    }
    assert looked(context)[0].source == "location.toml type"
    assert looked(context)[0].label == "mental hospital"


def test_towns_and_countries_never_become_keywords() -> None:
    context = Context(city="Bath", county="Church", state="Mill", country="Hospital")
    assert looked(context) == ()


def test_keywords_of_the_place_are_taken_as_they_are() -> None:
    assert suggested(Context(keywords=("Places|Italy", "urbex|building|education|school"))) == {
        "Places|Italy": 1.0,
        "Urbex|Building|Education|School": 1.0,
    }


def test_a_type_that_no_term_knows_is_listed_as_unmapped() -> None:
    stage = PlaceStage(urbex())
    look = StageLook(stage.id, looked(Context(place_type="hosptal")))
    assert propose([look], urbex(), Profile()).unmapped == ((stage.id, "hosptal"),)


def test_an_era_in_free_words_is_kept_as_such() -> None:
    said = looked(Context(era="about 1911"))
    assert [(one.kind, one.value) for one in said] == [(ObservationKind.MEASURE, "about 1911")]


def test_the_stage_is_known_by_its_vocabulary() -> None:
    stage: Stage = PlaceStage(urbex())
    assert stage.name == "place"
    assert stage.id.startswith("place@")
    assert len(stage.id) == len("place@") + 8
    assert stage.id != PlaceStage(small()).id
    assert (stage.uses_preview, stage.uses_context) == (False, True)


# --- location.toml on disk --------------------------------------------------------------------


def photo(path: Path) -> Photo:
    return Photo(path, FileKind.JPEG, FileStat(1, 1, 1), (), ())


def context_of(places: Places, root: Path, path: Path) -> Context:
    return places.context(photo(path), root, CaptureFacts(city="Lyon", country="France"))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_nearest_location_toml_wins_and_keywords_add_up(tmp_path: Path) -> None:
    write(
        tmp_path / "location.toml",
        'state = "Tuscany"\ncountry = "Italy"\ntype = "village"\nkeywords = ["Places|Italy"]\n',
    )
    write(
        tmp_path / "asylum" / "location.toml",
        '\ufeffname = "San X"\ntype = "asylum"\nkeywords = ["San X", "Places|Italy"]\r\n',
    )
    places = FolderPlaces(urbex())
    found = context_of(places, tmp_path, tmp_path / "asylum" / "ward 3" / "a.jpg")
    assert found == Context(
        name="San X",
        place_type="asylum",
        city="Lyon",
        state="Tuscany",
        country="Italy",
        folders=(tmp_path.name, "asylum", "ward 3"),
        keywords=("Places|Italy", "San X"),
    )


def test_without_any_file_only_folders_and_the_photos_own_location_are_known(
    tmp_path: Path,
) -> None:
    places = FolderPlaces(urbex())
    found = context_of(places, tmp_path, tmp_path / "b" / "a.jpg")
    assert found == Context(city="Lyon", country="France", folders=(tmp_path.name, "b"))
    assert context_of(places, tmp_path / "elsewhere", tmp_path / "b" / "a.jpg").folders == (
        "elsewhere",
    )
    assert places.take_problems() == ()


def test_a_broken_file_is_reported_once_and_left_out(tmp_path: Path) -> None:
    broken = write(
        tmp_path / "location.toml",
        'nam = "X"\ncity = 3\nkeywords = ["A|B", "bad, one", "A||B"]\n',
    )
    places = FolderPlaces(urbex())
    for name in ("a.jpg", "b.jpg"):
        assert context_of(places, tmp_path, tmp_path / name).name is None
    (problem,) = places.take_problems()
    told = str(problem)
    for part in (
        str(broken),
        "line 1: unknown key `nam` (did you mean `name`?)",
        "line 2: `city` must be a text, found 3",
        "line 3: keyword 'bad, one': 'bad, one' contains a comma",
        "line 3: keyword 'A||B': '' is empty",
        "dealt with as if it were not there",
    ):
        assert part in told
    assert places.take_problems() == ()


def test_a_corrected_file_is_read_again(tmp_path: Path) -> None:
    file = write(tmp_path / "location.toml", "name = ")
    places = FolderPlaces(urbex())
    assert context_of(places, tmp_path, tmp_path / "a.jpg").name is None
    assert "Invalid value" in str(places.take_problems()[0])
    write(file, 'name = "The Works"\n')
    os.utime(file, ns=(1, 1))
    assert context_of(places, tmp_path, tmp_path / "a.jpg").name == "The Works"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name = \xff", "byte 7: not UTF-8"),
        (b"name = 'a'\nname = 'b'\n", "Cannot overwrite a value"),
    ],
)
def test_what_is_no_toml_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "location.toml").write_bytes(content)
    places = FolderPlaces(urbex())
    context_of(places, tmp_path, tmp_path / "a.jpg")
    assert said in str(places.take_problems()[0])


def test_a_type_nobody_knows_is_told_and_the_rest_is_used(tmp_path: Path) -> None:
    write(tmp_path / "location.toml", 'type = "hosptal"\nname = "X"\n')
    places = FolderPlaces(urbex())
    found = context_of(places, tmp_path, tmp_path / "a.jpg")
    assert (found.name, found.place_type) == ("X", "hosptal")
    told = str(places.take_problems()[0])
    assert "'hosptal' (did you mean hospital?)" in told
    assert "The rest of the file is used" in told


def test_the_adapter_fits_its_port() -> None:
    assert signature(FolderPlaces.context) == signature(Places.context)
