"""The user's own settings: the folder where profiles live."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "URBEXMP_CONFIG"


def config_folder(environ: Mapping[str, str]) -> Path:
    """Folder of the user's own settings; `URBEXMP_CONFIG` names another."""
    if given := environ.get(CONFIG_VARIABLE):
        return Path(given)
    import platformdirs

    return platformdirs.user_config_path("urbexmp", appauthor=False)


def profiles_folder(environ: Mapping[str, str]) -> Path:
    """Folder of the user's own profiles."""
    return config_folder(environ) / "profiles"
