"""Doubles of the ports that have effects, and a fuse that kills at the n-th one.

They keep the same promises as the real adapters (`tests/contract` holds both to them), so a
whole run can be tried, and killed at every point, without a disk.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from urbexmp.model.errors import (
    BackupMissing,
    CarrierMoved,
    FileUnreadable,
    HardLinked,
    LibraryLocked,
    Problem,
    WriteFailed,
)
from urbexmp.model.photo import ABSENT, Carrier, Fingerprint, fingerprint_of
from urbexmp.model.ports import Replacement
from urbexmp.model.watching import Sign


class Killed(BaseException):
    """The fuse burned: stands for SIGKILL. No `except Exception` may catch it."""


class Fuse:
    """Counts the points right before and right after every effect, and kills at one of them.

    A run with n effects has 2n points, numbered from 0. A fuse set to None never burns and
    counts them.
    """

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.points = 0
        self.names: list[str] = []

    def point(self, name: str) -> None:
        """Burn here if it is time. Raises `Killed`."""
        number = self.points
        self.points += 1
        self.names.append(name)
        if number == self.at:
            raise Killed(name)

    @contextmanager
    def effect(self, name: str) -> Iterator[None]:
        """An effect: nothing of it has happened before, all of it has happened after."""
        self.point(f"before {name}")
        yield
        self.point(f"after {name}")


class MemoryStore:
    """Implements `ports.CarrierStore` on a dict."""

    def __init__(self, packets: dict[Path, bytes] | None = None, fuse: Fuse | None = None) -> None:
        self.packets = dict(packets or {})
        self.fuse = fuse or Fuse()
        self.temps: list[Path] = []
        """Folders of temp files that were not taken away: one entry a file."""
        self.links: dict[Path, int] = {}
        """Carriers with more than one name, and how many."""
        self.refusals: dict[Path, Problem] = {}
        """Carriers whose write fails, and how."""
        self.broken: dict[Path, Problem] = {}
        """Carriers that cannot be read, and how."""
        self.writes = 0
        """Carriers changed since the start."""

    def read(self, carrier: Carrier) -> bytes | None:
        """The packet's bytes, None when there is none."""
        if carrier.path in self.broken:
            raise self.broken[carrier.path]
        return self.packets.get(carrier.path)

    def replace(self, carrier: Carrier, packet: bytes, assumes: Fingerprint) -> None:
        """Put `packet` in place of the version `assumes`: a temp file, then the rename."""
        self._refuse(carrier)
        self._write_temp(carrier)
        try:
            self._compare(carrier, assumes)
        except Problem:
            self.temps.remove(carrier.path.parent)
            raise
        self._rename(carrier, packet)

    def replace_many(self, wanted: Sequence[Replacement]) -> tuple[Problem | None, ...]:
        """`replace` for many: all temp files first, then all renames."""
        problems: list[Problem | None] = [None] * len(wanted)
        begun: list[int] = []
        for number, item in enumerate(wanted):
            try:
                self._refuse(item.carrier)
            except Problem as problem:
                problems[number] = problem
                continue
            self._write_temp(item.carrier)
            begun.append(number)
        for number in begun:
            item = wanted[number]
            try:
                self._compare(item.carrier, item.assumes)
            except Problem as problem:
                problems[number] = problem
                self.temps.remove(item.carrier.path.parent)
                continue
            self._rename(item.carrier, item.packet)
        return tuple(problems)

    def remove(self, carrier: Carrier, assumes: Fingerprint) -> None:
        """Remove a sidecar."""
        self._refuse(carrier)
        self._compare(carrier, assumes)
        with self.fuse.effect(f"remove {carrier.path.name}"):
            del self.packets[carrier.path]
            self.writes += 1

    def tidy(self, folder: Path) -> int:
        """Remove temp files that a killed run left in `folder`; return how many."""
        kept = [place for place in self.temps if place != folder]
        removed = len(self.temps) - len(kept)
        self.temps = kept
        return removed

    def _refuse(self, carrier: Carrier) -> None:
        if carrier.path in self.refusals:
            raise self.refusals[carrier.path]
        if self.links.get(carrier.path, 1) > 1:
            raise HardLinked(carrier.path, links=self.links[carrier.path])

    def _compare(self, carrier: Carrier, assumes: Fingerprint) -> None:
        if fingerprint_of(self.read(carrier)) != assumes:
            raise CarrierMoved(carrier.path)
        if assumes == ABSENT and carrier.path in self.packets:
            raise CarrierMoved(carrier.path)

    def _write_temp(self, carrier: Carrier) -> None:
        with self.fuse.effect(f"temp of {carrier.path.name}"):
            self.temps.append(carrier.path.parent)

    def _rename(self, carrier: Carrier, packet: bytes) -> None:
        with self.fuse.effect(f"replace {carrier.path.name}"):
            self.temps.remove(carrier.path.parent)
            self.packets[carrier.path] = packet
            self.writes += 1


