"""Which stages look on another machine, and what may be sent there: the table `[stage.remote]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from urbexmp.model.observation import CaptureFacts, Context, StageLook
from urbexmp.model.record import to_plain
from urbexmp.rules.addresses import PHOTOS, Addressed, address_mistakes
from urbexmp.rules.normalise import stage_name
from urbexmp.rules.serving import TOKEN_VARIABLE
from urbexmp.rules.stage_ids import PLACE_STAGE

if TYPE_CHECKING:
    from urbexmp.model.profile import Profile

TABLE = "remote"
SERVER, LOCAL = "server", "local"


@dataclass(frozen=True, slots=True)
class Elsewhere(Addressed):
    """A server, and the stages that look there."""

    url: str
    """Without a slash at the end."""
    stages: tuple[str, ...]
    token_env: str = TOKEN_VARIABLE
    """Name of the variable that holds the token."""
    timeout: float = 150.0
    """Seconds for one answer; more than the server gives a look, so that it can say so."""
    fallback: bool = True
    """Look on this machine while the server cannot."""
    prefer: str = SERVER
    """`local`: ask the server only for stages that cannot run here."""
    allow_upload: bool = False
    """Photos may leave this machine."""
    quality: int = 92
    """Of the JPEG that is sent."""
    at_once: int = 4
    """Photos that are with the server at a time."""


def elsewhere(profile: Profile) -> Elsewhere | None:
    """What a profile has looked at elsewhere; None: nothing. Its mistakes were found before."""
    table: Mapping[str, Any] = profile.stage_settings.get(TABLE, {})
    if not table:
        return None
    given = {key: value for key, value in table.items() if key not in ("url", "stages")}
    return Elsewhere(str(table["url"]).rstrip("/"), _names(table.get("stages", "")), **given)


def mistakes(profile: Profile, known: Sequence[str]) -> list[str]:
    """What makes no sense in `[stage.remote]` although each value may stand there."""
    if TABLE in profile.stages:
        mistake = "stages: remote is no stage of its own; list the stages themselves, and name"
        return [f"{mistake} those that the server looks with under stage.remote.stages"]
    table = profile.stage_settings.get(TABLE, {})
    if not table:
        return []
    found = []
    names = _names(str(table.get("stages", "")))
    if not names:
        found.append('stage.remote.stages: name the stages that look there, as "siglip, ram"')
    found += [
        f"stage.remote.stages: unknown stage {name!r}; known are {', '.join(sorted(known))}"
        for name in names
        if name not in known
    ]
    wrong = address_mistakes(
        str(table.get("url", "")),
        table=TABLE,
        example="http://127.0.0.1:8765",
        secret="a token belongs into a variable, which token_env names",
        sent=PHOTOS,
        upload=bool(table.get("allow_upload")),
    )
    return found + [f"stage.remote.url: {mistake}" for mistake in wrong]


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def what_is_sent(
    facts: CaptureFacts, context: Context, earlier: tuple[StageLook, ...], *, uses_context: bool
) -> dict[str, Any]:
    """What goes along with a picture: where it was taken only to a stage that makes use of it, and
    what a person wrote into it to none."""
    facts = replace(facts, image_description=None)
    if uses_context:
        return {
            "facts": to_plain(facts, slim=True),
            "context": to_plain(context, slim=True),
            "earlier": to_plain(earlier, slim=True),
        }
    placeless = replace(
        facts,
        latitude=None,
        longitude=None,
        city=None,
        state=None,
        country=None,
        sublocation=None,
    )
    looks = tuple(look for look in earlier if stage_name(look.stage) != PLACE_STAGE)
    return {"facts": to_plain(placeless, slim=True), "earlier": to_plain(looks, slim=True)}
