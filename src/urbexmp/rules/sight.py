"""Whether Lightroom Classic will see the keywords of a photo, and what keeps it from that.

It reads `BASENAME.xmp` beside a proprietary raw, and the packet inside every other file (XMP.md
2.1, 2.3). Everything that is written elsewhere is for other programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from urbexmp.model.keyword import fold
from urbexmp.model.photo import CarrierKind, FileKind, Photo
from urbexmp.rules.formats import EMBEDDING, stem

SIDECAR_NAME, FORMAT = "sidecar-name", "format"

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "never": 'the profile says embed = "never"',
        "raw": 'the profile says pairs = "raw"',
        "signed": "they carry Content Credentials, which any write makes invalid",
        "read-only": "they are read-only",
        "hard-linked": "they have several names (hard links), which a write would part",
        "iptc-newer": "their IPTC keywords are newer than their packet",
        SIDECAR_NAME: 'the profile says sidecar_name = "darktable"',
        FORMAT: "HEIC, PNG, WebP and PSD files are never written into",
    }
)
"""Reasons in words, to stand after a number of files; others are refusals of single packets."""


def told(reason: str) -> str:
    """A reason in words."""
    return WORDS.get(reason, f"they cannot be edited safely ({reason})")


def blind(photo: Photo) -> str | None:
    """Why Lightroom does not see what is written for this photo; None: it does.

    A stable word: `never`, `signed`, another reason for which the file is spared, `sidecar-name`,
    `format`.
    """
    if photo.kind is FileKind.RAW:
        wanted = fold(f"{stem(photo.path.name)}.xmp")
        seen = any(
            carrier.kind is CarrierKind.SIDECAR and fold(carrier.path.name) == wanted
            for carrier in photo.carriers
        )
        return None if seen else SIDECAR_NAME
    if photo.kind not in EMBEDDING:
        return FORMAT
    if any(
        carrier.kind is CarrierKind.EMBEDDED and carrier.path == photo.path
        for carrier in photo.carriers
    ):
        return None
    return next((each.reason for each in photo.spared if each.path == photo.path), "never")
