"""Beside `app`: puts the parts of a watch together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.app import Kept, open_house, state_paths
from urbexmp.model.errors import LibraryGone, LibraryLocked, UsageProblem

if TYPE_CHECKING:
    from urbexmp.adapters.lock import Request
    from urbexmp.drivers.house import House
    from urbexmp.drivers.tending import Tending, WatchTimes
    from urbexmp.drivers.watch import Outside
    from urbexmp.model.ports import Show
    from urbexmp.model.profile import Settings

POLL_SECONDS = 10.0
"""Between two looks at the times of all folders where no hints come."""

QUIET_SECONDS = 30.0
"""For so long a watch leaves alone what Lightroom wrote, where the profile does not say: it saves
a sidecar several times while somebody works on a photo."""

ALONE_SECONDS = 2.0
"""The most that a photo waits for its raw file or JPEG where one sort only comes into a folder."""

Library = tuple[Path, tuple[Path, ...], "Show"]
"""Root, folders at or below it, and who is shown what happens there."""


class Loaded:
    """The settings in force: read again when the profile's file changes, or on request."""

    def __init__(
        self,
        load: Callable[[], Settings],
        path: Path,
        asked: Callable[[], bool],
        failed: Callable[[Exception], None],
    ) -> None:
        """`load` raises `Problem`; `asked` says, once, that a person wants it read again."""
        self._load, self._path = load, path
        self._asked, self._failed = asked, failed
        self._stamp = self._now()
        self.settings = load()

    def again(self) -> bool:
        """Read the settings again where that is due; whether they changed."""
        from urbexmp.model.errors import Problem

        stamp = self._now()
        if not self._asked() and stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            settings = self._load()
        except Problem as problem:
            self._failed(problem)
            return False
        changed = settings.profile != self.settings.profile
        self.settings = settings
        return changed

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


@contextmanager
def open_watch(
    libraries: Sequence[Library],
    loaded: Loaded,
    *,
    state: Path | None,
    poll: bool,
    sweep_minutes: float | None,
    stopping: Callable[[], bool],
    ended: Callable[[], bool],
    say: Callable[[str], None],
) -> Iterator[tuple[list[Tending], Outside]]:
    """Claim the libraries for one watch, and give what the loop needs.

    Raises `LibraryWatched`, `StateUnwritable`, and `LibraryGone` for a root that is not there
    and was never synced.
    """
    from urbexmp.adapters.background.conditions import MachineConditions
    from urbexmp.adapters.background.health import HealthFile, Pulses, SystemdPulse
    from urbexmp.adapters.background.notify import DesktopNotifier, SilentNotifier
    from urbexmp.adapters.background.priority import limit_threads, stand_back
    from urbexmp.adapters.clock import SystemClock
    from urbexmp.adapters.events import FolderEvents
    from urbexmp.adapters.ground import LocalGround
    from urbexmp.adapters.inspect.whole import is_whole
    from urbexmp.adapters.lock import Request, WatchLock
    from urbexmp.drivers.tending import Tending, Watched
    from urbexmp.drivers.watch import Outside

    profile = loaded.settings.profile
    limit_threads(1)  # of numeric libraries, in each worker
    for trouble in stand_back(profile.nice):
        say(f"The priority could not be lowered ({trouble}).")
    clock, stopwatch = SystemClock(), time.perf_counter
    ground = LocalGround(is_whole)
    tendings: list[Tending] = []
    with ExitStack() as stack:
        for root, paths, show in libraries:
            places = state_paths(root, state)
            if not root.is_dir() and not places.ledger.exists():
                raise LibraryGone(root, detail="is no folder" if root.exists() else "is not there")
            for path in paths:
                if path.exists() and not path.is_dir():
                    raise UsageProblem(path, "is no folder", "Name folders to watch")
                # A root that is known may come with its volume; what is missing below one that is
                # there was misspelled, most likely.
                if root.is_dir() and not path.exists():
                    raise LibraryGone(path, detail="is not there")
            stack.enter_context(WatchLock(places.watch, root))
            request = Request(places.request)
            kept = Kept()
            stack.callback(kept.clear)
            opens = partial(_opened, root, loaded, request, kept, state)
            tendings.append(
                Tending(
                    Watched(root, paths, opens, request.stands, show),
                    ground,
                    clock,
                    stopwatch,
                    lambda: times_of(loaded.settings, sweep_minutes),
                )
            )
        health = [HealthFile(state_paths(root, state).health) for root, _, _ in libraries]
        notifier = DesktopNotifier(say) if profile.notify else SilentNotifier()
        yield (
            tendings,
            Outside(
                events=FolderEvents(stopping, poll=poll),
                clock=clock,
                stopwatch=stopwatch,
                conditions=MachineConditions(lambda: loaded.settings.profile),
                pulse=Pulses(*health, SystemdPulse(os.environ)),
                notifier=notifier,
                stopping=stopping,
                reload=loaded.again,
                ended=ended,
                pid=os.getpid(),
                say=say,
            ),
        )


def times_of(settings: Settings, sweep_minutes: float | None) -> WatchTimes:
    """How long files settle under a profile, and so on."""
    from urbexmp.drivers.tending import WatchTimes
    from urbexmp.model.watching import SettleTimes

    profile = settings.profile
    quiet = profile.settle_seconds
    settle = SettleTimes(
        apart=min(0.5, max(0.02, quiet / 2)),
        quiet=quiet,
        pair=profile.companion_seconds,
        alone=ALONE_SECONDS,
        patience=profile.settle_longest_seconds,
    )
    sweep = (sweep_minutes or profile.sweep_minutes) * 60
    return WatchTimes(settle, sweep, POLL_SECONDS, _quiet(settings))


def _quiet(settings: Settings) -> float:
    if settings.origins.get("quiet_seconds", "default") == "default":
        return QUIET_SECONDS
    return settings.profile.quiet_seconds


def _opened(
    root: Path,
    loaded: Loaded,
    request: Request,
    kept: Kept,
    state: Path | None,
    stopping: Callable[[], bool],
) -> AbstractContextManager[House]:
    if request.stands():
        # Who asked for the library gets it first.
        raise LibraryLocked(root, pid="that waits")
    return open_house(
        root, loaded.settings, state=state, writing=True, stopping=stopping, kept=kept
    )
