"""Laws of the cheap way: it proves nothing that the thorough proof refuses, and edits alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from laws.effort import effort
from urbexmp.adapters.xmp import prove
from urbexmp.adapters.xmp.edit import _Editor, edit_usual
from urbexmp.adapters.xmp.names import READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.prove_usual import proven
from urbexmp.adapters.xmp.standing import stands_again
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import ProofFailed
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, BlockEntry

SUBJECT = Path("IMG.xmp")
WORDS = ("Owl", "Brick & Iron", "a<b", "Höhle", "Urbex|Decay", "subject", 'say "x"', "it's", "]]")
SPACES = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
}
TAGS = {"dc": "dc:subject", "lr": "lr:hierarchicalSubject"}

words = st.lists(st.sampled_from(WORDS), max_size=4, unique=True).map(tuple)
blocks = st.builds(
    lambda mark, paths, flats: Block(
        mark,
        tuple(BlockEntry(Keyword.parse(path), 0.5, "pixels@1", "offline", "t") for path in paths),
        (),
        flats,
    ),
    st.sampled_from(("w1", "w2")),
    words,
    words,
)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """What Lightroom leaves, more or less, sometimes with our block and padding."""
    lists = {prefix: draw(words) for prefix in TAGS}
    end = draw(st.sampled_from(("\n", "")))
    step = "   " if end else ""
    body = []
    for prefix in draw(st.permutations(tuple(TAGS))):
        items = "".join(
            f"{end}{step}{step}<rdf:li>{escaped(word)}</rdf:li>" for word in lists[prefix]
        )
        if items:
            inside = f"{end}{step}<rdf:Bag>{items}{end}{step}</rdf:Bag>{end}{step}"
            body.append(f"{end}{step}<{TAGS[prefix]}>{inside}</{TAGS[prefix]}>")
    body.insert(
        draw(st.integers(0, len(body))),
        f'{end}{step}<crs:Look><rdf:Description crs:Name="Color &amp; more"'
        f' crs:Amount="1"><crs:Group>Profiles</crs:Group></rdf:Description></crs:Look>',
    )
    date = draw(st.sampled_from(('\n   xmp:MetadataDate="2024-05-19T21:14:08+02:00"', "")))
    about = draw(st.sampled_from(("", "", "", "uuid:1")))
    declared = "".join(
        f'\n    xmlns:{prefix}="{uri}"'
        for prefix, uri in SPACES.items()
        if lists.get(prefix, "crs") or draw(st.booleans())
    )
    text = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Core">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'  <rdf:Description rdf:about="{about}"{declared}'
        f'{date}\n   crs:Exposure2012="+0.35"\n   crs:Contrast2012="-7">'
        f"{''.join(body)}{end}  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
    )
    if draw(st.booleans()):
        head = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        blanks = (" " * 99 + "\n") * draw(st.integers(0, 12))
        text = f'{head}{text}{blanks}<?xpacket end="w"?>'
    packet = text.encode()
    if draw(st.booleans()):
        ours = PacketEdit(flat_add=draw(words), block=draw(blocks))
        packet = edit_usual(packet, ours, SUBJECT) or packet
    return packet


edits = st.builds(
    PacketEdit,
    words,
    st.one_of(st.just(()), words),
    words,
    st.one_of(st.just(()), words),
    st.one_of(st.none(), blocks),
    st.sampled_from((None, "2026-11-20T10:00:00Z")),
).filter(lambda edit: not edit.empty)

MARKS = (
    b"<dc:subject>", b"</dc:subject>", b"<lr:hierarchicalSubject>", b"<rdf:li>", b"</rdf:li>",
    b"<rdf:Bag>", b"<urbexKW:", b"</urbexKW:", b"<crs:Look>", b"</rdf:Description>", b"xmlns:",
    b"<rdf:Description", b"crs:", b"&amp;", b"=", b'"', b"<?xpacket", b"</x:xmpmeta>", b"rdf:about",
)  # fmt: skip
DAMAGE = (
    b"", b" ", b"<", b">", b'"', b"&", b"&amp;", b"&#38;", b"&nbsp;", b"x", b"\n", b"\r", b"\x01",
    b"\xff", b"]]>", b"<!-- -->", b"<?x?>", b"<![CDATA[Owl]]>", b"<rdf:li>Owl</rdf:li>",
    b"<rdf:li/>", b"<dc:subject/>", b"<rdf:li xml:lang='de'>",
    b"<dc:subject><rdf:Bag/></dc:subject>",
    b' xmlns:dc="urn:x"', b' xmlns:rdf="urn:x"', b' dc:subject="Owl"', b' urbexKW:Mark="w9"',
    b'<a:b xmlns:a="urn:a">1</a:b>', b' xml:lang="de"',
    b' crs:Contrast2012="-7"', b' rdf:about="x"', b"<urbexKW:Mark>w9</urbexKW:Mark>",
)  # fmt: skip


@st.composite
def wrongs(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """One way in which a result may be wrong; most of them near what an edit is about."""
    how = draw(st.sampled_from(("flip", "put", "cut", "swap", "drop", "repeat", "rename")))
    mark, other = draw(st.sampled_from(MARKS)), draw(st.sampled_from(MARKS))
    number, offset = draw(st.integers(0, 40)), draw(st.integers(-3, 14))
    piece, bit = draw(st.sampled_from(DAMAGE)), 1 << draw(st.integers(0, 6))
    length = draw(st.integers(1, 12))

    def place(packet: bytes, mark: bytes, number: int) -> int:
        places = [at for at in range(len(packet)) if packet.startswith(mark, at)]
        at = places[number % len(places)] if places else number * 7
        return max(0, min(at + offset, len(packet) - 1))

    def wrong(packet: bytes) -> bytes:
        at = place(packet, mark, number)
        if how == "flip":
            return packet[:at] + bytes([packet[at] ^ bit]) + packet[at + 1 :]
        if how == "put":
            return packet[:at] + piece + packet[at:]
        if how == "cut":
            return packet[:at] + packet[at + length :]
        if how == "rename":
            return packet.replace(mark, other, 1)
        lines = packet.split(b"\n" if packet.count(b"\n") > 20 else b">")
        between = b"\n" if packet.count(b"\n") > 20 else b">"
        one, two = number % len(lines), (number + length) % len(lines)
        if how == "swap":
            lines[one], lines[two] = lines[two], lines[one]
        elif how == "drop":
            del lines[one]
        else:
            lines.insert(two, lines[one])
        return between.join(lines)

    return wrong


def thorough(before: bytes, after: bytes, edit: PacketEdit) -> bool:
    try:
        prove._Proof(edit, SUBJECT).of_edit(before, after)
    except ProofFailed:
        return False
    return True


@effort(200)
@given(packets(), edits, st.lists(wrongs(), min_size=1, max_size=3), st.one_of(st.none(), edits))
def test_what_the_thorough_proof_refuses_the_cheap_one_does_not_prove(
    before: bytes,
    edit: PacketEdit,
    damage: list[Callable[[bytes], bytes]],
    another: PacketEdit | None,
) -> None:
    after = _Editor(parse(before, READ, SUBJECT), SUBJECT).edit(before, edit)
    mutant = after
    for wrong in damage:
        mutant = wrong(mutant)
        if proven(before, mutant, edit):
            assert thorough(before, mutant, edit)
    # Right bytes, but not those that were asked for.
    if another is not None and proven(before, after, another):
        assert thorough(before, after, another)
    # And the other way round: what was edited is another packet.
    if mutant != after and proven(mutant, after, edit):
        assert thorough(mutant, after, edit)


@effort(200)
@given(packets(), edits, wrongs(), st.integers(0, 10_000), st.integers(6, 60))
def test_what_is_wrong_in_both_packets_is_not_proven(
    before: bytes,
    edit: PacketEdit,
    wrong: Callable[[bytes], bytes],
    place: int,
    length: int,
) -> None:
    """All that no edit is about is the same; but one of these packets is no packet."""
    after = _Editor(parse(before, READ, SUBJECT), SUBJECT).edit(before, edit)
    place %= len(before)
    piece = before[place : place + length]
    assume(before.count(piece) == after.count(piece) == 1)
    damaged = wrong(piece)
    one, two = before.replace(piece, damaged), after.replace(piece, damaged)
    if proven(one, two, edit):
        assert thorough(one, two, edit)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"+0.35"', b'"+0.36"'),
        (b'"+0.35"', b'"a &amp; b > c"'),
        (b'"+0.35"', b'"<"'),
        (b'"+0.35"', b'"&nbsp;"'),
        (b'"+0.35"', b'"&#0;"'),
        (b'"+0.35"', b'"\x01"'),
        (b'"+0.35"', b'"\xff"'),
        (b'"+0.35"', b'"\xef\xbf\xbf"'),
        (b'"+0.35"', b'"\xed\xa0\x80"'),
        (b'"+0.35"', b'""" '),
        (b'"+0.35"', b"'+0.35'"),
        (b'"+0.35"', b'"\'"'),
        (b"Exposure2012", b"Contrast2012"),
        (b"crs:Exposure2012", b"cr:Exposure2012"),
        (b'"urn:c"', b'"http://purl.org/dc/elements/1.1/"'),
        (b'"urn:c"', b'"http://ns.urbexmp.org/1.0/"'),
        (b'"urn:c"', b'""'),
        (b'about=""', b'about="x"'),
        (b'Name="Color"', b'about="x"'),
        (b'crs:Name="Color"', b'xmlns:dc="urn:c"'),
        (b">Profiles<", b'>5" wide<'),
        (b">Profiles<", b'>"a" and "b"<'),
        (b">Profiles<", b'>"]]>"<'),
        (b"<crs:Group>", b'<crs:Group xmlns:rdf="urn:x">'),
        (b"<crs:Group>", b"<crs:Grupp>"),
    ],
)
def test_damage_to_both_packets_is_not_proven(old: bytes, new: bytes) -> None:
    before = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">\n <rdf:RDF'
        b' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n  <rdf:Description'
        b' rdf:about=""\n    xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        b'    xmlns:crs="urn:c"\n   crs:Contrast2012="-7"\n   crs:Exposure2012="+0.35">\n'
        b"   <dc:subject>\n    <rdf:Bag>\n     <rdf:li>Owl</rdf:li>\n    </rdf:Bag>\n"
        b'   </dc:subject>\n   <crs:Look crs:Name="Color"><crs:Group>Profiles</crs:Group>'
        b"</crs:Look>\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
    )
    edit = PacketEdit(flat_add=("Barn",), block=Block("w1"))
    after = _Editor(parse(before, READ, SUBJECT), SUBJECT).edit(before, edit)
    assert proven(before, after, edit)
    assert old in before
    one, two = before.replace(old, new, 1), after.replace(old, new, 1)
    assert not proven(before, two, edit)
    if proven(one, two, edit):
        assert thorough(one, two, edit)


