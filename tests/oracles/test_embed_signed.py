"""c2pa-python signs a file; we see that it is signed, and that writing into it would void it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from embed_signing import signed, trouble
from embed_tiff_files import build, dng, packet, picture
from embed_tiff_sources import Seen, put
from urbexmp.adapters.embedded import credentials
from urbexmp.adapters.embedded.tiff import TiffContainer

pytestmark = pytest.mark.oracle


def saved(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (9, 99, 200)).save(out, kind)
    return out.getvalue()


TIFFS: dict[str, tuple[Callable[[], bytes], str]] = {
    "tiff": (lambda: saved("TIFF"), "image/tiff"),
    "tiff, other order": (lambda: build(picture(), order=">").content, "image/tiff"),
    "bigtiff": (lambda: build(picture(), big=True).content, "image/tiff"),
    "dng": (lambda: dng().content, "image/dng"),
}


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_signed_jpeg_and_png(kind: str, mime: str) -> None:
    plain = saved(kind)
    content = signed(plain, mime)
    assert trouble(content, mime) == []
    assert credentials.signed(io.BytesIO(content))
    assert not credentials.signed(io.BytesIO(plain))


@pytest.mark.parametrize("shape", TIFFS)
def test_signed_tiff(shape: str) -> None:
    make, mime = TIFFS[shape]
    plain = make()
    content = signed(plain, mime)
    assert trouble(content, mime) == []
    assert TiffContainer().layout(Seen(content), Path("photo.tif")).signed
    assert not TiffContainer().layout(Seen(plain), Path("photo.tif")).signed


@pytest.mark.parametrize("shape", TIFFS)
def test_a_write_would_void_the_signature(shape: str) -> None:
    make, mime = TIFFS[shape]
    content = signed(make(), mime)
    assert trouble(put(content, packet("Owl")), mime) != []
