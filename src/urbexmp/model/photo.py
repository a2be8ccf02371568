"""Photos, the files they are made of, and the carriers of their packets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NewType

from urbexmp.model.keyword import Keyword, KeywordFields
from urbexmp.model.text import TextState

PhotoId = NewType("PhotoId", str)
"""Hex digest of image bytes that no metadata writer touches: survives renames and keywords."""

Fingerprint = NewType("Fingerprint", str)
"""Hex SHA-256 of a carrier's packet bytes: its version. `ABSENT` when there is no packet."""

ABSENT = Fingerprint("absent")


def fingerprint_of(packet: bytes | None) -> Fingerprint:
    """Fingerprint of a packet's bytes, `ABSENT` for None."""
    return ABSENT if packet is None else Fingerprint(hashlib.sha256(packet).hexdigest())


class FileKind(Enum):
    """What a photo file is, by extension and magic bytes."""

    JPEG = "jpeg"
    TIFF = "tiff"
    DNG = "dng"
    RAW = "raw"
    """A proprietary raw format: Lightroom reads its sidecar only."""
    HEIC = "heic"
    OTHER = "other"
    """PNG, WebP, PSD: looked at, never written into."""


@dataclass(frozen=True, slots=True)
class FileStat:
    """The cheap "maybe changed" of a file: three numbers of one `stat` call."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """One image file that the walk found."""

    path: Path
    kind: FileKind
    stat: FileStat


class CarrierKind(Enum):
    """Where a packet lives."""

    SIDECAR = "sidecar"
    EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Carrier:
    """A place where a photo's packet lives, or will live once written."""

    kind: CarrierKind
    path: Path

    def __str__(self) -> str:
        return str(self.path)


OBSTACLES = frozenset({"read-only", "hard-linked"})
"""Reasons why a file is spared that can go away without a trace in its size and times."""


@dataclass(frozen=True, slots=True)
class Spared:
    """An image file of a photo that is not written into although Lightroom would look there."""

    path: Path
    reason: str
    """Stable word: `never` (`embed = "never"`), `raw` (`pairs = "raw"`), `signed`, `read-only`,
    `hard-linked`, or the reason for which its packet is refused (`PacketRefused.reason`)."""
    detail: str = ""
    """What is the matter with the file, to stand after its name; empty where it was a choice."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture and its files. A RAW+JPEG pair of one basename is one photo."""

    path: Path
    """The file that names the photo: the RAW of a pair, else the image file."""
    kind: FileKind
    stat: FileStat
    companions: tuple[PhotoFile, ...]
    """Other files of the same picture: the JPEG of a RAW+JPEG pair."""
    carriers: tuple[Carrier, ...]
    """Where its packets are written, at least one."""
    also_read: tuple[Path, ...] = ()
    """Files that hold keywords of this photo and are only read: sidecars of other programs, and
    image files that are spared."""
    spared: tuple[Spared, ...] = ()
    """Image files that get no keywords, and why."""

    @property
    def images(self) -> frozenset[Path]:
        """The photo's image files: a packet in one of these is embedded, else it is a sidecar."""
        return frozenset((self.path, *(file.path for file in self.companions)))


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """One keyword that we wrote, as our block in the packet remembers it."""

    keyword: Keyword
    score: float | None
    """Confidence 0..1, None where the stage gives none."""
    stage: str
    """Id of the stage that said it, `person` for a keyword confirmed by hand."""
    profile: str
    at: str
    """ISO 8601 time of the write, UTC, `2026-11-20T09:00:00Z`."""


@dataclass(frozen=True, slots=True)
class Block:
    """Our own property group in a packet: what we wrote there, and what a person refused.

    It travels with the packet, so `mark` tells which of our writes the packet's last author
    had before them.
    """

    mark: str
    written: tuple[BlockEntry, ...] = ()
    vetoed: tuple[Keyword, ...] = ()
    flats: tuple[str, ...] = ()
    """Words of `dc:subject` that we added (only these may we take away again)."""
    facts: tuple[tuple[str, str], ...] = ()
    """What the look at the photo found, name and value: `view`, `viewScore`, `quality`, ..."""
    texts: tuple[tuple[str, str], ...] = ()
    """Texts that we wrote into this packet: value of the `TextField`, and `text_digest`. One that
    stands here and no longer in its field was taken out or changed by somebody who had seen it."""


@dataclass(frozen=True, slots=True)
class CarrierState:
    """What one carrier held when we looked."""

    carrier: Carrier
    fingerprint: Fingerprint
    fields: KeywordFields
    """Of an image file also the keywords that only its IPTC block has."""
    block: Block | None
    protected: frozenset[str] = frozenset()
    """Words never to be taken away: names of faces, persons, weighted keywords (XMP.md R21)."""
    notes: tuple[str, ...] = ()
    """What a person should know about the packet, one sentence each (a Seq, a stale field)."""
    texts: tuple[TextState, ...] = ()
    """Its texts; a field that is not among them holds none, and can be set."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What all carriers of a photo held when we looked."""

    photo: Photo
    photo_id: PhotoId
    carriers: tuple[CarrierState, ...]
    elsewhere: tuple[CarrierState, ...] = ()
    """What places hold that we only read (`Photo.also_read`). What stands in an image file is
    copied to the carriers; what stands in another program's sidecar counts as found, no more."""
    caption: str | None = None
    """`CaptureFacts.image_description` of the photo: a description that is only read."""
    own_texts: bool = False
    """The photo's file may hold texts of its own, which are not read."""
