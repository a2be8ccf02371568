"""How a photo's row stands in the columns of the mirror, and the numbers of what photos share."""

from __future__ import annotations

from calendar import timegm
from functools import lru_cache
from pathlib import Path
from time import strptime
from typing import Any

from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.texts import spelled
from urbexmp.model.mirror import MirrorRow
from urbexmp.rules.mirrored import place_of

COLUMNS = (
    "folder, name, photo_id, kind, size, mtime_ns, width, height, make, camera, lens, taken_at,"
    " latitude, longitude, view, view_score, quality, condition, era, status, description, text,"
    " location, keywords, vetoes, version"
)
NAMES = COLUMNS.split(", ")
DESCRIPTION, TEXT = NAMES.index("description") + 1, NAMES.index("text") + 1
LOCATION, KEYWORDS = NAMES.index("location") + 1, NAMES.index("keywords") + 1
VETOES = NAMES.index("vetoes") + 1


class Numbers:
    """Numbers of folders, places and origins, given when they are first met, and cached.

    All inside a transaction; `forget` when it was dropped.
    """

    def __init__(self, file: MirrorFile) -> None:
        self._file = file
        file.on_rollback.append(self.forget)
        self.forget()

    def forget(self) -> None:
        """Drop what is cached."""
        self._folders: dict[str, int] = {}
        self._made: set[int] = set()
        self._locations: dict[tuple[str, ...], int] = {}
        self._origins: dict[tuple[str, str, str, str], int] = {}

    def folder(self, path: Path, *, new: bool = True) -> int:
        """Number of the folder of a photo; 0 for one that is not known and not to be made."""
        # By the text before the name: making a path of the folder costs more than all the rest.
        head = str(path)[: -len(path.name)]
        known = self._folders.get(head)
        if known is None:
            column = spelled_folder(path.parent)
            found = self._file.row("SELECT id FROM folder WHERE path = ?", (column,))
            if found is None and not new:
                return 0
            if found is None:
                self._file.do("INSERT INTO folder (path) VALUES (?)", (column,))
                found = self._file.row("SELECT last_insert_rowid()")
                assert found is not None
                self._made.add(int(found[0]))
            assert found is not None
            known = self._folders[head] = int(found[0])
        return known

    def is_new(self, folder: int) -> bool:
        """Whether a folder's number was given since this was last asked of it."""
        if folder not in self._made:
            return False
        self._made.remove(folder)
        return True

    def location(self, row: MirrorRow) -> int | None:
        """Number of a photo's place; None where nothing is known of it."""
        place = place_of(row.context)
        if place is None:
            return None
        known = self._locations.get(place)
        if known is None:
            place_columns = tuple(clean(part) or "" for part in place)
            found = self._file.row(
                "SELECT id FROM location WHERE (name, type, era, city, county, state, country)"
                " = (?, ?, ?, ?, ?, ?, ?)",
                place_columns,
            )
            if found is None:
                self._file.do(
                    "INSERT INTO location (name, type, era, city, county, state, country)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    place_columns,
                )
                found = self._file.row("SELECT last_insert_rowid()")
            assert found is not None
            known = self._locations[place] = int(found[0])
        return known

    def origin(self, *said: str) -> int:
        """Number of source, stage, model and profile together."""
        source, stage, model, profile = said
        key = (source, stage, model, profile)
        known = self._origins.get(key)
        if known is None:
            select = "SELECT id FROM origin WHERE (source, stage, model, profile) = (?, ?, ?, ?)"
            found = self._file.row(select, key)
            if found is None:
                self._file.do(
                    "INSERT INTO origin (source, stage, model, profile) VALUES (?, ?, ?, ?)", key
                )
                found = self._file.row(select, key)
            assert found is not None
            known = self._origins[key] = int(found[0])
        return known

    def leave(self, folders: set[int], locations: set[int]) -> None:
        """Take out folders and places that no photo is in any more."""
        for table, column, numbers, cache in (
            ("location", "location", locations, self._locations),
            ("folder", "folder", folders, self._folders),
        ):
            if numbers:
                self._file.many(
                    f"DELETE FROM {table} WHERE id = ?1"
                    f" AND NOT EXISTS (SELECT 1 FROM photo WHERE {column} = ?1)",
                    [(number,) for number in numbers],
                )
                cache.clear()


def photo_values(
    row: MirrorRow,
    folder: int,
    name: str | bytes,
    location: int | None,
    keywords: int,
    vetoes: int,
) -> tuple[Any, ...]:
    """The columns of table `photo`, in the order of `COLUMNS`."""
    facts = row.facts
    return (
        folder,
        name,
        row.photo_id,
        row.kind.value,
        row.stat.size,
        row.stat.mtime_ns,
        facts.width,
        facts.height,
        clean(facts.make),
        clean(facts.model),
        clean(facts.lens),
        clean(facts.taken_at),
        facts.latitude,
        facts.longitude,
        row.view,
        row.view_score,
        row.quality,
        row.condition,
        row.era,
        row.status,
        clean(row.description),
        clean(row.text),
        location,
        keywords,
        vetoes,
        row.version,
    )


def texts_of(photo: tuple[Any, ...]) -> tuple[str, str]:
    """Description and text of a photo: its number and its columns."""
    return photo[DESCRIPTION] or "", photo[TEXT] or ""


def clean(text: str | None) -> str | None:
    """Text as a column can hold it: what is half a character becomes a question mark."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def spelled_folder(folder: Path) -> str | bytes:
    """A folder relative to the root as a column holds it; "" for the root itself."""
    column = spelled(folder)
    return "" if column == "." else column


def spelled_name(path: Path) -> str | bytes:
    """A file's name as a column holds it."""
    name = path.name
    return name if name.isascii() else spelled(Path(name))


@lru_cache(maxsize=4096)
def moment(at: str) -> int | str | None:
    """A time in UTC as seconds since 1970; what is no such time stays text."""
    if not at:
        return None
    try:
        seconds = timegm(strptime(at, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return clean(at)
    return seconds
