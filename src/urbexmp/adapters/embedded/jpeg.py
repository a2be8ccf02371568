"""JPEG: the packet in its APP1 segment, the IPTC block in APP13, and the index in APP2 (R31-R34).

Segments are walked up to the first scan; what follows is never looked at (ITU-T T.81 annex B: a
marker is FF and a byte, any number of FF may stand before it, most are followed by a length of
two bytes that counts itself).

Of each segment the header and what tells its kind are kept for the envelope; of those that a
write may change, all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from urbexmp.adapters.embedded import credentials, extended, iim, mpf, photoshop
from urbexmp.adapters.embedded.envelope import Sparse, between
from urbexmp.adapters.embedded.layout import Layout, Refusal, Source, Splice
from urbexmp.adapters.embedded.padding import FRESH, fitted
from urbexmp.adapters.embedded.usual import usual_envelope
from urbexmp.model.errors import InternalProblem, PacketRefused

XMP = b"http://ns.adobe.com/xap/1.0/\0"
PHOTOSHOP = b"Photoshop 3.0\0"
EXIF = b"Exif\0"
MOST_PACKET = 65502
"""Bytes of a packet in a JPEG (XMP part 3, 1.1.3)."""
_MOST_PAYLOAD = 65533
_SHARED = 4096
"""A packet that outgrows its place grows the file by whole blocks of the volume, so that the
pictures behind it can be shared with the old file instead of being copied."""
_APP0, _APP1, _APP2, _APP11, _APP13, _SOS, _EOI = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_FRONT = 32 * 1024
"""Bytes in which mostly all segments begin that are looked at."""
_LOOK = 4 + extended.HEAD
"""Bytes of a segment that are looked at first."""
_KINDS = {_APP1: extended.HEAD, _APP2: 4, _APP13: len(PHOTOSHOP)}
"""How many bytes of a payload tell its kind."""


class Segment(NamedTuple):
    """One segment before the first scan."""

    marker: int
    start: int
    """Of the marker's FF, fill bytes not counted."""
    payload: int
    end: int
    ident: bytes
    """First bytes of the payload."""


@dataclass(frozen=True, slots=True)
class _Map:
    """Where things are (`Layout.private`)."""

    xmp: Segment | None
    iptc: Segment | None
    """The Photoshop segment, where it can be changed."""
    resources: photoshop.Resources | None
    others: Segment | None
    """The segment of the Multi-Picture index."""
    index: mpf.Index | None
    insert_at: int


