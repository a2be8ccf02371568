"""`urbexmp serve` as a real process, asked over a real socket."""

from __future__ import annotations

import base64
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve_process import TOKEN, Serving, drawn, sample, text_of
from urbexmp.rules.serving import TOKEN_VARIABLE
from watch_process import DEADLINE, environment


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("server")
    limits = ("--pictures", "3", "--megabytes", "1", "--megapixels", "2")
    with Serving(home, "--stages", "camera,pixels", *limits) as serving:
        yield serving


def test_health_names_stages_and_how_busy_it_is(server: Serving) -> None:
    status, said, _ = server.ask("/health")
    assert status == 200
    assert said["status"] == "ok"
    assert [stage["name"] for stage in said["stages"]] == ["camera", "pixels"]
    assert all(stage["ready"] for stage in said["stages"])
    assert said["queue"] == {"requests": 0, "looking": 0, "waiting": 0}
    assert said["uptime_seconds"] >= 0
    assert said["version"]


def test_a_sample_photo_is_looked_at(server: Serving) -> None:
    facts = {"exposure_time": 4.0, "f_number": 8.0, "iso": 100, "make": "Canon"}
    image = "data:image/jpeg;base64," + text_of(sample())
    status, said, _ = server.ask("/tag", {"image": image, "facts": facts})
    assert status == 200
    (picture,) = said["pictures"]
    ids = [stage["id"] for stage in server.ask("/health")[1]["stages"]]
    assert [look["stage"] for look in picture["looks"]] == ids
    pixels = picture["looks"][1]
    assert {"view", "measure"} <= {one["kind"] for one in pixels["observations"]}
    view = next(one for one in pixels["observations"] if one["kind"] == "view")
    assert view["label"] == "interior"
    assert 0.5 < view["score"] <= 1
    assert pixels["seconds"] > 0


def test_a_picture_that_is_none_spoils_no_batch(server: Serving) -> None:
    truncated = drawn()[:-200]
    pictures = [{"image": text_of(data)} for data in (drawn(), truncated, drawn("PNG"))]
    status, said, _ = server.ask("/tag", {"pictures": pictures})
    assert status == 200
    assert [picture["status"] for picture in said["pictures"]] == [200, 422, 200]
    (problem,) = said["pictures"][1]["problems"]
    assert problem["slug"] == "undecodable"
    assert problem["told"].endswith(".")
    assert said["pictures"][1]["looks"] == []


@pytest.mark.parametrize(
    ("image", "word"),
    [
        ("this is no base64!", "base64"),
        (text_of(b"GIF89a" + bytes(40)), "JPEG nor a PNG"),
        ("data:image/jpeg,raw", "base64"),
        (text_of(b"\xff\xd8\xff" + bytes(30)), "header"),
        (text_of(drawn("PNG", (2000, 1500))), "pixels"),
    ],
)
def test_a_single_bad_picture_is_422(server: Serving, image: str, word: str) -> None:
    status, said, _ = server.ask("/tag", {"image": image})
    assert status == 422
    assert word in said["pictures"][0]["problems"][0]["told"]


def test_a_header_that_claims_more_pixels_than_it_has_is_refused(server: Serving) -> None:
    bomb = bytearray(drawn("PNG"))
    bomb[16:24] = (60_000).to_bytes(4) * 2
    status, said, _ = server.ask("/tag", {"image": text_of(bytes(bomb))})
    assert status == 422
    assert "60000 x 60000" in said["pictures"][0]["problems"][0]["told"]


def test_what_is_too_much_is_refused(server: Serving) -> None:
    one = {"image": text_of(drawn())}
    status, said, _ = server.ask("/tag", {"pictures": [one] * 4})
    assert (status, said["error"]["slug"]) == (413, "too-many-pictures")
    status, said, _ = server.ask("/tag", b"[" + b" " * (2 << 20))
    assert (status, said["error"]["slug"]) == (413, "too-large")


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "slug"),
    [
        ("/tag", b"{", {}, 400, "malformed"),
        ("/tag", b"[" * 100_000, {}, 400, "malformed"),
        ("/tag", {"stages": ["pixels"]}, {}, 400, "malformed"),
        ("/tag", {"image": "x", "strange": 1}, {}, 400, "malformed"),
        ("/tag", {"image": "x", "facts": {"iso": "many"}}, {}, 400, "malformed"),
        ("/tag", {"image": "x", "threshold": 2}, {}, 400, "malformed"),
        ("/tag", {"image": "x", "stages": ["florence"]}, {}, 404, "stage-not-offered"),
        ("/tag", {"image": "x"}, {"Content-Type": "text/plain"}, 415, "not-json"),
        ("/tag", None, {}, 405, "wrong-method"),
        ("/elsewhere", None, {}, 404, "no-such-path"),
        ("/health", None, {"Host": "rebound.example"}, 421, "wrong-host"),
    ],
)
def test_what_makes_no_sense_is_told_as_json(
    server: Serving, path: str, body: object, headers: dict[str, str], status: int, slug: str
) -> None:
    found, said, _ = server.ask(path, body, headers=headers)
    assert (found, said["error"]["slug"]) == (status, slug)
    assert said["error"]["told"].endswith(".")


