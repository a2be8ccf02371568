"""What a watch counts, for its own last word and for `status`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Counts:
    """What a watch did to a library since it began."""

    done: int = 0
    failed: int = 0
    imported: int = 0
    """New photos since the end of the last import was told."""
    folder: Path | None = None
    """The innermost that holds all of these."""
    imported_at: float = 0.0
    """When the last of these was dealt with."""
    queued: int = 0
    """Photos that wait in the ledger, as last seen."""
    turn: int = 0
    """Of these, those that only wait for their turn."""
    written: int = 0
    """Photos whose keywords were written."""

    def add_imported(self, path: Path, t: float) -> None:
        """A new photo was keyworded."""
        self.imported += 1
        self.imported_at = t
        folder = self.folder or path.parent
        while folder not in path.parents:
            folder = folder.parent
        self.folder = folder

    def take_imported(self) -> tuple[int, Path | None]:
        """How many photos an import had, and where; counting begins anew."""
        imported = self.imported, self.folder
        self.imported, self.folder = 0, None
        return imported
