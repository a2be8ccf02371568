"""The ledger, opened to read only: for commands that ask it and nothing else.

They need no profile, no taxonomy and no stages, so a mistake in one of those does not keep a
person from seeing what was done; and they start four times as fast as with the whole house.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urbexmp.adapters.db.ledger import SqliteLedger


@contextmanager
def reading(root: Path, state: Path | None) -> Iterator[SqliteLedger]:
    """The ledger of one library; one that was never made reads as empty.

    Raises `LedgerDamaged`, `LedgerNewer`.
    """
    from urbexmp.adapters.db.ledger import SqliteLedger
    from urbexmp.app import state_paths

    ledger = SqliteLedger(state_paths(root, state).ledger, readonly=True)
    try:
        yield ledger
    finally:
        ledger.close()
