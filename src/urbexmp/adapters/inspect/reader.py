"""Bytes of a file by offset, reading only what is asked for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from urbexmp.model.errors import FileUnreadable, FileVanished

BLOCK = 16 * 1024
"""Small reads are rounded up to this and kept, so that a walk over headers is one read."""

BLOCKS = 8
"""So many of them: the directories of a raw file lie apart, and each is gone back to for the
values of its entries. With one block a DNG's preview cost 320 KB beside it, now 64."""


class Reader:
    """Random access to an open file. Not thread-safe; each look opens its own."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path = path
        self.size = size
        self._descriptor = descriptor
        self._block_at = 0
        self._block = b""
        self._older: deque[tuple[int, bytes]] = deque(maxlen=BLOCKS - 1)
        self.known: dict[str, Any] = {}
        """What was worked out of its content, by whom: directories, the format."""

    def at(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`; fewer than `length` at the end of the file, none outside it."""
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        start = offset - self._block_at
        if start >= 0 and start + length <= len(self._block):
            return self._block[start : start + length]
        if length >= BLOCK:
            return self._read(offset, length)
        self._older.append((self._block_at, self._block))
        self._block_at, self._block = self._kept(offset, length)
        start = offset - self._block_at
        return self._block[start : start + length]

    def _kept(self, offset: int, length: int) -> tuple[int, bytes]:
        """Another block that holds this: one that was read before, or a new one."""
        for held in self._older:
            if held[0] <= offset and offset + length <= held[0] + len(held[1]):
                self._older.remove(held)
                return held
        return offset, self._read(offset, BLOCK)

    def _read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        parts: list[bytes] = []
        try:
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            while length > 0:
                part = os.read(self._descriptor, length)
                if not part:
                    break
                parts.append(part)
                length -= len(part)
        except OSError as trouble:
            raise unreadable(self.path, trouble) from trouble
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Part(Reader):
    """A stretch of a file that counts its own offsets from 0 (a TIFF inside a box)."""

    def __init__(self, whole: Reader, start: int, size: int) -> None:
        super().__init__(whole.path, -1, max(0, min(size, whole.size - start)))
        self._whole, self._start = whole, start

    def _read(self, offset: int, length: int) -> bytes:
        return self._whole.at(self._start + offset, min(length, self.size - offset))


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Open a file for reading. Raises `FileVanished`, `FileUnreadable`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as trouble:
        raise unreadable(path, trouble) from trouble
    try:
        yield Reader(path, descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def unreadable(path: Path, trouble: OSError) -> FileUnreadable | FileVanished:
    """The problem that an operating system error stands for."""
    if isinstance(trouble, FileNotFoundError):
        return FileVanished(path)
    return FileUnreadable(path, detail=trouble.strerror or type(trouble).__name__)
