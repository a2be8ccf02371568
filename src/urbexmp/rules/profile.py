"""Profiles: how file, environment and flags become one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from urbexmp.model.errors import ConfigProblem
from urbexmp.model.profile import Profile, Settings
from urbexmp.rules.profile_key import ENV_PREFIX, Key, Scalar
from urbexmp.rules.profile_keys import (
    BY_NAME,
    KEYS,
    STAGES,
    from_text,
    no_such,
    parse_value,
    plain_scalar,
    scalar,
    shown,
    stage_threshold,
    stage_variable,
    typed,
)


def load_settings(
    values: Mapping[str, Any],
    line_of: Callable[..., int],
    subject: object,
    environ: Mapping[str, str],
    flags: Mapping[str, object],
) -> Settings:
    """Make one frozen value of a profile file, the environment and flags.

    `values` and `line_of` are the parsed file, `subject` its path (the profile is named after
    it). `flags` maps key names (`threshold`, `thresholds.pixels`, `stage.pixels.size`) to
    values or their text; None says nothing. Flags go before the environment, that before the
    file, that before the defaults. Raises `ConfigProblem` with every mistake of all three.
    """
    gathered = _Gathered()
    file = PurePath(str(subject))
    if not all(char.isalnum() or char in "._- " for char in file.stem):
        gathered.mistakes.append(
            f"a profile is named after its file, and {file.stem!r} may hold only letters,"
            " digits, blanks and . _ -"
        )
    _from_file(gathered, values, line_of, file.name)
    mistakes_of_file = len(gathered.mistakes)
    _from_environment(gathered, environ)
    for name, value in flags.items():
        if value is not None:
            _from_flag(gathered, name, value)
    if not gathered.mistakes:
        _check_together(gathered)
    if gathered.mistakes:
        where = subject if mistakes_of_file else "settings"
        raise ConfigProblem(where, tuple(gathered.mistakes))
    return gathered.settings(file.stem or Profile().name)


class _Gathered:
    """Values and their origins, later ones over earlier ones, and the mistakes met."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {key.name: key.default for key in KEYS}
        self.values["thresholds"] = {}
        self.stages: dict[str, dict[str, Scalar]] = {}
        self.origins: dict[str, str] = {key.name: "default" for key in KEYS}
        self.mistakes: list[str] = []

    def put(self, origin: str, where: str, keys: tuple[str, ...], read: Callable[[], Any]) -> None:
        """Take the value that `read` gives, or note the mistake it raises."""
        try:
            value = read()
        except ValueError as mistake:
            self.mistakes.append(f"{where}: {mistake}")
            return
        self.origins[".".join(keys)] = origin
        if keys[0] == "stage":
            self.stages.setdefault(keys[1], {})[keys[2]] = value
        elif len(keys) == 2:
            self.values["thresholds"][keys[1]] = value
        else:
            self.values[keys[0]] = value

    def settings(self, name: str) -> Settings:
        """All of it, frozen."""
        values = dict(self.values)
        values["thresholds"] = MappingProxyType(dict(sorted(values["thresholds"].items())))
        if values["thresholds"]:
            del self.origins["thresholds"]
        frozen = {stage: MappingProxyType(inner) for stage, inner in sorted(self.stages.items())}
        profile = Profile(name=name, stage_settings=MappingProxyType(frozen), **values)
        return Settings(profile, MappingProxyType(dict(self.origins)))


def _from_file(
    gathered: _Gathered, values: Mapping[str, Any], line_of: Callable[..., int], file: str
) -> None:
    for keys, read in _readers(values):
        line = line_of(*keys)
        gathered.put(f"profile {file}:{line}", f"line {line}: {'.'.join(keys)}", keys, read)


_Reader = tuple[tuple[str, ...], Callable[[], Any]]


