"""Reads EXIF with pyexiv2 where exifread cannot: CR3, CRW, RAF, MRW, X3F. The only file that does.

It reads only. Writing through it truncates the photo first, and a kill in that moment loses it.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path

from urbexmp.adapters.inspect.tags import Tags, Value

_LOCK = threading.Lock()
"""pyexiv2 is not thread-safe."""
_FRACTION = re.compile(r"^(-?\d+)(?:/(-?\d+))?$")
_MACRO_TAGS = (
    "Exif.CanonCs.Macro",
    "Exif.Fujifilm.Macro",
    "Exif.Panasonic.Macro",
    "Exif.Olympus.Macro",
    "Exif.OlympusCs.MacroMode",
)
_NAMES = {
    "PixelXDimension": "ExifImageWidth",
    "PixelYDimension": "ExifImageLength",
    "FocalLengthIn35mmFilm": "FocalLengthIn35mmFilm",
}
"""Where exiv2's name of a tag is not exifread's."""


def read_exif(path: Path) -> Tags:
    """Tags by name; empty where there are none, or the library is not usable here."""
    try:
        import pyexiv2
    except Exception:  # a wheel whose libraries are missing raises OSError, not ImportError
        return {}
    with _LOCK:
        try:
            pyexiv2.set_log_level(4)
            image = pyexiv2.Image(str(path))
        except Exception:  # it raises RuntimeError for everything, and more
            return {}
        try:
            raw: dict[str, object] = image.read_exif()
        except Exception:
            return {}
        finally:
            image.close()
    tags: dict[str, Value] = {}
    for group in ("Exif.Photo.", "Exif.Image.", "Exif.GPSInfo."):
        for key, text in raw.items():
            if key.startswith(group):
                name = key[len(group) :]
                tags.setdefault(_NAMES.get(name, name), _value(str(text)))
    said = next((str(raw[key]) for key in _MACRO_TAGS if key in raw), None)
    if said is not None:
        tags["MacroMode"] = ((1 if said in ("1", "Macro") else 0, 1),)
    return tags


def _value(text: str) -> Value:
    """Fractions where the whole text is made of them, else the text."""
    words = text.split()
    matches = [_FRACTION.match(word) for word in words]
    if not words or not all(matches):
        return text
    return tuple((int(m[1]), int(m[2] or 1)) for m in matches if m is not None)
