"""Whether the machine runs on its battery. What cannot be found out counts as mains."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

SUPPLIES = Path("/sys/class/power_supply")


def on_battery() -> bool:
    """Whether the machine draws on its battery now. Never raises."""
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return _said_by_pmset(_pmset())
    return discharging(SUPPLIES)


def discharging(supplies: Path) -> bool:
    """Whether the supplies of a Linux machine say so.

    True when a battery of the machine itself is discharging and no mains is connected. Batteries
    of mice and pens (scope `Device`) say nothing about the machine. Facts: the kernel's
    Documentation/ABI/testing/sysfs-class-power.
    """
    try:
        found = sorted(supplies.iterdir())
    except OSError:
        return False
    battery = False
    for supply in found:
        kind = _line(supply / "type")
        if _line(supply / "scope") == "Device":
            continue
        if kind == "Battery":
            battery |= _line(supply / "status") == "Discharging"
        elif _line(supply / "online") == "1":  # Mains, USB: whatever feeds the machine
            return False
    return battery


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _pmset() -> str:
    with suppress(OSError, subprocess.SubprocessError):
        ran = subprocess.run(
            ["/usr/bin/pmset", "-g", "batt"], capture_output=True, timeout=5, check=False
        )
        return ran.stdout.decode("utf-8", "replace")
    return ""


def _said_by_pmset(said: str) -> bool:
    """Its first line is `Now drawing from 'Battery Power'`, or `'AC Power'`."""
    return "'Battery Power'" in said.partition("\n")[0]


def _windows() -> bool:
    """By GetSystemPowerStatus: the first byte is 0 without mains, 1 with it, 255 unknown."""
    import ctypes

    status = ctypes.create_string_buffer(12)
    with suppress(OSError, AttributeError):
        if ctypes.windll.kernel32.GetSystemPowerStatus(status):  # type: ignore[attr-defined,unused-ignore]
            return status.raw[0] == 0
    return False
