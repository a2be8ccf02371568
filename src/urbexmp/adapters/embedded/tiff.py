"""Packets inside TIFF and DNG (XMP.md R35): written in place where they fit, else appended.

A TIFF is a web of offsets from the file's start, and private data (maker notes above all) holds
offsets that nobody can find. So nothing in the file ever moves: a packet that fits its old place
is written there, filled up with blanks; a larger one goes to the file's end, and the entry of tag
700 is pointed to it; where there is no such entry, a copy of the first directory with one more
entry goes to the end too, and the header is pointed to that. So it is with an IPTC block whose
keywords follow the packet's (`tiff_iptc`). The file never shrinks, but for an undo, which cuts off
what was appended.
"""

from __future__ import annotations

import contextlib
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from urbexmp.adapters.embedded import credentials, iim
from urbexmp.adapters.embedded.layout import Layout, Refusal, Source, Splice
from urbexmp.adapters.embedded.padding import FRESH, filled
from urbexmp.adapters.embedded.tiff_check import survey, unchanged
from urbexmp.adapters.embedded.tiff_iptc import IPTC, TiffIptc, read_iptc
from urbexmp.adapters.embedded.tiff_tree import Broken, Directory, Entry, Form, Tree
from urbexmp.model.errors import InternalProblem, NotAPhoto, PacketRefused

PACKET, DNG_VERSION = 700, 50706
BYTE = 1

LARGEST = 64 * 2**20
"""Bytes; no packet is near this, so a larger one is no packet."""

_TRAILERS = (
    (re.compile(rb"cbipcbbl\Z"), "Photo Mechanic"),
    (re.compile(rb"AXS[!*].{8}\Z", re.S), "AFCP"),
    (re.compile(rb"\xa1\xb2\xc3\xd4\Z"), "FotoStation"),
    (re.compile(rb"\ACANON OPTIONAL DATA\0"), "Canon"),
    (re.compile(rb"~\0\x04\0zmie~\0\0[\x06\x0a].{4,8}[\x10\x18][\x04\x08]\Z", re.S), "MIE"),
    (re.compile(rb"\0\0(?:QDIOBS|SEFT)\Z"), "Samsung"),
)
"""Ends of data that programs look for from the file's end: nothing may be put behind it."""
_TRAILER_LOOK = 64

