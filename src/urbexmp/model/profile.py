"""A profile: a named, frozen set of choices. How it is read and checked is `rules.profile`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Profile:
    """Every choice that a run depends on."""

    name: str = "offline"
    stages: tuple[str, ...] = ("camera", "pixels", "place")
    """Names of stages, in the order they look."""
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
    stage_settings: Mapping[str, Mapping[str, str | float | int | bool]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Settings of single stages, by stage name (table `[stage.NAME]`)."""

    @property
    def digest(self) -> str:
        """Hex digest of all choices."""
        plain = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}
        text = json.dumps(plain, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


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
