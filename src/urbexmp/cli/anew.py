"""A watch that has grown begins anew: the same command in the same process, with fresh memory.

What it counted so far goes along in the environment, for that process alone: a person asks how many
photos were done since the watch began, and not since its memory was given back.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from urbexmp.drivers.counts import Counts
    from urbexmp.drivers.tending import Tending
    from urbexmp.model.profile import Profile


ASK_SECONDS = 1.0

SO_FAR = "_URBEXMP_WATCH_SO_FAR"
"""Names what the process counted before it began anew."""

_NUMBERS = ("done", "failed", "written", "imported")


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a watch counted before it began anew."""

    since: datetime | None = None
    """When it began; None: it begins now."""
    libraries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Counts by root."""

    @classmethod
    def taken(cls, environ: MutableMapping[str, str], pid: int) -> SoFar:
        """Take it out of the environment, where this very process left it; else nothing."""
        try:
            told = json.loads(environ.pop(SO_FAR, ""))
            if told["pid"] != pid:
                return cls()
            since = datetime.fromisoformat(told["since"])
            libraries = dict(told["libraries"])
            for counts in libraries.values():
                for name in _NUMBERS:
                    counts[name] = max(0, int(counts[name]))
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()
        return cls(since if since.tzinfo is not None else None, libraries)

    def add_to(self, tendings: Sequence[Tending]) -> int:
        """Have the libraries go on counting; returns how many photos were done before."""
        done = 0
        for tending in tendings:
            before = self.libraries.get(str(tending.watched.root))
            if before is not None:
                _go_on(tending.counts, before, tending.stopwatch())
                done += tending.counts.done
        return done


def _go_on(counts: Counts, before: Mapping[str, Any], t: float) -> None:
    for name in _NUMBERS:
        setattr(counts, name, before[name])
    if before.get("folder"):
        counts.folder, counts.imported_at = Path(before["folder"]), t
    else:
        counts.imported = 0


def so_far(tendings: Sequence[Tending], since: datetime, pid: int) -> str:
    """What `SoFar.taken` takes."""
    return json.dumps(
        {
            "pid": pid,
            "since": since.isoformat(),
            "libraries": {
                str(tending.watched.root): {
                    **{name: getattr(tending.counts, name) for name in _NUMBERS},
                    "folder": None if (at := tending.counts.folder) is None else str(at),
                }
                for tending in tendings
            },
        }
    )


class Anew:
    """Whether, and how, to begin anew.

    The process id stays, so no supervisor notices. Windows has no such way, and its watch goes on.
    """

    def __init__(self, profile: Callable[[], Profile]) -> None:
        """`profile` is the one in force now."""
        self._profile = profile
        self.done: Callable[[], int] = int
        """How many photos were dealt with since this process began."""
        self._asked = 0.0
        self.why: str | None = None
        """Why to begin anew; None: nothing was due yet."""

    def due(self) -> bool:
        """Whether to stop after the photo at hand and begin anew."""
        from urbexmp.adapters.background.priority import resident_bytes
        from urbexmp.rules.recycling import why_recycle

        now = time.monotonic()
        # It is asked many times a second.
        if self.why is None and os.name == "posix" and now - self._asked >= ASK_SECONDS:
            self._asked = now
            self.why = why_recycle(self._profile(), self.done(), resident_bytes())
        return self.why is not None

    def begin(self, so_far: str) -> None:
        """Become a fresh process. Everything must be closed; does not return."""
        sys.stdout.flush()
        sys.stderr.flush()
        environ = os.environ | {SO_FAR: so_far}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)
