"""The sidecar store against a real disk that misbehaves."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.making import sidecar
from faults.full_disk import SmallDisk, small_disk
from urbexmp.adapters.files.disk import TICK_NS
from urbexmp.adapters.xmp.sidecar import SidecarStore
from urbexmp.model.errors import (
    CarrierMoved,
    FileUnreadable,
    FileVanished,
    InternalProblem,
    Problem,
    WriteFailed,
)
from urbexmp.model.photo import ABSENT, Carrier, CarrierKind, fingerprint_of
from urbexmp.model.ports import Replacement

OLD, NEW, THEIRS = b"<old/>\n", b"<new/>\n", b"<theirs/>\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "IMG_0412.xmp"
    path.write_bytes(OLD)
    return path


def at(name: str, act: Callable[[], object]) -> SidecarStore:
    """A store that lets something happen at one step of a write, once."""
    left = [act]

    def step(here: str) -> None:
        if here == name and left:
            left.pop()()

    return SidecarStore(step)


def failing(number: int) -> Callable[[], None]:
    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


def write(store: SidecarStore, path: Path, assumes: bytes | None = OLD) -> None:
    store.replace(sidecar(path), NEW, fingerprint_of(assumes))


def refused(store: SidecarStore, path: Path, kind: type[Problem] = WriteFailed) -> str:
    """The write is refused, the sidecar is as it was, and nothing else is in its folder."""
    before = sorted(path.parent.iterdir())
    status = path.stat()
    with pytest.raises(kind) as caught:
        write(store, path)
    assert path.read_bytes() == OLD
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert sorted(path.parent.iterdir()) == before
    return str(caught.value)


def test_written_between_our_reading_and_our_rename(path: Path) -> None:
    store = at("synced", lambda: path.write_bytes(THEIRS))
    with pytest.raises(CarrierMoved):
        write(store, path)
    assert path.read_bytes() == THEIRS
    assert list(path.parent.iterdir()) == [path]


def test_removed_between_our_reading_and_our_rename(path: Path) -> None:
    with pytest.raises(CarrierMoved):
        write(at("synced", path.unlink), path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("step", ["temp", "synced", "checked"])
def test_a_sidecar_that_appeared_meanwhile_is_never_overwritten(tmp_path: Path, step: str) -> None:
    path = tmp_path / "a.xmp"
    with pytest.raises(CarrierMoved):
        write(at(step, lambda: path.write_bytes(THEIRS)), path, None)
    assert path.read_bytes() == THEIRS
    assert list(tmp_path.iterdir()) == [path]


def no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_volume_without_links_still_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.xmp"
    with pytest.raises(CarrierMoved):
        write(at("checked", lambda: path.write_bytes(THEIRS)), path, None)
    assert path.read_bytes() == THEIRS
    path.unlink()
    write(SidecarStore(), path, None)
    assert path.read_bytes() == NEW
    assert list(tmp_path.iterdir()) == [path]


def test_a_read_only_sidecar_is_left_alone_even_by_root(path: Path) -> None:
    path.chmod(0o444)
    said = refused(SidecarStore(), path)
    assert "cannot be written (it is read-only). Left as it is. Make it writable" in said


def test_a_read_only_folder_is_left_alone_even_by_root(path: Path) -> None:
    path.parent.chmod(0o555)
    try:
        assert "its folder is read-only" in refused(SidecarStore(), path)
        with pytest.raises(WriteFailed):
            write(SidecarStore(), path.with_name("new.xmp"), None)
        with pytest.raises(WriteFailed):
            SidecarStore().remove(sidecar(path), fingerprint_of(OLD))
    finally:
        path.parent.chmod(0o755)
    assert list(path.parent.iterdir()) == [path]


def test_a_symbolic_link_is_written_through(path: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    target = away / "real.xmp"
    path.rename(target)
    path.symlink_to(target)
    write(SidecarStore(), path)
    assert path.is_symlink()
    assert target.read_bytes() == NEW
    assert list(away.iterdir()) == [target]
    with pytest.raises(WriteFailed):
        SidecarStore().remove(sidecar(path), fingerprint_of(NEW))
    assert target.read_bytes() == NEW


def test_a_temp_file_beside_a_links_target_is_tidied(path: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    target = away / "real.xmp"
    path.rename(target)
    path.symlink_to(target)
    (away / f".real.xmp.urbexmp-{os.getpid()}-0123abcd.tmp").write_bytes(b"half")
    assert SidecarStore().tidy(tmp_path) == 1
    assert list(away.iterdir()) == [target]


def test_a_link_to_nothing_is_not_taken_for_absence(tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileUnreadable):
        SidecarStore().read(sidecar(path))
    with pytest.raises(CarrierMoved):
        write(SidecarStore(), path, None)


def test_tidying_spares_what_is_not_ours(path: Path) -> None:
    others = (
        ".IMG_0412.xmp.tmp",
        "IMG_0412.xmp.urbexmp-1-0123abcd.tmp",
        ".urbexmp-1-0123abcd.tmp",
        f".a.xmp.urbexmp-{os.getppid()}-0123abcd.tmp",
    )
    for name in others:
        (path.parent / name).write_bytes(b"")
    assert SidecarStore().tidy(path.parent) == 0
    assert len(list(path.parent.iterdir())) == len(others) + 1
    assert SidecarStore().tidy(path.parent / "absent") == 0


def test_mode_owner_and_attributes_stay(path: Path) -> None:
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 23456)
    try:
        os.setxattr(path, "user.finder", b"red")
        marked = True
    except OSError:
        marked = False
    before = path.stat()
    write(SidecarStore(), path)
    after = path.stat()
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert not marked or os.getxattr(path, "user.finder") == b"red"


def test_a_new_sidecar_has_the_mode_that_the_person_wants(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(SidecarStore(), tmp_path / "a.xmp", None)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.xmp").stat().st_mode) == 0o640


@pytest.mark.parametrize("ahead_s", [-86_400, 0, 1, 3_600])
def test_the_time_advances_on_every_volume(path: Path, ahead_s: int) -> None:
    when = path.stat().st_mtime_ns + ahead_s * 1_000_000_000
    os.utime(path, ns=(when, when))
    store = SidecarStore()
    for packet in (NEW, OLD, NEW):
        before = path.stat().st_mtime_ns
        store.replace(sidecar(path), packet, fingerprint_of(path.read_bytes()))
        # Later even where times are kept in steps of two seconds.
        assert path.stat().st_mtime_ns // TICK_NS > before // TICK_NS


@pytest.mark.parametrize("name", ["EIO", "ESTALE", "ENOTCONN", "ENODEV"])
@pytest.mark.parametrize("step", ["temp", "synced", "checked"])
def test_a_share_that_goes_away_is_said_in_plain_words(path: Path, name: str, step: str) -> None:
    said = refused(at(step, failing(getattr(errno, name))), path)
    assert "its folder or volume went away" in said
    assert "Mount it and run again" in said


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("ENOSPC", "Free space"),
        ("EDQUOT", "Free space"),
        ("EROFS", "Mount its volume for writing"),
        ("EACCES", "Give yourself the right"),
        ("EPERM", "Give yourself the right"),
        ("EMFILE", "Check permissions and free space"),
    ],
)
def test_every_refusal_of_the_system_has_its_advice(path: Path, name: str, advice: str) -> None:
    assert advice in refused(at("temp", failing(getattr(errno, name))), path)


def test_a_folder_that_is_gone_says_nothing_about_the_sidecar(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "a.xmp"
    with pytest.raises(FileVanished):
        SidecarStore().read(sidecar(path))
    for assumes in (None, OLD):
        with pytest.raises(WriteFailed) as caught:
            write(SidecarStore(), path, assumes)
        assert "went away" in str(caught.value)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    folder, pipe = tmp_path / "a.xmp", tmp_path / "b.xmp"
    folder.mkdir()
    os.mkfifo(pipe)
    for path in (folder, pipe):
        with pytest.raises(FileUnreadable):
            SidecarStore().read(sidecar(path))
        with pytest.raises(WriteFailed):
            write(SidecarStore(), path)


def test_a_very_long_name_can_be_written(tmp_path: Path) -> None:
    for name in ("ü" * 125 + ".xmp", "x" * 251 + ".xmp"):
        path = tmp_path / name
        write(SidecarStore(), path, None)
        store = SidecarStore()
        store.replace(sidecar(path), OLD, fingerprint_of(NEW))
        assert path.read_bytes() == OLD
    assert len(list(tmp_path.iterdir())) == 2


def test_an_embedded_carrier_is_not_this_stores(path: Path) -> None:
    with pytest.raises(InternalProblem):
        SidecarStore().read(Carrier(CarrierKind.EMBEDDED, path))


def test_what_cannot_be_made_durable_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    refused(SidecarStore(), path)


def test_a_volume_that_offers_no_sync_can_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_: int) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", unknown)
    write(SidecarStore(), path)
    assert path.read_bytes() == NEW


def test_the_temp_file_is_hidden_from_photo_programs(path: Path) -> None:
    seen: list[str] = []
    write(at("synced", lambda: seen.extend(p.name for p in path.parent.iterdir())), path)
    (temp,) = (name for name in seen if name != path.name)
    assert temp.startswith(".")
    assert temp.endswith(".tmp")


def test_a_person_who_interrupts_leaves_nothing_behind(path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    for step in ("temp", "synced", "checked"):
        with pytest.raises(KeyboardInterrupt):
            write(at(step, interrupt), path)
        assert path.read_bytes() == OLD
        assert list(path.parent.iterdir()) == [path]
    wanted = [Replacement(sidecar(path), NEW, fingerprint_of(OLD))]
    with pytest.raises(KeyboardInterrupt):
        at("synced", interrupt).replace_many(wanted)
    assert path.read_bytes() == OLD
    assert list(path.parent.iterdir()) == [path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small") as disk:
        yield disk


def test_a_full_disk_leaves_the_sidecar_and_no_temp_file(disk: SmallDisk) -> None:
    path, new = disk.folder / "a.xmp", disk.folder / "b.xmp"
    path.write_bytes(OLD)
    store = SidecarStore()
    with disk.full():
        with pytest.raises(WriteFailed) as caught:
            write(store, path)
        assert "Free space on its volume" in str(caught.value)
        with pytest.raises(WriteFailed):
            write(store, new, None)
        wanted = [
            Replacement(sidecar(path), NEW, fingerprint_of(OLD)),
            Replacement(sidecar(new), NEW, ABSENT),
        ]
        assert [type(problem) for problem in store.replace_many(wanted)] == [WriteFailed] * 2
        assert path.read_bytes() == OLD
        assert {found.name for found in disk.folder.iterdir()} <= {"a.xmp", "filler"}
    write(store, path)
    assert path.read_bytes() == NEW


def test_many_at_once_on_two_volumes(disk: SmallDisk, tmp_path: Path) -> None:
    folders = [disk.folder, *(tmp_path / f"f{number}" for number in range(5))]
    wanted = []
    for folder in folders:
        folder.mkdir(exist_ok=True)
        for number in range(3):
            (folder / f"{number}.xmp").write_bytes(OLD)
            carrier = sidecar(folder / f"{number}.xmp")
            wanted.append(Replacement(carrier, NEW, fingerprint_of(OLD)))
    assert set(SidecarStore().replace_many(wanted)) == {None}
    assert {item.carrier.path.read_bytes() for item in wanted} == {NEW}
    assert not list(tmp_path.rglob(".*"))
