"""Texts of an image file beside its packet: in the IPTC block, or in the second part of a packet.

Lightroom's Caption is `dc:description` and IIM 2:120 at once, and the two are kept alike by who
writes both. We write only the packet, so a file that has a caption in its IPTC block keeps what it
has: else programs that read one and programs that read the other would tell different things.
"""

from __future__ import annotations

from dataclasses import replace

from urbexmp.adapters.embedded.layout import Layout
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.ports import PacketReading
from urbexmp.model.text import TextField, TextState

IN_IPTC = "stands in the IPTC block as well"
EXTENDED = b"HasExtendedXMP"
NOT_READ = "may stand in the second part of the metadata (ExtendedXMP)"


def with_caption(reading: PacketReading, layout: Layout) -> PacketReading:
    """A reading with the caption of the IPTC block, which then cannot be set."""
    caption = layout.iptc_caption
    if caption is None:
        return reading
    said = {state.field: state for state in reading.texts}
    value = said[TextField.DESCRIPTION].value if TextField.DESCRIPTION in said else None
    if value is None or layout.iptc_state == "differs":
        value = caption
    said[TextField.DESCRIPTION] = TextState(TextField.DESCRIPTION, value, IN_IPTC)
    texts = tuple(said[field] for field in TextField if field in said)
    return replace(reading, texts=texts, description=reading.description or caption)


def with_extended(reading: PacketReading, packet: bytes) -> PacketReading:
    """A reading of a packet whose second part may hold its texts: none of them can be set.

    That part is not read, so a text that the first one lacks counts as one of unknown words.
    """
    if EXTENDED not in packet:
        return reading
    said = {state.field: state.value for state in reading.texts}
    texts = tuple(
        TextState(field, said.get(field), NOT_READ, unknown=said.get(field) is None)
        for field in TextField
    )
    return replace(reading, texts=texts)


def refuse_texts(layout: Layout, edit: PacketEdit, subject: object) -> None:
    """Raise `PacketRefused` where an edit would make two texts of one file differ."""
    fields = {text.field for text in edit.texts}
    if layout.iptc_caption is not None and TextField.DESCRIPTION in fields:
        raise PacketRefused(
            subject, f"its description {IN_IPTC}", "iptc-caption", "Change it in Lightroom"
        )
    if fields and layout.packet is not None and EXTENDED in layout.packet:
        raise PacketRefused(
            subject, f"its texts {NOT_READ}", "extended-texts", "Change them in Lightroom"
        )