_REPAIR = "Open it in Lightroom or Photoshop and save it as a new file"
_ADVICE = {
    "truncated": "Copy it again from where it came",
    "two-packets": "Save its metadata in Lightroom, which leaves one packet",
    "trailer": "Save its metadata in Lightroom, or use the sidecar",
    "file-too-large": "Save it as a large TIFF (BigTIFF), or use the sidecar",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What `TiffContainer.splices` needs to know of the file."""

    form: Form
    size: int
    head: bytes
    first: Directory
    entry: Entry | None
    """The entry of tag 700 in the first directory."""
    iptc: TiffIptc
    trailer: str | None
    """Whose data is found from the file's end."""

    @property
    def place(self) -> tuple[int, int]:
        """Where the packet lies and how many bytes it may take; (0, 0): nowhere."""
        return (self.entry.values_at, self.entry.size) if self.entry else (0, 0)

    @property
    def block_place(self) -> tuple[int, int]:
        """Where the IPTC block lies and its length; (0, 0): in its entry, or nowhere."""
        entry = self.iptc.entry
        apart = entry is not None and entry.size > self.form.room
        return (entry.values_at, entry.size) if entry is not None and apart else (0, 0)


class TiffContainer:
    """Implements `layout.Container` for TIFF, BigTIFF and DNG. Keeps no state."""

    name = "tiff"
    begins = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

    def usual(self, _head: bytes, _size: int) -> int:
        """None is: directories and packets lie anywhere in a file."""
        return 0

    def layout(self, source: Source, subject: Path) -> Layout:
        """What the file holds: its packet, and why it must not be written into.

        Looks at directories, lists of offsets and the packet; at no picture data. Raises
        `NotAPhoto` when it is no TIFF, and `PacketRefused` when not even the packet can be read
        whole: that says nothing about its keywords.
        """
        try:
            tree = Tree(source)
            entry = tree.first.first(PACKET)
            packet = _read_packet(tree, entry) if entry else None
        except Broken as broken:
            if broken.reason == "not-a-tiff":
                raise NotAPhoto(subject, extension=subject.suffix, found="no TIFF") from broken
            raise _refused(subject, broken) from broken
        is_dng = tree.first.first(DNG_VERSION) is not None
        iptc = TiffIptc() if is_dng else read_iptc(tree)
        tail = source.at(max(tree.size - _TRAILER_LOOK, 0), _TRAILER_LOOK)
        trailer = next((whose for end, whose in _TRAILERS if end.search(tail)), None)
        refusal = None
        signed = tree.first.first(credentials.TIFF_TAG) is not None
        if source.glance(0, 1) is not None:
            try:
                signed |= survey(tree, entry)
            except Broken as broken:
                refusal = Refusal(broken.reason, broken.detail, _advice(broken))
        if packet is not None and not signed:
            signed = credentials.named_in(packet)
        return Layout(
            size=tree.size,
            packet=packet,
            refusal=refusal,
            signed=signed,
            iptc_keywords=iptc.keywords,
            iptc_caption=iptc.caption,
            iptc_state=iptc.state,
            iptc_writable=iptc.writable and trailer is None and _can_be_filled(packet, tree.form),
            notes=iptc.notes,
            private=Ground(tree.form, tree.size, tree.head, tree.first, entry, iptc, trailer),
        )

    def pad(self, layout: Layout, packet: bytes, words: tuple[str, ...] | None) -> bytes:
        """`packet` as it will stand in the file: filled up to the old place where it fits, and
        with fresh padding where it has to be appended."""
        _, length = _ground(layout).place
        same = filled(packet, length)
        if same is not None:
            return same
        if filled(packet, len(packet) - FRESH // 2) is None:
            packet = filled(packet, len(packet) + FRESH) or packet
        if words is None or not layout.iptc_writable:
            return packet
        # Then the block lies right behind it, and both can grow at the file's end.
        return filled(packet, _aligned(_ground(layout).form, len(packet))) or packet

    def splices(
        self, layout: Layout, packet: bytes, words: tuple[str, ...] | None, subject: Path
    ) -> tuple[Splice, ...]:
        """The changes that put `packet` into the file; none when it stands there already.

        A packet shorter than its place is filled up. Where the IPTC block cannot be set, `words`
        only make its digest fit. Raises `PacketRefused`.
        """
        ground = _ground(layout)
        if layout.refusal is not None:
            raise _refused(subject, Broken(layout.refusal.reason, layout.refusal.detail))
        block = None
        if words is not None and layout.iptc_writable:
            block = ground.iptc.with_keywords(words)
        made = _packet_splices(ground, layout.packet, packet, block, subject)
        if block is not None and block != ground.iptc.block:
            made.append(_fitting(ground, iim.digest_of(block)))
        elif words is not None and ground.iptc.state == "differs":
            made.append(_fitting(ground, ground.iptc.fitting))
        end = ground.size + sum(splice.growth for splice in made)
        if made and end > max(ground.form.most, ground.size):
            raise _refused(
                subject,
                Broken("file-too-large", "with the packet it would pass 4 GB, the most of a TIFF"),
            )
        return tuple(sorted(made, key=lambda splice: splice.offset))

    def towards(self, now: Source, target: Source, subject: Path) -> tuple[Splice, ...]:
        """What turns the file that `now` describes into the one that `target` describes.

        Where `target` is shorter, what is cut off must be wholly ours: a directory, a packet and
        the zeros that align them. Raises `PacketRefused` (`not-the-same-file`).
        """
        here, there = (self.layout(source, subject) for source in (now, target))
        ground, wanted = _ground(here), _ground(there)
        if ground.form != wanted.form or _others(ground) != _others(wanted):
            raise _not_the_same(subject, "its first directory is another one")
        common = min(now.size, target.size)
        pieces = _pieces(wanted, there.packet)
        made = []
        for at, data in pieces:
            data = data[: max(common - at, 0)]
            if data and _stands(now, at, len(data)) not in (None, data):
                made.append(Splice(at, len(data), data))
        if target.size > now.size:
            made.append(Splice(now.size, 0, _tail(wanted, pieces, now.size, subject)))
        elif target.size < now.size:
            _tail(ground, _pieces(ground, here.packet), target.size, subject)
            made.append(Splice(target.size, now.size - target.size, b""))
        return tuple(made)

    def check(self, before: Source, after: Source, splices: tuple[Splice, ...]) -> str | None:
        """What is wrong with the file that was written anew, None when nothing is: all its
        directories must be there, with every entry but that of the packet as it was."""
        try:
            return unchanged(Tree(before), Tree(after))
        except Broken as broken:
            return broken.detail


def _can_be_filled(packet: bytes | None, form: Form) -> bool:
    """Whether a packet can be made to end where a block can begin; without a trailer it cannot."""
    return packet is None or filled(packet, len(packet) + form.alignment) is not None


def _read_packet(tree: Tree, entry: Entry) -> bytes | None:
    """The packet's bytes, None when the entry is empty. Raises `Broken`."""
    if entry.size == 0:
        return None
    if entry.values_at + entry.size > tree.size:
        raise Broken("truncated", "its packet goes on past the file's end")
    if entry.size > LARGEST:
        raise Broken("packet-too-large", f"its packet has {entry.size} bytes")
    return tree.source.at(entry.values_at, entry.size)


# --- writing ------------------------------------------------------------------------------------


def _packet_splices(
    ground: Ground, stands: bytes | None, packet: bytes, block: bytes | None, subject: Path
) -> list[Splice]:
    """What puts the packet into the file, and an IPTC block in place of the old one (None: it
    stays as it is and where it is).

    What lies at the file's end grows there, most likely it was appended by us: so no dead bytes
    remain. A block elsewhere goes to the end even where it would fit its old place: what shares
    that place with it is nobody's to know.
    """
    form, made = ground.form, list[Splice]()
    at, length = ground.place
    block_at, block_length = ground.block_place
    packet_moves = len(packet) > length
    if not packet_moves:
        packet = filled(packet, length) or packet
        if packet != stands:
            made.append(Splice(at, length, packet))
        if block is None or block == ground.iptc.block:
            return made
    elif ground.trailer is not None:
        raise _refused(subject, Broken("trailer", f"it ends with data of {ground.trailer}"))
    if ground.entry is None:
        changed = None if block == ground.iptc.block else block
        return [*made, *_with_new_directory(ground, packet, changed)]
    cut = ground.size
    if block is not None and block_length and block_at + block_length == cut:
        cut = block_at
    elif block == ground.iptc.block:
        block = None  # it stays where it is
    if packet_moves and length > form.room and at + length == cut:
        cut = at
    tail = b""
    if packet_moves:
        start = at if cut == at and block is None else _aligned(form, cut)
        tail = bytes(start - cut) + packet
        made.append(_pointed(form, ground.entry, len(packet), start))
    if block is not None:
        entry = ground.iptc.entry
        assert entry is not None
        end = cut + len(tail)
        start = end if end == block_at else _aligned(form, end)
        tail += bytes(start - end) + block
        made.append(_pointed(form, entry, len(block) // (entry.size // entry.count), start))
    return [*made, Splice(cut, ground.size - cut, tail)]


def _fitting(ground: Ground, digest: bytes) -> Splice:
    assert ground.iptc.digest_at is not None
    return Splice(ground.iptc.digest_at, 16, digest)


def _aligned(form: Form, size: int) -> int:
    return -(-size // form.alignment) * form.alignment


def _pointed(form: Form, entry: Entry, count: int, at: int) -> Splice:
    """The patch of count and offset of an entry; tag and type stay."""
    spelled = _spelled(form, count) + _spelled(form, at)
    return Splice(entry.at + 4, len(spelled), spelled)


def _spelled(form: Form, number: int) -> bytes:
    # What cannot be spelled is refused later, by the size that the file would get.
    return form.offset(min(number, form.most))


def _with_new_directory(ground: Ground, packet: bytes, block: bytes | None) -> list[Splice]:
    """Append the first directory with one more entry, then the packet and the IPTC block, which
    can grow there."""
    form, table = ground.form, ground.first.table
    lead = len(form.entries(0))
    number = len(ground.first.entries)
    before = sum(entry.tag < PACKET for entry in ground.first.entries)
    split = lead + before * form.width
    directory_at = _aligned(form, ground.size)
    directory_end = directory_at + len(table) + form.width
    packet_at = _aligned(form, directory_end)
    behind = bytes(packet_at - directory_end) + packet
    entry = struct.pack(form.order + "HH", PACKET, BYTE)
    entry += _spelled(form, len(packet)) + _spelled(form, packet_at)
    if block is not None:
        moved = ground.iptc.entry
        assert moved is not None
        packet_end = packet_at + len(packet)
        block_at = _aligned(form, packet_end)
        behind += bytes(block_at - packet_end) + block
        pointed = _pointed(form, moved, len(block) // (moved.size // moved.count), block_at)
        at = pointed.offset - ground.first.at
        table = table[:at] + pointed.insert + table[at + pointed.remove :]
    directory = form.entries(number + 1) + table[lead:split] + entry + table[split:]
    return [
        Splice(form.first_at, form.room, _spelled(form, directory_at)),
        Splice(ground.size, 0, bytes(directory_at - ground.size) + directory + behind),
    ]


# --- turning one version into another -----------------------------------------------------------


def _others(ground: Ground) -> tuple[list[bytes], int]:
    """The entries of the first directory but those of packet and IPTC block, and what follows."""
    first, width = ground.first, ground.form.width
    spelled = [
        first.table[entry.at - first.at :][:width]
        for entry in first.entries
        if entry.tag not in (PACKET, IPTC)
    ]
    return spelled, first.following


def _pieces(ground: Ground, packet: bytes | None) -> list[tuple[int, bytes]]:
    """What a write of ours may change, as it stands: offset and bytes, ascending."""
    pieces = [(0, ground.head), (ground.first.at, ground.first.table)]
    if packet is not None and ground.place[1] > ground.form.room:
        pieces.append((ground.place[0], packet))
    if ground.iptc.digest_at is not None:
        pieces.append((ground.iptc.digest_at, ground.iptc.digest))
    block_at, _ = ground.block_place
    if block_at:
        pieces.append((block_at, ground.iptc.block))
    return sorted(pieces)


def _tail(ground: Ground, pieces: list[tuple[int, bytes]], start: int, subject: Path) -> bytes:
    """The bytes of a file from `start` to its end, put together from its pieces."""
    made = b""
    for at, data in pieces:
        at, data = max(at, start), data[max(start - at, 0) :]
        gap = at - start - len(made)
        if not data:
            continue
        if not 0 <= gap < ground.form.alignment:
            break
        made += bytes(gap) + data
    if start + len(made) != ground.size:
        raise _not_the_same(subject, "something else has been added to it")
    return made


def _stands(now: Source, at: int, length: int) -> bytes | None:
    """The bytes that are there; None where they are not known, because `now` is an envelope: then
    no write of ours went there since."""
    found = now.glance(at, length)
    if found is None:
        with contextlib.suppress(InternalProblem):
            found = now.at(at, length)
    return found


def _not_the_same(subject: Path, detail: str) -> PacketRefused:
    return PacketRefused(
        subject,
        f"it is not the file that was written: {detail}",
        "not-the-same-file",
        advice="`urbexmp keyword remove` takes single keywords out",
    )


def _ground(layout: Layout) -> Ground:
    assert isinstance(layout.private, Ground)
    return layout.private


def _refused(subject: Path, broken: Broken) -> PacketRefused:
    return PacketRefused(subject, broken.detail, broken.reason, advice=_advice(broken))


def _advice(broken: Broken) -> str:
    return _ADVICE.get(broken.reason, _REPAIR)
