"""Frozen values as plain JSON data and back: plans, intents and receipts are kept this way.

Driven by the type hints, so a new field needs no code here. Paths are kept as POSIX text,
keywords as `A|B|C`, sets as sorted lists.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from urbexmp.model.keyword import SEPARATOR, Keyword

T = TypeVar("T")


_ATOMS = frozenset({str, int, float, bool, type(None)})

_NO_DEFAULT = object()


def to_plain(value: Any, *, slim: bool = False) -> Any:
    """Return `value` as dicts, lists, strings, numbers, booleans and None.

    `slim` leaves out the fields that hold their default: for what is kept by the thousand.
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    return (_WAYS.get(kind) or _way(kind))(value, slim)


_Way = Callable[[Any, bool], Any]
"""How values of one type are made plain; the flag is `slim`."""


def _keyword(value: Any, _slim: bool) -> Any:
    return SEPARATOR.join(value.path)


def _list(value: Any, slim: bool) -> Any:
    return [
        inner
        if type(inner) in _ATOMS
        else (_WAYS.get(type(inner)) or _way(type(inner)))(inner, slim)
        for inner in value
    ]


def _set(value: Any, slim: bool) -> Any:
    return sorted(_list(value, slim))


def _mapping(value: Any, slim: bool) -> Any:
    return {str(key): to_plain(inner, slim=slim) for key, inner in value.items()}


def _as_it_is(value: Any, _slim: bool) -> Any:
    return value


_WAYS: dict[type[Any], _Way] = {Keyword: _keyword, tuple: _list, list: _list, frozenset: _set}


def _way(kind: type[Any]) -> _Way:
    """How values of a type are made plain, found out once."""
    way: _Way
    if dataclasses.is_dataclass(kind):
        way = _of_fields(kind)
    elif issubclass(kind, Enum):
        way = _value_of
    elif issubclass(kind, Path):
        way = _posix
    elif issubclass(kind, Mapping):
        way = _mapping
    elif issubclass(kind, frozenset | set):
        way = _set
    else:
        way = _as_it_is
    _WAYS[kind] = way
    return way


def _value_of(value: Any, _slim: bool) -> Any:
    return value.value


def _posix(value: Any, _slim: bool) -> Any:
    return value.as_posix()


def _of_fields(kind: type[Any]) -> _Way:
    """The way of a dataclass: by the names and defaults of its fields."""
    plan: list[tuple[str, object]] = []
    for field in dataclasses.fields(kind):
        default: object = _NO_DEFAULT
        if field.default is not dataclasses.MISSING:
            default = field.default
        elif field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if field.init:
            plan.append((field.name, default))
    ways, atoms = _WAYS, _ATOMS

    def of_fields(value: Any, slim: bool) -> Any:
        plain = {}
        for name, default in plan:
            inner = getattr(value, name)
            if slim and (inner is default or inner == default):
                continue
            inner_kind = type(inner)
            if inner_kind not in atoms:
                inner = (ways.get(inner_kind) or _way(inner_kind))(inner, slim)
            plain[name] = inner
        return plain

    return of_fields


def from_plain(kind: type[T], plain: Any) -> T:
    """Build a value of type `kind` from what `to_plain` gave.

    Fields that are missing take their default; unknown ones raise, because data that we do not
    understand must not be acted on. Raises `ValueError`, `TypeError` or `KeyError`.
    """
    return typing.cast(T, _builder(typing.cast(Any, kind))(plain))


_Build = Callable[[Any], Any]
"""Builds values of one type from plain data."""


@functools.cache
def _builder(kind: Any) -> _Build:
    """How values of a type are built, found out once: type hints are slow to ask."""
    if isinstance(kind, typing.NewType):
        return _builder(kind.__supertype__)
    origin = typing.get_origin(kind)
    args = typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _union_of(tuple(_builder(arg) for arg in args if arg is not type(None)))
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return _tuple_of(_builder(args[0]))
        return _tuple_like(tuple(_builder(arg) for arg in args))
    if origin in (frozenset, set):
        item = _builder(args[0])
        return lambda plain: frozenset([item(inner) for inner in plain])
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_of(_builder(args[1]))
    return _builder_of_plain_kind(kind)


def _builder_of_plain_kind(kind: Any) -> _Build:
    if kind is Keyword:
        return Keyword.parse
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if isinstance(kind, type) and issubclass(kind, Path):
        return Path
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass_of(kind)
    if kind in (str, int, float, bool):
        return _atom_of(kind)
    return lambda plain: plain


def _atom_of(kind: type) -> _Build:
    def atom(plain: Any) -> Any:
        if isinstance(plain, kind):
            return plain
        if kind is float and isinstance(plain, int):
            return float(plain)
        raise TypeError(f"expected {kind.__name__}, found {type(plain).__name__}")

    if kind is not float:
        return atom

    def number(plain: Any) -> Any:
        # A yes or no is an int for Python, and no number.
        if isinstance(plain, bool):
            raise TypeError("expected float, found bool")
        return atom(plain)

    return number


def _tuple_of(item: _Build) -> _Build:
    def built(plain: Any) -> Any:
        return tuple([item(inner) for inner in _listed(plain)])

    return built


def _tuple_like(items: tuple[_Build, ...]) -> _Build:
    def built(plain: Any) -> Any:
        if len(items) != len(_listed(plain)):
            raise ValueError(f"expected {len(items)} items, found {len(plain)}")
        return tuple([item(inner) for item, inner in zip(items, plain, strict=True)])

    return built


def _mapping_of(value: _Build) -> _Build:
    def built(plain: Any) -> Any:
        return MappingProxyType({key: value(inner) for key, inner in plain.items()})

    return built


def _listed(plain: Any) -> list[Any]:
    if not isinstance(plain, list):
        raise TypeError(f"expected a list, found {type(plain).__name__}")
    return plain


def _dataclass_of(kind: type) -> _Build:
    builders: dict[str, _Build] | None = None

    def built(plain: Any) -> Any:
        nonlocal builders
        if builders is None:  # asked late: a type may hold itself
            hints = typing.get_type_hints(kind)
            builders = {name: _builder(hint) for name, hint in hints.items()}
        if not isinstance(plain, dict):
            raise TypeError(f"expected an object, found {type(plain).__name__}")
        if not builders.keys() >= plain.keys():
            unknown = ", ".join(sorted(set(plain) - set(builders)))
            raise ValueError(f"unknown fields of {kind.__name__}: {unknown}")
        return kind(**{name: builders[name](inner) for name, inner in plain.items()})

    return built


def _union_of(builders: tuple[_Build, ...]) -> _Build:
    def built(plain: Any) -> Any:
        if plain is None:
            return None
        failures: list[Exception] = []
        for builder in builders:
            try:
                return builder(plain)
            except (TypeError, ValueError, AttributeError) as failure:
                failures.append(failure)
        raise failures[0]

    return built
