"""Damaged packets: refused with a reason, or edited so that the proof holds. Never a crash."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.names import READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.reading import read_document
from urbexmp.adapters.xmp.scan import scan
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.photo import Block

GOLDEN = Path(__file__).parent.parent / "golden"
CODEC = XmpCodec()
SUBJECT = Path("IMG.xmp")
PIECES = (
    b"<rdf:li>",
    b"<rdf:li>Owl</rdf:li>",
    b"<rdf:li/>",
    b"<rdf:Bag/>",
    b"<!-- c -->",
    b"<?p q?>",
    b"<dc:subject/>",
    b"<![CDATA[x]]>",
    b' xml:lang="en"',
    b' dc:subject="q"',
    b' xmlns:dc="http://purl.org/dc/elements/1.1/"',
    b'<rdf:Description rdf:about=""/>',
    b"\r\n",
    b"words",
)


def damaged(packet: bytes, chance: random.Random) -> bytes:
    """A packet with one to three injuries: something put in, cut out, doubled, or flipped."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(packet) + 1)
        kind = chance.random()
        if kind < 0.5:  # mostly where tags meet: elsewhere it is soon not XML any more
            at = packet.find(b"<", at) if packet.find(b"<", at) >= 0 else at
            packet = packet[:at] + chance.choice(PIECES) + packet[at:]
        elif kind < 0.6:
            packet = packet[:at] + bytes([chance.randrange(256)]) + packet[at + 1 :]
        elif kind < 0.8:
            packet = packet[:at] + packet[at + chance.randint(1, 60) :]
        else:
            to = chance.randrange(len(packet) + 1)
            packet = packet[:to] + packet[at : at + chance.randint(1, 200)] + packet[to:]
    return packet


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_packet_is_refused_or_edited_provably(seed: int) -> None:
    chance = random.Random(seed)
    packets = [path.read_bytes() for path in sorted(GOLDEN.glob("*/before.xmp"))]
    proven = 0
    reasons: set[str] = set()
    for packet in chance.choices([data for data in packets if len(data) < 8000], k=150):
        data = damaged(packet, chance)
        try:
            fields = CODEC.read(data, SUBJECT).fields
            edit = PacketEdit(
                flat_add=tuple({"Zebra", "<é>"} - {*(fields.flat or ())}),
                flat_remove=tuple(dict.fromkeys(fields.flat or ()))[: chance.randint(0, 2)],
                hierarchical_add=tuple({"A|Zebra"} - {*(fields.hierarchical or ())}),
                block=chance.choice((None, Block("w1"), Block(""))),
                metadata_date="2026-11-20T10:00:00Z",
            )
            after = CODEC.edit(data, edit, SUBJECT)
        except PacketRefused as refusal:
            reasons.add(refusal.reason)
            continue
        CODEC.prove(data, after, edit, SUBJECT)
        proven += 1
        quick = scan(data)
        assert quick is None or quick == read_document(parse(data, READ, SUBJECT))
    assert proven
    assert reasons
    assert all(reasons)


def test_threads_do_not_disturb_each_other() -> None:
    packets = [path.read_bytes() for path in sorted(GOLDEN.glob("beside-*/before.xmp"))]
    edit = PacketEdit(flat_add=("Zebra é",), hierarchical_add=("A|Zebra é",), block=Block("w1"))
    alone = [CODEC.edit(packet, edit, SUBJECT) for packet in packets]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda packet: CODEC.edit(packet, edit, SUBJECT), packets * 4))
    assert together == alone * 4
