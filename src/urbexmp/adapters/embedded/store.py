"""Image files on disk: their envelopes read, and the files written anew with another one.

The order of a replacement is that of sidecars (`adapters.files.whole`). What is added: the temp
file is the image file with splices done to it, and before it may take effect all its bytes are
compared with the old file's, its own envelope is read and must be exactly the one asked for, and
the container looks at it as well.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from urbexmp.adapters.embedded.compare import prove_rewrite
from urbexmp.adapters.embedded.envelope import FileSource, opened, seal
from urbexmp.adapters.embedded.layout import Container, Layout, Splice
from urbexmp.adapters.embedded.rewrite import Trace, rewrite
from urbexmp.adapters.files.disk import read_problem
from urbexmp.adapters.files.whole import Begun, WholeFileStore
from urbexmp.model.errors import (
    CarrierMoved,
    FileUnreadable,
    FileVanished,
    InternalProblem,
    PacketRefused,
    Problem,
    ProofFailed,
    WriteFailed,
)
from urbexmp.model.photo import Carrier, CarrierKind, Fingerprint, fingerprint_of
from urbexmp.model.ports import Replacement

AT_ONCE = 256 * 2**20
"""Bytes of image files that wait as temp files for one sync."""

_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_AHEAD = 12 * 2**10
_MOST_AHEAD = 128 * 2**10
"""Bytes read at once from the start of a file: as many as the headers of the last one took, and
some more."""


class EmbeddedStore(WholeFileStore):
    """Implements `ports.CarrierStore` for packets inside image files.

    `read` gives an envelope, also where the file has no packet yet, so an embedded carrier is
    never absent: what it can become is decided from what stands in it now.
    """

    def __init__(
        self, containers: Sequence[Container], step: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(step)
        self._containers = tuple(containers)
        self._looked: dict[Path, _Looked] = {}
        self._ahead = _AHEAD

    def path_of(self, carrier: Carrier) -> Path:
        """Path of the image file. Raises `InternalProblem` for a sidecar."""
        if carrier.kind is not CarrierKind.EMBEDDED:
            raise InternalProblem(carrier.path, detail=f"no image file: {carrier.kind.value}")
        return carrier.path

    def read(self, carrier: Carrier) -> bytes:
        """The file's envelope. Reads headers and the packet only, whatever the file's size.

        Raises `FileUnreadable`, `FileVanished`, and `PacketRefused` (`no-container`, ...) for
        what is no file of a format that packets are written into.
        """
        path = self.path_of(carrier)
        handle, size = _opened(path)
        try:
            usual = self._usual(handle, size)
            return usual or self._sealed(FileSource(handle, path), path)
        finally:
            os.close(handle)

    def _usual(self, handle: int, size: int) -> bytes | None:
        """The envelope of a file that is like most of its format; None: it has to be looked at."""
        try:
            head = os.read(handle, self._ahead)
            container = self._beginning(head)
            made = container.usual(head, size) if container is not None else 0
            while container is not None and isinstance(made, int) and len(head) < made:
                self._ahead = min(made + _AHEAD, _MOST_AHEAD)
                more = os.read(handle, max(self._ahead - len(head), 0))
                head += more
                made = container.usual(head, size) if more else 0
        except OSError:
            return None  # who reads it again tells of it
        return made if isinstance(made, bytes) else None

    def layout(self, path: Path) -> Layout:
        """What the file's container says of it. Raises as `read`."""
        with _source(path) as source:
            return self._container(source, path).layout(source, path)

    def write(self, begun: Begun, packet: bytes) -> int:
        """Write the temp file: the old one, with what lies between the two envelopes done to it.

        Raises `CarrierMoved`, `PacketRefused`, `ProofFailed`.
        """
        path, target = begun.path, begun.target
        container, wanted, _, _ = opened(packet, path, self._containers)
        with _source(target) as source:
            now = self._envelope(source, path)
            if fingerprint_of(now) != begun.assumes:
                raise CarrierMoved(path)
            _, known, _, _ = opened(now, path, self._containers)
            self._looked[begun.temp] = tuple(zip(known.starts, known.pieces, strict=True))
            splices = container.towards(known, wanted, path)
            trace = Trace()
            handle = rewrite(target, splices, begun.temp, trace)
            try:
                prove_rewrite(target, begun.temp, splices, trace)
                self._prove_read_back(begun, packet, container, source, splices)
            except BaseException:
                os.close(handle)
                raise
        return handle

    def compare(self, begun: Begun) -> None:
        """Raise `CarrierMoved` unless the file still is the one that was copied.

        The bytes that its envelope was made of are read again, and so is the version of the file:
        its picture may have changed, and that is not in the envelope.
        """
        like, looked = begun.like, self._looked.get(begun.temp)
        try:
            with _regular(begun.target) as handle:
                same = looked is not None and _holds(handle, looked)
                found = os.fstat(handle)
        except FileVanished:
            raise CarrierMoved(begun.path) from None
        except OSError as failure:
            raise read_problem(begun.path, failure) from failure
        if like is None or not same or _version(found) != _version(like):
            raise CarrierMoved(begun.path)

    def _end(self, begun: Begun) -> None:
        super()._end(begun)
        self._looked.pop(begun.temp, None)

    def replace_many(self, wanted: Sequence[Replacement]) -> tuple[Problem | None, ...]:
        """`replace` for many, in batches that take no more than `AT_ONCE` bytes of the disk."""
        problems: list[Problem | None] = []
        batch: list[Replacement] = []
        room = AT_ONCE
        for item in wanted:
            size = _size(item.carrier.path)
            if batch and size > room:
                problems += super().replace_many(batch)
                batch, room = [], AT_ONCE
            batch.append(item)
            room -= size
        return (*problems, *super().replace_many(batch))

    def remove(self, carrier: Carrier, assumes: Fingerprint) -> None:
        """Never: an image file is not ours to remove. Raises `WriteFailed`."""
        raise WriteFailed(self.path_of(carrier), "it is an image file", "Run the command again")

    def _prove_read_back(
        self,
        begun: Begun,
        packet: bytes,
        container: Container,
        source: FileSource,
        splices: tuple[Splice, ...],
    ) -> None:
        """Raise `ProofFailed` unless the temp file is read as what was asked for."""
        with _source(begun.temp) as written:
            try:
                fault = container.check(source, written, splices)
                if fault is None and self._envelope(written, begun.path) != packet:
                    fault = "it would not be read back as it was written"
            except PacketRefused as refused:
                fault = refused.sentences[0]
        if fault is not None:
            raise ProofFailed(begun.path, detail=fault)

    def _container(self, source: FileSource, path: Path) -> Container:
        container = self._beginning(source.view(0, 16))
        if container is None:
            raise PacketRefused(
                path, "it is no JPEG, TIFF or DNG", "no-container", "Give it the right extension"
            )
        return container

    def _beginning(self, head: bytes) -> Container | None:
        """The container of files that begin like that; None: there is none."""
        for container in self._containers:
            if head.startswith(container.begins):
                return container
        return None

    def _envelope(self, source: FileSource, path: Path) -> bytes:
        """The envelope, made of what was read when the file was opened where that is enough."""
        made = self._container(source, path).usual(source.head, source.size)
        return made if isinstance(made, bytes) else self._sealed(source, path)

    def _sealed(self, source: FileSource, path: Path) -> bytes:
        container = self._container(source, path)
        return seal(source, container, container.layout(source, path))


