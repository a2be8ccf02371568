"""Whether a watch may work now: what the profile says of battery and hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from urbexmp.adapters.background.power import on_battery
from urbexmp.model.profile import Profile
from urbexmp.rules.working_hours import parse_hours

ASK_EVERY = timedelta(seconds=15)
"""Asking for the power starts a program on macOS, so an answer is kept for a while."""


def _local(now: datetime) -> datetime:
    return now.astimezone()


class MachineConditions:
    """Implements `background.Conditions`."""

    def __init__(
        self,
        profile: Callable[[], Profile],
        battery: Callable[[], bool] = on_battery,
        local: Callable[[datetime], datetime] = _local,
    ) -> None:
        """`profile` is the one in force now; `local` turns an aware time into one by the clock on
        the wall."""
        self._profile = profile
        self._hours = parse_hours("")
        self._battery = battery
        self._local = local
        self._asked: datetime | None = None
        self._without_mains = False

    def may_work(self, now: datetime) -> str | None:
        """None: go; else the reason to pause."""
        profile = self._profile()
        if profile.work_hours.strip() != self._hours.text:
            self._hours = parse_hours(profile.work_hours)
        if not self._hours.cover(self._local(now)):
            return f"outside working hours {self._hours.text}"
        return "on battery" if profile.on_battery == "pause" and self._draws(now) else None

    def _draws(self, now: datetime) -> bool:
        # A clock that was set back must not keep an old answer for long.
        if self._asked is None or not timedelta() <= now - self._asked < ASK_EVERY:
            self._without_mains, self._asked = self._battery(), now
        return self._without_mains
