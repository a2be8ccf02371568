"""What stages see (a view, a context) and what they say (observations)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from math import log2


@dataclass(frozen=True, slots=True)
class CaptureFacts:
    """What the camera recorded. None: the file does not say. Facts, not guesses."""

    make: str | None = None
    model: str | None = None
    lens: str | None = None
    taken_at: str | None = None
    """Camera's local time, ISO 8601 without zone."""
    exposure_time: float | None = None
    """Seconds."""
    f_number: float | None = None
    iso: int | None = None
    exposure_program: int | None = None
    """EXIF 0x8822; 1 is manual."""
    flash: int | None = None
    """EXIF 0x9209, bit field; bit 0 says that it fired."""
    focal_length_35mm: float | None = None
    """Millimetres."""
    subject_distance: float | None = None
    """Metres; infinity is `math.inf`; 0 in the file means unknown and gives None."""
    subject_distance_range: int | None = None
    macro_mode: bool | None = None
    """From the maker's note."""
    orientation: int = 1
    """EXIF 0x0112, 1..8."""
    width: int | None = None
    """Pixels of the full image, before the orientation is applied."""
    height: int | None = None
    latitude: float | None = None
    """Degrees, north positive."""
    longitude: float | None = None
    """Degrees, east positive."""
    drone: bool = False
    """The camera is an aircraft's (namespace of a drone maker, or a drone camera's model)."""
    relative_altitude: float | None = None
    """Metres above take-off, which is not above ground."""
    gimbal_pitch: float | None = None
    """Degrees; 0 is level, -90 straight down. Only from the DJI namespace."""
    city: str | None = None
    state: str | None = None
    country: str | None = None
    """Location as XMP or IPTC hold it."""
    sublocation: str | None = None
    """`Iptc4xmpCore:Location`, which Lightroom calls Sublocation: `St Agnes Hospital`."""
    image_description: str | None = None
    """EXIF 0x010E where it reads like a person's, not like the name that a camera puts there."""

    @property
    def ev100(self) -> float | None:
        """Exposure value at ISO 100, log2(N^2/t) - log2(ISO/100); ISO missing counts as 100."""
        if not self.f_number or not self.exposure_time:
            return None
        if self.f_number <= 0 or self.exposure_time <= 0:
            return None
        iso = self.iso if self.iso and self.iso > 0 else 100
        return log2(self.f_number**2 / self.exposure_time) - log2(iso / 100)


@dataclass(frozen=True, slots=True)
class Preview:
    """A decoded picture, upright: 8-bit RGB rows from the top left, without padding."""

    width: int
    height: int
    rgb: bytes
    """Length width * height * 3."""
    source: str
    """Where it came from: `image`, `embedded preview`, `companion`, `demosaic`."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of the place. None: not known; never guessed."""

    name: str | None = None
    place_type: str | None = None
    """In the person's words: `hospital`, `paper mill`."""
    era: str | None = None
    city: str | None = None
    county: str | None = None
    state: str | None = None
    country: str | None = None
    folders: tuple[str, ...] = ()
    """Folder names from the library's root, itself included, down to the photo."""
    sublocation: str | None = None
    """The place's name as a person gave it to the single photo, in Lightroom or elsewhere."""
    keywords: tuple[str, ...] = ()
    """Keywords that `location.toml` gives to every photo of the place, `A|B|C`."""
    when: str | None = None
    """When stages that a profile tells when to look do so here (`rules.when`)."""

    @property
    def digest(self) -> str:
        """Short hex digest: observations that used a context are cached under it."""
        plain = asdict(self)
        if self.when != "unsure":  # the others only say when, and nothing of what is answered
            del plain["when"]
        text = json.dumps(plain, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class ObservationKind(Enum):
    """The sorts of things a stage can say."""

    LABEL = "label"
    """A word of the model's own; the taxonomy maps it to a term."""
    VIEW = "view"
    """A decided view type: `interior`, `exterior`, `aerial`, `detail`."""
    PRIOR = "prior"
    """A probability that stays in the unsure zone; handed to later stages, never a keyword."""
    FACT = "fact"
    """Something certain about the picture: `long exposure`, `monochrome`."""
    MEASURE = "measure"
    """A number: `quality`, `sharpness`, `condition`; in `value`."""
    CAPTION = "caption"
    """A sentence; in `value`."""
    TEXT = "text"
    """Words read in the picture; in `value`."""
    EMBEDDING = "embedding"
    """A vector that stands for the picture: `label` names the model, `value` is base64 of float16,
    little-endian. The ledger keeps it by itself, so a look that comes from there has none."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One statement of a stage about a photo."""

    kind: ObservationKind
    label: str
    score: float | None = None
    """Confidence 0..1 that the statement is true; None where the stage gives none."""
    value: str | float | None = None
    source: str = ""
    """What the statement rests on: `EXIF exposure`, `folder name`, `caption`."""
    region: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom as shares of width and height."""
    model: str = ""
    """The model that said it, where a stage asks several."""


@dataclass(frozen=True, slots=True)
class StageLook:
    """All observations of one stage on one photo, and how long they took."""

    stage: str
    """Id of the stage: its name, `@`, a digest of weights, prompts and settings."""
    observations: tuple[Observation, ...]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """What stages see of a photo. The picture is decoded on the first call and kept."""

    facts: CaptureFacts
    preview: Callable[[], Preview]
    """Raises `Problem` when the picture cannot be decoded."""


@dataclass(frozen=True, slots=True)
class StageInput:
    """All that a stage may use."""

    view: View
    context: Context
    earlier: tuple[StageLook, ...] = ()
    """What the stages before it in the profile said."""
    photo: str = ""
    """The photo's path from the library's root, for records only: no answer may rest on it."""