def test_the_openapi_document_describes_what_is_answered(server: Serving) -> None:
    status, said, _ = server.ask("/openapi.json")
    assert status == 200
    assert set(said["paths"]) == {"/health", "/tag"}
    tag = said["paths"]["/tag"]["post"]
    schema = tag["requestBody"]["content"]["application/json"]["schema"]
    assert {"image", "pictures", "stages", "threshold", "max_tags"} <= set(schema["properties"])
    assert {"200", "401", "413", "422", "429", "504"} <= set(tag["responses"])
    answered = server.ask("/health")[1]
    described = said["paths"]["/health"]["get"]["responses"]["200"]["content"]
    assert set(answered) == set(described["application/json"]["schema"]["properties"])


# --- Servers of their own -----------------------------------------------------------------------


def test_no_token_no_answer_and_it_is_never_shown(tmp_path: Path) -> None:
    with Serving(tmp_path, "--stages", "camera", token=TOKEN) as serving:
        for token in ("", "wrong", TOKEN[:-1], TOKEN + "x", "\u00e9"):
            for path in ("/health", "/tag", "/openapi.json", "/nothing"):
                body = {"image": "x"} if path == "/tag" else None
                if token == "":
                    headers = {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}
                    status, said, _ = serving.ask(path, body, token="none", headers=headers)
                else:
                    status, said, _ = serving.ask(path, body, token=token)
                assert (status, said["error"]["slug"]) == (401, "wrong-token")
        assert serving.ask("/health")[0] == 200
        assert serving.end() == 128 + signal.SIGTERM
    assert b"GET /health 200" in serving.said
    assert TOKEN.encode() not in serving.said


def test_where_others_can_reach_it_a_token_is_needed(tmp_path: Path) -> None:
    serving = Serving(tmp_path, "--host", "0.0.0.0", "--stages", "camera")
    assert serving.wait() == 2
    assert b"because there is no token" in serving.said
    assert b"--token-file" in serving.said


@pytest.mark.parametrize("token", ["tiny9", "with a blank in the middle of it"])
def test_a_poor_token_is_refused_and_not_repeated(tmp_path: Path, token: str) -> None:
    file = tmp_path / "token"
    file.write_text(token + "\n")
    serving = Serving(tmp_path, "--stages", "camera", "--token-file", str(file))
    assert serving.wait() == 2
    assert b"--token-file" in serving.said
    assert token.encode() not in serving.said


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        serving = Serving(tmp_path, "--stages", "camera", port=port)
        assert serving.wait() == 2
    assert b"cannot be listened on" in serving.said
    assert b"Traceback" not in serving.said


def half_sent(serving: Serving) -> socket.socket:
    """A request whose body does not arrive."""
    line = socket.create_connection(("127.0.0.1", serving.port), timeout=DEADLINE)
    line.sendall(
        b"POST /tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{"
    )
    return line


def test_more_requests_than_allowed_are_told_to_come_back(tmp_path: Path) -> None:
    with Serving(tmp_path, "--stages", "camera", "--requests", "1") as serving:
        with half_sent(serving):
            serving.until(lambda said: said["queue"]["requests"] == 1)
            status, said, headers = serving.ask("/tag", {"facts": {}})
            assert (status, said["error"]["slug"]) == (429, "too-busy")
            assert int(headers["retry-after"]) >= 1
        serving.until(lambda said: said["queue"]["requests"] == 0)
        assert serving.ask("/tag", {"facts": {}})[0] == 200


def test_more_pictures_a_minute_than_allowed_are_told_to_come_back(tmp_path: Path) -> None:
    with Serving(tmp_path, "--stages", "camera", "--rate", "2") as serving:
        assert serving.ask("/tag", {"pictures": [{}, {}]})[0] == 200
        status, said, headers = serving.ask("/tag", {"pictures": [{}, {}]})
        assert (status, said["error"]["slug"]) == (429, "too-often")
        assert 1 <= int(headers["retry-after"]) <= 60


def test_a_look_that_takes_too_long_is_504_and_the_server_goes_on(tmp_path: Path) -> None:
    with Serving(tmp_path, "--stages", "camera,ocr", "--seconds", "0.02") as serving:
        status, said, _ = serving.ask("/tag", {"image": text_of(drawn()), "stages": ["ocr"]})
        assert status == 504
        slugs = {problem["slug"] for problem in said["pictures"][0]["problems"]}
        assert slugs == {"stage-timeout"}
        assert serving.ask("/tag", {"facts": {}, "stages": ["camera"]})[0] == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_though_a_request_is_under_way(tmp_path: Path, number: int) -> None:
    with Serving(tmp_path, "--stages", "camera") as serving, half_sent(serving):
        serving.until(lambda said: said["queue"]["requests"] == 1)
        assert serving.end(number) == 128 + number
    assert b"Traceback" not in serving.said


def test_pictures_are_never_written(tmp_path: Path) -> None:
    with Serving(tmp_path, "--stages", "camera,pixels,ocr") as serving:
        before = {path for path in tmp_path.rglob("*") if path.is_file()}
        body = {"pictures": [{"image": text_of(sample())}] * 2}
        assert serving.ask("/tag", body)[0] == 200
        assert serving.end() == 128 + signal.SIGTERM
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_variable_is_the_documented_one(tmp_path: Path) -> None:
    assert TOKEN_VARIABLE == "URBEXMP_SERVE_TOKEN"
    assert TOKEN_VARIABLE not in environment(tmp_path)
