"""Descriptions and alt texts over a RAW, its JPEG and a JPEG alone, read back by other programs.

The whole way: `urbexmp sync` with the stage `vlm`, whose looks come from a double of a server;
exiftool in the part of Lightroom edits or takes out a description between runs.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from embed_cases import case
from embed_files import UTF8, dataset, iim, jpeg, photoshop
from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run
from vlm_server import GOOD, VlmDouble, said

pytestmark = [pytest.mark.oracle, pytest.mark.usefixtures("clean_home")]

PHOTOS = Path(__file__).parents[2] / "samples" / "photos"
FIRST = "Flur mit Rollstuhl \u2013 \u201eWard 7\u201c & <dust>."
ALT = "Corridor, wheelchair."
OURS = [FIRST, ALT]


class Done(NamedTuple):
    code: int
    output: str


class Library:
    """A RAW+JPEG pair and a JPEG, and a profile with the double as its server."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.photos = home / "photos"
        self.photos.mkdir()
        self.reply: dict[str, Any] = {**GOOD, "description": FIRST, "alt_text": ALT}
        self.raw = self.add("_DSC0413.NEF", "DSC_1.NEF")
        self.companion = self.add("IMG_1027.JPG", "DSC_1.JPG")
        self.jpeg = self.add("IMG_1022.JPG", "IMG_1.JPG")
        self.profile = home / "texts.toml"

    def add(self, name: str, called: str) -> Path:
        return Path(shutil.copy(next(PHOTOS.rglob(name)), self.photos / called))

    def served_by(self, double: VlmDouble) -> None:
        self.profile.write_text(
            'stages = ["camera", "place", "vlm"]\npairs = "both"\n'
            'write_description = "empty-or-ours"\nwrite_alt_text = "empty-or-ours"\n'
            f'[stage.vlm]\nmodel = "eyes"\nurl = "{double.url}"\n'
        )

    def run(self, *more: str, command: str = "sync", profile: bool = True) -> Done:
        where = [] if command in ("undo", "apply") else [str(self.photos)]
        if command == "undo":
            where = ["--in", str(self.photos)]
        given = [command, *where, *(["-p", str(self.profile)] if profile else [])]
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            code = run([*given, "--no-color", "--state", str(self.home / "st"), *more])
        return Done(code, told.getvalue())

    @property
    def carriers(self) -> tuple[Path, ...]:
        sidecars = [each.with_name(each.name + ".xmp") for each in (self.companion, self.jpeg)]
        return (self.raw.with_suffix(".xmp"), *sidecars, self.companion, self.jpeg)


@pytest.fixture
def library(
    tmp_path: Path,
    clean_home: None,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Library]:
    monkeypatch.delenv("URBEXMP_STAGES", raising=False)
    library = Library(tmp_path)
    with VlmDouble(lambda *_: said(json.dumps(library.reply))) as double:
        library.served_by(double)
        yield library


def program(name: str) -> str:
    """Path of an oracle. Missing: skip, but fail where CI says that it must be there."""
    found = shutil.which(name)
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{name} is not installed; in CI no oracle may be missing")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def by_exiftool(path: Path) -> list[str | None]:
    """Description and alt text."""
    asked = ["-XMP-dc:Description", "-XMP-iptcCore:AltTextAccessibility"]
    command = [program("exiftool"), "-j", *asked, str(path)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]
    return [told.get("Description"), told.get("AltTextAccessibility")]


def lightroom(path: Path, *edits: str) -> None:
    command = [program("exiftool"), "-q", "-overwrite_original", *edits, str(path)]
    subprocess.run(command, check=True, capture_output=True)


def by_exiv2(path: Path) -> list[str]:
    keys = ("Xmp.dc.description", "Xmp.iptc.AltTextAccessibility")
    told = subprocess.run(
        [program("exiv2"), "-PXkt", "print", str(path)], capture_output=True, check=False
    ).stdout.decode()
    lines = [line.split(None, 1) for line in told.splitlines()]
    return [text.removeprefix('lang="x-default" ') for key, text in lines if key in keys]


def by_exempi(path: Path) -> str:
    return subprocess.run(
        [program("exempi"), "-X", "-x", str(path)], capture_output=True, check=True
    ).stdout.decode()


def test_three_programs_read_back_what_was_written(library: Library) -> None:
    before = library.raw.read_bytes()
    assert library.run().code == 0
    assert library.raw.read_bytes() == before
    for carrier in library.carriers:
        assert by_exiftool(carrier) == OURS
        assert by_exiv2(carrier) == OURS
        words = subprocess.run(
            [program("exiftool"), "-s3", "-Subject", str(carrier)],
            capture_output=True,
            check=True,
        ).stdout.decode()
        assert "Wheelchair" in words
    for sidecar in library.carriers[:3]:
        rewritten = by_exempi(sidecar)
        for text in OURS:
            escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            assert f'<rdf:li xml:lang="x-default">{escaped}</rdf:li>' in rewritten
    written = {path: path.read_bytes() for path in library.carriers}
    assert library.run("--again").code == 0
    assert {path: path.read_bytes() for path in library.carriers} == written


