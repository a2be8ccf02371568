"""Padding: the blanks before the packet's trailer, there so that a packet can grow in place.

Growth is taken out of the padding and what is saved goes back, so the packet keeps its size
(R8). Only blanks (U+0020) are taken and given; the line ends stay. Lines are emptied from the
first one down and filled again in the opposite order, so an edit that is taken back leaves
padding of even lines as it was.
"""

from __future__ import annotations

LEAST = 16
"""Fewer blanks than this are no padding but layout, and are left alone; so many stay behind."""


def resized(padding: bytes, growth: int) -> bytes | None:
    """The padding after the packet grew by `growth` blanks' worth (negative: shrank).

    None: there is no padding, or too little, and the packet's size has to change.
    """
    blanks = padding.count(b" ")
    if blanks < LEAST or blanks - growth < LEAST:
        return None
    lines = padding.split(b"\n")
    return b"\n".join(_emptied(lines, growth) if growth > 0 else _filled(lines, -growth))


def _emptied(lines: list[bytes], blanks: int) -> list[bytes]:
    """Take blanks away: from the second line down, the rest from the first."""
    lines = list(lines)
    for index in (*range(1, len(lines)), 0):
        take = min(blanks, lines[index].count(b" "))
        lines[index] = lines[index].replace(b" ", b"", take)
        blanks -= take
    return lines


def _filled(lines: list[bytes], blanks: int) -> list[bytes]:
    """Give blanks back: to the lines above the first full one, going up, then to that one."""
    lines = list(lines)
    widths = [line.count(b" ") for line in lines]
    full = widths.index(max(widths))
    for index in range(full - 1, 0, -1):
        give = min(blanks, widths[full] - widths[index])
        lines[index] = b" " * give + lines[index]
        blanks -= give
    lines[full] = b" " * blanks + lines[full]
    return lines
