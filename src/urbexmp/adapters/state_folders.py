"""The state folders of all libraries: found, moved aside, deleted. Photos are never touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from urbexmp.adapters.dirs import library_state
from urbexmp.model.errors import StateUnwritable

ASIDE = "forgotten"
"""Folder beside the libraries' own, for those that were given up."""


def state_folders(base: Path) -> Iterator[Path]:
    """Folders that hold the state of a library, by name. Raises `StateUnwritable`."""
    try:
        found = sorted(base.iterdir()) if base.is_dir() else []
    except OSError as failure:
        raise _trouble(base, failure) from failure
    for folder in found:
        if (folder / "ledger.sqlite3").is_file() or (folder / "mirror.sqlite3").is_file():
            yield folder


def root_of(folder: Path, places: Iterable[Path]) -> Path | None:
    """The root whose state lies in `folder`, at or above one of `places`.

    The folder's name is a digest of the root, so what is found is certain.
    """
    for place in places:
        for candidate in (place, *place.parents):
            if library_state(candidate, folder.parent).name == folder.name:
                return candidate
    return None


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(
        (Path(place) / name).lstat().st_size
        for place, _, names in os.walk(folder)
        for name in names
    )


def set_aside(folder: Path, stamp: str) -> Path:
    """Move a state folder out of the way, whole; return where it is. Raises `StateUnwritable`."""
    place = folder.parent / ASIDE / f"{folder.name}-{stamp}"
    number = 1
    while place.exists():
        number += 1
        place = place.with_name(f"{folder.name}-{stamp}-{number}")
    try:
        place.parent.mkdir(exist_ok=True)
        folder.rename(place)
    except OSError as failure:
        raise _trouble(folder, failure) from failure
    return place


def delete(folder: Path) -> None:
    """Delete what was moved aside. Raises `StateUnwritable`; what it could not delete is left."""
    try:
        shutil.rmtree(folder)
    except OSError as failure:
        raise _trouble(folder, failure) from failure


def _trouble(path: Path, failure: OSError) -> StateUnwritable:
    return StateUnwritable(path, detail=failure.strerror or str(failure))
