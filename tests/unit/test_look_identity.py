"""Ids of photos and magic bytes: what keeps an id, what changes it, what is no photo."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from look_files import cr3, crw, jpeg_bytes, noise, quadrants, raf, tiff_raw, written
from urbexmp.adapters.inspect import FileInspector
from urbexmp.model.errors import FileVanished, NotAPhoto, Problem, Undecodable
from urbexmp.model.photo import FileStat, PhotoFile
from urbexmp.rules.formats import KINDS, extension

LOOK = FileInspector()


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def all_formats(seed: int) -> dict[str, bytes]:
    """One picture in every form that we know, by file name."""
    small, large = noise(64, 48, seed), noise(120, 90, seed)
    preview = jpeg_bytes(large)
    sensor = noise(80, 60, seed).tobytes()
    return {
        "a.jpg": jpeg_bytes(small),
        "progressive.jpg": jpeg_bytes(small, progressive=True),
        "a.tif": saved(small, "TIFF"),
        "lzw.tif": saved(small, "TIFF", compression="tiff_lzw"),
        "big.tif": saved(small, "TIFF", big_tiff=True),
        "a.dng": tiff_raw([preview], sensor=sensor, dng=True),
        "a.nef": tiff_raw([preview], sensor=sensor, order=">"),
        "a.orf": tiff_raw([preview], sensor=sensor, magic=b"IIRO"),
        "a.cr3": cr3(preview, sensor=sensor),
        "a.crw": crw(preview, sensor=sensor),
        "a.raf": raf(preview, sensor),
        "a.png": saved(small, "PNG"),
        "a.webp": saved(small, "WEBP", lossless=True),
        "a.x3f": b"FOVb" + sensor,
    }


FORMATS = sorted(all_formats(1))


@pytest.mark.parametrize("name", FORMATS)
def test_an_id_survives_renaming_and_tells_pictures_apart(tmp_path: Path, name: str) -> None:
    first = written(tmp_path / name, all_formats(1)[name])
    other = written(tmp_path / f"other-{name}", all_formats(2)[name])
    id_before = LOOK.photo_id(first)
    assert len(id_before) == 32
    assert LOOK.photo_id(other) != id_before
    moved = first.rename(tmp_path / f"moved-{name}")
    assert LOOK.photo_id(moved) == id_before


def test_ids_tell_files_apart_but_not_copies_of_one_picture(tmp_path: Path) -> None:
    ids = {n: LOOK.photo_id(written(tmp_path / n, d)) for n, d in all_formats(1).items()}
    assert ids.pop("big.tif") == ids["a.tif"]
    assert len(set(ids.values())) == len(ids)


@pytest.mark.oracle
@pytest.mark.parametrize(
    "name", ["a.jpg", "progressive.jpg", "a.tif", "lzw.tif", "a.dng", "a.nef", "a.png", "a.webp"]
)
def test_an_id_survives_what_exiftool_writes(tmp_path: Path, name: str) -> None:
    if shutil.which("exiftool") is None:
        if os.environ.get("CI"):
            pytest.fail("exiftool is missing, and must not be here")
        pytest.skip("exiftool is not installed")
    path = written(tmp_path / name, all_formats(1)[name])
    before, id_before = path.read_bytes(), LOOK.photo_id(path)
    subprocess.run(
        [
            "exiftool",
            "-q",
            "-m",
            "-overwrite_original",
            "-XMP-dc:Subject+=ruin",
            "-XMP-lr:HierarchicalSubject+=Urbex|Building|Hospital",
            f"-XMP-dc:Description={'long ' * 800}",
            "-IPTC:Keywords+=ruin",
            f"-EXIF:UserComment={'more ' * 100}",
            "-EXIF:Orientation#=6",
            str(path),
        ],
        check=True,
        capture_output=True,
    )
    assert path.read_bytes() != before
    assert LOOK.photo_id(path) == id_before


def test_what_stands_before_and_behind_the_picture_of_a_jpeg_is_not_part_of_it(
    tmp_path: Path,
) -> None:
    plain = jpeg_bytes(noise(64, 48))
    dressed = jpeg_bytes(noise(64, 48), xmp="<x/>", ifd0={0x010F: "Testcam"})
    appended = dressed + jpeg_bytes(quadrants(160, 120)) + b"trailing"
    ids = {
        LOOK.photo_id(written(tmp_path / f"{n}.jpg", data))
        for n, data in enumerate((plain, dressed, appended))
    }
    assert len(ids) == 1


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_an_avif_is_known_by_its_picture_not_by_its_metadata(tmp_path: Path) -> None:
    plain, other = saved(noise(64, 48, 1), "AVIF"), saved(noise(64, 48, 2), "AVIF")
    dressed = saved(noise(64, 48, 1), "AVIF", xmp=b"<x:xmpmeta/>" * 50, exif=tiff_raw())
    assert dressed != plain
    ids = [
        LOOK.photo_id(written(tmp_path / f"{n}.avif", data))
        for n, data in enumerate((plain, dressed, other))
    ]
    assert ids[0] == ids[1] != ids[2]


def test_large_sensor_data_is_sampled_at_both_ends(tmp_path: Path) -> None:
    sensor = bytearray(os.urandom(1 << 16) * 48)  # 3 MB
    ids = [LOOK.photo_id(written(tmp_path / "a.nef", tiff_raw(sensor=bytes(sensor))))]
    for place in (0, -1):
        sensor[place] ^= 0xFF
        ids.append(LOOK.photo_id(written(tmp_path / "a.nef", tiff_raw(sensor=bytes(sensor)))))
    ids.append(LOOK.photo_id(written(tmp_path / "a.nef", tiff_raw(sensor=bytes(sensor) + b"x"))))
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    "name", ["a.jpg", "progressive.jpg", "lzw.tif", "a.nef", "a.cr3", "a.crw", "a.png", "a.webp"]
)
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.97])
def test_a_truncated_file_has_no_id(tmp_path: Path, name: str, keep: float) -> None:
    data = all_formats(1)[name]
    path = written(tmp_path / name, data[: int(len(data) * keep)])
    with pytest.raises(Undecodable) as caught:
        LOOK.photo_id(path)
    assert "Copy it again from the card" in str(caught.value)


def test_a_tiff_cut_inside_its_picture_has_no_id(tmp_path: Path) -> None:
    data = tiff_raw(sensor=b"\x11" * 4096)
    # The directories stand behind the data, so the data is claimed longer than the file is.
    longer = data.replace((4096).to_bytes(4, "little"), (1 << 20).to_bytes(4, "little"))
    assert longer != data
    with pytest.raises(Undecodable):
        LOOK.photo_id(written(tmp_path / "a.nef", longer))


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    for ask in (LOOK.photo_id, LOOK.facts):
        with pytest.raises(FileVanished):
            ask(tmp_path / "gone.jpg")


def verified(path: Path) -> None:
    LOOK.verify(PhotoFile(path, KINDS[extension(path.name)], FileStat(0, 0, 0)))


@pytest.mark.parametrize("name", FORMATS)
def test_every_form_fits_its_extension(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name.upper(), all_formats(1)[name])
    verified(path)
    assert path.exists()


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("a.jpg", b"", "empty"),
        ("a.jpg", b"\0" * 5000, "nothing but zeros"),
        ("a.jpg", b"just text, renamed", "nothing that we know"),
        ("a.jpg", b"<!DOCTYPE html><html>login first</html>", "a web page"),
        ("a.jpg", saved(noise(8, 8), "PNG"), "a PNG"),
        ("a.cr3", jpeg_bytes(), "a JPEG"),
        ("a.nef", jpeg_bytes(), "a JPEG"),
        ("a.dng", tiff_raw(), "a TIFF without DNGVersion"),
        ("a.dng", jpeg_bytes(), "a JPEG"),
        ("a.tif", b"PK\x03\x04" + b"\0" * 60, "a ZIP archive"),
        ("a.heic", b"\0\0\0\x18ftypqt  \0\0\0\0qt  ", "a video"),
        ("a.mos", b"\0" * 5000, "nothing but zeros"),
        ("a.erf", b"%PDF-1.7", "a PDF"),
    ],
)
def test_wrong_content_is_named(tmp_path: Path, name: str, data: bytes, found: str) -> None:
    with pytest.raises(NotAPhoto) as caught:
        verified(written(tmp_path / name, data))
    assert f"is named {Path(name).suffix} but its content is {found}" in str(caught.value)


def test_old_raws_without_magic_bytes_and_dngs_named_tif_are_let_through(tmp_path: Path) -> None:
    for name, data in (
        ("a.k25", b"\x01\x02\x03strange"),
        ("a.tif", tiff_raw(dng=True)),
        ("a.gpr", tiff_raw(dng=True)),
        ("a.arw", tiff_raw()),
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1"),
    ):
        path = written(tmp_path / name, data)
        verified(path)
        assert path.exists()


SEEDS = list(all_formats(1).values())


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.sampled_from(["a.jpg", "a.nef", "a.cr3", "a.crw", "a.raf", "a.heic", "a.dng", "a.png"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
def test_damaged_files_give_an_answer_or_a_problem(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    name: str,
    flips: list[tuple[float, int]],
    keep: float,
) -> None:
    damaged = bytearray(data)
    for place, value in flips:
        # Headers are where damage hurts: half of all hits go there.
        at = int(place * 2 * 64) if place < 0.5 else int((place - 0.5) * 2 * (len(damaged) - 1))
        damaged[at] = value
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(bytes(damaged[: int(len(damaged) * keep)]))
    for ask in (verified, LOOK.photo_id, LOOK.facts):
        assert answer(ask, path) == answer(ask, path)


def answer(ask: Callable[[Path], object], path: Path) -> object:
    """What is said of a file, be it a problem; anything else that is raised fails the test."""
    try:
        return ask(path)
    except Problem as problem:
        return str(problem)
