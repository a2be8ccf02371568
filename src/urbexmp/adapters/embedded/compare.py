"""The proof that a file written anew is the old one with exactly the planned splices.

Shares no code with `rewrite`, which made it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from urbexmp.adapters.embedded.layout import Splice
from urbexmp.adapters.embedded.rewrite import Trace
from urbexmp.model.errors import ProofFailed

_BLOCK = 4096
_PIECE = 128 * 2**10
"""Bytes compared at a time: two of these stay in the processor's cache."""
_SAMPLE = 128 * 2**10
"""One block in so many bytes is compared of what the kernel copied."""


def prove_rewrite(
    source: Path, temp: Path, splices: Sequence[Splice], trace: Trace | None = None
) -> None:
    """Raise `ProofFailed` unless `temp` is `source` with exactly `splices` done to it.

    Both are read again and compared, all bytes, a piece at a time. Of stretches that `trace` says
    are shared blocks, the first and the last block are compared: which blocks were shared is
    proven by their ends. Of those that the kernel copied where it is trusted
    (`kernel.copies_truly`), also one block in every `_SAMPLE` bytes.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    old = os.open(source, flags)
    try:
        new = os.open(temp, flags)
        try:
            _compare(old, new, splices, trace or Trace(), source)
        finally:
            os.close(new)
    finally:
        os.close(old)


def _compare(old: int, new: int, splices: Sequence[Splice], trace: Trace, subject: Path) -> None:
    spared = sorted(
        [(first, length, length) for first, length in trace.shared]
        + [(first, length, _SAMPLE) for first, length in trace.kernel]
    )
    moved = 0
    at = 0
    size = os.fstat(old).st_size
    for splice in (*splices, Splice(size, 0, b"")):
        for start, end in _to_compare(at + moved, splice.offset + moved, spared):
            _same(old, new, start - moved, start, end - start, subject)
        _holds(new, splice.offset + moved, splice.insert, subject)
        at = splice.end
        moved += splice.growth
    if os.fstat(new).st_size != size + moved:
        raise ProofFailed(subject, detail="the new file has another length than it should")


def _to_compare(
    start: int, end: int, spared: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[int, int]]:
    """Stretches of the new file to compare, from `start` to `end`.

    `spared`: offset, length, and of how many bytes each one block is compared all the same.
    """
    for first, length, every in spared:
        last = first + length
        if start <= first and last <= end and length > 2 * _BLOCK:
            yield start, first + _BLOCK
            for sample in range(first + every, last - 2 * _BLOCK, every):
                yield sample, sample + _BLOCK
            start = last - _BLOCK
    yield start, end


def _same(old: int, new: int, here: int, there: int, length: int, subject: Path) -> None:
    """Compare a stretch of both. Buffers that are filled again, because fresh ones cost more than
    the comparison."""
    one = two = bytearray()
    while length > 0:
        if len(one) != min(length, _PIECE):
            one, two = bytearray(min(length, _PIECE)), bytearray(min(length, _PIECE))
        _fill(old, here, one)
        _fill(new, there, two)
        if one != two:
            raise ProofFailed(subject, detail="bytes that are none of the packet's would differ")
        here, there, length = here + len(one), there + len(two), length - len(one)


def _holds(new: int, offset: int, wanted: bytes, subject: Path) -> None:
    found = bytearray(len(wanted))
    _fill(new, offset, found)
    if found != wanted:
        raise ProofFailed(subject, detail="what was to be written is not there")


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
