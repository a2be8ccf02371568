"""`urbexmp sync --preflight`: stages and servers are tried out before any photo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.test_vlm_doctor import LISTED, PROPS, seeing
from unit.test_vlm_sync import NAMES, Library
from vlm_server import GOOD_REPLY, VlmDouble, said, words_of

OTHERS = (200, {}, json.dumps({"data": [{"id": "llava:7b", "owned_by": "library"}]}).encode())
SHORT = (200, {}, b'{"model_path": "m.gguf", "default_generation_settings": {"n_ctx": 2048}}')


@pytest.fixture(autouse=True)
def no_choice_of_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("URBEXMP_STAGES", raising=False)


def answering(request: dict[str, object], number: int) -> object:
    """Sees the drawing, and describes photos."""
    words = words_of(request)
    trying = "the one word" in words or "this picture?" in words
    return seeing(request, number) if trying else GOOD_REPLY


def test_a_run_goes_on_where_all_is_well(tmp_path: Path) -> None:
    paths = {"/v1/models": LISTED, "/props": PROPS}
    with VlmDouble(answering, paths) as double:  # type: ignore[arg-type]
        library = Library(tmp_path, double)
        (photo,) = library.add(NAMES[0])
        done = library.run("--preflight")
    assert done.exit_code == 0, done.output
    for words in (
        "stage        vlm@",
        "has eyes",
        "8,192 tokens",
        "answers in",
        "sees a red circle",
    ):
        assert words in done.output
    assert "keeps to a JSON schema" in done.output
    assert b"Wheelchair" in photo.with_name(photo.name + ".xmp").read_bytes()


@pytest.mark.parametrize(
    ("models", "props", "blind", "advice"),
    [
        (OTHERS, PROPS, False, "ollama pull eyes"),
        (LISTED, SHORT, False, "OLLAMA_CONTEXT_LENGTH"),
        (LISTED, PROPS, True, "ollama pull qwen3-vl:8b-instruct"),
    ],
)
def test_nothing_is_done_where_something_is_wrong(
    tmp_path: Path, models: object, props: object, blind: bool, advice: str
) -> None:
    answers = (lambda *_: said("a grey picture")) if blind else answering
    paths = {"/v1/models": models, "/props": props}
    with VlmDouble(answers, paths) as double:  # type: ignore[arg-type]
        library = Library(tmp_path, double)
        (photo,) = library.add(NAMES[0])
        done = library.run("--preflight")
        asked = [words_of(one) for one in double.requests]
    assert done.exit_code == 66
    assert advice in done.output
    assert "No photo was looked at" in done.output
    assert not any("abandoned" in words for words in asked)
    assert not photo.with_name(photo.name + ".xmp").exists()


def test_a_server_that_is_down_stops_the_run(tmp_path: Path) -> None:
    with VlmDouble() as double:
        pass
    library = Library(tmp_path, double)
    (photo,) = library.add(NAMES[0])
    done = library.run("--preflight")
    assert done.exit_code == 66
    assert "cannot be reached" in done.output
    assert "Start the server" in done.output
    assert not photo.with_name(photo.name + ".xmp").exists()
