"""The registry of models (`models.toml`): read it, and tell every mistake with its line.

    [model.siglip2-base-224]
    role = "view"
    stage = "siglip"
    licence = "Apache-2.0"
    repository = "organisation/name"     # "" for files that were made on this machine
    revision = "..."                     # the commit, 40 hex digits; "" where nobody knows it yet
    files = [ { name = "onnx/x.onnx", size = 123, sha256 = "..." } ]
    settings = { scale = 117.3 }

A model that a server has (`vlm`) has a name there, and perhaps an address, in place of files:

    [model.my-eyes]
    role = "vlm"
    model = "qwen3-vl:32b-instruct"
    server = "http://gpu.local:11434/v1"

Only files that hold numbers or text may be named. A Python pickle (`.pth`) can run anything that
whoever made it wanted, so one may be named only together with its hash.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from urbexmp.model.errors import ConfigProblem
from urbexmp.model.weights import ModelEntry, WeightFile
from urbexmp.rules.vlm_roles import setting_mistakes

SERVER_ROLE = "vlm"
"""Role of models that a server has; nothing of them is loaded here."""

ROLES = ("view", "tagger", "caption", "ocr", "vlm")

KEYS = (
    "role", "stage", "licence", "repository", "revision", "about", "files", "settings",
    "server", "model",
)  # fmt: skip
FILE_KEYS = ("name", "size", "sha256")

_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_REVISION = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"\.(safetensors|onnx|onnx_data(_\d+)?|json|txt|model)\*?$")
_PICKLE = re.compile(r"\.pth$")

Scalar = str | float | int | bool


def load_models(
    values: Mapping[str, Any], line_of: Callable[..., int], subject: object
) -> Mapping[str, ModelEntry]:
    """Make entries of a parsed `models.toml`, by id. Raises `ConfigProblem` with every mistake."""
    reading = _Reading(line_of)
    for key in values:
        if key != "model":
            reading.fault((key,), f"there is no key {key!r} here; models are written [model.ID]")
    tables = values.get("model", {})
    if not isinstance(tables, Mapping):
        reading.fault(("model",), "models are written [model.ID]")
        tables = {}
    entries = {}
    for name, table in tables.items():
        keys = ("model", name)
        if not _ID.fullmatch(name):
            reading.fault(
                keys, f"{name!r} is no id: small letters, digits and . _ - (first no sign)"
            )
        elif not isinstance(table, Mapping):
            reading.fault(keys, f"models are written [model.{name}]")
        else:
            entries[name] = reading.entry(name, table)
    if reading.mistakes:
        raise ConfigProblem(subject, reading.listed())
    return MappingProxyType(entries)


def entry_values(entry: ModelEntry) -> dict[str, Any]:
    """An entry as `load_models` reads it: what is stored below `[model.ID]`."""
    values: dict[str, Any] = {
        "role": entry.role,
        "stage": entry.stage,
        "licence": entry.licence,
        "repository": entry.repository,
        "revision": entry.revision,
    }
    if entry.about:
        values["about"] = entry.about
    if entry.model:
        values |= {"model": entry.model, **({"server": entry.server} if entry.server else {})}
    else:
        values["files"] = [
            {"name": file.name, "size": file.size, "sha256": file.sha256} for file in entry.files
        ]
    if entry.settings:
        values["settings"] = dict(entry.settings)
    return values


def models_of(
    stages: Iterable[str],
    settings: Mapping[str, Mapping[str, Any]],
    entries: Mapping[str, ModelEntry],
    defaults: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Ids of the models that a profile's stages load: the one that `[stage.NAME]` names as its
    `model`, else the stage's own default, else the first that the registry has for the stage;
    and those that have the `lists` of these."""
    first: dict[str, str] = {}
    for name, entry in entries.items():
        if not entry.model:
            first.setdefault(entry.stage, name)
    first |= defaults
    wanted: dict[str, None] = {}
    for stage in stages:
        if stage == SERVER_ROLE:
            continue  # its models are on a server
        model = str(settings.get(stage, {}).get("model") or first.get(stage) or "")
        lists = str(entries[model].settings.get("lists", "")) if model in entries else ""
        wanted |= dict.fromkeys(name for name in (model, lists) if name)
    return tuple(wanted)


def name_fault(name: str, *, hashed: bool) -> str:
    """What is wrong with the name of a weight file; "" when nothing is."""
    parts = name.split("/")
    if not name or "\\" in name or ":" in name or any(p in ("", ".", "..") for p in parts):
        return "must be a path inside the repository, with /"
    if any(ord(char) < 32 or char in '*?"<>|' for char in name.rstrip("*")):
        return "has a sign that no file name should have"
    if "*" in name and hashed:
        return "names one file by its hash, so it cannot end with *"
    if _PICKLE.search(name):
        return "" if hashed else "is a pickle, which may only be named with its sha256"
    if not _PLAIN.search(name):
        return "is none of .safetensors .onnx .onnx_data .json .txt .model (.pth with its sha256)"
    return ""


