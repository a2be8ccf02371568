"""What is wrong with the address of a server that photos would go to. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from urbexmp.rules.serving import is_loopback

PHOTOS = "photos"
PHOTOS_AND_PLACE = "photos, and what is known of their place,"


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


def is_here(url: str) -> bool:
    """Whether a server is on this machine."""
    return is_loopback(urlsplit(url).hostname or "")
