"""Image files in memory as a container sees them, and writes carried out on bytes."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageSequence

from urbexmp.adapters.embedded.layout import Source, Splice
from urbexmp.adapters.embedded.tiff import TiffContainer
from urbexmp.model.errors import InternalProblem

PHOTO = Path("photo.tif")
_TIFF = TiffContainer()


class Seen:
    """A file; remembers what was looked at for good. `size`: as if it went on with zeros."""

    def __init__(self, content: bytes, size: int | None = None) -> None:
        self.content = content
        self.size = len(content) if size is None else size
        self.kept: dict[int, bytes] = {}

    def at(self, offset: int, length: int) -> bytes:
        data = self.glance(offset, length)
        if len(self.kept.get(offset, b"")) < len(data):
            self.kept[offset] = data
        return data

    def glance(self, offset: int, length: int) -> bytes:
        length = max(min(length, self.size - offset), 0)
        return self.content[offset : offset + length].ljust(length, b"\0")


class Kept:
    """Only what `TiffContainer.layout` looked at for good in a file; anything else fails."""

    def __init__(self, size: int, parts: dict[int, bytes]) -> None:
        self.size = size
        self.parts = parts

    @classmethod
    def of(cls, content: bytes) -> Kept:
        seen = Seen(content)
        _TIFF.layout(seen, PHOTO)
        return cls(len(content), seen.kept)

    def at(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        for start, data in self.parts.items():
            if start <= offset and offset + length <= start + len(data):
                return data[offset - start :][:length]
        raise InternalProblem(PHOTO, detail=f"{length} bytes at {offset} were not kept")

    def glance(self, offset: int, length: int) -> None:
        return None


def done(content: bytes, splices: Iterable[Splice]) -> bytes:
    """The file with splices done to it; fails where they are out of order or overlap."""
    made, at = b"", 0
    for splice in splices:
        assert at <= splice.offset <= splice.end <= len(content)
        made += content[at : splice.offset] + splice.insert
        at = splice.end
    return made + content[at:]


def put(content: bytes, packet: bytes, words: tuple[str, ...] | None = None) -> bytes:
    """The file with another packet, checked as the store checks it."""
    seen = Seen(content)
    layout = _TIFF.layout(seen, PHOTO)
    ready = _TIFF.pad(layout, packet, words)
    splices = _TIFF.splices(layout, ready, words, PHOTO)
    after = done(content, splices)
    assert _TIFF.check(Seen(content), Seen(after), splices) is None
    now = _TIFF.layout(Seen(after), PHOTO)
    assert now.packet == ready
    assert now.refusal is None
    assert _TIFF.splices(now, ready, None, PHOTO) == ()
    return after


def undone(before: bytes, after: bytes) -> bytes:
    """`after` turned back, knowing only what is kept of `before`."""
    source: Source = Seen(after)
    return done(after, _TIFF.towards(source, Kept.of(before), PHOTO))


def pixels(content: bytes) -> list[tuple[tuple[int, int], str]]:
    """Size and digest of every page's decoded pixels."""
    if content[:4] == b"MM\0+":
        return _strips(content)  # Pillow takes it for a small TIFF
    with Image.open(io.BytesIO(content)) as image:
        return [
            (page.size, hashlib.sha256(page.convert("RGB").tobytes()).hexdigest())
            for page in ImageSequence.Iterator(image)
        ]


def _strips(content: bytes) -> list[tuple[tuple[int, int], str]]:
    """The same for a BigTIFF in the other byte order, uncompressed."""
    pages = []
    (at,) = struct.unpack_from(">Q", content, 8)
    while at:
        (count,) = struct.unpack_from(">Q", content, at)
        tags: dict[int, tuple[int, ...]] = {}
        for start in range(at + 8, at + 8 + count * 20, 20):
            tag, kind, number = struct.unpack_from(">HHQ", content, start)
            code = {3: "H", 4: "I"}.get(kind)
            if code:
                size = struct.calcsize(f">{number}{code}")
                where = (
                    start + 12 if size <= 8 else struct.unpack_from(">Q", content, start + 12)[0]
                )
                tags[tag] = struct.unpack_from(f">{number}{code}", content, where)
        places = zip(tags.get(273) or tags[324], tags.get(279) or tags[325], strict=True)
        data = b"".join(content[start : start + size] for start, size in places)
        pages.append(((tags[256][0], tags[257][0]), hashlib.sha256(data).hexdigest()))
        (at,) = struct.unpack_from(">Q", content, at + 8 + count * 20)
    return pages
