"""Independent programs read every packet that we wrote, and see the edit and nothing else.

exiftool, exiv2 and exempi (the parser inside Adobe's programs) look at before.xmp and after.xmp
of each golden case. What each says of the two must differ by the edit alone, in its own words:
some forms a program does not read the way we do, or not at all, before as well as after.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from urbexmp.adapters.xmp.canonical import canonical
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, BlockEntry
from urbexmp.model.record import from_plain

pytestmark = pytest.mark.oracle

GOLDEN = Path(__file__).parent.parent / "golden"
NAMES = sorted(path.parent.name for path in GOLDEN.glob("*/after.xmp"))
CODEC = XmpCodec()
FLAT = "{http://purl.org/dc/elements/1.1/}subject"
PATHS = "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject"
DATE = "{http://ns.adobe.com/xap/1.0/}MetadataDate"
OURS = "{http://ns.urbexmp.org/1.0/}"


def program(name: str) -> str:
    """Path of an oracle. Missing: skip, but fail where CI says that it must be there."""
    found = shutil.which(name)
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail(f"{name} is not installed; in CI no oracle may be missing")
    pytest.skip(f"{name} is not installed")


def run(*command: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(part) for part in command], capture_output=True, check=False)


def edit_of(name: str) -> PacketEdit:
    plain = json.loads((GOLDEN / name / "edit.json").read_text("utf-8"))
    plain.pop("reads", None)
    return from_plain(PacketEdit, plain)


def ours_before(name: str, field: str) -> list[str]:
    """Keywords of before.xmp as we read them."""
    fields = CODEC.read((GOLDEN / name / "before.xmp").read_bytes(), Path(name)).fields
    return list(getattr(fields, field) or ())


def expected(before: list[str], add: tuple[str, ...], remove: tuple[str, ...]) -> list[str]:
    kept = [word for word in before if word not in remove]
    return kept + [word for word in add if word not in kept]


def listed(value: object) -> list[str]:
    if value is None or value == "":
        return []
    items = [str(item) for item in value] if isinstance(value, list) else [str(value)]
    # exiftool takes comments and blanks in a list without items for its only item.
    return [item for item in items if item.strip() and not item.strip().startswith("<!--")]


NOT_READ_BY_EXIFTOOL = frozenset(
    {
        "beside-greater-than-in-attribute",
        "list-numbered",
        "ns-default",
        "ns-default-rdf-no-prefix",
        "whole-bare-rdf",
        "whole-utf16le-lone-surrogates",
        "whole-utf16le-odd-byte",
        "whole-utf32be",
    }
)
"""Forms whose keywords exiftool 12.57 does not see, before the edit as after it."""
NOT_READ_BY_EXIV2 = frozenset(
    {
        "list-blanks-in-item",  # shown with the blanks around them cut
        "list-lang-on-item",
        "list-qualified-item",
        "whole-several-descriptions",  # takes one prefix for one namespace
    }
)
"""Forms that exiv2 0.27 shows differently or not at all."""
MISREAD_BY_EXIV2 = "ns-declared-on-property"
"""It takes an rdf:Bag under another prefix for a structure, and a second item for a mistake."""
NOT_READ_BY_EXEMPI = frozenset({"whole-bare-rdf"})
"""Adobe's core reads nothing from rdf:RDF without x:xmpmeta."""


# --- exiftool -----------------------------------------------------------------------------------


@cache
def by_exiftool() -> dict[tuple[str, str], dict[str, Any]]:
    files = [GOLDEN / name / which for name in NAMES for which in ("before.xmp", "after.xmp")]
    command = (program("exiftool"), "-j", "-struct", "-a", "-G1", "-m", "-XMP:all", *files)
    said = json.loads(run(*command).stdout.decode("utf-8"))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in said:
        path = Path(entry.pop("SourceFile"))
        found[path.parent.name, path.stem] = entry
    return found


@pytest.mark.parametrize("name", NAMES)
def test_exiftool_sees_the_edit_and_nothing_else(name: str) -> None:
    before, after = (dict(by_exiftool()[name, which]) for which in ("before", "after"))
    edit = edit_of(name)
    for key, field, add, remove in (
        ("XMP-dc:Subject", "flat", edit.flat_add, edit.flat_remove),
        (
            "XMP-lr:HierarchicalSubject",
            "hierarchical",
            edit.hierarchical_add,
            edit.hierarchical_remove,
        ),
    ):
        was, now = listed(before.pop(key, None)), listed(after.pop(key, None))
        if name not in NOT_READ_BY_EXIFTOOL:
            assert was == [word for word in ours_before(name, field) if word.strip()]
            assert now == expected(was, add, remove)
    for said in (before, after):
        for key in list(said):
            if key.startswith(("XMP-urbexKW", "XMP-urbexmp", "XMP-ns1", "XMP-dc:Subject_")):
                del said[key]
        said.pop("XMP-xmp:MetadataDate", None)
    assert after == before


