"""The profile `standard` as a new user meets it: models brought by command from a hub, photos
synced, what came out read back by exiftool; then what breaks at run time, and what is done then.

The hub is on this machine, and its models are tiny ones of the true architectures.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub_server import running
from serve_process import Serving
from urbexmp.model.stage_errors import ServerAway, StagesMissing
from whole_person import (
    BROKEN,
    FLORENCE,
    JPEG,
    MINUTES,
    RAM,
    RAW,
    SAMPLES,
    SIGLIP,
    Done,
    Gate,
    Person,
    exiftool,
    publish,
    written,
)

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals and fifos"),
    pytest.mark.oracle,
]

TAGGERS = ("--stages", "florence,ram")
"""Of the profile's stages those two alone, so that the first process is florence's."""

SHIPPED = Path(__file__).parents[2] / "profiles" / "standard.toml"


@dataclass(frozen=True)
class Story:
    """What a new user does in this order, and what each command said."""

    person: Person
    photos: Path
    refused: Done
    skipped: Done
    left: list[str]
    """Files in the folder after both."""
    pulled: Done
    synced: Done
    first: dict[str, bytes]
    """The folder's files after that."""
    again: Done
    begun: tuple[int, int]
    """Processes in which a stage looked, in the first sync and in the second."""


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    base = tmp_path_factory.mktemp("standard")
    published = publish(base / "models")
    with running(published.hub):
        person = Person(base / "home", published)
        photos = person.library("photos", RAW, JPEG)
        sync = ("sync", "-p", "standard", "photos")
        refused = person.run(*sync)
        skipped = person.run(*sync, "--dry-run", "--set", "without=skip")
        left = sorted(path.name for path in photos.iterdir())
        pulled = person.run("models", "pull", "--all-of", "standard")
        assert person.run("models", "pull", BROKEN).code == 0
        with Gate(base / "gate", holds=False) as gate:
            synced = person.run(*sync, "--json", more=gate.environ)
            first, begun = files(photos), gate.all_born()
            again = person.run(*sync, more=gate.environ)
            both = (begun, gate.all_born())
        yield Story(person, photos, refused, skipped, left, pulled, synced, first, again, both)


def test_without_its_models_nothing_is_done_and_the_command_is_named(story: Story) -> None:
    said = story.refused
    assert (said.code, said.out) == (StagesMissing.code, "")
    assert f"urbexmp models pull {SIGLIP} {FLORENCE};" in said.err
    assert "--set without=skip" in said.err
    assert story.left == [RAW, JPEG]


def test_where_the_user_says_so_it_goes_on_with_what_can_run(story: Story) -> None:
    assert story.skipped.code == 0
    assert "2 photos: 2 would be written" in story.skipped.out
    assert "Urbex|View|" in story.skipped.out
    for stage, model in (("siglip", SIGLIP), ("florence", FLORENCE)):
        assert f"{stage} did not look: stage {stage} needs {model} (" in story.skipped.out
        assert f"urbexmp models pull {model}" in story.skipped.out


def test_one_command_brings_all_models_of_the_profile(story: Story) -> None:
    assert story.pulled.code == 0, story.pulled.err
    brought = [line.partition(":")[0] for line in story.pulled.out.splitlines()]
    assert brought == [SIGLIP, FLORENCE, RAM]
    listed = story.person.run("stage", "list", "-p", "standard", "--json").events
    assert {each["name"] for each in listed if each["listed"] and each["ready"]} >= {
        *("camera", "pixels", "place", "siglip", "florence", "ram")
    }


@pytest.mark.parametrize("name", [f"{Path(RAW).stem}.xmp", f"{JPEG}.xmp", JPEG])
def test_keywords_scores_and_stages_are_in_the_files(story: Story, name: str) -> None:
    assert story.synced.code == 0, story.synced.said
    tags = exiftool(story.photos / name)
    ours = written(story.photos / name)
    assert set(ours) == set(tags["HierarchicalSubject"])
    assert tags["Profile"] == "standard"
    assert {"siglip", "florence"} <= {stage for _, stage in ours.values()}
    assert all(0.5 <= score <= 1 for score, _ in ours.values())
    assert ours["Urbex|Condition|Damage|Broken Window"][1] == "florence"
    assert {"Broken Window", "Damage", "Urbex"} <= set(tags["Subject"])


def test_the_raw_file_keeps_every_byte(story: Story) -> None:
    assert story.first[RAW] == next(SAMPLES.rglob(RAW)).read_bytes()


def test_the_list_of_keywords_says_the_same(story: Story) -> None:
    for name in (RAW, JPEG):
        told = story.person.run("keyword", "list", story.photos / name, "--json").events
        listed = {each["keyword"]: each for each in told if each["source"] == "ai"}
        sidecar = Path(name).with_suffix(".xmp") if name == RAW else Path(f"{name}.xmp")
        ours = written(story.photos / sidecar)
        assert set(listed) == set(ours)
        for keyword, (score, stage) in ours.items():
            assert listed[keyword]["score"] == pytest.approx(score, abs=0.006)
            assert listed[keyword]["stage"].partition("@")[0] == stage


def test_the_report_says_who_looked(story: Story) -> None:
    (end,) = (each for each in story.synced.events if each["event"] == "end")
    assert end["stage_looks"].items() >= {"siglip": 2, "florence": 2}.items()
    assert end["cached_looks"].items() >= {"camera": 2, "pixels": 2}.items()  # of the dry run
    assert "ram" not in {*end["stage_looks"], *end["cached_looks"]}
    assert end["fallen"] == {}


def test_a_second_sync_does_nothing_and_begins_no_process(story: Story) -> None:
    assert "2 photos: 2 unchanged" in story.again.out
    assert story.begun[0] >= 2
    assert story.begun[1] == 0
    assert files(story.photos) == story.first