@effort(150)
@given(packets(), edits)
@example(
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">\n <rdf:RDF'
    b' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n  <rdf:Description rdf:about=""'
    b'\n    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/">\n   <crs:Look>x</crs:Look>\n'
    b"  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n",
    PacketEdit(flat_add=("Owl",), hierarchical_add=("A|Owl",), block=Block("w1")),
)
def test_the_quick_edit_is_the_editors_and_is_proven(before: bytes, edit: PacketEdit) -> None:
    quick = edit_usual(before, edit, SUBJECT)
    assume(quick is not None)
    assert quick is not None
    after = _Editor(parse(before, READ, SUBJECT), SUBJECT).edit(before, edit)
    assert quick == after
    assert thorough(before, quick, edit)
    if stands_again(quick, edit):
        again = _Editor(parse(quick, READ, SUBJECT), SUBJECT).edit(quick, edit)
        assert again == quick


@effort(100)
@given(packets(), words, words, blocks)
def test_what_only_adds_is_decided_cheaply(
    before: bytes, flats: tuple[str, ...], paths: tuple[str, ...], block: Block
) -> None:
    edit = PacketEdit(flats, (), paths, (), block, "2026-11-20T10:00:00Z")
    after = edit_usual(before, edit, SUBJECT)
    assume(after is not None)
    assert after is not None
    assert proven(before, after, edit)
    assert stands_again(after, edit)
