"""The user's own folders: where profiles live, and where the state of all libraries does."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "URBEXMP_CONFIG"
STATE_VARIABLE = "URBEXMP_STATE"


def config_folder(environ: Mapping[str, str]) -> Path:
    """Folder of the user's own settings; `URBEXMP_CONFIG` names another."""
    if given := environ.get(CONFIG_VARIABLE):
        return Path(given)
    if sys.platform == "linux":
        # As platformdirs finds it, whose import costs a tenth of a short command.
        base = environ.get("XDG_CONFIG_HOME", "").strip() or "~/.config"
        return Path(base).expanduser() / "urbexmp"
    import platformdirs

    return platformdirs.user_config_path("urbexmp", appauthor=False)


def profiles_folder(environ: Mapping[str, str]) -> Path:
    """Folder of the user's own profiles."""
    return config_folder(environ) / "profiles"


def state_folder(environ: Mapping[str, str]) -> Path:
    """Folder of the state of all libraries; `URBEXMP_STATE` names another."""
    if given := environ.get(STATE_VARIABLE):
        return Path(given)
    if sys.platform == "linux":
        # What platformdirs says there, without the time that importing it takes: a query asks.
        base = environ.get("XDG_STATE_HOME", "").strip()
        return Path(base or Path("~/.local/state").expanduser()) / "urbexmp"
    import platformdirs

    return platformdirs.user_state_path("urbexmp", appauthor=False)


def _sha256(data: bytes) -> str:
    """As hashlib has it, from the part of it that does without OpenSSL where there is one: that
    is imported three milliseconds sooner, a twentieth of a whole query."""
    try:
        module = importlib.import_module("_sha2" if sys.version_info >= (3, 12) else "_sha256")
    except ImportError:
        module = importlib.import_module("hashlib")
    return str(module.sha256(data).hexdigest())


def library_state(root: Path, base: Path) -> Path:
    """Folder of one library's state below that of all: named after its root."""
    digest = _sha256(os.fsencode(root))[:10]
    name = "".join(char if char.isalnum() or char in "-_." else "_" for char in root.name)
    return base / f"{name or 'root'}-{digest}"


def state_file(path: Path, base: Path, name: str) -> tuple[Path, Path]:
    """The root of the library that `path` belongs to, and a file of its state.

    The nearest folder at or above `path` that has a ledger or the file itself, whether it is there
    now or its volume went away; else the folder.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100  (keeps a symlinked library's own name)
    folder = path if path.is_dir() else path.parent
    for candidate in (path, *path.parents):
        state = library_state(candidate, base)
        if (state / name).exists() or (state / "ledger.sqlite3").exists():
            return candidate, state / name
    return folder, library_state(folder, base) / name
