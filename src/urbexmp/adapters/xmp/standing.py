"""Whether an edit stands in a packet: editing it again would change nothing."""

from __future__ import annotations

from urbexmp.adapters.xmp.block import as_read, block_of, is_nothing
from urbexmp.adapters.xmp.scan import Scan
from urbexmp.adapters.xmp.scan_text import Unusual
from urbexmp.model.change import PacketEdit
from urbexmp.model.keyword import KeywordFields
from urbexmp.model.ports import PacketReading


def stands(reading: PacketReading, edit: PacketEdit) -> bool:
    """Whether `edit_packet` would find nothing to do in a packet that reads so.

    Of a proven packet, whose block has no damaged item. The date is no part of it, as for the
    edit. Of texts it does not know.
    """
    flat, hierarchical = reading.fields.flat or (), reading.fields.hierarchical or ()
    block = edit.block
    return (
        not edit.texts
        and frozenset(edit.flat_add).issubset(flat)
        and frozenset(edit.flat_remove).isdisjoint(flat)
        and frozenset(edit.hierarchical_add).issubset(hierarchical)
        and frozenset(edit.hierarchical_remove).isdisjoint(hierarchical)
        and (block is None or reading.block == (None if is_nothing(block) else as_read(block)))
    )


def stands_again(packet: bytes, edit: PacketEdit) -> bool:
    """Whether a scan of a packet that `edit_usual` made, and that is proven, finds the edit done.

    It reads what the edit is about. All else, which decides whether a scan does, and how it reads
    the rest, stands as it stood when the packet was scanned to be edited. False: it does not know.
    """
    scan = Scan(packet)
    close = packet.rfind(b"</rdf:RDF>")
    scan.inside = packet.find(b">", packet.find(b"<rdf:Description")) + 1
    flat = hierarchical = block = None
    try:
        if edit.flat_add or edit.flat_remove:
            flat = scan.keywords(b"dc:subject", scan.inside, close)
        if edit.hierarchical_add or edit.hierarchical_remove:
            hierarchical = scan.keywords(b"lr:hierarchicalSubject", scan.inside, close)
        if edit.block is not None:
            block, damage = block_of(scan.ours(close))
            if damage:
                return False
    except Unusual:
        return False
    fields = KeywordFields(flat, hierarchical)
    return stands(PacketReading(fields, block, frozenset(), ()), edit)
