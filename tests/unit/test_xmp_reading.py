"""What a packet says: protected words, notes, owner, our block; and new sidecars."""

from __future__ import annotations

from pathlib import Path

import pytest

from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.keyword import Keyword, KeywordFields
from urbexmp.model.photo import Block, BlockEntry
from urbexmp.model.ports import Codec

CODEC: Codec = XmpCodec()
GOLDEN = Path(__file__).parent.parent / "golden"
SUBJECT = Path("IMG.xmp")
OURS = 'xmlns:o="http://ns.urbexmp.org/1.0/"'


def packet(body: str, attributes: str = "") -> bytes:
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
   xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
   xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
   xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   xmlns:iptc="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
   xmlns:MP="http://ns.microsoft.com/photo/1.2/"
   xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"
   xmlns:drone="http://www.dji.com/drone-dji/1.0/" {attributes}>
   {body}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>""".encode()


def bag(name: str, *items: str, kind: str = "Bag") -> str:
    lis = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{lis}</rdf:{kind}></{name}>"


def test_absent_fields_are_none_and_empty_lists_are_empty() -> None:
    assert CODEC.read(packet(""), SUBJECT).fields == KeywordFields(None, None)
    assert CODEC.read(packet(bag("dc:subject")), SUBJECT).fields == KeywordFields((), None)


def test_names_of_faces_and_persons_are_protected() -> None:
    reading = CODEC.read((GOLDEN / "whole-lightroom" / "before.xmp").read_bytes(), SUBJECT)
    assert reading.protected == {"Jane Doe"}
    regions = (
        '<MP:RegionInfo rdf:parseType="Resource"><MP:Regions><rdf:Bag>'
        '<rdf:li MPReg:PersonDisplayName="Ann"/>'
        '<rdf:li rdf:parseType="Resource"><MPReg:PersonDisplayName>Bob'
        "</MPReg:PersonDisplayName></rdf:li></rdf:Bag></MP:Regions></MP:RegionInfo>"
    )
    body = regions + bag("iptc:PersonInImage", "Cyd") + bag("lr:weightedFlatSubject", "Dog", "")
    assert CODEC.read(packet(body), SUBJECT).protected == {"Ann", "Bob", "Cyd", "Dog"}


@pytest.mark.parametrize(
    ("attributes", "owner"),
    [
        ('photoshop:SidecarForExtension="CR3" crs:RawFileName="a.NEF"', "CR3"),
        ('photoshop:SidecarForExtension=".cr3"', "CR3"),
        ('crs:RawFileName="folder.x/IMG_1.nef"', "NEF"),
        ('crs:RawFileName="noextension"', None),
        ('photoshop:SidecarForExtension=" "', None),
        ("", None),
    ],
)
def test_whose_sidecar_it_is(attributes: str, owner: str | None) -> None:
    assert CODEC.read(packet("", attributes), SUBJECT).sidecar_for == owner


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (bag("dc:subject", "a", kind="Seq"), "dc:subject is an rdf:Seq"),
        (bag("lr:hierarchicalSubject", "a", kind="Alt"), "lr:hierarchicalSubject is an rdf:Alt"),
        ("<dc:subject>a</dc:subject>", "dc:subject is a single value"),
        (bag("dc:subject", " a"), "begins or ends with a blank: ' a'"),
        (bag("dc:subject", "a|b"), "has a path where words belong"),
        (bag("dc:subject", "a") + bag("lr:hierarchicalSubject", "x|b"), "lacks the word of 1"),
        (bag("dc:subject", "a") + bag("lr:weightedFlatSubject", "b"), "weightedFlatSubject has 1"),
        (bag("dc:subject", "a") + bag("dc:subject", "b"), "occurs 2 times"),
    ],
)
def test_notes_say_what_is_odd(body: str, said: str) -> None:
    assert [note for note in CODEC.read(packet(body), SUBJECT).notes if said in note]


def test_an_ordinary_packet_has_no_notes() -> None:
    body = bag("dc:subject", "Animals", "Owl") + bag("lr:hierarchicalSubject", "Animals|Owl")
    assert CODEC.read(packet(body), SUBJECT).notes == ()


def test_single_properties_are_read_by_namespace() -> None:
    body = "<photoshop:City>Exampletown</photoshop:City>" + bag("dc:creator", "A", "B", kind="Seq")
    city, height, creator, none = (
        ("http://ns.adobe.com/photoshop/1.0/", "City"),
        ("http://www.dji.com/drone-dji/1.0/", "RelativeAltitude"),
        ("http://purl.org/dc/elements/1.1/", "creator"),
        ("http://ns.adobe.com/photoshop/1.0/", "Country"),
    )
    data = packet(body, 'drone:RelativeAltitude="+12.5"')
    found = XmpCodec().read_simple(data, {city, height, creator, none}, SUBJECT)
    assert found == {city: "Exampletown", height: "+12.5", creator: "A"}


# --- our block -------------------------------------------------------------------------------


def entry(path: str, score: float | None = 0.5, **fields: str) -> BlockEntry:
    values = {"stage": "pixels@1f2e3d4c", "profile": "offline", "at": "2026-11-20T09:00:00Z"}
    return BlockEntry(Keyword.parse(path), score, **{**values, **fields})


def written(block: Block) -> bytes:
    return CODEC.edit(packet(""), PacketEdit(block=block), SUBJECT)


@pytest.mark.parametrize(
    "block",
    [
        Block("w1"),
        Block("w1", (entry("A|B"), entry("A|C", None), entry("D", 1.0, stage=""))),
        Block("w1", (entry("A"), entry("B", profile="full"), entry("C", at="2027"))),
        Block("w1", (entry("A", profile="", at=""), entry("B"))),
        Block("w1", (entry("A", 0.0, stage="x;y", profile="50%3B"),)),
        Block("w1", vetoed=(Keyword.parse("A|50% x;y"),), flats=("a;b", "%3B")),
        Block("w1", facts=(("view", "exterior"), ("a;b", "c;d"), ("empty", ""))),
    ],
)
def test_a_block_reads_as_it_was_written(block: Block) -> None:
    assert CODEC.read(written(block), SUBJECT).block == block


def test_scores_keep_three_decimals() -> None:
    block = CODEC.read(written(Block("w1", (entry("A", 0.87654321),))), SUBJECT).block
    assert block is not None
    assert block.written[0].score == 0.877
    # A longer score than the packet holds is no reason to write it again.
    packet_ = written(Block("w1", (entry("A", 0.87654321),)))
    again = PacketEdit(block=Block("w1", (entry("A", 0.8765999),)))
    assert CODEC.edit(packet_, again, SUBJECT) == packet_


def test_fourteen_keywords_and_five_vetoes_fit_in_two_kilobytes() -> None:
    many = tuple(entry(f"Urbex|Building|Hospital {n}", n / 100) for n in range(14))
    flats = tuple(f"Hospital {n}" for n in range(14))
    vetoed = tuple(Keyword.parse(f"Urbex|Graffiti {n}") for n in range(5))
    block = Block("w20261120-090000-0001", many, vetoed, flats, (("view", "exterior"),))
    size = len(written(block)) - len(packet(""))
    assert size <= 2048


def test_a_block_that_says_nothing_is_taken_out() -> None:
    data = written(Block("w1", (entry("A"),)))
    assert CODEC.edit(data, PacketEdit(block=Block("")), SUBJECT) == packet("")


def test_attributes_bags_and_single_values_are_read() -> None:
    body = bag("o:Written", "A|B;0.5;pixels@1f2e3d4c") + "<o:Flats>B</o:Flats>"
    data = packet(body, f'{OURS} o:Mark="w1" o:Profile="offline" o:At="2026-11-20T09:00:00Z"')
    reading = CODEC.read(data, SUBJECT)
    assert reading.block == Block("w1", (entry("A|B"),), (), ("B",))
    assert reading.notes == ()


def test_damaged_items_are_left_out_with_a_note() -> None:
    items = ("A|B;0.5;s;p;t", "", "|;1", "A;high", "A;7", "A;1;2;3;4;5;6")
    body = (
        bag("o:Written", *items, kind="Seq")
        + bag("o:Vetoed", "A", "B||C", kind="Seq")
        + bag("o:Facts", "view;exterior", "nothing", kind="Seq")
    )
    reading = CODEC.read(packet(body, f'{OURS} o:Mark="w1"'), SUBJECT)
    assert reading.block == Block(
        "w1",
        (BlockEntry(Keyword.parse("A|B"), 0.5, "s", "p", "t"),),
        (Keyword.parse("A"),),
        (),
        (("view", "exterior"),),
    )
    assert reading.notes == ("7 damaged item(s) of our block were ignored",)


def test_unknown_properties_of_ours_are_no_block() -> None:
    assert CODEC.read(packet("<o:Other>1</o:Other>", OURS), SUBJECT).block is None


# --- new sidecars --------------------------------------------------------------------------------


def test_a_new_sidecar_is_laid_out_as_lightroom_does() -> None:
    edit = PacketEdit(
        flat_add=("Animals", "Owl"),
        hierarchical_add=("Animals|Owl",),
        metadata_date="2026-11-20T10:00:00+01:00",
        sidecar_for="CR3",
    )
    made = CODEC.create(edit)
    CODEC.prove(None, made, edit, SUBJECT)
    text = made.decode("utf-8")
    assert text.startswith('<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="urbexmp ')
    assert text.endswith("</x:xmpmeta>\n")
    assert "crs:" not in text
    assert "tiff:" not in text
    assert '\n   photoshop:SidecarForExtension="CR3">\n   <dc:subject>\n    <rdf:Bag>\n' in text
    reading = CODEC.read(made, SUBJECT)
    assert reading.fields == KeywordFields(("Animals", "Owl"), ("Animals|Owl",))
    assert reading.sidecar_for == "CR3"
    assert reading.notes == ()


def test_a_new_sidecar_without_owner_or_date() -> None:
    edit = PacketEdit(flat_add=("Owl",), block=Block("w1"))
    made = CODEC.create(edit)
    CODEC.prove(None, made, edit, SUBJECT)
    assert b"photoshop:SidecarFor" not in made
    assert b"xmp:MetadataDate" not in made


def test_a_keyword_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(PacketRefused) as caught:
        CODEC.create(PacketEdit(flat_add=("a\0b",)))
    assert caught.value.reason == "unwritable"
