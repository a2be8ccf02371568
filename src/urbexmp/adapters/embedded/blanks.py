"""Blanks that make a packet as long as its place in a file: legal anywhere around the document.

Before the trailer they are padding, which later edits use up again; a packet without a trailer
gets them at its end.
"""

from __future__ import annotations

_LINE = 100
"""Characters of a line of padding; the usual width."""


def widened(packet: bytes, length: int) -> bytes:
    """`packet` with blanks, so that it has `length` bytes; the same when it has so many.

    In UTF-16 and UTF-32 a rest that holds no blank is filled with zeros at the end.
    """
    encoding, unit = _encoding(packet)
    number, rest = divmod(max(length - len(packet), 0), unit)
    lines = (" " * (_LINE - 1) + "\n") * (number // _LINE + 1)
    blanks = lines[len(lines) - number :].encode(encoding)
    at = _trailer(packet, encoding, unit)
    return packet[:at] + blanks + packet[at:] + bytes(rest)


def trimmed(packet: bytes) -> bytes:
    """`packet` without the blanks at its end."""
    encoding, unit = _encoding(packet)
    if len(packet) % unit:
        return packet
    end = len(packet)
    while end and packet[end - unit : end] in (" ".encode(encoding), "\n".encode(encoding)):
        end -= unit
    return packet[:end]


def padding_of(packet: bytes) -> int:
    """Bytes of blanks before the trailer, or at the end where there is none."""
    encoding, unit = _encoding(packet)
    end = _trailer(packet, encoding, unit)
    return end - len(trimmed(packet[:end]))


def _trailer(packet: bytes, encoding: str, unit: int) -> int:
    """Where the first trailer begins; the packet's length when it has none."""
    mark = "<?xpacket end=".encode(encoding)
    at = packet.find(mark)
    while at > 0 and at % unit:
        at = packet.find(mark, at + 1)
    return at if at > 0 else len(packet)


def _encoding(packet: bytes) -> tuple[str, int]:
    """The encoding, by a byte order mark or the zeros of the first characters; bytes of one."""
    head = packet[:4]
    if head in (b"\xff\xfe\0\0", b"<\0\0\0"):
        return "utf-32-le", 4
    if head in (b"\0\0\xfe\xff", b"\0\0\0<"):
        return "utf-32-be", 4
    if head[:2] in (b"\xff\xfe", b"<\0"):
        return "utf-16-le", 2
    if head[:2] in (b"\xfe\xff", b"\0<"):
        return "utf-16-be", 2
    return "utf-8", 1
