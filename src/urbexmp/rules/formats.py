"""Which file names are photos, and of what kind.

The raw extensions are those beside which Lightroom keeps a sidecar: Adobe's own list of formats
it never writes into, and the newer ones seen with Lightroom sidecars (XMP.md 2.3). By name
only; what a file really holds is looked at when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from urbexmp.model.photo import FileKind

RAW_EXTENSIONS: frozenset[str] = frozenset(
    """
    3fr arw c3f cap cr2 cr3 crw dcr dcs eip erf fff gpr iiq k25 kc2 kdc mef mfw mos mrw nef nrw
    orf ori pef raf raw rw2 rwl sr2 srf srw sraw sti x3f
    """.split()  # noqa: SIM905  (thirty-six lines otherwise)
)
"""Proprietary raw formats, lower case, without the dot."""

KINDS: Mapping[str, FileKind] = MappingProxyType(
    {
        **dict.fromkeys(RAW_EXTENSIONS, FileKind.RAW),
        **dict.fromkeys(("jpg", "jpeg", "jpe"), FileKind.JPEG),
        **dict.fromkeys(("tif", "tiff"), FileKind.TIFF),
        "dng": FileKind.DNG,
        **dict.fromkeys(("heic", "heif", "hif"), FileKind.HEIC),
        **dict.fromkeys(("png", "webp", "psd", "avif"), FileKind.OTHER),
    }
)
"""Kind by extension, lower case, without the dot. Not here: video, `psb` (no decoder)."""

EMBEDDING: frozenset[FileKind] = frozenset({FileKind.JPEG, FileKind.TIFF, FileKind.DNG})
"""Kinds whose packet is written inside the file, where Lightroom reads it (XMP.md R30)."""


def extension(name: str) -> str:
    """The extension of a file name: lower case, without the dot, empty where there is none."""
    stem, dot, last = name.rpartition(".")
    return last.lower() if dot and stem else ""


def stem(name: str) -> str:
    """A file name without its last extension: `IMG_1.JPG` for `IMG_1.JPG.xmp`."""
    before, dot, _ = name.rpartition(".")
    return before if dot and before else name
