"""What a server takes and gives, without a server."""

from __future__ import annotations

import base64
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from urbexmp.model.observation import CaptureFacts, Observation, ObservationKind, StageLook
from urbexmp.model.record import from_plain
from urbexmp.model.stage_errors import StageFailed, StageTimeout
from urbexmp.rules.serving import (
    Answered,
    Asked,
    Bucket,
    Limits,
    Refused,
    Request,
    answer,
    check_host,
    check_token,
    chosen,
    is_loopback,
    parse_request,
    token_mistake,
)
from urbexmp.rules.serving_picture import picture_bytes, picture_size

LABELS = st.lists(st.none() | st.floats(0, 1), max_size=12)


def label(number: int, score: float | None) -> Observation:
    return Observation(ObservationKind.LABEL, f"label {number}", score)


@given(st.binary(max_size=300))
def test_any_body_is_a_request_or_refused(body: bytes) -> None:
    try:
        found = parse_request(body, Limits(), ("camera",))
    except Refused as refused:
        assert 400 <= refused.status < 500  # noqa: PT017
        assert refused.plain["error"]["told"].endswith(".")  # noqa: PT017
    else:
        assert found.pictures


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ("pictures", "image", "facts", "context", "earlier", "stages", "iso")
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
def test_json_of_any_shape_is_a_request_or_refused(value: object) -> None:
    body = json.dumps(value).encode()
    try:
        found = parse_request(body, Limits(), ("camera",))
    except Refused as refused:
        assert refused.status in (400, 404, 413)  # noqa: PT017
    else:
        assert all(isinstance(one.facts, CaptureFacts) for one in found.pictures)


def test_facts_and_looks_arrive_as_they_were_sent() -> None:
    earlier = [{"stage": "camera@1", "observations": [{"kind": "view", "label": "interior"}]}]
    plain = {"facts": {"iso": 200, "subject_distance": float("inf")}, "earlier": earlier}
    (asked,) = parse_request(json.dumps(plain).encode(), Limits(), ("camera",)).pictures
    assert asked.facts == CaptureFacts(iso=200, subject_distance=float("inf"))
    (look,) = asked.earlier
    assert look.observations[0].kind is ObservationKind.VIEW


@given(LABELS, st.none() | st.floats(0, 1), st.none() | st.integers(1, 5))
def test_only_labels_are_left_out_and_the_surest_stay(
    scores: list[float | None], threshold: float | None, most: int | None
) -> None:
    labels = [label(number, score) for number, score in enumerate(scores)]
    view = Observation(ObservationKind.VIEW, "interior", 0.01)
    kept = chosen((view, *labels), threshold, most)
    assert kept[0] == view
    stayed = kept[1:]
    assert [one for one in labels if one in stayed] == list(stayed)  # in their order
    assert most is None or len(stayed) <= most
    for one in stayed:
        assert threshold is None or one.score is None or one.score >= threshold
    passed = [one for one in labels if threshold is None or (one.score or 1) >= threshold]
    for left in passed:
        if left not in stayed and left.score is not None:
            assert most is not None
            assert sum((one.score or 0) >= left.score for one in stayed) == most


@given(st.integers(1, 100), st.lists(st.tuples(st.integers(1, 20), st.floats(0, 90))))
def test_no_minute_sees_more_than_twice_its_pictures(
    per_minute: int, asked: list[tuple[int, float]]
) -> None:
    bucket, now, taken = Bucket(per_minute, float(per_minute), 0.0), 0.0, []
    for number, pause in asked:
        now += pause
        bucket, wait = bucket.take(number, now)
        assert wait >= 0
        if wait == 0:
            taken.append((now, min(number, per_minute)))
        else:
            assert bucket.take(number, now + wait + 1e-6)[1] == 0  # what it says is true
    for begin, _ in taken:
        within = sum(number for at, number in taken if begin <= at < begin + 60)
        assert within <= 2 * per_minute


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(("JPEG", "PNG")), st.booleans())
def test_the_size_is_read_from_the_header(width: int, height: int, kind: str, late: bool) -> None:
    out = io.BytesIO()
    more = {"progressive": True, "comment": b"x" * 3000} if late and kind == "JPEG" else {}
    Image.new("RGB", (width, height)).save(out, kind, **more)
    data = picture_bytes("data:image/x;base64," + base64.b64encode(out.getvalue()).decode())
    assert picture_size(data) == (width, height)


@given(st.binary(max_size=200), st.sampled_from((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")))
def test_a_damaged_header_is_a_sentence(rest: bytes, magic: bytes) -> None:
    try:
        size = picture_size(magic + rest)
    except ValueError as mistake:
        assert str(mistake).startswith("it")  # noqa: PT017
    else:
        assert len(size) == 2


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("127.evil.example", False),
        ("localhost.evil.example", False),
        ("::", False),
    ],
)
def test_which_hosts_are_this_machine(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours


@pytest.mark.parametrize("header", [None, "", "evil.example", "evil.example:8765", "[::2]:80"])
def test_a_foreign_name_is_refused_without_a_token(header: str | None) -> None:
    with pytest.raises(Refused) as refused:
        check_host(header)
    assert refused.value.status == 421


@pytest.mark.parametrize("header", ["localhost:8765", "127.0.0.1", "[::1]:8765", "LOCALHOST"])
def test_a_name_of_this_machine_is_fine(header: str) -> None:
    check_host(header)
    assert is_loopback("localhost")


@given(st.text(max_size=30))
def test_only_the_token_opens(given_: str) -> None:
    token = "a-token-of-good-length"
    check_token(f"Bearer {token}", token)
    if given_.strip() != token:
        with pytest.raises(Refused):
            check_token(f"Bearer {given_}", token)
    with pytest.raises(Refused):
        check_token(given_, token)
    assert token_mistake(token) == ""


def test_the_status_is_that_of_the_first_problem_where_nothing_was_seen() -> None:
    request = Request((Asked(), Asked()), ("a",))
    late = Answered((), (("a", StageTimeout("x", stage="a", seconds=1)),))
    broken = Answered((), (("a", StageFailed("x", stage="a", detail="out of memory")),))
    fine = Answered((StageLook("a@1", (label(1, 0.5),)),))
    assert answer(request, [late, broken], "1", 0)[0] == 504
    status, said = answer(request, [broken, fine], "1", 0)
    assert status == 200
    assert [one["status"] for one in said["pictures"]] == [500, 200]
    assert "out of memory" in said["pictures"][0]["problems"][0]["told"]
    look = from_plain(StageLook, said["pictures"][1]["looks"][0])
    assert look.observations == (label(1, 0.5),)
