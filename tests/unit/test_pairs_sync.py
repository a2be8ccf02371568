"""Whole runs over photos with a packet inside them, by the commands that a person uses."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import embed_cases
import embed_files
from embed_tiff_files import (
    BYTE,
    LONG,
    SHORT,
    SUB_IFDS,
    Data,
    Ifd,
    build,
    picture,
    with_camera,
)
from unit.front_examples import clean_home  # noqa: F401  (a fixture)
from urbexmp.cli.main import run
from urbexmp.model.change import PacketEdit
from urbexmp.model.photo import Carrier, CarrierKind, fingerprint_of
from urbexmp.model.profile import Profile
from urbexmp.rules.fields import found_keywords
from urbexmp.wiring import open_carriers

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("clean_home")

PLACE = "Old Hospital"
"""The folder's name: the stage `place` says the same of every picture in it."""
HOSPITAL = "Urbex|Building|Healthcare|Hospital"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """One JPEG, one TIFF, one DNG, and a raw with its JPEG."""
    folder = tmp_path / "library" / PLACE
    folder.mkdir(parents=True)
    (folder / "IMG_1.jpg").write_bytes(embed_files.jpeg(embed_files.exif()))
    (folder / "IMG_2.tif").write_bytes(build(with_camera(picture())).content)
    (folder / "IMG_3.dng").write_bytes(dng())
    samples = Path(__file__).parents[2] / "samples/photos/2024-05-11 Riverside Paper Mill"
    shutil.copy(samples / "_DSC0413.NEF", folder / "IMG_4.NEF")
    shutil.copy(samples / "_DSC0413.JPG", folder / "IMG_4.JPG")
    return tmp_path / "library"


def dng() -> bytes:
    """A DNG with a preview that can be decoded, and sensor data that nobody looks at."""
    stream = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(stream, "JPEG")
    preview = Ifd()
    for tag, kind, values in (
        (254, LONG, [1]), (256, SHORT, [256]), (257, SHORT, [256]), (258, SHORT, [8, 8, 8]),
        (259, SHORT, [7]), (262, SHORT, [6]), (273, LONG, [Data(stream.getvalue())]),
        (277, SHORT, [3]), (278, SHORT, [256]), (279, LONG, [len(stream.getvalue())]),
    ):  # fmt: skip
        preview.add(tag, kind, values)
    first = with_camera(picture(3))
    first.add(254, LONG, [0])
    first.add(SUB_IFDS, LONG, [preview])
    first.add(50706, BYTE, b"\1\4\0\0")
    return build(first).content


def sync(library: Path, *words: str) -> int:
    return run(["sync", str(library), "--quiet", *words])


def events(capsys: Capture, *words: object) -> list[dict[str, Any]]:
    capsys.readouterr()
    code = run([str(word) for word in (*words, "--json")])
    lines = capsys.readouterr().out.splitlines()
    assert code in (0, 3), lines
    return [json.loads(line) for line in lines]


def end(capsys: Capture, *words: object) -> dict[str, Any]:
    return next(event for event in events(capsys, *words) if event["event"] == "end")


def keywords(path: Path) -> set[str]:
    store, codec = open_carriers(Profile())
    kind = CarrierKind.SIDECAR if path.suffix == ".xmp" else CarrierKind.EMBEDDED
    packet = store.read(Carrier(kind, path))
    if packet is None:
        return set()
    return set(map(str, found_keywords(codec.read(packet, path).fields)))


def image_edit(path: Path, *, remove: tuple[str, ...] = (), add: tuple[str, ...] = ()) -> None:
    """As another program does it that keeps our block."""
    store, codec = open_carriers(Profile())
    carrier = Carrier(CarrierKind.EMBEDDED, path)
    packet = store.read(carrier)
    assert packet is not None
    edit = PacketEdit(hierarchical_add=add, hierarchical_remove=remove)
    store.replace(carrier, codec.edit(packet, edit, path), fingerprint_of(packet))


def numbers(library: Path) -> dict[str, tuple[int, int, int, int]]:
    """Everything of a file that a write changes: size, times of content and of the rest, inode."""
    found = {}
    for path in sorted(library.rglob("*.*")):
        stat = path.stat()
        found[path.name] = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    return found


