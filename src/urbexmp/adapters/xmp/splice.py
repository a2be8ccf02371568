"""A list of replacements at byte offsets, applied together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Splices:
    """Replacements that do not overlap; several insertions may share an offset."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, int, int, bytes]] = []
        """Start, rank among those at the same start, end, new bytes."""

    def __bool__(self) -> bool:
        return bool(self._parts)

    def __iter__(self) -> Iterator[tuple[int, int, bytes]]:
        for start, _, end, new in sorted(self._parts, key=lambda part: part[:2]):
            yield start, end, new

    def replace(self, start: int, end: int, new: bytes) -> None:
        """Put `new` in place of what stands from `start` to `end`."""
        self._parts.append((start, 1, end, new))

    def insert(self, at: int, new: bytes, *, first: bool = False) -> None:
        """Put `new` in at an offset; `first`: before other insertions there."""
        self._parts.append((at, -1 if first else 0, at, new))

    def extend(self, parts: Iterable[tuple[int, int, bytes]]) -> None:
        """Take replacements over."""
        for start, end, new in parts:
            self.replace(start, end, new)

    def drop(self, start: int, end: int) -> None:
        """Forget replacements within a span that will be replaced as a whole."""
        self._parts = [part for part in self._parts if part[2] <= start or part[0] >= end]

    def apply(self, raw: bytes, offset: int = 0) -> bytes:
        """Return `raw`, which begins at `offset`, with the replacements that lie in it done."""
        pieces: list[bytes] = []
        at = 0
        for start, end, new in self:
            begin, stop = start - offset, end - offset
            if begin < 0 or stop > len(raw):
                continue
            if begin < at:
                raise ValueError("overlapping replacements")
            pieces += (raw[at:begin], new)
            at = stop
        pieces.append(raw[at:])
        return b"".join(pieces)
