"""What is wrong with the address of a server that photos would go to. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from urbexmp.rules.serving import is_loopback

PHOTOS = "photos"
PHOTOS_AND_PLACE = "photos, and what is known of their place,"


class Addressed:
    """Settings with the address of a server."""

    __slots__ = ()

    url: str

    @property
    def server(self) -> str:
        """The server in a message: host and port."""
        return urlsplit(self.url).netloc

    @property
    def is_here(self) -> bool:
        """Whether the server is on this machine."""
        return is_here(self.url)


def address_mistakes(
    url: str, *, table: str, example: str, secret: str, sent: str, upload: bool
) -> list[str]:
    """What is wrong with an address, a sentence each.

    `table` is the stage's table of the profile, `example` an address as it should be; `secret`
    says what belongs into a variable and not here; `sent` is what would go there, and `upload`
    whether a person allowed it to leave this machine.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
        port = parts.port
    except ValueError:
        sound = False
    if not sound:
        return [f"must be the address of a server, as {example}"]
    if parts.username or parts.password or parts.query or parts.fragment:
        return [secret]
    if not is_loopback(parts.hostname or "") and not upload:
        where = parts.hostname if port is None else f"{parts.hostname}:{port}"
        would = f"{sent} would leave this machine for {where}"
        return [f"{would}; allow that with stage.{table}.allow_upload = true"]
    return []


def url_mistakes(url: str, *, table: str, example: str, sent: str, upload: bool) -> list[str]:
    """`address_mistakes` of the setting `url` of a stage whose key a variable holds."""
    secret = "a key belongs into a variable, which api_key_env names"
    wrong = address_mistakes(
        url, table=table, example=example, secret=secret, sent=sent, upload=upload
    )
    return [f"url: {mistake}" for mistake in wrong]


def is_here(url: str) -> bool:
    """Whether a server is on this machine."""
    return is_loopback(urlsplit(url).hostname or "")
