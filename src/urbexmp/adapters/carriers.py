"""All carriers of a library as one store: each kind goes to the store that knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from urbexmp.model.errors import Problem
from urbexmp.model.photo import Carrier, CarrierKind, Fingerprint
from urbexmp.model.ports import CarrierStore, Replacement


class Carriers:
    """Implements `ports.CarrierStore` for sidecars and image files together."""

    def __init__(self, sidecars: CarrierStore, images: CarrierStore) -> None:
        self._sidecars, self._images = sidecars, images
        self._stores: Mapping[CarrierKind, CarrierStore] = {
            CarrierKind.SIDECAR: sidecars,
            CarrierKind.EMBEDDED: images,
        }

    def read(self, carrier: Carrier) -> bytes | None:
        """The packet's bytes (an image file's envelope), None when there is none."""
        # Asked for every photo; a lookup by kind hashes its name in Python.
        store = self._images if carrier.kind is CarrierKind.EMBEDDED else self._sidecars
        return store.read(carrier)

    def replace(self, carrier: Carrier, packet: bytes, assumes: Fingerprint) -> None:
        """Put `packet` in place of the version `assumes`."""
        self._stores[carrier.kind].replace(carrier, packet, assumes)

    def replace_many(self, wanted: Sequence[Replacement]) -> tuple[Problem | None, ...]:
        """`replace` for many: all sidecars, then all image files.

        What cannot be done to the sidecars mostly shows before a large file is copied.
        """
        problems: list[Problem | None] = [None] * len(wanted)
        for kind, store in self._stores.items():
            numbers = [at for at, item in enumerate(wanted) if item.carrier.kind is kind]
            if not numbers:
                continue
            found = store.replace_many([wanted[at] for at in numbers])
            for at, problem in zip(numbers, found, strict=True):
                problems[at] = problem
        return tuple(problems)

    def remove(self, carrier: Carrier, assumes: Fingerprint) -> None:
        """Remove a sidecar that we created."""
        self._stores[carrier.kind].remove(carrier, assumes)

    def tidy(self, folder: Path) -> int:
        """Remove temp files that a killed run left in `folder`; return how many."""
        return sum(store.tidy(folder) for store in self._stores.values())
