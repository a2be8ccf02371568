"""Texts in packets: read in every form, set and taken out byte by byte, and proven."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.edit import edit_packet
from urbexmp.adapters.xmp.locate import locate
from urbexmp.adapters.xmp.names import READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.prove import prove_edit
from urbexmp.adapters.xmp.reading import read_document
from urbexmp.adapters.xmp.scan import scan
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused, ProofFailed
from urbexmp.model.photo import Block
from urbexmp.model.text import TextEdit, TextField

SUBJECT = Path("IMG.xmp")
CODEC = XmpCodec()
DESCRIPTION, ALT = TextField.DESCRIPTION, TextField.ALT_TEXT
PREFIX = {DESCRIPTION: "dc:description", ALT: "Iptc4xmpCore:AltTextAccessibility"}


def packet(body: str = "", attributes: str = "") -> bytes:
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmp:MetadataDate="2024-01-01T00:00:00Z"{attributes}>
   {body}
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Mill</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>""".encode()


def alt(*items: str, field: TextField = DESCRIPTION) -> str:
    name = PREFIX[field]
    inside = "".join(f"\n     {item}" for item in items)
    return f"<{name}>\n    <rdf:Alt>{inside}\n    </rdf:Alt>\n   </{name}>"


def li(text: str, language: str = "x-default") -> str:
    return f'<rdf:li xml:lang="{language}">{text}</rdf:li>'


def state(raw: bytes, field: TextField = DESCRIPTION) -> tuple[str | None, str]:
    found = [each for each in CODEC.read(raw, SUBJECT).texts if each.field is field]
    assert len(found) <= 1
    return (found[0].value, found[0].fixed) if found else (None, "")


def setting(before: str | None, after: str | None, field: TextField = DESCRIPTION) -> PacketEdit:
    return PacketEdit(texts=(TextEdit(field, before, after),))


def done(raw: bytes, edit: PacketEdit) -> bytes:
    after = CODEC.edit_proven(raw, edit, SUBJECT)
    CODEC.prove(raw, after, edit, SUBJECT)
    assert CODEC.edit(after, edit, SUBJECT) == after
    return after


EDITABLE = {
    "absent": (packet(), None),
    "usual": (packet(alt(li("Ours"))), "Ours"),
    "blank": (packet(alt(li("  "))), None),
    "self-closed": (packet(alt('<rdf:li xml:lang="x-default"/>')), None),
    "languages": (packet(alt(li("Kesselhaus", "de"), li("Ours"), li("", "fr"))), "Ours"),
    "capitals": (packet(alt(li("Ours", "X-Default"))), "Ours"),
    "cdata": (packet(alt(li("<![CDATA[Ours]]>"))), "Ours"),
    "single quotes": (packet(alt("<rdf:li xml:lang='x-default'>Ours</rdf:li>")), "Ours"),
}
FIXED = {
    "attribute": (packet("", ' dc:description="Theirs"'), "Theirs"),
    "blank attribute": (packet("", ' dc:description=""'), None),
    "plain": (packet("<dc:description>Theirs</dc:description>"), "Theirs"),
    "no language": (packet(alt("<rdf:li>Theirs</rdf:li>")), "Theirs"),
    "another language": (packet(alt(li("Theirs", "de"))), "Theirs"),
    "blank default": (packet(alt(li(""), li("Theirs", "de"))), "Theirs"),
    "two defaults": (packet(alt(li("Theirs"), li("Other"))), "Theirs"),
    "a Bag": (packet(alt(li("Theirs")).replace("Alt", "Bag")), "Theirs"),
    "empty Alt": (packet("<dc:description><rdf:Alt/></dc:description>"), None),
    "twice": (packet(alt(li("Theirs")) + alt(li("Other"))), "Theirs"),
    "comment": (packet(alt(li("Theirs<!-- why -->"))), "Theirs"),
    "qualified": (
        packet(
            alt(
                '<rdf:li xml:lang="x-default" rdf:parseType="Resource">'
                "<rdf:value>Theirs</rdf:value><xmp:Label>x</xmp:Label></rdf:li>"
            )
        ),
        "Theirs",
    ),
}


