"""What the state folder knows of a library, for who looks at all of them or gives one up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urbexmp.model.report import RunRecord


@dataclass(frozen=True, slots=True)
class KnownLibrary:
    """A library that has state."""

    folder: Path
    """Its state folder."""
    root: Path | None
    """Its photos; None where nothing in the state names them."""
    photos: int = 0
    """Dealt with, and known since."""
    last: RunRecord | None = None
    """The newest run."""
    size: int = 0
    """Bytes of the state."""
    trouble: str = ""
    """Why the ledger cannot be read."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What goes with the state of a library, and stands nowhere else."""

    runs: int = 0
    """That can then not be taken back."""
    vetoes: int = 0
    """Keywords that a person took away or refused, of which no packet tells."""
    held: int = 0
    """Suggestions that wait for a person."""
    unfinished: int = 0
    """Photos in the middle of a write when a run was killed."""
