"""The vocabulary that ships: clean, large enough, and meaning what models mean."""

from __future__ import annotations

from collections import Counter

import pytest

from unit.words_examples import urbex
from urbexmp.model.keyword import Keyword, name_fault
from urbexmp.rules.spelling import word_key
from urbexmp.rules.terms import Guard


def test_it_is_a_real_vocabulary_under_one_root() -> None:
    terms = urbex().terms
    assert len(terms) >= 350
    assert {keyword.path[0] for keyword in terms} == {"Urbex"}
    branches = Counter(keyword.path[1] for keyword in terms if len(keyword.path) > 2)
    assert branches["Building"] >= 100
    for branch in ("Room", "Architecture", "Condition", "Object", "Vehicle", "Nature", "Hazard"):
        assert branches[branch] >= 10, branch
    for branch in ("Material", "Graffiti and Text", "Era", "View", "Light and Technique"):
        assert branches[branch] >= 4, branch


def test_lightroom_takes_every_name_and_synonym() -> None:
    for term in urbex().terms.values():
        for name in (*term.keyword.path, *term.synonyms):
            assert name_fault(name) is None, name
            assert not set(name) & set("{}[]<>\\"), name


def test_the_views_exclude_each_other() -> None:
    assert {str(keyword).split("|")[2] for keyword in urbex().groups} == {
        *("Interior", "Exterior", "Aerial", "Detail"),
    }


def test_damage_weighs_more_the_more_serious_it_is() -> None:
    weights: dict[int, list[float]] = {}
    for term in urbex().terms.values():
        if term.severity is not None:
            assert term.condition is not None, term.keyword
            weights.setdefault(term.severity, []).append(term.condition)
    means = [sum(weights[step]) / len(weights[step]) for step in (1, 2, 3, 4)]
    assert means == sorted(means)
    assert means[0] < 15
    assert means[3] > 45


def test_sorts_of_places_and_scenes_can_be_found() -> None:
    terms = urbex().terms.values()
    assert sum(term.place is not None for term in terms) >= 120
    assert sum(bool(term.prompts) for term in terms) >= 350
    for term in terms:
        for prompt in term.prompts:
            assert word_key(prompt).split()[0] in {"a", "looking", "walking"}, prompt


# What the tags of RAM++ mean here. It knows no "abandoned", "graffiti" or "decay".
RAM = {
    "hospital": "Building|Healthcare|Hospital",
    "nursing home": "Building|Healthcare|Nursing Home",
    "schoolhouse": "Building|Education|School",
    "monastery": "Building|Religious|Monastery",
    "factory workshop": "Building|Industrial|Factory",
    "power station": "Building|Power and Utilities|Power Station",
    "railway station": "Building|Transport|Railway Station",
    "bunker": "Building|Military|Bunker",
    "prison": "Building|Justice|Prison",
    "amusement park": "Building|Leisure|Amusement Park",
    "swimming pool": "Building|Leisure|Swimming Pool",
    "mall": "Building|Commercial|Shopping Centre",
    "tower block": "Building|Residential|Apartment Block",
    "barn": "Building|Agricultural|Barn",
    "graveyard": "Building|Funerary|Cemetery",
    "hallway": "Room|Corridor",
    "hospital room": "Room|Patient Room",
    "operating room": "Room|Operating Theatre",
    "jail cell": "Room|Prison Cell",
    "basement": "Room|Cellar",
    "loft": "Room|Attic",
    "kindergarden classroom": "Room|Classroom",
    "chandelier": "Object|Furniture|Chandelier",
    "church bench": "Object|Religious Objects|Pews",
    "infant bed": "Object|Furniture|Cot",
    "wheelchair": "Object|Medical Equipment|Wheelchair",
    "gasmask": "Object|Everyday Objects|Gas Mask",
    "blackboard": "Object|Everyday Objects|Blackboard",
    "boiler": "Object|Machinery|Boiler",
    "pillar": "Architecture|Column",
    "skylight": "Architecture|Skylight",
    "stairs": "Architecture|Staircase",
    "fire escape": "Architecture|Staircase|Fire Escape",
    "brick building": "Material|Brick",
    "rust": "Condition|Decay|Rust",
    "peel": "Condition|Decay|Peeling Paint",
    "mold": "Condition|Decay|Mould",
    "damp": "Condition|Decay|Water Damage",
    "destruction": "Condition|Damage|Vandalism",
    "ruins": "Condition|Ruin",
    "rubble": "Condition|Rubble",
    "debris": "Condition|Debris",
    "garbage": "Condition|Rubbish",
    "mess": "Condition|Clutter",
    "spider web": "Condition|Cobwebs",
    "doodle": "Graffiti and Text|Graffiti",
    "street art": "Graffiti and Text|Graffiti|Mural",
    "warning sign": "Graffiti and Text|Sign|Warning Sign",
    "ivy": "Nature|Overgrown|Ivy",
    "weed": "Nature|Overgrown|Weeds",
    "vegetation": "Nature|Overgrown",
    "pigeon": "Nature|Pigeons",
    "steam locomotive": "Vehicle|Train|Locomotive",
    "army tank": "Vehicle|Battle Tank",
    "plane": "Vehicle|Aircraft",
    "indoor": "View|Interior",
    "outdoor": "View|Exterior",
    "backlight": "Light and Technique|Backlight",
    "monochrome": "Light and Technique|Black and White",
}


