"""The directories of a TIFF or DNG: what lies where, and whether anything is broken.

TIFF 6.0 and BigTIFF: a header points to the first directory, each directory to the next one
(the pages), and some entries to sub-directories. Everything is reached by offsets from the
file's start, so what does not move stays reachable, whatever private data it holds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from urbexmp.adapters.embedded.layout import Source

_SIZES = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
    16: 8, 17: 8, 18: 8,
}  # fmt: skip
"""Bytes of one value, by type. Types that are not here are skipped, as TIFF wants it."""
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}

STRIPS, STRIP_SIZES, TILES, TILE_SIZES = 273, 279, 324, 325
JPEG_AT, JPEG_SIZE = 513, 514
SUB_IFDS, GLOBAL_IFD, EXIF_IFD, GPS_IFD, INTEROP_IFD = 330, 400, 34665, 34853, 40965
_POINTERS = frozenset({SUB_IFDS, GLOBAL_IFD, EXIF_IFD, GPS_IFD, INTEROP_IFD})
_EXTENTS = ((STRIPS, STRIP_SIZES), (TILES, TILE_SIZES), (JPEG_AT, JPEG_SIZE))
_OLD_JPEG_TABLES = (519, 520, 521)

_MOST_DIRECTORIES, _MOST_ENTRIES, _MOST_POINTERS = 1 << 16, 1 << 16, 1 << 16
_CHUNK = 1 << 16
"""Values of a long list (the strips of a large picture) that are held at a time."""


class Broken(Exception):  # noqa: N818  (says what the file is)
    """Something in the file is not as it must be. Carries a stable word and the details."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(reason, detail)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory. Offsets count from the file's start."""

    tag: int
    kind: int
    count: int
    at: int
    """Where the entry itself lies."""
    values_at: int
    """Where its values lie: in the entry when they fit into it."""

    @property
    def size(self) -> int:
        """Bytes that its values take; 0 for a type that nobody knows."""
        return _SIZES.get(self.kind, 0) * self.count


@dataclass(frozen=True, slots=True)
class Directory:
    """One image file directory."""

    at: int
    table: bytes
    """All its bytes: the count, the entries, the offset of the next one."""
    entries: tuple[Entry, ...]
    following: int
    """Where the next page's directory lies; 0: there is none."""
    trail: str
    """How it was reached, for messages: `directory 0`."""

    def all(self, tag: int) -> tuple[Entry, ...]:
        """The entries of a tag; lawful files have at most one."""
        return tuple(entry for entry in self.entries if entry.tag == tag)

    def first(self, tag: int) -> Entry | None:
        """The entry that readers use."""
        return next((entry for entry in self.entries if entry.tag == tag), None)


@dataclass(frozen=True, slots=True)
class Form:
    """Byte order and widths: all that differs between the four kinds of TIFF."""

    order: str
    """Of the bytes, as `struct` spells it: `<` or `>`."""
    big: bool

    @property
    def header(self) -> int:
        """Bytes of the header."""
        return 16 if self.big else 8

    @property
    def first_at(self) -> int:
        """Where the offset of the first directory lies."""
        return 8 if self.big else 4

    @property
    def width(self) -> int:
        """Bytes of one entry."""
        return 20 if self.big else 12

    @property
    def room(self) -> int:
        """Bytes of an offset; values that take no more lie in the entry itself."""
        return 8 if self.big else 4

    @property
    def alignment(self) -> int:
        """What offsets of new data are a multiple of."""
        return 8 if self.big else 2

    @property
    def most(self) -> int:
        """The largest offset that can be spelled."""
        return 2**64 - 1 if self.big else 2**32 - 1

    def offset(self, number: int) -> bytes:
        """An offset, or the count of an entry."""
        return struct.pack(self.order + ("Q" if self.big else "I"), number)

    def number(self, spelled: bytes) -> int:
        """The inverse of `offset`."""
        return int.from_bytes(spelled, "little" if self.order == "<" else "big")

    def entries(self, number: int) -> bytes:
        """The count of entries that begins a directory."""
        return struct.pack(self.order + ("Q" if self.big else "H"), number)


