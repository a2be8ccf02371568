"""What servers offered when we last asked: so that a run with nothing to do need not connect.

A small JSON file in the state folder. It may be deleted at any time, and one that cannot be
written or read is no trouble: the server is asked again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

NAME = "servers.json"


class KnownServer:
    """The ids of one server's stages, by stage name."""

    def __init__(self, folder: Path, url: str) -> None:
        self._file = _File(folder)
        self._url = url

    def load(self) -> Mapping[str, str]:
        """What is known; nothing where it was never asked."""
        found = self._file.read().get(self._url)
        if not isinstance(found, dict):
            return {}
        return {str(name): value for name, value in found.items() if isinstance(value, str)}

    def keep(self, ids: Mapping[str, str]) -> None:
        """Remember what the server offers now."""
        self._file.keep(self._url, dict(sorted(ids.items())))


class KnownManners:
    """How one model of one server wants to be asked (`rules.servers.Manners`)."""

    def __init__(self, folder: Path, url: str, model: str, *, anew: bool = False) -> None:
        """`anew`: what is remembered is not used, only replaced."""
        self._file = _File(folder)
        self._anew = anew
        self._name = f"{model} at {url}"

    def load(self) -> object:
        """What is known; None where it was never asked."""
        return None if self._anew else self._file.read().get(self._name)

    def keep(self, plain: Mapping[str, Any]) -> None:
        """Remember it."""
        self._file.keep(self._name, dict(plain))


class _File:
    """All of them, by name."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def keep(self, name: str, value: object) -> None:
        everything = {**self.read(), name: value}
        temp = self._path.with_name(f"{NAME}.{os.getpid()}.tmp")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temp.write_text(json.dumps(everything, indent=1), encoding="utf-8")
            temp.replace(self._path)

    def read(self) -> dict[str, object]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
