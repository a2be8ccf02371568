"""Sidecars on disk: the file is the packet, replaced whole or not at all (`adapters.files`)."""

from __future__ import annotations

from pathlib import Path

from urbexmp.adapters.files.disk import read_packet, sync_folder, write_temp
from urbexmp.adapters.files.whole import Begun, WholeFileStore, explained, writable
from urbexmp.model.errors import CarrierMoved, InternalProblem, WriteFailed
from urbexmp.model.photo import Carrier, CarrierKind, Fingerprint, fingerprint_of


class SidecarStore(WholeFileStore):
    """Implements `ports.CarrierStore` for sidecars. Not thread-safe in writing; one writer does."""

    def path_of(self, carrier: Carrier) -> Path:
        """Path of a sidecar. Raises `InternalProblem` for a packet inside an image file."""
        if carrier.kind is not CarrierKind.SIDECAR:
            raise InternalProblem(carrier.path, detail=f"no sidecar: {carrier.kind.value}")
        return carrier.path

    def read(self, carrier: Carrier) -> bytes | None:
        """The sidecar's bytes, None when there is none.

        Raises `FileUnreadable`, and `FileVanished` when the whole folder is gone.
        """
        return read_packet(self.path_of(carrier))

    def write(self, begun: Begun, packet: bytes) -> int:
        """The temp file is the packet, and nothing else."""
        return write_temp(begun.temp, packet, begun.like, begun.target)

    def compare(self, begun: Begun) -> None:
        """Raise `CarrierMoved` unless the sidecar still is the version assumed."""
        if fingerprint_of(read_packet(begun.target)) != begun.assumes:
            raise CarrierMoved(begun.path)

    def remove(self, carrier: Carrier, assumes: Fingerprint) -> None:
        """Remove a sidecar that we created. Raises as `replace`."""
        path = self.path_of(carrier)
        with explained(path):
            if path.is_symlink():
                raise WriteFailed(
                    path, "it is a symbolic link", "Remove it by hand if it is no longer wanted"
                )
            writable(path, path)
            if fingerprint_of(read_packet(path)) != assumes:
                raise CarrierMoved(path)
            self._step("checked")
            path.unlink()
            self._step("done")
            sync_folder(path.parent)
            self._step("durable")
