"""How structure is asked for: what a server refuses is not asked of it again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from urbexmp.rules.servers import Heard, Kind, answer_of, context_size, same_model
from vlm_server import GOOD_REPLY, Reply, VlmDouble, refused, said
from vlm_talk import Talk

Request = Mapping[str, Any]


def takes(*forms: str | None, status: int = 400) -> Any:
    """A server that takes these response formats and refuses others, in its own words."""

    def answer(request: Request, _: int) -> Reply:
        form = request.get("response_format", {}).get("type")
        if form in forms:
            return GOOD_REPLY
        message = f"'response_format.type' must not be {form}"
        return refused(status, {"error": message})

    return answer


def formats(double: VlmDouble) -> list[str | None]:
    return [one.get("response_format", {}).get("type") for one in double.requests]


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("taken", "asked"),
    [
        (("json_schema",), ["json_schema"]),
        (("json_object",), ["json_schema", "json_object"]),
        ((None,), ["json_schema", "json_object", None]),
    ],
)
def test_it_steps_down_and_remembers(
    taken: tuple[str | None, ...], asked: list[str | None], status: int, tmp_path: Path
) -> None:
    with VlmDouble(takes(*taken, status=status)) as double:
        assert Talk(double, tmp_path).ask().text
        assert formats(double) == asked
        double.requests.clear()
        double.asked.clear()
        assert Talk(double, tmp_path).ask().text  # another run
        assert formats(double) == asked[-1:]
        assert double.asked == []
        assert Talk(double, tmp_path, model="other").ask().text
        assert formats(double)[1:] == asked  # another model may know more


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [{"loc": ["body", "response_format"], "msg": "extra fields not permitted"}]},
        {"error": {"message": "Failed to parse grammar", "type": "invalid_request_error"}},
        {"error": "structured output is not available"},
        "Invalid schema for reply",
    ],
)
def test_a_refusal_of_the_schema_in_any_words(body: object, tmp_path: Path) -> None:
    def answer(request: Request, _: int) -> Reply:
        return refused(400, body) if "response_format" in request else GOOD_REPLY

    with VlmDouble(answer) as double:
        assert Talk(double, tmp_path).ask().text
        assert formats(double)[-1] is None


def test_other_refusals_do_not_step_down(tmp_path: Path) -> None:
    with VlmDouble(lambda *_: refused(400, {"error": "the picture is damaged"})) as double:
        with pytest.raises(Exception, match="the picture is damaged"):
            Talk(double, tmp_path).ask()
        assert len(double.requests) == 1


@pytest.mark.parametrize(
    ("word", "gone", "there"),
    [
        ("Unsupported parameter: 'max_tokens'", "max_tokens", "max_completion_tokens"),
        ("Unsupported value: 'temperature'", "temperature", "max_tokens"),
        ("logprobs are not supported", "logprobs", "max_tokens"),
    ],
)
def test_parameters_that_a_server_does_not_know(
    word: str, gone: str, there: str, tmp_path: Path
) -> None:
    def answer(request: Request, _: int) -> Reply:
        return refused(400, {"error": {"message": word}}) if gone in request else GOOD_REPLY

    with VlmDouble(answer, server="llama.cpp") as double:
        assert Talk(double, tmp_path).ask().text
        assert gone not in double.requests[-1]
        assert there in double.requests[-1]


def test_log_probabilities_are_asked_of_servers_that_have_them(tmp_path: Path) -> None:
    pieces = {"content": [{"token": "{", "logprob": -0.5}, {"token": "}", "logprob": -0.1}]}
    with VlmDouble(lambda *_: said("{}", logprobs=pieces), server="llama.cpp") as double:
        answer = Talk(double, tmp_path / "a").ask()
        assert double.requests[0]["logprobs"] is True
    assert answer.tokens == (("{", -0.5), ("}", -0.1))
    with VlmDouble() as double:
        Talk(double, tmp_path / "b").ask()
        assert "logprobs" not in double.requests[0]


def test_a_damaged_memory_is_asked_for_anew(tmp_path: Path) -> None:
    (tmp_path / "servers.json").write_text('{"eyes at http": 3')
    with VlmDouble() as double:
        assert Talk(double, tmp_path).ask().text
        assert Talk(double, tmp_path).server.manners().kind is Kind.OTHER


def heard(reply: Reply) -> Heard:
    return Heard(*reply)


def test_thoughts_are_found_under_both_names() -> None:
    for name in ("reasoning", "reasoning_content"):
        answer = answer_of(heard(said(None, **{name: "hm"})), 1.0)
        assert answer is not None
        assert (answer.text, answer.reasoning) == (None, "hm")
    parts = answer_of(heard(said([{"type": "text", "text": "{}"}])), 1.0)  # type: ignore[arg-type]
    assert parts is not None
    assert parts.text == "{}"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"choices": []}', b'{"choices": [3]}', b"\xff\xfe", b"data: {}"]
)
def test_what_is_no_completion_is_none(body: bytes) -> None:
    assert answer_of(Heard(200, {}, body), 1.0) is None


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("qwen3-vl", "qwen3-vl:latest", True),
        ("a/b", "a/b@main", True),
        ("Qwen3-VL-8B", "models/qwen3-vl-8b.gguf", True),
        ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("qwen3-vl:8b", "qwen3-vl:2b", False),
        ("anything", "", True),
    ],
)
def test_when_a_model_is_another(asked: str, answered: str, *, same: bool) -> None:
    assert same_model(asked, answered) is same


def test_the_size_of_the_context_where_a_server_says_it() -> None:
    vllm = Heard(200, {}, b'{"data": [{"id": "eyes", "max_model_len": 4096}]}')
    assert context_size(vllm, "eyes") == 4096
    props = Heard(200, {}, b'{"default_generation_settings": {"n_ctx": 2048}}')
    assert context_size(Heard(200, {}, b'{"data": []}'), "eyes", props) == 2048
    assert context_size(Heard(404, {}, b""), "eyes") is None
