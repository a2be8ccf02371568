"""Packets inside image files, as `ports.Codec` wants them: envelopes are opened and sealed here.

What has no envelope goes to the codec of packets as it is, so one codec serves all carriers.

The rules of IPTC beside a packet (XMP.md R31) are kept here, the same for all containers:

* keywords that only the IPTC block has count as found where Adobe's reader would take them from
  there: the packet has no `dc:subject`, or the digest says that the block is newer;
* a write carries those over into the packet, before ours, because from then on the packet wins;
* where digest and block agree and the block is in UTF-8, its keywords follow the packet's;
* where the block is newer, a write is refused, or (`adopt_iptc`) carries its keywords over and
  makes the digest fit, so that the packet wins from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from urbexmp.adapters.embedded import iim
from urbexmp.adapters.embedded.envelope import (
    Unsealed,
    is_envelope,
    plain_packet,
    remembered,
    resealed,
    unseal,
)
from urbexmp.adapters.embedded.layout import Container, Layout, Refusal
from urbexmp.adapters.embedded.padding import only_padding_differs, unwrapped, wrapped
from urbexmp.adapters.embedded.prove import prove_beside
from urbexmp.adapters.embedded.texts import refuse_texts, with_caption, with_extended
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused, ProofFailed
from urbexmp.model.keyword import KeywordFields
from urbexmp.model.ports import Codec, PacketReading

NOTHING = PacketReading(KeywordFields(), None, frozenset(), ())

SIGNED = Refusal(
    "signed",
    "it carries Content Credentials, which any write would make invalid",
    "Its keywords are in the sidecar; `break_c2pa = true` in the profile writes into it all the"
    " same",
)
IPTC_NEWER = Refusal(
    "iptc-newer",
    "its IPTC keywords were changed after its XMP packet, and Lightroom would let them win",
    "Read and save its metadata in Lightroom, or set `adopt_iptc = true` in the profile",
)
_VOID = "It carries Content Credentials, which are not valid once it is written into."
_NEWER = "Its IPTC block is newer than its packet: a program that knows no XMP has changed it."


class PacketCodec(Codec, Protocol):
    """A codec that also reads single properties."""

    def read_simple(
        self, packet: bytes, names: Collection[tuple[str, str]], subject: Path
    ) -> dict[tuple[str, str], str]:
        """Texts of single properties, by namespace URI and local name."""
        ...


class EmbeddedCodec:
    """Implements `ports.Codec` for packets of every carrier. Thread-safe."""

    def __init__(
        self,
        inner: PacketCodec,
        containers: Sequence[Container],
        *,
        adopt_iptc: bool = False,
        break_c2pa: bool = False,
    ) -> None:
        self._inner = inner
        self._containers = tuple(containers)
        self._adopt = adopt_iptc
        self._break = break_c2pa
        self._last: tuple[bytes, Unsealed] | None = None
        """What was edited last: it is opened again at once, to be proven."""

    def read(self, packet: bytes, subject: Path) -> PacketReading:
        """Read a packet; of an image file also what it has of IPTC. Raises `PacketRefused`."""
        usual = remembered(packet)
        if usual is not None:
            inside = usual[1]
            return NOTHING if inside is None else self._inner.read(inside, subject)
        if not is_envelope(packet):
            return self._inner.read(packet, subject)
        plain = plain_packet(packet)
        if plain is not None:
            return with_extended(self._inner.read(plain, subject), plain)
        return self._reading(self._open(packet, subject).layout, subject)

    def read_simple(
        self, packet: bytes, names: Collection[tuple[str, str]], subject: Path
    ) -> dict[tuple[str, str], str]:
        """Texts of single properties. Raises `PacketRefused`."""
        plain = self.unwrapped(packet, subject)
        return {} if plain is None else self._inner.read_simple(plain, names, subject)

    def unwrapped(self, packet: bytes, subject: Path) -> bytes | None:
        """The packet by itself, for showing it; None: the image file has none."""
        if not is_envelope(packet):
            return packet
        return plain_packet(packet) or self._open(packet, subject).layout.packet

    def refusal(self, packet: bytes, subject: Path) -> Refusal | None:
        """Why `edit` would refuse whatever it is asked for, None when it would not."""
        if not is_envelope(packet):
            return None
        return self._refusal(self._open(packet, subject).layout)

    def edit(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        """Return the packet, or the envelope, with exactly `edit` done to it.

        Raises `PacketRefused`.
        """
        if not is_envelope(packet):
            return self._inner.edit(packet, edit, subject)
        old = self._writable(packet, subject)
        self._last = packet, old
        new = self._edited(old.layout, self._full(old.layout, edit, subject), subject)
        return packet if new == old.layout.packet else self._holding(old, new, edit, subject)

    def create(self, edit: PacketEdit) -> bytes:
        """Return a new sidecar's bytes."""
        return self._inner.create(edit)

    def prove(self, before: bytes | None, after: bytes, edit: PacketEdit, subject: Path) -> None:
        """Raise `ProofFailed` unless `after` is `before` plus exactly `edit`.

        Of an envelope: the packet is proven by the packets' own proof, the padding that was
        added to it is blanks before its trailer, and of the IPTC block nothing but keywords and
        digest has changed. That everything else in the file stays is proven when it is written.
        """
        if before is None or not is_envelope(before):
            self._inner.prove(before, after, edit, subject)
            return
        last = self._last
        known = last[1] if last is not None and last[0] is before else self._open(before, subject)
        old, new = known.layout, self._open(after, subject).layout
        if new.packet is None:
            raise ProofFailed(subject, detail="the packet is not where it should be")
        full = self._full(old, edit, subject)
        if old.packet is None:
            inside = unwrapped(new.packet)
            if inside is None:
                raise ProofFailed(subject, detail="the new packet has no header or trailer")
            self._inner.prove(None, inside, full, subject)
        else:
            plain = new.packet
            if len(plain) != len(old.packet) or not _same_end(old.packet, plain):
                plain = self._inner.edit(old.packet, full, subject)
                if not only_padding_differs(plain, new.packet):
                    raise ProofFailed(subject, detail="more than the padding was fitted")
            self._inner.prove(old.packet, plain, full, subject)
        words = self._iptc_words(old, new.packet, edit, subject)
        self._prove_beside(before, after, words, subject)

    def edit_proven(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        """`edit`, and `prove` unless that changed nothing; raises what either raises.

        The packet is edited and proven by itself; then the new envelope is opened, and the packet
        in it must be the proven one, but for blanks before its trailer.
        """
        if not is_envelope(packet):
            return self._inner.edit_proven(packet, edit, subject)
        old = self._writable(packet, subject)
        if old.layout.packet is None:
            after = self.edit(packet, edit, subject)
            self.prove(packet, after, edit, subject)
            return after
        full = self._full(old.layout, edit, subject)
        new = self._inner.edit_proven(old.layout.packet, full, subject)
        if new == old.layout.packet:
            return packet
        after = self._holding(old, new, edit, subject)
        inside = self._open(after, subject).layout.packet
        if inside is None:
            raise ProofFailed(subject, detail="the packet is not where it should be")
        if not only_padding_differs(new, inside):
            raise ProofFailed(subject, detail="more than the padding was fitted")
        self._prove_beside(
            packet, after, self._iptc_words(old.layout, inside, edit, subject), subject
        )
        return after

    # --- reading ------------------------------------------------------------------------------

    def _open(self, envelope: bytes, subject: Path) -> Unsealed:
        return unseal(envelope, subject, self._containers)

    def _packet_reading(self, layout: Layout, subject: Path) -> PacketReading:
        return NOTHING if layout.packet is None else self._inner.read(layout.packet, subject)

    def _reading(self, layout: Layout, subject: Path) -> PacketReading:
        reading = self._packet_reading(layout, subject)
        more = _only_in_iptc(layout, reading.fields)
        fields = reading.fields
        if more:
            fields = replace(fields, flat=(*(fields.flat or ()), *more))
        notes = (*reading.notes, *layout.notes)
        if layout.iptc_state == "differs":
            notes = (*notes, _NEWER)
        if layout.signed and self._break and layout.refusal is None:
            notes = (*notes, _VOID)
        reading = with_caption(replace(reading, fields=fields, notes=notes), layout)
        return with_extended(reading, layout.packet or b"")

    def _refusal(self, layout: Layout) -> Refusal | None:
        if layout.refusal is not None:
            return layout.refusal
        if layout.signed and not self._break:
            return SIGNED
        if layout.iptc_state == "differs" and not self._adopt:
            return IPTC_NEWER
        return None

    def _writable(self, envelope: bytes, subject: Path) -> Unsealed:
        """An opened envelope. Raises `PacketRefused` where its file must not be written into."""
        old = self._open(envelope, subject)
        refusal = self._refusal(old.layout)
        if refusal is not None:
            raise PacketRefused(subject, refusal.detail, refusal.reason, refusal.advice)
        return old

    # --- editing ------------------------------------------------------------------------------

    def _full(self, layout: Layout, edit: PacketEdit, subject: Path) -> PacketEdit:
        """The edit with the keywords that come over from IPTC, before the new ones."""
        refuse_texts(layout, edit, subject)
        edit = replace(edit, sidecar_for=None)
        if not layout.iptc_keywords:
            return edit
        fields = self._packet_reading(layout, subject).fields
        there = fields.flat or ()
        carried = tuple(
            word
            for word in _only_in_iptc(layout, fields)
            if word not in edit.flat_add and word not in edit.flat_remove
        )
        return replace(
            edit,
            flat_add=carried + edit.flat_add,
            flat_remove=tuple(word for word in edit.flat_remove if word in there),
        )

    def _edited(self, layout: Layout, full: PacketEdit, subject: Path) -> bytes:
        if layout.packet is None:
            return wrapped(self._inner.create(full))
        return self._inner.edit(layout.packet, full, subject)

    def _holding(self, old: Unsealed, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        """The envelope with another packet, and what must follow it."""
        layout = old.layout
        words = self._iptc_words(layout, packet, edit, subject)
        self._must_go(layout, packet, words, edit, subject)
        padded = old.container.pad(layout, packet, words)
        return resealed(old, old.container.splices(layout, padded, words, subject), subject)

    def _prove_beside(
        self, before: bytes, after: bytes, words: tuple[str, ...] | None, subject: Path
    ) -> None:
        fault = prove_beside(before, after, words)
        if fault is not None:
            raise ProofFailed(subject, detail=fault)

    def _must_go(
        self,
        layout: Layout,
        packet: bytes,
        words: tuple[str, ...] | None,
        edit: PacketEdit,
        subject: Path,
    ) -> None:
        """Raise `PacketRefused` (`iptc-alone`) when a keyword would stay, or come back.

        Without `dc:subject` the IPTC block is read, and not every block can be changed.
        """
        if not layout.iptc_keywords or (words is not None and layout.iptc_writable):
            return
        if self._inner.read(packet, subject).fields.flat is not None:
            return
        wanted = set(self._reading(layout, subject).fields.flat or ()) - set(edit.flat_remove)
        unwanted = [word for word in layout.iptc_keywords if word not in wanted]
        if unwanted:
            raise PacketRefused(
                subject,
                f"{unwanted[0]} is in its IPTC block alone, which cannot be changed safely",
                "iptc-alone",
                "Take it out in Lightroom, or add another keyword at the same time",
            )

    def _iptc_words(
        self, layout: Layout, packet: bytes, edit: PacketEdit, subject: Path
    ) -> tuple[str, ...] | None:
        """What IIM 2:25 will hold: what it holds less what is taken away, then the packet's.

        Where the packet no longer has `dc:subject`, only what counted before: else a word that
        the packet had put out of force would come back.
        """
        if layout.iptc_state not in ("matches", "differs"):
            return None
        if layout.iptc_state == "matches" and not layout.iptc_writable:
            return None
        gone = {spelled for word in edit.flat_remove for spelled in (word, iim.cut(word))}
        flats = self._inner.read(packet, subject).fields.flat
        kept: Sequence[str] = layout.iptc_keywords
        if flats is None:
            there = self._reading(layout, subject).fields.flat or ()
            kept = [word for word in kept if word in {iim.cut(word) for word in there} | {*there}]
        kept = [word for word in kept if word not in gone]
        return tuple(dict.fromkeys((*kept, *(flats or ()))))


def _same_end(one: bytes, two: bytes) -> bool:
    """Whether two packets end with the same trailer and the same bytes behind it."""
    mark = b"<?xpacket end="
    at = one.find(mark)
    return at >= 0 and one[at:] == two[two.find(mark) :]


def _only_in_iptc(layout: Layout, fields: KeywordFields) -> tuple[str, ...]:
    """Keywords that Adobe's reader would take from the IPTC block, not from the packet."""
    if fields.flat is not None and layout.iptc_state != "differs":
        return ()
    there = {spelled for word in fields.flat or () for spelled in (word, iim.cut(word))}
    return tuple(word for word in layout.iptc_keywords if word not in there)
