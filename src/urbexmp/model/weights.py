"""Model weights: which files a model is made of, and the port that finds them on this machine."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of a model."""

    name: str
    """Path inside the repository, with `/`."""
    size: int
    """Bytes."""
    sha256: str
    """64 hex digits; "" where the registry does not know it yet, and then nothing loads it."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the registry (`models.toml`), pinned to one version of its files."""

    id: str
    """What a profile names: `siglip2-base-224`."""
    role: str
    """`view`, `tagger`, `caption`, `ocr`, `vlm`."""
    stage: str
    """Name of the stage that loads it."""
    repository: str
    """`organisation/name` on the hub; "" for a model that a server or a package brings."""
    revision: str
    """Commit, 40 hex digits."""
    licence: str
    files: tuple[WeightFile, ...] = ()
    about: str = ""
    settings: Mapping[str, str | float | int | bool] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """What the stage must know beside the files: size of the picture, scale and bias."""
    server: str = ""
    """Address of the server that has the model; "" for the one that the profile names."""
    model: str = ""
    """Its name there; "" for a model whose files are loaded here."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def pinned(self) -> bool:
        """Whether every byte of the model is fixed: a commit, and a hash of each file.

        A model without a repository has no commit: somebody made its files on this machine.
        """
        fixed = not self.repository or _COMMIT.fullmatch(self.revision)
        return bool(fixed and self.files and all(file.sha256 for file in self.files))

    @property
    def digest(self) -> str:
        """Hex digest of all that an answer can depend on: part of the stage's id."""
        plain = (
            self.repository,
            self.revision,
            sorted((file.name, file.sha256) for file in self.files),
            dict(self.settings),
        )
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]

    def __reduce__(self) -> tuple[Any, ...]:
        """For a worker in a process of its own: a read-only mapping cannot be sent as it is."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return _entry, (values | {"settings": dict(self.settings)},)


def _entry(values: Mapping[str, Any]) -> ModelEntry:
    return ModelEntry(**{**values, "settings": MappingProxyType(values["settings"])})


class Weights(Protocol):
    """The weights on this machine. Never downloads: that is `urbexmp models pull`."""

    def entry(self, model: str) -> ModelEntry:
        """The registry's entry. Cheap: no weight file is opened. Raises `ConfigProblem`."""
        ...

    def missing(self, model: str) -> tuple[WeightFile, ...]:
        """Files of the model that are not here. Cheap: by name and size."""
        ...

    def folder(self, model: str) -> Path:
        """A folder that holds every file of the model by its name, each checked against its hash.

        A file is hashed once, and remembered by size and mtime. Raises `WeightsMissing`,
        `WeightsDamaged`, `ConfigProblem`.
        """
        ...


class Transfer(Protocol):
    """Told how bringing weights goes. May be called from several threads at once."""

    def begin(self, model: str, size: int, here: int) -> None:
        """A model of `size` bytes, of which `here` arrived before (0: its size is not known)."""
        ...

    def moved(self, size: int) -> None:
        """So many bytes more; negative when some must be brought again."""
        ...

    def checking(self, file: str) -> None:
        """A file is complete, and is now hashed."""
        ...

    def end(self, model: str) -> None:
        """The model is here, and checked."""
        ...
