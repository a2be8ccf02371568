"""The contenders of `read.py`: each a process of its own that imports what it needs and no more.

python benchmarks/reading.py floor|ours FOLDER [digest]
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Keywords = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
else:
    Keywords = dict


def floor(folder: str) -> None:
    """Open, read, close."""
    for entry in os.scandir(folder):
        handle = os.open(entry.path, os.O_RDONLY)
        os.read(handle, 32768)
        os.close(handle)


def ours(folder: str) -> Keywords:
    """Read as urbexmp does."""
    import gc

    # As the command starts: what is imported stays, and need not be looked through for garbage.
    gc.disable()
    from pathlib import Path

    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.adapters.xmp.sidecar import SidecarStore
    from urbexmp.model.photo import Carrier, CarrierKind

    gc.freeze()
    gc.enable()
    codec, store, found = XmpCodec(), SidecarStore(), {}
    for entry in os.scandir(folder):
        path = Path(entry.path)
        packet = store.read(Carrier(CarrierKind.SIDECAR, path))
        assert packet is not None
        fields = codec.read(packet, path).fields
        found[entry.name] = fields.flat or (), fields.hierarchical or ()
    return found


def digest(found: Keywords) -> str:
    """One digest of all keywords of all files."""
    import hashlib
    import json

    text = json.dumps(sorted((name, sorted(a), sorted(b)) for name, (a, b) in found.items()))
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    if sys.argv[1] == "floor":
        floor(sys.argv[2])
    else:
        read = ours(sys.argv[2])
        if len(sys.argv) > 3:
            print(digest(read))
