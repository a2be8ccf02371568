"""What a file holds, by its first bytes, and whether that fits its extension."""

from __future__ import annotations

from pathlib import Path

from urbexmp.adapters.inspect.reader import Reader
from urbexmp.adapters.inspect.tiff import read_tiff
from urbexmp.model.errors import NotAPhoto
from urbexmp.rules.formats import RAW_EXTENSIONS, extension

TIFF_LIKE = frozenset({"a TIFF", "a DNG"})
"""Contents that `tiff` can read for a `.tif`; raw files are built like it too."""

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "a JPEG"),
    (b"\x89PNG\r\n\x1a\n", "a PNG"),
    (b"8BPS", "a Photoshop document"),
    (b"GIF8", "a GIF"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"FUJIFILMCCD-RAW", "a Fujifilm RAF"),
    (b"FOVb", "a Sigma X3F"),
    (b"\0MRM", "a Minolta MRW"),
    (b"IIU\0", "a Panasonic RW2"),
    (b"IIRO", "an Olympus ORF"),
    (b"IIRS", "an Olympus ORF"),
    (b"MMOR", "an Olympus ORF"),
    (b"<?xml", "XML"),
    (b"<x:xmpmeta", "XML"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
)
_NEVER_RAW = frozenset(
    {
        "a JPEG",
        "a PNG",
        "a WebP",
        "a Photoshop document",
        "a GIF",
        "a PDF",
        "a gzip archive",
        "a RAR archive",
        "a 7z archive",
        "a HEIC",
        "an AVIF",
        "a video",
        "XML",
        "a web page",
        "empty",
        "nothing but zeros",
    }
)
_EXPECTED: dict[str, frozenset[str]] = {
    **dict.fromkeys(("jpg", "jpeg", "jpe"), frozenset({"a JPEG"})),
    **dict.fromkeys(("tif", "tiff"), TIFF_LIKE),
    "dng": frozenset({"a DNG"}),
    **dict.fromkeys(("heic", "heif", "hif"), frozenset({"a HEIC", "an AVIF"})),
    "avif": frozenset({"an AVIF"}),
    "png": frozenset({"a PNG"}),
    "webp": frozenset({"a WebP"}),
    "psd": frozenset({"a Photoshop document"}),
    "cr3": frozenset({"a Canon CR3"}),
    "crw": frozenset({"a Canon CRW", *TIFF_LIKE}),
    "raf": frozenset({"a Fujifilm RAF"}),
    "x3f": frozenset({"a Sigma X3F"}),
    "mrw": frozenset({"a Minolta MRW"}),
    "orf": frozenset({"an Olympus ORF", *TIFF_LIKE}),
    "rw2": frozenset({"a Panasonic RW2", *TIFF_LIKE}),
    **dict.fromkeys(("cr2", "nef", "nrw", "arw", "sr2", "pef", "srw", "gpr", "3fr"), TIFF_LIKE),
}
"""Contents that an extension may have. Other raw extensions take whatever is no other format:
some old ones have no magic bytes."""


def sniff(reader: Reader) -> str:
    """What the file holds, in words; `unknown` where its first bytes say nothing."""
    head = reader.at(0, 64)
    if not head:
        return "empty"
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if head[6:14] == b"HEAPCCDR":
        return "a Canon CRW"
    if head[:4] == b"RIFF":
        return "a WebP" if head[8:12] == b"WEBP" else "a video"
    if head[4:8] == b"ftyp":
        return _brand(reader, head)
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        tiff = read_tiff(reader)
        return "a DNG" if tiff is not None and tiff.is_dng else "a TIFF"
    if not any(head) and not any(reader.at(0, 4096)):
        return "nothing but zeros"
    return "unknown"


def _brand(reader: Reader, head: bytes) -> str:
    """Which of the formats made of boxes: the main brand, then the compatible ones."""
    size = min(int.from_bytes(head[:4], "big"), 256)
    names = reader.at(8, max(size - 8, 8))
    brands = [names[:4], *(names[n : n + 4] for n in range(8, len(names), 4))]
    for brand in brands:
        if brand == b"crx ":
            return "a Canon CR3"
        if brand in (b"avif", b"avis"):
            return "an AVIF"
        if brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
            return "a HEIC" if b"avif" not in brands else "an AVIF"
    return "a video"


def check(path: Path, found: str) -> None:
    """Raise `NotAPhoto` when the extension promises something else than was found."""
    ext = extension(path.name)
    expected = _EXPECTED.get(ext)
    if expected is not None:
        fits = found in expected
    else:
        fits = ext in RAW_EXTENSIONS and found not in _NEVER_RAW
    if not fits:
        said = "nothing that we know" if found == "unknown" else found
        if ext == "dng" and found == "a TIFF":
            said = "a TIFF without DNGVersion"
        raise NotAPhoto(path, extension=f".{ext}", found=said)
