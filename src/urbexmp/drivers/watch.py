"""`watch`: keyword photos as they arrive, for weeks, and miss none.

One loop. Events say where to look first; the truth comes from scans: at the start, every few
minutes, and after every sign that events were lost. Those signs are the events' own (`Lost`), a
root that came back, a wall clock that jumped against the monotonic one (a machine that slept, a
clock that was set), and a wait that took much longer than asked for (a stopped process).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from urbexmp.model.background import WatchState

if TYPE_CHECKING:
    from urbexmp.drivers.tending import Tending
    from urbexmp.model.background import Conditions, Notifier, Pulse
    from urbexmp.model.ports import Clock, Stopwatch
    from urbexmp.model.watching import Events

LONGEST_WAIT = 2.0
"""Seconds between two looks at roots, profile and conditions."""

JUMP_SECONDS = 5.0
"""The wall clock may drift from the monotonic one by so much between two looks."""

HELD_SECONDS = 3.0
"""A wait that took so much longer than asked for: the process was stopped."""

STOPPED_SECONDS = 10.0
"""Between two signs of life in the middle of work; longer, and it was stopped, or a photo was slow:
nobody can tell, so it counts, but not oftener than every `LOST_EVERY` seconds."""

LOST_EVERY = 300.0

BEAT_SECONDS = 10.0
"""Between two signs of life where nothing happens."""

RATE_SECONDS = 300.0
"""The rate is that of the last minutes."""

CONDITIONS_SECONDS = 15.0

IMPORT_SECONDS = 10.0
"""An import is over when for so long no new photo was dealt with, and none waits."""

NEXT_STEP = (
    "Next, in Lightroom Classic: import the folder, or select photos that are in the catalog and"
    " choose Metadata > Read Metadata from Files."
)


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """What the loop needs beside the libraries."""

    events: Events
    clock: Clock
    stopwatch: Stopwatch
    conditions: Conditions
    pulse: Pulse
    notifier: Notifier
    stopping: Callable[[], bool]
    reload: Callable[[], bool]
    """Reads the settings again where they changed; whether they did."""
    ended: Callable[[], bool]
    """Whether a person, or the system, asked to stop for good."""
    pid: int
    say: Callable[[str], None]


def watch(
    tendings: Sequence[Tending],
    outside: Outside,
    *,
    once: bool = False,
    since: datetime | None = None,
) -> None:
    """Tend libraries until asked to stop; `once`: until nothing is left to do.

    `since`: when the watch began; None: now.
    """
    Watch(tendings, outside, since).run(once=once)


class Watch:
    """The loop."""

    def __init__(
        self, tendings: Sequence[Tending], outside: Outside, since: datetime | None = None
    ) -> None:
        self._tendings = tendings
        self._outside = outside
        self._wall = outside.clock.now()
        self._since = since or self._wall
        self._steady = outside.stopwatch()
        done = sum(tending.counts.done for tending in tendings)
        self._rates: deque[tuple[float, int]] = deque([(self._steady, done)])
        self._beaten = -BEAT_SECONDS
        self._said: object = None
        self._paused: str | None = None
        self._asked_conditions = -CONDITIONS_SECONDS
        self._listening = False
        self._awake = self._last_lost = self._steady

    def run(self, *, once: bool) -> None:
        """Tend until asked to stop."""
        outside = self._outside
        if once:
            for tending in self._tendings:
                tending.idle_seconds = 0.0  # what comes later is not waited for
        try:
            self._beat("starting", force=True)
            while not outside.stopping():
                self._look_around()
                worked = self._work()
                t = outside.stopwatch()
                if once and not worked and self._is_idle(t):
                    break
                self._beat("paused" if self._paused else "watching")
                self._gather(self._until_next(t))
            # Not where it only begins anew: then the next process has the last word.
            if outside.ended() or (once and not outside.stopping()):
                self._close(once=once and not outside.stopping())
        finally:
            outside.events.close()
            self._beat("stopped", force=True)

    # --- One turn of the loop ----------------------------------------------------------------

    def _look_around(self) -> None:
        outside, t = self._outside, self._outside.stopwatch()
        anew = [tending.check_root(t) for tending in self._tendings]
        if any(anew) or not self._listening:
            self._listen()
        if outside.reload():
            for tending in self._tendings:
                tending.reloaded()
        now = outside.clock.now()
        passed, ticked = (now - self._wall).total_seconds(), t - self._steady
        self._wall, self._steady = now, t
        if abs(passed - ticked) > JUMP_SECONDS:
            self._lost(t)
        self._ask_conditions(t)

    def _ask_conditions(self, t: float) -> None:
        """Find out, now and then, whether to pause; say when that changes."""
        if t - self._asked_conditions < CONDITIONS_SECONDS:
            return
        self._asked_conditions = t
        reason = self._outside.conditions.may_work(self._outside.clock.now())
        if reason is not None and reason != self._paused:
            self._outside.say(f"Pausing: {reason}.")
        elif reason is None and self._paused is not None:
            self._outside.say("Going on.")
        self._paused = reason

    def _leave(self) -> bool:
        """Whether a burst must end after the photo at hand: asked to stop, or to pause.

        It is asked between two photos, whatever is done to them: a good moment for a sign of life.
        """
        self._beat(None)
        if self._outside.stopping():
            return True
        self._ask_conditions(self._outside.stopwatch())
        return self._paused is not None

    def _listen(self) -> None:
        """Listen to all roots that are there."""
        roots = [
            path for tending in self._tendings if tending.waits is None for path in tending.there
        ]
        self._listening = True
        for sentence in self._outside.events.watch(roots):
            self._outside.say(sentence)
        for tending in self._tendings:
            tending.deaf = any(self._outside.events.deaf(path) for path in tending.watched.paths)

    def _lost(self, t: float) -> None:
        for tending in self._tendings:
            tending.sweep_soon(t)

    def _work(self) -> bool:
        """Look at what settles, and give each library that has work a burst of it."""
        worked = False
        for tending in self._tendings:
            if self._outside.stopping():
                break
            tending.look()
            if self._paused is None and tending.due(self._outside.stopwatch()):
                self._beat("working")
                before = tending.counts.done
                tending.burst(self._gather, self._leave)
                worked = worked or tending.counts.done > before
            self._imported(tending, self._outside.stopwatch())
        return worked

    def _imported(self, tending: Tending, t: float) -> None:
        """Tell of the end of an import: nothing of it waits or settles any more."""
        counts = tending.counts
        if not counts.imported or counts.turn or t - counts.imported_at < IMPORT_SECONDS:
            return
        if not tending.settling.busy:
            self._tell_import(tending)

    def _tell_import(self, tending: Tending) -> None:
        photos, folder = tending.counts.take_imported()
        if not photos or folder is None:
            return
        noun = "photo" if photos == 1 else "photos"
        tending.watched.show.note(f"{photos:,} {noun} of {folder.name} done. {NEXT_STEP}")
        self._outside.notifier.imported(photos, folder, NEXT_STEP)

    def _close(self, *, once: bool) -> None:
        """The last word, where a person ended the watch or wanted it to end by itself."""
        for tending in self._tendings:
            if once:
                self._tell_import(tending)
                continue
            written, waits = tending.counts.written, tending.counts.queued + tending.settling.photos
            noun = "photo" if written == 1 else "photos"
            said = [f"Stopped: {written:,} {noun} written since the start"]
            said += [f"{waits:,} waiting for the next one"] * bool(waits)
            next_step = [NEXT_STEP] * bool(written)
            tending.watched.show.note(" ".join([f"{', '.join(said)}.", *next_step]))

    def _is_idle(self, t: float) -> bool:
        return all(
            tending.waits is not None
            or (
                not len(tending.settling)
                and not tending.folders
                and tending.last_sweep is not None
                and not tending.due(t)
                and t >= tending.blocked_until
            )
            for tending in self._tendings
        )

    def _until_next(self, t: float) -> float:
        if self._paused is not None:
            return LONGEST_WAIT
        wake = min((tending.wake_at(t) for tending in self._tendings), default=t + LONGEST_WAIT)
        return min(max(wake - t, 0.0), LONGEST_WAIT)

    def _gather(self, seconds: float) -> None:
        """Take in signs, waiting for the first one for so many seconds at most."""
        outside = self._outside
        began = outside.stopwatch()
        signs = outside.events.wait(seconds)
        t = outside.stopwatch()
        for sign in signs:
            for tending in self._tendings:
                tending.sign(sign, t)
        for tending in self._tendings:
            tending.look_at_folders(t)
        if t - began > seconds + HELD_SECONDS:
            self._lost(t)
        self._beat(None)

    # --- Signs of life ------------------------------------------------------------------------

    def _beat(self, phase: str | None, *, force: bool = False) -> None:
        """Say how it goes, where that changed, and now and then where it did not."""
        outside, t = self._outside, self._outside.stopwatch()
        if t - self._awake > STOPPED_SECONDS and t - self._last_lost > LOST_EVERY:
            self._last_lost = t
            self._lost(t)
        self._awake = t
        tendings = self._tendings
        done = sum(tending.counts.done for tending in tendings)
        phase = phase or (self._said[0] if isinstance(self._said, tuple) else "watching")
        settling = sum(len(tending.settling) for tending in tendings)
        said = (phase, done, bool(settling), self._paused)
        age = t - self._beaten
        if not force and (age < 0.5 or (said == self._said and age < BEAT_SECONDS)):
            return
        self._said, self._beaten = said, t
        while len(self._rates) > 1 and t - self._rates[0][0] > RATE_SECONDS:
            self._rates.popleft()
        since, before = self._rates[0]
        rate = (done - before) / max(t - since, 1.0) * 60
        if t - self._rates[-1][0] >= 1.0:
            self._rates.append((t, done))
        sweeps = [tending.last_sweep for tending in tendings if tending.last_sweep is not None]
        now = outside.clock.now()
        outside.pulse.beat(
            WatchState(
                pid=outside.pid,
                since=self._since,
                at=now,
                phase=phase,
                roots=tuple(path for tending in tendings for path in tending.watched.paths),
                queued=sum(tending.counts.queued for tending in tendings),
                settling=settling,
                done=done,
                failed=sum(tending.counts.failed for tending in tendings),
                rate_per_minute=round(rate, 1),
                last_sweep=min(sweeps) if len(sweeps) == len(tendings) else None,
                next_sweep=_after(now, min(each.sweep_at for each in tendings) - t),
                paused_for=self._paused,
            )
        )


def _after(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=max(0.0, seconds))
