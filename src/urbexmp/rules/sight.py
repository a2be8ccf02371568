"""Whether Lightroom Classic will see the keywords of a photo, and what keeps it from that.

It reads `BASENAME.xmp` beside a proprietary raw, and the packet inside every other file (XMP.md
2.1, 2.3). Everything that is written elsewhere is for other programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from urbexmp.model.keyword import fold
from urbexmp.model.photo import CarrierKind, FileKind, Photo
from urbexmp.model.profile import Profile
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

_NEVER = "the keywords of JPEG, TIFF and DNG files go to sidecars, which Lightroom does not read"
_DARKTABLE = "new sidecars of raw files are named for darktable, and Lightroom does not read them"
_SIGNED = "files with Content Credentials get their keywords in a sidecar, unseen by Lightroom"
_IPTC = "files whose IPTC keywords are newer than their packet get theirs in a sidecar, unseen too"
_RAW = "the JPEG of a RAW+JPEG pair gets no keywords; Lightroom shows the raw's"


def hidden(profile: Profile) -> tuple[tuple[str, str, bool], ...]:
    """What the choices of a profile hide from Lightroom: a sentence without its full stop, what
    to set to change that, and whether this is the default."""
    embeds = profile.embed == "auto"
    found = (
        (not embeds, (_NEVER, 'embed = "auto"', False)),
        (
            profile.sidecar_name == "darktable",
            (_DARKTABLE, 'sidecar_name = "lightroom"', False),
        ),
        (profile.pairs == "raw", (_RAW, 'pairs = "both"', True)),
        (embeds and not profile.adopt_iptc, (_IPTC, "adopt_iptc = true", True)),
        (embeds and not profile.break_c2pa, (_SIGNED, "break_c2pa = true", True)),
    )
    return tuple(what for holds, what in found if holds)


def told(reason: str) -> str:
    """A reason in words."""
    return WORDS.get(reason, f"they cannot be edited safely ({reason})")


_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "signed": "`break_c2pa = true` writes into them all the same and makes them invalid",
        "read-only": "Make them writable; the next `urbexmp sync` takes them up by itself",
        "hard-linked": "Give each its own copy; the next `urbexmp sync` takes them up by itself",
        "iptc-newer": "Read and save their metadata in Lightroom, or set `adopt_iptc = true`",
    }
)


def advice(reason: str) -> str:
    """What a person can do about files that are spared for a reason, without a full stop."""
    return _REMEDIES.get(reason, "Save them anew in an image editor, if they should get keywords")


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
