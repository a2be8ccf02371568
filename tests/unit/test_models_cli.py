"""`urbexmp models` as a person uses it: by command, against a hub on this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub_server import HubServer, random_model, running, served
from urbexmp.adapters.model_registry import store_entry
from urbexmp.model.weights import ModelEntry

SIZES = {"config.json": 40, "onnx/vision_model.onnx": 200_000}


@dataclass
class Person:
    """Somebody with a settings folder, a state folder and a cache of their own."""

    folder: Path
    hub: HubServer
    entry: ModelEntry

    def environ(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "URBEXMP_"))}
        return kept | {
            "URBEXMP_CONFIG": str(self.folder / "config"),
            "URBEXMP_STATE": str(self.folder / "state"),
            "HF_HOME": str(self.folder / "hf"),
            "HF_ENDPOINT": self.hub.address,
            "NO_PROXY": "127.0.0.1",
            **more,
        }

    def run(self, *args: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "urbexmp", "models", *map(str, args)]
        return subprocess.run(
            command, env=self.environ(**more), capture_output=True, text=True, check=False
        )

    def events(self, *args: str | Path, **more: str) -> list[dict[str, Any]]:
        done = self.run(*args, "--json", **more)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def knows(self, entry: ModelEntry) -> None:
        store_entry(entry, self.folder / "config" / "models.toml")

    @property
    def file(self) -> Path:
        """The large file, where the cache has it."""
        return next((self.folder / "hf").rglob("snapshots/*/onnx/vision_model.onnx"))


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    hub, entry = served(random_model(tmp_path / "made", SIZES))
    with running(hub):
        one = Person(tmp_path / "person", hub, entry)
        one.knows(entry)
        yield one


def state_of(events: list[dict[str, Any]], model: str) -> str:
    return next(str(one["state"]) for one in events if one["id"] == model)


def test_a_model_is_pulled_listed_and_verified(person: Person) -> None:
    assert state_of(person.events("list"), "tiny") == "no"
    done = person.run("pull", "tiny")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "tiny: 200.0 KB, all right\n"
    assert state_of(person.events("list"), "tiny") == "here"
    assert person.run("verify").stdout == "tiny: all right (200.0 KB)\n"
    assert person.run("pull", "tiny").stdout == "tiny is here already\n"


def test_the_list_says_what_a_person_wants_to_know(person: Person) -> None:
    told = person.run("list").stdout
    (row,) = (line for line in told.splitlines() if line.startswith("siglip2-base-224 "))
    assert row.split()[1:7] == ["no", "siglip", "view", "412.4", "MB", "Apache-2.0"]
    assert "tiny*" in told
    assert "not pinned" in told
    long = person.run("list", "-v", "tiny").stdout
    assert person.entry.files[1].sha256 in long


def test_nothing_heavy_is_imported_to_list(person: Person) -> None:
    command = (
        "import sys; from urbexmp.cli.main import run; run(['models', 'list', '-q']);"
        "print([m for m in ('huggingface_hub', 'numpy', 'rich', 'tomlkit') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", command],
        env=person.environ(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_damage_is_found_and_repaired(person: Person) -> None:
    person.run("pull", "tiny")
    path = person.file
    data = bytearray(path.read_bytes())
    data[77] ^= 1
    path.write_bytes(data)
    done = person.run("verify", "tiny")
    assert done.returncode == 51
    assert "urbexmp models pull --again tiny" in done.stderr
    person.hub.asked.clear()
    assert person.run("pull", "--again", "tiny").returncode == 0
    assert {path.rpartition("/")[2] for _, path, _ in person.hub.asked} == {"vision_model.onnx"}
    assert person.run("verify", "tiny").returncode == 0


def test_a_killed_pull_is_gone_on_with(person: Person) -> None:
    person.hub.cut_after["onnx/vision_model.onnx"] = [0] * 99
    process = subprocess.Popen(
        [sys.executable, "-m", "urbexmp", "models", "pull", "tiny"],
        env=person.environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not person.hub.ranges("vision_model.onnx"):
        assert process.poll() is None
    process.kill()
    process.wait()
    person.hub.cut_after.clear()
    assert person.run("pull", "tiny").returncode == 0
    assert person.run("verify", "tiny").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_silent_hub_does_not_hold_a_person_back(person: Person) -> None:
    person.hub.gate = threading.Barrier(9)
    process = subprocess.Popen(
        [sys.executable, "-m", "urbexmp", "models", "pull", "tiny"],
        env=person.environ(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not person.hub.ranges("vision_model.onnx"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    # The hub answers only after the command has ended.
    _, said = process.communicate(timeout=60)
    person.hub.gate.abort()
    assert process.returncode == 130
    assert "Stopped." in said


def test_unknown_and_unpinned_models_are_refused_in_words(person: Person) -> None:
    done = person.run("pull", "tinny")
    assert done.returncode == 2
    assert "did you mean tiny?" in done.stderr
    person.knows(dataclasses.replace(person.entry, revision=""))
    done = person.run("pull", "tiny")
    assert done.returncode == 56
    assert "urbexmp models pull --pin tiny" in done.stderr
    assert person.hub.asked == []


def test_pinning_shows_and_keeps_what_it_trusts(person: Person) -> None:
    plain = tuple(dataclasses.replace(f, size=0, sha256="") for f in person.entry.files)
    person.knows(dataclasses.replace(person.entry, revision="", files=plain))
    done = person.run("pull", "--pin", "tiny")
    assert done.returncode == 0, done.stderr
    assert person.entry.revision in done.stdout
    assert person.entry.files[1].sha256 in done.stdout
    assert "trusted from now on" in done.stdout
    # From now on other bytes are no longer taken.
    person.run("pull", "--again", "tiny")
    person.file.unlink()
    next((person.folder / "hf").rglob(f"blobs/{person.entry.files[1].sha256}")).unlink()
    true = person.hub.files["onnx/vision_model.onnx"]
    person.hub.lies["onnx/vision_model.onnx"] = true[:-1] + bytes([true[-1] ^ 1])
    assert person.run("pull", "tiny").returncode == 51


def test_a_model_is_carried_to_a_machine_without_a_network(person: Person, tmp_path: Path) -> None:
    person.run("pull", "tiny")
    archive = tmp_path / "tiny.tar"
    assert person.run("export", "tiny", archive).returncode == 0
    again = person.run("export", "tiny", archive)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    other = Person(tmp_path / "other", person.hub, person.entry)
    person.hub.asked.clear()
    # The other machine's registry does not know the model: its word is needed.
    refused = other.run("import", archive, HF_HUB_OFFLINE="1")
    assert refused.returncode == 2
    assert "--pin" in refused.stderr
    taken = other.run("import", "--pin", archive, HF_HUB_OFFLINE="1")
    assert taken.returncode == 0, taken.stderr
    assert state_of(other.events("list"), "tiny") == "here"
    assert other.run("verify", "tiny").returncode == 0
    assert person.hub.asked == []


def test_a_folder_needs_the_name_of_its_model(person: Person, tmp_path: Path) -> None:
    folder = random_model(tmp_path / "loose", {})
    folder.mkdir()
    done = person.run("import", folder)
    assert done.returncode == 2
    assert "does not say which model it holds" in done.stderr
    done = person.run("import", tmp_path / "made", "tiny")
    assert done.returncode == 0, done.stderr


def test_several_models_go_on_after_one_fails(person: Person) -> None:
    person.knows(dataclasses.replace(person.entry, id="gone", repository="org/gone"))
    done = person.run("pull", "gone", "tiny")
    assert done.returncode == 58
    assert "has no org/gone" in done.stderr
    assert "tiny: 200.0 KB, all right" in done.stdout


def test_problems_and_deeds_are_told_to_programs(person: Person) -> None:
    *_, pulled = person.events("pull", "tiny")
    assert pulled["event"] == "pulled"
    events = person.events("pull", "florence2-large-ft-onnx")
    assert [one["event"] for one in events] == ["problem"]
    assert events[0]["slug"] == "weights-unpinned"


def test_a_profile_names_its_models(person: Person, tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text('stages = ["camera"]\n')
    done = person.run("pull", "--all-of", profile)
    assert (done.returncode, done.stdout) == (0, "The stages of mine need no model.\n")
    assert person.run("pull").returncode == 2
