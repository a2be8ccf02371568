"""exiftool, exiv2 and exempi read every TIFF and DNG that we wrote: our packet, and nothing else
changed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from embed_tiff_files import (
    BYTE,
    IPTC,
    PHOTOSHOP,
    UNDEFINED,
    XMP,
    build,
    dng,
    iim,
    packet,
    picture,
    resource,
    with_camera,
)
from embed_tiff_sources import Seen, pixels, put, undone
from urbexmp.adapters.embedded.tiff import TiffContainer

pytestmark = pytest.mark.oracle

WORDS = ("Owl", "Snow &amp; Ice", "Zebra é")
SAID = ["Owl", "Snow & Ice", "Zebra é"]
SAID_AS_XML = list(WORDS)


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


def camera(
    order: str = "<", stands: bytes | None = None, fitting: bool = True, **how: Any
) -> bytes:
    first = with_camera(picture())
    first.add(IPTC, UNDEFINED, iim("Owl"))
    digest = hashlib.md5(iim("Owl")).digest() if fitting else b"\0" * 16
    first.add(PHOTOSHOP, BYTE, resource(1000, b"abc", b"name") + resource(0x0425, digest))
    if stands is not None:
        first.add(XMP, BYTE, stands)
    first.following = picture(2, tiles=True)
    first.following.following = picture(3)
    return build(first, order=order, **how).content


SHAPES: dict[str, Callable[[], bytes]] = {
    "none-le.tif": lambda: camera("<"),
    "none-be.tif": lambda: camera(">"),
    "small-le.tif": lambda: camera("<", packet("Old")),
    "small-be.tif": lambda: camera(">", packet("Old")),
    "roomy-le.tif": lambda: camera("<", packet("Old", padding=2000)),
    "roomy-be.tif": lambda: camera(">", packet("Old", padding=2000)),
    "last-first.tif": lambda: camera("<", layout=lambda parts: parts[::-1]),
    "odd-end.tif": lambda: camera("<", tail=b"\0"),
    "big-le.tif": lambda: camera("<", big=True),
    "big-be.tif": lambda: camera(">", packet("Old"), big=True),
    "none-le.dng": lambda: dng().content,
    "none-be.dng": lambda: dng(order=">").content,
    "small.dng": lambda: dng(packet=packet("Old")).content,
    "roomy.dng": lambda: dng(packet=packet("Old", padding=2000)).content,
}
NOT_BIG = [name for name in SHAPES if not name.startswith("big")]
"""exiv2 0.27 and exempi know no BigTIFF."""


@cache
def written(name: str) -> tuple[bytes, bytes]:
    before = SHAPES[name]()
    return before, put(before, packet(*WORDS, padding=500))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiffs")
    for name in SHAPES:
        before, after = written(name)
        (made / f"before-{name}").write_bytes(before)
        (made / f"after-{name}").write_bytes(after)
    return made


@cache
def by_exiftool(folder: Path) -> dict[str, dict[str, Any]]:
    files = sorted(folder.iterdir())
    asked = ("-j", "-a", "-G1:4", "-u", "-all", "-validate", "-warning")
    said = run(program("exiftool"), *asked, *files)
    found = {}
    for entry in json.loads(said.stdout.decode()):
        found[Path(entry.pop("SourceFile")).name] = entry
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_exiftool_reads_our_packet_and_every_tag_as_before(name: str, folder: Path) -> None:
    before, after = (dict(by_exiftool(folder)[f"{which}-{name}"]) for which in ("before", "after"))
    assert after.pop("XMP-dc:Subject") == SAID
    before.pop("XMP-dc:Subject", None)
    for said in (before, after):
        for key in list(said):
            # In BigTIFF, exiftool shows the packet once more under a name of its own.
            if key.startswith(("System:", "XMP-x:", "IFD0:ApplicationNotes")):
                del said[key]
    assert after == before


@pytest.mark.parametrize("name", NOT_BIG)
def test_exiv2_reads_our_packet_and_every_tag_as_before(name: str, folder: Path) -> None:
    exiv2 = program("exiv2")

    def said(which: str, what: str) -> list[str]:
        answer = run(exiv2, "-q", what, "pr", folder / f"{which}-{name}").stdout.decode()
        return [line for line in answer.splitlines() if "Exif.Image.XMLPacket" not in line]

    packets = [" ".join(line.split()) for line in said("after", "-PXkv")]
    assert packets == [f"Xmp.dc.subject {', '.join(SAID)}"]
    assert said("after", "-PEkv") == said("before", "-PEkv")
    assert said("after", "-PIkv") == said("before", "-PIkv")


def by_exempi(path: Path) -> list[str]:
    """The keywords that Adobe's toolkit reads."""
    said = run(program("exempi"), "-x", path).stdout.decode()
    subject = said.partition("<dc:subject>")[2].partition("</dc:subject>")[0]
    return [line.partition("</rdf:li>")[0] for line in subject.split("<rdf:li>")[1:]]


@pytest.mark.parametrize("name", NOT_BIG)
def test_the_adobe_toolkit_reads_our_packet(name: str, folder: Path) -> None:
    assert by_exempi(folder / f"after-{name}") == SAID_AS_XML


