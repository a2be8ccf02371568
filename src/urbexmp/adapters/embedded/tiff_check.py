"""Is a TIFF safe to write into, and is everything in it still in its place after a write?"""

from __future__ import annotations

from itertools import zip_longest

from urbexmp.adapters.embedded import credentials
from urbexmp.adapters.embedded.tiff_tree import Broken, Directory, Entry, Tree

PACKET, IPTC = 700, 33723
ASCII, UNDEFINED, BYTE = 2, 7, 1
_PACKET_TYPES = frozenset({BYTE, ASCII, UNDEFINED})
_MOST_ENTRIES = 2**16 - 1
"""Of a directory in a TIFF that is no BigTIFF."""


def survey(tree: Tree, entry: Entry | None) -> bool:
    """Look at all that the file says lies in it; return whether any directory is signed.

    `entry` is that of the packet. Raises `Broken` for whatever makes a write unsafe: something
    past the file's end, or in the places that would be written to, or a loop.
    """
    form, first = tree.form, tree.first
    packets = first.all(PACKET)
    if len(packets) > 1:
        raise Broken("two-packets", f"its first directory has {len(packets)} entries of tag 700")
    if entry is not None and entry.kind not in _PACKET_TYPES:
        raise Broken("packet-type", f"its packet (tag 700) is of type {entry.kind}")
    if entry is None and len(first.entries) >= _MOST_ENTRIES:
        raise Broken("broken-directory", "its first directory is full")
    ours = [(0, form.header, "the header"), (first.at, len(first.table), "the first directory")]
    if entry is not None and entry.size > form.room:
        ours.append((entry.values_at, entry.size, "the packet"))
    for number, (start, size, name) in enumerate(ours):
        for other, more, what in ours[:number]:
            if start < other + more and other < start + size:
                raise Broken("overlap", f"{what} and {name} lie in the same place")
    signed = False
    for directory in tree.directories():
        signed |= directory.first(credentials.TIFF_TAG) is not None
        own = {(first.at, len(first.table))} if directory is first else set()
        if directory is first and entry is not None:
            own.add((entry.values_at, entry.size))
        for at, size, what in tree.extents(directory):
            if at + size > tree.size:
                raise Broken("truncated", f"{what} goes on past the file's end")
            for start, room, name in ours:
                if at < start + room and start < at + size:
                    if (at, size) in own:
                        own.discard((at, size))  # itself, once: who shares it lies there too
                        break
                    raise Broken("overlap", f"{what} lies where {name} does")
    return signed


def unchanged(before: Tree, after: Tree) -> str | None:
    """None when both have the same directories, with the same entries but that of the packet.

    Else what is not. Offsets are part of an entry, and the bytes that they lead to were compared
    already. The block of the first directory's IPTC entry may lie elsewhere: what it holds is
    proven with the packet (`prove_tiff`). Raises `Broken`.
    """
    kinds = [[entry.kind for entry in tree.first.all(IPTC)] for tree in (before, after)]
    if kinds[0] != kinds[1]:
        return "its IPTC block would be of another type"
    but = {PACKET, IPTC}
    survey(after, after.first.first(PACKET))
    for page, other in zip_longest(before.directories(), after.directories()):
        if page is None or other is None:
            return "it would have another number of pages or sub-pictures"
        same = _entries(page, before, but) == _entries(other, after, but)
        if not same or page.following != other.following:
            return f"{page.trail} would have other entries"
    return None


def _entries(directory: Directory, tree: Tree, but: set[int]) -> list[bytes]:
    """The entries as spelled in the file; of the first directory, without those of some tags."""
    return [
        directory.table[entry.at - directory.at :][: tree.form.width]
        for entry in directory.entries
        if entry.tag not in but or directory is not tree.first
    ]
