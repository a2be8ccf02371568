"""What all parts of the ledger share: the file, the numbers of words and photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urbexmp.adapters.db.database import Database
from urbexmp.adapters.db.texts import Words

if TYPE_CHECKING:
    from urbexmp.model.change import Change
    from urbexmp.model.photo import PhotoId

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
        self._stages: dict[str, int] = {}
        """Stage id to its number."""
        # A dropped transaction takes back what these say.
        database.on_rollback.append(self._spellings.clear)
        database.on_rollback.append(self._stages.clear)

    def _photo(self, photo_id: PhotoId) -> int:
        """The number of a photo id; inside a transaction, which may give it one."""
        found = self._database.row("SELECT id FROM photo WHERE name = ?", (photo_id,))
        if found is not None:
            return int(found[0])
        return self._database.do("INSERT INTO photo (name) VALUES (?)", (photo_id,))
