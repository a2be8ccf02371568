"""A server asked by real HTTP: what it may do wrong, and what is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from urbexmp.model.stage_errors import (
    BudgetSpent,
    ServerAway,
    StageFailed,
    StageStopped,
    StageTimeout,
)
from urbexmp.rules.circuit import FIRST_REST, TRIES
from urbexmp.rules.servers import Kind
from urbexmp.rules.vlm_settings import vlm_settings
from vlm_server import BROKEN, CUT, GOOD_REPLY, SLOW, Reply, VlmDouble, picture_of, refused, said
from vlm_talk import JPEG, Talk

FAILING = [
    refused(500, "Internal Server Error"),
    refused(500, {"error": {"message": "out of memory", "type": "server_error"}}),
    refused(503, {"error": {"message": "Loading model", "code": 503}}),
    refused(502, "<html><body>Bad gateway</body></html>"),
    refused(429, {"detail": "slow down"}),
    CUT,
    BROKEN,
]


def after(first: Reply | str, times: int) -> Callable[[object, int], Reply | str]:
    return lambda _, number: first if number < times else GOOD_REPLY


def test_the_picture_and_the_words_arrive(tmp_path: Path) -> None:
    with VlmDouble() as double:
        answer = Talk(double, tmp_path).ask()
    assert json.loads(answer.text)["labels"][0]["term"] == "corridor"
    assert (answer.model, answer.tokens_in, answer.tokens_out) == ("eyes", 700, 50)
    sent = double.requests[0]
    assert picture_of(sent) == JPEG
    assert sent["messages"][0] == {"role": "system", "content": "You describe."}
    assert sent["messages"][1]["content"][1]["text"] == "What is here?"
    assert (sent["model"], sent["max_tokens"], sent["temperature"]) == ("eyes", 100, 0.0)
    assert not sent.get("stream")


@pytest.mark.parametrize("failing", FAILING)
def test_what_passes_is_asked_again(failing: Reply | str, tmp_path: Path) -> None:
    with VlmDouble(after(failing, 2)) as double:
        talk = Talk(double, tmp_path)
        assert talk.ask().text
    assert len(double.requests) == 3
    assert sum(talk.time.slept) == pytest.approx(0.5 + 1.0)


@pytest.mark.parametrize("failing", FAILING)
def test_what_stays_is_given_up_and_told(failing: Reply | str, tmp_path: Path) -> None:
    with VlmDouble(after(failing, 99)) as double:
        talk = Talk(double, tmp_path)
        with pytest.raises(ServerAway) as caught:
            talk.ask()
    assert len(double.requests) == 1 + TRIES
    told = str(caught.value)
    assert f"127.0.0.1:{double.port}" in told
    assert "<html" not in told
    assert "None" not in told
    assert "Traceback" not in told


def test_it_waits_as_long_as_the_server_asks(tmp_path: Path) -> None:
    busy = refused(429, {"error": {"message": "rate limit"}}, Retry_After="7")
    with VlmDouble(after(busy, 1)) as double:
        talk = Talk(double, tmp_path)
        talk.ask()
    assert sum(talk.time.slept) == pytest.approx(7.0)


def test_too_slow_is_not_asked_again(tmp_path: Path) -> None:
    with VlmDouble(lambda *_: SLOW) as double:
        talk = Talk(double, tmp_path, timeout=0.3)
        with pytest.raises(StageTimeout, match=r"no answer within 0\.3 s"):
            talk.ask()
        assert len(double.requests) == 1


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with VlmDouble() as double:
        pass
    talk = Talk(double, tmp_path)
    with pytest.raises(ServerAway, match="Connection refused") as caught:
        talk.ask()
    assert "urbexmp doctor" in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refused(401, {"error": {"message": "bad key"}}), ("wants a key", "URBEXMP_VLM_KEY")),
        (refused(403, {"detail": "Forbidden"}), ("wants a key", "Forbidden")),
        (refused(402, {"error": "pay first"}), ("wants money", "pay first")),
        (
            refused(429, {"error": {"message": "x", "code": "insufficient_quota"}}),
            ("wants money", "Top up"),
        ),
        (
            refused(404, {"error": {"message": 'model "eyes" not found, try pulling it first'}}),
            ("has no model eyes", "stage.vlm.model"),
        ),
        (refused(400, {"detail": "Model eyes does not exist"}), ("has no model eyes",)),
        (refused(404, {"detail": "Not Found"}), ("no chat completions", "/v1")),
        (
            refused(400, {"error": {"message": "this model does not support image input"}}),
            ("shows no pictures to eyes", "Choose a model that sees"),
        ),
        (
            refused(500, {"error": {"message": "image input is not supported - hint: mmproj"}}),
            ("shows no pictures to eyes",),
        ),
        (refused(302, "", Location="http://127.0.0.1:1/"), ("sends elsewhere",)),
        ((200, {}, b"hello"), ("answers with an error (hello)",)),
        ((200, {}, b"{}"), ("no chat completion", "/v1")),
    ],
)
def test_what_every_photo_would_meet_is_asked_once(
    reply: Reply, words: tuple[str, ...], tmp_path: Path
) -> None:
    with VlmDouble(lambda *_: reply) as double:
        talk = Talk(double, tmp_path)
        with pytest.raises(StageFailed) as caught:
            talk.ask()
        assert len(double.requests) == 1
        for word in words:
            assert word in str(caught.value)
        if isinstance(caught.value, ServerAway):
            with pytest.raises(ServerAway, match="asked again in"):
                talk.ask()
            assert len(double.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "context length exceeded", "type": "exceed_context_size_error"}},
        {"error": "the prompt is too long"},
        {"detail": [{"loc": ["body"], "msg": "input is too long"}]},
        "n_ctx is smaller than the prompt",
    ],
)
def test_a_question_that_is_too_long_is_that_photos_trouble(body: object, tmp_path: Path) -> None:
    with VlmDouble(after(refused(400, body), 1)) as double:
        talk = Talk(double, tmp_path)
        with pytest.raises(StageFailed, match="too long") as caught:
            talk.ask()
        assert not isinstance(caught.value, ServerAway)
        assert talk.ask().text


def test_the_circuit_spares_a_server_that_is_away_and_tries_it_again(tmp_path: Path) -> None:
    with VlmDouble(after(CUT, 3 * (1 + TRIES))) as double:
        talk = Talk(double, tmp_path)
        for _ in range(3):
            with pytest.raises(ServerAway):
                talk.ask()
        asked = len(double.requests)
        with pytest.raises(ServerAway, match="asked again in"):
            talk.ask()
        assert len(double.requests) == asked
        talk.time.now += FIRST_REST + 1
        assert talk.ask().text
        assert talk.ask().text


def test_another_model_than_asked_is_told_once(tmp_path: Path) -> None:
    with VlmDouble(lambda *_: said("{}", model="somebody-else")) as double:
        talk = Talk(double, tmp_path)
        talk.ask()
        talk.ask()
    assert len(talk.told) == 1
    assert "somebody-else" in talk.told[0]
    assert "eyes was asked" in talk.told[0]


# --- Who it is ----------------------------------------------------------------------------------


def models(*names: str, owner: str = "") -> Reply:
    listed = [{"id": name, "object": "model", "owned_by": owner} for name in names]
    return 200, {"Content-Type": "application/json"}, json.dumps({"data": listed}).encode()


@pytest.mark.parametrize(
    ("paths", "server", "kind"),
    [
        ({"/v1/models": models("eyes", owner="library")}, "", Kind.OLLAMA),
        ({"/api/version": (200, {}, b'{"version": "0.9"}')}, "", Kind.OLLAMA),
        ({"/v1/models": models("eyes", owner="vllm")}, "uvicorn", Kind.VLLM),
        ({"/version": (200, {}, b'{"version": "0.12"}')}, "uvicorn", Kind.VLLM),
        ({"/props": (200, {}, b'{"model_path": "m.gguf"}')}, "", Kind.LLAMACPP),
        ({}, "llama.cpp", Kind.LLAMACPP),
        ({"/v1/models": models("eyes", owner="organization_owner")}, "", Kind.LMSTUDIO),
        ({"/version": refused(404, {"detail": "Not Found"})}, "uvicorn", Kind.TRANSFORMERS),
        ({}, "", Kind.OTHER),
    ],
)
def test_servers_are_told_apart(
    paths: dict[str, Reply], server: str, kind: Kind, tmp_path: Path
) -> None:
    with VlmDouble(paths=paths, server=server) as double:
        assert Talk(double, tmp_path).server.manners().kind is kind


def test_a_model_that_ollama_lacks_is_told_before_any_photo_is_sent(tmp_path: Path) -> None:
    with VlmDouble(paths={"/v1/models": models("other:7b", owner="library")}) as double:
        talk = Talk(double, tmp_path)
        with pytest.raises(ServerAway, match="ollama pull eyes"):
            talk.ask()
    assert double.requests == []


# --- Limits -------------------------------------------------------------------------------------


def test_a_budget_of_requests_stops_and_says_where_it_stood(tmp_path: Path) -> None:
    with VlmDouble() as double:
        talk = Talk(double, tmp_path, budget_requests=2)
        talk.ask()
        talk.ask()
        with pytest.raises(BudgetSpent) as caught:
            talk.ask()
        assert len(double.requests) == 2
    told = str(caught.value)
    assert "2 requests" in told
    assert "1,400 tokens sent, 100 answered" in told


@pytest.mark.parametrize(
    "budget",
    [{"budget_tokens": 700}, {"budget_money": 0.001, "price_in": 1.0, "price_out": 10.0}],
)
def test_budgets_of_tokens_and_money(budget: dict[str, float], tmp_path: Path) -> None:
    with VlmDouble() as double:
        talk = Talk(double, tmp_path, **budget)
        talk.ask()
        with pytest.raises(BudgetSpent):
            talk.ask()
        assert len(double.requests) == 1


def test_many_at_once_never_spend_more_requests_than_allowed(tmp_path: Path) -> None:
    with VlmDouble() as double:
        talk = Talk(double, tmp_path, budget_requests=5, in_flight=8)

        def ask(_: int) -> bool:
            try:
                return bool(talk.ask().text)
            except BudgetSpent:
                return False

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(ask, range(20))) == 5
        assert len(double.requests) == 5


def test_no_more_go_at_a_time_than_the_profile_allows(tmp_path: Path) -> None:
    with VlmDouble() as double:
        talk = Talk(double, tmp_path, in_flight=2)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: talk.ask(), range(24)))
        assert 1 <= double.most_at_once <= 2


def test_a_rate_spreads_requests(tmp_path: Path) -> None:
    with VlmDouble() as double:
        talk = Talk(double, tmp_path, per_minute=30)
        for _ in range(4):
            talk.ask()
    assert sum(talk.time.slept) == pytest.approx(3 * 2.0)


def test_a_person_who_asks_to_stop_does_not_wait_for_pauses(tmp_path: Path) -> None:
    with VlmDouble(lambda *_: CUT) as double:
        talk = Talk(double, tmp_path)
        talk.server.stopping = lambda: bool(double.requests)
        with pytest.raises(StageStopped):
            talk.ask()
        assert len(double.requests) == 1
        assert talk.time.slept == []


# --- Keys and addresses -------------------------------------------------------------------------

KEY = "sk-secret-that-must-not-be-seen-4711"


def test_a_key_is_sent_and_seen_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URBEXMP_VLM_KEY", KEY)
    echoing = refused(401, {"error": {"message": f"Incorrect API key provided: {KEY}."}})
    with VlmDouble(lambda _, number: GOOD_REPLY if number == 0 else echoing) as double:
        talk = Talk(double, tmp_path)
        talk.ask()
        with pytest.raises(ServerAway) as caught:
            talk.ask()
    assert double.keys == [f"Bearer {KEY}"] * 2
    assert "refuses the key" in str(caught.value)
    everything = [str(caught.value), repr(caught.value.fields), *talk.told, repr(talk.settings)]
    everything += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY not in "".join(everything)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "http://gpu.example:8000/v1"}, "allow that with stage.vlm.allow_upload = true"),
        ({"url": "gpu.example"}, "must be the address of a server"),
        ({"url": "http://u:p@127.0.0.1/v1"}, "api_key_env"),
        ({"budget_money": 2.0}, "price_in"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        vlm_settings(settings)


def test_an_address_elsewhere_is_named_before_a_photo_leaves(tmp_path: Path) -> None:
    with VlmDouble() as double:
        talk = Talk(double, tmp_path, allow_upload=True)
        away = vlm_settings({"url": "http://gpu.example/v1", "allow_upload": True, "model": "eyes"})
        seen: list[int] = []
        talk.server.settings = away
        talk.server._say = lambda text: (seen.append(len(double.requests)), talk.told.append(text))[
            1
        ]
        talk.ask()
        talk.ask()
    assert seen == [0]
    assert "sent to gpu.example" in talk.told[0]
    assert "place" in talk.told[0]
