"""The part of the OpenAPI document that says what `POST /tag` and `GET /health` hold."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def _object(required: tuple[str, ...] = (), /, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required)}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_OBSERVATION = _object(
    ("kind", "label"),
    kind={"enum": ["label", "view", "prior", "fact", "measure", "caption", "text"]},
    label={"type": "string", "description": "The model's own word."},
    score={**_SHARE, "description": "Absent where the stage gives none."},
    value={"oneOf": [_TEXT, _NUMBER]},
    source={"type": "string", "description": "What it rests on."},
    region={
        "type": "array",
        "items": _SHARE,
        "minItems": 4,
        "maxItems": 4,
        "description": "Left, top, right, bottom as shares of width and height.",
    },
)

_LOOK = _object(
    ("stage", "observations"),
    stage={"type": "string", "description": "Id of the stage: name, `@`, digest."},
    observations=_list(_OBSERVATION),
    seconds=_NUMBER,
)

_PICTURE = {
    "image": {"type": "string", "description": "A JPEG or PNG as base64 or as a data URL."},
    "facts": {
        "type": "object",
        "description": "What the camera recorded: exposure_time, f_number, iso, make ...",
    },
    "context": {
        "type": "object",
        "description": "What is known of the place: name, place_type, era, city, state ...",
    },
    "earlier": {**_list(_LOOK), "description": "What other stages said of it before."},
}

REQUEST: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": _object(
                (),
                pictures=_list(_object(**_PICTURE)),
                **_PICTURE,
                stages={
                    **_list(_TEXT),
                    "description": "Names of stages, in the order they look; default: all.",
                },
                threshold={**_SHARE, "description": "Labels with a lower score are left out."},
                max_tags={
                    "type": "integer",
                    "minimum": 1,
                    "description": "Labels of a stage at most; the surest stay.",
                },
            )
        }
    },
}

_PROBLEM = _object(
    ("stage", "status", "slug", "told"),
    stage={"type": "string", "description": "Name of a stage, or nothing for the picture itself."},
    status={"type": "integer"},
    slug=_TEXT,
    told=_TEXT,
)

_TAGGED = _object(
    ("api", "version", "pictures", "seconds"),
    api={"type": "integer"},
    version=_TEXT,
    pictures=_list(
        _object(
            ("status", "looks", "problems", "seconds"),
            status={"type": "integer", "description": "200, or that of the first problem."},
            looks=_list(_LOOK),
            problems=_list(_PROBLEM),
            seconds=_NUMBER,
        )
    ),
    seconds=_NUMBER,
)

_HEALTH = _object(
    ("status", "api", "version", "uptime_seconds", "queue", "limits", "stages"),
    status={"enum": ["ok", "not ready"]},
    api={"type": "integer"},
    version=_TEXT,
    uptime_seconds=_NUMBER,
    queue=_object(
        (),
        requests={"type": "integer", "description": "Under way."},
        looking={"type": "integer", "description": "Pictures that are looked at now."},
        waiting={"type": "integer", "description": "Pictures that wait for their turn."},
    ),
    limits={"type": "object"},
    stages=_list(
        _object(
            ("name", "id", "ready"),
            name=_TEXT,
            id=_TEXT,
            ready={"type": "boolean"},
            told={"type": "string", "description": "Why it is not ready."},
            uses_preview={"type": "boolean"},
            uses_context={"type": "boolean"},
        )
    ),
)
_ERROR = _object(
    ("api", "error"), api={"type": "integer"}, error=_object((), slug=_TEXT, told=_TEXT)
)


def _said(about: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": about, "content": {"application/json": {"schema": schema}}}


TAG_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _said("At least one picture was looked at.", _TAGGED),
    400: _said("The request makes no sense.", _ERROR),
    401: _said("The token is missing or wrong.", _ERROR),
    404: _said("A stage is not offered.", _ERROR),
    408: _said("The request did not arrive in time.", _ERROR),
    413: _said("The request is too large, or holds too many pictures.", _ERROR),
    415: _said("The request is not application/json.", _ERROR),
    421: _said("The server was called by a name that is not its own.", _ERROR),
    422: _said("No picture could be decoded.", _TAGGED),
    429: _said("Too many requests or pictures; come back after Retry-After seconds.", _ERROR),
    500: _said("The stages failed on every picture.", _TAGGED),
    503: _said("A stage cannot run.", _TAGGED),
    504: _said("A look took too long.", _TAGGED),
}

HEALTH_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _said("The server is there.", _HEALTH),
    401: TAG_RESPONSES[401],
    421: TAG_RESPONSES[421],
}