class JpegContainer:
    """Implements `layout.Container` for JPEG. Keeps no state."""

    name = "jpeg"
    begins = (b"\xff\xd8\xff",)

    def usual(self, head: bytes, size: int) -> bytes | int:
        """The envelope of a JPEG that is like most (`usual.py`)."""
        return usual_envelope(head, size)

    def layout(self, source: Source, subject: Path) -> Layout:
        """Walk the segments and read the packet. Raises `PacketRefused` (`not-a-jpeg`)."""
        segments, broken = _walk(source, subject)
        refusal = _refused("broken-segments", broken) if broken else None
        packets: list[Segment] = []
        chunks: list[Segment] = []
        framed = False
        for each in segments:
            if each.marker == _APP1:
                if each.ident.startswith(XMP):
                    packets.append(each)
                    if framed:
                        refusal = refusal or _refused(
                            "xmp-after-frame", "its XMP packet stands behind the picture's header"
                        )
                elif each.ident.startswith(extended.IDENT):
                    chunks.append(each)
            elif each.marker in _FRAMES:
                framed = True
        if len(packets) > 1:
            refusal = refusal or _refused("two-packets", "it has more than one XMP packet")
        first = packets[0] if packets else None
        packet = None
        if first is not None:
            whole = source.at(first.payload, _length(first))
            packet = whole[len(XMP) :]
            parts = [extended.chunk(each.ident, each.payload, _length(each)) for each in chunks]
            refusal = refusal or extended.refusal(
                packet, [each for each in parts if each], source.glance
            )
        where, resources, block = _photoshop(source, segments)
        index = next((each for each in segments if _is(each, _APP2, mpf.IDENT)), None)
        found = None
        if index is not None:
            found = mpf.parse(source.at(index.payload, _length(index)), index.payload)
        iptc = iim.parse(block) if block else None
        state = resources.iptc_state if resources else "none"
        if state == "differs" and where is None:
            refusal = refusal or _refused(
                "iptc-split", "its IPTC keywords are newer than its packet and in several places"
            )
        return Layout(
            size=source.size,
            packet=packet,
            refusal=refusal,
            signed=_signed(source, segments, packet),
            iptc_keywords=iptc.keywords if iptc else (),
            iptc_caption=iptc.caption if iptc else None,
            iptc_state=state,
            iptc_writable=where is not None and iptc is not None and iptc.is_utf8,
            notes=iim.notes(iptc) if iptc else (),
            private=_Map(
                first,
                where,
                resources if where is not None else None,
                index,
                found,
                _insert_at(segments),
            ),
        )

    def pad(self, layout: Layout, packet: bytes, words: tuple[str, ...] | None) -> bytes:
        """Blanks so that the file keeps its size; else fresh ones, to whole blocks of growth."""
        where = _map(layout)
        iptc = _iptc(where, words)
        beside = len(iptc) - len(bytes(where.resources)) if iptc and where.resources else 0
        if where.xmp is not None:
            same = fitted(packet, where.xmp.end - where.xmp.payload - len(XMP) - beside)
            if same is not None:
                return same
            growth = len(packet) + len(XMP) - (where.xmp.end - where.xmp.payload) + beside
        else:
            growth = 4 + len(XMP) + len(packet) + beside
        shared = -(growth + FRESH) % _SHARED
        for blanks in (FRESH + shared, FRESH, MOST_PACKET - len(packet)):
            if 0 < blanks <= MOST_PACKET - len(packet):
                padded = fitted(packet, len(packet) + blanks)
                if padded is not None:
                    return padded
        return packet

    def splices(
        self, layout: Layout, packet: bytes, words: tuple[str, ...] | None, subject: Path
    ) -> tuple[Splice, ...]:
        """The packet's bytes, its segment's length, the IPTC block's, and the index where
        pictures move. Raises `PacketRefused` (`packet-too-large`, `broken-index`)."""
        where = _map(layout)
        if len(packet) > MOST_PACKET:
            raise PacketRefused(
                subject,
                f"its packet would have {len(packet)} bytes, and a JPEG holds {MOST_PACKET}",
                "packet-too-large",
                "Its keywords can be kept in the sidecar alone",
            )
        splices = []
        if where.xmp is None:
            splices.append(Splice(where.insert_at, 0, _segment(_APP1, XMP + packet)))
        elif packet != layout.packet:
            splices += _replaced(where.xmp, len(XMP), packet)
        iptc = _iptc(where, words)
        if iptc is not None and where.iptc is not None:
            splices += _replaced(where.iptc, len(PHOTOSHOP), iptc)
        elif words is not None and layout.iptc_state == "differs":
            # Where the digest fits already, the packet wins and the block may stay as it is.
            raise PacketRefused(
                subject, "its IPTC keywords would not fit their segment", "iptc-too-large"
            )
        splices.sort(key=lambda each: each.offset)
        if where.others is not None and any(each.growth for each in splices):
            patches = mpf.mended(where.index, splices) if where.index is not None else None
            if patches is None:
                raise PacketRefused(
                    subject,
                    "its packet has to grow, and the index of its other pictures (MPF) cannot be"
                    " read",
                    "broken-index",
                )
            splices = sorted((*splices, *patches), key=lambda each: each.offset)
        return tuple(splices)

    def towards(self, now: Source, target: Source, subject: Path) -> tuple[Splice, ...]:
        """Between two envelopes of one file. Raises `PacketRefused` (`not-the-same-file`)."""
        if not (isinstance(now, Sparse) and isinstance(target, Sparse)):
            raise InternalProblem(subject, detail="only envelopes can be compared")
        return between(now, target, subject)

    def check(self, before: Source, after: Source, splices: tuple[Splice, ...]) -> str | None:
        """Compare the segments of both files, and the pictures that the index leads to.

        Shares no code with what made the splices.
        """
        old, new = _listing(before), _listing(after)
        if old is None or new is None:
            return "its segments cannot be walked any more"
        if [each for each in old if not _ours(each)] != [each for each in new if not _ours(each)]:
            return "segments that are none of the packet's would differ"
        if [each[0] for each in old if not each[1].startswith(XMP)] != [
            each[0] for each in new if not each[1].startswith(XMP)
        ]:
            return "segments would be in another order"
        if not any(payload.startswith(mpf.IDENT) for _, payload in (*old, *new)):
            return None
        return _lost_picture(before, after)


# --- looking ----------------------------------------------------------------------------------


def _walk(source: Source, subject: Path) -> tuple[list[Segment], str | None]:
    """Segments up to the first scan, and what is wrong with them, None when nothing is."""
    if source.at(0, 2) != b"\xff\xd8":
        raise PacketRefused(subject, "it is no JPEG", "not-a-jpeg", "Give it the right extension")
    segments: list[Segment] = []
    at, size = 2, source.size
    view, keep = source.view, source.keep
    front = view(0, min(_FRONT, size))
    while True:
        start = at
        head = front[at : at + _LOOK] if at + _LOOK <= len(front) else view(at, _LOOK)
        while head[:2] == b"\xff\xff":
            at += 1
            head = view(at, _LOOK)
        marker = head[1] if len(head) > 1 else 0
        if head[:1] != b"\xff" or marker == 0:
            keep(start, at + 2 - start)
            return segments, f"a segment should begin at byte {at}, and none does"
        if marker == 0x01 or 0xD0 <= marker <= _SOS:
            keep(start, at + 2 - start)
            if marker == _SOS and at + 2 + int.from_bytes(head[2:4], "big") < size:
                return segments, None
            if marker in (_SOS, _EOI):
                return segments, "it ends before its picture begins"
            if marker == 0xD8:
                return segments, f"a second picture begins at byte {at}"
            segments.append(Segment(marker, at, at + 2, at + 2, b""))
            at += 2
            continue
        length = head[2] << 8 | head[3] if len(head) > 3 else 0
        end = at + 2 + length
        if length < 2 or end > size:
            keep(start, at + 4 - start)
            return segments, f"the segment at byte {at} has a length that cannot be"
        ident = b""
        if marker in _KINDS:
            ident = head[4 : 4 + min(_KINDS[marker], length - 2)]
            if marker == _APP1 and not ident.startswith(extended.IDENT):
                ident = ident[: len(XMP)]
        keep(start, at + 4 + len(ident) - start)
        segments.append(Segment(marker, at, at + 4, end, ident))
        at = end


