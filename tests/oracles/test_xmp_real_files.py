"""Sidecars of real programs: add, prove, read back, remove, and every byte is as before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.adapters.xmp.names import READ
from urbexmp.adapters.xmp.parse import parse
from urbexmp.adapters.xmp.reading import read_document
from urbexmp.adapters.xmp.scan import scan
from urbexmp.model.change import PacketEdit
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import Block, BlockEntry

FOLDER = Path(os.environ.get("URBEXMP_REAL_FILES", "unset")) / "xmp"
FILES = sorted(FOLDER.glob("*.xmp")) if FOLDER.is_dir() else []
NEEDED = "URBEXMP_REAL_FILES names no folder with xmp/*.xmp"

pytestmark = [pytest.mark.real_files, pytest.mark.skipif(not FILES, reason=NEEDED)]

CODEC = XmpCodec()
BLOCK = Block(
    "w20261120-090000-0001",
    (
        BlockEntry(
            Keyword.parse("Urbex|Zebra é"),
            0.87,
            "pixels@1f2e3d4c",
            "offline",
            "2026-11-20T09:00:00Z",
        ),
    ),
    (Keyword.parse("Urbex|Graffiti"),),
    ("Urbex", "Zebra é"),
    (("view", "exterior"),),
)
ADD = PacketEdit(flat_add=("Urbex", "Zebra é"), hierarchical_add=("Urbex|Zebra é",), block=BLOCK)
REMOVE = PacketEdit(
    flat_remove=ADD.flat_add, hierarchical_remove=ADD.hierarchical_add, block=Block("")
)


@pytest.mark.parametrize("path", FILES or [FOLDER], ids=lambda path: path.name)
def test_add_prove_and_remove(path: Path) -> None:
    before = path.read_bytes()
    after = CODEC.edit(before, ADD, path)
    CODEC.prove(before, after, ADD, path)
    fields = CODEC.read(after, path).fields
    assert set(ADD.flat_add) <= set(fields.flat or ())
    assert set(ADD.hierarchical_add) <= set(fields.hierarchical or ())
    for packet in (before, after):
        quick = scan(packet)
        assert quick is None or quick == read_document(parse(packet, READ, path))
    back = CODEC.edit(after, REMOVE, path)
    CODEC.prove(after, back, REMOVE, path)
    assert back == before


@pytest.mark.parametrize("path", FILES or [FOLDER], ids=lambda path: path.name)
def test_exiftool_sees_the_edit_and_nothing_else(path: Path, tmp_path: Path) -> None:
    exiftool = shutil.which("exiftool")
    if exiftool is None:
        pytest.skip("exiftool is not installed")
    edited = tmp_path / path.name
    edited.write_bytes(CODEC.edit(path.read_bytes(), ADD, path))
    command = [exiftool, "-j", "-struct", "-a", "-G1", "-XMP:all", str(path), str(edited)]
    said = subprocess.run(command, capture_output=True, check=False).stdout
    before, after = json.loads(said.decode("utf-8"))

    def rest(entry: dict[str, Any]) -> dict[str, Any]:
        dropped = ("SourceFile", "XMP-dc:Subject", "XMP-lr:Hier", "XMP-urbexKW")
        return {key: value for key, value in entry.items() if not key.startswith(dropped)}

    assert rest(after) == rest(before)
    was = before.get("XMP-dc:Subject", [])
    was = was if isinstance(was, list) else [was]
    assert after["XMP-dc:Subject"] == [*was, *ADD.flat_add]
