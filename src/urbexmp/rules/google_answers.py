"""What Google Vision answers: observations, or what is wrong and what to do about it. Pure.

Status codes and reasons: https://cloud.google.com/apis/design/errors (google.rpc.Code, ErrorInfo).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from urbexmp.model.observation import Observation, ObservationKind
from urbexmp.rules.google_settings import CREDENTIALS_VARIABLE, GoogleSettings
from urbexmp.rules.server_faults import LONGEST, Fault

INTERNAL, UNAVAILABLE, DEADLINE, EXHAUSTED = 13, 14, 4, 8
REFUSED = {7: 403, 16: 401}
"""Codes of google.rpc that a single picture may come back with, as HTTP would say it."""
TRANSIENT = frozenset((INTERNAL, UNAVAILABLE, DEADLINE, EXHAUSTED))

_PER_DAY = ("perday", "per_day", "daily")


@dataclass(frozen=True, slots=True)
class Annotated:
    """What came back for one picture."""

    labels: tuple[tuple[str, float], ...] = ()
    """Description and score, 0..1."""
    text: str = ""
    """All that was read, line by line."""
    code: int = 0
    """google.rpc.Code; 0: it was looked at."""
    message: str = ""

    @property
    def again(self) -> bool:
        """Whether it may be looked at when it is sent once more."""
        return self.code in TRANSIENT


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was answered with an error."""

    status: int
    """HTTP."""
    message: str = ""
    reason: str = ""
    """As ErrorInfo gives it: `API_KEY_INVALID`, `SERVICE_DISABLED`."""
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    retry_after: float | None = None


def refusal_of(status: int, body: object, retry_after: float | None) -> Refusal:
    """Read an error; `body` is its JSON, or None where it is none."""
    error: Any = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return Refusal(status, retry_after=retry_after)
    reason, metadata = "", dict[str, str]()
    details = error.get("details")
    for one in details if isinstance(details, list) else ():
        if not isinstance(one, Mapping):
            continue
        if isinstance(one.get("reason"), str):
            reason = one["reason"]
        more = one.get("metadata")
        if isinstance(more, Mapping):
            metadata |= {str(name): str(value) for name, value in more.items()}
        delay = one.get("retryDelay")
        if retry_after is None and isinstance(delay, str) and delay.endswith("s"):
            retry_after = _number(delay[:-1])
    message = error.get("message")
    words = message if isinstance(message, str) else ""
    return Refusal(status, words, reason, MappingProxyType(metadata), retry_after)


def _number(text: str) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        return None


def fault_of(refusal: Refusal, settings: GoogleSettings, *, has_key: bool) -> Fault:
    """What a refused request means."""
    status, reason = refusal.status, refusal.reason
    words = " ".join(refusal.message.split())
    words = words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."
    said = f" ({status}: {words})" if words else f" ({status})"
    if status == 401 or reason.startswith("API_KEY_INVALID") or reason == "API_KEY_EXPIRED":
        return _key(settings, said, has_key=has_key)
    if status == 403:
        return _forbidden(refusal, settings, said, has_key=has_key)
    if status == 429:
        limit = " ".join(refusal.metadata.values()).lower().replace(" ", "")
        if any(word in limit for word in _PER_DAY):
            advice = "Go on tomorrow, or raise the quota in the Google Cloud console"
            return Fault(f"has answered all of today's quota{said}", advice, every=True)
        advice = "Lower stage.google_vision.per_minute, or raise the quota"
        return Fault(f"is too busy, or the quota is used up{said}", advice, again=True, busy=True)
    if status == 404 or 300 <= status < 400:
        advice = "Correct stage.google_vision.url; no photo goes to another server"
        return Fault(f"does not look at pictures there{said}", advice, every=True)
    if status == 413:
        advice = "Lower stage.google_vision.pictures or size"
        return Fault(f"finds the request too large{said}", advice)
    if status >= 500 or status == 408:
        return Fault(f"fails{said}", "Try again later", again=True, busy=status == 503)
    return Fault(f"refuses the request{said}")


def no_access(settings: GoogleSettings) -> Fault:
    """There is neither key nor credentials, so nothing is asked."""
    return _key(settings, "", has_key=False)


def _key(settings: GoogleSettings, said: str, *, has_key: bool) -> Fault:
    advice = f"Set {settings.api_key_env} to a key of a project that has the Cloud Vision API"
    if has_key:
        return Fault(f"refuses the key or the credentials{said}", advice, every=True)
    return Fault(f"wants a key{said}", f"{advice}, or {CREDENTIALS_VARIABLE} to a file", every=True)


def _forbidden(refusal: Refusal, settings: GoogleSettings, said: str, *, has_key: bool) -> Fault:
    reason, project = refusal.reason, refusal.metadata.get("consumer", "").removeprefix("projects/")
    of = f" of project {project}" if project else ""
    if reason == "SERVICE_DISABLED":
        advice = f"Enable the Cloud Vision API{of}: gcloud services enable vision.googleapis.com"
        return Fault(f"has the Cloud Vision API switched off{said}", advice, every=True)
    if reason == "BILLING_DISABLED" or "billing" in refusal.message.lower():
        advice = f"Turn on billing{of} in the Google Cloud console"
        return Fault(f"wants an account that pays{said}", advice, every=True)
    if reason.endswith("_BLOCKED"):
        advice = "Allow this use among the restrictions of the key"
        return Fault(f"refuses this use of the key{said}", advice, every=True)
    return _key(settings, said, has_key=has_key)


def observations(annotated: Annotated, settings: GoogleSettings) -> tuple[Observation, ...]:
    """What Google saw, its score as it gave it, and what it read, a line each."""
    said = [
        Observation(ObservationKind.LABEL, word, round(min(1.0, score), 4), source="Google label")
        for word, score in annotated.labels
        if word and score >= settings.least
    ]
    lines = dict.fromkeys(" ".join(line.split()) for line in annotated.text.splitlines())
    said += [
        Observation(ObservationKind.TEXT, "text", value=line, source="read")
        for line in lines
        if line
    ]
    return tuple(said)