def test_what_lightroom_edits_or_takes_out_stays_so(library: Library) -> None:
    library.run()
    lightroom(library.jpeg, "-XMP-dc:Description=My own words")
    lightroom(library.raw.with_suffix(".xmp"), "-XMP-dc:Description=")
    library.reply["description"] = "Something else."
    for _ in range(2):
        done = library.run("--retag", "vlm")
        assert done.code == 0
        assert by_exiftool(library.jpeg) == ["My own words", ALT]
        assert by_exiftool(library.raw.with_suffix(".xmp")) == [None, ALT]
    assert "2 texts not written" in done.output
    told = library.run("--again", command="diff").output
    assert '"My own words" -> "Something else."' in told
    assert "you changed what was written there" in told
    assert "it was taken out of DSC_1.xmp, and still stands in DSC_1.JPG.xmp, DSC_1.JPG" in told
    shutil.rmtree(library.home / "st")
    library.reply["alt_text"] = "Newer."
    assert library.run("--retag", "vlm").code == 0
    assert by_exiftool(library.jpeg) == ["My own words", "Newer."]
    assert by_exiftool(library.raw.with_suffix(".xmp")) == [None, "Newer."]


def test_a_description_that_was_there_is_never_replaced(library: Library) -> None:
    lightroom(library.jpeg, "-XMP-dc:Description=Before you came", "-XMP-dc:Description-de=Vorher")
    assert library.run().code == 0
    assert by_exiftool(library.jpeg) == ["Before you came", ALT]
    assert by_exiftool(library.carriers[2]) == [None, ALT]
    assert b"Vorher" in library.jpeg.read_bytes()


def test_nothing_is_written_where_the_profile_does_not_say_so(library: Library) -> None:
    library.run("--set", "write_description=never", "--set", "write_alt_text=never")
    assert all(by_exiftool(carrier) == [None, None] for carrier in library.carriers)


def test_lightroom_saving_an_older_packet_takes_nothing_away_for_good(library: Library) -> None:
    older = library.jpeg.read_bytes()
    library.run()
    library.jpeg.write_bytes(older)
    os.utime(library.jpeg, ns=(10**18, 10**18))
    assert library.run().code == 0
    assert by_exiftool(library.jpeg) == OURS


def test_undo_gives_the_bytes_back_and_spares_what_came_later(library: Library) -> None:
    images = {path: path.read_bytes() for path in (library.jpeg, library.companion)}
    library.run()
    lightroom(library.jpeg, "-XMP-dc:Description=My own words")
    assert library.run("--yes", command="undo").code == 0
    assert library.companion.read_bytes() == images[library.companion]
    assert not library.raw.with_suffix(".xmp").exists()
    assert by_exiftool(library.jpeg) == ["My own words", None]


def test_a_saved_plan_and_the_page_hold_the_texts(library: Library) -> None:
    plan, page = library.home / "plan.jsonl", library.home / "diff.html"
    assert library.run("--plan", str(plan)).code == 0
    assert by_exiftool(library.jpeg) == [None, None]
    told = library.run("--plan", str(plan), "--format", "html", command="diff").output
    page.write_text(told, encoding="utf-8")
    assert "(empty) &rarr; &quot;Flur mit Rollstuhl" in told
    assert "&lt;dust&gt;" in told
    lightroom(library.companion, "-XMP-dc:Description=Typed since")
    assert library.run(str(plan), command="apply").code == 3
    assert by_exiftool(library.jpeg) == OURS
    assert by_exiftool(library.companion) == ["Typed since", None]


def test_texts_are_found_and_a_mirror_from_the_files_alone_says_the_same(
    library: Library,
) -> None:
    library.run()
    state = ["--state", str(library.home / "st")]

    def asked(*words: str) -> str:
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            assert run(["search", *words, "--in", str(library.photos), *state]) == 0
        return told.getvalue()

    def indexed(*more: str) -> int:
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            return run(["mirror", *more, str(library.photos), *state])

    assert indexed("rebuild") == 0
    first = {word: asked(word) for word in ("rollstuhl", "corridor", "ward")}
    assert all("IMG_1.JPG" in found for found in first.values())
    shutil.rmtree(library.home / "st")
    assert indexed("rebuild") == 0
    assert {word: asked(word) for word in first} == first
    assert indexed("check") == 0


