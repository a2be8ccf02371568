"""A sync with a changed vocabulary over photos that every stage of `standard` has looked at.

    python benchmarks/replan.py [PHOTOS]

Makes an archive of raw files, and a ledger that holds what the stages said of each: a dozen scenes,
a caption, objects. No weights are here, so no model can look. A first `sync` writes all sidecars;
then the vocabulary is changed, and the next one works every photo out anew from what is kept.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from material import archive
from timing import REPOSITORY, Goal, Used, goals, machine, run, scratch, table, urbexmp

from urbexmp.app import open_house
from urbexmp.cli.choices import Choices
from urbexmp.cli.options import load
from urbexmp.drivers.scan import Found, no_trouble, tasks
from urbexmp.model.ledger import KnownFile
from urbexmp.model.observation import CaptureFacts, Observation, ObservationKind, StageLook
from urbexmp.model.photo import PhotoId
from urbexmp.model.record import to_plain
from urbexmp.pipeline.look import FACTS, facts_key
from urbexmp.rules.terms import Taxonomy
from urbexmp.wiring_stages import Muster

CHANGED = ('path = "Urbex|Room|Corridor"', 'path = "Urbex|Room|Hallway"')
"""A keyword that gets another name."""

ROOT = ('"Urbex', '"Lost Places')
"""Every keyword gets another name: the old ones stay, and each photo gets as many more."""

UNSEEN = """
[[term]]
path = "Urbex|A Word That Nobody Said"
"""

STAGES = ("siglip", "florence", "ram", "ocr")


def said(stage: str, taxonomy: Taxonomy, chance: random.Random) -> tuple[Observation, ...]:
    """What a stage may have said of one photo, all of it words that the vocabulary knows."""
    if stage not in STAGES:
        return ()
    terms = [term for term in taxonomy.terms.values() if term.prompts]
    kind, shown = ObservationKind.LABEL, []
    for term in chance.sample(terms, 12 if stage == "siglip" else 6):
        path = str(term.keyword)
        label = path if stage == "siglip" else path.rpartition("|")[2].lower()
        shown.append(Observation(kind, label, round(chance.uniform(0.3, 1), 3), source="zero-shot"))
    if stage == "florence":
        text = "a long corridor with peeling paint, a broken window and a rusty radiator"
        shown.append(Observation(ObservationKind.CAPTION, "caption", 0.8, text, "caption"))
    return tuple(shown)


def fill(root: Path, profile: Path, state: Path) -> int:
    """Let the ledger know every photo, and what each stage said of it."""
    chance, done = random.Random(11), 0
    facts = CaptureFacts(make="NIKON CORPORATION", model="NIKON Z 6_2", iso=800)
    text = json.dumps(to_plain(facts))
    kept = StageLook(FACTS, (Observation(ObservationKind.FACT, "capture facts", value=text),))
    with open_house(root, load(Choices(str(profile))), state=state, writing=True) as house:
        assert isinstance(house.without, Muster)
        stages = house.without.stages
        with house.ledger.batch():
            for task in tasks(house, (root,), Found(), no_trouble):
                photo, photo_id = task.photo, PhotoId(f"{done:032x}")
                house.ledger.settle([KnownFile(photo.path, photo.stat, photo_id, (), "")])
                house.ledger.remember(photo_id, facts_key(photo.stat), kept)
                context = house.looker.recognise(photo, photo_id).context
                assert context is not None
                for stage in stages:
                    shown = said(stage.name, house.taxonomy, chance)
                    inputs = context.digest if stage.uses_context else ""
                    house.ledger.remember(photo_id, inputs, StageLook(stage.id, shown))
                done += 1
    return done


def main() -> None:
    """Measure."""
    photos = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with scratch("replan") as folder:
        root, state = folder / "archive", folder / "state"
        archive(root, photos)
        for sidecar in root.rglob("*.xmp"):
            sidecar.unlink()
        words, profile = folder / "words.toml", folder / "mine.toml"
        vocabulary = (REPOSITORY / "taxonomy" / "urbex.toml").read_text(encoding="utf-8")
        words.write_text(vocabulary, encoding="utf-8")
        shipped = (REPOSITORY / "profiles" / "standard.toml").read_text(encoding="utf-8")
        for mine, change in (("stop", "skip"), ("urbex", "words.toml")):
            shipped = shipped.replace(f'= "{mine}"', f'= "{change}"')
        profile.write_text(shipped, encoding="utf-8")
        assert fill(root, profile, state) == photos
        sync = urbexmp("sync", root, "-p", profile, "--state", state, "--json")
        first = told(run(sync))
        words.write_text(vocabulary.replace(*CHANGED), encoding="utf-8")
        changed = told(run(sync))
        words.write_text(vocabulary.replace(*CHANGED) + UNSEEN, encoding="utf-8")
        unseen = told(run(sync))
        run(sync)
        nothing = told(run(sync))
        words.write_text(vocabulary.replace(*ROOT), encoding="utf-8")
        renamed = told(run(sync))
        print(f"{photos:,} raw files, {len(STAGES) + 3} stages; {machine()}")
        rows = (
            ("first sync: all sidecars are made", first),
            ("the vocabulary changed: a keyword has another name", changed),
            ("the vocabulary changed, and no photo with it", unseen),
            ("nothing changed", nothing),
            ("the vocabulary changed: every keyword has another name", renamed),
        )
        table(
            "What is kept of the stages, worked out anew",
            ("", "seconds", "CPU s", "MB", "sidecars written"),
            [
                (name, f"{used.wall:.1f}", f"{used.cpu:.1f}", f"{used.peak_mb:.0f}",
                 f"{end['changed']:,}")
                for name, (used, end) in rows
            ],
        )  # fmt: skip
        looked = sum(
            number
            for _, (_, end) in rows
            for stage, number in end["stage_looks"].items()
            if stage in STAGES
        )
        goals(
            [
                Goal("a changed vocabulary, seconds", changed[0].wall, 60, False, " s"),
                Goal("every keyword changed, seconds", renamed[0].wall, 120, False, " s"),
                Goal("looks of a model", looked, 0, False, ""),
            ]
        )


def told(used: Used) -> tuple[Used, dict[str, Any]]:
    """What a run used, and what it said at its end."""
    return used, json.loads(used.output.splitlines()[-1])


if __name__ == "__main__":
    main()
