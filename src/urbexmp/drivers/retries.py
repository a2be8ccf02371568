"""When a photo is dealt with again that could not be dealt with, or not by every stage."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from urbexmp.model.ledger import WaitingWork

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from urbexmp.drivers.house import House
    from urbexmp.pipeline.look import Examined

RETRY_MINUTES = 10
"""A photo that failed is due again after so long, doubled with every further failure."""

MOST_RETRIES = 3
"""After so many it waits until its files change, or a person asks for it."""

PARKED_DAYS = 36500
"""What waits for a change is due after so long."""

MISSING_MINUTES = 5
"""What waits for a stage that is missing is due again after so long; that is no failure."""

IMPORT_PRIORITY = 50

IDLE_PRIORITY = 99
"""Behind all else: photos that were dealt with, and that a stage looks at in a quiet moment."""


def iso(moment: datetime) -> str:
    """Return an aware time as the ledger and the packets keep it, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def pause_after(attempts: int) -> timedelta:
    """How long a photo waits that failed for the n-th time."""
    if attempts > MOST_RETRIES:
        return timedelta(days=PARKED_DAYS)
    return timedelta(minutes=RETRY_MINUTES * 2 ** (attempts - 1))


def wait_to_try(
    house: House, path: Path, why: str, pause: timedelta | None = None, *, away: bool = False
) -> int:
    """Put a photo among what waits, and return how often it has failed now.

    With a `pause` of its own that was no failure. `away`: a server could not be asked. What waits
    for a quiet moment is then tried again however long that lasts: no other run asks for it, and
    a server that is off for a night must not cost it its turn.
    """
    before = house.ledger.waiting_on(path)
    attempts = before.attempts if before is not None else 0
    if pause is None:
        attempts += 1
        if away and before is not None and before.priority == IDLE_PRIORITY:
            attempts = min(attempts, MOST_RETRIES)
        pause = pause_after(attempts)
    due = iso(house.clock.now() + pause)
    house.ledger.wait(WaitingWork(path, IMPORT_PRIORITY, attempts, due, why))
    return attempts


def looks_again(house: House, path: Path, examined: Examined | None) -> bool:
    """Whether a photo that was dealt with is taken up again because a stage failed at it.

    That stage alone looks then: what the others said is known. A photo at which nothing failed,
    or something else looked instead, waits no longer.
    """
    lacking = [each for each in examined.fallen if each.instead is None] if examined else []
    if not lacking and examined is not None and examined.put_off:
        why = f"{path}: {', '.join(examined.put_off)} is asked when a watch has nothing else to do"
        due = iso(house.clock.now())
        house.ledger.wait(WaitingWork(path, IDLE_PRIORITY, 0, due, why))
        return False
    if not lacking:
        house.ledger.done_waiting(path)
        return False
    return wait_to_try(house, path, f"{path}: {'; '.join(map(str, lacking))}") <= MOST_RETRIES
