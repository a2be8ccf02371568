"""The envelope of the usual JPEG, made in one walk over the first bytes of the file.

A reader of thousands of photos wants the packet and the fingerprint, and most JPEGs are alike:
whole segments, one packet before the picture's header or none, nothing beside it that says more
about keywords. Of such a file the same envelope is written here that `JpegContainer.layout` and
`seal` make of it, byte for byte, without a layout. Whatever is odd in the least (an IPTC block, a
second packet or a second part of one, a box that may be a signature, fill bytes) is left to them,
so that it has one meaning and not two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from urbexmp.adapters.embedded.envelope import FORM, MAGIC, remember

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_HEADER = 4 + len(_XMP)
_SECOND = b"http://ns.adobe.com/xmp/"
_INDEX = b"MPF\0"
_APP1, _APP2, _APP11, _APP13 = 0xE1, 0xE2, 0xEB, 0xED
_SOS, _DQT = 0xDA, 0xDB
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PLAIN = frozenset(range(0xC0, 0xFF)) - {*range(0xD0, 0xDB), _APP1, _APP2, _APP11, _APP13}
"""Markers with a length of which nothing is kept but that."""
_BEFORE = f'{{"form": {FORM}, "container": "jpeg", "size": %d, "kept": ['
_STRETCH = "[%d, %d], "
_BEHIND = '[%d, %d]], "refusal": null, "signed": false, "plain": [%d, %d]}\n'
_WITHOUT = '[%d, %d]], "refusal": null, "signed": false, "plain": null}\n'
_BEGINNING = 40
_BEGINS = (b"<?xpacket begin=", b"<x:xmpmeta ")
_SECOND_PART, _SIGNATURE = b"HasExtendedXMP", b"venance"
"""What a packet that has a second part, or tells of a signature (`provenance`), surely has in it.
A search from behind looks for the first letter, and the fewer there are the faster it is."""
_RARE = _SECOND_PART.index(b"X")
"""Of the first one's letters the rarest in a packet: found many times faster than a word."""
_FEW = 32
_FIRST, _LAST, _LEAST, _OVERLAP = 2048, 6144, 64, 16
_plain: tuple[bytes, bytes] = (b"\0", b"\0")
"""Beginning and end that the last packets shared, which held neither word."""
_MOST_RUN = 1 << 12


class _Tables(NamedTuple):
    """The end of a header, which is the same in all pictures of one quality and size."""

    run: bytes
    """From the first table to the length of the scan's segment."""
    scan: int
    """Bytes to the end of that segment."""
    stretches: tuple[tuple[int, int], ...]
    """What is kept of it: beginning and length."""
    kept: bytes


_tables: _Tables | None = None