_Looked = tuple[tuple[int, bytes], ...]
"""Where the bytes of an envelope stand in the file, and what they are."""


def _version(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _holds(handle: int, looked: _Looked) -> bool:
    """Whether the file has those bytes: mostly at its front, so that one reading shows them all."""
    end = max((start + len(piece) for start, piece in looked), default=0)
    front = _bytes_at(handle, 0, end) if end <= _MOST_AHEAD else b""
    return all(
        (front[start : start + len(piece)] or _bytes_at(handle, start, len(piece))) == piece
        for start, piece in looked
    )


def _bytes_at(handle: int, start: int, length: int) -> bytes:
    """Bytes of the file; fewer at its end."""
    os.lseek(handle, start, os.SEEK_SET)
    data = os.read(handle, length)
    while len(data) < length and (more := os.read(handle, length - len(data))):
        data += more
    return data


@contextmanager
def _source(path: Path) -> Iterator[FileSource]:
    with _regular(path) as handle:
        yield FileSource(handle, path)


@contextmanager
def _regular(path: Path) -> Iterator[int]:
    handle, _ = _opened(path)
    try:
        yield handle
    finally:
        os.close(handle)


def _opened(path: Path) -> tuple[int, int]:
    """Handle and size of a file. Raises `FileUnreadable`, `FileVanished`."""
    try:
        handle = os.open(path, _READING)
    except (FileNotFoundError, NotADirectoryError) as failure:
        raise FileVanished(path) from failure
    except OSError as failure:
        raise read_problem(path, failure) from failure
    try:
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode):
            return handle, found.st_size
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    raise FileUnreadable(path, detail="it is no regular file")
