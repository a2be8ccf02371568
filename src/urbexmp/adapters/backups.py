"""The bytes that we replaced, in a folder, named by their digest.

Few at a time are a file each, `FOLDER/ab/abcdef....xmp.gz`; many are one pack,
`FOLDER/packs/....tar.gz`: a file that is made costs ten times what its bytes cost, and packets
of one library say much the same, so together they take a quarter of the room. Both are plain
files of kinds that every system unpacks, so that a person can get a packet back without us.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from urbexmp.model.errors import BackupMissing, StateUnwritable
from urbexmp.model.photo import Fingerprint, fingerprint_of

LEVEL = 4
"""Of gzip: a 10 KB sidecar becomes 2.5 KB, one disk block, in a tenth of a millisecond."""

FEW = 4
"""Below so many files, single syncs are as cheap and disturb no other program."""


PACKED = 8
"""So many new packets at once become a pack."""

LARGEST = 8 << 20
"""Bytes of packets in one pack, and `MOST` packets: to get one back, its pack is unpacked."""

MOST = 1000


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in an unpacked pack a packet is."""

    pack: str
    start: int
    size: int
    all: int
    """Bytes of all packets in that pack."""


class FolderBackups:
    """Implements `ports.BackupStore`. What is kept is checked against its digest on every use."""

    def __init__(self, folder: Path, sync_volume: Callable[[int], bool] | None = None) -> None:
        """`sync_volume` makes durable all that is on the volume of an open handle, where that
        is offered (else it returns False); it saves two syncs a file when many are kept."""
        self._folder = folder
        self._sync_volume = sync_volume or (lambda _handle: False)
        self._packs = folder / "packs"
        self._places: dict[Fingerprint, _Place] | None = None
        """What the packs hold; None: not looked at yet."""
        self._unpacked: tuple[str, bytes] = ("", b"")
        """The pack used last: who takes a run back asks for one packet after the other."""

    def keep(self, packet: bytes) -> Fingerprint:
        """Store durably; storing twice is one backup. Raises `StateUnwritable`."""
        return self.keep_many((packet,))[0]

    def keep_many(self, packets: Sequence[bytes]) -> tuple[Fingerprint, ...]:
        """`keep` for many, with one sync for all where the system offers it."""
        digests = tuple(fingerprint_of(packet) for packet in packets)
        wanted = dict(zip(digests, packets, strict=True))
        with self._explained():
            # One that is there may have been written just before a power cut, so it is synced
            # as well.
            paths: list[Path] = []
            new: dict[Fingerprint, bytes] = {}
            for digest, packet in wanted.items():
                path = self._standing(digest, packet)
                if path is None:
                    new[digest] = packet
                else:
                    paths.append(path)
            if len(new) < PACKED:
                for digest, packet in new.items():
                    path = self._path(digest)
                    _write(path, _zipped(packet))
                    paths.append(path)
            else:
                paths += [self._pack(some) for some in _portions(new)]
            self._sync(tuple(dict.fromkeys(paths)), together=len(wanted) >= FEW)
        return digests

    def fetch(self, digest: Fingerprint) -> bytes:
        """Raises `BackupMissing` when absent or damaged (the digest is checked)."""
        packet = _content(self._path(digest))
        if packet is None or fingerprint_of(packet) != digest:
            if digest not in self._looked():
                self._places = None  # another process may have packed it since
            packet = self._from_pack(digest)
        if packet is None:
            raise BackupMissing(self._folder, digest=digest)
        return packet

    def stored(self) -> Iterator[tuple[Fingerprint, int]]:
        """Every version that is kept, and the bytes it takes: of a pack, its share."""
        single = set()
        for part in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(part.iterdir()):
                version = Fingerprint(path.name.partition(".")[0])
                with contextlib.suppress(OSError):
                    size = path.stat().st_size + self._share(version)
                    single.add(version)
                    yield version, size
        for version in sorted(self._looked().keys() - single):
            yield version, self._share(version)

    def size(self, version: Fingerprint) -> int | None:
        """Bytes that one version takes; None: it is not kept."""
        packed = self._share(version) if version in self._looked() else None
        try:
            return self._path(version).stat().st_size + (packed or 0)
        except OSError:
            return packed

    def discard(self, version: Fingerprint) -> int:
        """Give a version up; return the bytes that are free again. Raises `StateUnwritable`."""
        return self.discard_many((version,))

    def discard_many(self, versions: Iterable[Fingerprint]) -> int:
        """`discard` for many: a pack is written anew once, however many of its packets go."""
        free = 0
        going: dict[str, set[Fingerprint]] = {}
        with self._explained():
            for version in versions:
                path = self._path(version)
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    size = path.stat().st_size
                    path.unlink()
                    free += size
                place = self._looked().get(version)
                if place is not None:
                    going.setdefault(place.pack, set()).add(version)
            for name, gone in going.items():
                free += self._thin(name, gone)
        return free

    # packs

    def _looked(self) -> dict[Fingerprint, _Place]:
        """What the packs hold, by what each says at its beginning."""
        if self._places is None:
            self._places = {}
            with contextlib.suppress(OSError):
                for path in sorted(self._packs.glob("*.tar.gz")):
                    self._places.update(_places(path))
        return self._places

    def _pack(self, packets: dict[Fingerprint, bytes]) -> Path:
        """Write a new pack. Its name is made of what is in it."""
        digest = hashlib.sha256("".join(packets).encode()).hexdigest()
        path = self._packs / f"{digest[:32]}.tar.gz"
        _write(path, _packed(packets))
        self._looked().update(_placed(path.name, packets))
        self._unpacked = ("", b"")
        return path

    def _from_pack(self, digest: Fingerprint) -> bytes | None:
        """A packet out of its pack; None when it is in none, or damaged."""
        place = self._looked().get(digest)
        if place is None:
            return None
        if self._unpacked[0] != place.pack:
            content = _content(self._packs / place.pack)
            if content is None:
                return None
            self._unpacked = (place.pack, content)
        packet = self._unpacked[1][place.start : place.start + place.size]
        return packet if fingerprint_of(packet) == digest else None

    def _thin(self, name: str, gone: set[Fingerprint]) -> int:
        """Write a pack anew without some of its packets; return the bytes that are free."""
        path, places = self._packs / name, self._looked()
        held = [version for version, place in places.items() if place.pack == name]
        staying = {
            version: packet
            for version in held
            if version not in gone and (packet := self._from_pack(version)) is not None
        }
        size = path.stat().st_size if path.exists() else 0
        left = 0
        if staying:
            content = _packed(staying)
            # Beside the old one, because until it is whole only that has what stays.
            fresh = path.with_suffix(".new")
            _write(fresh, content)
            _sync_path(fresh)
            fresh.replace(path)
            left = len(content)
        else:
            path.unlink(missing_ok=True)
        for version in held:
            del places[version]
        places.update(_placed(name, staying))
        self._unpacked = ("", b"")
        return size - left

    def _share(self, version: Fingerprint) -> int:
        """What a packet takes of its pack's bytes; nothing when it is in none."""
        place = self._looked().get(version)
        if place is None:
            return 0
        try:
            size = (self._packs / place.pack).stat().st_size
        except OSError:
            return 0
        return max(size * place.size // max(place.all, 1), 1)

    # files

    def _standing(self, digest: Fingerprint, packet: bytes) -> Path | None:
        """The file that holds this packet already, undamaged."""
        # A text, not a path: mostly there is no such file, and to make a path costs more than that.
        if os.path.exists(f"{self._folder}/{digest[:2]}/{digest}.xmp.gz"):  # noqa: PTH110
            path = self._path(digest)
            if _content(path) == packet:
                return path
        place = self._looked().get(digest)
        if place is not None and self._from_pack(digest) == packet:
            return self._packs / place.pack
        return None

    def _path(self, digest: Fingerprint) -> Path:
        return self._folder / digest[:2] / f"{digest}.xmp.gz"

    def _sync(self, paths: Sequence[Path], *, together: bool) -> None:
        """Make files durable, with their names and those of their folders."""
        if together:
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


def _portions(packets: dict[Fingerprint, bytes]) -> Iterator[dict[Fingerprint, bytes]]:
    """Packets in portions that each make a pack."""
    some: dict[Fingerprint, bytes] = {}
    size = 0
    for digest, packet in packets.items():
        if some and (size + len(packet) > LARGEST or len(some) >= MOST):
            yield some
            some, size = {}, 0
        some[digest] = packet
        size += len(packet)
    yield some


# A pack is a gzipped tar archive of files `DIGEST.xmp`. The gzip header has a field for whatever a
# program wants to keep there; ours says what is inside, so that need not be unpacked to know it.

_GZIP = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff"
"""Magic, deflate, with a field; no time, no system."""
_FIELD = b"Ux"
_MEMBER = struct.Struct("<32sI")
_BLOCK = 512


def _packed(packets: dict[Fingerprint, bytes]) -> bytes:
    index = b"".join(
        _MEMBER.pack(bytes.fromhex(digest), len(packet)) for digest, packet in packets.items()
    )
    field = _FIELD + struct.pack("<H", len(index)) + index
    deflate = zlib.compressobj(2, zlib.DEFLATED, -zlib.MAX_WBITS)
    parts = [_GZIP, struct.pack("<H", len(field)), field]
    check = size = 0
    for digest, packet in packets.items():
        member = b"".join((_tar_header(digest, len(packet)), packet, bytes(-len(packet) % _BLOCK)))
        check, size = zlib.crc32(member, check), size + len(member)
        parts.append(deflate.compress(member))
    end = bytes(2 * _BLOCK)
    parts += (deflate.compress(end), deflate.flush())
    parts.append(struct.pack("<II", zlib.crc32(end, check), (size + len(end)) & 0xFFFFFFFF))
    return b"".join(parts)


def _tar_header(digest: Fingerprint, size: int) -> bytes:
    """Of POSIX's ustar: name, mode, owner, size, time, checksum, kind, magic."""
    head = b"%b.xmp" % digest.encode()
    numbers = b"0000644\0" + 2 * b"0000000\0" + b"%011o\0" % size + b"00000000000\0"
    # The checksum counts its own field as blanks.
    total = sum(head) + sum(numbers) + 8 * 32 + sum(b"0ustar00")
    rest = b"%06o\0 0" % total + bytes(100) + b"ustar\x0000"
    return (head.ljust(100, b"\0") + numbers + rest).ljust(_BLOCK, b"\0")


def _placed(name: str, packets: dict[Fingerprint, bytes]) -> Iterator[tuple[Fingerprint, _Place]]:
    return _laid_out(name, [(digest, len(packet)) for digest, packet in packets.items()])


def _places(path: Path) -> Iterator[tuple[Fingerprint, _Place]]:
    """What a pack says that it holds; nothing when it cannot be read."""
    members: list[tuple[Fingerprint, int]] = []
    with contextlib.suppress(OSError, struct.error), path.open("rb") as file:
        head = file.read(16)
        if head[:4] == _GZIP[:4] and head[12:14] == _FIELD:
            (length,) = struct.unpack("<H", head[14:])
            members += [
                (Fingerprint(raw.hex()), size)
                for raw, size in _MEMBER.iter_unpack(file.read(length))
            ]
    return _laid_out(path.name, members)


def _laid_out(
    name: str, members: Sequence[tuple[Fingerprint, int]]
) -> Iterator[tuple[Fingerprint, _Place]]:
    at, whole = 0, sum(size for _, size in members)
    for digest, size in members:
        yield digest, _Place(name, at + _BLOCK, size, whole)
        at += _BLOCK + size + -size % _BLOCK


def _zipped(packet: bytes) -> bytes:
    import gzip

    return gzip.compress(packet, LEVEL, mtime=0)


def _content(path: Path) -> bytes | None:
    import gzip

    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        # Absent, unreadable, cut short or damaged: no backup.
        return None


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
