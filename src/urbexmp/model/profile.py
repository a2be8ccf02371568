"""A profile: a named, frozen set of choices. How it is read and checked is `rules.profile`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

EMPTY_OR_OURS = "empty-or-ours"
"""A text is written where its field is empty, or still says what we wrote."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Every choice that a run depends on."""

    name: str = "offline"
    stages: tuple[str, ...] = ("camera", "pixels", "place", "ocr")
    """Names of stages, in the order they look."""
    optional: tuple[str, ...] = ("ocr",)
    """Stages of these that are left out where they cannot run, and nothing is said of it."""
    without: str = "stop"
    """Where another stage cannot run: `stop` before anything is done, or `skip` the stage."""
    taxonomy: str = "urbex"
    """Name of a shipped taxonomy, or the path of a TOML file."""
    threshold: float = 0.5
    """Least confidence (0..1) of a keyword that is written, where the term names none."""
    ask_from: float = 0.35
    """Suggestions from here up to the threshold are held for a person."""
    thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """By stage name; overrides `threshold`."""
    max_keywords: int = 25
    """Most keywords suggested for one photo; the most confident stay."""
    flat: str = "leaf+ancestors"
    """What `dc:subject` gets for a path: `leaf+ancestors` (as Lightroom), `leaf`, `none`."""
    retract: bool = False
    """Take a keyword of ours away again when the stages no longer suggest it."""
    missing: str = "restore-once"
    """Keywords that went away unseen: `restore-once`, `ask`, `never`."""
    sidecar_name: str = "lightroom"
    """New sidecars of raw files: `lightroom` is IMG.xmp, `darktable` is IMG.CR3.xmp."""
    embed: str = "auto"
    """Write keywords into JPEG, TIFF and DNG files too, where Lightroom reads them: `auto`;
    `never` leaves image files alone."""
    pairs: str = "raw"
    """Of a RAW+JPEG pair the raw's sidecar gets the keywords: `raw`; the JPEG too: `both`."""
    break_c2pa: bool = False
    """Write into files with Content Credentials, which makes these invalid."""
    adopt_iptc: bool = False
    """Where IPTC keywords are newer than the packet (their digest differs), take them over; else
    such a file is left alone."""
    backup: str = "packet"
    """What is kept before a write: the `packet` and what belongs to it, or the `full` file too."""
    write_description: str = "never"
    """What a stage describes goes into `dc:description`: `never`, or `empty-or-ours`."""
    write_alt_text: str = "never"
    """And its alternative text into `Iptc4xmpCore:AltTextAccessibility`."""
    metadata_date: bool = True
    """Set `xmp:MetadataDate` on a write, where the packet has one."""
    quiet_seconds: float = 0.0
    """Leave alone what another program wrote less than so many seconds ago."""
    catalog: str = ""
    """Path of a Lightroom catalog; `doctor` and `sync` warn while Lightroom has it open."""
    recursive: bool = True
    ignore: tuple[str, ...] = ()
    """Patterns of names to leave out (fnmatch), beside the built-in ones."""
    workers: int = 0
    """Threads that look at photos; 0 is one for each core."""
    sweep_minutes: float = 5.0
    """Between two sweeps of a watch."""
    settle_seconds: float = 2.0
    """A file that did not change for so long may be complete."""
    settle_longest_seconds: float = 120.0
    """A file that is not complete by then is reported and tried again later."""
    companion_seconds: float = 10.0
    """How long a raw file waits for its JPEG and its sidecar."""
    work_hours: str = ""
    """`22:00-06:00`, local time (`rules.working_hours`); empty is always."""
    on_battery: str = "work"
    """Without mains, `work` on or `pause`."""
    nice: int = 10
    """0..19: how far a watch stands back behind other programs."""
    notify: bool = False
    """Say on the desktop when an import is done."""
    recycle_photos: int = 0
    """A watch begins with a fresh process after so many photos; 0 is never."""
    recycle_megabytes: int = 1024
    """A watch begins with a fresh process when it holds more memory; 0 is never."""
    stage_settings: Mapping[str, Mapping[str, str | float | int | bool]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Settings of single stages, by stage name (table `[stage.NAME]`)."""

    @property
    def digest(self) -> str:
        """Hex digest of all choices that what is written may depend on.

        When a watch works is none of them: other hours must not plan a library anew. Nor is
        what happens without a stage: the ids of the stages that do look tell that.
        """
        plain = {
            name: _plain(getattr(self, name))
            for name in self.__dataclass_fields__
            if name not in _WHEN
        }
        text = json.dumps(plain, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_WHEN = frozenset(
    (
        *(
            "optional",
            "without",
            "sweep_minutes",
            "settle_seconds",
            "settle_longest_seconds",
            "companion_seconds",
        ),
        *("work_hours", "on_battery", "nice", "notify", "recycle_photos", "recycle_megabytes"),
    )
)
"""Keys that say when and how gently a watch works and what stops a run, not what is written."""


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Settings:
    """A profile as it came about: from the file, the environment and flags."""

    profile: Profile
    origins: Mapping[str, str]
    """Key (`threshold`, `stage.pixels.size`) to where its value came from:
    `default`, `profile FILE:LINE`, `environment URBEXMP_THRESHOLD`, `flag --threshold`."""