def test_all_carriers_hold_the_same_and_our_own_write_does_not_wake_the_next_run(
    library: Path, capsys: Capture
) -> None:
    first = end(capsys, "sync", library, "--pairs", "both")
    assert (first["changed"], first["failed"], first["lightroom_blind"]) == (4, 0, 0)
    folder = library / PLACE
    for name in ("IMG_1.jpg", "IMG_2.tif", "IMG_3.dng", "IMG_4.JPG"):
        assert HOSPITAL in keywords(folder / name)
        assert keywords(folder / name) == keywords(folder / f"{name}.xmp")
    assert keywords(folder / "IMG_4.xmp") == keywords(folder / "IMG_4.JPG")
    before = numbers(library)
    again = events(capsys, "sync", library, "--pairs", "both")
    assert again[0]["total"] == 0, "no photo was taken up"
    assert numbers(library) == before


@pytest.mark.parametrize("words", [(), ("--embed", "never"), ("--pairs", "both")])
def test_the_mirror_follows_what_was_written_into_images_and_what_was_spared(
    library: Path, words: tuple[str, ...]
) -> None:
    signed = library / PLACE / "signed.jpg"
    signed.write_bytes(next(each.data for each in embed_cases.cases() if each.signed))
    (library / PLACE / "twice.jpg").write_bytes(embed_cases.case("two-packets").data)
    sync(library, *words)
    assert run(["mirror", "check", str(library), *words]) == 0
    image_edit(library / PLACE / "IMG_2.tif", add=("Mine|Attic",))
    sync(library, *words)
    assert run(["mirror", "check", str(library), *words]) == 0


def test_the_photo_keeps_its_id_so_no_stage_looks_again(library: Path, capsys: Capture) -> None:
    sync(library)
    planned_anew = end(capsys, "sync", library, "--threshold", "0.55")
    assert planned_anew["stage_looks"] == {}
    assert planned_anew["changed"] == 0
    folder = library / PLACE
    (folder / "IMG_1.jpg").rename(folder / "renamed.jpg")
    (folder / "IMG_1.jpg.xmp").rename(folder / "renamed.jpg.xmp")
    moved = end(capsys, "sync", library)
    assert (moved["stage_looks"], moved["changed"]) == ({}, 0)


def test_lightroom_edits_the_image_and_the_sidecar_follows(library: Path, capsys: Capture) -> None:
    sync(library)
    image = library / PLACE / "IMG_2.tif"
    image_edit(image, remove=(HOSPITAL,), add=("Mine|Attic",))
    done = end(capsys, "sync", library)
    assert (done["changed"], done["learned"]) == (1, 1)
    for path in (image, image.with_name("IMG_2.tif.xmp")):
        assert "Mine|Attic" in keywords(path)
        assert HOSPITAL not in keywords(path)
    assert end(capsys, "sync", library, "--retag")["changed"] == 0
    assert HOSPITAL not in keywords(image)


def test_with_the_state_lost_the_blocks_say_what_was_ours_and_what_was_refused(
    library: Path, tmp_path: Path, capsys: Capture
) -> None:
    sync(library)
    image = library / PLACE / "IMG_1.jpg"
    image_edit(image, remove=(HOSPITAL,), add=("Mine|Attic",))
    sync(library)
    shutil.rmtree(tmp_path / "state")
    image.with_name("IMG_1.jpg.xmp").unlink()  # only the image's own block is left
    assert end(capsys, "sync", library)["failed"] == 0
    assert HOSPITAL not in keywords(image)
    assert HOSPITAL in keywords(library / PLACE / "IMG_2.tif")
    rows = events(capsys, "keyword", "list", image)
    sources = {row["keyword"]: row["source"] for row in rows}
    assert (sources[HOSPITAL], sources["Mine|Attic"]) == ("vetoed", "person")
    assert sources["Urbex|View|Exterior"] == "ai"