@pytest.mark.parametrize("name", EDITABLE)
def test_a_text_in_the_usual_form_is_read_set_and_taken_out(name: str) -> None:
    raw, value = EDITABLE[name]
    assert state(raw) == (value, "")
    after = done(raw, setting(value, "New & <better>"))
    assert state(after) == ("New & <better>", "")
    gone = done(after, setting("New & <better>", None))
    assert state(gone)[0] in (None, "Kesselhaus")
    other = b'xml:lang="de">Kesselhaus</rdf:li>'
    assert (other in raw) == (other in after) == (other in gone)


@pytest.mark.parametrize("name", FIXED)
def test_a_text_in_another_form_is_read_and_never_set(name: str) -> None:
    raw, value = FIXED[name]
    found, why = state(raw)
    assert found == value
    assert why
    with pytest.raises(PacketRefused) as refused:
        CODEC.edit(raw, setting(value, "Ours"), SUBJECT)
    assert refused.value.reason == "property-form"


def test_only_the_lines_of_the_text_change() -> None:
    raw = packet(alt(li("Kesselhaus", "de"), li("Ours")))
    after = done(raw, setting("Ours", "New"))
    assert after == raw.replace(b">Ours<", b">New<")
    added = done(packet(), setting(None, "New")).decode().splitlines()
    before = packet().decode().splitlines()
    fresh = [line for line in added if line not in before]
    assert fresh == [
        "   <dc:description>",
        "    <rdf:Alt>",
        '     <rdf:li xml:lang="x-default">New</rdf:li>',
        "    </rdf:Alt>",
        "   </dc:description>",
    ]
    assert len(added) == len(before) + 5


def test_taking_out_what_was_put_in_gives_the_same_bytes_back() -> None:
    for field in TextField:
        there = done(packet(), setting(None, "New", field))
        assert done(there, setting("New", None, field)) == packet()


def test_both_texts_go_with_keywords_block_and_date() -> None:
    edit = PacketEdit(
        flat_add=("Hall",),
        hierarchical_add=("Urbex|Hall",),
        block=Block("w1", texts=(("description", "0123456789abcdef"),)),
        metadata_date="2025-02-02T00:00:00Z",
        texts=(TextEdit(DESCRIPTION, None, "A hall"), TextEdit(ALT, None, "Hall with windows")),
    )
    for raw in (packet(), None):
        if raw is None:
            after = CODEC.create(edit)
            CODEC.prove(None, after, edit, SUBJECT)
        else:
            after = done(raw, edit)
        reading = CODEC.read(after, SUBJECT)
        assert reading.description == "A hall"
        assert state(after, ALT) == ("Hall with windows", "")
        assert "Hall" in (reading.fields.flat or ())
        assert reading.block == edit.block


def test_a_packet_that_moved_on_is_refused() -> None:
    with pytest.raises(PacketRefused) as refused:
        CODEC.edit(packet(alt(li("Theirs"))), setting("Ours", "New"), SUBJECT)
    assert refused.value.reason == "text-moved"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b">New<", b">Newer<"),
        (b">Kesselhaus<", b">Boiler house<"),
        (b'xml:lang="de"', b'xml:lang="nl"'),
        (b">Mill<", b">Mills<"),
        (b'xml:lang="x-default"', b'xml:lang="x-default" '),
        (b"2024-01-01", b"2024-01-02"),
        (b'     <rdf:li xml:lang="de"', b'    <rdf:li xml:lang="de"'),
    ],
)
def test_the_proof_sees_every_other_change(old: bytes, new: bytes) -> None:
    raw, edit = packet(alt(li("Kesselhaus", "de"), li("Ours"))), setting("Ours", "New")
    after = CODEC.edit(raw, edit, SUBJECT)
    assert after.count(old) == 1
    with pytest.raises(ProofFailed):
        prove_edit(raw, after.replace(old, new), edit, SUBJECT)


