"""EXIF tags as plain values, and capture facts from them, every number checked.

Whatever a file says that cannot be true is taken for not said. `ShutterSpeedValue` and
`ApertureValue` are never used in place of a missing time or aperture: they are broken in some
cameras (FinePix S2 Pro), and no exposure value is better than a wrong one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from urbexmp.adapters.inspect.xmp_facts import XmpFacts
from urbexmp.model.observation import CaptureFacts

Value = str | tuple[tuple[int, int], ...]
"""Text, or fractions as (numerator, denominator); a whole number has the denominator 1."""
Tags = Mapping[str, Value]
"""By the name that the EXIF standard gives."""

_DATE = re.compile(r"^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_DRONE_MODEL = re.compile(r"^(?:FC\d{3,4}[A-Z]*|L[12]D-20c)$", re.IGNORECASE)
_DRONE_MAKERS = frozenset({"", "dji", "hasselblad"})
"""DJI's drones; the Mavic Mini leaves the maker out."""
_MACRO_MAKERS = re.compile(r"canon|olympus|fuji", re.IGNORECASE)
_CAMERA_WORDS = frozenset({
    "camera", "cameras", "dcim", "default", "digital", "dji", "dsc", "exif", "image", "images",
    "img", "jpeg", "jpg", "kodak", "konica", "media", "minolta", "nikon", "olympus", "panorama",
    "photo", "picture", "pictures", "samsung", "sony", "still", "untitled",
})  # fmt: skip
"""Of image descriptions that cameras write, beside their make and model."""
_INFINITE = 0xFFFFFFFF
_ISO_TAGS = (
    "ISOSpeedRatings",
    "PhotographicSensitivity",
    "RecommendedExposureIndex",
    "ISOSpeed",
    "StandardOutputSensitivity",
)


def capture_facts(tags: Tags, xmp: XmpFacts, frame: tuple[int, int] | None = None) -> CaptureFacts:
    """Facts from EXIF tags and XMP properties; `frame` is the picture's true size if known."""
    make, model = _text(tags, "Make"), _text(tags, "Model")
    width, height = frame or (None, None)
    if width is None or height is None:
        width = _whole(tags, "ExifImageWidth", 1, 1_000_000)
        height = _whole(tags, "ExifImageLength", 1, 1_000_000)
    return CaptureFacts(
        make=make,
        model=model,
        lens=_text(tags, "LensModel"),
        taken_at=_taken_at(tags),
        exposure_time=_real(tags, "ExposureTime", 1e-6, 86_400.0),
        f_number=_real(tags, "FNumber", 0.3, 256.0),
        iso=next((iso for iso in (_iso(tags, tag) for tag in _ISO_TAGS) if iso), None),
        exposure_program=_whole(tags, "ExposureProgram", 0, 255),
        flash=_whole(tags, "Flash", 0, 0xFFFF),
        focal_length_35mm=_real(tags, "FocalLengthIn35mmFilm", 1.0, 20_000.0),
        subject_distance=_distance(tags),
        subject_distance_range=_whole(tags, "SubjectDistanceRange", 1, 3),
        macro_mode=_macro(tags),
        orientation=_whole(tags, "Orientation", 1, 8) or 1,
        width=width,
        height=height,
        latitude=_coordinate(tags, "GPSLatitude", "S", 90.0),
        longitude=_coordinate(tags, "GPSLongitude", "W", 180.0),
        drone=xmp.drone or _is_drone_camera(make, model),
        relative_altitude=xmp.relative_altitude,
        gimbal_pitch=xmp.gimbal_pitch,
        city=xmp.city,
        sublocation=xmp.sublocation,
        state=xmp.state,
        country=xmp.country,
        image_description=_described(tags),
    )


def needs_maker_note(tags: Tags) -> bool:
    """Whether only the maker's note says if macro mode was on: compact cameras of a few makers."""
    make, model = tags.get("Make"), tags.get("Model")
    compact = isinstance(model, str) and "EOS" not in model
    return isinstance(make, str) and compact and _MACRO_MAKERS.search(make) is not None


