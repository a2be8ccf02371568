"""The bytes that we replaced, in a folder, named by their digest."""

from __future__ import annotations

import contextlib
import errno
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from urbexmp.model.errors import BackupMissing, StateUnwritable
from urbexmp.model.photo import Fingerprint, fingerprint_of

LEVEL = 4
"""Of gzip: a 10 KB sidecar becomes 2.5 KB, one disk block, in a tenth of a millisecond."""

FEW = 4
"""Below so many files, single syncs are as cheap and disturb no other program."""


class FolderBackups:
    """Implements `ports.Backups`: `FOLDER/ab/abcdef....xmp.gz`, one file a version.

    Plain gzip files, so that a person can get a packet back without us. What is in one is
    checked against its name on every use.
    """

    def __init__(self, folder: Path, sync_volume: Callable[[int], bool] | None = None) -> None:
        """`sync_volume` makes durable all that is on the volume of an open handle, where that
        is offered (else it returns False); it saves two syncs a file when many are kept."""
        self._folder = folder
        self._sync_volume = sync_volume or (lambda _handle: False)

    def keep(self, packet: bytes) -> Fingerprint:
        """Store durably; storing twice is one backup. Raises `StateUnwritable`."""
        return self.keep_many((packet,))[0]

    def keep_many(self, packets: Sequence[bytes]) -> tuple[Fingerprint, ...]:
        """`keep` for many, with one sync for all where the system offers it."""
        import gzip

        digests = tuple(fingerprint_of(packet) for packet in packets)
        paths = {
            self._path(digest): packet for digest, packet in zip(digests, packets, strict=True)
        }
        with self._explained():
            # One that is there may have been written just before a power cut, so it is synced
            # as well.
            for path, packet in paths.items():
                if self._content(path) != packet:
                    _write(path, gzip.compress(packet, LEVEL, mtime=0))
            self._sync(tuple(paths))
        return digests

    def fetch(self, digest: Fingerprint) -> bytes:
        """Raises `BackupMissing` when absent or damaged (the digest is checked)."""
        packet = self._content(self._path(digest))
        if packet is None or fingerprint_of(packet) != digest:
            raise BackupMissing(self._folder, digest=digest)
        return packet

    def stored(self) -> Iterator[tuple[Fingerprint, int]]:
        """Every version that is kept, and the bytes it takes."""
        for part in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(part.iterdir()):
                with contextlib.suppress(OSError):
                    yield Fingerprint(path.name.partition(".")[0]), path.stat().st_size

    def size(self, version: Fingerprint) -> int | None:
        """Bytes that one version takes; None: it is not kept."""
        try:
            return self._path(version).stat().st_size
        except OSError:
            return None

    def discard(self, version: Fingerprint) -> int:
        """Give a version up; return the bytes that are free again. Raises `StateUnwritable`."""
        size = self.size(version) or 0
        with self._explained():
            self._path(version).unlink(missing_ok=True)
        return size

    def _path(self, digest: Fingerprint) -> Path:
        return self._folder / digest[:2] / f"{digest}.xmp.gz"

    def _content(self, path: Path) -> bytes | None:
        import gzip

        try:
            return gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error):
            # Absent, unreadable, cut short or damaged: no backup.
            return None

    def _sync(self, paths: Sequence[Path]) -> None:
        """Make files durable, with their names and those of their folders."""
        if len(paths) >= FEW:
            handle = os.open(self._folder, os.O_RDONLY)
            try:
                if self._sync_volume(handle):
                    return
            finally:
                os.close(handle)
        for path in paths:
            _sync_path(path)
        if os.name != "nt":
            for folder in dict.fromkeys(path.parent for path in paths):
                _sync_path(folder)
            if paths:
                _sync_path(self._folder)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            raise StateUnwritable(
                self._folder, detail=failure.strerror or str(failure)
            ) from failure


def _write(path: Path, content: bytes) -> None:
    # Under its own name at once. What a power cut leaves of it does not fit its digest, and is
    # no backup; and no carrier is replaced before all of it is synced.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, flags, 0o666)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(handle, rest) :]
        finally:
            os.close(handle)
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _sync_path(path: Path) -> None:
    writable = os.O_RDONLY if path.is_dir() or os.name != "nt" else os.O_RDWR
    handle = os.open(path, writable)
    try:
        os.fsync(handle)
    except OSError as failure:
        if failure.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
