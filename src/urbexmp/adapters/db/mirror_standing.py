"""What stands in the mirror of photos that are to be put: most are there already, as given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.mirror_values import as_bytes
from urbexmp.adapters.db.plane_codes import STATUSES
from urbexmp.model.mirror import MirrorRow

_STANDS = "SELECT name, id, version, status FROM photo WHERE folder = ? AND name"
_STANDING = f"{_STANDS} IN (SELECT value FROM json_each(?))"

Standing = dict[tuple[int, str | bytes], tuple[Any, ...]]
"""Number, version and status of photos, by folder and name."""

Numbered = tuple[MirrorRow, int, str | bytes]
"""A row, the number of its folder, and the name as it is kept."""


def standing(file: MirrorFile, rows: Sequence[Numbered]) -> Standing:
    """Number, version and status of the photos that are there, one statement a folder."""
    names: dict[int, list[str]] = {}
    stands: Standing = {}
    for _, folder, name in rows:
        if isinstance(name, str):
            names.setdefault(folder, []).append(name)
        elif (found := file.row(f"{_STANDS} = ?", (folder, name))) is not None:
            stands[folder, name] = found[1:]
    for folder, among in names.items():
        for name, *said in file.rows(_STANDING, (folder, json.dumps(among))):
            stands[folder, name] = tuple(said)
    return stands


def is_same(row: MirrorRow, known: tuple[Any, ...]) -> bool:
    """Whether the photo stands there in the version given; what it holds is not compared."""
    return bool(row.version) and known[1:] == (as_bytes(row.version), STATUSES[row.status])


def all_stand(rows: Sequence[Numbered], stands: Standing, holding: AbstractSet[int]) -> bool:
    """Whether every row surely stands as given; `holding`: photos with suggestions held."""
    return len(stands) >= len(rows) and all(
        (known := stands.get((folder, name))) is not None
        and not row.held
        and known[0] not in holding
        and is_same(row, known)
        for row, folder, name in rows
    )
