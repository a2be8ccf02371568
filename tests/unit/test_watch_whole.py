"""A file that is cut off anywhere is not whole; one that is complete is, whatever follows it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from look_files import jpeg_bytes, noise, tiff_raw
from urbexmp.adapters.inspect.whole import is_whole

PACKET = (
    '<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)


def saved(form: str) -> bytes:
    out = io.BytesIO()
    noise(64, 48).save(out, form)
    return out.getvalue()


FILES = {
    "a.jpg": jpeg_bytes(noise(64, 48)),
    "a.png": saved("PNG"),
    "a.webp": saved("WEBP"),
    "a.tif": saved("TIFF"),
    "a.nef": tiff_raw((jpeg_bytes(),)),
    "a.xmp": PACKET.encode(),
    "b.xmp": PACKET.encode("utf-16"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.mark.parametrize("name", FILES)
def test_a_complete_file_is_whole(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(FILES[name])
    assert is_whole(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.xmp", "b.xmp"])
@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.97))
def test_a_file_that_is_cut_off_is_not(folder: Path, name: str, share: float) -> None:
    path = folder / f"cut-{name}"
    data = FILES[name]
    path.write_bytes(data[: int(len(data) * min(share, 0.75 if name.endswith("xmp") else 1))])
    assert not is_whole(path)


def test_a_raw_whose_picture_lies_behind_its_end_is_not(folder: Path) -> None:
    path = folder / "cut.nef"
    path.write_bytes(FILES["a.nef"][:-2000])
    assert not is_whole(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.nef"])
def test_room_that_was_reserved_and_not_filled_yet_is_not(folder: Path, name: str) -> None:
    path = folder / f"zeros-{name}"
    path.write_bytes(bytes(len(FILES[name])))
    assert not is_whole(path)
    half = FILES[name][: len(FILES[name]) // 2]
    if name == "a.jpg":
        path.write_bytes(half + bytes(len(half)))
        assert not is_whole(path)


def test_what_cameras_append_behind_the_picture_does_no_harm(folder: Path) -> None:
    path = folder / "trailer.jpg"
    path.write_bytes(FILES["a.jpg"] + b"a video" * 1000)
    assert is_whole(path)


def test_an_empty_file_or_none_is_not_and_another_kind_is_told_later(folder: Path) -> None:
    path = folder / "empty.jpg"
    path.write_bytes(b"")
    assert not is_whole(path)
    assert not is_whole(folder / "absent.jpg")
    path.write_bytes(b"%PDF-1.7 and so on")
    assert is_whole(path)
