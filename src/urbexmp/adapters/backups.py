"""The bytes that we replaced, in a folder, named by their digest."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from urbexmp.model.errors import BackupMissing, StateUnwritable
from urbexmp.model.photo import Fingerprint, fingerprint_of

LEVEL = 4
"""Of gzip: a 10 KB sidecar becomes 2.5 KB, one disk block, in a tenth of a millisecond."""


class FolderBackups:
    """Implements `ports.Backups`: `FOLDER/ab/abcdef....xmp.gz`, one file a version.

    Plain gzip files, so that a person can get a packet back without us. A file that is there
    was synced before it got its name; what is in it is checked against the name on every use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, packet: bytes) -> Fingerprint:
        """Store durably; storing twice is one backup. Raises `StateUnwritable`."""
        return self.keep_many((packet,))[0]

    def keep_many(self, packets: Sequence[bytes]) -> tuple[Fingerprint, ...]:
        """`keep` for many: each file and each folder is synced once."""
        digests = tuple(fingerprint_of(packet) for packet in packets)
        with self._explained():
            folders: dict[Path, None] = {}
            for digest, packet in dict(zip(digests, packets, strict=True)).items():
                path = self._path(digest)
                # One that is there may have been named just before a power cut: its folder is
                # synced either way.
                folders[path.parent] = None
                if self._content(path) != packet:
                    self._make_folder(path.parent)
                    _write(path, gzip.compress(packet, LEVEL, mtime=0))
            for folder in folders:
                _sync_folder(folder)
        return digests

    def fetch(self, digest: Fingerprint) -> bytes:
        """Raises `BackupMissing` when absent or damaged (the digest is checked)."""
        packet = self._content(self._path(digest))
        if packet is None or fingerprint_of(packet) != digest:
            raise BackupMissing(self._folder, digest=digest)
        return packet

    def _path(self, digest: Fingerprint) -> Path:
        return self._folder / digest[:2] / f"{digest}.xmp.gz"

    def _content(self, path: Path) -> bytes | None:
        try:
            return gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error):
            # Absent, unreadable, cut short or damaged: no backup.
            return None

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            made = not self._folder.is_dir()
            folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(self._folder)
            if made:
                _sync_folder(self._folder.parent)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            raise StateUnwritable(
                self._folder, detail=failure.strerror or str(failure)
            ) from failure


def _write(path: Path, content: bytes) -> None:
    # One writer at a time, so the name can be fixed: what a kill leaves is written over when
    # the same bytes are kept again.
    temp = path.with_name(f".{path.name}.tmp")
    try:
        with temp.open("wb") as file:
            file.write(content)
            file.flush()
            _sync(file.fileno())
        temp.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temp.unlink()
        raise


def _sync(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as failure:
        if failure.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        _sync(handle)
    finally:
        os.close(handle)
