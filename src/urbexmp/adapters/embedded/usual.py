"""The envelope of the usual JPEG, made in one walk over the first bytes of the file.

A reader of thousands of photos wants the packet and the fingerprint, and most JPEGs are alike:
whole segments, one packet before the picture's header, nothing beside it that says more about
keywords. Of such a file the same envelope is written here that `JpegContainer.layout` and `seal`
make of it, byte for byte, without a layout. Whatever is odd in the least (an IPTC block, a second
packet or a second part of one, an index of pictures, a box that may be a signature, fill bytes, a
header longer than what was read) is left to them, so that it has one meaning and not two.
"""

from __future__ import annotations

from urbexmp.adapters.embedded.envelope import FORM, MAGIC, remember

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_HEADER = 4 + len(_XMP)
_SECOND = b"http://ns.adobe.com/xmp/"
_INDEX = b"MPF"
_APP1, _APP2, _APP11, _APP13, _SOS = 0xE1, 0xE2, 0xEB, 0xED, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PLAIN = frozenset(range(0xC0, 0xFF)) - {*range(0xD0, 0xDB), _APP1, _APP2, _APP11, _APP13}
"""Markers with a length of which nothing is kept but that."""
_BEFORE = f'{{"form": {FORM}, "container": "jpeg", "size": %d, "kept": ['
_STRETCH = "[%d, %d], "
_BEHIND = '[%d, %d]], "refusal": null, "signed": false, "plain": [%d, %d]}\n'
_BEGINNING = 40
_BEGINS = (b"<?xpacket begin=", b"<x:xmpmeta ")
_SECOND_PART, _SIGNATURE = b"HasExtendedXMP", b"provenance"
"""What a packet that has a second part, or tells of a signature, surely has in it."""
_RARE = _SECOND_PART.index(b"X")
"""Of the first one's letters the rarest in a packet: found many times faster than a word."""
_FEW = 32
_FIRST, _LAST, _OVERLAP = 1024, 3072, 16
_plain: tuple[bytes, bytes] = (b"\0", b"\0")
"""Beginning and end of the last packet that held neither word: much is alike in the next one."""


def usual_envelope(head: bytes, size: int) -> bytes | int:
    """The envelope of a JPEG of `size` bytes that begins with `head`.

    A number: how many bytes `head` needs at least, so that one may be made. 0: it is not so usual.
    """
    at, behind = 2, False
    # A stretch that is kept begins at `kept` and reaches as far as `until`; before it, `held` bytes
    # are kept in all. `place`: where in what is kept the packet begins.
    kept, until, held, place = 0, 2, 0, 0
    xmp, end_of_xmp = 0, 0
    numbers, pieces = [size], [MAGIC, b""]
    try:
        while True:
            marker = head[at + 1]
            if head[at] != 0xFF:
                return 0
            if marker in _PLAIN:
                end = at + 2 + (head[at + 2] << 8 | head[at + 3])
                more = at + 4
                if marker in _FRAMES:
                    behind = True
            elif marker == _SOS:
                if at + 2 + (head[at + 2] << 8 | head[at + 3]) >= size:
                    return 0
                end, more = 0, at + 2
            elif marker == _APP1:
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
                end = at + 2 + (head[at + 2] << 8 | head[at + 3])
                more = min(end, at + 8)
                if head.startswith(_INDEX, at + 4):
                    return 0
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
                break
            if end < at + 4 or end > size:
                return 0
            at = end
    except IndexError:
        return at + 4 if at + 4 < size else 0
    packet = head[xmp:end_of_xmp]
    if not packet.startswith(_BEGINS) or not _is_plain(packet):
        return 0
    pieces.append(head[kept:until])
    numbers += kept, until - kept, place, len(packet)
    said = (_BEFORE + _STRETCH * (len(pieces) - 3) + _BEHIND) % tuple(numbers)
    pieces[1] = said.encode()
    envelope = b"".join(pieces)
    body = len(MAGIC) + len(said)
    if envelope.find(packet[:_BEGINNING], body) != body + place:
        return 0
    remember(envelope, packet)
    return envelope


def _is_plain(packet: bytes) -> bool:
    """Whether a packet is in UTF-8, has no second part, and tells of no signature."""
    global _plain
    first, last = _plain
    if packet.startswith(first) and packet.endswith(last) and len(packet) > _FIRST + _LAST:
        start, end, known = _FIRST - _OVERLAP, len(packet) - _LAST + _OVERLAP, True
    else:
        start, end, known = 0, len(packet), False
    if packet.find(b"\0", start, end) >= 0 or packet.find(_SIGNATURE, start, end) >= 0:
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
        _plain = packet[:_FIRST], packet[-_LAST:]  # one assignment: other threads read
    return True
