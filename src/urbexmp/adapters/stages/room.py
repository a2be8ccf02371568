"""What a stage's processes may take of this machine: its cores, and the memory that is free."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")
"""Limits of a container (cgroup v2), in which `/proc/meminfo` tells of the whole machine."""


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def available_bytes(meminfo: Path = Path("/proc/meminfo"), group: Path = _GROUP) -> int | None:
    """Memory that can be had without swapping; None where the system does not say (not Linux)."""
    free = _lines(meminfo).get("MemAvailable:")
    if free is None:
        return None
    limit, used = _number(group / "memory.max"), _number(group / "memory.current")
    if limit is None or used is None:
        return free * 1024
    # What the container read of files counts as used, and is given back when it is needed.
    files = _lines(group / "memory.stat").get("inactive_file", 0)
    return max(0, min(free * 1024, limit - used + files))


def _lines(path: Path) -> Mapping[str, int]:
    """The numbers of a file of names and numbers, by name."""
    try:
        rows = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return {}
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # `max` is no limit
        return None
