"""Every stage that sends photos away checks the address by the same rule."""

from __future__ import annotations

import pytest

from urbexmp.rules.addresses import PHOTOS, address_mistakes, is_here


def mistakes(url: str, *, upload: bool = False) -> list[str]:
    secret = "a key belongs into a variable"
    return address_mistakes(
        url, table="t", example="http://127.0.0.1:1", secret=secret, sent=PHOTOS, upload=upload
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://[::1]:8", "http://localhost"])
def test_this_machine_needs_no_permission(url: str) -> None:
    assert mistakes(url) == []
    assert is_here(url)


@pytest.mark.parametrize("url", ["", "gpu.example", "file:///etc/passwd", "http://h:99999", "//x"])
def test_what_is_no_address_is_told_with_an_example(url: str) -> None:
    assert mistakes(url, upload=True) == ["must be the address of a server, as http://127.0.0.1:1"]


@pytest.mark.parametrize(
    "url", ["http://a:b@127.0.0.1", "http://127.0.0.1/?key=abc", "http://127.0.0.1/#k"]
)
def test_a_key_in_the_address_is_refused_without_repeating_it(url: str) -> None:
    assert mistakes(url, upload=True) == ["a key belongs into a variable"]


def test_photos_leave_this_machine_only_where_that_is_allowed() -> None:
    (told,) = mistakes("https://gpu.example:8443/v1")
    assert "photos would leave this machine for gpu.example:8443" in told
    assert "stage.t.allow_upload = true" in told
    assert mistakes("https://gpu.example:8443/v1", upload=True) == []
    assert not is_here("https://127.0.0.1.example")
