"""How a photo's row stands in the columns of the mirror, and the numbers of what photos share."""

from __future__ import annotations

from calendar import timegm
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from time import gmtime, strftime, strptime
from typing import Any

from urbexmp.adapters.db.link_codes import Columns
from urbexmp.adapters.db.mirror_file import MirrorFile
from urbexmp.adapters.db.plane_codes import STATUSES
from urbexmp.adapters.db.texts import spelled
from urbexmp.model.mirror import MirrorRow
from urbexmp.rules.mirrored import place_of

COLUMNS = (
    "folder, name, photo_id, kind, size, mtime_ns, width, height, make, camera, lens, taken_at,"
    " latitude, longitude, view, view_score, quality, condition, era, status, description, text,"
    " alt_text, location, keywords, vetoes, version, links, origins, scores, written_at, odd"
)
NAMES = COLUMNS.split(", ")
DESCRIPTION, TEXT = NAMES.index("description") + 1, NAMES.index("text") + 1
ALT_TEXT = NAMES.index("alt_text") + 1
LOCATION, KEYWORDS = NAMES.index("location") + 1, NAMES.index("keywords") + 1
VETOES, LINKS = NAMES.index("vetoes") + 1, NAMES.index("links") + 1


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
        self._words: dict[str, dict[str, int]] = {}

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

    def word(self, field: str, word: str) -> int:
        """Code of a word that many photos share."""
        codes = self._words.get(field)
        if codes is None:
            codes = self._words[field] = dict(
                self._file.rows("SELECT word, code FROM word WHERE field = ?", (field,))
            )
        code = codes.get(word)
        if code is None:
            kept = clean(word) or ""
            code = codes.get(kept)
            if code is None:
                code = codes[kept] = max(codes.values(), default=0) + 1
                self._file.do(
                    "INSERT INTO word (field, code, word) VALUES (?, ?, ?)", (field, code, kept)
                )
            codes[word] = code
        return code

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
    numbers: Numbers,
    links: Columns,
    vetoes: int,
    odd: int,
) -> tuple[Any, ...]:
    """The columns of table `photo`, in the order of `COLUMNS`."""
    facts, word = row.facts, numbers.word
    make, model, lens, taken = facts.make, facts.model, facts.lens, facts.taken_at
    view, era, score = row.view, row.era, row.view_score
    return (
        folder,
        name,
        as_bytes(row.photo_id),
        word("kind", row.kind.value),
        row.stat.size,
        row.stat.mtime_ns,
        facts.width,
        facts.height,
        None if make is None else word("make", make),
        None if model is None else word("camera", model),
        None if lens is None else word("lens", lens),
        None if taken is None else seconds(taken),
        facts.latitude,
        facts.longitude,
        None if view is None else word("view", view),
        None if score is None else hundredths(score),
        row.quality,
        row.condition,
        None if era is None else word("era", era),
        STATUSES[row.status],
        clean(row.description),
        clean(row.text),
        clean(row.alt_text),
        numbers.location(row) if row.context is not None else None,
        len(links[0]),
        vetoes,
        as_bytes(row.version),
        *links,
        odd,
    )


def as_bytes(text: str) -> bytes | str:
    """Hex digits as bytes, half as long; anything else stays text."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return clean(text) or ""
    return raw if raw and raw.hex() == text else text


def as_hex(column: bytes | str) -> str:
    """What `as_bytes` was given."""
    return column.hex() if isinstance(column, bytes) else column


def seconds(time: str | None) -> int | str | None:
    """`2024-05-11T10:00:00` as seconds since 1970 by the same clock; other texts stay."""
    if time is None:
        return None
    try:
        moment = datetime.fromisoformat(time)
        if len(time) == 19 and moment.isoformat() == time:
            return (moment - _EPOCH) // _SECOND
    except (ValueError, TypeError):
        pass
    return clean(time)


def shown_time(column: int | str | None) -> str | None:
    """What `seconds` was given."""
    if not isinstance(column, int):
        return column
    return (_EPOCH + column * _SECOND).isoformat()


def hundredths(score: float | None) -> int | float | None:
    """A score from 0 to 1 in whole hundredths, where it is that."""
    if score is None:
        return None
    whole = round(score * 100)
    return whole if whole / 100 == score else score


def share(column: int | float | None) -> float | None:
    """What `hundredths` was given."""
    return column / 100 if isinstance(column, int) else column


_EPOCH, _SECOND = datetime(1970, 1, 1), timedelta(seconds=1)  # noqa: DTZ001


def texts_of(photo: tuple[Any, ...]) -> tuple[str, str]:
    """What is searched of a photo, beside its name: its description, and its other texts."""
    return photo[DESCRIPTION] or "", other_texts(photo[TEXT], photo[ALT_TEXT])


def other_texts(text: str | None, alt_text: str | None) -> str:
    """What was read and the alternative text, as one text to be searched."""
    return "\n".join(filter(None, (clean(text), clean(alt_text))))


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


def shown_moment(at: int | str | None) -> str:
    """What `moment` was given."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(at)) if isinstance(at, int) else at or ""
