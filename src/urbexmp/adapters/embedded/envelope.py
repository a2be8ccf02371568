"""Envelopes: what a packet inside an image file is read, kept and put back as.

Putting a packet back is not enough to get the file back: the segment that held it had another
length, there was another IPTC block beside it, a directory pointed elsewhere. So for a packet in
an image file what `CarrierStore.read` returns, whose digest is the carrier's fingerprint, and
which the backups keep, is an *envelope*: the file's size and those stretches of it that its
container looked at to make a `Layout`: the packet, the IPTC block, the headers around them and
whatever offsets a write has to mend. A few hundred bytes more than the packet, of however large a
file.

That is all a write of ours can change (the bytes outside are proven to stay), so

* an edit can be computed from the envelope alone: the new packet and the splices are made from
  the layout of the old one, the splices are done to the envelope as if it were the file, and what
  comes out is exactly what will be read from the file once they are done to it. The applier
  therefore knows the new fingerprint before it writes, as it does for sidecars;
* a write is `replace(carrier, envelope)`: the splices that lead from one envelope to the other
  are done to the file. Undo and taking back after a crash are the same call with the older one.

An envelope is one line that names it, one line of JSON, and the kept bytes one after the other:
a person can get a packet out of a backup with an editor.

Form: `{"form": 1, "container": "jpeg", "size": 8391612, "kept": [[0, 40], ...], "refusal": null |
[reason, detail, advice], "signed": false, "plain": null | [offset, length]}`. `refusal` and
`signed` are verdicts of checks on bytes that are not kept. `plain` says where in the envelope's
kept bytes the packet is, when it tells all there is: there is no IPTC block beside it.

Another program that moves things around in the file changes its fingerprint without touching the
packet. That costs a look at it, and makes undo take the keywords out instead of putting the file
back, which it can no longer do.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from urbexmp.adapters.embedded.layout import Container, Layout, Refusal, Splice
from urbexmp.model.errors import FileUnreadable, InternalProblem, PacketRefused

MAGIC = b"\x89urbexmp envelope\n"
"""No packet begins like this."""

FORM = 1
_HEAD = 32 * 1024
"""Bytes read at once from the start of a file; mostly all that is looked at."""
_BLOCK = 4096
_BEGINNING = 40
"""Bytes of a packet that tell where it may stand."""
_PLAIN = re.compile(
    rb"""\{"form": %d, "container": "[a-z]+", "size": \d+, "kept": [\d\[\], ]+, "refusal": null,"""
    rb""" "signed": (?:true|false), "plain": \[(\d+), (\d+)\]\}""" % FORM
)
"""What `seal` writes of a file that holds a packet and nothing else of interest."""


class FileSource:
    """An open image file (`layout.Source`). Remembers what was kept of it."""

    def __init__(self, handle: int, path: Path) -> None:
        """The handle stays the caller's."""
        self.path = path
        self.size = os.fstat(handle).st_size
        self.kept: list[tuple[int, int]] = []
        """Start and end of stretches, as they were looked at."""
        self._handle = handle
        self.head = self._read(0, _HEAD)
        """First bytes of the file."""
        self._block_at, self._block = 0, b""

    def at(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`, kept for the envelope; fewer at the end. Raises `FileUnreadable`."""
        self.keep(offset, length)
        return self.view(offset, length)

    def keep(self, offset: int, length: int) -> None:
        """Make bytes part of the envelope."""
        if length > 0 and 0 <= offset < self.size:
            self.kept.append((offset, min(offset + length, self.size)))

    def view(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`; fewer at the end."""
        if offset < 0 or length <= 0:
            return b""
        if offset + length <= len(self.head):
            return self.head[offset : offset + length]
        start = offset - self._block_at
        if start >= 0 and start + length <= len(self._block):
            return self._block[start : start + length]
        if length >= _BLOCK:
            return self._read(offset, length)
        self._block_at, self._block = offset, self._read(offset, _BLOCK)
        return self._block[:length]

    def glance(self, offset: int, length: int) -> bytes | None:
        """Bytes for a check only."""
        return self.view(offset, length)

    def _read(self, offset: int, length: int) -> bytes:
        try:
            os.lseek(self._handle, offset, os.SEEK_SET)
            data = os.read(self._handle, length)
            while len(data) < length and (more := os.read(self._handle, length - len(data))):
                data += more
        except OSError as failure:
            raise FileUnreadable(self.path, detail=failure.strerror or str(failure)) from failure
        return data


@dataclass(slots=True)
class Sparse:
    """A file of which only some stretches are known (`layout.Source`)."""

    size: int
    starts: list[int]
    pieces: list[bytes]
    """Known stretches, ascending, with unknown bytes between any two."""
    path: Path
    kept: list[tuple[int, int]]

    @classmethod
    def of(cls, size: int, known: Iterable[tuple[int, bytes]], path: Path) -> Sparse:
        """From stretches in ascending order; those that touch become one."""
        starts: list[int] = []
        pieces: list[bytes] = []
        for start, data in known:
            if starts and starts[-1] + len(pieces[-1]) == start:
                pieces[-1] += data
            elif data:
                starts.append(start)
                pieces.append(data)
        return cls(size, starts, pieces, path, [])

    def at(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`, kept; fewer at the end. Raises `InternalProblem` when unknown."""
        self.keep(offset, length)
        return self.view(offset, length) if offset >= 0 else b""

    def keep(self, offset: int, length: int) -> None:
        """Make bytes part of the envelope. Raises `InternalProblem` when they are not known."""
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return
        number = bisect_right(self.starts, offset) - 1
        start = offset - self.starts[number] if number >= 0 else -1
        if start < 0 or start + length > len(self.pieces[number]):
            raise InternalProblem(self.path, detail=f"no byte {offset} in its envelope")
        self.kept.append((offset, offset + length))

    def view(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`, zeros where they are not known; fewer at the end."""
        length = max(0, min(length, self.size - offset))
        number = bisect_right(self.starts, offset) - 1
        if number >= 0:
            first = offset - self.starts[number]
            if first + length <= len(self.pieces[number]):
                return self.pieces[number][first : first + length]
        found = bytearray(length)
        for start, piece in zip(self.starts, self.pieces, strict=True):
            first, last = max(start, offset), min(start + len(piece), offset + length)
            if first < last:
                found[first - offset : last - offset] = piece[first - start : last - start]
        return bytes(found)

    def glance(self, offset: int, length: int) -> None:
        """Nothing: what is not kept was checked when the envelope was made."""

    def spliced(self, splices: Sequence[Splice]) -> Sparse:
        """The file after splices. Raises `InternalProblem` when one is about unknown bytes."""
        known: list[tuple[int, bytes]] = []
        moved = 0
        left = list(splices)
        # A splice at the very end of the file, or between stretches, has no piece to lie in.
        todo = [*zip(self.starts, self.pieces, strict=True), (self.size, b"")]
        for start, piece in todo:
            at = start
            while left and left[0].end <= start + len(piece) and left[0].offset >= at:
                splice = left.pop(0)
                known.append((at + moved, piece[at - start : splice.offset - start]))
                known.append((splice.offset + moved, splice.insert))
                moved += splice.growth
                at = splice.end
            known.append((at + moved, piece[at - start :]))
        if left:
            raise InternalProblem(self.path, detail=f"a write to byte {left[0].offset} unseen")
        return Sparse.of(self.size + moved, known, self.path)


def seal(source: FileSource | Sparse, container: Container, layout: Layout) -> bytes:
    """The envelope of a file after its layout was made from `source`."""
    kept = _merged(source.kept)
    body = b"".join([source.view(start, end - start) for start, end in kept])
    refusal = layout.refusal
    plain: list[int] | None = None
    if layout.packet is not None and layout.iptc_state == "none" and not layout.notes:
        # Pieces that are joined: it may be found at the wrong place, but never with other bytes.
        plain = [_found(layout.packet, body), len(layout.packet)]
    stretches = [[start, end - start] for start, end in kept]
    if refusal is None:
        # What the encoder makes of it, many times as fast: lists of numbers look alike.
        said = (
            f'{{"form": {FORM}, "container": "{container.name}", "size": {source.size},'
            f' "kept": {stretches}, "refusal": null,'
            f' "signed": {"true" if layout.signed else "false"},'
            f' "plain": {"null" if plain is None else plain}}}'
        )
    else:
        said = json.dumps(
            {
                "form": FORM,
                "container": container.name,
                "size": source.size,
                "kept": stretches,
                "refusal": (refusal.reason, refusal.detail, refusal.advice),
                "signed": layout.signed,
                "plain": plain,
            }
        )
    return b"".join((MAGIC, said.encode(), b"\n", body))


def _found(packet: bytes, body: bytes) -> int:
    """Where a packet first stands in what it is part of; a long word takes long to prepare for."""
    at = body.find(packet[:_BEGINNING])
    while not body.startswith(packet, at):
        at = body.index(packet[:_BEGINNING], at + 1)
    return at


_latest: tuple[bytes, bytes | None] | None = None
"""The envelope that was made last, and the packet in it: it is read at once, mostly."""


def remember(envelope: bytes, packet: bytes | None) -> bytes:
    """Note a new envelope, and return it. Its packet tells all there is and names no second part;
    None: there is none, and no IPTC block."""
    global _latest
    _latest = envelope, packet  # one assignment: other threads read
    return envelope


def remembered(envelope: bytes) -> tuple[bytes, bytes | None] | None:
    """An envelope that was noted, and its packet; None: it is any other."""
    latest = _latest
    return latest if latest is not None and latest[0] is envelope else None


@dataclass(frozen=True, slots=True)
class Unsealed:
    """An envelope, opened."""

    container: Container
    sparse: Sparse
    layout: Layout


def is_envelope(packet: bytes) -> bool:
    """Whether these bytes are an envelope, and no packet by itself."""
    return packet.startswith(MAGIC)


def plain_packet(envelope: bytes) -> bytes | None:
    """The packet, without opening the envelope; None: that has to be done."""
    end = envelope.find(b"\n", len(MAGIC))
    usual = _PLAIN.fullmatch(envelope, len(MAGIC), end)
    if usual is not None:
        start, length = int(usual[1]), int(usual[2])
    else:
        try:
            said = json.loads(envelope[len(MAGIC) : end])
            if said["form"] != FORM or said["plain"] is None:
                return None
            start, length = said["plain"]
        except (ValueError, KeyError, TypeError):
            return None
    packet = envelope[end + 1 + start : end + 1 + start + length]
    return packet if len(packet) == length else None


def opened(
    envelope: bytes, path: Path, containers: Sequence[Container]
) -> tuple[Container, Sparse, Refusal | None, bool]:
    """Container, kept bytes, and the two verdicts. Raises `PacketRefused` (`envelope`)."""
    try:
        end = envelope.index(b"\n", len(MAGIC))
        said = json.loads(envelope[len(MAGIC) : end])
        wanted = said["form"] == FORM and said["container"]
        container = next(each for each in containers if each.name == wanted)
        known = []
        at = end + 1
        for start, length in said["kept"]:
            known.append((start, envelope[at : at + length]))
            at += length
        refusal = Refusal(*said["refusal"]) if said["refusal"] else None
        return container, Sparse.of(said["size"], known, path), refusal, bool(said["signed"])
    except (ValueError, KeyError, TypeError, StopIteration) as failure:
        raise PacketRefused(
            path, f"what was kept of it is not understood ({type(failure).__name__})", "envelope",
            "It may be from a newer urbexmp",
        ) from failure  # fmt: skip


def unseal(envelope: bytes, path: Path, containers: Sequence[Container]) -> Unsealed:
    """Open an envelope and make the layout again. Raises `PacketRefused` (`envelope`)."""
    container, sparse, refusal, signed = opened(envelope, path, containers)
    layout = container.layout(sparse, path)
    return Unsealed(container, sparse, replace(layout, refusal=refusal, signed=signed))


def resealed(old: Unsealed, splices: Sequence[Splice], path: Path) -> bytes:
    """The envelope of the file after splices, without the file. Verdicts stay as they are."""
    after = old.sparse.spliced(splices)
    layout = old.container.layout(after, path)
    layout = replace(layout, refusal=old.layout.refusal, signed=old.layout.signed)
    return seal(after, old.container, layout)


def between(now: Sparse, target: Sparse, subject: Path) -> tuple[Splice, ...]:
    """The splices from one file to another where only known bytes differ, and what is unknown is
    the same stretches in the same order. Raises `PacketRefused` (`not-the-same-file`)."""
    if _gaps(now) != _gaps(target):
        raise PacketRefused(
            subject, "the rest of the file is not what it was", "not-the-same-file",
            "Take single keywords out with `urbexmp keyword remove`",
        )  # fmt: skip
    splices = []
    for (start, old), (_, new) in zip(_filled(now), _filled(target), strict=True):
        if old != new:
            head = _common(old, new)
            tail = _common(old[head:][::-1], new[head:][::-1])
            length = len(old) - head - tail
            splices.append(Splice(start + head, length, new[head : len(new) - tail]))
    return tuple(splices)


def _gaps(sparse: Sparse) -> list[int]:
    ends = [0, *(start + len(piece) for start, piece in _known(sparse))]
    starts = [*sparse.starts, sparse.size]
    return [start - end for start, end in zip(starts, ends, strict=True) if start > end]


def _filled(sparse: Sparse) -> list[tuple[int, bytes]]:
    """Known stretches, with an empty one where the file begins or ends with unknown bytes."""
    known = list(_known(sparse))
    if not known or known[0][0] > 0:
        known.insert(0, (0, b""))
    if known[-1][0] + len(known[-1][1]) < sparse.size:
        known.append((sparse.size, b""))
    return known


def _known(sparse: Sparse) -> Iterable[tuple[int, bytes]]:
    return zip(sparse.starts, sparse.pieces, strict=True)


def _common(one: bytes, two: bytes) -> int:
    """Length of the beginning that both share."""
    length = min(len(one), len(two))
    if one[:length] == two[:length]:
        return length
    low, high = 0, length
    while high - low > 1:
        middle = (low + high) // 2
        if one[:middle] == two[:middle]:
            low = middle
        else:
            high = middle
    return low


def _merged(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
