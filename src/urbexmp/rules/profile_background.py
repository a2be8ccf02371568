"""The keys of a profile that only a watch in the background reads."""

from __future__ import annotations

from urbexmp.rules.profile_key import Key
from urbexmp.rules.working_hours import parse_hours

BACKGROUND_KEYS: tuple[Key, ...] = (
    Key(
        "sweep_minutes",
        "number",
        "watch: minutes between two sweeps of all folders, which find what no event told of.",
        low=0.05,
        high=1440,
    ),
    Key(
        "settle_seconds",
        "number",
        "watch: a file is complete when it did not change for so many seconds.",
        low=0,
        high=3600,
    ),
    Key(
        "settle_longest_seconds",
        "number",
        "watch: a file that is not complete after so long, changing or not, is reported, and tried"
        " again later.",
        low=1,
        high=86400,
    ),
    Key(
        "companion_seconds",
        "number",
        "watch: a raw file waits so long for its JPEG, and a JPEG for its raw, where both sorts"
        " come into a folder; else 2 seconds at most.",
        low=0,
        high=3600,
    ),
    Key(
        "work_hours",
        "text",
        "watch: work only then, by this machine's own clock; empty is always.",
        check=parse_hours,
        form='text such as "22:00-06:00" or "Mon-Fri 22:00-06:00; Sat,Sun 00:00-24:00"',
    ),
    Key(
        "on_battery",
        "text",
        "watch: without mains, work on or pause.",
        choices=("work", "pause"),
    ),
    Key(
        "nice",
        "whole",
        "watch: how far it stands back behind other programs; 19 is the furthest.",
        low=0,
        high=19,
    ),
    Key("notify", "switch", "watch: a word on the desktop when an import is done."),
    Key(
        "recycle_photos",
        "whole",
        "watch: begin with a fresh process after so many photos; 0 is never.",
        low=0,
        high=10_000_000,
    ),
    Key(
        "recycle_megabytes",
        "whole",
        "watch: begin with a fresh process when it holds more memory than this; 0 is never.",
        low=0,
        high=1_000_000,
    ),
)
