"""The cheap proof says yes only where the thorough one does."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from pathlib import Path

import pytest

from urbexmp.adapters.xmp import prove
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.prove_usual import proven
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import ProofFailed
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, BlockEntry
from urbexmp.model.record import from_plain

GOLDEN = Path(__file__).parent.parent / "golden"
SUBJECT = Path("IMG.xmp")
CODEC = XmpCodec()
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/after.xmp"))
USUAL = ("whole-lightroom", "block-replaced", "remove-middle")
"""Cases that the cheap proof has to decide, or it is of no use."""

BLOCK = Block(
    "w20261120-090000-4f2a",
    (
        BlockEntry(
            Keyword.parse("Urbex|Building|Hospital"), 0.87, "pixels@1f2e3d4c", "offline", "t"
        ),
        BlockEntry(Keyword.parse("Urbex|Decay & Rust"), None, "place@1f2e3d4c", "offline", "t"),
    ),
    (Keyword.parse("Urbex|Graffiti"),),
    ("Urbex", "Decay & Rust"),
    (("view", "interior"),),
)
LIGHTROOM = b"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   xmp:Rating="3"
   xmp:MetadataDate="2024-05-19T21:14:08+02:00"
   crs:Exposure2012="+0.35">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Owl</rdf:li>
     <rdf:li>Brick &amp; Iron</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Animals|Owl</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
   <crs:Look>
    <rdf:Description crs:Name="Adobe Color">
     <crs:Group><rdf:Alt><rdf:li xml:lang="x-default">Profiles</rdf:li></rdf:Alt></crs:Group>
    </rdf:Description>
   </crs:Look>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
EDITS = (
    PacketEdit(flat_add=("Urbex", "a<b"), hierarchical_add=("Urbex|a<b",), block=BLOCK),
    PacketEdit(flat_add=("Owl", "Barn"), flat_remove=("Brick & Iron",), block=BLOCK),
    PacketEdit(hierarchical_add=("Urbex",), block=BLOCK, metadata_date="2026-11-20T10:00:00Z"),
    PacketEdit(flat_add=("Urbex",)),
)


def load(name: str) -> tuple[bytes, bytes, PacketEdit]:
    plain = json.loads((GOLDEN / name / "edit.json").read_text("utf-8"))
    plain.pop("reads", None)
    before, after = ((GOLDEN / name / f"{one}.xmp").read_bytes() for one in ("before", "after"))
    return before, after, from_plain(PacketEdit, plain)


def thorough(before: bytes, after: bytes, edit: PacketEdit) -> bool:
    try:
        prove._Proof(edit, SUBJECT).of_edit(before, after)
    except ProofFailed:
        return False
    return True


def mutants(after: bytes, chance: random.Random, number: int) -> list[bytes]:
    """Small damage everywhere, and what an editor could really do wrong: pieces moved about."""
    made = [after]
    for _ in range(number):
        at, to = chance.randrange(len(after)), chance.randrange(len(after))
        made.append(after[:at] + bytes([after[at] ^ 1 << chance.randrange(7)]) + after[at + 1 :])
        made.append(after[:at] + chance.choice((b" ", b"<", b"&", b"x", b"\n")) + after[at:])
        made.append(after[:at] + after[at + 1 :])
    pieces = re.findall(rb"[^<]+|<[^<]*", after)
    for _ in range(number):
        at, to = chance.randrange(len(pieces)), chance.randrange(len(pieces))
        mixed = [*pieces]
        mixed[at], mixed[to] = mixed[to], mixed[at]
        made.append(b"".join(mixed))
        made.append(b"".join(pieces[:at] + pieces[at + 1 :]))
        made.append(b"".join((*pieces[:at], pieces[to], *pieces[at:])))
    return made


def check(before: bytes, after: bytes, edit: PacketEdit, number: int) -> int:
    """How many of the mutants both proofs accept."""
    accepted = 0
    others = (
        edit,
        dataclasses.replace(edit, flat_add=(*edit.flat_add, "Barn")),
        dataclasses.replace(edit, block=None),
        dataclasses.replace(edit, flat_remove=(*edit.flat_remove, "Owl")),
        dataclasses.replace(edit, hierarchical_add=()),
        dataclasses.replace(edit, metadata_date=None),
    )
    for mutant in mutants(after, random.Random(len(after)), number):
        for said in others:
            if proven(before, mutant, said):
                assert thorough(before, mutant, said)
                accepted += 1
    return accepted


@pytest.mark.parametrize("name", CASES)
def test_in_every_golden_case(name: str) -> None:
    before, after, edit = load(name)
    check(before, after, edit, 12)


@pytest.mark.parametrize("edit", EDITS)
def test_with_much_damage_to_a_usual_packet(edit: PacketEdit) -> None:
    after = CODEC.edit(LIGHTROOM, edit, SUBJECT)
    assert proven(LIGHTROOM, after, edit)
    assert check(LIGHTROOM, after, edit, 200) >= 1
    # And once more on top of our own block.
    block = dataclasses.replace(BLOCK, mark="w20261120-090000-0002")
    further = PacketEdit(flat_add=("More",), block=block)
    again = CODEC.edit(after, further, SUBJECT)
    assert proven(after, again, further)
    check(after, again, further, 100)


@pytest.mark.parametrize("name", USUAL)
def test_the_usual_cases_are_decided(name: str) -> None:
    before, after, edit = load(name)
    assert proven(before, after, edit)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<urbexKW:Mark>", b"stray<urbexKW:Mark>"),
        (b"<urbexKW:Written>", b"<urbexKW:Written>stray"),
        (b'.org/1.0/">', b'.org/1.0/" urbexKW:X="1">'),
        (b'rdf:about="" xmlns:urbexKW', b'rdf:about="x" xmlns:urbexKW'),
        (b"</urbexKW:Mark>", b"</urbexKW:Mark><urbexKW:Other>1</urbexKW:Other>"),
        (b"<rdf:li>Urbex</rdf:li>", b'<rdf:li xml:lang="de">Urbex</rdf:li>'),
        (b"<rdf:li>Urbex</rdf:li>", b"<rdf:li>Urbex</rdf:li><rdf:li>Urbex</rdf:li>"),
        (b"   <crs:Look>", b"   <crs:Look><dc:subject/>"),
        (b"   <crs:Look>\n", b"   <crs:Look>\n<!-- x -->"),
        (b'xmp:Rating="3"', b'xmp:Rating="4"'),
        (b"</x:xmpmeta>\n", b"</x:xmpmeta>\n\n"),
        (b"</x:xmpmeta>\n", b""),
    ],
)  # fmt: skip
def test_damage_that_a_cut_could_hide_is_refused(old: bytes, new: bytes) -> None:
    edit = EDITS[0]
    after = CODEC.edit(LIGHTROOM, edit, SUBJECT)
    assert old in after
    mutant = after.replace(old, new, 1)
    assert not proven(LIGHTROOM, mutant, edit)
    assert not thorough(LIGHTROOM, mutant, edit)


def test_a_date_of_something_else_is_not_the_packets() -> None:
    before = LIGHTROOM.replace(b'   xmp:MetadataDate="2024-05-19T21:14:08+02:00"\n', b"").replace(
        b'crs:Name="Adobe Color"', b'xmp:MetadataDate="2024-05-19T21:14:08+02:00"'
    )
    edit = PacketEdit(flat_add=("Urbex",), metadata_date="2026-11-20T10:00:00Z")
    after = CODEC.edit(before, edit, SUBJECT)
    assert thorough(before, after, edit)
    wrong = after.replace(b"2024-05-19T21:14:08+02:00", b"2026-11-20T10:00:00Z")
    assert not proven(before, wrong, edit)
    assert not thorough(before, wrong, edit)
