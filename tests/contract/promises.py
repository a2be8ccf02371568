"""What every implementation of a port promises; the real adapters and the doubles inherit it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC
from pathlib import Path

import pytest

from contract.making import (
    sidecar,
)
from urbexmp.model.errors import (
    BackupMissing,
    CarrierMoved,
    FileUnreadable,
    HardLinked,
    LibraryLocked,
    WriteFailed,
)
from urbexmp.model.ledger import LibraryLock
from urbexmp.model.photo import ABSENT, fingerprint_of
from urbexmp.model.ports import BackupStore, CarrierStore, Clock, Copies, Replacement

OLD, NEW, THIRD = b"old packet", b"new packet", b"somebody else's packet"


class StorePromises(ABC):
    """`CarrierStore`."""

    @pytest.fixture
    @abstractmethod
    def store(self) -> CarrierStore: ...

    @pytest.fixture
    @abstractmethod
    def folder(self, tmp_path: Path) -> Path: ...

    @abstractmethod
    def put(self, store: CarrierStore, path: Path, packet: bytes) -> None: ...

    @abstractmethod
    def leave_temp(self, store: CarrierStore, folder: Path) -> None: ...

    @abstractmethod
    def temps(self, store: CarrierStore, folder: Path) -> int: ...

    @abstractmethod
    def refuse(self, store: CarrierStore, path: Path) -> None: ...

    @abstractmethod
    def add_link(self, store: CarrierStore, path: Path) -> None: ...

    def test_reads_what_is_there_and_none_where_there_is_nothing(
        self, store: CarrierStore, folder: Path
    ) -> None:
        self.put(store, folder / "a.xmp", OLD)
        assert store.read(sidecar(folder / "a.xmp")) == OLD
        assert store.read(sidecar(folder / "b.xmp")) is None

    def test_replaces_the_version_it_was_told(self, store: CarrierStore, folder: Path) -> None:
        self.put(store, folder / "a.xmp", OLD)
        store.replace(sidecar(folder / "a.xmp"), NEW, fingerprint_of(OLD))
        assert store.read(sidecar(folder / "a.xmp")) == NEW
        assert self.temps(store, folder) == 0

    def test_refuses_any_other_version(self, store: CarrierStore, folder: Path) -> None:
        self.put(store, folder / "a.xmp", THIRD)
        for assumed in (fingerprint_of(OLD), ABSENT):
            with pytest.raises(CarrierMoved):
                store.replace(sidecar(folder / "a.xmp"), NEW, assumed)
        assert store.read(sidecar(folder / "a.xmp")) == THIRD
        assert self.temps(store, folder) == 0

    def test_does_not_bring_back_what_was_removed_meanwhile(
        self, store: CarrierStore, folder: Path
    ) -> None:
        with pytest.raises(CarrierMoved):
            store.replace(sidecar(folder / "a.xmp"), NEW, fingerprint_of(OLD))
        assert store.read(sidecar(folder / "a.xmp")) is None
        assert self.temps(store, folder) == 0

    def test_creates_and_removes_a_sidecar(self, store: CarrierStore, folder: Path) -> None:
        carrier = sidecar(folder / "a.xmp")
        store.replace(carrier, NEW, ABSENT)
        assert store.read(carrier) == NEW
        with pytest.raises(CarrierMoved):
            store.remove(carrier, fingerprint_of(OLD))
        assert store.read(carrier) == NEW
        store.remove(carrier, fingerprint_of(NEW))
        assert store.read(carrier) is None
        assert self.temps(store, folder) == 0

    def test_a_refused_write_leaves_everything_as_it_was(
        self, store: CarrierStore, folder: Path
    ) -> None:
        carrier = sidecar(folder / "a.xmp")
        self.put(store, carrier.path, OLD)
        self.refuse(store, carrier.path)
        with pytest.raises(WriteFailed) as caught:
            store.replace(carrier, NEW, fingerprint_of(OLD))
        assert str(carrier.path) in str(caught.value)
        with pytest.raises(WriteFailed):
            store.remove(carrier, fingerprint_of(OLD))
        assert store.read(carrier) == OLD
        assert self.temps(store, folder) == 0

    def test_refuses_a_file_with_several_names(self, store: CarrierStore, folder: Path) -> None:
        carrier = sidecar(folder / "a.xmp")
        self.put(store, carrier.path, OLD)
        self.add_link(store, carrier.path)
        with pytest.raises(HardLinked) as caught:
            store.replace(carrier, NEW, fingerprint_of(OLD))
        assert "2 names" in str(caught.value)
        assert store.read(carrier) == OLD
        assert self.temps(store, folder) == 0

    def test_many_are_each_done_or_refused_by_themselves(
        self, store: CarrierStore, folder: Path
    ) -> None:
        names = [f"{number}.xmp" for number in range(6)]
        for name in names[:5]:
            self.put(store, folder / name, OLD)
        self.put(store, folder / "1.xmp", THIRD)
        self.refuse(store, folder / "2.xmp")
        wanted = [
            Replacement(sidecar(folder / name), NEW, fingerprint_of(OLD)) for name in names[:5]
        ]
        wanted.append(Replacement(sidecar(folder / "5.xmp"), NEW, ABSENT))
        problems = store.replace_many(wanted)
        assert [type(problem) for problem in problems] == [
            type(None),
            CarrierMoved,
            WriteFailed,
            type(None),
            type(None),
            type(None),
        ]
        held = [store.read(sidecar(folder / name)) for name in names]
        assert held == [NEW, THIRD, OLD, NEW, NEW, NEW]
        assert self.temps(store, folder) == 0

    def test_tidies_what_a_killed_run_left(self, store: CarrierStore, folder: Path) -> None:
        self.put(store, folder / "a.xmp", OLD)
        assert store.tidy(folder) == 0
        self.leave_temp(store, folder)
        self.leave_temp(store, folder)
        assert self.temps(store, folder) == 2
        assert store.tidy(folder) == 2
        assert self.temps(store, folder) == 0
        assert store.read(sidecar(folder / "a.xmp")) == OLD


class BackupsPromises(ABC):
    """`Backups`."""

    @pytest.fixture
    @abstractmethod
    def backups(self, tmp_path: Path) -> BackupStore: ...

    @abstractmethod
    def damage(self, backups: BackupStore, packet: bytes) -> None: ...

    def test_gives_back_what_was_kept(self, backups: BackupStore) -> None:
        packets = (OLD, NEW, b"", bytes(range(256)) * 40)
        assert [backups.keep(packet) for packet in packets] == [fingerprint_of(p) for p in packets]
        assert [backups.fetch(fingerprint_of(packet)) for packet in packets] == list(packets)

    def test_keeps_many_and_twice(self, backups: BackupStore) -> None:
        assert backups.keep_many((OLD, NEW, OLD)) == tuple(
            fingerprint_of(packet) for packet in (OLD, NEW, OLD)
        )
        assert backups.keep(OLD) == fingerprint_of(OLD)
        assert backups.fetch(fingerprint_of(OLD)) == OLD

    def test_says_what_it_does_not_have(self, backups: BackupStore) -> None:
        with pytest.raises(BackupMissing) as caught:
            backups.fetch(fingerprint_of(OLD))
        assert fingerprint_of(OLD) in str(caught.value)

    def test_never_gives_back_damaged_bytes_and_heals_when_kept_again(
        self, backups: BackupStore
    ) -> None:
        backups.keep(OLD)
        self.damage(backups, OLD)
        with pytest.raises(BackupMissing):
            backups.fetch(fingerprint_of(OLD))
        backups.keep(OLD)
        assert backups.fetch(fingerprint_of(OLD)) == OLD

    def test_lists_what_it_has_and_gives_up_what_it_is_told_to(self, backups: BackupStore) -> None:
        assert list(backups.stored()) == []
        backups.keep_many((OLD, NEW))
        old, new = fingerprint_of(OLD), fingerprint_of(NEW)
        sizes = dict(backups.stored())
        assert set(sizes) == {old, new}
        assert all(backups.size(version) == size > 0 for version, size in sizes.items())
        assert backups.discard(old) == sizes[old]
        assert backups.discard(old) == 0
        assert (backups.size(old), list(backups.stored())) == (None, [(new, sizes[new])])
        with pytest.raises(BackupMissing):
            backups.fetch(old)
        assert backups.fetch(new) == NEW

    def test_of_many_kept_at_once_gives_back_and_gives_up_any(self, backups: BackupStore) -> None:
        packets = tuple(b"<packet n='%d'/>" % number * (number + 1) for number in range(40))
        versions = backups.keep_many((*packets, packets[3]))[:-1]
        assert versions == tuple(map(fingerprint_of, packets))
        assert {version for version, _ in backups.stored()} == set(versions)
        assert backups.discard_many((*versions[:30], versions[2], fingerprint_of(OLD))) > 0
        assert {version for version, _ in backups.stored()} == set(versions[30:])
        assert [backups.fetch(version) for version in versions[30:]] == list(packets[30:])
        for version in versions[:30]:
            assert backups.size(version) is None
            with pytest.raises(BackupMissing):
                backups.fetch(version)
        backups.keep_many(packets)
        assert [backups.fetch(version) for version in versions] == list(packets)
        assert len(list(backups.stored())) == len(packets)


class CopiesPromises(ABC):
    """`Copies`."""

    @pytest.fixture
    @abstractmethod
    def copies(self, tmp_path: Path) -> Copies: ...

    def test_keeps_a_file_whole_and_gives_it_back_elsewhere(
        self, copies: Copies, tmp_path: Path
    ) -> None:
        image, version = tmp_path / "IMG_1.JPG", fingerprint_of(OLD)
        content = bytes(range(256)) * 5000
        image.write_bytes(content)
        copies.keep(image, version)
        copies.keep(image, version)
        image.write_bytes(b"changed since")
        assert list(copies.stored()) == [(version, len(content))]
        assert copies.size(version) == len(content)
        copies.fetch_to(version, tmp_path / "back.jpg")
        assert (tmp_path / "back.jpg").read_bytes() == content
        with pytest.raises(WriteFailed):
            copies.fetch_to(version, tmp_path / "back.jpg")
        assert copies.discard(version) == len(content)
        assert copies.size(version) is None
        with pytest.raises(BackupMissing):
            copies.fetch_to(version, tmp_path / "other.jpg")
        assert not (tmp_path / "other.jpg").exists()

    def test_says_that_a_file_cannot_be_read(self, copies: Copies, tmp_path: Path) -> None:
        with pytest.raises(FileUnreadable):
            copies.keep(tmp_path / "missing.jpg", fingerprint_of(OLD))
        assert list(copies.stored()) == []


class ClockPromises(ABC):
    """`Clock`."""

    @pytest.fixture
    @abstractmethod
    def clock(self) -> Clock: ...

    def test_time_is_utc(self, clock: Clock) -> None:
        assert clock.now().tzinfo is UTC

    def test_names_never_repeat_and_sort_by_time(self, clock: Clock) -> None:
        names = [clock.fresh("w") for _ in range(2000)]
        assert len(set(names)) == len(names)
        assert names == sorted(names)
        assert all(name.startswith("w2") for name in names)
        assert not any(set(name) & set(';|,<>&" ') for name in names)


class LockPromises(ABC):
    """`LibraryLock`."""

    @abstractmethod
    def two(self, tmp_path: Path) -> tuple[LibraryLock, LibraryLock]: ...

    def test_one_writer_at_a_time(self, tmp_path: Path) -> None:
        first, second = self.two(tmp_path)
        with first, pytest.raises(LibraryLocked) as caught, second:
            pytest.fail("two writers")
        assert "process" in str(caught.value)
        with second, pytest.raises(LibraryLocked), first:
            pytest.fail("two writers")

    def test_a_refused_one_does_not_let_the_other_go(self, tmp_path: Path) -> None:
        first, second = self.two(tmp_path)
        with first:
            for _ in range(2):
                with pytest.raises(LibraryLocked), second:
                    pytest.fail("two writers")

    def test_taking_it_twice_is_refused(self, tmp_path: Path) -> None:
        first, second = self.two(tmp_path)
        with first:
            with pytest.raises(LibraryLocked), first:
                pytest.fail("taken twice")
            with pytest.raises(LibraryLocked), second:
                pytest.fail("let go by the second try")
