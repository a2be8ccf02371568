"""Keywords are read as exiftool reads them, but for the named packets, each for its reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.errors import PacketRefused

pytestmark = pytest.mark.oracle

GOLDEN = Path(__file__).parent.parent / "golden"
PACKETS = sorted(f"{path.parent.name}/{path.name}" for path in GOLDEN.glob("*/*.xmp"))
DIFFERENT: dict[str, str] = json.loads((GOLDEN / "exiftool_differs.json").read_text("utf-8"))
FIELDS = ("Subject", "HierarchicalSubject")


@cache
def by_exiftool() -> dict[str, tuple[list[str], list[str]]]:
    """What exiftool says of all packets, by folder and name."""
    if not shutil.which("exiftool"):
        if os.environ.get("CI"):
            pytest.fail("exiftool is not installed; in CI no oracle may be missing")
        pytest.skip("exiftool is not installed")
    asked = ("exiftool", "-q", "-m", "-r", "-j", "-ext", "xmp", "-XMP-dc:Subject",
             "-XMP-lr:HierarchicalSubject", str(GOLDEN))  # fmt: skip
    said = subprocess.run(asked, capture_output=True, check=False).stdout
    found = {}
    for each in json.loads(said):
        name = Path(each["SourceFile"]).relative_to(GOLDEN).as_posix()
        flat, paths = (listed(each.get(field, [])) for field in FIELDS)
        found[name] = flat, paths
    return found


def listed(value: object) -> list[str]:
    """Sorted, as a list whether it is one or not, without empty items."""
    return sorted(filter(None, map(str, value if isinstance(value, list) else [value])))


def ours(name: str) -> tuple[list[str], list[str]] | None:
    """The same by our reader, None where it refuses the packet (`test_xmp_golden` says why)."""
    path = GOLDEN / name
    try:
        fields = XmpCodec().read(path.read_bytes(), path).fields
    except PacketRefused:
        return None
    return listed(list(fields.flat or ())), listed(list(fields.hierarchical or ()))


@pytest.mark.parametrize("name", PACKETS)
def test_keywords_are_read_as_exiftool_reads_them(name: str) -> None:
    mine = ours(name)
    if mine is not None and name.partition("/")[0] not in DIFFERENT:
        assert mine == by_exiftool().get(name, ([], []))


@pytest.mark.parametrize("case", DIFFERENT)
def test_where_it_is_otherwise_for_a_reason_no_keyword_is_lost(case: str) -> None:
    """What exiftool finds there we find too, but for comments and blanks that it takes for text."""
    names = [name for name in PACKETS if name.startswith(f"{case}/")]
    assert names
    assert DIFFERENT[case].endswith(".")
    for name in names:
        mine = ours(name)
        assert mine is not None
        for found, there in zip(by_exiftool().get(name, ([], [])), mine, strict=True):
            assert {word for word in found if word.strip() and "<!--" not in word} <= {*there}