# --- exempi ---------------------------------------------------------------------------------------


def dump(path: Path) -> str | None:
    """exempi's own spelling of a packet, None when it cannot read it."""
    said = run(program("exempi"), "-X", "-x", path).stdout
    start = said.find(b"<x:xmpmeta")
    return said[start:].decode("utf-8").rstrip("\0\n ") if start >= 0 else None


@cache
def by_exempi() -> dict[tuple[str, str], str | None]:
    keys = [(name, which) for name in NAMES for which in ("before", "after")]
    with ThreadPoolExecutor(2) as pool:
        dumps = pool.map(dump, [GOLDEN / name / f"{which}.xmp" for name, which in keys])
        return dict(zip(keys, dumps, strict=True))


def items(values: list[Any]) -> list[str]:
    if not values:
        return []
    kind, value, _ = values[0]
    return [item[1] for item in value] if kind in {"Bag", "Seq", "Alt"} else [value]


@pytest.mark.parametrize("name", NAMES)
def test_exempi_sees_the_edit_and_nothing_else(name: str) -> None:
    was, now = by_exempi()[name, "before"], by_exempi()[name, "after"]
    assert (was is None) == (now is None)
    if was is None or now is None:
        return
    before, after = canonical(was).properties, canonical(now).properties
    edit = edit_of(name)
    for key, field, add, remove in (
        (FLAT, "flat", edit.flat_add, edit.flat_remove),
        (PATHS, "hierarchical", edit.hierarchical_add, edit.hierarchical_remove),
    ):
        said, says = items(before.pop(key, [])), items(after.pop(key, []))
        if name not in NOT_READ_BY_EXEMPI:
            assert sorted(said) == sorted(ours_before(name, field))
            assert sorted(says) == sorted(expected(said, add, remove))
    for values in (before, after):
        for key in list(values):
            if key.startswith(OURS) or key == DATE:
                del values[key]
    assert after == before


def test_exempi_reads_most_of_the_corpus() -> None:
    unread = [name for name in NAMES if by_exempi()[name, "after"] is None]
    assert len(unread) < len(NAMES) / 5, unread


# --- exiv2 --------------------------------------------------------------------------------


def by_exiv2(path: Path) -> dict[str, str]:
    """Key to text; empty when exiv2 cannot read the packet (it exits with 0 all the same)."""
    said = run(program("exiv2"), "-q", "-PXkv", "pr", path).stdout.decode("utf-8", "replace")
    found: dict[str, str] = {}
    key = ""
    for line in said.rstrip("\n").split("\n"):
        if line.startswith("Xmp."):
            key, _, value = line.partition(" ")
            found[key] = found.get(key, "") + value.strip()
        elif key:
            found[key] += "\n" + line
    return {key: value.strip() for key, value in found.items()}


@cache
def all_by_exiv2() -> dict[tuple[str, str], dict[str, str]]:
    keys = [(name, which) for name in NAMES for which in ("before", "after")]
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(by_exiv2, [GOLDEN / name / f"{which}.xmp" for name, which in keys])
        return dict(zip(keys, said, strict=True))


@pytest.mark.parametrize("name", [name for name in NAMES if name != MISREAD_BY_EXIV2])
def test_exiv2_sees_the_edit_and_nothing_else(name: str) -> None:
    before, after = (dict(all_by_exiv2()[name, which]) for which in ("before", "after"))
    edit = edit_of(name)
    readable = "Xmp.xmp.Rating" in before or "Xmp.dc.subject" in before
    for key, field, add, remove in (
        ("Xmp.dc.subject", "flat", edit.flat_add, edit.flat_remove),
        (
            "Xmp.lr.hierarchicalSubject",
            "hierarchical",
            edit.hierarchical_add,
            edit.hierarchical_remove,
        ),
    ):
        before.pop(key, None)
        now = after.pop(key, "")
        if readable and name not in NOT_READ_BY_EXIV2:
            # exiv2 joins the items with commas and shows no blank ones.
            shown = [word for word in ours_before(name, field) if word.strip()]
            assert now == ", ".join(expected(shown, add, remove))
    for values in (before, after):
        for key in list(values):
            if (
                key.startswith(("Xmp.urbex", "Xmp.ns1", "Xmp.dc.subject["))
                or key == "Xmp.xmp.MetadataDate"
            ):
                del values[key]
    assert after == before


