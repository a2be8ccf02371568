"""Photoshop image resources: a JPEG's APP13 and a TIFF's tag 34377 are made of them.

Layout (Adobe Photoshop File Formats Specification, "Image Resource Blocks"): a signature of four
bytes, the id in two, a name as length and bytes padded to even, the data's length in four, the
data padded to even. The IPTC block is resource 0x0404, its digest 0x0425.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from urbexmp.adapters.embedded import iim
from urbexmp.adapters.embedded.layout import IptcState

IPTC, DIGEST = 0x0404, 0x0425
_SIGNATURES = (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR")


@dataclass(frozen=True, slots=True)
class Resource:
    """One image resource as it stands."""

    id: int
    head: bytes
    """Signature, id and name."""
    data: bytes
    pad: bytes

    def __bytes__(self) -> bytes:
        return self.head + len(self.data).to_bytes(4, "big") + self.data + self.pad

    def holding(self, data: bytes) -> Resource:
        """The same resource with other data."""
        return replace(self, data=data, pad=b"\0" if len(data) % 2 else b"")


@dataclass(frozen=True, slots=True)
class Resources:
    """All image resources of one place."""

    items: tuple[Resource, ...]
    tail: bytes
    """What is left when no more resources can be read."""

    def __bytes__(self) -> bytes:
        """As parsed, but for what was replaced."""
        return b"".join(map(bytes, self.items)) + self.tail

    def data(self, wanted: int) -> bytes | None:
        """Data of the first resource with an id."""
        return next((each.data for each in self.items if each.id == wanted), None)

    def count(self, wanted: int) -> int:
        """How many resources have an id."""
        return sum(each.id == wanted for each in self.items)

    def holding(self, wanted: int, data: bytes) -> Resources:
        """With other data in the first resource with an id, everything else as it was."""
        items = list(self.items)
        for number, each in enumerate(items):
            if each.id == wanted:
                if each.data != data:
                    items[number] = each.holding(data)
                break
        return replace(self, items=tuple(items))

    @property
    def iptc_state(self) -> IptcState:
        """What the digest says about the IPTC block in here."""
        return iim.state(self.data(IPTC), self.data(DIGEST))

    def with_iptc_keywords(self, words: tuple[str, ...]) -> Resources:
        """With `words` as the IPTC keywords and a digest that fits, where there is a block.

        Of a block that is not in UTF-8 only the digest is made to fit. Nothing is created.
        """
        block = self.data(IPTC)
        if not block:
            return self
        parsed = iim.parse(block)
        if parsed.is_utf8:
            block = bytes(iim.with_keywords(parsed, words))
        digested = self.holding(IPTC, block)
        if self.data(DIGEST) is None:
            return digested
        return digested.holding(DIGEST, iim.digest_of(block))


def parse(data: bytes) -> Resources:
    """Take resources apart; `bytes()` of the result is `data` again, whatever it holds."""
    items = []
    at = 0
    while data[at : at + 4] in _SIGNATURES and at + 12 <= len(data):
        name = data[at + 6] + 1
        head_end = at + 6 + name + (name & 1)
        start = head_end + 4
        size = int.from_bytes(data[head_end:start], "big")
        if start + size > len(data):
            break
        end = min(start + size + (size & 1), len(data))
        items.append(
            Resource(
                int.from_bytes(data[at + 4 : at + 6], "big"),
                data[at:head_end],
                data[start : start + size],
                data[start + size : end],
            )
        )
        at = end
    return Resources(tuple(items), data[at:])