def usual_envelope(head: bytes, size: int) -> bytes | int:
    """The envelope of a JPEG of `size` bytes that begins with `head`.

    A number: how many bytes `head` needs at least, so that one may be made. 0: it is not so usual.
    """
    at, behind, indexed = 2, False, False
    # A stretch that is kept begins at `kept` and reaches as far as `until`; before it, `held` bytes
    # are kept in all. `place`: where in what is kept the packet begins.
    kept, until, held, place = 0, 2, 0, 0
    xmp, end_of_xmp = 0, 0
    numbers: list[int] = []
    pieces = [MAGIC, b""]
    run: tuple[int, int, int] | None = None
    try:
        while True:
            marker = head[at + 1]
            if head[at] != 0xFF:
                return 0
            if marker in _PLAIN:
                if marker == _DQT and at != until and run is None:
                    tables = _tables
                    if tables is not None and head.startswith(tables.run, at):
                        if at + tables.scan >= size:
                            return 0
                        numbers += kept, until - kept
                        for start, length in tables.stretches:
                            numbers += at + start, length
                        pieces += head[kept:until], tables.kept
                        break
                    run = at, len(numbers) + 2, len(pieces) + 1
                end = at + 2 + (head[at + 2] << 8 | head[at + 3])
                more = at + 4
                if marker in _FRAMES:
                    behind = True
            elif marker == _SOS:
                end, more = 0, at + 2
            elif marker == _APP1:
                run = None
                end = at + 2 + (head[at + 2] << 8 | head[at + 3])
                more = min(end, at + _HEADER)
                if head.startswith(_XMP, at + 4):
                    if xmp or behind or more < at + _HEADER:
                        return 0
                    xmp, end_of_xmp = more, end
                    place = held + until - kept + _HEADER
                    more = end
                elif head.startswith(_SECOND, at + 4):
                    return 0
            elif marker == _APP2:
                run = None
                end = at + 2 + (head[at + 2] << 8 | head[at + 3])
                more = min(end, at + 8)
                if head.startswith(_INDEX, at + 4) and not indexed:
                    if more < at + 8:
                        return 0
                    indexed, more = True, end
            else:
                return 0
            if at != until:
                length = until - kept
                numbers += kept, length
                pieces.append(head[kept:until])
                held += length
                kept = at
            until = more
            if not end:
                scan = at + 2 + (head[at + 2] << 8 | head[at + 3])
                if scan >= size:
                    return 0
                numbers += kept, until - kept
                pieces.append(head[kept:until])
                if run is not None:
                    _learn(head, run, at, scan, numbers, pieces)
                break
            if end < at + 4 or end > size:
                return 0
            at = end
    except IndexError:
        return at + 4 if at + 4 < size else 0
    stretches = len(numbers) // 2 - 1
    if not xmp:
        said = (_BEFORE + _STRETCH * stretches + _WITHOUT) % (size, *numbers)
        pieces[1] = said.encode()
        return remember(b"".join(pieces), None)
    packet = head[xmp:end_of_xmp]
    if not packet.startswith(_BEGINS) or not _is_plain(packet):
        return 0
    said = (_BEFORE + _STRETCH * stretches + _BEHIND) % (size, *numbers, place, len(packet))
    pieces[1] = said.encode()
    envelope = b"".join(pieces)
    body = len(MAGIC) + len(said)
    if envelope.find(packet[:_BEGINNING], body) != body + place:
        return 0
    return remember(envelope, packet)


def _learn(
    head: bytes,
    run: tuple[int, int, int],
    at: int,
    scan: int,
    numbers: Sequence[int],
    pieces: Sequence[bytes],
) -> None:
    """Note the segments of a file from the first table on, as the next one may have them too.

    `run`: where that begins, in the file, in `numbers` and in `pieces`. `at`: where the scan's
    segment does; `scan`: where it ends.
    """
    global _tables
    first, number, piece = run
    if at - first <= _MOST_RUN:
        starts, lengths = numbers[number::2], numbers[number + 1 :: 2]
        stretches = tuple(
            (start - first, length) for start, length in zip(starts, lengths, strict=True)
        )
        # One assignment: other threads read.
        _tables = _Tables(head[first : at + 4], scan - first, stretches, b"".join(pieces[piece:]))


def _is_plain(packet: bytes) -> bool:
    """Whether a packet is in UTF-8, has no second part, and tells of no signature."""
    global _plain
    first, last = _plain
    start, end = len(first) - _OVERLAP, len(packet) - len(last) + _OVERLAP
    known = packet.startswith(first) and packet.endswith(last) and 0 < start < end
    if not known:
        start, end = 0, len(packet)
    if packet.find(b"\0", start, end) >= 0 or packet.rfind(_SIGNATURE, start, end) >= 0:
        return False
    at = packet.find(b"X", start, end)
    for _ in range(_FEW):
        if at < 0:
            break
        if packet.startswith(_SECOND_PART, at - _RARE):
            return False
        at = packet.find(b"X", at + 1, end)
    if at >= 0 and packet.find(_SECOND_PART, at - _RARE, end) >= 0:
        return False
    if not known:
        first, last = packet[: _common(first, packet)], packet[-_common_end(last, packet) :]
        if len(first) < _LEAST or len(last) < _LEAST or len(last) > len(packet) - len(first):
            first, last = packet[:_FIRST], packet[-_LAST:]
        _plain = first, last  # one assignment: other threads read
    return True


def _common(one: bytes, two: bytes) -> int:
    """Length of the beginning that both share."""
    low, high = 0, min(len(one), len(two)) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if one.startswith(two[:middle]):
            low = middle
        else:
            high = middle
    return low


def _common_end(one: bytes, two: bytes) -> int:
    """Length of the end that both share."""
    low, high = 0, min(len(one), len(two)) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if one.endswith(two[-middle:]):
            low = middle
        else:
            high = middle
    return low
