"""`locations.toml` in the root of a library: what is known of its places, a section a folder.

    ["Mills/2024-05-11 Riverside"]
    name = "Riverside Paper Mill"

A section is named by its folder below the root, with `/`; `"."` is the whole library. It holds for
all below, as a `location.toml` in that folder would, which goes before it.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbexmp.model.errors import ConfigProblem, FileUnreadable, Problem

if TYPE_CHECKING:
    from urbexmp.rules.place import Location

CENTRAL_FILE = "locations.toml"
WHOLE = "."
"""The section of the whole library."""

_NOTHING: Mapping[str, Any] = {}


class CentralPlaces:
    """Reads the file again when it changed. Thread-safe.

    A section with a mistake is left out, and told of once for each version of the file.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[str, tuple[tuple[int, int], Mapping[str, Location]]] = {}
        self._problems: list[Problem] = []

    def sections(self, root: Path) -> Mapping[str, Location]:
        """What the file in `root` says, by section; empty where there is none."""
        file = os.path.join(root, CENTRAL_FILE)  # noqa: PTH118  (one a folder, and Path is slow)
        try:
            found = os.stat(file)  # noqa: PTH116
        except OSError:
            return _NOTHING
        stamp = found.st_mtime_ns, found.st_size
        with self._lock:
            known = self._read.get(file)
            if known is None or known[0] != stamp:
                known = self._read[file] = stamp, self._load(Path(file))
            return known[1]

    def take_problems(self) -> tuple[Problem, ...]:
        """The problems met since the last call, each once."""
        with self._lock:
            taken, self._problems = tuple(self._problems), []
        return taken

    def _load(self, path: Path) -> Mapping[str, Location]:
        try:
            text = path.read_bytes().decode("utf-8-sig")
            sections, mistakes = _sections(text, path)
        except UnicodeDecodeError as failure:
            self._problems.append(_SectionsLeftOut(path, (f"byte {failure.start}: not UTF-8",)))
            return {}
        except OSError as failure:
            detail = failure.strerror or str(failure)
            self._problems.append(FileUnreadable(path, detail=detail))
            return {}
        except ConfigProblem as problem:
            self._problems.append(_SectionsLeftOut(path, problem.mistakes))
            return {}
        if mistakes:
            self._problems.append(_SectionsLeftOut(path, tuple(mistakes)))
        return sections


class _SectionsLeftOut(ConfigProblem):
    """A `locations.toml` of which something cannot be used."""

    what = "{said}"
    done = "Its sections without a mistake are used"
    advice = "Correct it and run the command again"

    def __init__(self, subject: object, mistakes: tuple[str, ...]) -> None:
        super().__init__(subject, mistakes)
        self.fields["said"] = "; ".join(mistakes)


def section_of(below: tuple[str, ...]) -> str:
    """The name of the section of a folder, by its names below the root."""
    name = "/".join(below) or WHOLE
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def read_central(text: str, path: Path) -> Mapping[str, Location]:
    """What the text of a `locations.toml` says, by section.

    Raises `ConfigProblem` with every mistake.
    """
    sections, mistakes = _sections(text, path)
    if mistakes:
        raise ConfigProblem(path, tuple(mistakes))
    return sections


def written_name(text: str, path: Path, below: tuple[str, ...]) -> str:
    """The name of a folder's section as the file spells it, or as it should be spelled."""
    from urbexmp.adapters.toml import parse_toml

    wanted = section_of(below)
    spelled = (name for name in parse_toml(text, path).values if _plain(name) == wanted)
    return next(spelled, wanted)


def _plain(name: str) -> str:
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    return section_of(parts)


def _sections(text: str, path: Path) -> tuple[dict[str, Location], list[str]]:
    from urbexmp.adapters.toml import parse_toml
    from urbexmp.rules.place import read_location

    document = parse_toml(text, path)
    found: dict[str, Location] = {}
    mistakes: list[str] = []
    for name, values in document.values.items():
        line = document.line_of(name)
        if not isinstance(values, dict):
            said = f"`{name}` stands in no section; write the folder above it"
            mistakes.append(f'line {line}: {said}, as ["Mills/Riverside"], or ["."] for all')
            continue
        if _plain(name) in found:
            mistakes.append(f"line {line}: there is a section for {_plain(name)} already")
            continue

        def line_of(*keys: str | int, section: str = name) -> int:
            return document.line_of(section, *keys)

        try:
            found[_plain(name)] = read_location(values, line_of, path)
        except ConfigProblem as problem:
            mistakes += problem.mistakes
    return found, mistakes
