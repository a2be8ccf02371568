"""The short way of reading EXIF says what exifread says, or leaves the file to it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from look_files import jpeg_bytes, quadrants, tiff_raw, written, xmp
from urbexmp.adapters.inspect import FileInspector, exif, magic
from urbexmp.adapters.inspect.reader import opened
from urbexmp.adapters.inspect.tags import Tags
from urbexmp.adapters.inspect.usual_exif import read_usual

ASKED = {
    *("Make", "Model", "LensModel", "DateTimeOriginal", "DateTimeDigitized", "ExposureTime"),
    *("FNumber", "ISOSpeedRatings", "PhotographicSensitivity", "RecommendedExposureIndex"),
    *("ISOSpeed", "StandardOutputSensitivity", "ExposureProgram", "Flash", "SubjectDistance"),
    *("FocalLengthIn35mmFilm", "SubjectDistanceRange", "MacroMode", "Orientation"),
    *("ExifImageWidth", "ExifImageLength", "GPSLatitude", "GPSLatitudeRef", "GPSLongitude"),
    "GPSLongitudeRef",
}
"""All that capture facts are made from."""
TAGS = st.sampled_from(
    [
        *(0x10F, 0x110, 0x112, 0x829A, 0x829D, 0x8822, 0x8827, 0x8831, 0x8832, 0x8833, 0x9003),
        *(0x9004, 0x9206, 0x9209, 0xA002, 0xA003, 0xA405, 0xA40C, 0xA434, 0x9000, 0x9286, 0x100),
        0x8825,
    ]
)
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
Entry = tuple[int, int, bytes]
"""Tag, type, values."""


@st.composite
def entries(draw: st.DrawFn, tags: st.SearchStrategy[int] = TAGS) -> list[Entry]:
    found = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from([2, 2, 3, 4, 5, 10, *SIZES]))
        count = draw(st.integers(0, 5) if kind != 2 else st.integers(0, 12))
        size = SIZES[kind] * count
        raw = draw(st.binary(min_size=size, max_size=size))
        if kind == 2 and draw(st.booleans()):
            raw = bytes(byte & 0x7F for byte in raw)
        found.append((draw(tags), kind, raw))
    return found


def tiff(
    order: str, image: list[Entry], inner: list[Entry], gps: list[Entry], thumb: list[Entry]
) -> bytes:
    """A TIFF of four directories; the values of each lie behind its table."""

    def table(at: int, content: list[Entry], following: int) -> bytes:
        beyond = at + 2 + 12 * len(content) + 4
        rows, data = b"", b""
        for tag, kind, raw in content:
            count = len(raw) // SIZES[kind]
            value = raw.ljust(4, b"\0")
            if len(raw) > 4:
                value = struct.pack(order + "I", beyond + len(data))
                data += raw
            rows += struct.pack(order + "HHI", tag, kind, count) + value
        whole = struct.pack(order + "H", len(content)) + rows
        return whole + struct.pack(order + "I", following) + data

    def room(content: list[Entry]) -> int:
        return len(table(0, content, 0))

    image = [*image, (0x8769, 4, b"1234"), (0x8825, 4, b"1234")]
    first = 8
    second = first + room(image)
    third = second + room(inner)
    last = third + room(gps)
    image[-2] = (0x8769, 4, struct.pack(order + "I", second))
    image[-1] = (0x8825, 4, struct.pack(order + "I", third))
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", first)
    tables = [table(first, image, last if thumb else 0), table(second, inner, 0)]
    tables += [table(third, gps, 0), table(last, thumb, 0) if thumb else b""]
    return head + b"".join(tables)


def both(path: Path) -> tuple[Tags | None, Tags]:
    with opened(path) as reader:
        usual = read_usual(reader, magic.sniff(reader))
    said = {name: value for name, value in exif.read_exif(path).items() if name in ASKED}
    return usual, said


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from("<>"),
    entries(),
    entries(),
    entries(st.integers(0, 6)),
    st.just([]) | entries(),
    st.integers(0, 40),
)
def test_it_says_the_same_or_nothing(
    tmp_path: Path,
    order: str,
    image: list[Entry],
    inner: list[Entry],
    gps: list[Entry],
    thumb: list[Entry],
    cut: int,
) -> None:
    data = tiff(order, image, inner, gps, thumb)
    path = tmp_path / "a.tif"
    path.write_bytes(data[: len(data) - cut] if cut > 20 else data)
    usual, said = both(path)
    if usual is not None:
        assert dict(usual) == said


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jpg", jpeg_bytes(quadrants(64, 48), ifd0={0x010F: "Testcam", 0x0110: "T"})),
        ("b.nef", tiff_raw()),
        ("c.dng", tiff_raw(dng=True, order=">")),
    ],
)
def test_usual_files_are_not_left_to_exifread(tmp_path: Path, name: str, data: bytes) -> None:
    usual, said = both(written(tmp_path / name, data))
    assert usual is not None
    assert usual["Make"] == "Testcam"
    assert dict(usual) == said


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("second.jpg", jpeg_bytes(quadrants(64, 48), ifd0={0x010F: "Testcam"}, xmp=xmp(""))),
        ("macro.jpg", jpeg_bytes(quadrants(64, 48), ifd0={0x010F: "Canon", 0x0110: "IXUS"})),
        ("png.tif", b"\x89PNG\r\n\x1a\n"),
        ("twice.tif", tiff("<", [(0x10F, 2, b"A\0")] * 2, [(0x10F, 2, b"B\0")], [], [])),
        ("short.tif", tiff("<", [(0x10F, 2, b"Testcam\0")], [(0x9003, 2, b"x" * 20)], [], [])[:60]),
    ],
)
def test_odd_ones_are(tmp_path: Path, name: str, data: bytes) -> None:
    with opened(written(tmp_path / name, data)) as reader:
        assert read_usual(reader, magic.sniff(reader)) is None


def test_questions_asked_together_open_the_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.nef", tiff_raw())
    look = FileInspector()
    apart = look.photo_id(path), look.facts(path)
    opens = []
    real = magic.sniff

    def counted(reader: object) -> str:
        opens.append(reader)
        return real(reader)  # type: ignore[arg-type]

    monkeypatch.setattr(magic, "sniff", counted)
    with look.together():
        assert (look.photo_id(path), look.facts(path)) == apart
        with look.together():
            look.facts(path)
    assert len({id(reader) for reader in opens}) == 1
    path.write_bytes(tiff_raw(make="Another"))
    assert look.facts(path).make == "Another", "nothing is kept for longer"
