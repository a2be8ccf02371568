"""The facade of the room: packets read, edited, made and proven, as `ports.Codec` wants them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.adapters.xmp.names import READ, Name
from urbexmp.adapters.xmp.scan import scan
from urbexmp.model.errors import ProofFailed

if TYPE_CHECKING:
    from urbexmp.model.change import PacketEdit
    from urbexmp.model.ports import PacketReading

# Parsing, editing and proving are imported where they are asked for: most runs only scan.


class XmpCodec:
    """Packets as bytes. Keeps no state, so one serves any number of threads and files (R9)."""

    def read(self, packet: bytes, subject: Path) -> PacketReading:
        """Read all that is legal and much that is not. Raises `PacketRefused` when it cannot.

        A packet in the usual form is only scanned; anything unusual is parsed. Both give the
        same reading, but the scan does not see that a packet is malformed in a place that is of
        no interest to it; `edit` always parses.
        """
        reading = scan(packet)
        if reading is not None:
            return reading
        from urbexmp.adapters.xmp.parse import parse
        from urbexmp.adapters.xmp.reading import read_document

        return read_document(parse(packet, READ, subject))

    def read_simple(self, packet: bytes, names: Collection[Name], subject: Path) -> dict[Name, str]:
        """Texts of single properties, by namespace URI and local name; absent ones are left out.

        Of a list the first item. Raises `PacketRefused`.
        """
        from urbexmp.adapters.xmp.parse import parse
        from urbexmp.adapters.xmp.reading import simple_values

        return simple_values(parse(packet, frozenset(names), subject), names)

    def edit(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        """Return the packet with exactly `edit` done to it; the same bytes when it stands there.

        A block that says nothing (`Block("")`) takes ours out. Raises `PacketRefused`.
        """
        from urbexmp.adapters.xmp.edit import edit_packet

        return edit_packet(packet, edit, subject)

    def create(self, edit: PacketEdit) -> bytes:
        """Return a new sidecar's bytes. Raises `PacketRefused` (`unwritable`)."""
        from urbexmp.adapters.xmp.create import create_packet

        return create_packet(edit)

    def prove(self, before: bytes | None, after: bytes, edit: PacketEdit, subject: Path) -> None:
        """Raise `ProofFailed` unless `after` is `before` plus exactly `edit`.

        `before` None: a new sidecar. Beside the independent proof, editing again must change
        nothing.
        """
        from urbexmp.adapters.xmp.edit import edit_packet
        from urbexmp.adapters.xmp.prove import prove_edit, prove_new

        if before is None:
            prove_new(after, edit, subject)
        else:
            prove_edit(before, after, edit, subject)
        if _stands(after, edit):
            return
        if edit_packet(after, edit, subject) != after:
            raise ProofFailed(subject, detail="editing it again would change it again")

    def edit_proven(self, packet: bytes, edit: PacketEdit, subject: Path) -> bytes:
        """`edit`, and `prove` unless that changed nothing; raises what either raises.

        In the usual case one parser reads the packet whole once, the proof's, and it reads what
        will be written. A packet that is not well-formed cannot pass that: what a splice takes
        out of it was looked at tag by tag. Whatever is unusual, or wrong, goes the long way, which
        can say what it is.
        """
        from urbexmp.adapters.xmp.edit import edit_usual
        from urbexmp.adapters.xmp.prove_usual import proven
        from urbexmp.adapters.xmp.standing import stands_again

        after = edit_usual(packet, edit, subject)
        if after is not None and proven(packet, after, edit) and stands_again(after, edit):
            return after
        after = self.edit(packet, edit, subject)
        if after != packet:
            self.prove(packet, after, edit, subject)
        return after


def _stands(packet: bytes, edit: PacketEdit) -> bool:
    """Whether a scan sees that an edit is done; False: it does not know."""
    from urbexmp.adapters.xmp.standing import stands

    reading = scan(packet)
    return reading is not None and stands(reading, edit)
