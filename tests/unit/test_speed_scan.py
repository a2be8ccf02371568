"""What a scan takes from packets seen before never changes what it reads."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from unit.test_speed_proof import BLOCK, LIGHTROOM
from urbexmp.adapters.xmp import scan_head
from urbexmp.adapters.xmp.edit import edit_packet
from urbexmp.adapters.xmp.names import CAPTION, READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.reading import read_document
from urbexmp.adapters.xmp.scan import scan
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.ports import PacketReading

SUBJECT = Path("IMG.xmp")
RAW = LIGHTROOM.replace(
    b'crs:Exposure2012="+0.35"', b'crs:Exposure2012="+0.35" crs:RawFileName="_DSC0001.NEF"'
)
WRITTEN = edit_packet(RAW, PacketEdit(flat_add=("Urbex",), block=BLOCK), SUBJECT)
FADING = "0123456789abcdefABCDEF.+-"


def parsed(packet: bytes) -> PacketReading | None:
    try:
        return read_document(parse(packet, READ | {CAPTION}, SUBJECT))
    except PacketRefused:
        return None


@pytest.mark.parametrize("packet", [RAW, WRITTEN], ids=["lightroom", "written"])
def test_packets_that_look_alike_are_told_apart(packet: bytes) -> None:
    """Only bytes are changed that a skeleton leaves out: all of these are taken for seen."""
    chance = random.Random(5)
    assert scan(packet) == parsed(packet) is not None
    read = 0
    for _ in range(1500):
        mutant = bytearray(packet)
        for _ in range(chance.choice((1, 1, 2, 5))):
            at = chance.randrange(len(mutant))
            if chr(mutant[at]) in FADING and chance.random() < 0.5:
                del mutant[at]
            elif chance.random() < 0.5:
                mutant.insert(at, ord(chance.choice(FADING)))
            elif chr(mutant[at]) in FADING:
                mutant[at] = ord(chance.choice(FADING))
        found, wanted = scan(bytes(mutant)), parsed(bytes(mutant))
        if found is not None and wanted is not None:
            assert found == wanted
            read += 1
    assert read > 100


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'xmp:Rating="3"', b'xmp:Rating="3" dc:subject="Other"'),
        (b'xmp:Rating="3"', b'xmp:Rating="3" xmlns:o="http://purl.org/dc/elements/1.1/"'),
        (b"   <crs:Look>", b"   <dc:subject><rdf:Bag/></dc:subject>\n   <crs:Look>"),
        (b"   <crs:Look>", b'   <dc:subject xmlns:dc="urn:x">1</dc:subject>\n   <crs:Look>'),
        (b"<dc:subject>", b'<dc:subject xmlns:dc="urn:x">'),
        (b"<lr:hierarchicalSubject>", b'<lr:hierarchicalSubject xmlns:rdf="urn:x">'),
        (b"   <crs:Look>", b"   <dc:description>A</dc:description>\n   <crs:Look>"),
        (b'crs:RawFileName="_DSC0001.NEF"', b'crs:RawFileName="_DSC0001.CR3"'),
        (b'crs:RawFileName="_DSC0001.NEF"', b'crs:RawFileNam="_DSC0001.NEF"'),
        (b'crs:RawFileName="_DSC0001.NEF"', b""),
        (b"<crs:Look>", b"<crs:Look><!-- <dc:subject> -->"),
        (b"Brick &amp; Iron", b"Brick &#38; Iron"),
        (b"Brick &amp; Iron", b"Brick > Iron"),
        (b"<rdf:li>Owl</rdf:li>", b'<rdf:li rdf:parseType="Literal">Owl</rdf:li>'),
        (b"</x:xmpmeta>\n", b"</x:xmpmeta>\n<?xpacket end='w'?>"),
    ],
)
@pytest.mark.parametrize("packet", [RAW, WRITTEN], ids=["lightroom", "written"])
def test_what_is_new_in_a_packet_that_begins_like_others_is_seen(
    packet: bytes, old: bytes, new: bytes
) -> None:
    assert old in packet
    assert scan(packet) is not None
    mutant = packet.replace(old, new, 1)
    wanted = parsed(mutant)
    assert wanted is not None
    assert scan(mutant) in (None, wanted)


def test_a_block_is_read_anew_from_packets_that_look_alike() -> None:
    for number in range(3):
        block = replace(BLOCK, mark=f"w{number}")
        packet = edit_packet(RAW, PacketEdit(flat_add=(f"Word {number}",), block=block), SUBJECT)
        found = scan(packet)
        assert found == parsed(packet) is not None
        assert found.block is not None
        assert found.block.mark == f"w{number}"


def test_what_is_remembered_stays_small() -> None:
    for number in range(200):
        scan(RAW.replace(b"crs:Look", b"crs:" + bytes([103 + number % 20]) * (1 + number // 20)))
        scan(RAW.replace(b'x:xmptk="', b'x:xmptk="%d ' % number))
    assert len(scan_head._recent) <= 16
    assert max(len(head.seen) for _, head in scan_head._recent) <= 64