def _is_drone_camera(make: str | None, model: str | None) -> bool:
    """The camera of an aircraft by its model; `DJI Pocket` and `Osmo` are held in the hand."""
    if model is None or not _DRONE_MODEL.match(model):
        return False
    return (make or "").lower() in _DRONE_MAKERS


def _text(tags: Tags, name: str) -> str | None:
    value = tags.get(name)
    if not isinstance(value, str):
        return None
    text = " ".join(value.replace("\0", " ").split())
    return text or None


def _described(tags: Tags) -> str | None:
    """A person's words. Cameras write their makers' names, codes and paths: `OLYMPUS DIGITAL
    CAMERA`, `SONY DSC`, `DCIM\\100MEDIA\\DJI_0001.JPG`, `default`, `oznor`."""
    text = _text(tags, "ImageDescription")
    if text is None:
        return None
    own = f"{_text(tags, 'Make') or ''} {_text(tags, 'Model') or ''}".casefold()
    known = _CAMERA_WORDS.union(re.findall(r"\w+", own))
    words = re.findall(r"\w+", text.casefold())
    coded = len(text) <= 6 and text.isascii() and text.isalpha() and text.islower()
    if coded or all(word in known or any(map(str.isdigit, word)) for word in _parts(words)):
        return None
    return text


def _parts(words: Iterable[str]) -> list[str]:
    """Words, also of names that underscores hold together: `Exif_JPEG_PICTURE`."""
    return [part for word in words for part in word.split("_") if part]


def _fractions(tags: Tags, name: str) -> tuple[tuple[int, int], ...]:
    value = tags.get(name, ())
    if isinstance(value, str):
        # Some programs write numbers as text, with a sign or a unit.
        match = re.match(r"^\s*([+-]?\d+(?:\.\d+)?)", value)
        number = float(match[1]) if match else math.nan
        return ((round(number * 1_000_000), 1_000_000),) if math.isfinite(number) else ()
    return value


def _real(tags: Tags, name: str, least: float, most: float) -> float | None:
    for numerator, denominator in _fractions(tags, name)[:1]:
        if denominator != 0 and least <= numerator / denominator <= most:
            return numerator / denominator
    return None


def _whole(tags: Tags, name: str, least: int, most: int) -> int | None:
    value = _real(tags, name, least, most)
    return round(value) if value is not None else None


def _iso(tags: Tags, name: str) -> int | None:
    """65535 means "look elsewhere", as the field has only 16 bits."""
    value = _whole(tags, name, 1, 10_000_000)
    return None if value == 65_535 else value


def _macro(tags: Tags) -> bool | None:
    value = _whole(tags, "MacroMode", 0, 1)
    return None if value is None else bool(value)


def _distance(tags: Tags) -> float | None:
    """Metres. 0 is unknown; a numerator of FFFFFFFF is infinity (EXIF 2.32, SubjectDistance)."""
    for numerator, denominator in _fractions(tags, "SubjectDistance")[:1]:
        if numerator in (_INFINITE, -1):
            return math.inf
        if denominator > 0 and numerator > 0:
            return numerator / denominator
    return None


def _taken_at(tags: Tags) -> str | None:
    for name in ("DateTimeOriginal", "DateTimeDigitized"):
        match = _DATE.match(_text(tags, name) or "")
        if match is None:
            continue
        try:
            return datetime(*(int(part) for part in match.groups())).isoformat()  # type: ignore[arg-type]  # noqa: DTZ001
        except ValueError:
            continue
    return None


def _coordinate(tags: Tags, name: str, negative: str, most: float) -> float | None:
    """Degrees. 0/0 rationals mean that the receiver had no position."""
    parts = _fractions(tags, name)[:3]
    reference = tags.get(f"{name}Ref")
    if not parts or not isinstance(reference, str) or any(below == 0 for _, below in parts):
        return None
    degrees = sum(above / below / 60.0**place for place, (above, below) in enumerate(parts))
    if not 0.0 <= degrees <= most:
        return None
    return -degrees if reference.strip().upper().startswith(negative) else degrees
