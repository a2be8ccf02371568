"""Many backups at once share one file, which any system unpacks."""

from __future__ import annotations

import contextlib
import random
import tarfile
from pathlib import Path

import pytest

from urbexmp.adapters import backups as module
from urbexmp.adapters.backups import FolderBackups
from urbexmp.model.errors import BackupMissing, StateUnwritable
from urbexmp.model.photo import fingerprint_of

PACKETS = tuple(
    b"<x>%d%b</x>" % (number, random.Random(number).randbytes(number * 37)) for number in range(30)
)


def packs(folder: Path) -> list[Path]:
    return sorted((folder / "packs").iterdir())


def test_one_archive_that_tar_reads(tmp_path: Path) -> None:
    backups = FolderBackups(tmp_path)
    versions = backups.keep_many(PACKETS)
    (pack,) = packs(tmp_path)
    with tarfile.open(pack, "r:gz") as archive:
        found = {each.name: archive.extractfile(each).read() for each in archive}  # type: ignore[union-attr]
    assert found == {
        f"{version}.xmp": packet for version, packet in zip(versions, PACKETS, strict=True)
    }
    assert sum(size for _, size in backups.stored()) <= pack.stat().st_size
    assert all(backups.size(version) == size > 0 for version, size in backups.stored())


def test_another_process_finds_them_also_when_it_looked_before(tmp_path: Path) -> None:
    early = FolderBackups(tmp_path)
    assert list(early.stored()) == []
    FolderBackups(tmp_path).keep_many(PACKETS)
    for backups in (early, FolderBackups(tmp_path)):
        assert [backups.fetch(fingerprint_of(packet)) for packet in PACKETS] == list(PACKETS)


def test_equal_bytes_are_kept_once(tmp_path: Path) -> None:
    FolderBackups(tmp_path).keep_many(PACKETS)
    backups = FolderBackups(tmp_path)
    backups.keep(PACKETS[3])
    backups.keep_many(PACKETS)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == packs(tmp_path)
    assert len(packs(tmp_path)) == 1
    few = tuple(reversed(PACKETS[:5]))
    other = FolderBackups(tmp_path / "other")
    for packet in few:
        other.keep(packet)
    other.keep_many(PACKETS)
    assert len(list(other.stored())) == len(PACKETS)


@pytest.mark.parametrize("cut", [0, 1, 15, 200, 3000, -1, -9])
def test_a_pack_that_was_cut_short_is_no_backup_and_is_made_anew(tmp_path: Path, cut: int) -> None:
    FolderBackups(tmp_path).keep_many(PACKETS)
    (pack,) = packs(tmp_path)
    pack.write_bytes(pack.read_bytes()[:cut])
    backups = FolderBackups(tmp_path)
    for packet in PACKETS:
        with pytest.raises(BackupMissing):
            backups.fetch(fingerprint_of(packet))
    backups.keep_many(PACKETS)
    again = FolderBackups(tmp_path)
    assert [again.fetch(fingerprint_of(packet)) for packet in PACKETS] == list(PACKETS)


def test_damage_never_comes_back_as_a_packet(tmp_path: Path) -> None:
    FolderBackups(tmp_path).keep_many(PACKETS)
    (pack,) = packs(tmp_path)
    whole, chance = pack.read_bytes(), random.Random(1)
    for _ in range(60):
        at = chance.randrange(len(whole))
        pack.write_bytes(
            whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :]
        )
        backups = FolderBackups(tmp_path)
        for packet in PACKETS[::7]:
            with contextlib.suppress(BackupMissing):
                assert backups.fetch(fingerprint_of(packet)) == packet


def test_what_stays_in_a_pack_survives_a_failure_to_write_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = FolderBackups(tmp_path).keep_many(PACKETS)

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_sync_path", full)
    with pytest.raises(StateUnwritable):
        FolderBackups(tmp_path).discard_many(versions[:3])
    backups = FolderBackups(tmp_path)
    assert [backups.fetch(version) for version in versions] == list(PACKETS)
    monkeypatch.undo()
    assert backups.discard_many(versions[:3]) > 0
    assert backups.discard_many(versions) > 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_large_and_many_packets_are_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 3000)
    monkeypatch.setattr(module, "MOST", 9)
    backups = FolderBackups(tmp_path)
    backups.keep_many(PACKETS)
    assert len(packs(tmp_path)) > 5
    assert [backups.fetch(fingerprint_of(packet)) for packet in PACKETS] == list(PACKETS)


def test_every_pack_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(module, "_sync_path", synced.append)
    FolderBackups(tmp_path).keep_many(PACKETS)
    assert set(synced) == {tmp_path, tmp_path / "packs", *packs(tmp_path)}
    synced.clear()
    # Not only when it is made: it may have been written just before a power cut.
    FolderBackups(tmp_path).keep_many(PACKETS)
    assert set(synced) == {tmp_path, tmp_path / "packs", *packs(tmp_path)}