def test_every_kind_of_jpeg_is_written_or_spared_and_comes_back_to_the_byte(
    tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "library" / PLACE
    folder.mkdir(parents=True)
    for case in embed_cases.cases():
        (folder / f"{case.name}.jpg").write_bytes(case.data)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    changes = [each for each in events(capsys, "sync", folder) if each["event"] == "change"]
    assert changes
    reasons = {spared["reason"] for each in changes for spared in each["spared"]}
    assert {"two-packets", "xmp-after-frame", "iptc-newer", "signed"} <= reasons
    for case in embed_cases.cases():
        path = folder / f"{case.name}.jpg"
        if not path.with_name(f"{path.name}.xmp").exists():
            continue  # no picture can be got out of it
        if case.refused or case.adopt or case.signed:
            assert path.read_bytes() == case.data, case.name
        else:
            assert keywords(path) == keywords(path.with_name(f"{path.name}.xmp")), case.name
            assert HOSPITAL in keywords(path), case.name
            words = {word for keyword in keywords(path) for word in keyword.split("|")}
            assert set(case.found) <= words, case.name
    assert end(capsys, "sync", folder)["changed"] == 0
    assert run(["undo", "--in", str(folder), "--yes", "--quiet"]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_packet_that_would_not_fit_spares_the_file_and_keeps_the_sidecar(
    library: Path, capsys: Capture
) -> None:
    full = embed_files.packet(more=f' xmp:Nickname="{"x" * 64_000}"', padding=0)
    image = library / PLACE / "IMG_1.jpg"
    image.write_bytes(embed_files.jpeg(embed_files.exif(), embed_files.xmp(full)))
    before = image.read_bytes()
    done = end(capsys, "sync", library)
    assert done["failed"] == 0
    assert done["blind"] == {"packet-too-large": 1}
    assert image.read_bytes() == before
    assert keywords(image.with_name("IMG_1.jpg.xmp")) >= {HOSPITAL, "Animals|Owl"}
    assert end(capsys, "sync", library)["changed"] == 0


@pytest.mark.parametrize("how", ["read-only", "hard-linked"])
def test_a_file_that_the_disk_protects_is_spared(library: Path, capsys: Capture, how: str) -> None:
    image = library / PLACE / "IMG_1.jpg"
    before = image.read_bytes()
    if how == "read-only":
        image.chmod(0o444)
    else:
        os.link(image, library / "kept.bin")
    done = end(capsys, "sync", library)
    assert (done["failed"], done["blind"]) == (0, {how: 1})
    assert image.read_bytes() == before
    assert HOSPITAL in keywords(image.with_name("IMG_1.jpg.xmp"))


def test_a_sidecar_that_cannot_be_written_leaves_the_image_alone(
    library: Path, capsys: Capture
) -> None:
    image = library / PLACE / "IMG_1.jpg"
    before = image.read_bytes()
    sidecar = image.with_name("IMG_1.jpg.xmp")
    sidecar.write_bytes(embed_files.packet(wrapper=False))
    sidecar.chmod(0o444)
    assert end(capsys, "sync", library)["failed"] == 1
    assert image.read_bytes() == before


def test_what_stands_in_a_file_that_is_only_read_is_listed(library: Path, capsys: Capture) -> None:
    image = library / PLACE / "IMG_1.jpg"
    image.write_bytes(embed_files.jpeg(embed_files.xmp(embed_files.packet())))
    rows = events(capsys, "keyword", "list", image, "--embed", "never")
    assert {row["keyword"]: row["source"] for row in rows} == {"Animals|Owl": "person"}


def test_undo_after_the_image_moved_on_takes_back_only_ours(library: Path) -> None:
    sync(library)
    image = library / PLACE / "IMG_3.dng"
    image_edit(image, add=("Mine|Attic",))
    assert run(["undo", "--in", str(library), "--yes", "--quiet"]) == 0
    assert keywords(image) == {"Mine|Attic"}
    assert keywords(library / PLACE / "IMG_1.jpg") == set()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(
    names=st.sets(st.sampled_from([case.name for case in embed_cases.cases()]), max_size=5),
    pairs=st.sampled_from(("raw", "both")),
    adopt=st.booleans(),
    insist=st.booleans(),
    full=st.booleans(),
    person=st.booleans(),
)
def test_with_embed_never_no_image_is_opened_for_writing(
    tmp_path_factory: pytest.TempPathFactory,
    names: set[str],
    pairs: str,
    adopt: bool,
    insist: bool,
    full: bool,
    person: bool,
) -> None:
    library = tmp_path_factory.mktemp("never") / "library"
    folder = library / PLACE
    folder.mkdir(parents=True)
    for name in names:
        (folder / f"{name}.jpg").write_bytes(embed_cases.case(name).data)
    (folder / "scan.tif").write_bytes(build(picture()).content)
    (folder / "shot.dng").write_bytes(dng())
    Image.radial_gradient("L").convert("RGB").save(folder / "IMG_9.JPG")
    before, contents = numbers(library), {p: p.read_bytes() for p in folder.iterdir()}
    words = ["--embed", "never", "--pairs", pairs, "--set", f"adopt_iptc={adopt}".lower()]
    words += ["--set", f"break_c2pa={insist}".lower(), "--state", str(library.parent / "state")]
    words += ["--set", f"backup={'full' if full else 'packet'}"]
    assert run(["sync", str(library), "--quiet", *words]) in (0, 3)
    if person:
        assert run(["keyword", "add", "Mine|Door", str(library), "--quiet", *words]) in (0, 3)
    assert HOSPITAL in keywords(folder / "scan.tif.xmp")
    assert run(["undo", "--in", str(library), "--yes", "--quiet", *words]) in (0, 3)
    assert {name: n for name, n in numbers(library).items() if name in before} == before
    assert {path: path.read_bytes() for path in contents} == contents
