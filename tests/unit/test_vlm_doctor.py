"""`urbexmp doctor` tries the model server out, and says what to do about what it finds."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from urbexmp.adapters.thumbnail import red_circle
from urbexmp.app_vlm import try_server
from urbexmp.model.profile import Profile
from urbexmp.rules.server_checks import Tried, room
from urbexmp.rules.servers import Kind
from vlm_server import Reply, VlmDouble, refused, said, shown, words_of

LISTED = (200, {}, json.dumps({"data": [{"id": "eyes", "owned_by": "library"}]}).encode())
PROPS = (200, {}, b'{"model_path": "m.gguf", "default_generation_settings": {"n_ctx": 8192}}')


def seeing(request: Mapping[str, Any], _: int) -> Reply:
    """Answers as a model that sees would: it looks at the pixel in the middle."""
    if "one word" in words_of(request):
        return said("yes")
    picture = shown(request).convert("RGB")
    red, green, _blue = picture.getpixel((picture.width // 2, picture.height // 2))
    colour = "red" if red > 150 and green < 100 else "white"
    return said(
        json.dumps({"colour": colour}) if "JSON" in words_of(request) else f"a {colour} disc"
    )


def tried(
    double: VlmDouble, tmp_path: Path, **settings: str | float | int | bool
) -> dict[str, Tried]:
    table = {"model": "eyes", "url": double.url, "timeout": 5.0, **settings}
    profile = replace(Profile(), stages=("vlm",), stage_settings={"vlm": table})
    return {one.told: one for one in try_server(profile, tmp_path)}


def of(found: dict[str, Tried], words: str) -> Tried:
    one = next((one for told, one in found.items() if words in told), None)
    assert one is not None, list(found)
    return one


def test_a_server_that_does_all_it_should(tmp_path: Path) -> None:
    with VlmDouble(seeing, {"/v1/models": LISTED, "/props": PROPS}) as double:
        found = tried(double, tmp_path)
    assert {one.level for one in found.values()} == {"ok"}, found
    for words in ("Ollama", "has eyes", "8,192 tokens", "answers in", "sees", "JSON schema"):
        assert of(found, words)


def test_a_server_that_is_down(tmp_path: Path) -> None:
    with VlmDouble() as double:
        pass
    (only,) = tried(double, tmp_path).values()
    assert only.level == "bad"
    assert "Connection refused" in only.told
    assert "Start the server" in only.advice


def test_a_model_that_was_not_pulled(tmp_path: Path) -> None:
    missing = refused(404, {"error": {"message": 'model "big:7b" not found'}})
    with VlmDouble(lambda *_: missing, {"/v1/models": LISTED}) as double:
        found = tried(double, tmp_path, model="big:7b")
    assert of(found, "has no big:7b, but eyes").advice == "Bring it with: ollama pull big:7b"


def test_a_wrong_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-never-shown-8821")
    refusal = refused(401, {"error": {"message": "no such key sk-never-shown-8821"}})
    with VlmDouble(lambda *_: refusal, {"/v1/models": refusal}) as double:
        found = tried(double, tmp_path, api_key_env="OTHER_KEY")
    assert "OTHER_KEY" in of(found, "refuses the key").advice
    assert "sk-never-shown-8821" not in str(found)


@pytest.mark.parametrize(
    "reply",
    [
        said("I see a beautiful landscape with mountains."),
        refused(400, {"error": "this model does not support image input"}),
    ],
)
def test_a_model_without_eyes(reply: Reply, tmp_path: Path) -> None:
    def blind(request: Mapping[str, Any], _: int) -> Reply:
        return said("yes") if "one word" in words_of(request) else reply

    with VlmDouble(blind, {"/v1/models": LISTED}) as double:
        found = tried(double, tmp_path)
    (seen,) = [one for one in found.values() if "pictures" in one.told]
    assert seen.level == "bad"
    assert "ollama pull qwen3-vl" in seen.advice


def test_a_server_without_schemas_is_a_note(tmp_path: Path) -> None:
    def plain(request: Mapping[str, Any], number: int) -> Reply:
        if "response_format" in request:
            return refused(400, {"error": "response_format is not supported"})
        return seeing(request, number)

    with VlmDouble(plain, {"/v1/models": LISTED}) as double:
        found = tried(double, tmp_path)
    assert of(found, "takes no JSON schema").level == "note"


def test_a_context_that_is_too_short() -> None:
    assert "OLLAMA_CONTEXT_LENGTH" in room(2048, Kind.OLLAMA, 800).advice
    assert room(32768, Kind.VLLM, 800).level == "ok"
    assert room(4096, Kind.VLLM, 4000).level == "bad"


def test_the_drawing_is_what_it_is_said_to_be() -> None:
    picture = Image.open(io.BytesIO(red_circle())).convert("RGB")
    assert picture.getpixel((224, 224))[0] > 200
    assert picture.getpixel((224, 224))[1] < 60
    assert min(picture.getpixel((5, 5))) > 240


def test_profiles_without_the_stage_ask_nobody(tmp_path: Path) -> None:
    assert list(try_server(Profile(), tmp_path)) == []