def _length(segment: Segment) -> int:
    return segment.end - segment.payload


def _is(segment: Segment, marker: int, ident: bytes) -> bool:
    return segment.marker == marker and segment.ident.startswith(ident)


def _photoshop(
    source: Source, segments: Sequence[Segment]
) -> tuple[Segment | None, photoshop.Resources | None, bytes | None]:
    """The segment that can be changed, the resources of all together, and their IPTC block."""
    found = [each for each in segments if _is(each, _APP13, PHOTOSHOP)]
    if not found:
        return None, None, None
    start = len(PHOTOSHOP)
    payloads = [source.at(each.payload, _length(each))[start:] for each in found]
    resources = photoshop.parse(b"".join(payloads))
    # Resources may run on from one segment to the next: those are read, and left as they are.
    alone = len(found) == 1 and resources.count(photoshop.IPTC) == 1
    return found[0] if alone else None, resources, resources.data(photoshop.IPTC)


def _insert_at(segments: Sequence[Segment]) -> int:
    """Behind the Exif segment, else behind the JFIF ones at the front, else at the front."""
    at, leading = 2, True
    for each in segments:
        if each.marker in _FRAMES:
            break
        leading = leading and each.marker == _APP0
        if leading or _is(each, _APP1, EXIF):
            at = each.end
    return at


def _signed(source: Source, segments: Sequence[Segment], packet: bytes | None) -> bool:
    for each in segments:
        if each.marker == _APP11:
            head = source.glance(each.payload, min(64, _length(each)))
            if head is not None and credentials.in_app11(head):
                return True
    return packet is not None and credentials.named_in(packet)


def _refused(reason: str, detail: str) -> Refusal:
    advice = "Open it in an image editor and save it anew, if it should get keywords"
    return Refusal(reason, detail, advice)


# --- changing ---------------------------------------------------------------------------------


def _map(layout: Layout) -> _Map:
    assert isinstance(layout.private, _Map)
    return layout.private


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _iptc(where: _Map, words: tuple[str, ...] | None) -> bytes | None:
    """The Photoshop resources with other keywords; None: they stay, or would not fit."""
    if words is None or where.iptc is None or where.resources is None:
        return None
    new = bytes(where.resources.with_iptc_keywords(words))
    fits = len(PHOTOSHOP) + len(new) <= _MOST_PAYLOAD
    return new if fits and new != bytes(where.resources) else None


def _replaced(segment: Segment, ident: int, content: bytes) -> list[Splice]:
    """Other content behind a segment's identifier."""
    there = segment.payload + ident
    splices = [Splice(there, segment.end - there, content)]
    length = 2 + ident + len(content)
    if length != segment.end - segment.payload + 2:
        splices.insert(0, Splice(segment.payload - 2, 2, length.to_bytes(2, "big")))
    return splices


# --- checking ---------------------------------------------------------------------------------

_Listed = tuple[int, bytes]


def _listing(source: Source) -> list[_Listed] | None:
    """Marker and payload of every segment before the first scan; None: they do not add up."""
    listed: list[_Listed] = []
    at = 2
    while True:
        while source.view(at, 2) == b"\xff\xff":
            listed.append((0xFF, b""))
            at += 1
        head = source.view(at, 4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        if head[1] == _SOS:
            return listed
        if head[1] == 0x01 or 0xD0 <= head[1] <= 0xD7:
            listed.append((head[1], b""))
            at += 2
            continue
        length = int.from_bytes(head[2:4], "big")
        payload = source.view(at + 4, length - 2)
        if length < 2 or len(payload) != length - 2:
            return None
        listed.append((head[1], payload))
        at += 2 + length


def _ours(listed: _Listed) -> bool:
    return listed[1].startswith((XMP, PHOTOSHOP, mpf.IDENT)) and listed[0] in _KINDS


def _lost_picture(before: Source, after: Source) -> str | None:
    """Compare where the index of one file and of the other lead to."""
    found = []
    for source in (before, after):
        segments, _ = _walk(source, Path())
        where = next((each for each in segments if _is(each, _APP2, mpf.IDENT)), None)
        index = None
        if where is not None:
            index = mpf.parse(source.view(where.payload, where.end - where.payload), where.payload)
        found.append([source.view(at, 64) for at in index.targets()] if index else [])
    if found[0] != found[1]:
        return "the index of its other pictures (MPF) would lead astray"
    return None
