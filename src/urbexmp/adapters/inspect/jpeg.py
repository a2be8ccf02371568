"""The outer form of a JPEG: its segments, its size, where its picture ends (ITU-T T.81 B)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from urbexmp.adapters.inspect.reader import Reader

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
APP1, APP13 = 0xE1, 0xED
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive frames. Lossless ones (raw data) are no preview."""

_CHUNK = 1 << 20
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""In a scan, FF 00 is a stuffed byte and FF D0-D7 a restart; anything else is a marker."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment; `offset` and `size` are those of its content."""

    marker: int
    offset: int
    size: int


def segments(reader: Reader, start: int = 0) -> Iterator[Segment]:
    """Segments from SOI up to and with the first SOS. Ends early where they are damaged."""
    if reader.at(start, 2) != b"\xff\xd8":
        return
    at = start + 2
    while True:
        head = reader.at(at, 4)
        if len(head) < 4 or head[0] != 0xFF:
            return
        marker = head[1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker == EOI:
            return
        else:
            size = int.from_bytes(head[2:4], "big")
            if size < 2:
                return
            yield Segment(marker, at + 4, size - 2)
            if marker == SOS:
                return
            at += 2 + size


def frame_size(reader: Reader, start: int = 0) -> tuple[int, int] | None:
    """Width and height of a JPEG that can be decoded; None: there is none at `start`."""
    for segment in segments(reader, start):
        if segment.marker in _FRAMES:
            frame = reader.at(segment.offset, 5)
            if len(frame) < 5:
                return None
            height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
            return (width, height) if width and height else None
        if 0xC3 <= segment.marker <= 0xCF and segment.marker not in (0xC4, 0xC8, 0xCC):
            return None
    return None


def picture(reader: Reader, feed: Callable[[bytes], object], start: int = 0) -> int | None:
    """Feed the bytes from the first SOS marker to EOI; return where EOI ends.

    None when the file ends before that: it is cut off, or no JPEG. Metadata lies in front of
    the first SOS, previews and whatever cameras append behind EOI.
    """
    begin = next((s.offset - 4 for s in segments(reader, start) if s.marker == SOS), None)
    if begin is None:
        return None
    at, step = begin, 4
    header = reader.at(begin, 4)
    if len(header) < 4:
        return None
    while True:
        # A segment: its marker, its length and its content.
        size = 2 + int.from_bytes(header[2:4], "big")
        content = reader.at(at, size)
        if len(content) < size or size < step:
            return None
        feed(content)
        found = _scan(reader, feed, at + size)
        if found is None:
            return None
        at = found
        header = reader.at(at, 4)
        if header[1:2] == bytes([EOI]):
            feed(header[:2])
            return at + 2
        if len(header) < 4:
            return None


def _scan(reader: Reader, feed: Callable[[bytes], object], at: int) -> int | None:
    """Feed entropy-coded data from `at`; return the offset of the marker that ends it."""
    while chunk := reader.at(at, _CHUNK):
        found = _MARKER.search(chunk)
        if found is not None:
            feed(chunk[: found.start()])
            return at + found.start()
        # The last byte could be the first of a marker.
        keep = 1 if chunk.endswith(b"\xff") and len(chunk) > 1 else 0
        feed(chunk[: len(chunk) - keep])
        at += len(chunk) - keep
    return None
