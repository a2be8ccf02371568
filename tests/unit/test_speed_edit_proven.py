"""An edit that is proven in one go gives what edit and proof one after the other give."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from unit.test_speed_edit import PACKETS, WRITTEN, edits
from unit.test_speed_proof import EDITS, LIGHTROOM
from urbexmp.adapters.xmp import edit as editing
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.edit import edit_usual
from urbexmp.adapters.xmp.names import READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.prove_usual import proven
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused, ProofFailed

SUBJECT = Path("IMG.xmp")
CODEC = XmpCodec()


def outcome(packet: bytes, edit: PacketEdit, *, together: bool) -> bytes | tuple[str, str]:
    try:
        if together:
            return CODEC.edit_proven(packet, edit, SUBJECT)
        after = CODEC.edit(packet, edit, SUBJECT)
        if after != packet:
            CODEC.prove(packet, after, edit, SUBJECT)
    except (PacketRefused, ProofFailed) as refusal:
        return type(refusal).__name__, str(refusal)
    return after


@pytest.mark.parametrize("name", PACKETS)
def test_in_every_golden_packet(name: str) -> None:
    for edit in edits(random.Random(name), 8):
        assert outcome(PACKETS[name], edit, together=True) == outcome(
            PACKETS[name], edit, together=False
        )


@pytest.mark.parametrize("packet", [LIGHTROOM, WRITTEN], ids=["lightroom", "written"])
def test_after_any_damage(packet: bytes) -> None:
    chance = random.Random(11)
    quick = broken = 0
    for edit in (*EDITS, *edits(chance, 30)):
        for _ in range(12):
            at, to = sorted(chance.choices(range(len(packet)), k=2))
            piece = chance.choice(
                (b"", b" ", b"<", b">", b'"', b"&", b"/", b"\x01", b"\xff", packet[to : to + 9])
            )
            mutant = packet[:at] + piece + packet[at + chance.choice((0, 1, 9)) :]
            after = edit_usual(mutant, edit, SUBJECT)
            if after is not None and proven(mutant, after, edit):
                parse(mutant, READ, SUBJECT)  # well-formed, or this raises
                quick += 1
            else:
                broken += 1
            assert outcome(mutant, edit, together=True) == outcome(mutant, edit, together=False)
    assert quick > 20
    assert broken > 100


@pytest.mark.parametrize(
    "damage",
    [
        (b"<rdf:li>Owl</rdf:li>", b"<rdf:li>Owl</rdf:lo>"),
        (b"<rdf:li>Owl</rdf:li>", b"<rdf:li>O\x01l</rdf:li>"),
        (b"<rdf:li>Owl</rdf:li>", b"<rdf:li>&nbsp;</rdf:li>"),
        (b"<rdf:li>Owl</rdf:li>", b"<rdf:li>\xc3</rdf:li>"),
        (b"<rdf:li>Owl</rdf:li>", b"<rdf:li>O]]>l</rdf:li>"),
        (b'xmp:Rating="3"', b'xmp:Rating="3" xmp:Rating="3"'),
        (b'xmp:Rating="3"', b'xmp:Rating="<"'),
        (b'xmp:Rating="3"', b"xmp:Rating=3"),
        (b'xmp:Rating="3"', b'none:Rating="3"'),
        (b"2024-05-19T21:14:08+02:00", b"2024\x02"),
        (b"</crs:Look>", b"</crs:Lock>"),
        (b"<urbexKW:Mark>", b"<urbexKW:Mark>\x03"),
        (b"</urbexKW:Mark>", b"</urbexKW:Mork>"),
        (b"</urbexKW:Flats>", b"&x;</urbexKW:Flats>"),
    ],
)
def test_damage_is_found_also_where_it_is_taken_out(damage: tuple[bytes, bytes]) -> None:
    """What an edit cuts away is not in the packet that the proof's parser reads."""
    packet = WRITTEN.replace(*damage)
    assert packet != WRITTEN
    for edit in (
        EDITS[1],
        PacketEdit(flat_add=("A",), flat_remove=("Owl",), block=EDITS[0].block),
        PacketEdit(flat_add=("A",), metadata_date="2026-11-20T10:00:00Z"),
        PacketEdit(flat_add=("A",)),
    ):
        done = outcome(packet, edit, together=True)
        assert done == outcome(packet, edit, together=False)
        assert isinstance(done, tuple)


def test_the_usual_packet_is_read_by_one_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(editing, "edit_packet", never)
    for packet in (LIGHTROOM, WRITTEN):
        for edit in EDITS[:3]:
            after = CODEC.edit_proven(packet, edit, SUBJECT)
            assert after != packet