class _Reading:
    """One reading of one file, and the mistakes met so far."""

    def __init__(self, line_of: Callable[..., int]) -> None:
        self.line_of = line_of
        self.mistakes: list[tuple[int, str]] = []

    def fault(self, keys: tuple[str | int, ...], said: str) -> None:
        self.mistakes.append((self.line_of(*keys), said))

    def listed(self) -> tuple[str, ...]:
        return tuple(f"line {line}: {said}" for line, said in sorted(set(self.mistakes)))

    def entry(self, name: str, table: Mapping[str, Any]) -> ModelEntry:
        keys = ("model", name)
        for key in table:
            if key not in KEYS:
                self.fault((*keys, key), f"{name}: there is no key {key!r}; {_near(key, KEYS)}")
        role = self.text(keys, table, "role", needed=True)
        if role and role not in ROLES:
            self.fault((*keys, "role"), f"{name}: role must be one of {', '.join(ROLES)}")
        served = role == SERVER_ROLE
        model = self.text(keys, table, "model", needed=served)
        server = self.text(keys, table, "server")
        if not served and (model or server):
            self.fault(keys, f"{name}: model and server are for the role {SERVER_ROLE} alone")
        if served and "files" in table:
            self.fault((*keys, "files"), f"{name}: the server has the files, so none stand here")
        repository = self.text(keys, table, "repository")
        if repository and not _REPOSITORY.fullmatch(repository):
            self.fault((*keys, "repository"), f"{name}: repository is written organisation/name")
        revision = self.text(keys, table, "revision")
        if revision and not _REVISION.fullmatch(revision):
            self.fault(
                (*keys, "revision"),
                f"{name}: revision must be a commit of 40 hex digits, as a branch may move",
            )
        settings = self.settings(keys, table.get("settings", {}))
        for said in setting_mistakes(settings) if served else ():
            self.fault((*keys, "settings"), f"{name}: {said}")
        return ModelEntry(
            name,
            role,
            self.text(keys, table, "stage", needed=not served) or role,
            repository,
            revision,
            self.text(keys, table, "licence", needed=not served),
            () if served else self.files(keys, table.get("files", [])),
            self.text(keys, table, "about"),
            MappingProxyType(settings),
            server,
            model,
        )

    def text(
        self, keys: tuple[str, ...], table: Mapping[str, Any], key: str, *, needed: bool = False
    ) -> str:
        value: object = table.get(key, "")
        if not isinstance(value, str):
            self.fault((*keys, key), f"{keys[-1]}: {key} must be text")
            return ""
        if needed and not value:
            self.fault((*keys, key), f"{keys[-1]}: {key} is missing")
        return value

    def files(self, keys: tuple[str, ...], listed: Any) -> tuple[WeightFile, ...]:
        model, at = keys[-1], (*keys, "files")
        if not isinstance(listed, list) or not all(isinstance(f, Mapping) for f in listed):
            self.fault(at, f"{model}: files must be a list of {{ name, size, sha256 }}")
            return ()
        if not listed:
            self.fault(at, f"{model}: files are missing")
        files: dict[str, WeightFile] = {}
        for table in listed:
            file = self.file(model, at, table)
            if file is None:
                continue
            if file.name.casefold() in files:
                self.fault(at, f"{model}: {file.name} is named twice")
            files[file.name.casefold()] = file
        return tuple(files.values())

    def file(self, model: str, at: tuple[str, ...], table: Mapping[str, Any]) -> WeightFile | None:
        before = len(self.mistakes)
        for key in table:
            if key not in FILE_KEYS:
                self.fault(at, f"{model}: a file has no key {key!r}; {_near(key, FILE_KEYS)}")
        name, size, sha256 = (table.get(key, "") for key in FILE_KEYS)
        if not isinstance(name, str) or not name:
            self.fault(at, f"{model}: a file has no name")
            return None
        if not isinstance(sha256, str) or (sha256 and not _SHA256.fullmatch(sha256)):
            self.fault(at, f"{model}: sha256 of {name} must be 64 small hex digits")
        if said := name_fault(name, hashed=bool(sha256)):
            self.fault(at, f"{model}: {name} {said}")
        if size == "":
            size = 0
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            self.fault(at, f"{model}: size of {name} must be a number of bytes")
        elif sha256 and not size:
            self.fault(at, f"{model}: {name} has a sha256 and no size")
        return WeightFile(name, size, sha256) if len(self.mistakes) == before else None

    def settings(self, keys: tuple[str, ...], table: Any) -> dict[str, Scalar]:
        if not isinstance(table, Mapping):
            self.fault((*keys, "settings"), f"{keys[-1]}: settings must be a table")
            return {}
        good = {}
        for key, value in table.items():
            if not isinstance(value, str | float | int | bool) or (
                isinstance(value, float) and not math.isfinite(value)
            ):
                said = f"{keys[-1]}: settings.{key} must be text, a number, true or false"
                self.fault((*keys, "settings", key), said)
            else:
                good[key] = value
        return good


def _near(word: str, known: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