def test_iptc_that_was_changed_behind_the_packet_wins_until_it_is_adopted(tmp_path: Path) -> None:
    before = camera(stands=packet("Old"), fitting=False)
    layout = TiffContainer().layout(Seen(before), Path("a.tif"))
    assert layout.iptc_state == "differs"
    assert layout.iptc_keywords == ("Owl",)
    path = tmp_path / "a.tif"
    path.write_bytes(put(before, packet(*WORDS)))
    assert by_exempi(path) == ["Owl"]
    adopted = put(before, packet(*WORDS), words=("Owl",))
    path.write_bytes(adopted)
    assert by_exempi(path) == SAID_AS_XML
    assert TiffContainer().layout(Seen(adopted), Path("a.tif")).iptc_state == "matches"
    assert undone(before, adopted) == before


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NOT_BIG
        if TiffContainer().layout(Seen(SHAPES[name]()), Path(name)).iptc_writable
    ],
)
def test_all_read_the_iptc_block_that_followed_the_packet(name: str, tmp_path: Path) -> None:
    before = SHAPES[name]()
    once = put(before, packet(*WORDS), words=tuple(SAID))
    twice = put(once, packet(*WORDS, padding=4000), words=("Moth", *SAID))
    (tmp_path / "before.tif").write_bytes(before)
    (tmp_path / "after.tif").write_bytes(twice)
    found = by_exiftool(tmp_path)
    was, now = (dict(found[f"{which}.tif"]) for which in ("before", "after"))
    assert now["IPTC:Keywords"] == ["Owl", "Snow & Ice", "Zebra é", "Moth"]
    assert now["Photoshop:IPTCDigest"] == now["File:CurrentIPTCDigest"]
    for said in (was, now):
        for key in list(said):
            if key.startswith(("System:", "XMP-", "IPTC:Keywords")) or "IPTCDigest" in key:
                del said[key]
    assert now == was
    said = run(program("exiv2"), "-q", "-PIkv", "pr", tmp_path / "after.tif").stdout.decode()
    words = [line.split(None, 1)[1] for line in said.splitlines() if "Keywords" in line]
    assert words == ["Owl", "Snow & Ice", "Zebra é", "Moth"]
    assert by_exempi(tmp_path / "after.tif") == SAID_AS_XML
    assert pixels(twice) == pixels(before)
    assert undone(once, twice) == once
    assert undone(before, twice) == before


def test_iptc_without_a_digest_only_fills_what_the_packet_lacks(tmp_path: Path) -> None:
    first = picture()
    first.add(IPTC, UNDEFINED, iim("Owl"))
    before = build(first).content
    path = tmp_path / "a.tif"
    path.write_bytes(before)
    assert by_exempi(path) == ["Owl"]
    assert TiffContainer().layout(Seen(before), path).iptc_keywords == ("Owl",)
    path.write_bytes(put(before, packet(*WORDS)))
    assert by_exempi(path) == SAID_AS_XML


@pytest.mark.parametrize("name", SHAPES)
def test_pillow_decodes_every_page_as_before(name: str) -> None:
    before, after = written(name)
    assert pixels(before) == pixels(after)
    assert undone(before, after) == before


SAVED: dict[str, dict[str, Any]] = {
    "plain": {},
    "lzw": {"compression": "tiff_lzw"},
    "deflate": {"compression": "tiff_adobe_deflate"},
    "jpeg": {"compression": "jpeg"},
    "pages": {"save_all": True, "append_images": [Image.new("RGB", (30, 20), "red")] * 3},
    "big": {"big_tiff": True},
}


@pytest.mark.parametrize("kind", SAVED)
def test_pictures_that_another_program_wrote(kind: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((150, 90), 60).convert("RGB").save(out, "TIFF", **SAVED[kind])
    before = out.getvalue()
    after = put(before, packet(*WORDS))
    assert pixels(after) == pixels(before)
    assert undone(before, after) == before
    path = tmp_path / "a.tif"
    path.write_bytes(after)
    asked = ("-j", "-XMP-dc:Subject", "-validate")
    (said,) = json.loads(run(program("exiftool"), *asked, path).stdout.decode())
    assert said["Subject"] == SAID
    if kind not in ("big", "plain"):
        with Image.open(path) as image:
            assert b"Owl" in image.tag_v2[700]


REAL = Path(os.environ.get("URBEXMP_REAL_FILES", "unset")) / "raw"
TIFF_LIKE = sorted(
    path
    for path in (REAL.iterdir() if REAL.is_dir() else ())
    if path.read_bytes()[:4] in TiffContainer.begins
)


@pytest.mark.real_files
@pytest.mark.skipif(not TIFF_LIKE, reason="URBEXMP_REAL_FILES names no folder with raw files")
@pytest.mark.parametrize("path", TIFF_LIKE or [REAL], ids=lambda path: path.name)
@pytest.mark.parametrize("padding", [0, 20_000])
def test_real_files_that_are_built_like_tiff(path: Path, padding: int, tmp_path: Path) -> None:
    before = path.read_bytes()
    after = put(before, packet(*WORDS, padding=padding))
    assert undone(before, after) == before
    (tmp_path / "after.tif").write_bytes(after)
    shutil.copy(path, tmp_path / "before.tif")
    asked = ("-j", "-a", "-G1:4", "-u", "-b", "-all", "--XMP:all", "--System:all")
    files = (tmp_path / "before.tif", tmp_path / "after.tif")
    one, two = json.loads(run(program("exiftool"), *asked, *files).stdout.decode())
    for said in (one, two):
        for key in ("SourceFile", "IFD0:ApplicationNotes"):
            said.pop(key, None)
    assert one == two
    assert len(one) > 20