def test_exiv2_reads_most_of_the_corpus() -> None:
    unread = [name for name in NAMES if not all_by_exiv2()[name, "after"]]
    assert len(unread) < len(NAMES) / 4, unread


# --- our block survives what other programs do (R25) ----------------------------------------------


def entry(path: str, score: float | None, at: str = "2026-11-20T09:00:00Z") -> BlockEntry:
    return BlockEntry(Keyword.parse(path), score, "pixels@1f2e3d4c", "offline", at)


BLOCK = Block(
    "w20261120-090000-0001",
    (
        entry("Urbex|Decay & Rust", 0.87),
        entry("Urbex|Gebäude|Spital", None, "2026-11-21T09:00:00Z"),
        entry("Urbex|100% <old>", 1.0),
    ),
    (Keyword.parse("Urbex|Graffiti"),),
    ("Urbex", "Decay & Rust"),
    (("view", "exterior"), ("era", "1930s; rebuilt")),
)


def rewritten_by_exiftool(path: Path) -> bytes:
    run(program("exiftool"), "-q", "-overwrite_original", "-XMP-xmp:Rating=5", path)
    return path.read_bytes()


def rewritten_by_exiv2(path: Path) -> bytes:
    run(program("exiv2"), "-M", "set Xmp.xmp.Rating 5", path)
    return path.read_bytes()


def rewritten_by_exempi(path: Path) -> bytes:
    path.write_bytes((dump(path) or "").encode())
    return path.read_bytes()


def rewritten_by_lxml(path: Path) -> bytes:
    path.write_bytes(etree.tostring(etree.fromstring(path.read_bytes()), encoding="UTF-8"))
    return path.read_bytes()


def rewritten_by_pyexiv2(path: Path) -> bytes:
    import pyexiv2  # late: it loads a native library

    with pyexiv2.Image(str(path)) as image:
        image.modify_xmp({"Xmp.xmp.Rating": "5"})
    return path.read_bytes()


REWRITERS = {
    "lxml": rewritten_by_lxml,
    "exiftool": rewritten_by_exiftool,
    "exempi": rewritten_by_exempi,
    "exiv2": rewritten_by_exiv2,
    "pyexiv2": rewritten_by_pyexiv2,
}


@pytest.mark.parametrize("chain", [*((name,) for name in REWRITERS), tuple(REWRITERS)])
@pytest.mark.parametrize("name", ["whole-lightroom", "whole-attributes-only", "created"])
def test_our_block_survives(name: str, chain: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "IMG.xmp"
    edit = PacketEdit(flat_add=("Urbex",), block=BLOCK)
    packet = (
        CODEC.create(edit)
        if name == "created"
        else CODEC.edit((GOLDEN / name / "before.xmp").read_bytes(), edit, path)
    )
    path.write_bytes(packet)
    for rewriter in chain:
        packet = REWRITERS[rewriter](path)
        reading = CODEC.read(packet, path)
        assert reading.block == BLOCK, rewriter
        assert "Urbex" in (reading.fields.flat or ())
        # The same edit again changes nothing: no tool makes us write a second time.
        assert CODEC.edit(packet, edit, path) == packet
    later = PacketEdit(flat_add=("Barn",), block=Block("w2", BLOCK.written[:1]))
    after = CODEC.edit(packet, later, path)
    CODEC.prove(packet, after, later, path)
    assert CODEC.read(after, path).block == later.block


def test_exempi_and_exiftool_read_a_new_sidecar(tmp_path: Path) -> None:
    path = tmp_path / "IMG.xmp"
    edit = PacketEdit(
        flat_add=("Urbex", "Barn & Co"),
        hierarchical_add=("Urbex|Barn & Co",),
        block=BLOCK,
        metadata_date="2026-11-20T10:00:00+01:00",
        sidecar_for="CR3",
    )
    path.write_bytes(CODEC.create(edit))
    dumped = canonical(dump(path) or "").properties
    assert sorted(items(dumped[FLAT])) == ["Barn & Co", "Urbex"]
    assert items(dumped[PATHS]) == ["Urbex|Barn & Co"]
    assert dumped[FLAT][0][0] == dumped[PATHS][0][0] == "Bag"
    assert items(dumped["{http://ns.adobe.com/photoshop/1.0/}SidecarForExtension"]) == ["CR3"]
    said = json.loads(run(program("exiftool"), "-j", "-XMP:all", path).stdout)[0]
    assert said["Subject"] == ["Urbex", "Barn & Co"]
    assert said["SidecarForExtension"] == "CR3"
