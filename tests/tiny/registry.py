"""Registry entries for folders of files made by a test, and the weights they lead to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from urbexmp.adapters.weights import LocalWeights
from urbexmp.model.weights import ModelEntry, WeightFile

REVISION = "0123456789abcdef0123456789abcdef01234567"
"""The commit that every tiny model is said to be of."""


def entry_of(
    folder: Path,
    *,
    id: str,  # noqa: A002  (as the registry calls it)
    stage: str,
    role: str = "tagger",
    repository: str = "",
    revision: str = "",
    settings: Mapping[str, str | float | int | bool] | None = None,
) -> ModelEntry:
    """An entry for every file below `folder`, with its true size and hash.

    Without a `repository` it is a model that was made on this machine.
    """
    files = tuple(
        WeightFile(
            path.relative_to(folder).as_posix(),
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    return ModelEntry(
        id,
        role,
        stage,
        repository,
        revision or (REVISION if repository else ""),
        "test",
        files,
        "made by a test",
        MappingProxyType(dict(settings or {})),
    )


def weights_of(folder: Path, *entries: ModelEntry) -> LocalWeights:
    """The weights of models whose files are in `folder`, or, of several, in `folder/ID`.

    One entry's `folder(id)` is `folder` itself: it is found through a link beside it.
    """
    own = folder.with_name(folder.name + "-models")
    own.mkdir(exist_ok=True)
    for entry in entries:
        link = own / entry.id
        if not link.is_symlink():
            inner = folder / entry.id
            link.symlink_to(inner if len(entries) > 1 else folder, target_is_directory=True)
    return LocalWeights({entry.id: entry for entry in entries}, folder / "no-cache", own)
