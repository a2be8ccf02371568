"""A new sidecar, laid out as Lightroom lays out its own (R28): no develop settings, no capture
facts, no declaration, no wrapper."""

from __future__ import annotations

from urbexmp import __version__
from urbexmp.adapters.xmp import layout
from urbexmp.adapters.xmp.edit import edit_packet
from urbexmp.adapters.xmp.names import ALT_TEXT, DC, LR, META, PHOTOSHOP, RDF, XMP
from urbexmp.model.change import PacketEdit
from urbexmp.model.text import TextField


def create_packet(edit: PacketEdit, subject: object = "new sidecar") -> bytes:
    """Return the bytes of a new sidecar with the items, block, date and owner of `edit`.

    Raises `PacketRefused` (`unwritable`).
    """
    attributes = b""
    if edit.metadata_date is not None:
        attributes += b'\n   xmp:MetadataDate="%s"' % layout.attribute(edit.metadata_date, subject)
    if edit.sidecar_for is not None:
        owner = layout.attribute(edit.sidecar_for, subject)
        attributes += b'\n   photoshop:SidecarForExtension="%s"' % owner
    # Only where it is needed: most sidecars hold no alternative text.
    alt = any(text.field is TextField.ALT_TEXT for text in edit.texts)
    iptc = f'\n    xmlns:Iptc4xmpCore="{ALT_TEXT[0]}"' if alt else ""
    empty = f"""\
<x:xmpmeta xmlns:x="{META}" x:xmptk="urbexmp {__version__}">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about=""
    xmlns:dc="{DC}"
    xmlns:lr="{LR}"
    xmlns:xmp="{XMP}"
    xmlns:photoshop="{PHOTOSHOP}"{iptc}%s>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
""".encode()
    return edit_packet(empty.replace(b"%s", attributes, 1), edit, subject)