def test_the_proof_sees_a_text_of_a_person_replaced() -> None:
    raw = packet(alt(li("Theirs")))
    after = raw.replace(b">Theirs<", b">Ours<")
    for edit in (setting(None, "Ours"), setting("Other", "Ours"), PacketEdit()):
        with pytest.raises(ProofFailed):
            prove_edit(raw, after, edit, SUBJECT)


def test_the_proof_sees_an_item_or_a_property_that_went_along() -> None:
    raw, edit = packet(alt(li("Kesselhaus", "de"), li("Ours"))), setting("Ours", None)
    whole = re.sub(rb"\s*<dc:description>.*</dc:description>", b"", raw, flags=re.DOTALL)
    with pytest.raises(ProofFailed):
        prove_edit(raw, whole, edit, SUBJECT)


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1
).filter(lambda text: bool(text.strip()))


@given(TEXTS, TEXTS, st.sampled_from(sorted(EDITABLE)), st.sampled_from(list(TextField)))
def test_any_text_goes_in_and_comes_back(
    first: str, second: str, name: str, field: TextField
) -> None:
    raw, value = EDITABLE[name]
    edits = [setting(value if field is DESCRIPTION else None, first, field)]
    edits.append(setting(first, second, field))
    for edit in edits:
        after = done(raw, edit)
        assert state(after, field) == (edit.texts[0].after, "")
        assert CODEC.read(after, SUBJECT).fields == CODEC.read(raw, SUBJECT).fields
        raw = after


def test_a_block_keeps_what_it_knows_of_texts() -> None:
    block = Block("w1", texts=(("description", "0123456789abcdef"), ("altText", "fedcba98")))
    after = done(packet(), PacketEdit(block=block))
    assert CODEC.read(after, SUBJECT).block == block
    without = replace(block, texts=())
    assert CODEC.read(done(after, PacketEdit(block=without)), SUBJECT).block == without


TEXTED = packet(alt(li("A hall")) + "\n   " + alt(li("Hall, &lt;window&gt;"), field=ALT))


@pytest.mark.parametrize(
    "raw",
    [
        TEXTED,
        packet(alt(li("A hall"))).replace(b"Iptc4xmpCore", b"iptc"),
        packet(alt(li("Hall", "de"), field=ALT)),
        packet("", ' Iptc4xmpCore:AltTextAccessibility="Hall"'),
        packet("<lr:x rdf:parseType='Resource'>" + alt(li("part"), field=ALT) + "</lr:x>"),
        re.sub(rb"\n    xmlns:Iptc4xmpCore=\S+", b"", packet(alt(li("A hall")))),
    ],
)
def test_the_scan_reads_texts_as_the_parser_does_or_not_at_all(raw: bytes) -> None:
    for _ in range(2):  # the second time by what is remembered of the first
        for each in (raw, raw.replace(b"AltTextAccessibility", b"IntellectualGenre"), packet()):
            quick = scan(each)
            assert quick is None or quick == read_document(parse(each, READ, SUBJECT))


def test_packets_with_the_usual_texts_are_only_scanned() -> None:
    edit = PacketEdit(
        flat_add=("Hall",),
        texts=(TextEdit(DESCRIPTION, None, "A hall"), TextEdit(ALT, None, "Hall")),
        block=Block("w1"),
    )
    for raw in (packet(), TEXTED, CODEC.create(edit)):
        for _ in range(2):
            quick = scan(raw)
            assert quick is not None
            assert quick == read_document(parse(raw, READ, SUBJECT))
    assert [state.value for state in quick.texts] == ["A hall", "Hall"]


def test_keywords_beside_texts_are_edited_where_they_stand() -> None:
    edit = PacketEdit(flat_add=("Hall",), flat_remove=("Mill",), block=Block("w1"))
    document = locate(TEXTED, edit)
    assert document is not None
    assert edit_packet(TEXTED, edit, SUBJECT) == done(TEXTED, edit)