class MemoryBackups:
    """Implements `ports.Backups` on a dict."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.kept: dict[Fingerprint, bytes] = {}
        self.fuse = fuse or Fuse()

    def keep(self, packet: bytes) -> Fingerprint:
        """Store; storing twice is one backup."""
        return self.keep_many((packet,))[0]

    def keep_many(self, packets: Sequence[bytes]) -> tuple[Fingerprint, ...]:
        """`keep` for many."""
        for packet in packets:
            with self.fuse.effect("backup"):
                self.kept[fingerprint_of(packet)] = packet
        return tuple(fingerprint_of(packet) for packet in packets)

    def fetch(self, digest: Fingerprint) -> bytes:
        """Raises `BackupMissing` when absent or damaged."""
        packet = self.kept.get(digest)
        if packet is None or fingerprint_of(packet) != digest:
            raise BackupMissing("backups", digest=digest)
        return packet

    def stored(self) -> Iterator[tuple[Fingerprint, int]]:
        """Every version that is kept, and its size."""
        for version, packet in self.kept.items():
            yield version, len(packet)

    def size(self, version: Fingerprint) -> int | None:
        """Bytes that one version takes; None: it is not kept."""
        packet = self.kept.get(version)
        return None if packet is None else len(packet)

    def discard(self, version: Fingerprint) -> int:
        """Give a version up; return its bytes."""
        with self.fuse.effect("discard"):
            return len(self.kept.pop(version, b""))

    def discard_many(self, versions: Iterable[Fingerprint]) -> int:
        """`discard` for many."""
        return sum(self.discard(version) for version in versions)


class MemoryCopies:
    """Implements `ports.Copies` on a dict; the files themselves are real."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.kept: dict[Fingerprint, bytes] = {}
        self.fuse = fuse or Fuse()

    def keep(self, source: Path, version: Fingerprint) -> None:
        """Keep a copy of the file."""
        try:
            content = source.read_bytes()
        except OSError as failure:
            raise FileUnreadable(source, detail=failure.strerror or str(failure)) from failure
        with self.fuse.effect("copy"):
            self.kept.setdefault(version, content)

    def fetch_to(self, version: Fingerprint, target: Path) -> None:
        """Copy a kept file to `target`, which must not exist."""
        if version not in self.kept:
            raise BackupMissing("copies", digest=version)
        if target.exists():
            raise WriteFailed(target, "there is such a file already")
        target.write_bytes(self.kept[version])

    def stored(self) -> Iterator[tuple[Fingerprint, int]]:
        """Every version that is kept, and its size."""
        for version, content in self.kept.items():
            yield version, len(content)

    def size(self, version: Fingerprint) -> int | None:
        """Bytes that one version takes; None: it is not kept."""
        content = self.kept.get(version)
        return None if content is None else len(content)

    def discard(self, version: Fingerprint) -> int:
        """Give a version up; return its bytes."""
        return len(self.kept.pop(version, b""))


class MemoryLock:
    """Implements `ports.LibraryLock` among the locks that share one `holders` list."""

    def __init__(self, holders: list[int] | None = None) -> None:
        self._holders = holders if holders is not None else []
        self._mine = False

    def __enter__(self) -> MemoryLock:
        """Raises `LibraryLocked`."""
        if self._holders:
            raise LibraryLocked("library", pid=self._holders[0])
        self._holders.append(os.getpid())
        self._mine = True
        return self

    def __exit__(self, *exc: object) -> None:
        """Let the library go."""
        if self._mine:
            self._holders.clear()
            self._mine = False


class MemoryClock:
    """Implements `ports.Clock`: every question is one second later than the one before."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._given = 0

    def now(self) -> datetime:
        """Aware, UTC."""
        self._now += timedelta(seconds=1)
        return self._now

    def fresh(self, prefix: str) -> str:
        """A name that was never given before, sortable by time."""
        self._given += 1
        return f"{prefix}{self._now:%Y%m%d-%H%M%S}-{self._given:04x}"


class MemoryEvents:
    """Implements `watching.Events` on a script: what each wait tells, and how long it takes."""

    def __init__(self, passes: Callable[[float], None]) -> None:
        """`passes` lets so many seconds go by."""
        self._passes = passes
        self.roots: tuple[Path, ...] = ()
        self.silent: set[Path] = set()
        """Roots for which no hints come."""
        self.coming: deque[tuple[float, Sign]] = deque()
        """Seconds that go by before each sign is told, counted from the one before."""

    def watch(self, roots: Sequence[Path]) -> tuple[str, ...]:
        """Begin to listen."""
        self.roots = tuple(roots)
        return tuple(f"{root}: silent." for root in roots if root in self.silent)

    def deaf(self, root: Path) -> bool:
        """Whether no hints come for a root."""
        return root in self.silent

    def wait(self, seconds: float) -> Sequence[Sign]:
        """The next sign, if it comes within so many seconds."""
        if self.coming and self.coming[0][0] <= seconds:
            after, sign = self.coming.popleft()
            self._passes(after)
            return (sign,)
        if self.coming:
            after, sign = self.coming.popleft()
            self.coming.appendleft((after - seconds, sign))
        self._passes(seconds)
        return ()

    def close(self) -> None:
        """Stop listening."""
        self.roots = ()
