"""Files that come with urbexmp: profiles and taxonomies."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import urbexmp
from urbexmp.model.errors import ConfigProblem

ShippedKind = Literal["profiles", "taxonomy"]


def shipped(kind: ShippedKind, name: str) -> Path:
    """Path of a shipped TOML file, by its name without `.toml`.

    Raises `ConfigProblem` when there is none of that name.
    """
    path = _folder(kind) / f"{name}.toml"
    if name in shipped_names(kind):
        return path
    import difflib

    near = difflib.get_close_matches(name, shipped_names(kind), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    word = "profile" if kind == "profiles" else "taxonomy"
    raise ConfigProblem(name, (f"no {word} of that name comes with urbexmp{hint}",))


def shipped_names(kind: ShippedKind) -> tuple[str, ...]:
    """Names of the shipped files of a kind, sorted."""
    names = sorted(path.stem for path in _folder(kind).glob("*.toml"))
    return tuple(name for name in names if (kind, name) != ("profiles", "models"))


def shipped_models() -> Path:
    """Path of the shipped registry of models; it lies beside the profiles and is none."""
    return _folder("profiles") / "models.toml"


def shipped_prompt(name: str) -> Path:
    """Path of a shipped prompt of the stage `vlm`, by its name.

    Raises `ConfigProblem` when there is none of that name.
    """
    folder = _folder("profiles") / "prompts"
    names = sorted(path.stem for path in folder.glob("*.toml"))
    if name in names:
        return folder / f"{name}.toml"
    said = f"no prompt of that name comes with urbexmp; there are {', '.join(names)}"
    raise ConfigProblem(f"prompt {name}", (said,))


def _folder(kind: ShippedKind) -> Path:
    """The folder inside the installed package, else the one at the top of the checkout."""
    package = Path(urbexmp.__file__).parent
    installed = package / "shipped" / kind
    return installed if installed.is_dir() else package.parent.parent / kind
