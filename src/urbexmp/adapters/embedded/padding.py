"""The blanks before a packet's trailer: added and taken, so that what surrounds it can stay.

The codec takes an edit's growth out of the padding by itself. Here the packet is brought to the
length that suits the file: a little less where the IPTC block beside it grew, or longer by whole
blocks of the volume where it has outgrown its place.
"""

from __future__ import annotations

import codecs

HEADER = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'.encode()
TRAILER = b'<?xpacket end="w"?>'
FRESH = 2048
"""Bytes of padding that a packet gets at least where it has to move; the usual amount."""
_LINE = 100
_LEAST = 16
"""Fewer blanks than this are layout."""
_BLANKS = b" \t\r\n"
_BLANK = (b" ", b"\t", b"\r", b"\n")


def wrapped(body: bytes) -> bytes:
    """A packet's document with header and trailer, as packets inside files have them."""
    return HEADER + body.rstrip(_BLANKS) + b"\n" + TRAILER


def unwrapped(packet: bytes) -> bytes | None:
    """What `wrapped` was given, whatever padding it got since; None: it is not of that form."""
    if not (packet.startswith(HEADER) and packet.endswith(TRAILER)):
        return None
    return packet[len(HEADER) : -len(TRAILER)].rstrip(_BLANKS) + b"\n"


def fitted(packet: bytes, length: int) -> bytes | None:
    """The packet with as many blanks before its trailer as make it `length` bytes long.

    None: it has no trailer, or too few blanks, or `length` is no number of whole characters.
    """
    blank, line_end = _units(packet)
    span = _padding(packet, blank)
    more = length - len(packet)
    if more == 0:
        return packet
    if span is None or more % len(blank):
        return None
    start, end = span
    old = packet[start:end]
    if more > 0:
        new = _laid_out(more, blank, line_end) + old
    else:
        blanks = _count(old, blank)
        if blanks + more // len(blank) < _LEAST:
            return None
        new = _without(old, blank, -more // len(blank))
    return packet[:start] + new + packet[end:]


def filled(packet: bytes, length: int) -> bytes | None:
    """The same for a place that need not be left with whole characters, or holds a packet that
    has no trailer: then the blanks stand at its end, and zeros where not even a blank fits.

    None: it cannot be made that short.
    """
    made = fitted(packet, length)
    if made is not None:
        return made
    blank, line_end = _units(packet)
    more = length - len(packet)
    if more < 0:
        bare = packet[: _end(packet, blank)]
        return filled(bare, length) if len(bare) <= length else None
    zeros = bytes(more % len(blank))
    made = fitted(packet, length - len(zeros))
    if made is None:
        made = packet + _laid_out(more - len(zeros), blank, line_end)
    return made + zeros


def only_padding_differs(one: bytes, two: bytes) -> bool:
    """Whether two packets are the same but for blanks before their trailers, or at their ends."""
    if one == two:
        return True
    ends = []
    for packet in (one, two):
        blank, _ = _units(packet)
        end = _end(packet, blank)
        start, end = _padding(packet, blank) or (end, end)
        ends.append((packet[:start], packet[end : _end(packet, blank)]))
    return ends[0] == ends[1]


def _units(packet: bytes) -> tuple[bytes, bytes]:
    """A blank and a line end as the packet encodes them."""
    head = packet[:4]
    encoding = "utf-8"
    if head in (codecs.BOM_UTF32_LE, b"<\0\0\0"):
        encoding = "utf-32-le"
    elif head in (codecs.BOM_UTF32_BE, b"\0\0\0<"):
        encoding = "utf-32-be"
    elif head.startswith((codecs.BOM_UTF16_LE, b"<\0")):
        encoding = "utf-16-le"
    elif head.startswith((codecs.BOM_UTF16_BE, b"\0<")):
        encoding = "utf-16-be"
    return " ".encode(encoding), "\n".encode(encoding)


def _padding(packet: bytes, blank: bytes) -> tuple[int, int] | None:
    """Where the blanks before the trailer stand. None: there is no trailer."""
    unit = len(blank)
    trailer = b"".join(blank.replace(b" ", char.to_bytes(1, "big")) for char in b"<?xpacket end=")
    end = packet.find(trailer)
    while end >= 0 and end % unit:
        end = packet.find(trailer, end + 1)
    if end < 0:
        return None
    return _without_blanks(packet, end, unit), end


def _end(packet: bytes, blank: bytes) -> int:
    """Where the blanks at the very end begin, and zeros that are no whole character."""
    unit = len(blank)
    end = len(packet) - len(packet) % unit
    if packet[end:].strip(b"\0"):
        return len(packet)
    return _without_blanks(packet, end, unit)


def _without_blanks(packet: bytes, end: int, unit: int) -> int:
    """Where the blanks that stand right before `end` begin."""
    if unit == 1:
        return len(packet[:end].rstrip(_BLANKS))
    while end >= unit and packet[end - unit : end].replace(b"\0", b"") in _BLANK:
        end -= unit
    return end


def _laid_out(size: int, blank: bytes, line_end: bytes) -> bytes:
    """`size` bytes of blanks, a line end every hundred."""
    lines, rest = divmod(size // len(blank), _LINE)
    return (line_end + blank * (_LINE - 1)) * lines + blank * rest


def _count(padding: bytes, blank: bytes) -> int:
    unit = len(blank)
    if unit == 1:
        return padding.count(blank)
    return sum(padding[at : at + unit] == blank for at in range(0, len(padding), unit))


def _without(padding: bytes, blank: bytes, number: int) -> bytes:
    """Padding less `number` blanks, taken from its end backwards; line ends stay."""
    unit = len(blank)
    at = len(padding)
    kept = []
    while number:
        at -= unit
        piece = padding[at : at + unit]
        if piece == blank:
            number -= 1
        else:
            kept.append(piece)
    return padding[:at] + b"".join(reversed(kept))
