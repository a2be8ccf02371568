"""The proof that of an IPTC block nothing but the keywords has changed.

Shares no code with the editor: it takes datasets apart for itself.
"""

from __future__ import annotations


def prove_keywords(
    was: bytes, block: bytes, words: tuple[str, ...], *, filled: bool = False
) -> str | None:
    """What is wrong with a block that was `was` and should hold `words`; None when nothing is.

    `filled`: up to three zeros behind it fill its last number, and are no part of it.
    """
    sets, rest = _datasets(block)
    former, former_rest = _datasets(was)
    if filled and max(len(rest), len(former_rest)) < 4:
        rest, former_rest = rest.strip(b"\0"), former_rest.strip(b"\0")
    if rest != former_rest or _others(sets) != _others(former):
        return "more than the keywords of the IPTC block would change"
    found = [value for kind, value in sets if kind == b"\x02\x19"]
    wanted = {_cut(word) for word in words} - {b""}
    if {_cut(value.decode("utf-8", "replace")) for value in found} - {b""} != wanted:
        return "the IPTC keywords would not be the packet's"
    return None


def _datasets(block: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    sets = []
    rest = block
    while rest[:1] == b"\x1c" and len(rest) >= 5:
        kind, size, head = rest[1:3], int.from_bytes(rest[3:5], "big"), 5
        if size >= 0x8000:
            head = 5 + size - 0x8000
            size = int.from_bytes(rest[5:head], "big")
        if head + size > len(rest):
            break
        sets.append((kind, rest[head : head + size]))
        rest = rest[head + size :]
    return sets, rest


def _others(sets: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [each for each in sets if each[0] != b"\x02\x19"]


def _cut(word: str) -> bytes:
    raw = word.rstrip("\0").encode("utf-8", "replace")
    while len(raw) > 64:
        word = word[:-1]
        raw = word.encode("utf-8", "replace")
    return raw
