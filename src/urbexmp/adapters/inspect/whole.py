"""Whether a file is complete, as far as its structure tells: nothing is decoded.

A copy under way shows as a picture that is cut off, as tables that lead outside of the file, or
as nothing but zeros where a program reserved the room first. A file that holds something else
than its name says is complete: what is wrong with it is said when it is looked at.
"""

from __future__ import annotations

import re
from pathlib import Path

from urbexmp.adapters.inspect import boxes, identity, jpeg, magic
from urbexmp.adapters.inspect.reader import Reader, opened
from urbexmp.model.errors import Problem, Undecodable

SHORTEST = 16
"""Bytes; all that the heads of the formats need, and less than any picture has."""

TAIL = 64
"""Bytes at the end in which the end marker of nearly every JPEG lies."""

_BOXED = frozenset({"a Canon CR3", "a HEIC", "an AVIF"})
_PACKET_END = re.compile(rb"</(?:[\w.-]+:)?RDF\s*>")


def is_whole(path: Path) -> bool:
    """Whether a photo file or a sidecar is complete. False for one that cannot be read."""
    try:
        with opened(path) as reader:
            if path.name[-4:].lower() == ".xmp":
                return _packet(reader)
            return _picture(reader)
    except Problem:
        return False


def _packet(reader: Reader) -> bool:
    # In UTF-16 and UTF-32 every letter of these comes with zeros.
    return _PACKET_END.search(reader.at(0, reader.size).replace(b"\0", b"")) is not None


def _picture(reader: Reader) -> bool:
    found = magic.sniff(reader)
    # Too short to be known by its head, it is no whole picture either.
    if found in ("empty", "nothing but zeros") or reader.size < SHORTEST:
        return False
    if found == "a JPEG":
        # Where the marker is not near the end (cameras append previews, phones whole videos),
        # the picture is searched for it; that reads the file.
        return _ends(reader) or jpeg.picture(reader, _nothing) is not None
    if found == "a PNG":
        return b"IEND" in reader.at(max(0, reader.size - 4096), 4096)
    if found == "a WebP":
        return reader.size >= 8 + int.from_bytes(reader.at(4, 4), "little")
    if found in _BOXED and any(box.end > reader.size for box in boxes.boxes(reader)):
        return False
    if found in ("a TIFF", "a DNG", "a Canon CRW", "a Fujifilm RAF", *_BOXED):
        try:
            identity.photo_id(reader, found)
        except Undecodable:
            return False
    return True


def _ends(reader: Reader) -> bool:
    tail = reader.at(max(0, reader.size - TAIL), TAIL).rstrip(b"\0")
    return b"\xff\xd9" in tail and any(s.marker == jpeg.SOS for s in jpeg.segments(reader))


def _nothing(_stretch: bytes) -> None:
    """The picture's bytes are only counted."""
