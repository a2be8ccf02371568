"""What RAM++, Florence-2 and SigLIP really said of seven abandoned places, replayed."""

from __future__ import annotations

import functools
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from unit.words_examples import urbex
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.model.profile import Profile
from urbexmp.model.proposal import Proposal
from urbexmp.rules.propose import propose
from urbexmp.rules.tagging import TAG, calibrated, read_tags
from urbexmp.rules.terms import Guard

REAL = Path(os.environ.get("URBEXMP_REAL_FILES", ""))
FOLDER, LISTS = REAL / "recorded", REAL / "ram"
PRESENT = bool(os.environ.get("URBEXMP_REAL_FILES")) and FOLDER.is_dir() and LISTS.is_dir()
PROFILE = Profile(thresholds=MappingProxyType({"siglip": 0.3}))

pytestmark = [
    pytest.mark.real_files,
    pytest.mark.skipif(not PRESENT, reason="needs the recordings in URBEXMP_REAL_FILES/recorded"),
]


@functools.cache
def thresholds() -> dict[str, float]:
    """The threshold that its authors gave each tag of RAM++."""
    texts = [
        (LISTS / name).read_text(encoding="utf-8")
        for name in ("ram_tag_list.txt", "ram_tag_list_threshold.txt")
    ]
    known = read_tags(texts[0], texts[1], 4585)
    return dict(zip(known.tags, known.thresholds, strict=True))


def tagged(tags: list[dict[str, Any]]) -> StageLook:
    """What the `ram` stage would have said: its recorded scores, calibrated."""
    said = [
        Observation(
            ObservationKind.LABEL,
            tag["label"],
            round(calibrated(tag["confidence"], thresholds()[tag["label"]]), 4),
            source=TAG,
        )
        for tag in tags
    ]
    return StageLook("ram@recorded", tuple(said))


def look(stage: str, tags: list[dict[str, Any]]) -> StageLook:
    label = ObservationKind.LABEL
    said = (Observation(label, tag["label"], tag.get("confidence")) for tag in tags)
    return StageLook(f"{stage}@recorded", tuple(said))


def recordings() -> Iterator[tuple[str, list[StageLook]]]:
    for path in sorted(FOLDER.glob("*.json")):
        siglip = json.loads(path.read_text(encoding="utf-8"))["results"]["siglip"]
        before = siglip["metadata"]["discovery_results"]
        yield (
            path.name.removesuffix("_tags.json"),
            [
                look("siglip", siglip["tags"]),
                look("florence", before["florence_2"]["tags"]),
                tagged(before["ram_plus"]["tags"]),
            ],
        )


def replayed() -> dict[str, Proposal]:
    return {name: propose(looks, urbex(), PROFILE) for name, looks in recordings()}


WANTED = {
    "Buffalo State Hospital (57)": {"Window", "Chair", "Peeling Paint", "Table"},
    "testimage01": {"Restaurant", "Bar", "Stool", "Counter", "Abandoned", "Debris", "Barrel"},
    "testimage02": {"Clothes", "Debris", "Abandoned", "Peeling Paint", "Rubbish"},
    "testimage03": {"Church", "Pews", "Altar", "Pulpit", "Crucifix", "Debris", "Chandelier"},
    "testimage04": {"Stairwell", "Debris", "Peeling Paint", "Abandoned", "Window Bars", "Rust"},
    "testimage05": {"Kitchen", "Decay", "Rubbish", "Debris", "Stove", "Sink", "Clutter"},
    "testimage06": {"House", "Farmhouse", "Field", "Ivy", "Peeling Paint", "Abandoned"},
}


MISSED = {
    # `hospital` scored 0.61 of 0.8 and is not even asked about: the folder's name says it.
    "Buffalo State Hospital (57)": {"Patient Room", "Bench"},
    "testimage01": {"Tiled Wall", "Cellar"},
    "testimage03": {"Column", "Nave"},
    "testimage06": {"Veranda"},
}
"""Words that may well be right and are not written: one tagger alone is unsure of them."""


@pytest.mark.parametrize("name", MISSED)
def test_what_is_too_weak_is_asked_about_and_not_written(name: str) -> None:
    proposal = replayed()[name]
    assert not MISSED[name] & {one.keyword.leaf for one in proposal.suggestions}
    assert MISSED[name] <= {one.keyword.leaf for one in proposal.unsure}


def test_where_taggers_agree_confidence_rises() -> None:
    """In every photo, for every keyword that two stages name: never below the surest of them."""
    agreed = 0
    for _, looks in recordings():
        together = {one.keyword: one for one in propose(looks, urbex(), PROFILE).suggestions}
        alone = [
            {one.keyword: one.confidence for one in (*said.suggestions, *said.unsure)}
            for said in (propose([one], urbex(), PROFILE) for one in looks)
        ]
        for keyword, one in together.items():
            each = [said[keyword] for said in alone if keyword in said]
            if len(each) > 1:
                agreed += 1
                assert one.confidence >= max(each)
                assert one.confidence > max(each) or max(each) >= 0.98
    assert agreed > 30


@pytest.mark.parametrize("name", WANTED)
def test_the_words_that_a_person_would_want_are_found(name: str) -> None:
    leaves = {one.keyword.leaf for one in replayed()[name].suggestions}
    assert WANTED[name] <= leaves


def test_nothing_is_found_that_must_not_be() -> None:
    for proposal in replayed().values():
        for one in (*proposal.suggestions, *proposal.unsure):
            assert one.keyword in urbex().terms
        assert not {label for _, label in proposal.unmapped} & {"person", "man", "photo", "woman"}


def test_every_room_is_found_less_sound_than_new() -> None:
    scores = {name: proposal.condition for name, proposal in replayed().items()}
    assert all(score is not None and 20 < score < 90 for score in scores.values()), scores


def test_few_labels_are_unknown() -> None:
    looks = [one for _, looks in recordings() for one in looks]
    said = Counter(one.label for look in looks for one in look.observations)
    unknown = {label for proposal in replayed().values() for _, label in proposal.unmapped}
    assert len(unknown) < 0.08 * len(said)


def test_people_and_cameras_that_models_see_in_empty_rooms_are_held_back() -> None:
    seen = Counter(
        one.label
        for _, looks in recordings()
        for look in looks
        for one in look.observations
        if urbex().guard(one.label) in (Guard.PEOPLE, Guard.CAMERA)
    )
    assert {"sit", "stand", "photo", "image", "man"} <= set(seen)
    for proposal in replayed().values():
        reasons = (*proposal.suggestions, *proposal.unsure)
        assert not {reason.label for one in reasons for reason in one.reasons} & set(seen)
        assert not {label for _, label in proposal.unmapped} & set(seen)
