"""The facade of the room: packets read, edited, made and proven, as `ports.Codec` wants them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from urbexmp.adapters.xmp.names import CAPTION, READ, Name
from urbexmp.adapters.xmp.scan import scan
from urbexmp.model.errors import ProofFailed

if TYPE_CHECKING:
    from urbexmp.model.change import PacketEdit
    from urbexmp.model.ports import PacketReading

# Parsing, editing and proving are imported where they are asked for: most runs only scan.
_READ = READ | {CAPTION}


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

        return read_document(parse(packet, _READ, subject))

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
        from urbexmp.adapters.xmp.edit import edit_packet, stands
        from urbexmp.adapters.xmp.prove import prove_edit, prove_new

        if before is None:
            prove_new(after, edit, subject)
        else:
            prove_edit(before, after, edit, subject)
        reading = scan(after)
        if reading is not None and stands(reading, edit):
            return
        if edit_packet(after, edit, subject) != after:
            raise ProofFailed(subject, detail="editing it again would change it again")
