"""When a watch that has run for long begins with a fresh process.

Libraries that decode pictures give memory back late or never; a fresh process holds none of it.
Everything that a watch must remember is in the ledger, so nothing is lost by it.
"""

from __future__ import annotations

from urbexmp.model.profile import Profile
from urbexmp.rules.render import counted

FEWEST = 200
"""Photos between two fresh processes over memory: where one that just started holds more than the
limit already, there must still be some progress."""


def why_recycle(profile: Profile, photos: int, held: int | None) -> str | None:
    """Why to begin anew, as a clause; None: go on.

    `photos` were dealt with since this process began, `held` is its memory in bytes; None: not
    known.
    """
    if profile.recycle_photos and photos >= profile.recycle_photos:
        return f"after {counted(photos, 'photo')}"
    limit = profile.recycle_megabytes
    if limit and held is not None and photos >= FEWEST and held > limit * 2**20:
        return f"it holds {held // 2**20:,} MB"
    return None
