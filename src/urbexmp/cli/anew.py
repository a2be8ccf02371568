"""A watch that has grown begins anew: the same command in the same process, with fresh memory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urbexmp.model.profile import Profile


ASK_SECONDS = 1.0


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

    def begin(self) -> None:
        """Become a fresh process. Everything must be closed; does not return."""
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
