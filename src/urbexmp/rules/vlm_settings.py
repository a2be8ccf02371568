"""Settings of the stage `vlm`: which model of which server, how it is asked, and how much. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from urbexmp.rules.addresses import PHOTOS_AND_PLACE, Addressed, url_mistakes
from urbexmp.rules.spending import Budget
from urbexmp.rules.when import ALWAYS, IDLE, MANUAL, NOW, with_when

if TYPE_CHECKING:
    from urbexmp.model.profile import Profile

STAGE = "vlm"
PATIENT = (STAGE, "google_vision")
"""Stages that a profile tells when to look."""

KEY_VARIABLE = "URBEXMP_VLM_KEY"
"""Where a key is looked for unless the profile names another variable."""


@dataclass(frozen=True, slots=True)
class VlmSettings(Addressed):
    """The table `[stage.vlm]`."""

    model: str = "qwen3-vl:8b-instruct"
    url: str = "http://127.0.0.1:11434/v1"
    """The server, up to what comes before `/chat/completions`; Ollama's own address by default."""
    prompt: str = "urbex"
    """Name of a prompt that comes with urbexmp, or the path of a TOML file."""
    size: int = 768
    """Pixels of the long side of the picture that is sent."""
    max_tokens: int = 800
    """Length of a reply; a reply that is cut is asked for once more, with twice as many."""
    temperature: float = 0.0
    when: str = ALWAYS
    allow_upload: bool = False
    """Photos may leave this machine."""
    timeout: float = 300.0
    """Seconds for one reply; the first one of a server loads the model."""
    in_flight: int = 4
    """Requests at a time, at most."""
    per_minute: float = 0.0
    """Requests; 0 is no limit."""
    budget_requests: int = 0
    """Of one run; 0 is no limit."""
    budget_tokens: int = 0
    budget_money: float = 0.0
    price_in: float = 0.0
    """Of a million tokens that are sent, in your currency."""
    price_out: float = 0.0
    """Of a million tokens that are answered."""
    api_key_env: str = KEY_VARIABLE
    """Name of the variable that holds the key."""
    unscored: float = 0.5
    """What a label without a confidence counts as."""
    caption: str = ""
    """Entry of `models.toml` that is asked for the short text; "" is the model above."""
    description: str = ""
    """The same for description and spatial notes."""
    keyword: str = ""
    """The same for labels and all that becomes keywords."""

    @property
    def base(self) -> str:
        """The address without a slash at the end; `/v1` where it has no path."""
        url = self.url.rstrip("/")
        return url if urlsplit(url).path else f"{url}/v1"

    @property
    def root(self) -> str:
        """The address that the server's own questions (`/props`, `/api/version`) go to."""
        return self.base.removesuffix("/v1")

    @property
    def budget(self) -> Budget:
        """What one run may use."""
        return Budget(
            self.budget_requests,
            self.budget_tokens,
            self.budget_money,
            self.price_in,
            self.price_out,
        )

    @property
    def for_id(self) -> dict[str, object]:
        """What an answer depends on. Where the server stands, how patient we are and what it
        may cost are none of it."""
        plain: dict[str, object] = {
            "model": self.model,
            "size": self.size,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
        }
        return with_when(plain, self.when)


NAMES = frozenset(field.name for field in fields(VlmSettings))


def vlm_settings(given: Mapping[str, Any]) -> VlmSettings:
    """Check a table. Raises `ValueError` with every mistake."""
    settings = VlmSettings(**given)
    found = server_mistakes(settings)
    if settings.budget_money and not (settings.price_in or settings.price_out):
        found.append("budget_money needs the prices of a million tokens, price_in and price_out")
    if found:
        raise ValueError("; ".join(found))
    return settings


def server_mistakes(settings: VlmSettings) -> list[str]:
    """What is wrong with the address of the server, a sentence each."""
    return url_mistakes(
        settings.url,
        table=STAGE,
        example="http://127.0.0.1:11434/v1",
        sent=PHOTOS_AND_PLACE,
        upload=settings.allow_upload,
    )


def named_outright(profile: Profile) -> Profile:
    """A profile whose stages a person listed on the command line: the stage looks, as it is named,
    though it waits to be named."""
    named = waits_to_be_named(profile)
    if not named:
        return profile
    tables = dict(profile.stage_settings)
    for name in named:
        tables[name] = MappingProxyType({**tables[name], "when": NOW})
    return replace(profile, stage_settings=MappingProxyType(tables))


def waits_to_be_named(profile: Profile) -> frozenset[str]:
    """Stages that look only at what they are named for."""
    return frozenset(
        name
        for name in profile.stages
        if name in PATIENT and profile.stage_settings.get(name, {}).get("when") in (MANUAL, IDLE)
    )
