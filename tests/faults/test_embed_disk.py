"""Image files on a real disk that misbehaves."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embed_cases import case
from embed_files import MOTION, exif, jpeg, packet, xmp
from faults.full_disk import SmallDisk, small_disk
from urbexmp.adapters.embedded import rewrite as rewriting
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.compare import prove_rewrite
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.layout import Splice
from urbexmp.adapters.embedded.rewrite import Trace, rewrite
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.files.disk import TICK_NS
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import (
    CarrierMoved,
    FileUnreadable,
    FileVanished,
    HardLinked,
    InternalProblem,
    PacketRefused,
    Problem,
    ProofFailed,
    WriteFailed,
)
from urbexmp.model.photo import ABSENT, Carrier, CarrierKind, fingerprint_of
from urbexmp.model.ports import Replacement

CONTAINERS = (JpegContainer(),)
CODEC = EmbeddedCodec(XmpCodec(), CONTAINERS)
EDIT = PacketEdit(flat_add=("Urbex",), hierarchical_add=("Urbex",))
DATA = jpeg(exif(), xmp(packet(padding=0)), trailer=MOTION * 20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "IMG_0412.JPG"
    path.write_bytes(DATA)
    return path


def embedded(path: Path) -> Carrier:
    return Carrier(CarrierKind.EMBEDDED, path)


def at(name: str, act: Callable[[], object]) -> EmbeddedStore:
    """A store that lets something happen at one step of a write, once."""
    left = [act]

    def step(here: str) -> None:
        if here == name and left:
            left.pop()()

    return EmbeddedStore(CONTAINERS, step)


def wanted_for(path: Path) -> Replacement:
    old = EmbeddedStore(CONTAINERS).read(embedded(path))
    return Replacement(embedded(path), CODEC.edit(old, EDIT, path), fingerprint_of(old))


def write(store: EmbeddedStore, path: Path) -> bytes:
    wanted = wanted_for(path)
    store.replace(wanted.carrier, wanted.packet, wanted.assumes)
    return path.read_bytes()


def refused(store: EmbeddedStore, path: Path, kind: type[Problem] = WriteFailed) -> str:
    """The write is refused, the file is as it was, and nothing else is in its folder."""
    before = sorted(path.parent.iterdir())
    data, status = path.read_bytes(), path.stat()
    with pytest.raises(kind) as caught:
        write(store, path)
    assert path.read_bytes() == data
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert sorted(path.parent.iterdir()) == before
    return str(caught.value)


def test_written_between_our_reading_and_our_rename(path: Path) -> None:
    theirs = case("padded").data
    with pytest.raises(CarrierMoved):
        write(at("synced", lambda: path.write_bytes(theirs)), path)
    assert path.read_bytes() == theirs
    assert list(path.parent.iterdir()) == [path]


def test_a_picture_that_changed_under_the_same_packet_is_not_overwritten(path: Path) -> None:
    theirs = DATA[:-1] + b"!"
    status = path.stat()

    def retouch() -> None:
        path.write_bytes(theirs)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 10))

    with pytest.raises(CarrierMoved):
        write(at("synced", retouch), path)
    assert path.read_bytes() == theirs


def test_removed_or_damaged_between_our_reading_and_our_rename(path: Path) -> None:
    with pytest.raises(CarrierMoved):
        write(at("synced", path.unlink), path)
    assert list(path.parent.iterdir()) == []
    path.write_bytes(DATA)
    with pytest.raises(CarrierMoved):
        write(at("synced", lambda: path.write_bytes(b"no photo")), path)
    assert path.read_bytes() == b"no photo"


def test_a_version_that_is_not_there_is_refused(path: Path) -> None:
    store, wanted = EmbeddedStore(CONTAINERS), wanted_for(path)
    for assumed in (fingerprint_of(wanted.packet), ABSENT):
        with pytest.raises(CarrierMoved):
            store.replace(wanted.carrier, wanted.packet, assumed)
    assert path.read_bytes() == DATA
    assert list(path.parent.iterdir()) == [path]


def test_the_envelope_of_another_file_is_refused(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jpg"
    other.write_bytes(jpeg(exif(), xmp(packet(padding=0)), trailer=bytes(9)))
    store = EmbeddedStore(CONTAINERS)
    with pytest.raises(PacketRefused) as caught:
        store.replace(embedded(path), wanted_for(other).packet, wanted_for(path).assumes)
    assert caught.value.reason == "not-the-same-file"
    assert path.read_bytes() == DATA


def test_a_read_only_file_or_folder_is_left_alone_even_by_root(path: Path) -> None:
    path.chmod(0o444)
    assert "it is read-only" in refused(EmbeddedStore(CONTAINERS), path)
    path.chmod(0o644)
    path.parent.chmod(0o555)
    try:
        assert "its folder is read-only" in refused(EmbeddedStore(CONTAINERS), path)
    finally:
        path.parent.chmod(0o755)


def test_a_file_with_several_names_is_left_alone(path: Path) -> None:
    (path.parent / "second name.jpg").hardlink_to(path)
    assert "2 names" in refused(EmbeddedStore(CONTAINERS), path, HardLinked)


def test_a_symbolic_link_is_written_through(path: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    target = away / "real.jpg"
    path.rename(target)
    path.symlink_to(target)
    assert write(EmbeddedStore(CONTAINERS), path) != DATA
    assert path.is_symlink()
    assert list(away.iterdir()) == [target]
    (away / f".real.jpg.urbexmp-{os.getpid()}-0123abcd.tmp").write_bytes(b"half")
    assert EmbeddedStore(CONTAINERS).tidy(tmp_path) == 1


def test_mode_and_owner_stay(path: Path) -> None:
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 23456)
    before = path.stat()
    write(EmbeddedStore(CONTAINERS), path)
    after = path.stat()
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


@pytest.mark.parametrize("ahead_s", [-86_400, 0, 1, 3_600])
def test_the_time_advances_on_every_volume(path: Path, ahead_s: int) -> None:
    when = path.stat().st_mtime_ns + ahead_s * 1_000_000_000
    os.utime(path, ns=(when, when))
    write(EmbeddedStore(CONTAINERS), path)
    assert path.stat().st_mtime_ns // TICK_NS > when // TICK_NS


@pytest.mark.parametrize("step", ["temp", "synced", "checked"])
def test_a_share_that_goes_away_is_said_in_plain_words(path: Path, step: str) -> None:
    def fail() -> None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    assert "its folder or volume went away" in refused(at(step, fail), path)


def test_what_is_no_photo_is_said(tmp_path: Path) -> None:
    store = EmbeddedStore(CONTAINERS)
    with pytest.raises(FileVanished):
        store.read(embedded(tmp_path / "gone.jpg"))
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    for name in ("folder.jpg", "pipe.jpg"):
        with pytest.raises(FileUnreadable):
            store.read(embedded(tmp_path / name))
    for number, data in enumerate((b"", b"\xff", b"\x89PNG\r\n\x1a\n", b"text")):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(data)
        with pytest.raises(PacketRefused) as caught:
            store.read(embedded(path))
        assert caught.value.reason == "no-container"
    with pytest.raises(InternalProblem):
        store.read(Carrier(CarrierKind.SIDECAR, path))


def test_an_image_file_is_never_removed(path: Path) -> None:
    with pytest.raises(WriteFailed):
        EmbeddedStore(CONTAINERS).remove(embedded(path), wanted_for(path).assumes)
    assert path.read_bytes() == DATA


def test_many_are_each_done_or_refused_by_themselves(path: Path, tmp_path: Path) -> None:
    paths = [path, *(tmp_path / f"{number}.jpg" for number in range(6))]
    for each in paths:
        each.write_bytes(DATA)
    wanted = [wanted_for(each) for each in paths]
    theirs = case("padded").data
    paths[2].chmod(0o444)
    paths[4].write_bytes(theirs)
    problems = EmbeddedStore(CONTAINERS).replace_many(wanted)
    kinds = {number: type(problem) for number, problem in enumerate(problems) if problem}
    assert kinds == {2: WriteFailed, 4: CarrierMoved}
    done = [number for number, each in enumerate(paths) if each.read_bytes() not in (DATA, theirs)]
    assert done == [0, 1, 3, 5, 6]
    assert len(list(tmp_path.iterdir())) == len(paths)


def test_few_wait_at_once_where_files_are_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urbexmp.adapters.embedded.store.AT_ONCE", 2 * len(DATA) + 10)
    most = 0

    def step(_name: str) -> None:
        nonlocal most
        most = max(most, len(list(tmp_path.glob(".*.tmp"))))

    paths = [tmp_path / f"{number}.jpg" for number in range(7)]
    for each in paths:
        each.write_bytes(DATA)
    store = EmbeddedStore(CONTAINERS, step)
    assert set(store.replace_many([wanted_for(each) for each in paths])) == {None}
    assert most == 2


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small") as disk:
        yield disk


def test_a_full_disk_leaves_the_file_and_no_temp_file(disk: SmallDisk) -> None:
    path = disk.folder / "a.jpg"
    path.write_bytes(DATA)
    for room in (0, 20_480, len(DATA) // 4096 * 4096):
        with disk.full(room):
            with pytest.raises(WriteFailed) as caught:
                write(EmbeddedStore(CONTAINERS), path)
            assert "Free space on its volume" in str(caught.value)
            assert path.read_bytes() == DATA
            assert {found.name for found in disk.folder.iterdir()} <= {"a.jpg", "filler"}
    assert write(EmbeddedStore(CONTAINERS), path) != DATA


# --- the copy and its proof -----------------------------------------------------------------------


SPLICES = (Splice(0, 2, b"ab"), Splice(5000, 0, b"new"), Splice(9000, 4096, b""))


@pytest.mark.parametrize("kernel", [True, False])
def test_a_copy_has_the_splices_and_nothing_else(
    path: Path, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    if not kernel:
        monkeypatch.setattr(os, "copy_file_range", unknown, raising=False)
    temp = path.with_name("copy")
    trace = Trace()
    os.close(rewrite(path, SPLICES, temp, trace))
    assert temp.read_bytes() == b"ab" + DATA[2:5000] + b"new" + DATA[5000:9000] + DATA[13096:]
    prove_rewrite(path, temp, SPLICES, trace)


@pytest.mark.parametrize("at_byte", [0, 2, 5001, 5003, 60_000, -1])
def test_the_proof_sees_every_byte(path: Path, at_byte: int) -> None:
    temp = path.with_name("copy")
    os.close(rewrite(path, SPLICES, temp))
    data = bytearray(temp.read_bytes())
    data[at_byte] ^= 1
    temp.write_bytes(data)
    with pytest.raises(ProofFailed):
        prove_rewrite(path, temp, SPLICES)


@pytest.mark.parametrize("change", [-1, 1, 5000])
def test_the_proof_sees_the_length(path: Path, change: int) -> None:
    temp = path.with_name("copy")
    os.close(rewrite(path, SPLICES, temp))
    os.truncate(temp, temp.stat().st_size + change)
    with pytest.raises(ProofFailed):
        prove_rewrite(path, temp, SPLICES)


def test_blocks_are_shared_where_they_lie_alike_and_proven_by_their_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume that shares blocks, played by copying them."""
    asked = []

    def share(
        old: int, new: int, offset: int = 0, there: int = 0, length: int | None = None
    ) -> bool:
        assert length is not None  # bytes move, so the file is not shared as a whole
        asked.append((offset, there, length))
        os.pwrite(new, os.pread(old, length, offset), there)
        return True

    monkeypatch.setattr(rewriting, "_share", share)
    source, temp = tmp_path / "a", tmp_path / "b"
    data = bytes(range(256)) * 2000 + b"end"
    source.write_bytes(data)
    splices = (Splice(100, 10, b"y" * 10), Splice(5000, 0, b"x" * 8192), Splice(300_000, 1, b""))
    trace = Trace()
    os.close(rewrite(source, splices, temp, trace))
    head = data[:100] + b"y" * 10 + data[110:5000] + b"x" * 8192
    assert temp.read_bytes() == head + data[5000:300_000] + data[300_001:]
    # From the first whole block on; behind the removed byte the blocks no longer lie alike.
    assert asked == [(8192, 16384, (300_000 - 8192) // 4096 * 4096)]
    prove_rewrite(source, temp, splices, trace)
    with pytest.raises(ProofFailed):
        prove_rewrite(source, temp, (splices[1],), trace)


def test_splices_beyond_the_file_are_no_success(path: Path) -> None:
    with pytest.raises(CarrierMoved):
        rewrite(path, (Splice(len(DATA) + 5, 0, b"x"),), path.with_name("copy"))
