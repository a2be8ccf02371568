"""The keys of a profile: what each may hold, and how one value is read and checked.

`KEYS` is the only list of what a profile can say. Parsing, checks, `URBEXMP_*` names, flags,
`profile show` and the reference page all come from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from urbexmp.rules.profile_background import BACKGROUND_KEYS
from urbexmp.rules.profile_key import ENV_PREFIX, Key, Scalar

STAGES = (
    "camera",
    "pixels",
    "place",
    "ocr",
    "siglip",
    "florence",
    "ram",
    "vlm",
    "google_vision",
    "remote",
)
"""Names of the stages that a profile may list."""

KEYS: tuple[Key, ...] = (
    Key("stages", "names", "Stages that look at each photo, in this order.", flag="--stages"),
    Key("optional", "names", "Stages among them that are left out where they cannot run."),
    Key(
        "without",
        "text",
        "Where another stage cannot run: stop and name what is missing, or skip the stage.",
        choices=("stop", "skip"),
    ),
    Key(
        "taxonomy",
        "text",
        "The vocabulary: a shipped taxonomy by name, or the path of a TOML file.",
        flag="--taxonomy",
    ),
    Key(
        "threshold",
        "number",
        "Least confidence of a keyword that is written, where the term names none.",
        low=0,
        high=1,
        flag="--threshold",
    ),
    Key(
        "ask_from",
        "number",
        "Suggestions from here up to the threshold wait for you to decide.",
        low=0,
        high=1,
        flag="--ask-from",
    ),
    Key(
        "thresholds",
        "numbers by stage",
        "A threshold for single stages, in place of the general one.",
        low=0,
        high=1,
    ),
    Key(
        "max_keywords",
        "whole",
        "Most keywords suggested for one photo; the most confident stay.",
        low=1,
        high=500,
        flag="--max-keywords",
    ),
    Key(
        "flat",
        "text",
        "What dc:subject gets for a path; leaf+ancestors is Lightroom's own way.",
        choices=("leaf+ancestors", "leaf", "none"),
        flag="--flat",
    ),
    Key(
        "retract",
        "switch",
        "Take a keyword of ours away again when the stages no longer suggest it.",
        flag="--retract/--no-retract",
    ),
    Key(
        "missing",
        "text",
        "Keywords of ours that went away without anyone deciding so.",
        choices=("restore-once", "ask", "never"),
    ),
    Key(
        "sidecar_name",
        "text",
        "Name of a new sidecar of a raw file: lightroom is IMG.xmp, darktable is IMG.CR3.xmp.",
        choices=("lightroom", "darktable"),
    ),
    Key(
        "embed",
        "text",
        "Write into JPEG, TIFF and DNG files too, where Lightroom reads keywords, or never.",
        choices=("auto", "never"),
        flag="--embed",
    ),
    Key(
        "pairs",
        "text",
        "Of a RAW+JPEG pair, write the raw's sidecar only, or the JPEG too.",
        choices=("raw", "both"),
        flag="--pairs",
    ),
    Key(
        "break_c2pa",
        "switch",
        "Write into files with Content Credentials; any write makes these invalid.",
    ),
    Key(
        "adopt_iptc",
        "switch",
        "Where IPTC keywords are newer than the packet beside them, take them over.",
    ),
    Key(
        "backup",
        "text",
        "Kept of an image file before a write: its packet, which undo needs, or the full file too.",
        choices=("packet", "full"),
    ),
    Key(
        "write_description",
        "text",
        "Write a stage's description (dc:description) where there is none, or still ours.",
        choices=("never", "empty-or-ours"),
        flag="--write-description",
    ),
    Key(
        "write_alt_text",
        "text",
        "Write a stage's alternative text, for people who cannot see the photo, in the same way.",
        choices=("never", "empty-or-ours"),
        flag="--write-alt-text",
    ),
    Key("metadata_date", "switch", "Set xmp:MetadataDate on a write, where the packet has one."),
    Key(
        "quiet_seconds",
        "number",
        "Leave alone what another program wrote less than so many seconds ago.",
        low=0,
        high=86400,
    ),
    Key(
        "catalog",
        "text",
        "Path of your Lightroom catalog (.lrcat); you are warned while Lightroom has it open.",
        flag="--catalog",
    ),
    Key("recursive", "switch", "Look into folders below.", flag="--recursive/--no-recursive"),
    Key("ignore", "names", "Patterns of names to leave out, such as *_old; beside the built-in."),
    Key(
        "workers",
        "whole",
        "Threads that look at photos; 0 is one for each core.",
        low=0,
        high=256,
        flag="--workers",
    ),
    *BACKGROUND_KEYS,
)

MODEL_KEY = f"{ENV_PREFIX}VLM_KEY_"
"""Variables that hold keys of single models (`rules.vlm_roles`)."""

BY_NAME = {key.name: key for key in KEYS}
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def parse_value(name: str, text: str) -> tuple[tuple[str, ...], Any]:
    """Read the value of one key from text, as `profile set` and `--set` do.

    Returns the key's path in the file and its value as TOML knows it. Raises `ValueError` with
    a sentence.
    """
    keys = tuple(name.split("."))
    if keys[0] == "stage" and len(keys) == 3:
        _known_stage(keys[1])
        return keys, scalar(text)
    if len(keys) == 2 and keys[0] == "thresholds":
        _known_stage(keys[1])
        return keys, _number(BY_NAME["thresholds"], text)
    if len(keys) != 1 or keys[0] not in BY_NAME:
        raise ValueError(no_such(name, [*BY_NAME, "stage"]))
    value = from_text(BY_NAME[name], text)
    return keys, list(value) if isinstance(value, tuple) else value


def reference() -> Iterator[tuple[Key, str]]:
    """Each key with its default as TOML text, for the reference page."""
    for key in KEYS:
        yield key, as_toml(key.default)


def as_toml(value: object) -> str:
    """The value of a key as it would stand in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {as_toml(v)}" for name, v in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def env_mistakes(environ: Mapping[str, str], known: Sequence[str]) -> tuple[str, ...]:
    """Variables that look like ours and mean nothing, one sentence each.

    They are no error (another version may know them), but `doctor` tells of them. `known` are
    variables beside those of the keys.
    """
    names = [*known, *(key.env for key in KEYS)]
    return tuple(
        f"{variable}: {no_such(variable, names, 'variable')}"
        for variable in sorted(environ)
        if variable.startswith(ENV_PREFIX)
        and variable not in names
        and not stage_variable(variable)
        and not variable.startswith(MODEL_KEY)
    )


