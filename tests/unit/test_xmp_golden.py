"""The golden corpus: a folder a case; `after.xmp` is what the edit must give, byte for byte.

Without an `after.xmp` the edit must be refused, for the reason that edit.json names. A new case
is a new folder; nothing here has to change.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from urbexmp.adapters.xmp.canonical import canonical
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.frame import frame
from urbexmp.adapters.xmp.names import READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.reading import read_document
from urbexmp.adapters.xmp.scan import scan
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import PacketRefused
from urbexmp.model.record import from_plain

GOLDEN = Path(__file__).parent.parent / "golden"
CODEC = XmpCodec()
EDITED = (
    "{http://purl.org/dc/elements/1.1/}subject",
    "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject",
    "{http://ns.adobe.com/xap/1.0/}MetadataDate",
    "{http://ns.urbexmp.org/1.0/}",
)


@dataclass(frozen=True)
class Case:
    path: Path
    before: bytes
    after: bytes | None
    edit: PacketEdit
    refused: str | None
    reads: dict[str, Any]


def load(name: str) -> Case:
    path = GOLDEN / name
    plain = json.loads((path / "edit.json").read_text("utf-8"))
    refused, reads = plain.pop("refused", None), plain.pop("reads", {})
    after = path / "after.xmp"
    return Case(
        path / "before.xmp",
        (path / "before.xmp").read_bytes(),
        after.read_bytes() if after.exists() else None,
        from_plain(PacketEdit, plain),
        refused,
        reads,
    )


NAMES = sorted(path.parent.name for path in GOLDEN.glob("*/edit.json"))
WRITTEN = [name for name in NAMES if (GOLDEN / name / "after.xmp").exists()]
REFUSED = [name for name in NAMES if name not in WRITTEN]


def said(packet: bytes) -> dict[str, list[Any]]:
    """What a packet says beside what an edit may change, by lxml."""
    framed = frame(packet, "x")
    document = parse(packet, (), "x")
    text = framed.parsable[: document.root_end].decode()
    return {
        name: values
        for name, values in canonical(text).properties.items()
        if not name.startswith(EDITED)
    }


def test_the_corpus_is_there() -> None:
    assert len(WRITTEN) > 100
    assert len(REFUSED) > 20


@pytest.mark.parametrize("name", WRITTEN)
def test_edit_gives_the_golden_bytes(name: str) -> None:
    case = load(name)
    assert case.refused is None
    assert CODEC.edit(case.before, case.edit, case.path) == case.after


@pytest.mark.parametrize("name", WRITTEN)
def test_proof_passes_and_a_second_edit_changes_nothing(name: str) -> None:
    case = load(name)
    assert case.after is not None
    CODEC.prove(case.before, case.after, case.edit, case.path)
    assert CODEC.edit(case.after, case.edit, case.path) == case.after


@pytest.mark.parametrize("name", WRITTEN)
def test_every_other_value_is_intact(name: str) -> None:
    case = load(name)
    assert case.after is not None
    assert said(case.after) == said(case.before)


@pytest.mark.parametrize("name", WRITTEN)
def test_the_reader_sees_what_was_asked_for(name: str) -> None:
    case = load(name)
    assert case.after is not None
    before, after = CODEC.read(case.before, case.path), CODEC.read(case.after, case.path)
    for was, now, add, remove in (
        (before.fields.flat, after.fields.flat, case.edit.flat_add, case.edit.flat_remove),
        (
            before.fields.hierarchical,
            after.fields.hierarchical,
            case.edit.hierarchical_add,
            case.edit.hierarchical_remove,
        ),
    ):
        kept = [item for item in was or () if item not in remove]
        assert list(now or ()) == kept + [item for item in add if item not in kept]
    assert after.protected == before.protected
    assert after.sidecar_for == before.sidecar_for
    if case.edit.block is not None:
        assert (after.block.mark if after.block else "") == case.edit.block.mark
    else:
        assert after.block == before.block


@pytest.mark.parametrize("name", WRITTEN)
def test_the_diff_is_small(name: str) -> None:
    case = load(name)
    assert case.after is not None
    lines = [frame(packet, "x").working.split(b"\n") for packet in (case.before, case.after)]
    matcher = difflib.SequenceMatcher(None, *lines, autojunk=False)
    blanks = (b"", b"\r")
    changed = [
        line
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
        for line in lines[0][i1:i2] + lines[1][j1:j2]
        if line.strip(b" ") not in blanks  # padding is not what a person sees
    ]
    assert len(changed) <= 22


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_reason(name: str) -> None:
    case = load(name)
    assert case.refused, "a case without after.xmp names the reason for the refusal"
    with pytest.raises(PacketRefused) as caught:
        CODEC.edit(case.before, case.edit, case.path)
    assert caught.value.reason == case.refused
    assert str(case.path) in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_reading(name: str) -> None:
    case = load(name)
    for packet in (case.before, case.after or b""):
        quick = scan(packet)
        # A scan does not look for mistakes in what is of no interest to it.
        if quick is not None and case.refused not in {"not-well-formed", "too-deep"}:
            assert quick == read_document(parse(packet, READ, case.path))
    if case.reads:
        fields = CODEC.read(case.before, case.path).fields
        expected = {key: value and tuple(value) for key, value in case.reads.items()}
        assert {key: getattr(fields, key) for key in expected} == expected