# --- What breaks at run time ------------------------------------------------------------------


def fallen_of(done: Done) -> dict[str, int]:
    (end,) = (each for each in done.events if each["event"] == "end")
    fallen: dict[str, int] = end["fallen"]
    return fallen


def test_where_florence_cannot_be_loaded_ram_looks(story: Story) -> None:
    person = story.person
    photos = person.library("unloadable", RAW, JPEG)
    sync = ("sync", "-p", "standard", *TAGGERS, "--set", f"stage.florence.model={BROKEN}", photos)
    shown = person.run(*sync, "--dry-run")
    assert shown.code == 0, shown.said
    assert "florence failed (" in shown.out
    assert "ram looked instead: 2 photos" in shown.out
    done = person.run(*sync, "--json")
    assert done.code == 0, done.said
    ((sentence, number),) = fallen_of(done).items()
    assert sentence.startswith("florence failed (")
    assert sentence.endswith("; ram looked instead")
    assert number == 2
    ours = written(photos / f"{JPEG}.xmp")
    assert {stage for _, stage in ours.values()} == {"ram"}
    # What failed is not kept: with the right model florence looks, and ram no more.
    mended = person.run("sync", "-p", "standard", *TAGGERS, photos, "--json")
    (end,) = (each for each in mended.events if each["event"] == "end")
    assert (end["stage_looks"], end["fallen"]) == ({"florence": 2}, {})


def test_a_process_killed_once_costs_no_photo(story: Story, tmp_path: Path) -> None:
    photos = story.person.library("killed-once", JPEG)
    sync = ("sync", "-p", "standard", *TAGGERS, photos, "--json")
    with (
        Gate(tmp_path / "gate", holds=True) as gate,
        story.person.begin(*sync, more=gate.environ) as process,
    ):
        gate.kill()
        gate.open()
        out, err = process.communicate(timeout=MINUTES * 60)
    done = Done(process.returncode, out, err)
    assert (done.code, fallen_of(done)) == (0, {}), err
    assert {stage for _, stage in written(photos / f"{JPEG}.xmp").values()} == {"florence"}


def test_a_process_killed_again_and_again_has_ram_look(story: Story, tmp_path: Path) -> None:
    photos = story.person.library("killed-twice", JPEG)
    sync = ("sync", "-p", "standard", *TAGGERS, photos, "--json")
    with (
        Gate(tmp_path / "gate", holds=True) as gate,
        story.person.begin(*sync, more=gate.environ) as process,
    ):
        gate.kill()
        gate.kill()
        gate.open()
        out, err = process.communicate(timeout=MINUTES * 60)
    done = Done(process.returncode, out, err)
    assert done.code == 0, err
    ((sentence, number),) = fallen_of(done).items()
    assert "crashed with SIGKILL" in sentence
    assert sentence.endswith("; ram looked instead")
    assert number == 1
    assert {stage for _, stage in written(photos / f"{JPEG}.xmp").values()} == {"ram"}


# --- A server that looks for others -----------------------------------------------------------

FAR = ("-p", "standard", "--stages", "siglip,florence")


def test_a_server_killed_in_the_middle_and_brought_back(story: Story, tmp_path: Path) -> None:
    owner = story.person
    near = Person(tmp_path / "near", owner.published)
    photos = near.library("photos", RAW, JPEG)
    profile = near.home / "away.toml"
    sync = ("sync", "-p", profile, "--stages", "siglip,florence", photos)

    def served_by(url: str) -> None:
        table = f'\n[stage.remote]\nurl = "{url}"\nstages = "siglip,florence"\n'
        profile.write_text(SHIPPED.read_text(encoding="utf-8") + table, encoding="utf-8")

    with Gate(tmp_path / "gate", holds=True) as gate:
        held = owner.environ(gate.environ)
        with Serving(tmp_path / "far", *FAR, more=held) as server:
            served_by(server.url)
            with near.begin(*sync) as process:
                assert gate.born() is not None  # the server is in the middle of a look
                server.end(signal.SIGKILL)
                out, err = process.communicate(timeout=MINUTES * 60)
    # Nobody here has weights to look instead, so both photos wait.
    assert process.returncode == ServerAway.code, out + err
    assert "2 failed" in out
    assert "urbexmp serve" in err
    assert "Traceback" not in out + err
    assert set(files(photos)) == {RAW, JPEG}

    with Serving(tmp_path / "back", *FAR, port=server.port, more=owner.environ()) as back:
        done = near.run(*sync)
        assert (done.code, "2 photos: 2 written" in done.out) == (0, True), done.said
        back.end()
    assert back.said.count(b"POST /tag 200") >= 2
    stages = {stage for _, stage in written(photos / f"{JPEG}.xmp").values()}
    assert stages == {"siglip", "florence"}
    # Nothing changed, so nobody is asked, and that the server is gone is not noticed.
    assert "2 unchanged" in near.run(*sync).out


def test_with_the_models_here_a_run_goes_on_while_the_server_is_gone(
    story: Story, tmp_path: Path
) -> None:
    person = story.person
    profile = person.home / "away.toml"
    table = '\n[stage.remote]\nurl = "http://127.0.0.1:9"\nstages = "florence"\n'
    profile.write_text(SHIPPED.read_text(encoding="utf-8") + table, encoding="utf-8")
    photos = person.library("alone", JPEG)
    done = person.run("sync", "-p", profile, "--stages", "florence", photos)
    assert (done.code, "1 written" in done.out) == (0, True), done.said
    assert done.err.count("Meanwhile florence looks on this machine.") == 1
    shutil.rmtree(photos)
