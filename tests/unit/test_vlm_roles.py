"""Caption, description and keywords from different models, on different servers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from unit.test_vlm_sync import NAMES, Library
from urbexmp.adapters.model_registry import read_registry
from urbexmp.app_vlm import try_server
from urbexmp.cli.options import Choices, load
from urbexmp.model.asking import Question
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.observation import ObservationKind
from urbexmp.rules.model_list import entry_values, load_models, models_of
from urbexmp.rules.prompts import fill
from urbexmp.rules.vlm_roles import ROLES, key_variable, parts
from urbexmp.rules.vlm_schema import ANSWERS
from urbexmp.rules.vlm_settings import vlm_settings
from urbexmp.wiring_stages import open_stages, open_taxonomy
from urbexmp.wiring_vlm import read_prompt
from vlm_server import GOOD, VlmDouble, said, words_of
from vlm_talk import photo


def fields_of(request: Mapping[str, Any]) -> set[str]:
    return set(request["response_format"]["json_schema"]["schema"]["properties"])


def answering(request: Mapping[str, Any], _: int) -> Any:
    """Says what it is asked for, and who it is."""
    fields = fields_of(request)
    full = {**GOOD, "description": f"Written by {request['model']}.", "free": []}
    plain = {name: value for name, value in full.items() if name in fields}
    return said(json.dumps(plain), model=request["model"])


def registry(path: Path, **servers: str) -> None:
    path.write_text(
        "".join(
            f'[model.{name}]\nrole = "vlm"\nmodel = "{name}:big"\nserver = "{url}"\n'
            "settings = { size = 320 }\n"
            for name, url in servers.items()
        )
    )


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "models.toml"
    monkeypatch.setenv("URBEXMP_MODELS", str(path))
    monkeypatch.delenv("URBEXMP_STAGES", raising=False)
    return path


def test_description_of_one_model_and_labels_of_another(tmp_path: Path, own: Path) -> None:
    with VlmDouble(answering) as words, VlmDouble(answering) as prose:
        registry(own, writer=prose.url)
        library = Library(tmp_path, words, description='"writer"', caption='"writer"')
        (path,) = library.add(NAMES[0])
        assert library.run().exit_code == 0
        assert b"Wheelchair" in path.with_name(path.name + ".xmp").read_bytes()
        assert library.run("--again").exit_code == 0
    (labels,), (description,) = words.requests, prose.requests
    assert labels["model"] == "eyes"
    assert description["model"] == "writer:big"
    assert fields_of(description) == {"description", "spatial", "alt_text"}
    assert fields_of(labels) == set(ANSWERS) - fields_of(description)
    assert "confidence from 0 to 1" in words_of(labels)
    assert "confidence from 0 to 1" not in words_of(description)
    assert "two or three sentences" in words_of(description)
    assert "two or three sentences" not in words_of(labels)
    lines = (tmp_path / "st" / "replies" / "replies.jsonl").read_text().splitlines()
    assert {json.loads(line)["model"] for line in lines} == {"eyes", "writer:big"}


def test_each_observation_names_its_model(tmp_path: Path, own: Path) -> None:
    with VlmDouble(answering) as words, VlmDouble(answering) as prose:
        registry(own, writer=prose.url)
        library = Library(tmp_path, words, description='"writer"')
        profile = load(Choices(profile=str(library.profile))).profile
        stage = open_stages(profile, open_taxonomy(profile), tmp_path)[-1]
        seen = stage.look(photo())
        stage.close()  # type: ignore[attr-defined]
    by = {one.label: one.model for one in seen}
    assert by["description"] == "writer:big"
    assert by["corridor"] == by["alt text"] == "eyes"
    (told,) = (one for one in seen if one.label == "description")
    assert told.kind is ObservationKind.CAPTION
    assert told.value == "Written by writer:big."


def test_another_model_of_a_role_asks_again_and_another_address_does_not(
    tmp_path: Path, own: Path
) -> None:
    def stage_id(url: str, **more: str) -> str:
        registry(own, writer="http://127.0.0.1:1", poet=url)
        table = "".join(f'{name} = "{value}"\n' for name, value in more.items())
        file = tmp_path / "p.toml"
        file.write_text(f'stages = ["vlm"]\n[stage.vlm]\nmodel = "eyes"\n{table}')
        profile = load(Choices(profile=str(file))).profile
        return open_stages(profile, open_taxonomy(profile), tmp_path)[0].id

    usual = stage_id("http://127.0.0.1:2")
    split = stage_id("http://127.0.0.1:2", description="poet")
    assert usual != split
    assert stage_id("http://127.0.0.1:3", description="poet") == split
    assert stage_id("http://127.0.0.1:3", description="writer") != split
    assert stage_id("http://127.0.0.1:3", caption="poet") != split
    assert stage_id("http://127.0.0.1:3", description="") == usual


def test_a_server_elsewhere_in_the_registry_needs_permission_too(tmp_path: Path, own: Path) -> None:
    with VlmDouble(answering) as double:
        registry(own, writer="https://gpu.example/v1")
        library = Library(tmp_path, double, description='"writer"')
        library.add(NAMES[0])
        done = library.run()
    assert done.exit_code == 2
    assert "stage.vlm.description: url: photos" in done.output
    assert "gpu.example" in done.output
    assert double.requests == []


def test_a_role_that_names_no_model_of_a_server_is_told_with_those_there_are(
    tmp_path: Path, own: Path
) -> None:
    registry(own, writer="http://127.0.0.1:1")
    with VlmDouble(answering) as double:
        library = Library(tmp_path, double, caption='"siglip2-base-224"')
        library.add(NAMES[0])
        done = library.run()
    assert done.exit_code == 2
    assert "no model 'siglip2-base-224' of a server" in done.output
    assert "writer" in done.output


def test_a_budget_is_shared_by_the_models(tmp_path: Path, own: Path) -> None:
    with VlmDouble(answering) as words, VlmDouble(answering) as prose:
        registry(own, writer=prose.url)
        library = Library(tmp_path, words, description='"writer"', budget_requests=3)
        library.add(*NAMES)
        first = library.run("--workers", "1")
        assert "the budget of 3 requests is spent (3 requests" in first.output
        assert len(words.requests) + len(prose.requests) == 3


def test_a_key_goes_to_its_own_server_alone(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URBEXMP_VLM_KEY", "sk-one")
    monkeypatch.setenv("URBEXMP_VLM_KEY_WRITER", "sk-two")
    with VlmDouble(answering) as words, VlmDouble(answering) as prose:
        registry(own, writer=prose.url)
        library = Library(tmp_path, words, description='"writer"')
        library.add(NAMES[0])
        assert library.run().exit_code == 0
    assert set(words.keys) == {"Bearer sk-one"}
    assert set(prose.keys) == {"Bearer sk-two"}
    assert key_variable("qwen3-vl.8b") == "URBEXMP_VLM_KEY_QWEN3_VL_8B"


def test_doctor_tries_every_model(tmp_path: Path, own: Path) -> None:
    with VlmDouble(answering) as words, VlmDouble(answering) as prose:
        registry(own, writer=prose.url)
        library = Library(tmp_path, words, description='"writer"')
        profile = load(Choices(profile=str(library.profile))).profile
        told = [one.told for one in try_server(profile, tmp_path)]
    assert any("writer:big on" in one and "description, spatial" in one for one in told)
    assert any("eyes on" in one and "labels, free" in one for one in told)
    assert words.asked
    assert prose.asked


def test_every_answer_has_one_role() -> None:
    listed = [name for names in ROLES.values() for name in names]
    assert sorted(listed) == sorted(ANSWERS)


def test_without_roles_there_is_one_question_and_it_is_whole() -> None:
    prompt = read_prompt("urbex")
    settings = vlm_settings({"model": "eyes"})
    (part,) = parts(settings, prompt.answers, {})
    assert part.answers == prompt.answers
    assert fill(prompt, Question(), part.answers) == fill(prompt, Question())


def test_models_of_a_server_are_read_listed_and_not_pulled(tmp_path: Path, own: Path) -> None:
    registry(own, writer="http://127.0.0.1:1")
    found = read_registry({"URBEXMP_MODELS": str(own)})
    entry = found.entries["writer"]
    assert (entry.model, entry.server, entry.stage) == ("writer:big", "http://127.0.0.1:1", "vlm")
    again = load_models({"model": {"writer": entry_values(entry)}}, lambda *_: 1, "x")
    assert again["writer"] == entry
    assert models_of(("vlm",), {"vlm": {"model": "eyes"}}, found.entries) == ()
    known = {one.model for one in found.entries.values() if one.model}
    assert {"qwen3-vl:8b-instruct", "qwen2.5vl:7b", "llava:7b", "moondream:1.8b"} <= known
    for wrong, words in (
        ('role = "vlm"\n', "model is missing"),
        ('role = "vlm"\nmodel = "a"\nsettings = { allow_upload = true }\n', "no such setting"),
        ('role = "vlm"\nmodel = "a"\nsettings = { size = "x" }\n', "must be a whole number"),
        ('role = "vlm"\nmodel = "a"\nfiles = []\n', "the server has the files"),
        ('role = "view"\nstage = "siglip"\nlicence = "x"\nmodel = "a"\n', "for the role vlm"),
    ):
        own.write_text(f"[model.x]\n{wrong}")
        with pytest.raises(ConfigProblem, match=words):
            read_registry({"URBEXMP_MODELS": str(own)})
