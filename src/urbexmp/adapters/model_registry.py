"""The registry of models on this machine: the shipped one, and the user's own over it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from urbexmp.adapters.dirs import config_folder, state_folder
from urbexmp.adapters.shipped import shipped_models
from urbexmp.adapters.toml import parse_toml, read_toml, set_value
from urbexmp.adapters.weights import LocalWeights, hub_cache
from urbexmp.model.errors import WriteFailed
from urbexmp.model.weights import ModelEntry
from urbexmp.rules.model_list import entry_values, load_models

MODELS_VARIABLE = "URBEXMP_MODELS"
"""Names the user's own registry, in place of `models.toml` in the settings folder."""


@dataclass(frozen=True)
class Registry:
    """Every model that is known here, and which of them the user wrote down."""

    entries: Mapping[str, ModelEntry]
    own: frozenset[str] = field(default_factory=frozenset)


def own_registry(environ: Mapping[str, str]) -> Path:
    """The file of the user's own entries; it need not exist."""
    if given := environ.get(MODELS_VARIABLE):
        return Path(given).expanduser()
    return config_folder(environ) / "models.toml"


def read_registry(environ: Mapping[str, str]) -> Registry:
    """Both registries as one: an own entry takes the place of a shipped one of the same id.

    Raises `ConfigProblem`, `FileUnreadable`.
    """
    entries = dict(_read(shipped_models()))
    path = own_registry(environ)
    if not path.exists() and not environ.get(MODELS_VARIABLE):
        return Registry(entries)
    own = _read(path)
    return Registry(entries | dict(own), frozenset(own))


def _read(path: Path) -> Mapping[str, ModelEntry]:
    document = read_toml(path)
    return load_models(document.values, document.line_of, path)


def own_models(environ: Mapping[str, str], state: Path | None = None) -> Path:
    """Folder of models that were imported or made here. `state` is what `--state` named."""
    return (state or state_folder(environ)) / "models"


def local_weights(environ: Mapping[str, str], state: Path | None = None) -> LocalWeights:
    """The weights on this machine. Raises `ConfigProblem`, `FileUnreadable`."""
    entries = read_registry(environ).entries
    return LocalWeights(dict(entries), hub_cache(environ), own_models(environ, state))


def store_entry(entry: ModelEntry, path: Path) -> None:
    """Write an entry into the user's own registry; the rest of the file stays.

    Raises `WriteFailed`, and `ConfigProblem` when the file, as it is, cannot be read.
    """
    text = ""
    if path.exists():
        _read(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    text = set_value(text, ("model", entry.id), entry_values(entry))
    document = parse_toml(text, path)
    load_models(document.values, document.line_of, path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=path.parent, prefix=".models-", suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(number, "w", encoding="utf-8", newline="") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
        temporary = None
    except OSError as failure:
        raise WriteFailed(path, failure.strerror or str(failure)) from failure
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
