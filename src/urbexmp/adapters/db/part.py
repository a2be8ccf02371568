"""What all parts of the ledger share: the file, the numbers of words and photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urbexmp.adapters.db.database import Database
from urbexmp.adapters.db.texts import Words

if TYPE_CHECKING:
    from urbexmp.model.change import Change, MergeBase
    from urbexmp.model.keyword import Keyword
    from urbexmp.model.photo import PhotoId

MOST_PHOTOS = 1000
"""Numbers kept at a time."""

MOST_READ = 500
"""Merge bases kept as they were read: those of the photos that are written together, and more."""

PHOTO = "(SELECT id FROM photo WHERE name = ?)"
"""SQL for the number of a photo id."""


class Part:
    """Base of the parts that `SqliteLedger` is put together from."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._words = Words(database)
        self._spellings: dict[str, str] = {}
        """Folded keyword to the spelling that the table holds."""
        self._changes: dict[int, tuple[Change, bytes]] = {}
        """Packed changes whose receipt is to come, by the identity of the change."""
        self._photos: dict[PhotoId, int] = {}
        """Numbers of the photos dealt with last, by their id."""
        self._stages: dict[str, int] = {}
        """Stage id to its number."""
        self._bases: dict[str, MergeBase] = {}
        """What columns of merge bases and of agreed keywords read as, by their very text: a run
        asks for those of a photo before it plans, before it writes, and when it is done."""
        self._agreed: dict[str, frozenset[Keyword]] = {}
        # A dropped transaction takes back what these say.
        database.on_rollback.append(self._spellings.clear)
        database.on_rollback.append(self._stages.clear)
        database.on_rollback.append(self._photos.clear)
        database.on_rollback.append(self._bases.clear)
        database.on_rollback.append(self._agreed.clear)

    def _photo(self, photo_id: PhotoId) -> int:
        """The number of a photo id; inside a transaction, which may give it one."""
        known = self._photos.get(photo_id)
        if known is not None:
            return known
        found = self._database.row("SELECT id FROM photo WHERE name = ?", (photo_id,))
        number = (
            int(found[0])
            if found is not None
            else self._database.do("INSERT INTO photo (name) VALUES (?)", (photo_id,))
        )
        if len(self._photos) >= MOST_PHOTOS:
            self._photos.clear()
        self._photos[photo_id] = number
        return number
