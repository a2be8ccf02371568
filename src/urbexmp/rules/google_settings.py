"""Settings of the stage `google_vision`: what Google is asked, and how much of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from urbexmp.rules.addresses import PHOTOS, Addressed, url_mistakes
from urbexmp.rules.spending import Budget
from urbexmp.rules.when import ALWAYS, with_when

STAGE = "google_vision"

KEY_VARIABLE = "URBEXMP_GOOGLE_KEY"
"""Where a key is looked for unless the profile names another variable."""

CREDENTIALS_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
"""Google's own variable: the file of a service account or of `gcloud auth`."""

MOST_PICTURES = 16
"""Google's limit of pictures in one request."""

A_THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class GoogleSettings(Addressed):
    """The table `[stage.google_vision]`."""

    url: str = "https://vision.googleapis.com"
    """The server; one of Google's regions, or a proxy of your own."""
    labels: int = 20
    """Labels of a picture, at most; 0 asks for none."""
    text: bool = False
    """Read what stands in the picture, too; Google counts that as another picture."""
    least: float = 0.5
    """A label with a lower score is left out."""
    size: int = 768
    """Pixels of the long side of the picture that is sent."""
    when: str = ALWAYS
    allow_upload: bool = False
    """Photos may leave this machine."""
    timeout: float = 60.0
    """Seconds for one request."""
    in_flight: int = 2
    """Requests at a time, at most."""
    pictures: int = MOST_PICTURES
    """Pictures in one request, at most."""
    per_minute: float = 0.0
    """Requests; 0 is no limit of ours."""
    budget_pictures: int = 0
    """Of one run; 0 is no limit."""
    budget_money: float = 0.0
    price_labels: float = 0.0
    """Of a thousand pictures, in your currency."""
    price_text: float = 0.0
    api_key_env: str = KEY_VARIABLE
    """Name of the variable that holds the key."""
    credentials: str = ""
    """File of a service account, or of `gcloud auth application-default login`."""

    @property
    def price(self) -> float:
        """Of one picture."""
        labels = self.price_labels if self.labels else 0.0
        return (labels + (self.price_text if self.text else 0.0)) / A_THOUSAND

    @property
    def budget(self) -> Budget:
        """What one run may use."""
        return Budget(
            pictures=self.budget_pictures, money=self.budget_money, price_picture=self.price
        )

    @property
    def for_id(self) -> dict[str, object]:
        """What an answer depends on."""
        plain: dict[str, object] = {
            "labels": self.labels,
            "text": self.text,
            "least": self.least,
            "size": self.size,
        }
        return with_when(plain, self.when)


NAMES = frozenset(field.name for field in fields(GoogleSettings))


def google_settings(given: Mapping[str, Any]) -> GoogleSettings:
    """Check a table. Raises `ValueError` with every mistake."""
    settings = GoogleSettings(**given)
    found = url_mistakes(
        settings.url,
        table=STAGE,
        example="https://vision.googleapis.com",
        sent=PHOTOS,
        upload=settings.allow_upload,
    )
    if not found and not settings.is_here and not settings.url.startswith("https:"):
        found.append("url: a key goes along, so it must begin with https")
    if not settings.labels and not settings.text:
        found.append("labels = 0 and text = false leave nothing to ask for")
    if settings.budget_money and not settings.price:
        found.append(
            "budget_money needs the price of a thousand pictures, price_labels or price_text"
        )
    if found:
        raise ValueError("; ".join(found))
    return settings
