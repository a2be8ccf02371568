"""What RAM++, Florence-2 and SigLIP really said of seven abandoned places, replayed."""

from __future__ import annotations

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

FOLDER = Path(os.environ.get("URBEXMP_REAL_FILES", "")) / "recorded"
PRESENT = bool(os.environ.get("URBEXMP_REAL_FILES")) and FOLDER.is_dir()
PROFILE = Profile(thresholds=MappingProxyType({"ram": 0.68, "siglip": 0.3}))

pytestmark = [
    pytest.mark.real_files,
    pytest.mark.skipif(not PRESENT, reason="needs the recordings in URBEXMP_REAL_FILES/recorded"),
]


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
                look("ram", before["ram_plus"]["tags"]),
            ],
        )


def replayed() -> dict[str, Proposal]:
    return {name: propose(looks, urbex(), PROFILE) for name, looks in recordings()}


WANTED = {
    "Buffalo State Hospital (57)": {"Window", "Chair", "Peeling Paint", "Hospital"},
    "testimage01": {"Restaurant", "Bar", "Stool", "Counter", "Abandoned", "Debris", "Barrel"},
    "testimage02": {"Clothes", "Debris", "Abandoned", "Peeling Paint", "Rubbish"},
    "testimage03": {"Church", "Pews", "Altar", "Pulpit", "Crucifix", "Debris", "Chandelier"},
    "testimage04": {"Stairwell", "Debris", "Peeling Paint", "Abandoned", "Window Bars", "Rust"},
    "testimage05": {"Kitchen", "Decay", "Rubbish", "Debris", "Stove", "Sink", "Clutter"},
    "testimage06": {"House", "Farmhouse", "Field", "Ivy", "Peeling Paint", "Abandoned"},
}


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
    assert len(unknown) < 0.25 * len(said)
