"""Independent programs read every JPEG that we wrote: the keywords, and nothing else, differ."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from PIL import Image

from embed_cases import Case, cases
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.photo import Block, Carrier, CarrierKind, fingerprint_of

pytestmark = pytest.mark.oracle

CONTAINERS = (JpegContainer(),)
EDIT = PacketEdit(
    flat_add=("Urbex", "Hospital", "Käserei"),
    hierarchical_add=("Urbex|Hospital", "Urbex|Käserei"),
    block=Block("w1"),
)
WRITTEN = [each for each in cases() if each.refused in (None, "iptc-newer", "signed")]
IDS = {"ids": [each.name for each in WRITTEN]}
LISTS = ("XMP-dc:Subject", "XMP-lr:HierarchicalSubject", "IPTC:Keywords")
MINE = ("System:", "ExifTool:", "XMP-urbex", "XMP-ns1", "XMP-x:XMPToolkit", "SourceFile")
"""What is ours, and what says when and where the file is."""
MOVED = ("MPImageStart", "MPImageLength", "IPTCDigest", "CurrentIPTCDigest")
"""Numbers that must follow the change; what they lead to is compared by other tests."""
NOT_READ_BY_EXIV2 = ("utf16-le", "utf16-be", "utf16-tight")
"""exiv2 does not know packets in UTF-16 (XMP.md 6.2)."""


def program(name: str) -> str:
    """Path of an oracle. Missing: skip, but fail where CI says that it must be there."""
    found = shutil.which(name)
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail(f"{name} is not installed; in CI no oracle may be missing")
    pytest.skip(f"{name} is not installed")


@dataclass(frozen=True)
class Pair:
    """A file before and after."""

    before: Path
    after: Path
    said: dict[Path, dict[str, Any]]


def run(*command: str | Path) -> bytes:
    return subprocess.run([str(part) for part in command], capture_output=True, check=False).stdout


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    """All files written, and what one run of exiftool says of them."""
    folder = tmp_path_factory.mktemp("jpeg")
    store = EmbeddedStore(CONTAINERS)
    made = {}
    for each in WRITTEN:
        before, after = folder / f"{each.name}.old.jpg", folder / f"{each.name}.new.jpg"
        before.write_bytes(each.data)
        after.write_bytes(each.data)
        codec = EmbeddedCodec(XmpCodec(), CONTAINERS, adopt_iptc=each.adopt, break_c2pa=each.signed)
        carrier = Carrier(CarrierKind.EMBEDDED, after)
        old = store.read(carrier)
        store.replace(carrier, codec.edit(old, EDIT, after), fingerprint_of(old))
        made[each.name] = (before, after)
    files = [path for pair in made.values() for path in pair]
    command = (program("exiftool"), "-j", "-G1", "-a", "-struct", "-b", "-m", "-ee", *files)
    said = {Path(entry["SourceFile"]): entry for entry in json.loads(run(*command))}
    return {name: Pair(*pair, said) for name, pair in made.items()}


def listed(value: object) -> list[str]:
    if value is None or value == "":
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def expected(each: Case) -> list[str]:
    return [*each.found, *EDIT.flat_add]


@pytest.mark.parametrize("each", WRITTEN, **IDS)
def test_exiftool_sees_the_keywords_and_nothing_else(pairs: dict[str, Pair], each: Case) -> None:
    pair = pairs[each.name]
    before, after = dict(pair.said[pair.before]), dict(pair.said[pair.after])
    assert "ExifTool:Error" not in after
    if each.adopt:
        assert "IPTCDigest is not current" in before.pop("ExifTool:Warning")
    assert after.get("ExifTool:Warning") == before.get("ExifTool:Warning")
    assert listed(after["XMP-dc:Subject"]) == expected(each)
    assert set(EDIT.hierarchical_add) <= set(listed(after["XMP-lr:HierarchicalSubject"]))
    if after.get("IPTC:Keywords") != before.get("IPTC:Keywords"):
        words = [word.encode()[:64].decode("utf-8", "ignore") for word in expected(each)]
        assert set(words) <= set(listed(after["IPTC:Keywords"]))
        assert after["Photoshop:IPTCDigest"] == after["File:CurrentIPTCDigest"]
    for said in (before, after):
        for key in list(said):
            if key in LISTS or key.startswith(MINE) or key.partition(":")[2] in MOVED:
                del said[key]
    if "XMP-dc:Subject" not in pair.said[pair.before]:
        after = {key: value for key, value in after.items() if key in before}
    assert after == before


@pytest.mark.parametrize("each", WRITTEN, **IDS)
def test_the_picture_is_the_same(pairs: dict[str, Pair], each: Case) -> None:
    pair = pairs[each.name]
    with Image.open(pair.before) as before, Image.open(pair.after) as after:
        assert after.size == before.size
        assert after.tobytes() == before.tobytes()


def by_exempi(path: Path) -> dict[str, list[str]]:
    """Items of the two lists as Adobe's toolkit gives them, IPTC reconciled."""
    said = run(program("exempi"), "-x", path)
    start = said.find(b"<x:xmpmeta")
    if start < 0:
        return {}
    end = said.rindex(b"</x:xmpmeta>") + len(b"</x:xmpmeta>")
    root = etree.fromstring(said[start:end])
    names = {
        "flat": "{http://purl.org/dc/elements/1.1/}subject",
        "paths": "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject",
    }
    li = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
    return {
        short: [str(item.text) for found in root.iter(name) for item in found.iter(li)]
        for short, name in names.items()
    }


@pytest.mark.parametrize("each", WRITTEN, **IDS)
def test_adobes_reader_sees_the_keywords(pairs: dict[str, Pair], each: Case) -> None:
    found = by_exempi(pairs[each.name].after)
    assert sorted(found["flat"]) == sorted(expected(each))
    assert set(EDIT.hierarchical_add) <= set(found["paths"])


@pytest.mark.parametrize(
    "each",
    # Text that does not say how it is encoded, Adobe's toolkit leaves out on Linux.
    [each for each in WRITTEN if each.name in ("iptc-only", "iptc-only-no-digest")],
    ids=lambda each: each.name,
)
def test_what_adobes_reader_saw_before_it_sees_after(pairs: dict[str, Pair], each: Case) -> None:
    before = by_exempi(pairs[each.name].before)
    assert set(before["flat"]) <= set(by_exempi(pairs[each.name].after)["flat"])
    assert before["flat"]


@pytest.mark.parametrize(
    "each",
    [each for each in WRITTEN if each.name not in NOT_READ_BY_EXIV2],
    ids=lambda each: each.name,
)
def test_exiv2_sees_the_keywords(pairs: dict[str, Pair], each: Case) -> None:
    said = run(program("exiv2"), "-q", "-PXkt", "pr", pairs[each.name].after).decode()
    values = dict(line.split(None, 1) for line in said.splitlines() if line.startswith("Xmp."))
    assert [word.strip() for word in values["Xmp.dc.subject"].split(",")] == expected(each)
    assert "Urbex|Käserei" in values["Xmp.lr.hierarchicalSubject"]
