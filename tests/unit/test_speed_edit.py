"""Edits of packets that were only scanned give the same bytes as those of parsed ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from unit.test_speed_proof import BLOCK, LIGHTROOM
from urbexmp.adapters.xmp.edit import _Editor, edit_packet
from urbexmp.adapters.xmp.locate import locate
from urbexmp.adapters.xmp.names import READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.photo import Block

GOLDEN = Path(__file__).parent.parent / "golden"
SUBJECT = Path("IMG.xmp")
PACKETS = {path.parent.name: path.read_bytes() for path in sorted(GOLDEN.glob("*/before.xmp"))}
WRITTEN = edit_packet(
    LIGHTROOM,
    PacketEdit(flat_add=("Urbex",), hierarchical_add=("Urbex|A & B",), block=BLOCK),
    SUBJECT,
)
WORDS = ("Owl", "Brick & Iron", "Urbex", "Animals|Owl", "<é>", "Zebra", "Tent", "Places|Kent")


def by(packet: bytes, edit: PacketEdit, *, quick: bool) -> bytes | str | None:
    """What an edit gives, why it is refused, or None where a scan does not do."""
    try:
        document = locate(packet, edit) if quick else parse(packet, READ, SUBJECT)
        return None if document is None else _Editor(document, SUBJECT).edit(packet, edit)
    except PacketRefused as refusal:
        return refusal.reason


def some(chance: random.Random) -> tuple[str, ...]:
    return tuple(chance.sample(WORDS, chance.choice((0, 0, 1, 2, 4))))


def edits(chance: random.Random, number: int) -> list[PacketEdit]:
    return [
        PacketEdit(
            some(chance),
            some(chance),
            some(chance),
            some(chance),
            chance.choice((None, BLOCK, Block(""), Block("w1"))),
            chance.choice((None, "2026-11-20T10:00:00Z")),
        )
        for _ in range(number)
    ]


@pytest.mark.parametrize("name", PACKETS)
def test_in_every_golden_packet(name: str) -> None:
    for edit in edits(random.Random(name), 12):
        quick = by(PACKETS[name], edit, quick=True)
        assert quick is None or quick == by(PACKETS[name], edit, quick=False)


@pytest.mark.parametrize("packet", [LIGHTROOM, WRITTEN], ids=["lightroom", "written"])
def test_in_usual_packets_and_after_damage(packet: bytes) -> None:
    chance = random.Random(3)
    done = 0
    for edit in edits(chance, 60):
        assert by(packet, edit, quick=True) == by(packet, edit, quick=False) is not None
        for _ in range(8):
            at, to = sorted(chance.choices(range(len(packet)), k=2))
            piece = chance.choice(
                (b"", b" ", b"<", b'"', packet[at : at + 30], packet[to : to + 9])
            )
            mutant = packet[:at] + piece + packet[at + chance.choice((0, 1, 9)) :]
            quick = by(mutant, edit, quick=True)
            assert quick is None or quick == by(mutant, edit, quick=False)
            done += quick is not None
    assert done > 20
