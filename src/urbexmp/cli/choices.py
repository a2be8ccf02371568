"""What the shared options of a command line say. Nothing heavy is imported: a query starts here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple


class Choices(NamedTuple):
    """What the shared options of one command line say.

    A tuple, because making a dataclass imports and compiles what takes a tenth of a query.
    """

    profile: str | None = None
    state: Path | None = None
    quiet: bool = False
    verbose: bool = False
    color: bool | None = None
    """False: never; None: as the terminal can."""
    json: bool = False
    flags: Mapping[str, object] = MappingProxyType({})
