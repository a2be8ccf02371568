"""Google Vision over its own protocol, with its own package, against a double on loopback."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from google_double import (
    BROKEN,
    CORRIDOR,
    CUT,
    DRIP,
    SHORT,
    SLOW,
    GoogleDouble,
    failed,
    label,
    refused,
    said,
)
from urbexmp.adapters.google_batches import GoogleVision
from urbexmp.model.stage_errors import (
    BudgetSpent,
    ServerAway,
    StageFailed,
    StageStopped,
    StageTimeout,
)
from urbexmp.rules.google_answers import Annotated
from urbexmp.rules.google_settings import google_settings
from urbexmp.wiring_google import access_of, open_google

pytest.importorskip("google.cloud.vision", reason="needs the extra google")

KEY = "AIzaNobodyMayReadThis5150"


def picture(shade: int = 90) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (32, 24), (shade, shade, 0)).save(packed, "JPEG")
    return packed.getvalue()


@contextmanager
def opened(double: GoogleDouble, **given: Any) -> Iterator[GoogleVision]:
    settings = google_settings({"url": double.url, **given})
    vision = open_google(settings, say=lambda _: None)
    vision._gate.sleep = lambda _: None
    try:
        yield vision
    finally:
        vision.close()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URBEXMP_GOOGLE_KEY", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


def test_labels_and_text_come_back_with_their_scores() -> None:
    with GoogleDouble() as double, opened(double, text=True, labels=7) as vision:
        answer = vision.ask(picture())
    assert [(word, round(score, 2)) for word, score in answer.labels] == [
        *(("Hallway", 0.93), ("Wheelchair", 0.81), ("Art", 0.4))
    ]
    assert answer.text == "KEEP OUT\nWARD 7"
    (asked,) = double.requests[0]["requests"]
    # 4 is LABEL_DETECTION, 5 TEXT_DETECTION (google.cloud.vision.v1.Feature.Type).
    assert {json.dumps(one, sort_keys=True) for one in asked["features"]} == {
        '{"maxResults": 7, "type": 4}',
        '{"type": 5}',
    }
    assert double.paths[0].partition("?")[0] == "/v1/images:annotate"
    assert double.batches == [[picture()]]


def test_pictures_that_wait_together_go_together_and_each_gets_its_own_answer() -> None:
    first_is_there, others_wait = threading.Event(), threading.Event()

    def answers(shown: list[bytes], number: int) -> Any:
        if number == 0:
            first_is_there.set()
            others_wait.wait(30)
        named = [{"labelAnnotations": [label(str(len(one)), 0.9)]} for one in shown]
        return said(named)

    pictures = [picture() + b" " * number for number in range(40)]
    with (
        GoogleDouble(answers) as double,
        opened(double, in_flight=1) as vision,
        ThreadPoolExecutor(40) as threads,
    ):
        first = threads.submit(vision.ask, pictures[0])
        first_is_there.wait(30)
        rest = [threads.submit(vision.ask, one) for one in pictures[1:]]
        while len(vision._queue) < 39:
            threading.Event().wait(0.005)
        others_wait.set()
        found = [one.result(30) for one in (first, *rest)]
    assert [one.labels[0][0] for one in found] == [str(len(one)) for one in pictures]
    assert [len(batch) for batch in double.batches] == [1, 16, 16, 7]
    assert vision.spent.pictures == 40


def test_one_bad_picture_fails_alone() -> None:
    def answers(shown: list[bytes], _: int) -> Any:
        bad = failed(3, "Bad image data.")
        return said([bad if one.endswith(b"bad") else CORRIDOR for one in shown])

    with GoogleDouble(answers) as double, opened(double) as vision:
        assert vision.ask(picture()).labels
        with pytest.raises(StageFailed, match="Bad image data") as failure:
            vision.ask(picture() + b"bad")
        assert not isinstance(failure.value, ServerAway)
    assert double.pictures == 2


def test_a_picture_that_google_could_not_look_at_just_now_is_sent_again() -> None:
    def answers(shown: list[bytes], number: int) -> Any:
        return said([CORRIDOR if number else failed(14, "try later")] * len(shown))

    with GoogleDouble(answers) as double, opened(double) as vision:
        assert vision.ask(picture()).labels
    assert double.pictures == 2


@pytest.mark.parametrize(
    "trouble",
    [
        refused(429, "Quota exceeded", "RESOURCE_EXHAUSTED", headers={"Retry-After": "2"}),
        refused(500, "Internal error", "INTERNAL"),
        refused(503, "Unavailable", "UNAVAILABLE"),
        (502, {"Content-Type": "text/html"}, b"<html>Bad gateway</html>"),
        CUT,
        BROKEN,
        SHORT,
        said([]),
    ],
    ids=["429", "500", "503", "proxy", "cut", "broken", "short", "too few"],
)
def test_what_may_pass_is_asked_again_and_told_when_it_stays(trouble: Any) -> None:
    with (
        GoogleDouble(lambda *_: trouble) as double,
        opened(double) as vision,
        pytest.raises(ServerAway) as failure,
    ):
        vision.ask(picture())
    assert len(double.batches) == 4
    assert double.url.removeprefix("http://") in str(failure.value)
    assert "google_vision" in str(failure.value)

    def recovers(shown: list[bytes], number: int) -> Any:
        return said([CORRIDOR] * len(shown)) if number == 2 else trouble

    with GoogleDouble(recovers) as double, opened(double) as vision:
        assert vision.ask(picture()).labels
    assert len(double.batches) == 3


def test_google_is_given_the_time_that_it_asks_for() -> None:
    slept: list[float] = []

    def answers(shown: list[bytes], number: int) -> Any:
        limit = refused(429, "Quota", "RESOURCE_EXHAUSTED", headers={"Retry-After": "4"})
        return said([CORRIDOR] * len(shown)) if number else limit

    with GoogleDouble(answers) as double, opened(double) as vision:
        vision._gate.sleep = slept.append
        vision.ask(picture())
    assert sum(slept) == pytest.approx(4)


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (
            refused(
                *(403, "Cloud Vision API has not been used", "PERMISSION_DENIED"),
                *("SERVICE_DISABLED",),
                consumer="projects/attic",
            ),
            "Enable the Cloud Vision API of project attic: gcloud services enable",
        ),
        (
            refused(403, "requires billing", "PERMISSION_DENIED", "BILLING_DISABLED"),
            "Turn on billing",
        ),
        (
            refused(403, "blocked", "PERMISSION_DENIED", "API_KEY_SERVICE_BLOCKED"),
            "among the restrictions of the key",
        ),
        (refused(403, "no", "PERMISSION_DENIED"), "Set URBEXMP_GOOGLE_KEY to a key"),
        (refused(400, f"key {KEY} not valid", "INVALID_ARGUMENT", "API_KEY_INVALID"), "***"),
        (refused(404, "", "NOT_FOUND"), "Correct stage.google_vision.url"),
        (
            refused(
                *(429, "Quota", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"),
                quota_limit="ImagesPerDayPerProject",
            ),
            "tomorrow",
        ),
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), "sends elsewhere"),
    ],
)
def test_what_every_photo_would_meet_is_told_with_advice(
    trouble: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URBEXMP_GOOGLE_KEY", KEY)
    with GoogleDouble(lambda *_: trouble) as double, opened(double) as vision:
        with pytest.raises(ServerAway, match=r".") as failure:
            vision.ask(picture())
        assert told in str(failure.value)
        assert KEY not in str(failure.value)


def test_a_refused_key_is_not_tried_with_every_photo() -> None:
    trouble = refused(403, "no", "PERMISSION_DENIED")
    with GoogleDouble(lambda *_: trouble) as double, opened(double) as vision:
        for _ in range(5):
            with pytest.raises(ServerAway):
                vision.ask(picture())
    assert len(double.batches) == 1


def test_a_request_that_is_refused_as_a_whole_is_taken_apart() -> None:
    """One picture that Google does not like must not cost the others their labels."""
    first_is_there, others_wait = threading.Event(), threading.Event()

    def answers(shown: list[bytes], number: int) -> Any:
        if number == 0:
            first_is_there.set()
            others_wait.wait(30)
        if any(one.endswith(b"bad") for one in shown):
            return refused(400, "Invalid request", "INVALID_ARGUMENT")
        return said([CORRIDOR] * len(shown))

    with (
        GoogleDouble(answers) as double,
        opened(double, in_flight=1) as vision,
        ThreadPoolExecutor(5) as threads,
    ):
        first = threads.submit(vision.ask, picture())
        first_is_there.wait(30)
        good = [threads.submit(vision.ask, picture(shade)) for shade in (1, 2)]
        bad = threads.submit(vision.ask, picture() + b"bad")
        while len(vision._queue) < 3:
            threading.Event().wait(0.005)
        others_wait.set()
        assert all(one.result(30).labels for one in (first, *good))
        with pytest.raises(StageFailed, match="Invalid request"):
            bad.result(30)
    assert [len(batch) for batch in double.batches] == [1, 3, 1, 1, 1]


@pytest.mark.parametrize("slow", [SLOW, DRIP])
def test_slow_answers_are_given_up(slow: str) -> None:
    with (
        GoogleDouble(lambda *_: slow) as double,
        opened(double, timeout=0.2) as vision,
        pytest.raises(StageTimeout),
    ):
        vision.ask(picture())


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with GoogleDouble() as double:
        pass
    with opened(double) as vision, pytest.raises(ServerAway, match="cannot be reached"):
        vision.ask(picture())


def test_a_budget_of_pictures_is_kept_to_the_picture() -> None:
    with (
        GoogleDouble() as double,
        opened(double, budget_pictures=3) as vision,
        ThreadPoolExecutor(8) as threads,
    ):
        asked = [threads.submit(vision.ask, picture()) for _ in range(8)]
        ended = [type(one.exception(30)) for one in asked]
    assert double.pictures == 3
    assert ended.count(type(None)) == 3
    assert ended.count(BudgetSpent) == 5


def test_a_budget_of_money_is_never_passed() -> None:
    given = {"budget_money": 0.01, "price_labels": 1.5, "price_text": 1.5, "text": True}
    with GoogleDouble() as double, opened(double, **given) as vision:
        for _ in range(3):
            vision.ask(picture())
        with pytest.raises(BudgetSpent, match=r"0\.01 of money .*3 pictures, 0\.0090 of money"):
            vision.ask(picture())
    assert double.pictures == 3


def test_a_person_who_asks_to_stop_need_not_wait() -> None:
    with (
        GoogleDouble(lambda *_: refused(503, "", "UNAVAILABLE")) as double,
        opened(double) as vision,
    ):
        vision.stopping = lambda: True
        with pytest.raises(StageStopped):
            vision.ask(picture())
    assert double.batches == []


def test_a_key_goes_in_a_header_and_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URBEXMP_GOOGLE_KEY", KEY)
    with GoogleDouble() as double, opened(double) as vision:
        vision.ask(picture())
        assert KEY not in repr(vars(vision._client))
    assert double.headers[0]["x-goog-api-key"] == KEY
    assert KEY not in double.paths[0]


def test_a_file_that_holds_no_credentials_is_told_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    for text in ('{"type": "service_account", "private_key": "SECRET"}', '{"type": "x"}', "SECRET"):
        file.write_text(text)
        with (
            GoogleDouble() as double,
            opened(double, credentials=str(file)) as vision,
            pytest.raises(ServerAway, match=r"key\.json") as failure,
        ):
            vision.ask(picture())
        assert "SECRET" not in str(failure.value)
        assert double.batches == []


def test_where_access_comes_from(tmp_path: Path) -> None:
    away = google_settings({"allow_upload": True})
    usual = tmp_path / "application_default_credentials.json"
    environ = {"CLOUDSDK_CONFIG": str(tmp_path)}
    assert access_of(away, environ).file is None
    usual.write_text("{}")
    assert access_of(away, environ).file == usual
    environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/elsewhere.json"
    assert access_of(away, environ).file == Path("/elsewhere.json")
    environ["URBEXMP_GOOGLE_KEY"] = KEY
    assert access_of(away, environ).key == KEY
    assert KEY not in repr(access_of(away, environ))
    named = google_settings({"allow_upload": True, "credentials": "mine.json"})
    assert access_of(named, environ).file == Path("mine.json")


def test_without_key_and_credentials_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    settings = google_settings({"allow_upload": True, "api_key_env": "URBEXMP_NO_SUCH_KEY"})
    vision = open_google(settings, say=lambda _: None)
    with pytest.raises(ServerAway, match="wants a key") as failure:
        vision.ask(picture())
    vision.close()
    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(failure.value)


def test_a_bug_in_one_thread_does_not_leave_the_others_waiting() -> None:
    class Broken:
        def annotate(self, _: object) -> tuple[Annotated, ...]:
            raise ZeroDivisionError

        def close(self) -> None:
            pass

    settings = google_settings({"url": "http://127.0.0.1:9", "in_flight": 1})
    vision = GoogleVision(settings, Broken(), KeyError, LookupError, lambda _: None)
    with ThreadPoolExecutor(6) as threads:
        ended = [threads.submit(vision.ask, picture()) for _ in range(6)]
        kinds = {type(one.exception(30)) for one in ended}
    assert kinds <= {ZeroDivisionError, StageFailed}
