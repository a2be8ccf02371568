"""What `urbexmp serve` takes and gives, without a server: limits, requests as values, answers."""

from __future__ import annotations

import hmac
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from urbexmp.model.errors import Problem, Undecodable
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    ObservationKind,
    StageLook,
)
from urbexmp.model.record import from_plain, to_plain
from urbexmp.model.stage_errors import StageMissing, StageTimeout
from urbexmp.rules.serving_picture import picture_bytes, picture_size

API = 1
"""Version of what goes over the wire; a client refuses to talk to another."""

TOKEN_VARIABLE = "URBEXMP_SERVE_TOKEN"
TOKEN_LEAST = 16
"""Characters."""

_LOOPBACK = re.compile(r"localhost|::1|127(\.\d{1,3}){3}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server takes on."""

    body: int = 48 * 2**20
    """Bytes of a request."""
    pixels: int = 50_000_000
    """Width times height of a picture."""
    pictures: int = 32
    """In one request."""
    in_flight: int = 16
    """Requests at a time; the next is told to come back."""
    at_once: int = 4
    """Pictures that are looked at side by side."""
    per_minute: int = 6000
    """Pictures; 0 is no limit."""
    seconds: float = 120.0
    """For one look of one stage."""
    body_seconds: float = 60.0
    """For a request to arrive."""


class Refused(Exception):  # noqa: N818  (an answer, not an error of ours)
    """A request that is not carried out: HTTP status, slug, sentence."""

    def __init__(self, status: int, slug: str, told: str, retry_after: float | None = None) -> None:
        super().__init__(told)
        self.status = status
        self.slug = slug
        self.told = told
        self.retry_after = retry_after

    @property
    def plain(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"api": API, "error": {"slug": self.slug, "told": self.told}}

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        if self.status == 401:
            return {"WWW-Authenticate": "Bearer"}
        if self.retry_after is None:
            return {}
        return {"Retry-After": str(max(1, math.ceil(self.retry_after)))}


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture of a request."""

    data: bytes | None = None
    """A JPEG or PNG within the limits."""
    wrong: str = ""
    """Why there is no picture although one was sent."""
    facts: CaptureFacts = field(default_factory=CaptureFacts)
    context: Context = field(default_factory=Context)
    earlier: tuple[StageLook, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for."""

    pictures: tuple[Asked, ...]
    stages: tuple[str, ...]
    threshold: float | None = None
    """Labels with a lower score are left out."""
    most: int | None = None
    """Labels of a stage at most; the surest stay."""


# --- Who may ask ------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and nobody else can reach it."""
    return _LOOPBACK.fullmatch(host.strip("[]").lower()) is not None


def check_token(header: str | None, token: str) -> None:
    """Compare `Authorization: Bearer TOKEN`, in constant time. Raises `Refused`."""
    scheme, _, given = (header or "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not same:
        raise Refused(401, "wrong-token", "The token is missing or wrong.")


def check_host(header: str | None) -> None:
    """Refuse a page in a browser that had its own name lead to this machine. Raises `Refused`.

    Without a token, who asks must call the server by a name of this machine.
    """
    host = (header or "").strip().lower()
    bare = host.partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if not is_loopback(bare):
        raise Refused(421, "wrong-host", "Without a token this server answers to localhost only.")


def token_mistake(token: str) -> str:
    """Why a token will not do; "" when it does."""
    if len(token) < TOKEN_LEAST:
        return f"is shorter than {TOKEN_LEAST} characters"
    if not token.isascii() or not token.isprintable() or " " in token:
        return "holds more than letters, digits and signs"
    return ""


# --- How often --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many pictures may come: so many a minute, and as many at once after a quiet minute."""

    per_minute: int
    left: float
    at: float
    """When `left` was counted, in seconds."""

    def take(self, number: int, now: float) -> tuple[Bucket, float]:
        """The bucket afterwards, and 0; or the same bucket, and the seconds to wait."""
        if self.per_minute <= 0:
            return self, 0.0
        rate = self.per_minute / 60
        left = min(float(self.per_minute), self.left + max(0.0, now - self.at) * rate)
        wanted = min(number, self.per_minute)  # a request that is larger waits for a full bucket
        if wanted > left + 1e-9:
            return self, (wanted - left) / rate
        return replace(self, left=left - wanted, at=max(now, self.at)), 0.0


# --- What is asked ------------------------------------------------------------------------------


def parse_request(body: bytes, limits: Limits, offered: Sequence[str]) -> Request:
    """Read the body of `POST /tag`. Raises `Refused` with everything that is wrong in a sentence.

    A picture that is none is no reason to refuse the others: it is told of in `Asked.wrong`.
    """
    plain = _json(body)
    if not isinstance(plain, dict):
        raise _malformed("The body is not a JSON object.")
    unknown = set(plain) - _REQUEST
    if unknown:
        raise _malformed(f"Unknown: {', '.join(sorted(unknown))}.")
    single = {key: plain[key] for key in _PICTURE if key in plain}
    listed = plain.get("pictures", [single] if single else [])
    if not isinstance(listed, list) or not listed or (single and "pictures" in plain):
        raise _malformed("Give `pictures`, a list, or one `image`.")
    if len(listed) > limits.pictures:
        raise Refused(
            413, "too-many-pictures", f"A request may hold {limits.pictures} pictures at most."
        )
    return Request(
        tuple(_asked(one, number, limits) for number, one in enumerate(listed, 1)),
        _stages(plain.get("stages"), offered),
        _number(plain, "threshold", 0, 1),
        _whole(plain, "max_tags"),
    )


_PICTURE = ("image", "facts", "context", "earlier")
_REQUEST = frozenset((*_PICTURE, "pictures", "stages", "threshold", "max_tags"))


def _malformed(told: str) -> Refused:
    return Refused(400, "malformed", told)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise _malformed("The body is not JSON.") from None


def _constant(name: str) -> float:
    # A lens focused at infinity is a fact (`subject_distance`); nothing else has no end.
    if name == "Infinity":
        return math.inf
    raise ValueError(name)


def _stages(given: Any, offered: Sequence[str]) -> tuple[str, ...]:
    if given is None:
        return tuple(offered)
    if not isinstance(given, list) or not given or not all(isinstance(x, str) for x in given):
        raise _malformed("`stages` is not a list of names.")
    strange = [name for name in given if name not in offered]
    if strange:
        names = ", ".join(name[:40] for name in strange[:5])
        raise Refused(
            404,
            "stage-not-offered",
            f"Not offered here: {names}. Offered are {', '.join(offered)}.",
        )
    return tuple(dict.fromkeys(given))


def _number(plain: Mapping[str, Any], key: str, low: float, high: float) -> float | None:
    value = plain.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _malformed(f"`{key}` is not a number from {low:g} to {high:g}.")
    return float(value)


def _whole(plain: Mapping[str, Any], key: str) -> int | None:
    value = plain.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _malformed(f"`{key}` is not a whole number from 1.")
    return value


def _asked(plain: Any, number: int, limits: Limits) -> Asked:
    if not isinstance(plain, dict) or set(plain) - set(_PICTURE):
        raise _malformed(f"Picture {number} is not an object of {', '.join(_PICTURE)}.")
    try:
        asked = Asked(
            facts=from_plain(CaptureFacts, plain.get("facts") or {}),
            context=from_plain(Context, plain.get("context") or {}),
            earlier=from_plain(tuple[StageLook, ...], plain.get("earlier") or []),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as failure:
        told = f"Facts, context or earlier looks of picture {number} make no sense: {failure}."
        raise _malformed(told[:300]) from None
    image = plain.get("image")
    if image is None:
        return asked
    if not isinstance(image, str):
        raise _malformed(f"`image` of picture {number} is not text.")
    try:
        data = picture_bytes(image)
        width, height = picture_size(data)
        if not 0 < width * height <= limits.pixels:
            raise ValueError(  # noqa: TRY301
                f"it has {width} x {height} pixels, and {limits.pixels} at most are taken"
            )
    except ValueError as mistake:
        return replace(asked, wrong=str(mistake))
    return replace(asked, data=data)


# --- What is answered ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """What the stages said of one picture, and what kept others from it."""

    looks: tuple[StageLook, ...] = ()
    problems: tuple[tuple[str, Problem], ...] = ()
    """Name of the stage ("" for all of them) and what went wrong."""
    seconds: float = 0.0


def chosen(
    said: Sequence[Observation], threshold: float | None, most: int | None
) -> tuple[Observation, ...]:
    """The observations that were asked for, in their order. Only labels are left out."""
    kept = [
        one
        for one in said
        if one.kind is not ObservationKind.LABEL
        or threshold is None
        or one.score is None
        or one.score >= threshold
    ]
    labels = [one for one in kept if one.kind is ObservationKind.LABEL]
    if most is None or len(labels) <= most:
        return tuple(kept)
    surest = sorted(labels, key=lambda one: -(one.score if one.score is not None else 0.0))
    stay = {id(one) for one in surest[:most]}
    return tuple(one for one in kept if one.kind is not ObservationKind.LABEL or id(one) in stay)


def status_of(problem: Problem) -> int:
    """The HTTP status of what went wrong with one picture."""
    if isinstance(problem, Undecodable):
        return 422
    if isinstance(problem, StageTimeout):
        return 504
    return 503 if isinstance(problem, StageMissing) else 500


def answer(
    request: Request, answers: Sequence[Answered], version: str, seconds: float
) -> tuple[int, dict[str, Any]]:
    """The status and the body of the answer to `POST /tag`.

    The status is 200 as long as there is a look at any picture; else that of the first problem.
    """
    pictures = [_picture(request, one) for one in answers]
    status = 200
    if not any(one.looks for one in answers):
        bad = [picture["status"] for picture in pictures if picture["status"] != 200]
        status = bad[0] if bad else 200
    return status, {
        "api": API,
        "version": version,
        "pictures": pictures,
        "seconds": round(seconds, 4),
    }


def _picture(request: Request, one: Answered) -> dict[str, Any]:
    problems = [
        {
            "stage": stage,
            "status": status_of(problem),
            "slug": problem.slug,
            "told": f"{problem.sentences[0]}.",
        }
        for stage, problem in one.problems
    ]
    looks = [
        {
            "stage": look.stage,
            "seconds": round(look.seconds, 4),
            "observations": [
                to_plain(said, slim=True)
                for said in chosen(look.observations, request.threshold, request.most)
            ],
        }
        for look in one.looks
    ]
    status = problems[0]["status"] if problems else 200
    return {
        "status": status,
        "looks": looks,
        "problems": problems,
        "seconds": round(one.seconds, 4),
    }
