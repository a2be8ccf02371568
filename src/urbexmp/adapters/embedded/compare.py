"""The proof that a file written anew is the old one with exactly the planned splices.

Shares no code with `rewrite`, which made it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from urbexmp.adapters.embedded import direct
from urbexmp.adapters.embedded.layout import Splice
from urbexmp.adapters.embedded.rewrite import Trace
from urbexmp.model.errors import ProofFailed

_BLOCK = 4096
_PIECE = 128 * 2**10
"""Bytes compared at a time: two of these stay in the processor's cache."""


def prove_rewrite(
    source: Path, temp: Path, splices: Sequence[Splice], trace: Trace | None = None
) -> None:
    """Raise `ProofFailed` unless `temp` is `source` with exactly `splices` done to it.

    Both are read again and compared, all bytes, a piece at a time. Of stretches that `trace` says
    are shared with the old file, or were read back from the disk and compared already, the first
    and the last block are: what they hold is known, and their ends show that it is in the right
    place. The ends of what went straight to the disk are read from the disk.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    old = os.open(source, flags)
    try:
        new = os.open(temp, flags)
        try:
            _Comparison(old, new, temp, trace or Trace(), source).run(splices)
        finally:
            os.close(new)
    finally:
        os.close(old)


@dataclass(slots=True)
class _Comparison:
    old: int
    new: int
    temp: Path
    trace: Trace
    subject: Path

    def run(self, splices: Sequence[Splice]) -> None:
        """Raise `ProofFailed` at the first byte that is wrong."""
        moved = 0
        at = 0
        size = os.fstat(self.old).st_size
        for splice in (*splices, Splice(size, 0, b"")):
            self._stays(at + moved, splice.offset + moved, moved)
            self._holds(splice.offset + moved, splice.insert)
            at = splice.end
            moved += splice.growth
        if os.fstat(self.new).st_size != size + moved:
            raise ProofFailed(self.subject, detail="the new file has another length than it should")

    def _stays(self, start: int, end: int, moved: int) -> None:
        """Compare a stretch of the new file with what stood `moved` bytes before in the old."""
        known = [(first, length, False) for first, length in self.trace.shared]
        known += [(first, length, True) for first, length in self.trace.direct]
        for first, length, on_disk in sorted(known):
            last = first + length
            if start <= first and last <= end and length > 2 * _BLOCK:
                self._same(start, first, moved)
                same = self._same_on_disk if on_disk else self._same
                same(first, first + _BLOCK, moved)
                same(last - _BLOCK, last, moved)
                start = last
        self._same(start, end, moved)

    def _same(self, start: int, end: int, moved: int) -> None:
        # Buffers that are filled again, because fresh ones cost more than the comparison.
        one = two = bytearray()
        while start < end:
            size = min(end - start, _PIECE)
            if len(one) != size:
                one, two = bytearray(size), bytearray(size)
            _fill(self.old, start - moved, one)
            _fill(self.new, start, two)
            if one != two:
                raise self._differs()
            start += size

    def _same_on_disk(self, start: int, end: int, moved: int) -> None:
        old = bytearray(end - start)
        _fill(self.old, start - moved, old)
        if old != direct.read(self.temp, start, end - start):
            raise self._differs()

    def _differs(self) -> ProofFailed:
        return ProofFailed(self.subject, detail="bytes that are none of the packet's would differ")

    def _holds(self, offset: int, wanted: bytes) -> None:
        found = bytearray(len(wanted))
        _fill(self.new, offset, found)
        if found != wanted:
            raise ProofFailed(self.subject, detail="what was to be written is not there")


def _fill(handle: int, offset: int, buffer: bytearray) -> None:
    """Read into the whole buffer; the rest is zeros where the file is too short."""
    if not buffer:
        return
    if hasattr(os, "preadv"):
        done = os.preadv(handle, [buffer], offset)
        if done == len(buffer):
            return
    os.lseek(handle, offset, os.SEEK_SET)
    at = 0
    while at < len(buffer):
        piece = os.read(handle, len(buffer) - at)
        if not piece:
            buffer[at:] = bytes(len(buffer) - at)
            return
        buffer[at : at + len(piece)] = piece
        at += len(piece)
