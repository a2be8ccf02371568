"""Write down what is known of a place: in a folder's own file, or in the library's central one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urbexmp.cli.choices import Choices
    from urbexmp.rules.place import Location

Changes = Mapping[str, str | list[str] | None]
"""Key to its new value; None takes it out."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where something is to be written."""

    file: Path
    below: tuple[str, ...] | None
    """Names of the folder below the root, in the central file; None: the folder's own file."""


def placed(choices: Choices, folder: Path, central: bool | None = None) -> Placed:
    """Where a folder's place stands, or is to stand: `central` says it, else what there is."""
    from urbexmp.adapters.central_places import CENTRAL_FILE, CentralPlaces, section_of
    from urbexmp.adapters.places import LOCATION_FILE
    from urbexmp.app import library_root

    own = folder / LOCATION_FILE
    root = library_root(folder, choices.state)
    below = folder.relative_to(root).parts
    if central is None:
        central = not own.exists() and section_of(below) in CentralPlaces().sections(root)
    return Placed(root / CENTRAL_FILE, below) if central else Placed(own, None)


def write(choices: Choices, folder: Path, where: Placed, changes: Changes) -> bool:
    """Write it, and tell what follows; whether anything changed.

    Raises `ConfigProblem` for a file that has a mistake: it stays as it is.
    """
    from urbexmp.adapters.central_places import written_name
    from urbexmp.adapters.toml import drop_value, set_value
    from urbexmp.cli.plan_file import replacing
    from urbexmp.cli.profile import read_text
    from urbexmp.rules.location import edited

    path = where.file
    before = read_text(path) if path.exists() else ""
    section: tuple[str, ...] = ()
    if before:
        _said(before, where)
    if where.below is not None:
        section = (written_name(before.replace("\r\n", "\n"), path, where.below),)
    text = edited(before, changes, set_value, drop_value, section)
    said = _said(text, where)
    if text == before:
        if not choices.quiet:
            print(f"{path} says so already.")
        return False
    with replacing(path) as file:
        file.write(text)
    if not choices.quiet:
        _tell(choices, folder, where, changes, said)
    return True


def _said(text: str, where: Placed) -> Location:
    from urbexmp.adapters.central_places import read_central, section_of
    from urbexmp.adapters.places import read_location_text
    from urbexmp.rules.place import Location

    text = text.replace("\r\n", "\n")
    if where.below is None:
        return read_location_text(text, where.file)
    return read_central(text, where.file).get(section_of(where.below), Location())


def _tell(choices: Choices, folder: Path, where: Placed, changes: Changes, said: Location) -> None:
    from urbexmp.adapters.places import LOCATION_FILE, location_files
    from urbexmp.app import library_root, open_taxonomy
    from urbexmp.app_stages import told_of_places
    from urbexmp.cli.options import load
    from urbexmp.rules.place import unknown_type
    from urbexmp.rules.vlm_settings import waits_to_be_named

    for key, value in changes.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        print(f"{key} = {shown}" if value is not None else f"{key} taken out")
    profile = load(choices).profile
    quoted = shlex.quote(str(folder))
    print(f"Written to {where.file}. The next sync plans its photos again: urbexmp sync {quoted}")
    if set(changes) != {"when"}:
        asked = told_of_places(profile, choices.state)
        waits = waits_to_be_named(profile) & set(asked)
        look = " and ".join(name for name in asked if name not in waits)
        if look:
            print(f"Of the stages only {look} look again: no other is told of places.")
        for name in sorted(waits):
            print(f"{name} waits; ask it now: urbexmp location enhance {quoted}")
    own = folder / LOCATION_FILE
    if where.below is not None and own.exists():
        nearest = dict(location_files(folder, library_root(folder, choices.state)))[str(own)]
        hidden = [key for key in changes if key != "keywords" and getattr(nearest, key)]
        if hidden:
            print(f"But {own} says otherwise of {', '.join(hidden)}, and goes before it.")
    odd = unknown_type(said, open_taxonomy(profile))
    if odd:
        print(f"But {odd}. It is told to stages, and makes no keyword.")