# --- Single values ----------------------------------------------------------------------------


def shown(value: object) -> str:
    """A value as a message shows it."""
    if isinstance(value, str | bool | int | float):
        return as_toml(value)
    return "a table" if isinstance(value, Mapping) else "a list" if value else repr(value)


def no_such(name: str, known: Sequence[str], what: str = "key") -> str:
    """Say that a name is not known, and which one was perhaps meant."""
    import difflib

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"no such {what}" + (f"; did you mean {near[0]}?" if near else "")


def _known_stage(name: str) -> None:
    if name not in STAGES:
        raise ValueError(f"{name!r}: {no_such(name, STAGES, 'stage')}")


def typed(key: Key, value: object) -> Any:
    """A value as TOML or click gives it, checked."""
    match key.kind:
        case "text" if isinstance(value, str):
            return _chosen(key, value)
        case "switch" if isinstance(value, bool):
            return value
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return _in_range(key, float(value))
        case "whole" if isinstance(value, int) and not isinstance(value, bool):
            return int(_in_range(key, value))
        case "names" if isinstance(value, list | tuple):
            return _names(key, value)
    raise ValueError(f"{shown(value)} is not {key.allowed}")


def from_text(key: Key, text: str) -> Any:
    """A value from the environment, or from a flag that takes text."""
    match key.kind:
        case "text":
            return _chosen(key, text)
        case "switch":
            if text.lower() in (*_TRUE, *_FALSE):
                return text.lower() in _TRUE
            raise ValueError(f"{text!r} is not {key.allowed}")
        case "names":
            return _names(key, [part.strip() for part in text.split(",") if part.strip()])
        case "numbers by stage":
            raise ValueError(f"set it for one stage, as {key.name}.{STAGES[0]}")
    return _number(key, text)


def _number(key: Key, text: str) -> Any:
    try:
        return _in_range(key, int(text) if key.kind == "whole" else float(text))
    except ValueError as failure:
        raise ValueError(f"{text!r} is not {key.allowed}") from failure


def _in_range(key: Key, number: float) -> Any:
    if not key.low <= number <= key.high:  # also catches NaN
        raise ValueError(f"{number:g} is not {key.allowed}")
    return number


def _chosen(key: Key, text: str) -> str:
    if key.choices and text not in key.choices:
        import difflib

        near = difflib.get_close_matches(text, key.choices, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"{as_toml(text)} is not {key.allowed}{hint}")
    if key.check is not None:
        key.check(text)
    return text


def _names(key: Key, items: Sequence[object]) -> tuple[str, ...]:
    for item in items:
        if not isinstance(item, str) or not item:
            raise ValueError(f"{shown(item)} is not a name")
        if key.name in ("stages", "optional"):
            _known_stage(item)
    names = tuple(str(item) for item in items)
    if key.name == "stages":
        if not names:
            raise ValueError("at least one stage is needed")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands there twice")
    return names


def stage_threshold(stage: str, value: object) -> float:
    """A threshold of one stage, checked. Raises `ValueError`."""
    _known_stage(stage)
    key = BY_NAME["thresholds"]
    number = Key(key.name, "number", key.help, low=key.low, high=key.high)
    if isinstance(value, str):
        return float(_number(number, value))
    return float(typed(number, value))


def plain_scalar(value: object) -> Scalar:
    """One setting of a stage as TOML gives it. Raises `ValueError`."""
    if isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"{shown(value)} is not text, a number, true or false")


def scalar(text: str) -> Scalar:
    """One setting of a stage from text: true, false, a number, else the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if re.fullmatch(r"[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?", text):
        return float(text)
    return text


def stage_variable(variable: str) -> tuple[str, str, str] | None:
    """`URBEXMP_STAGE_PIXELS_SIZE` is setting `size` of stage `pixels`."""
    for stage in STAGES:
        prefix = f"{ENV_PREFIX}STAGE_{stage.upper()}_"
        if variable.startswith(prefix) and len(variable) > len(prefix):
            return "stage", stage, variable[len(prefix) :].lower()
    return None
