"""The proof catches an editor that does anything else than it was asked to."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from pathlib import Path

import pytest

from urbexmp.adapters.xmp.canonical import Canonical, Unreadable, canonical
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.prove import prove_edit
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import ProofFailed
from urbexmp.model.record import from_plain

GOLDEN = Path(__file__).parent.parent / "golden"
CODEC = XmpCodec()
SUBJECT = Path("IMG.xmp")
MUTATED = (
    "whole-lightroom",
    "whole-lightroom-remove",
    "whole-third-party",
    "whole-several-descriptions",
    "whole-padding-takes-growth",
    "whole-attributes-only",
    "whole-bom-crlf",
    "list-scalar-attribute",
    "list-qualified-item",
    "list-comment",
    "remove-all",
    "remove-and-add",
    "block-replaced",
    "block-removed",
    "block-as-attributes",
    "ns-default",
    "beside-cdata",
    "date-element",
    "layout-minified",
)


def load(name: str) -> tuple[bytes, bytes, PacketEdit]:
    plain = json.loads((GOLDEN / name / "edit.json").read_text("utf-8"))
    plain.pop("reads", None)
    before = (GOLDEN / name / "before.xmp").read_bytes()
    after = (GOLDEN / name / "after.xmp").read_bytes()
    return before, after, from_plain(PacketEdit, plain)


def outside(before: bytes, after: bytes) -> list[bool]:
    """For each byte of `after`, whether it stands on a line that the edit left alone."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    untouched: list[bool] = []
    for tag, _, _, j1, j2 in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
        for line in new[j1:j2]:
            untouched += [tag == "equal"] * len(line)
    return untouched


def meaning(packet: bytes) -> Canonical | None:
    try:
        return canonical(packet.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    except (Unreadable, UnicodeDecodeError):
        return None


def passes(before: bytes, after: bytes, edit: PacketEdit) -> bool:
    try:
        prove_edit(before, after, edit, SUBJECT)
    except ProofFailed:
        return False
    return True


@pytest.mark.parametrize("name", MUTATED)
def test_every_changed_byte_outside_the_edit_is_caught(name: str) -> None:
    before, after, edit = load(name)
    untouched = outside(before, after)
    step = max(1, len(after) // 110)
    tried = 0
    for at in range(0, len(after), step):
        mutant = bytearray(after)
        mutant[at] ^= 1
        if passes(before, bytes(mutant), edit):
            assert not untouched[at], f"byte {at} {after[max(0, at - 20) : at + 20]!r}"
            # Within the edit only what means nothing may differ: blanks between elements.
            assert meaning(bytes(mutant)) == meaning(after)
        tried += untouched[at]
    assert tried or name == "layout-minified"


@pytest.mark.parametrize("name", MUTATED)
def test_every_dropped_attribute_is_caught(name: str) -> None:
    before, after, edit = load(name)
    untouched = outside(before, after)
    for match in list(re.finditer(rb"""\s+[\w-]+:[\w-]+=("[^"]*"|'[^']*')""", after))[::3]:
        if untouched[match.start()] and untouched[match.end() - 1]:
            assert not passes(before, after[: match.start()] + after[match.end() :], edit)


@pytest.mark.parametrize("name", MUTATED)
def test_every_dropped_or_doubled_line_is_caught(name: str) -> None:
    before, after, edit = load(name)
    lines = after.splitlines(keepends=True)
    for n in range(0, len(lines), max(1, len(lines) // 40)):
        if lines[n].strip():
            assert not passes(before, b"".join(lines[:n] + lines[n + 1 :]), edit)
            assert not passes(before, b"".join(lines[: n + 1] + lines[n:]), edit)


@pytest.mark.parametrize("name", MUTATED)
def test_nothing_done_is_caught(name: str) -> None:
    before, _, edit = load(name)
    assert not passes(before, before, edit)


@pytest.mark.parametrize("name", ["whole-lightroom", "whole-utf16be", "ns-default"])
def test_another_edit_is_caught(name: str) -> None:
    before, after, edit = load(name)
    for other in (
        dataclasses.replace(edit, flat_add=(*edit.flat_add, "Barn")),
        dataclasses.replace(edit, flat_add=edit.flat_add[:1]),
        dataclasses.replace(edit, flat_remove=("Owl",)),
        dataclasses.replace(edit, hierarchical_add=()),
        dataclasses.replace(edit, block=None),
        dataclasses.replace(edit, block=dataclasses.replace(edit.block, mark="other")),
    ):
        assert not passes(before, after, other)


def test_order_of_standing_items_is_part_of_the_proof() -> None:
    before, after, edit = load("remove-middle")
    swapped = after.replace(b"Owl<", b"@").replace(b"Tent<", b"Owl<").replace(b"@", b"Tent<")
    assert swapped != after
    assert not passes(before, swapped, edit)


def test_kind_of_list_is_part_of_the_proof() -> None:
    before, after, edit = load("whole-lightroom")
    start = after.index(b"<dc:subject>")
    end = after.index(b"</dc:subject>")
    turned = after[:start] + after[start:end].replace(b"rdf:Bag", b"rdf:Seq") + after[end:]
    assert not passes(before, turned, edit)


def test_encoding_is_part_of_the_proof() -> None:
    before, after, edit = load("whole-bom-crlf")
    assert not passes(before, after[3:], edit)
    assert not passes(before, b"\xff\xfe" + after[3:].decode().encode("utf-16-le"), edit)


def test_a_changed_date_has_to_be_asked_for() -> None:
    before, after, edit = load("date-attribute")
    assert passes(before, after, edit)
    assert not passes(before, after, dataclasses.replace(edit, metadata_date=None))


def test_a_property_moved_to_another_structure_is_caught() -> None:
    before, after, edit = load("whole-lightroom")
    moved = after.replace(b'\n   xmp:Label="Red"', b"").replace(
        b'crs:What="Correction"', b'xmp:Label="Red" crs:What="Correction"', 1
    )
    assert not passes(before, moved, edit)


def test_proof_of_a_new_sidecar() -> None:
    edit = PacketEdit(
        flat_add=("Urbex",),
        hierarchical_add=("Urbex",),
        metadata_date="2026-11-20T10:00:00Z",
        sidecar_for="CR3",
    )
    made = CODEC.create(edit)
    CODEC.prove(None, made, edit, SUBJECT)
    for wrong in (
        made.replace(b'"CR3"', b'"NEF"'),
        made.replace(b">Urbex<", b">Barn<", 1),
        made.replace(b"   <dc:subject>", b"   <xmp:Rating>1</xmp:Rating><dc:subject>"),
        made[:-20],
    ):
        with pytest.raises(ProofFailed):
            CODEC.prove(None, wrong, edit, SUBJECT)
