"""The user's own folders: where profiles live, and where the state of all libraries does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "URBEXMP_CONFIG"
STATE_VARIABLE = "URBEXMP_STATE"


def config_folder(environ: Mapping[str, str]) -> Path:
    """Folder of the user's own settings; `URBEXMP_CONFIG` names another."""
    if given := environ.get(CONFIG_VARIABLE):
        return Path(given)
    import platformdirs

    return platformdirs.user_config_path("urbexmp", appauthor=False)


def profiles_folder(environ: Mapping[str, str]) -> Path:
    """Folder of the user's own profiles."""
    return config_folder(environ) / "profiles"


def state_folder(environ: Mapping[str, str]) -> Path:
    """Folder of the state of all libraries; `URBEXMP_STATE` names another."""
    if given := environ.get(STATE_VARIABLE):
        return Path(given)
    import platformdirs

    return platformdirs.user_state_path("urbexmp", appauthor=False)