class Tree:
    """A TIFF as far as its first directory, which is looked at for good (`Source.at`)."""

    def __init__(self, source: Source) -> None:
        """Raises `Broken` when it is no TIFF or its first directory cannot be read."""
        self.source = source
        self.size = source.size
        head = source.at(0, 8)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        magic = 0 if order is None else struct.unpack(order + "H", head[2:4].ljust(2, b"\0"))[0]
        if order is None or magic not in (42, 43):
            raise Broken("not-a-tiff", "its first bytes are not those of a TIFF")
        self.form = Form(order, magic == 43)
        if self.form.big:
            head += source.at(8, 8)
        if len(head) < self.form.header:
            raise Broken("truncated", "it ends in its header")
        if self.form.big and struct.unpack(order + "HH", head[4:8]) != (8, 0):
            raise Broken("broken-directory", "its BigTIFF header has an unknown offset size")
        self.head = head
        first = self.form.number(head[self.form.first_at :][: self.form.room])
        self.first = self._directory(first, "directory 0", source.at)

    def directories(self) -> Iterator[Directory]:
        """Every directory once: the pages, and the sub-directories of each. Not for envelopes.

        Raises `Broken` (`loop`, `truncated`, `broken-directory`) where one cannot be reached.
        """
        seen = {self.first.at}
        waiting = [(self.first, 0)]
        page, found = 0, 0
        while waiting:
            directory, depth = waiting.pop()
            found += 1
            if found > _MOST_DIRECTORIES:
                raise Broken("broken-directory", f"it has over {_MOST_DIRECTORIES} directories")
            yield directory
            targets: list[tuple[int, str, int]] = []
            if directory.following:
                # The chain of a sub-directory belongs to it, not to the pages.
                page += depth == 0
                trail = f"directory {page}" if depth == 0 else f"{directory.trail}, next"
                targets.append((directory.following, trail, depth))
            for entry in directory.entries:
                if entry.tag in _POINTERS:
                    if entry.count > _MOST_POINTERS:
                        raise Broken("broken-directory", f"{_named(entry)} lists too many")
                    where = f"{directory.trail}, {_named(entry)}"
                    targets += [(at, where, depth + 1) for at in self.numbers(entry) if at]
            for at, trail, level in targets:
                if at in seen:
                    raise Broken("loop", f"{trail} leads to a directory that was met before")
                seen.add(at)
                waiting.append((self._directory(at, trail, self._glance), level))

    def numbers(self, entry: Entry) -> Iterator[int]:
        """The whole numbers of an entry, a part at a time; none where it holds something else."""
        code, size = _CODES.get(entry.kind), _SIZES.get(entry.kind, 0)
        if code is None or entry.values_at + entry.size > self.size:
            return
        done = 0
        while done < entry.count:
            wanted = min(_CHUNK, entry.count - done)
            data = self._glance(entry.values_at + done * size, wanted * size)
            if len(data) < wanted * size:
                raise Broken("truncated", f"{_named(entry)} is cut short")
            yield from struct.unpack(f"{self.form.order}{wanted}{code}", data)
            done += wanted

    def extents(self, directory: Directory) -> Iterator[tuple[int, int, str]]:
        """Offset, length and name of all that a directory uses, itself included.

        Where the file does not say a length, it is 1.
        """
        yield directory.at, len(directory.table), f"the table of {directory.trail}"
        for entry in directory.entries:
            if entry.size > self.form.room:
                yield entry.values_at, entry.size, f"{_named(entry)} of {directory.trail}"
        for offsets, lengths in _EXTENTS:
            where, sizes = directory.first(offsets), directory.first(lengths)
            if where is None:
                continue
            name = f"picture data of {directory.trail}"
            # A list that is shorter than the other says nothing of the rest.
            said = self.numbers(sizes) if sizes is not None else iter(())
            for at in self.numbers(where):
                length = next(said, 1)
                if length:  # a sparse picture has strips of no length, at offset 0
                    yield at, length, name
        for tag in _OLD_JPEG_TABLES:
            tables = directory.first(tag)
            if tables is not None:
                for at in self.numbers(tables):
                    yield at, 1, f"JPEG tables of {directory.trail}"

    def _glance(self, offset: int, length: int) -> bytes:
        return self.source.glance(offset, length) or b""

    def _directory(self, at: int, trail: str, read: Callable[[int, int], bytes]) -> Directory:
        form = self.form
        if at < form.header:
            raise Broken("broken-directory", f"{trail} lies in the header, at {at}")
        lead = 8 if form.big else 2
        head = read(at, lead)
        if len(head) < lead:
            raise Broken("truncated", f"{trail} lies past the file's end, at {at}")
        count = form.number(head)
        if not 0 < count <= _MOST_ENTRIES:
            raise Broken("broken-directory", f"{trail} has {count} entries")
        length = lead + count * form.width + form.room
        table = read(at, length)
        if len(table) < length:
            raise Broken("truncated", f"{trail} goes on past the file's end")
        entries = tuple(
            self._entry(table[start : start + form.width], at + start)
            for start in range(lead, length - form.room, form.width)
        )
        return Directory(at, table, entries, form.number(table[-form.room :]), trail)

    def _entry(self, spelled: bytes, at: int) -> Entry:
        form = self.form
        tag, kind = struct.unpack(form.order + "HH", spelled[:4])
        count = form.number(spelled[4 : 4 + form.room])
        entry = Entry(tag, kind, count, at, at + form.width - form.room)
        if entry.size <= form.room:
            return entry
        return Entry(tag, kind, count, at, form.number(spelled[-form.room :]))


def _named(entry: Entry) -> str:
    return f"tag {entry.tag}"