@pytest.mark.parametrize(("label", "path"), RAM.items())
def test_a_tag_of_ram_means_the_term(label: str, path: str) -> None:
    assert [str(one.keyword) for one in urbex().lookup(label)] == [f"Urbex|{path}"]


# Words that Florence-2 and SigLIP said of abandoned places, split as captions are.
CAPTIONS = {
    "peeling_paint": ["Condition|Decay|Peeling Paint"],
    "abandoned_restaurant": ["Building|Commercial|Restaurant", "Condition|Abandoned"],
    "wooden_pews": ["Object|Religious Objects|Pews", "Material|Wood"],
    "two_chandeliers": ["Object|Furniture|Chandelier"],
    "metal_bars": ["Architecture|Window Bars"],
    "brick_wall": ["Material|Brick"],
    "dilapidated_kitchen": ["Room|Kitchen", "Condition|Decay"],
    "clothes_hanging": ["Object|Everyday Objects|Clothes"],
    "debris_scattered": ["Condition|Debris"],
    "abandonment": ["Condition|Abandoned"],
    "neglect": ["Condition|Abandoned"],
    "disrepair": ["Condition|Decay"],
    "empty_room": ["Condition|Empty"],
    "graffitied wall": ["Graffiti and Text|Graffiti"],
    "keep out": ["Graffiti and Text|Sign|No Trespassing"],
}


@pytest.mark.parametrize(("label", "paths"), CAPTIONS.items())
def test_a_word_of_a_caption_means_the_terms(label: str, paths: list[str]) -> None:
    assert [str(one.keyword)[6:] for one in urbex().lookup(label)] == paths


@pytest.mark.parametrize(
    ("fact", "path"),
    [
        ("drone", "Light and Technique|Drone"),
        ("looking down", "View|Aerial|Looking Down"),
        ("straight down", "View|Aerial|Looking Down|Straight Down"),
        ("long exposure", "Light and Technique|Long Exposure"),
        ("flash", "Light and Technique|Flash"),
        ("monochrome", "Light and Technique|Black and White"),
        ("low key", "Light and Technique|Low Key"),
        ("high key", "Light and Technique|High Key"),
        ("dusk or night", "Light and Technique|After Dark"),
    ],
)
def test_the_facts_of_our_own_stages_have_terms(fact: str, path: str) -> None:
    assert [str(one.keyword) for one in urbex().lookup(fact)] == [f"Urbex|{path}"]


@pytest.mark.parametrize(
    ("word", "guard"),
    [
        ("person", Guard.PEOPLE),
        ("people", Guard.PEOPLE),
        ("women", Guard.PEOPLE),
        ("canon", Guard.CAMERA),
        ("camera lens", Guard.CAMERA),
        ("room", Guard.IGNORED),
        ("overall_atmosphere", Guard.IGNORED),
    ],
)
def test_what_must_not_become_a_keyword_is_guarded(word: str, guard: Guard) -> None:
    assert urbex().lookup(word) == ()
    assert urbex().guard(word) is guard


@pytest.mark.parametrize(
    "label",
    [
        *("Eiffel tower", "Golden Gate Bridge", "Prague Castle", "tokyo tower", "big ben"),
        *("gang", "herd", "tour", "pop", "most", "kurz", "glasses", "wood duck", "luxuriou"),
    ],
)
def test_places_by_name_and_false_friends_mean_nothing(label: str) -> None:
    assert urbex().lookup(label) == ()


def test_a_word_of_two_trades_needs_company() -> None:
    words = [sense.keyword for sense in urbex().lookup_senses("theatre")]
    assert Keyword.parse("Urbex|Room|Operating Theatre") in words
    assert urbex().lookup("theatre") == ()
