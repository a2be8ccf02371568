"""Hours in which a watch may work, by the clock on the wall."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ALL = frozenset(range(7))
_DAY = 24 * 60
_SPAN = re.compile(r"(?:(?P<days>[A-Za-z][A-Za-z, -]*?)\s+)?(?P<start>\S+?)\s*-\s*(?P<end>\S+)")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, minutes after midnight; an `end` before `start` is the next day's.

    A span over midnight belongs to the day on which it starts.
    """

    days: frozenset[int]
    """0 is Monday."""
    start: int
    end: int

    def covers(self, weekday: int, minute: int) -> bool:
        """Whether it holds a minute of a day."""
        if self.start < self.end:
            return weekday in self.days and self.start <= minute < self.end
        tonight = weekday in self.days and minute >= self.start
        since_yesterday = (weekday - 1) % 7 in self.days and minute < self.end
        return tonight or since_yesterday


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans as a profile has them; without any, always."""

    text: str
    spans: tuple[Span, ...]

    def cover(self, local: datetime) -> bool:
        """Whether work may go on at a local time."""
        minute = local.hour * 60 + local.minute
        return not self.spans or any(span.covers(local.weekday(), minute) for span in self.spans)


def parse_hours(text: str) -> Hours:
    """Read `22:00-06:00`, or `Mon-Fri 22:00-06:00; Sat,Sun 00:00-24:00`; nothing is always.

    Raises `ValueError` with a sentence.
    """
    parts = [part.strip() for part in text.split(";")]
    return Hours(text.strip(), tuple(_span(part) for part in parts if part))


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not hours such as 22:00-06:00")
    start, end = _minute(found["start"]), _minute(found["end"])
    if start == end:
        raise ValueError(f"{text!r} starts and ends at once; a whole day is 00:00-24:00")
    if start == _DAY:
        raise ValueError(f"{text!r} starts at 24:00; the next day starts at 00:00")
    return Span(_days(found["days"]) if found["days"] else _ALL, start, end)


def _minute(text: str) -> int:
    found = _TIME.fullmatch(text)
    hour, minute = (int(found[1]), int(found[2])) if found else (99, 99)
    if minute > 59 or hour * 60 + minute > _DAY:
        raise ValueError(f"{text!r} is not a time from 00:00 to 24:00")
    return hour * 60 + minute


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in (part.strip() for part in text.split(",")):
        first, _, last = (name.strip() for name in part.partition("-"))
        start, end = _day(first), _day(last or first)
        days.update((start + n) % 7 for n in range((end - start) % 7 + 1))
    return frozenset(days)


def _day(name: str) -> int:
    for number, day in enumerate(DAYS):
        if len(name) >= 3 and day.lower().startswith(name.lower()):
            return number
    raise ValueError(f"{name!r} is not a day such as Mon or Sunday")
