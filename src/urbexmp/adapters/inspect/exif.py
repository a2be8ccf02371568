"""Reads EXIF with exifread: JPEG, TIFF, and raw files built like TIFF. The only file that does.

What stands there as usual is not asked of it: see `usual_exif`.
Without the maker's note it takes 1 ms a file; with it 1 to 110, so the note is read only for
compact cameras of the few makers that say there whether macro mode was on.
"""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

from urbexmp.adapters.inspect.reader import unreadable
from urbexmp.adapters.inspect.tags import Tags, Value, needs_maker_note

_GROUPS = ("EXIF", "Image", "GPS")
_MACRO_TAGS = ("MakerNote Macromode", "MakerNote Macro", "MakerNote MacroMode")
_MACRO_ON = frozenset({"macro", "on", "supermacro", "super macro"})


def read_exif(path: Path) -> Tags:
    """Tags by name; empty where there are none or they cannot be read.

    Raises `FileUnreadable`, `FileVanished`.
    """
    tags = _read(path, maker_note=False)
    if needs_maker_note(tags):
        return _read(path, maker_note=True)
    return tags


def _read(path: Path, *, maker_note: bool) -> Tags:
    import exifread

    # It warns about every oddity of every file, and logging would print that.
    logging.getLogger("exifread").setLevel(logging.CRITICAL + 1)
    try:
        with path.open("rb") as file:
            process: Any = exifread.process_file  # its published types are behind
            raw: dict[str, Any] = process(file, details=maker_note, extract_thumbnail=False)
    except OSError as trouble:
        if trouble.errno == errno.EINVAL:  # damaged EXIF sends it to a place before the file
            return {}
        raise unreadable(path, trouble) from trouble
    except Exception:  # it raises whatever damaged EXIF provokes
        return {}
    tags: dict[str, Value] = {}
    for group in _GROUPS:
        for key, tag in raw.items():
            if key.startswith(group + " "):
                tags.setdefault(key[len(group) + 1 :], _value(getattr(tag, "values", None)))
    said = next((raw[key] for key in _MACRO_TAGS if key in raw), None)
    if said is not None:
        tags["MacroMode"] = ((1 if str(said).strip().lower() in _MACRO_ON else 0, 1),)
    return tags


def _value(values: object) -> Value:
    """Text, or fractions as (numerator, denominator)."""
    if isinstance(values, str):
        return values
    if not isinstance(values, list | tuple):
        return ()
    found: list[tuple[int, int]] = []
    for value in values:
        if isinstance(value, int):
            found.append((value, 1))
        elif hasattr(value, "numerator") and hasattr(value, "denominator"):
            found.append((int(value.numerator), int(value.denominator or 0)))
        elif isinstance(value, float):
            found.append((round(value * 1_000_000), 1_000_000))
    return tuple(found)
