"""The outer form of CRW, Canon's first raw format: heaps of records (CIFF 1.0).

As described in Phil Harvey's "The Canon RAW (CRW) File Format".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from urbexmp.adapters.inspect.reader import Reader

RAW_DATA, FULL_JPEG, THUMBNAIL, IMAGE_SPEC = 0x2005, 0x2007, 0x2008, 0x1810
_MOST_RECORDS = 512


@dataclass(frozen=True, slots=True)
class Ciff:
    """Where the records lie: tag to offset and length."""

    records: dict[int, tuple[int, int]]
    order: str

    def orientation(self, reader: Reader) -> int:
        """EXIF orientation from the rotation in degrees of the image record; 1 without."""
        at, size = self.records.get(IMAGE_SPEC, (0, 0))
        data = reader.at(at, 16) if size >= 16 else b""
        if len(data) < 16:
            return 1
        (degrees,) = struct.unpack(self.order + "i", data[12:16])
        return {90: 6, 180: 3, 270: 8, -90: 8}.get(degrees, 1)


def read_ciff(reader: Reader) -> Ciff | None:
    """Read a CRW's records. None: it is no CRW. Damaged heaps are left out."""
    head = reader.at(0, 14)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or head[6:14] != b"HEAPCCDR":
        return None
    (first,) = struct.unpack(order + "I", head[2:6])
    records: dict[int, tuple[int, int]] = {}
    heaps, seen = [(first, reader.size)], set[tuple[int, int]]()
    while heaps and len(seen) < 64:
        start, end = heaps.pop()
        if (start, end) in seen or end - start < 6:
            continue
        seen.add((start, end))
        pointer = reader.at(end - 4, 4)
        if len(pointer) < 4:
            continue
        table = start + struct.unpack(order + "I", pointer)[0]
        head = reader.at(table, 2)
        count = struct.unpack(order + "H", head)[0] if len(head) == 2 else 0
        for n in range(min(count, _MOST_RECORDS)):
            record = reader.at(table + 2 + n * 10, 10)
            if len(record) < 10:
                break
            tag, size, offset = struct.unpack(order + "HII", record)
            if tag & 0x4000:  # the value lies in the record itself
                continue
            kind = tag & 0x3800
            if kind in (0x2800, 0x3000):
                heaps.append((start + offset, start + offset + size))
            else:
                records.setdefault(tag & 0x3FFF, (start + offset, size))
    return Ciff(records, order)
