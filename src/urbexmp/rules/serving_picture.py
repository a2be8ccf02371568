"""Pictures as they come over HTTP: base64 or a data URL, JPEG or PNG, and how large they are.

The size is read from the header, so that a picture that would unpack to gigabytes is refused
before a decoder sees it.
"""

from __future__ import annotations

import base64
import binascii

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_NO_LENGTH = frozenset((0x01, *range(0xD0, 0xD8)))
"""JPEG markers that stand alone."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers of a frame header (ITU T.81, table B.1)."""


def picture_bytes(text: str) -> bytes:
    """The bytes of a picture given as base64 or as a data URL.

    Raises `ValueError` with a sentence when they are no JPEG or PNG.
    """
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise ValueError("the data URL is not base64")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("it is not base64") from None
    if not data.startswith((JPEG, PNG)):
        raise ValueError("it is neither a JPEG nor a PNG")
    return data


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the header of a JPEG or PNG says.

    Raises `ValueError` with a sentence when there is none.
    """
    if data.startswith(PNG):
        if len(data) < 33 or data[12:16] != b"IHDR":
            raise ValueError("it has no header")
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise ValueError("its header is damaged")
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes may stand before a marker
            at += 1
            continue
        if marker in _NO_LENGTH:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        if marker in _FRAMES and at + 9 <= len(data):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        if marker == 0xDA or length < 2:
            break
        at += 2 + length
    raise ValueError("it has no header")