def _readers(values: Mapping[str, Any]) -> Iterator[_Reader]:
    """Each key of a file, and how its value is read."""
    for name, value in values.items():
        if name in ("stage", "thresholds"):
            if isinstance(value, Mapping):
                yield from _stage_readers(name, value)
            else:
                yield (name,), partial(_fail, f"{shown(value)} is not a table")
        elif name in BY_NAME:
            yield (name,), partial(typed, BY_NAME[name], value)
        else:
            yield (name,), partial(_fail, no_such(name, [*BY_NAME, "stage"]))


def _stage_readers(name: str, table: Mapping[str, Any]) -> Iterator[_Reader]:
    """Keys of `[thresholds]` and `[stage.NAME]`."""
    for stage, inner in table.items():
        if stage not in STAGES:
            yield (name, stage), partial(_fail, no_such(stage, STAGES, "stage"))
        elif name == "thresholds":
            yield (name, stage), partial(stage_threshold, stage, inner)
        elif not isinstance(inner, Mapping):
            yield (name, stage), partial(_fail, f"{shown(inner)} is not a table")
        else:
            for setting, value in inner.items():
                yield (name, stage, setting), partial(plain_scalar, value)


def _fail(sentence: str) -> Any:
    raise ValueError(sentence)


def _from_environment(gathered: _Gathered, environ: Mapping[str, str]) -> None:
    for variable in sorted(name for name in environ if name.startswith(ENV_PREFIX)):
        text = environ[variable]
        origin = f"environment {variable}"
        key = BY_NAME.get(variable.removeprefix(ENV_PREFIX).lower())
        if key and key.env == variable:
            _from_words(gathered, origin, variable, key, text)
        elif keys := stage_variable(variable):
            gathered.put(origin, variable, keys, partial(scalar, text))


def _from_flag(gathered: _Gathered, name: str, value: object) -> None:
    key = BY_NAME.get(name)
    where = key.flag_name.split("/")[0] if key else f"--set {name}"
    origin = f"flag {where}"
    if key is None:
        try:
            keys, parsed = parse_value(name, str(value))
        except ValueError as mistake:
            gathered.mistakes.append(f"{where}: {mistake}")
        else:
            gathered.put(origin, where, keys, lambda: parsed)
    elif isinstance(value, str):
        _from_words(gathered, origin, where, key, value)
    else:
        gathered.put(origin, where, (name,), partial(typed, key, value))


def _from_words(gathered: _Gathered, origin: str, where: str, key: Key, text: str) -> None:
    """A value given as text; `pixels=0.6,place=0.7` for numbers by stage."""
    if key.kind != "numbers by stage":
        gathered.put(origin, where, (key.name,), partial(from_text, key, text))
        return
    for item in filter(None, (part.strip() for part in text.split(","))):
        stage, equals, number = (part.strip() for part in item.partition("="))
        if equals:
            gathered.put(origin, where, (key.name, stage), partial(stage_threshold, stage, number))
        else:
            gathered.mistakes.append(f"{where}: {item!r} is not STAGE=NUMBER")


def _check_together(gathered: _Gathered) -> None:
    """Mistakes that show only when keys are seen side by side.

    A lower threshold given for one run must not trip over the file's `ask_from`: then there is
    just nothing to ask. Only who sets `ask_from` itself, or both in one place, is told.
    """
    rank = {"default": 0, "profile": 1, "environment": 2, "flag": 3}

    def place(name: str) -> int:
        return rank[gathered.origins[name].split(" ")[0]]

    asks, writes = gathered.values["ask_from"], gathered.values["threshold"]
    if asks > writes and place("ask_from") and place("ask_from") >= place("threshold"):
        gathered.mistakes.append(
            f"ask_from: {asks:g} ({gathered.origins['ask_from']}) is above threshold {writes:g}"
            f" ({gathered.origins['threshold']}); it must be at most the threshold"
        )
    settle, longest = gathered.values["settle_seconds"], gathered.values["settle_longest_seconds"]
    if settle > longest:
        gathered.mistakes.append(
            f"settle_seconds: {settle:g} ({gathered.origins['settle_seconds']}) is above"
            f" settle_longest_seconds {longest:g} ({gathered.origins['settle_longest_seconds']});"
            " no file would ever be complete"
        )
