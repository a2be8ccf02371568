"""The bytes around the characters: encoding, byte order mark, and a working form in UTF-8.

Everything is edited in the working form. For UTF-8 it is the file's own bytes; for UTF-16 and
UTF-32 it is their transcription, and `restore` is its exact inverse, unpaired surrogates
included (a file with such damage outside the edit keeps it).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from urbexmp.model.errors import PacketRefused

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le", 4),
    (codecs.BOM_UTF32_BE, "utf-32-be", 4),
    (codecs.BOM_UTF8, "utf-8", 1),
    (codecs.BOM_UTF16_LE, "utf-16-le", 2),
    (codecs.BOM_UTF16_BE, "utf-16-be", 2),
)
_DECLARED = re.compile(rb"""^<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_LONE = re.compile(b"\xed[\xa0-\xbf][\x80-\xbf]")
_REPLACEMENT = "\ufffd".encode()


@dataclass(frozen=True, slots=True)
class Frame:
    """How the bytes of a packet become characters, and back."""

    encoding: str
    unit: int
    """Bytes of the smallest code unit: what one blank costs in the file."""
    bom: bytes
    working: bytes
    """UTF-8 without a mark; unpaired surrogates are spelled as three bytes each."""
    rest: bytes
    """Bytes at the very end that make no whole code unit."""

    @property
    def parsable(self) -> bytes:
        """The working form with unpaired surrogates replaced; every offset is the same."""
        return self.working if self.unit == 1 else _LONE.sub(_REPLACEMENT, self.working)

    def restore(self, working: bytes) -> bytes:
        """The file's bytes for an edited working form."""
        if self.unit == 1:
            return self.bom + working
        text = working.decode("utf-8", "surrogatepass")
        return self.bom + text.encode(self.encoding, "surrogatepass") + self.rest

    def units(self, working: bytes) -> int:
        """How many blanks take as much room in the file as a piece of the working form."""
        if self.unit == 1:
            return len(working)
        text = working.decode("utf-8", "surrogatepass")
        return len(text.encode(self.encoding, "surrogatepass")) // self.unit


def frame(packet: bytes, subject: object) -> Frame:
    """Find the encoding. Raises `PacketRefused` (`empty`, `encoding`)."""
    if not packet.strip(b"\0 \t\r\n"):
        raise PacketRefused(subject, "the file is empty", "empty", advice=_EMPTY_ADVICE)
    encoding, unit, bom = _encoding(packet)
    body = packet[len(bom) :]
    rest = b""
    if unit > 1:
        whole = len(body) - len(body) % unit
        body, rest = body[:whole], body[whole:]
        try:
            body = body.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")
        except UnicodeError as failure:
            raise PacketRefused(subject, f"it is not valid {encoding.upper()}", "encoding") from (
                failure
            )
    declared = _DECLARED.match(body)
    if declared:
        said = declared.group(1).decode("ascii").lower().replace("_", "-")
        family = encoding.removesuffix("-le").removesuffix("-be")
        if said.removesuffix("-le").removesuffix("-be") not in {family, family.replace("-", "")}:
            raise PacketRefused(
                subject, f"it declares the encoding {said} but is read as {family}", "encoding"
            )
    return Frame(encoding, unit, bom, body, rest)


_EMPTY_ADVICE = "Delete it if nothing belongs there, or save the metadata again in Lightroom"


def _encoding(packet: bytes) -> tuple[str, int, bytes]:
    for bom, encoding, unit in _BOMS:
        if packet.startswith(bom):
            return encoding, unit, bom
    zeros = tuple(byte == 0 for byte in packet[:4])
    if zeros == (False, True, True, True):
        return "utf-32-le", 4, b""
    if zeros == (True, True, True, False):
        return "utf-32-be", 4, b""
    if zeros[:2] == (False, True):
        return "utf-16-le", 2, b""
    if zeros[:2] == (True, False):
        return "utf-16-be", 2, b""
    return "utf-8", 1, b""
