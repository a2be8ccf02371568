"""IPTC in a TIFF: read from tag 33723, with the digest among the Photoshop resources (XMP.md R31).

Adobe's reader takes the block of tag 33723 and the digest (resource 0x0425) of tag 34377; a block
among the resources (0x0404) counts only where there is no tag 33723. A block of tag 33723 in UTF-8
follows the packet's keywords; as nothing in a TIFF may move, the new one goes to the file's end,
and the old one's bytes stay where they are. Of any other block only the digest's sixteen bytes are
written, to adopt what was changed behind the packet's back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from urbexmp.adapters.embedded import iim
from urbexmp.adapters.embedded.layout import IptcState, Source
from urbexmp.adapters.embedded.tiff_tree import Entry, Tree

IPTC, PHOTOSHOP = 33723, 34377
_BLOCK, _DIGEST = 0x0404, 0x0425
_LONG = 4
_BYTES = frozenset({1, 2, 7})
"""Types whose values are single bytes: BYTE, ASCII, UNDEFINED."""
_MARKER = b"\x1c"
"""First byte of every IIM data set."""
_LARGEST = 2**20
_MOST_RESOURCES = 4096


@dataclass(frozen=True, slots=True)
class TiffIptc:
    """What the IPTC block says, and whether it may be believed."""

    keywords: tuple[str, ...] = ()
    state: IptcState = "none"
    caption: str | None = None
    """IIM 2:120; None for a blank."""
    digest_at: int | None = None
    """Where the digest lies in the file; None: there is none."""
    digest: bytes = b""
    """As it stands."""
    fitting: bytes = b""
    """As it would be if it fitted the block."""
    notes: tuple[str, ...] = ()
    entry: Entry | None = None
    """Of tag 33723, where the block lies there."""
    block: bytes = b""
    """As it stands, with the zeros that fill its last number."""
    writable: bool = False
    """Whether its keywords can be set: it says that it is UTF-8, there is no second one among the
    resources, and a digest tells what is to be believed."""

    def with_keywords(self, words: tuple[str, ...]) -> bytes:
        """The block with these keywords, as it is stored; as it stands where it has them."""
        assert self.writable
        assert self.entry is not None
        parsed = iim.parse(self.block)
        if self.entry.kind != _LONG:
            return bytes(iim.with_keywords(parsed, words))
        new = iim.with_keywords(replace(parsed, tail=b""), words)
        return bytes(new) + bytes(-len(bytes(new)) % _LONG)


def read_iptc(tree: Tree) -> TiffIptc:
    """Look at the IPTC block of the first directory. Never raises for what it holds."""
    source = tree.source
    resources = dict(_resources(source, tree.first.first(PHOTOSHOP)))
    entry = tree.first.first(IPTC)
    if entry is not None and 0 < entry.size <= _LARGEST:
        block = source.at(entry.values_at, entry.size)
        if entry.kind == _LONG and block[:1] != _MARKER and block[3:4] == _MARKER:
            # Written as numbers in the other byte order, as some old programs did.
            readable = b"".join(block[n : n + 4][::-1] for n in range(0, len(block), 4))
        else:
            readable = block
    elif _BLOCK in resources and resources[_BLOCK][1] <= _LARGEST:
        block = readable = source.at(*resources[_BLOCK])
    else:
        return TiffIptc()
    parsed = iim.parse(readable)
    keywords, notes = parsed.keywords, iim.notes(parsed)
    fitting = iim.digest_of(block)
    at, length = resources.get(_DIGEST, (0, 0))
    if length != len(fitting):
        return TiffIptc(keywords, "missing", parsed.caption, notes=notes)
    found = source.at(at, length)
    # The digest may have been made of the block without the zeros that fill its last number.
    bare = block[: max(len(block.rstrip(b"\0")), len(block) - 3)]
    state: IptcState = "matches" if found in (fitting, iim.digest_of(bare)) else "differs"
    alone = len(tree.first.all(IPTC)) == 1 and _BLOCK not in resources
    kinds = {*_BYTES, *([_LONG] if not parsed.tail.strip(b"\0") else [])}
    spelled = entry is not None and entry.kind in kinds and readable is block
    writable = alone and spelled and parsed.is_utf8
    return TiffIptc(
        keywords, state, parsed.caption, at, found, fitting, notes, entry, block, writable
    )


def _resources(source: Source, entry: Entry | None) -> Iterator[tuple[int, tuple[int, int]]]:
    """Number, offset and length of each Photoshop resource; ends where they are damaged.

    Only their headers are read (Photoshop File Formats, Image Resource Blocks): `8BIM`, number,
    a name with its length before it, filled up to even, and the length of the data, even too.
    """
    if entry is None:
        return
    at, end = entry.values_at, min(entry.values_at + entry.size, source.size)
    for _ in range(_MOST_RESOURCES):
        head = source.at(at, min(12, end - at)) if end - at >= 12 else b""
        if len(head) < 12 or head[:4] not in (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR"):
            return
        named = (head[6] + 2) // 2 * 2
        at += 6 + named
        length = int.from_bytes(head[8:12] if named == 2 else source.at(at, 4), "big")
        at += 4
        if at + length > end:
            return
        yield int.from_bytes(head[4:6], "big"), (at, length)
        at += length + length % 2
