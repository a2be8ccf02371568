"""Large image files: written past the page cache, shared as a whole, and proven all the same."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from embed_files import exif, jpeg, packet, xmp
from urbexmp.adapters.embedded import direct
from urbexmp.adapters.embedded import rewrite as rewriting
from urbexmp.adapters.embedded.codec import EmbeddedCodec
from urbexmp.adapters.embedded.compare import prove_rewrite
from urbexmp.adapters.embedded.jpeg import JpegContainer
from urbexmp.adapters.embedded.layout import Splice
from urbexmp.adapters.embedded.rewrite import BLOCK, Trace, rewrite
from urbexmp.adapters.embedded.store import EmbeddedStore
from urbexmp.adapters.xmp.codec import XmpCodec
from urbexmp.model.change import PacketEdit
from urbexmp.model.errors import CarrierMoved, ProofFailed, WriteFailed
from urbexmp.model.photo import Carrier, CarrierKind, fingerprint_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux is written directly")

MIDDLE = 5 * 2**20 + 3 * BLOCK
DATA = bytes(range(1, 254)) * (6 * 2**20 // 253)
SPLICES = (Splice(100, 10, b"y" * 10), Splice(5000, 0, b"x" * 2 * BLOCK))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "scan.jpg"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same calls through the page cache, so that every volume takes part."""
    monkeypatch.setattr(direct, "offered", lambda _handle: True)
    monkeypatch.setattr(direct, "_DIRECT", 0)
    monkeypatch.setattr(rewriting, "_share", lambda *_: False)


def expected() -> bytes:
    return DATA[:100] + b"y" * 10 + DATA[110:5000] + b"x" * 2 * BLOCK + DATA[5000:]


def copied(path: Path, trace: Trace) -> Path:
    temp = path.with_name("copy")
    temp.unlink(missing_ok=True)
    os.close(rewrite(path, SPLICES, temp, trace))
    return temp


def test_whole_blocks_of_a_large_file_go_straight_to_the_disk(path: Path, played: None) -> None:
    trace = Trace()
    temp = copied(path, trace)
    assert temp.read_bytes() == expected()
    ((first, length),) = trace.direct
    assert first == 4 * BLOCK
    assert length == (len(DATA) - 2 * BLOCK) // BLOCK * BLOCK
    prove_rewrite(path, temp, SPLICES, trace)


def test_on_a_volume_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("disk") / "scan.jpg"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        if not direct.offered(file.fileno()):
            pytest.skip("the volume of the temporary folder is neither ext4 nor XFS")
    trace = Trace()
    temp = copied(path, trace)
    assert trace.direct or trace.shared
    assert temp.read_bytes() == expected()
    prove_rewrite(path, temp, SPLICES, trace)


@pytest.mark.parametrize("moved", [-BLOCK, BLOCK])
def test_a_stretch_at_the_wrong_place_is_seen(path: Path, played: None, moved: int) -> None:
    trace = Trace()
    temp = copied(path, trace)
    data = bytearray(temp.read_bytes())
    ((first, length),) = trace.direct
    data[first : first + length] = DATA[first - 2 * BLOCK + moved :][:length].ljust(length, b"\0")
    temp.write_bytes(data)
    with pytest.raises(ProofFailed):
        prove_rewrite(path, temp, SPLICES, trace)


def test_what_the_disk_gives_back_is_compared_to_the_last_byte(
    path: Path, played: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that stores one byte wrong, in the middle of a piece."""
    honest = os.pwrite

    def rotten(handle: int, data: memoryview, offset: int) -> int:
        done = honest(handle, data, offset)
        if offset <= MIDDLE < offset + done:
            honest(handle, b"\0", MIDDLE)
        return done

    monkeypatch.setattr(os, "pwrite", rotten)
    with pytest.raises(WriteFailed, match="gave back other bytes"):
        copied(path, Trace())


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_a_volume_that_refuses_is_written_in_the_usual_way(
    path: Path, played: None, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pwrite", refuse)
    trace = Trace()
    temp = copied(path, trace)
    assert trace.direct == []
    assert temp.read_bytes() == expected()
    prove_rewrite(path, temp, SPLICES, trace)


def test_no_room_is_said_and_leaves_the_photo(
    tmp_path: Path, played: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "IMG_0412.JPG"
    data = jpeg(exif(), xmp(packet(padding=0)), trailer=DATA)
    path.write_bytes(data)
    containers = (JpegContainer(),)
    carrier = Carrier(CarrierKind.EMBEDDED, path)
    store = EmbeddedStore(containers)
    old = store.read(carrier)
    new = EmbeddedCodec(XmpCodec(), containers).edit(
        old, PacketEdit(flat_add=("Urbex",), hierarchical_add=("Urbex",)), path
    )
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(WriteFailed, match="Free space"):
            store.replace(carrier, new, fingerprint_of(old))
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]
    store.replace(carrier, new, fingerprint_of(old))
    assert path.read_bytes().endswith(DATA)
    assert store.read(carrier) == new


def test_a_file_that_is_cut_short_meanwhile_is_left_alone(
    path: Path, played: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = os.pwrite

    def cutting(handle: int, data: memoryview, offset: int) -> int:
        os.truncate(path, 3 * 2**20)
        return honest(handle, data, offset)

    monkeypatch.setattr(os, "pwrite", cutting)
    with pytest.raises(CarrierMoved):
        copied(path, Trace())


def test_a_file_that_is_written_to_meanwhile_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = rewriting.finish_like

    def touched(handle: int, temp: Path, like: os.stat_result, source: Path) -> None:
        honest(handle, temp, like, source)
        os.utime(path, ns=(like.st_atime_ns, like.st_mtime_ns + 1))

    monkeypatch.setattr(rewriting, "finish_like", touched)
    with pytest.raises(CarrierMoved):
        copied(path, Trace())


def test_where_nothing_moves_the_whole_file_is_shared(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume that shares blocks, played by copying them."""
    asked = []

    def share(old: int, new: int, *where: int) -> bool:
        asked.append(where)
        os.pwrite(new, os.pread(old, len(DATA), 0), 0)
        return True

    monkeypatch.setattr(rewriting, "_share", share)
    splices = (Splice(100, 10, b"y" * 10), Splice(200, 1, b"z"), Splice(MIDDLE, 5, b"12345"))
    trace = Trace()
    temp = path.with_name("copy")
    os.close(rewrite(path, splices, temp, trace))
    assert asked == [()]
    wanted = bytearray(DATA)
    for splice in splices:
        wanted[splice.offset : splice.end] = splice.insert
    assert temp.read_bytes() == wanted
    end = MIDDLE + BLOCK
    assert trace.shared == [(BLOCK, MIDDLE - BLOCK), (end, len(DATA) - end)]
    prove_rewrite(path, temp, splices, trace)
    for wrong in (0, BLOCK - 1, MIDDLE - 1, MIDDLE, MIDDLE + 5, end - 1, len(DATA) - 1):
        data = bytearray(wanted)
        data[wrong] ^= 1
        temp.write_bytes(data)
        with pytest.raises(ProofFailed):
            prove_rewrite(path, temp, splices, trace)
