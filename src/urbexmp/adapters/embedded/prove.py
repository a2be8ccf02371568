"""The proof of what stands beside a packet: the IPTC block before and after.

Shares no code with the editor: it looks for the resources by their signature in the kept bytes of
two envelopes.
"""

from __future__ import annotations

import hashlib
import re

from urbexmp.adapters.embedded.prove_iim import prove_keywords
from urbexmp.adapters.embedded.prove_tiff import prove_tiff_beside

_RESOURCE = re.compile(rb"8BIM(\x04\x04|\x04\x25)")


def prove_beside(before: bytes, after: bytes, words: tuple[str, ...] | None) -> str | None:
    """What is wrong with the IPTC block of an edited envelope; None when nothing is.

    `words`: what its keywords should be, None where it must not have changed.
    """
    if b'"container": "tiff"' in before.partition(b"\n")[2].partition(b"\n")[0]:
        return prove_tiff_beside(before, after, words)
    old, new = _resources(before), _resources(after)
    if words is None or old == new:
        return None if old == new else "the IPTC block would change"
    if [kind for kind, _ in old] != [kind for kind, _ in new]:
        return "there would be more or fewer Photoshop resources than before"
    block = next((data for kind, data in new if kind == b"\x04\x04"), None)
    was = next((data for kind, data in old if kind == b"\x04\x04"), None)
    digest = next((data for kind, data in new if kind == b"\x04\x25"), None)
    if block is None or was is None:
        return "the IPTC block is not where it should be"
    if digest != hashlib.md5(block, usedforsecurity=False).digest():
        return "the IPTC digest would not fit the block"
    if block == was:
        return None
    return prove_keywords(was, block, words)


def _resources(envelope: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    for match in _RESOURCE.finditer(envelope):
        at = match.end()
        name = envelope[at] + 1 if at < len(envelope) else 1
        at += name + name % 2
        size = int.from_bytes(envelope[at : at + 4], "big")
        found.append((match[1], envelope[at + 4 : at + 4 + size]))
    return found