def captioned(caption: bytes, digest: bytes | str | None = "fits") -> bytes:
    """A JPEG whose IPTC block holds a caption, and a packet without a description."""
    block = iim([b"Mill"], UTF8, more=dataset(2, 120, caption))
    return jpeg(photoshop(block, digest))


@pytest.mark.parametrize("digest", ["fits", None])
def test_a_caption_in_the_iptc_block_is_a_persons(library: Library, digest: str | None) -> None:
    library.jpeg.write_bytes(captioned(b"Typed in Photo Mechanic", digest))
    assert library.run().code == 0
    assert by_exiftool(library.jpeg) == [None, ALT]
    assert by_exiftool(library.carriers[2]) == [None, ALT]
    told = subprocess.run(
        [program("exiftool"), "-s3", "-IPTC:Caption-Abstract", str(library.jpeg)],
        capture_output=True,
        check=True,
    ).stdout
    assert told.strip() == b"Typed in Photo Mechanic"


def test_ours_that_lightroom_copied_into_iptc_is_left_and_held(library: Library) -> None:
    library.reply["description"] = "A plain hall."
    library.run()
    lightroom(library.jpeg, "-IPTC:Caption-Abstract=A plain hall.", "-codedcharacterset=utf8")
    library.reply["description"] = "Another hall."
    done = library.run("--retag", "vlm")
    assert done.code == 0
    assert by_exiftool(library.jpeg)[0] == "A plain hall."
    assert by_exiftool(library.carriers[2])[0] == "A plain hall."
    assert "IPTC" in library.run("--again", command="diff").output


def test_a_tiff_holds_its_texts_too(library: Library) -> None:
    scan = library.add("mill-plan-scan.tif", "scan.tif")
    captioned_scan = library.add("mill-plan-scan.tif", "captioned.tif")
    lightroom(captioned_scan, "-IPTC:Caption-Abstract=Typed elsewhere")
    assert library.run().code == 0
    assert by_exiftool(scan) == by_exiftool(scan.with_name("scan.tif.xmp")) == OURS
    assert by_exiftool(captioned_scan) == [None, ALT]
    assert library.run("--yes", command="undo").code == 0
    assert scan.read_bytes() == next(PHOTOS.rglob("mill-plan-scan.tif")).read_bytes()


def test_a_packet_in_two_parts_gets_no_texts_and_all_keywords(library: Library) -> None:
    library.jpeg.write_bytes(case("extended").data)
    assert library.run().code == 0
    assert by_exiftool(library.jpeg) == [None, None]
    assert not library.carriers[2].exists() or by_exiftool(library.carriers[2]) == [None, None]
    assert b"Wheelchair" in library.jpeg.read_bytes()
    assert by_exiftool(library.companion) == OURS


def test_a_description_in_exif_is_a_persons_unless_a_camera_put_it_there(library: Library) -> None:
    lightroom(library.jpeg, "-EXIF:ImageDescription=The old boiler house")
    camera = library.add("IMG_1055.JPG", "IMG_2.JPG")
    lightroom(camera, "-EXIF:ImageDescription=OLYMPUS DIGITAL CAMERA")
    assert library.run().code == 0
    assert by_exiftool(library.jpeg) == [None, ALT]
    assert by_exiftool(library.carriers[2]) == [None, ALT]
    assert by_exiftool(camera) == OURS


def test_a_description_of_the_jpeg_of_a_pair_counts_for_the_pair(library: Library) -> None:
    lightroom(library.companion, "-EXIF:ImageDescription=The old boiler house")
    assert library.run().code == 0
    sidecar, beside, _, jpeg, _ = library.carriers
    for carrier in (sidecar, beside, jpeg):
        assert by_exiftool(carrier) == [None, ALT]
    assert by_exiftool(library.jpeg) == OURS


@pytest.mark.parametrize("name", ["photo.png", "photo.webp"])
def test_a_file_that_is_only_read_keeps_its_own_description_alone(
    library: Library, name: str
) -> None:
    bare, captioned_photo = library.photos / name, library.photos / f"captioned-{name}"
    for number, path in enumerate((bare, captioned_photo)):
        Image.radial_gradient("L").rotate(number * 30).convert("RGB").save(path)
    lightroom(captioned_photo, "-XMP-dc:Description=Typed in Lightroom")
    assert library.run().code == 0
    assert by_exiftool(bare.with_name(f"{name}.xmp")) == OURS
    sidecar = captioned_photo.with_name(f"captioned-{name}.xmp")
    assert by_exiftool(sidecar) == [None, None]
    assert b"Wheelchair" in sidecar.read_bytes()
