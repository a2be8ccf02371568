"""A packet of a series is read by what it shares with others, and says what it says by itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from urbexmp.adapters.xmp.names import CAPTION, READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.reading import read_document
from urbexmp.adapters.xmp.scan import Scan, scan
from urbexmp.adapters.xmp.scan_alike import read_alike
from urbexmp.adapters.xmp.scan_text import Unusual
from urbexmp.model.errors import PacketRefused
from urbexmp.model.ports import PacketReading

SUBJECT = Path("IMG.JPG")


def bag(name: str, items: tuple[str, ...]) -> str:
    lines = "".join(f"\n     <rdf:li>{item}</rdf:li>" for item in items)
    return f"\n   <{name}>\n    <rdf:Bag>{lines}\n    </rdf:Bag>\n   </{name}>"


def photo(
    number: int,
    words: tuple[str, ...] = ("Owl", "Tawny"),
    paths: tuple[str, ...] = ("Birds|Owl|Tawny",),
    *,
    between: str = "",
) -> bytes:
    """The packet of one photo of a series, some kilobytes long."""
    settings = "".join(f'\n   crs:Setting{each}="+{each * 7}"' for each in range(60))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about=""\n'
        '    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
        '    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"\n'
        '    xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        '    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"\n'
        '    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"\n'
        f'   xmp:CreateDate="2024-05-01T10:{number % 60:02}:00"\n'
        f'   photoshop:SidecarForExtension="{("NEF", "NEF", "DNG")[number % 3]}"'
        f'{settings}\n   crs:RawFileName="IMG{number:05}.NEF">'
        f"\n   <crs:Look>\n    <crs:Name>Look {number}</crs:Name>\n   </crs:Look>"
        f"{bag('dc:subject', words)}{between}{bag('lr:hierarchicalSubject', paths)}"
        f"\n   <crs:Masks>\n    <crs:Id>{number * 7919:08X}</crs:Id>\n   </crs:Masks>\n"
        "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>"
        f'{(chr(10) + " " * 99) * 12}\n<?xpacket end="w"?>'
    ).encode()


def alike(packet: bytes) -> PacketReading | None:
    try:
        return read_alike(packet)
    except Unusual:
        return None


def by_itself(packet: bytes) -> PacketReading | None:
    try:
        return Scan(packet).reading()
    except Unusual:
        return None


def parsed(packet: bytes) -> PacketReading | None:
    try:
        return read_document(parse(packet, READ | {CAPTION}, SUBJECT))
    except PacketRefused:
        return None


@pytest.fixture
def series() -> None:
    """Photos of the series were read before."""
    for number in range(6):
        assert scan(photo(number)) == parsed(photo(number))


@pytest.mark.usefixtures("series")
def test_the_next_photos_are_read_the_short_way() -> None:
    for number in range(6, 40):
        words = tuple(f"Word {each}" for each in range(1 + number % 5))
        packet = photo(number, words, ("A|B &amp; C", *words))
        found = alike(packet)
        assert found is not None
        assert found == by_itself(packet) == parsed(packet)


ODD = [
    (b"Tawny</rdf:li>", b"Tawny]]></rdf:li>"),
    (b"Tawny</rdf:li>", b"Taw&#110;y</rdf:li>"),
    (b"Tawny</rdf:li>", b"Taw&nbsp;y</rdf:li>"),
    (b"Tawny</rdf:li>", b"Taw\rny</rdf:li>"),
    (b"Tawny</rdf:li>", b"Taw\x07ny</rdf:li>"),
    (b"Tawny</rdf:li>", "Waldk\xe4uzchen</rdf:li>".encode()),
    (b"Tawny</rdf:li>", "Taw\ufffey</rdf:li>".encode()),
    (b"Tawny</rdf:li>", b"Taw\xff\xfey</rdf:li>"),
    (b"Tawny</rdf:li>", b"Taw\xe4</rdf:li>"),
    (b"Tawny</rdf:li>", b"Taw<!-- -->ny</rdf:li>"),
    (b"Tawny</rdf:li>", b"Taw<![CDATA[n]]>y</rdf:li>"),
    (b"Tawny</rdf:li>", b"Tawny</rdf:li><rdf:li>One</rdf:li>"),
    (b"Tawny</rdf:li>", b"Tawny</rdf:li>\n     <rdf:li/>"),
    (b"Tawny</rdf:li>", b'Tawny</rdf:li>\n     <rdf:li xml:lang="en">One</rdf:li>'),
    (b"<rdf:Bag>", b"<rdf:Seq>"),
    (b"</dc:subject>\n", b"</dc:subject>\n   <dc:subject/>"),
    (b"</dc:subject>\n", b"</dc:subject>\n   <dc:type/>"),
    (b"</dc:subject>\n", b"</dc:subject>1\n"),
    (b"</dc:subject>\n", b"</dc:subject>"),
    (b"<dc:subject>", b'<dc:subject xmlns:dc="urn:x">'),
    (b"<crs:Look>", b"<crs:Look><dc:subject><rdf:Bag><rdf:li>X</rdf:li></rdf:Bag></dc:subject>"),
    (b"<crs:Look>", b'<crs:Look xmlns:x="urn:x">'),
    (b"<crs:Look>", b"<crs:Look><?a b?>"),
    (b"<crs:Masks>", b"<crs:Masks><crs:Mask>"),
    (b"<crs:Name>Look", "<crs:Name>B\xe4".encode()),
    (b"<crs:Name>Look", b"<crs:Name>L\xe4"),
    (b"<crs:Name>Look", b"<crs:Name>a&amp;b"),
    (b"<crs:Name>Look", b"<crs:Name>a&b"),
    (b"<crs:Name>Look", b"<crs:Name>a&mp;b"),
    (b"<crs:Name>Look", b"<crs:Name>a\0b"),
    (b'photoshop:SidecarForExtension="', b'photoshop:SidecarForExtension=" '),
    (b'photoshop:SidecarForExtension="', b'photoshop:SidecarForExtension="\n'),
    (b'photoshop:SidecarForExtension="NEF"', b'photoshop:SidecarForExtension=""'),
    (b'photoshop:SidecarForExtension="NEF"', b"photoshop:SidecarForExtension='NEF'"),
    (b'photoshop:SidecarForExtension="NEF"', b""),
    (b'   photoshop:SidecarForExtension="NEF"', b' a="1" photoshop:SidecarForExtension="NEF"'),
    (b"crs:RawFileName", b'photoshop:SidecarForExtension="CR3" crs:RawFileName'),
    (b"\n  </rdf:Description>", b"</crs:Masks>\n  </rdf:Description>"),
    (b"</rdf:RDF>", b"</rdf:RDF>\n <rdf:RDF/>"),
    (b'<?xpacket end="w"?>', b'<?xpacket end="w"?>\n<x/>'),
    (b'<?xpacket end="w"?>', b"\0"),
]


@pytest.mark.usefixtures("series")
@pytest.mark.parametrize(("old", "new"), ODD)
def test_what_is_odd_in_one_of_them_is_seen(old: bytes, new: bytes) -> None:
    packet = photo(9)
    assert old in packet
    mutant = packet.replace(old, new, 1)
    wanted = by_itself(mutant)
    for _ in range(3):  # also once it has been read
        assert alike(mutant) in (None, wanted)
        assert scan(mutant) == wanted
    assert wanted in (None, parsed(mutant))


@pytest.mark.usefixtures("series")
def test_after_any_damage_it_says_what_is_said_of_it_by_itself() -> None:
    chance = random.Random(3)
    short = 0
    for number in range(1200):
        mutant = bytearray(photo(number))
        for _ in range(chance.choice((1, 1, 2, 4))):
            at = chance.randrange(len(mutant) - 1300)
            what = chance.choice(b"09afAF.+-\"'<>/&?!:= \t\r\n\0\x80ux")
            if chance.random() < 0.3:
                del mutant[at : at + chance.choice((1, 2, 40))]
            elif chance.random() < 0.5:
                mutant[at] = what
            else:
                mutant.insert(at, what)
        found = alike(bytes(mutant))
        assert found is None or found == by_itself(bytes(mutant))
        short += found is not None
    assert short > 50
